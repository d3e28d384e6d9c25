//! `flux pathway`: which reactions a host must be given to make a product.

use super::source::{load, load_field};
use super::{apart, edited};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::fetch;
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::pathway::{self, PathwayTask, Routes, Universe};

edited! {
    /// Input of `flux pathway`.
    struct Input {
        /// Reactions that may be brought in.
        ///
        /// 導入してよい反応。
        #[serde(default)]
        universe: Option<Universe>,
        /// Model whose reactions may be brought in, by path or address.
        ///
        /// 反応を導入してよい代謝モデル（場所またはアドレス）。
        #[serde(default)]
        universe_model: Option<String>,
        /// Table of reactions that may be brought in, by path or address.
        ///
        /// 導入してよい反応の表（場所またはアドレス）。
        #[serde(default)]
        universe_table: Option<String>,
        /// Product, growth and feedstock, and how far to look.
        ///
        /// 生成物、増殖と原料の反応、探索の範囲。
        task: PathwayTask,
    }
}

/// Output of `flux pathway`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPathways")]
struct Found {
    /// Reactions that could be brought in.
    offered: usize,
    /// Routes found, and what was refused.
    found: Routes,
    /// What to look at in the models.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux pathway",
            label: ["経路の探索", "Search pathways"],
            about: [
                "宿主に導入すれば生成物を作れるようになる反応の組を、費用の小さい順に厳密に求めます。候補は別の代謝モデル、表、または一覧から取り、収率、補因子の収支、駆動力、必要な反応か、配列の照合の要否を経路ごとに付けます。",
                "Finds the sets of reactions that let a host make a product, exactly and in the order of their cost. Candidates come from another model, a table or a list; each route has its yields, balance of cofactors, driving force, whether every reaction is needed, and where it stands with screening.",
            ],
            positional: &["model"],
            example: "toji flux pathway iJO1366.xml.gz --universe-table r.csv --task @task.json",
        },
        Effect::Read,
        search,
    )
    .long()
}

async fn search(context: Context, input: Input) -> Result<Found> {
    let loaded = load(&context, &input.model).await?;
    let other = match &input.universe_model {
        Some(named) => Some(load_field(&context, named, "universe_model").await?),
        None => None,
    };
    let table = match &input.universe_table {
        Some(named) => Some(fetch(&context, named).await.map_err(|e| e.at(Place::field("universe_table")))?),
        None => None,
    };
    apart(move || {
        let mut findings = loaded.reading().findings.clone();
        let mut universe = input.universe.clone().unwrap_or_default();
        let mut add = |more: Universe| {
            universe.reactions.extend(more.reactions);
            universe.formulas.extend(more.formulas);
        };
        if let Some(other) = &other {
            findings.extend(other.reading().findings.iter().cloned());
            add(Universe::of_model(other.model(), loaded.model()));
        }
        if let Some((file, bytes)) = table {
            let text = String::from_utf8(bytes).map_err(|_| {
                Error::input("E-FLUX-147", "表が UTF-8 ではありません", "the table is not in UTF-8")
                    .hint("UTF-8 で書き出してください", "export it in UTF-8")
                    .in_file(&file)
            })?;
            add(pathway::table(&text).map_err(|e| e.in_file(&file))?);
        }
        if universe.reactions.is_empty() {
            return Err(Error::input(
                "E-FLUX-148",
                "導入してよい反応がありません",
                "there is no reaction that may be brought in",
            )
            .at(Place::field("universe"))
            .hint(
                "universe、universe_model、universe_table のいずれかを渡してください",
                "give universe, universe_model or universe_table",
            ));
        }
        let scenario = input.edits().over(loaded.model())?;
        let found = pathway::routes(&scenario, &universe, &input.task)?;
        Ok(Found { offered: universe.reactions.len(), found, findings })
    })
    .await
}
