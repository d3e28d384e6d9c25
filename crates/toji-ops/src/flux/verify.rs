//! `flux verify`, `flux redesign`: a designed strain judged by itself, and designs held to what a vessel taught.

use super::apart;
use super::edited;
use super::source::load;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Result};
use toji_flux::design::{self, DesignTask, Redesign, Strain, Verified, VerifyTask, VesselLimits};

edited! {
    /// Input of `flux verify`.
    struct Input {
        /// Edits of the strain by the identifiers of the model.
        ///
        /// 株の変更。モデルの識別子で指定する。
        strain: Strain,
        /// What is asked of it: growth, product and feedstock, and what is tried besides.
        ///
        /// 検証の内容。増殖・生成物・原料の反応と、併せて試すこと。
        task: VerifyTask,
    }
}

edited! {
    /// Input of `flux redesign`.
    struct RedesignInput {
        /// What was measured in the vessel: oxygen, heat, by-products, uptakes.
        ///
        /// 実機で測ったこと。酸素、除熱、副産物、取込み。
        vessel: VesselLimits,
        /// The search for designs.
        ///
        /// 設計の探索。
        task: DesignTask,
    }
}

/// Output of `flux verify`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxVerified")]
struct Judged {
    /// Edits of the strain.
    strain: Strain,
    /// What verification says.
    verified: Verified,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

/// Output of `flux redesign`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxRedesigned")]
struct Redesigned {
    /// Designs before and after what the vessel taught.
    redesign: Redesign,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn verify() -> Operation {
    Operation::declare(
        Words {
            name: "flux verify",
            label: ["設計した株の検証", "Verify a design"],
            about: [
                "設計した株を、探索とは別にモデル全体で検証します。増殖と産物の幅、結び付きの強さ、収率、必要な酸素と槽の限界、上下限の揺らぎに対する頑健さ、回分培養の到達点、欠失ごとの必要性、配列の照合の要否を、根拠の言葉とともに示します。",
                "Judges a designed strain by itself on the whole model: growth and range of the product, how tightly they go together, yields, oxygen needed against what the vessel gives, disturbed bounds, a batch, whether each removal is needed, and where it stands with screening, with evidence in words.",
            ],
            positional: &["model"],
            example: "toji flux verify e_coli_core.xml.gz --strain @strain.json --task @task.json",
        },
        Effect::Read,
        judge,
    )
    .long()
}

pub(super) fn redesign() -> Operation {
    Operation::declare(
        Words {
            name: "flux redesign",
            label: ["実機の制約による再設計", "Redesign within a vessel"],
            about: [
                "実機で分かった制約（酸素供給、除熱、副産物、取込み）を流束の上下限に直し、制約のない設計をその中で評価し直したうえで、制約の中で設計を探し直します。",
                "Turns what a vessel taught (oxygen, heat, by-products, uptakes) into bounds, judges the designs made without them within them, and searches for designs anew within them.",
            ],
            positional: &["model"],
            example: "toji flux redesign e_coli_core.xml.gz --vessel @vessel.json --task @task.json",
        },
        Effect::Read,
        within,
    )
    .long()
}

async fn judge(context: Context, input: Input) -> Result<Judged> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let verified = design::verify(&scenario, &input.strain, &input.task)?;
        Ok(Judged { strain: input.strain, verified, findings: loaded.reading().findings.clone() })
    })
    .await
}

async fn within(context: Context, input: RedesignInput) -> Result<Redesigned> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        let redesign = design::redesign(&scenario, &input.vessel, &input.task)?;
        Ok(Redesigned { redesign, findings: loaded.reading().findings.clone() })
    })
    .await
}
