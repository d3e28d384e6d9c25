//! `commons import-agreement`: a draft from the policies of another data space.

use super::agreement::{Offered, PatentTerms, View, drafted, keep};
use super::seat::standing;
use super::write::id_in;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::agreement::{Granted, Ground, IndustrialUse, Purpose, Reading, from_odrl};
use toji_core::{Diagnostic, Error, Id, Instant, Place, Result};

/// Most policies of one agreement.
const POLICIES_MAX: usize = 1000;

/// Input of `commons import-agreement`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Identifier; an agreement that is there gets a new version, to be signed anew.
    ///
    /// 識別子。既にある契約は新しい版となり、署名し直す。
    id: String,
    /// The policy as ODRL (JSON-LD), or a list with one for each data set; JSON or `@file`.
    ///
    /// ODRL（JSON-LD）のポリシー、またはデータセットごとのポリシーの配列。JSON または `@ファイル`。
    odrl: Json,
    /// Its term ends at the latest then, whatever the policy says, RFC 3339.
    ///
    /// ポリシーの記載によらない、契約の終わりの上限（RFC 3339）。
    latest_end: String,
    /// Title; the name of the policy when missing.
    ///
    /// 標題。省略時はポリシーの名。
    #[serde(default)]
    title: Option<String>,
    /// The text that people read and sign; the policies as they came when missing.
    ///
    /// 人が読み、署名する条文。省略時は受け取ったポリシーそのもの。
    #[serde(default)]
    text: Option<String>,
    /// How organisations of the policy are called here, as `{"name": "ORG-A"}`.
    ///
    /// ポリシーの組織名と、ここでの組織の対応。
    #[serde(default)]
    organisations: BTreeMap<String, String>,
    /// How its data sets are called here, as `{"name": "DS-1"}`.
    ///
    /// ポリシーの対象名と、ここでのデータセットの対応。
    #[serde(default)]
    data_sets: BTreeMap<String, String>,
    /// What purposes of the other data space permit here; those without an entry are left out.
    ///
    /// 相手の目的の名と、ここで許される目的の対応。対応のない目的は除く。
    #[serde(default)]
    purposes: BTreeMap<String, BTreeSet<Purpose>>,
    /// What the action `use` grants here; nothing when missing.
    ///
    /// 操作 `use` がここで許諾する行為。省略時はなし。
    #[serde(default)]
    usage: BTreeSet<Granted>,
    /// Conditions that hold by other means, each as `operand=value`; whoever imports vouches for them.
    ///
    /// 別の手段で満たされている条件（`項目=値`）。取り込む人が保証する。
    #[serde(default)]
    met: Vec<String>,
    /// Only say what would be drafted.
    ///
    /// 起案される内容を示すだけ。
    #[serde(default)]
    dry_run: bool,
}

/// Output of `commons import-agreement`.
#[derive(Debug, Serialize, JsonSchema)]
struct Imported {
    /// Nothing was kept.
    dry_run: bool,
    /// Parties.
    parties: Vec<String>,
    /// Data sets.
    data_sets: Vec<String>,
    /// From.
    from: String,
    /// Until before.
    until: String,
    /// Purposes.
    purposes: Vec<Purpose>,
    /// Granted.
    grants: Vec<Granted>,
    /// May it serve production?
    industrial_use: bool,
    /// Patents on what is found.
    patent_terms: PatentTerms,
    /// Within how many days the owner is told of a patent application.
    #[serde(skip_serializing_if = "Option::is_none")]
    patent_notice_days: Option<u32>,
    /// Early access.
    early_access: Vec<String>,
    /// Countries; none for all.
    countries: Vec<String>,
    /// Units of feedback owed for each data set.
    feedback_units: Option<u32>,
    /// Within days.
    feedback_days: Option<u32>,
    /// What was left out, and what was vouched for. Nothing of it permits more than the policy does.
    left_out: Vec<Diagnostic>,
    /// The draft as it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<View>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "commons import-agreement",
            label: ["ODRL からの起案", "Draft from ODRL"],
            about: [
                "ほかのデータスペースの ODRL ポリシーから契約を起案します。許諾を広げずには読めない条件があれば、すべてを挙げて断ります。除いたものと、取り込む人が保証した条件は一覧に残ります。`commons agreement --odrl` の出力はそのまま読み戻せます。全当事者が署名して初めて効力を持ちます。",
                "Drafts an agreement from ODRL policies of another data space. Conditions that cannot be kept to without permitting more are refused, all named at once; what is left out or vouched for is listed. What `commons agreement --odrl` writes is read back as it was. It counts once every party has signed.",
            ],
            positional: &["id"],
            example: "toji commons import-agreement AG-2 --odrl @policy.json --latest-end 2031-04-01T00:00:00Z",
        },
        Effect::Write,
        import,
    )]
}

async fn import(context: Context, input: Input) -> Result<Imported> {
    standing(&context).await?;
    let policies: Vec<&Json> = match &input.odrl {
        Json::Array(policies) => policies.iter().collect(),
        one => vec![one],
    };
    if policies.is_empty() || policies.len() > POLICIES_MAX {
        return Err(Error::input(
            "E-COMMONS-090",
            format!("ポリシーは 1 件以上 {POLICIES_MAX} 件までです"),
            format!("give at least one policy, and at most {POLICIES_MAX}"),
        )
        .at(Place::field("odrl"))
        .hint("データセットごとのポリシーを配列で渡してください", "give a list with one policy for each data set"));
    }
    let ground = ground(&context, &input)?;
    let (reading, left_out) = read(&policies, &ground)?;
    let party = |name: &String| named("organisations", name, &input.organisations);
    let parties: BTreeSet<Id> = reading.assigners.union(&reading.assignees).map(party).collect::<Result<_>>()?;
    let data_sets = reading.targets.iter().map(|name| named("data_sets", name, &input.data_sets)).collect::<Result<_>>()?;
    let mut terms = reading.terms;
    terms.early_access = terms.early_access.iter().map(|id| party(&id.to_string())).collect::<Result<_>>()?;
    let name = policies.iter().find_map(|p| p.get("uid").or_else(|| p.get("@id")).and_then(Json::as_str)).unwrap_or("ODRL");
    let title = input.title.clone().unwrap_or_else(|| name.to_owned());
    let text = match &input.text {
        Some(text) => text.clone(),
        None => serde_json::to_string_pretty(&input.odrl).map_err(|e| Error::bug("E-COMMONS-091", e))?,
    };
    let drafted = drafted(&context, &input.id, Offered { title, text, parties, data_sets, terms }).await?;
    let agreement = drafted.agreement.clone();
    let kept = if input.dry_run { None } else { Some(keep(&context, "commons import-agreement", drafted).await?) };
    let terms = &agreement.terms;
    let (patent_terms, patent_notice_days) = PatentTerms::of(terms.patents);
    Ok(Imported {
        dry_run: input.dry_run,
        parties: agreement.parties.iter().map(Id::to_string).collect(),
        data_sets: agreement.data_sets.iter().map(Id::to_string).collect(),
        from: terms.from.to_string(),
        until: terms.until.to_string(),
        purposes: terms.purposes.iter().copied().collect(),
        grants: terms.grants.iter().copied().collect(),
        industrial_use: terms.industrial_use == IndustrialUse::Permitted,
        patent_terms,
        patent_notice_days,
        early_access: terms.early_access.iter().map(Id::to_string).collect(),
        countries: terms.countries.iter().flatten().cloned().collect(),
        feedback_units: terms.feedback.map(|f| f.units),
        feedback_days: terms.feedback.map(|f| f.within_days),
        left_out,
        agreement: kept,
    })
}

fn ground(context: &Context, input: &Input) -> Result<Ground> {
    let latest_end = Instant::parse(&input.latest_end).map_err(|e| e.at(Place::field("latest_end")))?;
    let mut ground = Ground::new(context.now, latest_end);
    ground.purposes = input.purposes.clone();
    ground.usage = input.usage.clone();
    for condition in &input.met {
        let (operand, value) = condition.split_once('=').ok_or_else(|| {
            Error::input(
                "E-COMMONS-092",
                format!("「{condition}」は条件ではありません"),
                format!("\"{condition}\" is no condition"),
            )
            .at(Place::field("met"))
            .hint("`項目=値` の形で書いてください", "write it as `operand=value`")
        })?;
        ground.met.insert((operand.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(ground)
}

/// All policies of an agreement say the same of different data sets; what was left out of any is told.
fn read(policies: &[&Json], ground: &Ground) -> Result<(Reading, Vec<Diagnostic>)> {
    let mut whole: Option<Reading> = None;
    let mut left_out: Vec<Diagnostic> = Vec::new();
    for (n, policy) in policies.iter().enumerate() {
        let mut one = from_odrl(policy, ground).map_err(|e| e.at(Place::field(format!("odrl/{n}"))))?;
        for note in std::mem::take(&mut one.left_out) {
            if !left_out.contains(&note) {
                left_out.push(note);
            }
        }
        match &mut whole {
            None => whole = Some(one),
            Some(first) if first.terms == one.terms => {
                first.assigners.extend(one.assigners);
                first.assignees.extend(one.assignees);
                first.targets.extend(one.targets);
            }
            Some(_) => {
                return Err(Error::input(
                    "E-COMMONS-093",
                    format!("{} 番目のポリシーの条件が最初のものと違います", n + 1),
                    format!("policy {} has other terms than the first", n + 1),
                )
                .at(Place::field(format!("odrl/{n}")))
                .hint("条件ごとに別の契約として取り込んでください", "import them as agreements of their own"));
            }
        }
    }
    whole.map(|reading| (reading, left_out)).ok_or_else(|| Error::bug("E-COMMONS-094", "no policy"))
}

/// What a name of the policy is called here.
fn named(field: &str, name: &str, names: &BTreeMap<String, String>) -> Result<Id> {
    id_in(field, names.get(name).map_or(name, String::as_str))
}
