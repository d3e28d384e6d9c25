//! `culture petab`: a fit to runs as a PEtab problem, for other software, and what it cannot say.

use super::fit::{self, Of, Sought, Taken};
use super::model;
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use toji_core::{Action, Category, Error, Place, Result, Text};
use toji_culture::exchange::petab::{Stated, Version, about, export};
use toji_culture::fit::Parameter;
use toji_culture::model::Model;

/// Input of `culture petab`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model, as for `culture simulate`.
    ///
    /// モデル（culture simulate と同じ）。
    model: String,
    /// Runs, by identifier.
    ///
    /// 培養の識別子。
    runs: Vec<String>,
    /// What was measured: quantity of the model and variable of the run.
    ///
    /// 測定値。モデルの量と培養記録の変数の対応。
    readings: BTreeMap<String, String>,
    /// Constants to find, with their bounds, as for `culture fit`.
    ///
    /// 推定する定数とその範囲（culture fit と同じ）。
    parameters: BTreeMap<String, Sought>,
    /// Profiles of the model that follow a variable of each run: its feed.
    ///
    /// 各培養の変数（流加など）に従わせるモデルの時間表。
    #[serde(default)]
    follow: BTreeMap<String, String>,
    /// Standard deviation of the readings of a quantity, or as a share of each (`5 %`); estimated where missing.
    ///
    /// 測定の標準偏差、または測定値に対する割合（5 %）。省略した量では推定する。
    #[serde(default)]
    noise: BTreeMap<String, Json>,
    /// Constants to set in all runs.
    ///
    /// すべての培養で変える定数。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Field of the run record whose value makes a group (`strain`); each run its own group when missing.
    ///
    /// 群を作る培養記録の項目（strain など）。省略時は培養ごと。
    #[serde(default)]
    group_by: Option<String>,
    /// Version of PEtab: 1, which most software reads, or 2.
    ///
    /// PEtab の版：1（多くのソフトウェアが読む）または 2。
    #[serde(default = "first")]
    format_version: u8,
    /// Folder to write the files to, empty or new. Without it the answer contains them.
    ///
    /// ファイルを書き出すフォルダー（空または新規）。省略時は結果に内容を含める。
    #[serde(default)]
    dir: Option<String>,
}

fn first() -> u8 {
    1
}

/// A file of the problem.
#[derive(Debug, Serialize, JsonSchema)]
struct File {
    /// Name.
    name: String,
    /// Contents, where they are not written to a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Output of `culture petab`.
#[derive(Debug, Serialize, JsonSchema)]
struct Exported {
    /// Model.
    id: String,
    /// Version of PEtab.
    format_version: u8,
    /// Files, the YAML file first.
    files: Vec<File>,
    /// Folder they were written to.
    dir: Option<String>,
    /// Readings that PEtab cannot say and that are left out.
    readings_left_out: usize,
    /// How much greater −2 ln (likelihood and priors) of the problem is than that of `culture fit`, whatever the parameters.
    minus_two_log_offset: f64,
    /// What is left out or said otherwise.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture petab",
            label: ["PEtab への書き出し", "Export a fit as PEtab"],
            about: [
                "培養の測定値への当てはめを、他のソフトウェア（pyPESTO、AMICI、COPASI など）が読む PEtab の問題として書き出します。モデルは SBML、培養は条件になります。PEtab で表せないもの（検出限界による値など）は黙って落とさず、すべて挙げます。",
                "Writes a fit to runs as a PEtab problem, which other software reads (pyPESTO, AMICI, COPASI and more): the model as SBML, every run as a condition. What PEtab cannot say, such as readings beyond a limit, is not dropped in silence but listed.",
            ],
            positional: &["model"],
            example: "toji culture petab m.toml --runs run-0a1b2c --readings X=dry-weight --parameters @b.json",
        },
        Effect::Read,
        run,
    )
}

fn refused(field: &str, ja: &str, en: &str) -> Error {
    Error::input("E-FIT-014", ja, en).at(Place::field(field))
}

async fn run(context: Context, input: Input) -> Result<Exported> {
    let version = match input.format_version {
        1 => Version::One,
        2 => Version::Two,
        _ => {
            return Err(refused("format_version", "format_version は 1 か 2 です", "format_version is 1 or 2")
                .hint("読む側のソフトウェアが対応する版を選んでください", "choose the version that the other software reads"));
        }
    };
    if input.dir.is_some() && !context.local_files {
        return Err(Error::new(
            Category::Denied,
            "E-FIT-015",
            "ネットワーク越しにサーバーのフォルダーへは書けません",
            "a folder of the server cannot be written over the network",
        )
        .at(Place::field("dir"))
        .hint("dir を省き、結果に含まれる内容を保存してください", "leave dir away and save the texts of the answer"));
    }
    let model = model(&context, &input.model).await?;
    let mut wholes = Vec::new();
    for run in &input.runs {
        wholes.push(Whole::load_to(&context, run, Action::Export).await.map_err(|e| e.at(Place::field("runs")))?);
    }
    let work = move || written(&input, version, &model, &wholes);
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-MODEL-018", e))?
}

fn written(input: &Input, version: Version, model: &Model, wholes: &[Whole]) -> Result<Exported> {
    let of = Of {
        readings: &input.readings,
        follow: &input.follow,
        noise: &input.noise,
        set: &input.set,
        group_by: input.group_by.as_deref(),
    };
    let taken: Vec<Taken> = wholes.iter().map(|whole| fit::take(&of, model, whole)).collect::<Result<_>>()?;
    let parameters: Vec<Parameter> =
        input.parameters.iter().map(|(name, sought)| fit::parameter(model, name, sought, "parameters")).collect::<Result<_>>()?;
    let runs = fit::runs(&of, model, &taken)?.into_iter().zip(&taken);
    let runs: Vec<_> = runs.map(|(run, it)| (run, it.own.as_ref().map(|own| &own.definition))).collect();
    let metadata = about(model);
    let stated = Stated {
        name: &model.id,
        definition: &model.definition,
        metadata: &metadata,
        parameters: &parameters,
        runs: &runs,
        start: 0.0,
    };
    let exported = export(&stated, version)?;
    if let Some(dir) = &input.dir {
        save(Path::new(dir), &exported.files)?;
    }
    let inside = input.dir.is_none();
    Ok(Exported {
        id: model.id.clone(),
        format_version: input.format_version,
        files: exported.files.into_iter().map(|(name, text)| File { name, text: inside.then_some(text) }).collect(),
        dir: input.dir.clone(),
        readings_left_out: exported.left_out,
        minus_two_log_offset: exported.constant,
        warnings: exported.losses.into_iter().map(|loss| loss.message).collect(),
    })
}

/// Writes the files into a folder that is empty or not there yet.
fn save(dir: &Path, files: &[(String, String)]) -> Result<()> {
    let fault = |e: std::io::Error| {
        let shown = dir.display();
        Error::storage("E-FIT-016", format!("「{shown}」に書けません: {e}"), format!("cannot write to {shown}: {e}"))
            .at(Place::field("dir"))
            .hint("書けるフォルダーを指定してください", "give a folder that can be written")
    };
    if dir.exists() && std::fs::read_dir(dir).map_err(fault)?.next().is_some() {
        return Err(Error::new(
            Category::Conflict,
            "E-FIT-017",
            format!("「{}」は空ではありません", dir.display()),
            format!("{} is not empty", dir.display()),
        )
        .at(Place::field("dir"))
        .hint("空のフォルダーか新しい名前を指定してください", "give an empty folder or a new name"));
    }
    std::fs::create_dir_all(dir).map_err(fault)?;
    for (name, text) in files {
        std::fs::write(dir.join(name), text).map_err(fault)?;
    }
    Ok(())
}
