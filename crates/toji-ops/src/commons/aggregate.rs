//! Questions over competitors: *ask* how many, *benchmark* mine against the field, *compute* upon a clean room. Rows are
//! read as computing, and only what passes the rule for aggregates over all earlier releases leaves.

use super::noisy::{Asking, Figure, Rows, figure};
use super::privacy::{Payment, loss_of, paying};
use super::release::{RefusedView, Told, cell_members, refused_view, released, releasing};
use super::seat::{actor, computing, purpose_of, standing, under};
use super::standing::Standing;
use super::write::{out_of_order, wanted};
use crate::culture::quantities;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_commons::agreement::{Agreement, Purpose, Role};
use toji_commons::log::Note;
use toji_commons::privacy::{Loss, Row, Statistic};
use toji_commons::release::{Answer, Cell, Contribution, Field, Rule};
use toji_core::kind::FieldType;
use toji_core::{Access, Category, Digest, Error, Id, Instant, Place, Record, Result, Text, Unit};

/// Decimals to which values enter a total.
const DECIMALS: u32 = 6;
/// Kinds that may be asked about.
const ASKABLE: [&str; 5] = ["run", "strain", "genome", "deposit", "dataset-release"];
/// Words of events that make a run a failed one.
const FAILURES: [&str; 3] = ["contamination", "failure", "abort"];
/// The measure that is no quantity of an analysis.
pub(super) const FAILURE_RATE: &str = "failure-rate";

/// Input of `commons ask`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskInput {
    /// Kind of record: run, strain, genome, deposit or dataset-release.
    ///
    /// 記録の種別：run、strain、genome、deposit、dataset-release。
    kind: String,
    /// Field that is compared.
    ///
    /// 比べる項目。
    field: String,
    /// Value it must have, letter for letter but for case.
    ///
    /// その値（大文字・小文字の別を除き一致）。
    value: String,
    /// For what purpose; research when missing.
    ///
    /// 利用目的。省略時は research。
    #[serde(default)]
    purpose: Option<String>,
    /// Agreement whose privacy budget pays for an answer with noise, over the data that it covers.
    ///
    /// 雑音付きの回答の費用を払う契約。対象はその契約のデータ。
    #[serde(default)]
    agreement: Option<String>,
    /// Cost of the answer in ε, with Laplace noise.
    ///
    /// 回答の費用 ε（ラプラス雑音）。
    #[serde(default)]
    epsilon: Option<f64>,
    /// Cost of the answer in ρ, with Gaussian noise.
    ///
    /// 回答の費用 ρ（ガウス雑音）。
    #[serde(default)]
    rho: Option<f64>,
    /// Draw anew, at the cost of another answer, what was answered before.
    ///
    /// 以前の回答があっても、改めて費用を払って求め直す。
    #[serde(default)]
    again: bool,
    /// With noise: most records of one member that count.
    ///
    /// 雑音付きのとき、一会員につき数える記録の上限。
    #[serde(default = "usual_of_member")]
    of_member_max: u32,
}

fn usual_of_member() -> u32 {
    10
}

/// Output of `commons ask`.
#[derive(Debug, Serialize, JsonSchema)]
struct Asked {
    /// Question in words.
    question: Text,
    /// At least so many, over all members; missing when it is withheld.
    at_least: Option<u64>,
    /// Why it is withheld.
    withheld: Option<Text>,
    /// How many of one's own, which one may see anyway.
    own: u64,
    /// How many with noise, where an agreement pays for it.
    with_noise: Option<Figure>,
    /// What that cost its privacy budget, and what is left of it.
    budget: Option<Payment>,
    /// Version of the rule.
    rule: String,
}

/// Input of `commons benchmark`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BenchmarkInput {
    /// What is compared: a quantity of the analysis of a run, e.g. `titre-final`, or `failure-rate`.
    ///
    /// 比べる量：培養の解析の量（例 `titre-final`）か `failure-rate`。
    measure: String,
    /// Unit of the quantity, UCUM; runs in other units are left out.
    ///
    /// 量の単位（UCUM）。ほかの単位の培養は除く。
    #[serde(default)]
    unit: Option<String>,
    /// Only runs of strains of this taxon.
    ///
    /// この分類群の株の培養に限る。
    #[serde(default)]
    taxon: Option<String>,
    /// Organisation whose figure is shown beside; one's own when missing.
    ///
    /// 並べて示す組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
    /// Agreement whose privacy budget pays for an answer with noise, over the data that it covers.
    ///
    /// 雑音付きの回答の費用を払う契約。対象はその契約のデータ。
    #[serde(default)]
    agreement: Option<String>,
    /// Cost of the answer in ε, with Laplace noise.
    ///
    /// 回答の費用 ε（ラプラス雑音）。
    #[serde(default)]
    epsilon: Option<f64>,
    /// Cost of the answer in ρ, with Gaussian noise.
    ///
    /// 回答の費用 ρ（ガウス雑音）。
    #[serde(default)]
    rho: Option<f64>,
    /// Draw anew, at the cost of another answer, what was answered before.
    ///
    /// 以前の回答があっても、改めて費用を払って求め直す。
    #[serde(default)]
    again: bool,
    /// With noise: least value there can be, in the unit, known without the data (e.g. of the instrument).
    ///
    /// 雑音付きのとき、ありうる最小値（単位は量の単位）。測定範囲など、データを見ずに決まる値。
    #[serde(default)]
    low: Option<f64>,
    /// With noise: greatest value there can be.
    ///
    /// 雑音付きのとき、ありうる最大値。
    #[serde(default)]
    high: Option<f64>,
}

/// Output of `commons benchmark`.
#[derive(Debug, Serialize, JsonSchema)]
struct Benchmarked {
    /// What is compared.
    measure: String,
    /// Unit.
    unit: String,
    /// Mean of one's own runs.
    own: Option<f64>,
    /// How many runs of one's own.
    own_runs: u64,
    /// Mean of the members' means, rounded as released; missing when it is refused.
    field_mean: Option<f64>,
    /// How many members stand behind it.
    contributors: Option<u64>,
    /// One's own mean over that of the field, in %.
    own_over_field_percent: Option<f64>,
    /// Mean with noise, where an agreement pays for it: of members' means, or of runs where those are protected.
    with_noise: Option<Figure>,
    /// What that cost its privacy budget, and what is left of it.
    budget: Option<Payment>,
    /// Why it is not released.
    refused: Option<RefusedView>,
    /// Version of the rule.
    rule: String,
    /// Release.
    release: Option<String>,
}

/// Input of `commons compute`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ComputeInput {
    /// The signed manifest: what is computed upon which data sets for which project, as `toji commons manifest` makes it.
    ///
    /// 署名した計算指示書。`toji commons manifest` が作る。
    manifest: String,
}

/// Input of `commons manifest`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManifestInput {
    /// Project that computes.
    ///
    /// 計算するプロジェクト。
    project: String,
    /// Data sets.
    ///
    /// 対象データセット。
    data_sets: Vec<String>,
    /// Quantities of the analysis of a run whose means are wanted.
    ///
    /// 平均を求める、培養の解析の量。
    measures: Vec<String>,
    /// For what purpose; research when missing.
    ///
    /// 利用目的。省略時は research。
    #[serde(default)]
    purpose: Option<String>,
    /// Key file of the organisation that asks, on this machine.
    ///
    /// この機械にある、依頼する組織の鍵のファイル。
    key_file: String,
}

/// What is to be computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct Manifest {
    /// Project.
    project: String,
    /// Organisation that asks.
    organisation: String,
    /// Data sets.
    data_sets: BTreeSet<String>,
    /// Quantities.
    measures: BTreeSet<String>,
    /// Purpose.
    purpose: Purpose,
    /// When it was written.
    at: String,
}

/// First line of a manifest that is signed.
const MANIFEST: &str = "toji-commons manifest v1";

/// Output of `commons manifest`.
#[derive(Debug, Serialize, JsonSchema)]
struct Manifested {
    /// The signed document.
    manifest: String,
    /// Its hash.
    digest: String,
}

/// Output of `commons compute`.
#[derive(Debug, Serialize, JsonSchema)]
struct Computed {
    /// Hash of the manifest.
    digest: String,
    /// Project.
    project: String,
    /// What left.
    results: Vec<ComputedResult>,
}

/// One result.
#[derive(Debug, Serialize, JsonSchema)]
struct ComputedResult {
    /// Quantity.
    measure: String,
    /// Unit.
    unit: String,
    /// Mean of the owners' means, as released.
    mean: Option<f64>,
    /// How many owners stand behind it.
    contributors: Option<u64>,
    /// Why it stays inside.
    refused: Option<RefusedView>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons ask",
                label: ["件数の問い合わせ", "Ask how many"],
                about: [
                    "条件に合う記録が業界に何件あるかを、個社が分からない範囲で答えます。5の倍数に切り下げ、少数や推定されうる場合は、なし・少数の別を言わずに伏せます。",
                    "Answers how many records of the members fit, in a way that tells of none of them: rounded down to fives, or withheld without saying whether there are none or few.",
                ],
                positional: &["kind", "field", "value"],
                example: "toji commons ask strain taxon_name 'Aspergillus oryzae'",
            },
            Effect::Write,
            ask,
        ),
        Operation::declare(
            Words {
                name: "commons benchmark",
                label: ["業界との比較", "Benchmark against the field"],
                about: [
                    "自社の力価・収率・失敗率などを業界の平均と比べます。業界の値は、提供者5者以上・一者25 %以下・占有規則・p %規則・既公表との差の検査を通ったときだけ示し、通らなければ条項と対処を示します。",
                    "Compares a titre, yield or failure rate of one's own with the mean of the field. The field is shown only when at least 5 contribute, none holds more than 25 %, dominance and p % rules hold and no difference with earlier releases tells of one member; otherwise the clause and the remedy are named.",
                ],
                positional: &["measure"],
                example: "toji commons benchmark titre-final --unit g/L",
            },
            Effect::Write,
            benchmark,
        )
        .long(),
        Operation::declare(
            Words {
                name: "commons manifest",
                label: ["計算指示書の作成", "Write a computing manifest"],
                about: [
                    "クリーンルームのデータに行う計算を書いた指示書に署名します。計算はデータの所有者の側で `toji commons compute` が行います。",
                    "Writes and signs what is to be computed upon data in a clean room. It is carried out where the data is, by `toji commons compute`.",
                ],
                positional: &["project"],
                example: "toji commons manifest PJ-1 --data-sets DS-1 --measures titre-final --key-file a.key",
            },
            Effect::Read,
            manifest,
        ),
        Operation::declare(
            Words {
                name: "commons compute",
                label: ["クリーンルームでの計算", "Compute in a clean room"],
                about: [
                    "署名された指示書の計算を行い、公表規則を通った結果だけを返します。プロジェクトが実施中で、署名が登録された鍵のもので、契約が計算を認めていることが要ります。行は外に出ません。",
                    "Carries out a signed manifest and answers only results that pass the rule for aggregates. The project must have started, the signature must be of the registered key, and an agreement must grant computing. No row leaves.",
                ],
                positional: &["manifest"],
                example: "toji commons compute \"$(cat manifest.txt)\"",
            },
            Effect::Write,
            compute,
        )
        .long(),
    ]
}

/// The field of all members as one may compute upon it.
struct Scope {
    access: Access,
    organisation: Option<String>,
}

impl Scope {
    fn of(context: &Context, standing: &Arc<Standing>, purpose: Purpose) -> Self {
        let organisation = context.access.who.organisation.clone();
        Self { access: computing(context, standing, purpose), organisation }
    }
}

/// Who pays for an answer with noise, and how much.
struct Payer {
    agreement: Agreement,
    member: Id,
    loss: Loss,
}

impl Payer {
    /// None where no noise was asked for.
    fn of(
        context: &Context,
        standing: &Standing,
        (agreement, epsilon, rho): (&Option<String>, Option<f64>, Option<f64>),
        organisation: Option<&str>,
    ) -> Result<Option<Self>> {
        if agreement.is_none() && epsilon.is_none() && rho.is_none() {
            return Ok(None);
        }
        let loss = loss_of(epsilon, rho)?;
        let id = agreement.as_deref().ok_or_else(|| {
            Error::input(
                "E-COMMONS-069",
                "雑音付きの回答の費用を払う契約が要ります",
                "an answer with noise is paid for by an agreement",
            )
            .at(Place::field("agreement"))
            .hint(
                "`toji commons budget` で予算のある契約を確かめてください",
                "see agreements with a budget in `toji commons budget`",
            )
        })?;
        let asker = actor(context, standing, &[Role::Steward, Role::Scientist, Role::AiService], organisation)?;
        let agreement = paying(context, standing, id, &asker.organisation)?.clone();
        Ok(Some(Self { agreement, member: asker.organisation, loss }))
    }
    /// The data that the agreement lets the asker compute upon.
    fn scope(&self, context: &Context, standing: &Arc<Standing>, purpose: Purpose) -> Scope {
        Scope {
            access: under(context, standing, &self.agreement.id, purpose, false),
            organisation: Some(self.member.to_string()),
        }
    }
    fn covers(&self, standing: &Standing, record: &Record) -> bool {
        standing.set_of(record).is_some_and(|set| self.agreement.data_sets.contains(&set))
    }
    fn asking(&self, asked: Json, about: Text, statistic: Statistic, again: bool) -> Asking<'_> {
        Asking { agreement: &self.agreement, member: &self.member, loss: self.loss, again, asked, about, statistic }
    }
}

pub(super) fn owner_of(standing: &Standing, record: &Record) -> Id {
    record.owner.as_deref().and_then(|o| Id::parse(o).ok()).unwrap_or_else(|| standing.home.clone())
}

async fn ask(context: Context, input: AskInput) -> Result<Asked> {
    let standing = standing(&context).await?;
    if !ASKABLE.contains(&input.kind.as_str()) {
        let known = ASKABLE.join(", ");
        return Err(Error::input(
            "E-COMMONS-031",
            format!("種別「{}」は問い合わせの対象ではありません", input.kind),
            format!("records of kind \"{}\" are not asked about", input.kind),
        )
        .at(Place::field("kind"))
        .hint(format!("次のいずれかです: {known}"), format!("it is one of {known}")));
    }
    let store = &context.session.store;
    let kind = store.kinds().get(&input.kind)?;
    let field = kind
        .field(&input.field)
        .filter(|f| matches!(f.field_type, FieldType::Text | FieldType::Choice | FieldType::Ref | FieldType::Boolean))
        .ok_or_else(|| {
            let known: Vec<&str> = kind.fields.iter().map(|f| f.name.as_str()).collect();
            Error::input(
                "E-COMMONS-032",
                format!("項目「{}」では問い合わせられません", input.field),
                format!("\"{}\" is no field to ask about", input.field),
            )
            .at(Place::field("field"))
            .hint(format!("項目: {}", known.join(", ")), format!("the fields are {}", known.join(", ")))
        })?;
    let purpose = input.purpose.as_deref().map_or(Ok(Purpose::Research), purpose_of)?;
    let pays = Payer::of(&context, &standing, (&input.agreement, input.epsilon, input.rho), None)?;
    let scope = match &pays {
        Some(payer) => payer.scope(&context, &standing, purpose),
        None => Scope::of(&context, &standing, purpose),
    };
    let wanted = input.value.to_lowercase();
    let fits = |record: &Record| match record.fields.get(&input.field) {
        Some(Json::String(text)) => text.to_lowercase() == wanted,
        Some(Json::Bool(b)) => b.to_string() == wanted,
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).any(|t| t.to_lowercase() == wanted),
        _ => false,
    };
    let mut found: Vec<Record> = store.records(&scope.access, &input.kind, None, false).await?.into_iter().filter(fits).collect();
    if let Some(payer) = &pays {
        found.retain(|record| payer.covers(&standing, record));
    }
    let own = found.iter().filter(|r| Some(owner_of(&standing, r).as_str()) == scope.organisation.as_deref()).count();
    let cell = Cell {
        table: Id::derive("ask", &[&input.kind, &input.field]),
        field: Field::Process,
        unit: Unit::parse("1")?,
        decimals: 0,
        contributions: found
            .iter()
            .map(|r| Contribution {
                source: Id::derive("record", &[&r.kind, r.id.as_str()]),
                member: owner_of(&standing, r),
                value: 1,
                at: context.now,
            })
            .collect(),
    };
    let question = Text::new(
        format!("{}の「{}」が「{}」のもの", kind.label.ja, field.label.ja, input.value),
        format!("{} whose {} is {}", kind.label.en.to_lowercase(), field.label.en.to_lowercase(), input.value),
    );
    let asked = json!({ "kind": input.kind, "field": input.field, "value": input.value });
    let rule = Rule::default().version;
    if let Some(payer) = &pays {
        let of_member = |r: &Record| Row { unit: owner_of(&standing, r), value: 1 };
        let of_run = |r: &Record| Row { unit: r.id.clone(), value: 1 };
        let rows = Rows {
            by_member: found.iter().map(of_member).collect(),
            of_member_max: input.of_member_max,
            by_run: (input.kind == "run").then(|| found.iter().map(of_run).collect()),
            scale: 1.0,
        };
        let asked = json!({ "ask": asked, "purpose": purpose.code(), "of_member_max": input.of_member_max });
        let asking = payer.asking(asked, question.clone(), Statistic::Count, input.again);
        let (figure, cost) = figure(&context, &standing, &asking, &rows).await?;
        let own = own as u64;
        return Ok(Asked { question, at_least: None, withheld: None, own, with_noise: Some(figure), budget: Some(cost), rule });
    }
    let answer = releasing(&context, question.clone(), asked, &mut |register, now| {
        let answer = register.count(cell.clone(), now)?;
        let told = match &answer {
            Answer::AtLeast { count } => {
                Some(Told { total: *count as f64, contributors: cell_members(&cell), cell: cell.clone() })
            }
            Answer::Withheld { .. } => None,
        };
        Ok((answer, told))
    })
    .await?;
    let (at_least, withheld) = match answer.0 {
        Answer::AtLeast { count } => (Some(count), None),
        Answer::Withheld { reason } => (None, Some(reason)),
    };
    Ok(Asked { question, at_least, withheld, own: own as u64, with_noise: None, budget: None, rule })
}

/// What each member's runs give for a measure: (sum, number, when the newest began).
type ByMember = BTreeMap<Id, Vec<(Id, f64, Instant)>>;

/// The measure of every run one may compute upon, by owner; and the unit they share.
async fn gathered(context: &Context, scope: &Scope, standing: &Standing, wanted: &Wanted<'_>) -> Result<(ByMember, String)> {
    let store = &context.session.store;
    let inner = Context { access: scope.access.clone(), ..context.clone() };
    let mut unit = wanted.unit.map(str::to_owned);
    let mut out = ByMember::new();
    let runs = store.records(&scope.access, "run", None, false).await?;
    let total = Some(runs.len() as u64);
    let mut at_unit = BTreeMap::<String, usize>::new();
    let mut found: Vec<(Id, Id, f64, String, Instant)> = Vec::new();
    for (n, run) in runs.iter().enumerate() {
        context.progress.step(n as u64, total, "培養を読んでいます", "reading runs")?;
        if !wanted.fits(&inner, standing, run).await? {
            continue;
        }
        let began = text(&run.fields, "started").and_then(|t| Instant::parse(&t).ok()).unwrap_or(context.now);
        let value = measured(&inner, run, wanted.measure).await?;
        if let Some((value, of)) = value {
            *at_unit.entry(of.clone()).or_default() += 1;
            found.push((owner_of(standing, run), run.id.clone(), value, of, began));
        }
    }
    // Without a unit asked for, that of most runs; by name where as many.
    let most = at_unit.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map(|(unit, _)| unit);
    let unit = unit.take().or(most).unwrap_or_else(|| "1".into());
    for (owner, run, value, of, began) in found {
        if of == unit {
            out.entry(owner).or_default().push((run, value, began));
        }
    }
    Ok((out, unit))
}

/// What a run says of a measure, with its unit: of failures 0 or 100 %. None where it says nothing that can be added.
pub(super) async fn measured(context: &Context, run: &Record, measure: &str) -> Result<Option<(f64, String)>> {
    let value = if measure == FAILURE_RATE {
        let events = context.session.store.linked(&context.access, "event", "run", run.id.as_str()).await?;
        let failed = events.iter().any(|e| text(&e.fields, "sort").is_some_and(|s| FAILURES.contains(&s.as_str())));
        Some((if failed { 100.0 } else { 0.0 }, "%".to_owned()))
    } else {
        let (quantities, _) = quantities(context, run.id.as_str()).await?;
        quantities.into_iter().find(|q| q.code == measure).map(|q| (q.value, q.unit))
    };
    Ok(value.filter(|(v, _)| v.is_finite() && *v >= 0.0))
}

/// What is wanted of which runs.
struct Wanted<'a> {
    measure: &'a str,
    unit: Option<&'a str>,
    taxon: Option<&'a str>,
    data_sets: Option<&'a BTreeSet<String>>,
}

impl Wanted<'_> {
    async fn fits(&self, context: &Context, standing: &Standing, run: &Record) -> Result<bool> {
        if let Some(sets) = self.data_sets
            && standing.set_of(run).is_none_or(|set| !sets.contains(set.as_str()))
        {
            return Ok(false);
        }
        let Some(taxon) = self.taxon else { return Ok(true) };
        let Some(strain) = text(&run.fields, "strain") else { return Ok(false) };
        match context.session.store.record(&Access::owner(), "strain", &strain, None).await {
            Ok(record) => Ok(text(&record.fields, "taxon_name").is_some_and(|t| t.eq_ignore_ascii_case(taxon))),
            Err(error) if error.category() == Category::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn mean(values: &[(Id, f64, Instant)]) -> f64 {
    values.iter().map(|(_, v, _)| v).sum::<f64>() / values.len().max(1) as f64
}

/// One figure a member: the mean of its runs. Named by what it was made of, so that a corrected one is another.
fn cell_of(by_member: &ByMember, measure: &str, unit: &str, table: &str) -> Result<Cell> {
    let scale = 10f64.powi(i32::try_from(DECIMALS).unwrap_or(0));
    let contribution = |(member, runs): (&Id, &Vec<(Id, f64, Instant)>)| {
        let value = (mean(runs) * scale).round() as i64;
        let names: Vec<&str> = runs.iter().map(|(run, _, _)| run.as_str()).collect();
        let source = Id::derive("mean", &[member.as_str(), measure, &names.join(" "), &value.to_string()]);
        let at = runs.iter().map(|(_, _, at)| *at).max().unwrap_or(Instant(0));
        Contribution { source, member: member.clone(), value, at }
    };
    Ok(Cell {
        table: Id::derive(table, &[measure, unit]),
        field: Field::Process,
        unit: Unit::parse(unit)?,
        decimals: DECIMALS,
        contributions: by_member.iter().map(contribution).collect(),
    })
}

async fn benchmark(context: Context, input: BenchmarkInput) -> Result<Benchmarked> {
    let standing = standing(&context).await?;
    known_measure(&input.measure, "measure")?;
    let roles = [Role::Steward, Role::Scientist, Role::AiService];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let noise = (&input.agreement, input.epsilon, input.rho);
    if let Some(payer) = Payer::of(&context, &standing, noise, input.organisation.as_deref())? {
        return benchmark_with_noise(&context, &standing, &input, &payer).await;
    }
    let scope = Scope::of(&context, &standing, Purpose::Benchmark);
    let wanted = Wanted { measure: &input.measure, unit: input.unit.as_deref(), taxon: input.taxon.as_deref(), data_sets: None };
    let (by_member, unit) = gathered(&context, &scope, &standing, &wanted).await?;
    let own = by_member.get(&actor.organisation);
    let own_mean = own.map(|runs| mean(runs));
    let cell = cell_of(&by_member, &input.measure, &unit, "benchmark")?;
    let title = Text::new(format!("{} の平均", input.measure), format!("mean of {}", input.measure));
    let question = json!({ "measure": input.measure, "unit": unit, "taxon": input.taxon });
    let (judged, release) = released(&context, title, question, cell).await?;
    let (field_mean, contributors, refused) = match &judged {
        Ok(published) => (Some(published.total.value / published.contributors as f64), Some(published.contributors as u64), None),
        Err(refusal) => (None, None, Some(refused_view(refusal))),
    };
    Ok(Benchmarked {
        measure: input.measure,
        unit,
        own: own_mean,
        own_runs: own.map_or(0, Vec::len) as u64,
        field_mean,
        contributors,
        own_over_field_percent: own_mean.zip(field_mean).filter(|(_, f)| *f > 0.0).map(|(o, f)| 100.0 * o / f),
        with_noise: None,
        budget: None,
        refused,
        rule: Rule::default().version,
        release: release.map(|id| id.to_string()),
    })
}

/// The mean of the field with noise, over the data of one agreement. Nothing about it depends on the data but the draw:
/// unit and bounds are stated.
async fn benchmark_with_noise(
    context: &Context,
    standing: &Arc<Standing>,
    input: &BenchmarkInput,
    payer: &Payer,
) -> Result<Benchmarked> {
    let failures = input.measure == FAILURE_RATE;
    let unit = input.unit.as_deref().or(failures.then_some("%")).ok_or_else(|| stated("unit"))?;
    let low = input.low.or(failures.then_some(0.0)).ok_or_else(|| stated("low"))?;
    let high = input.high.or(failures.then_some(100.0)).ok_or_else(|| stated("high"))?;
    let scope = payer.scope(context, standing, Purpose::Benchmark);
    let covered: BTreeSet<String> = payer.agreement.data_sets.iter().map(ToString::to_string).collect();
    let taxon = input.taxon.as_deref();
    let wanted = Wanted { measure: &input.measure, unit: Some(unit), taxon, data_sets: Some(&covered) };
    let (by_member, _) = gathered(context, &scope, standing, &wanted).await?;
    let scale = 10f64.powi(i32::try_from(DECIMALS).unwrap_or(0));
    let steps = |value: f64| (value * scale).round() as i64;
    let rows = Rows {
        by_member: by_member.iter().map(|(member, runs)| Row { unit: member.clone(), value: steps(mean(runs)) }).collect(),
        of_member_max: 1,
        by_run: Some(
            by_member.values().flatten().map(|(run, value, _)| Row { unit: run.clone(), value: steps(*value) }).collect(),
        ),
        scale,
    };
    let asked = json!({ "benchmark": input.measure, "unit": unit, "taxon": taxon, "low": low, "high": high });
    let over = taxon.map(|t| format!(" ({t})")).unwrap_or_default();
    let about = Text::new(format!("{}{over}、単位 {unit}", input.measure), format!("{}{over} in {unit}", input.measure));
    let statistic = Statistic::Mean { low: steps(low), high: steps(high) };
    let (figure, cost) = figure(context, standing, &payer.asking(asked, about, statistic, input.again), &rows).await?;
    let own = by_member.get(&payer.member);
    let own_mean = own.map(|runs| mean(runs));
    Ok(Benchmarked {
        measure: input.measure.clone(),
        unit: unit.to_owned(),
        own: own_mean,
        own_runs: own.map_or(0, Vec::len) as u64,
        field_mean: None,
        contributors: None,
        own_over_field_percent: own_mean.filter(|_| figure.value > 0.0).map(|own| 100.0 * own / figure.value),
        with_noise: Some(figure),
        budget: Some(cost),
        refused: None,
        rule: Rule::default().version,
        release: None,
    })
}

/// What must be known without the data, so that no part of the answer depends on them but the figure with its noise.
fn stated(field: &str) -> Error {
    Error::input(
        "E-COMMONS-070",
        format!("雑音付きの平均には「{field}」が要ります"),
        format!("a mean with noise needs \"{field}\""),
    )
    .at(Place::field(field))
    .hint(
        "データを見ずに決まる値を指定してください。例: --unit g/L --low 0 --high 200",
        "state what is known without the data, e.g. --unit g/L --low 0 --high 200",
    )
}

pub(super) fn known_measure(measure: &str, field: &str) -> Result<()> {
    let known: Vec<&str> = toji_culture::rates::CODES.into_iter().chain([FAILURE_RATE]).collect();
    if known.contains(&measure) {
        return Ok(());
    }
    Err(Error::input("E-COMMONS-033", format!("量「{measure}」はありません"), format!("there is no quantity \"{measure}\""))
        .at(Place::field(field))
        .hint(format!("次のいずれかです: {}", known.join(", ")), format!("it is one of {}", known.join(", "))))
}

async fn manifest(context: Context, input: ManifestInput) -> Result<Manifested> {
    for measure in &input.measures {
        known_measure(measure, "measures")?;
    }
    let key = super::agreement::key_from(&context, &input.key_file, toji_commons::log::KeyKind::Log)?;
    let document = Manifest {
        project: input.project,
        organisation: key.verifier().name().to_owned(),
        data_sets: input.data_sets.into_iter().collect(),
        measures: input.measures.into_iter().collect(),
        purpose: input.purpose.as_deref().map_or(Ok(Purpose::Research), purpose_of)?,
        at: context.now.to_string(),
    };
    let mut note = Note::new(format!("{MANIFEST}\n{}\n", toji_core::canonical::to_canonical(&document)?))?;
    note.add(key.sign(note.text())?);
    Ok(Manifested { digest: Digest::of(note.text().as_bytes()).to_string(), manifest: note.to_string() })
}

async fn compute(context: Context, input: ComputeInput) -> Result<Computed> {
    let standing = standing(&context).await?;
    let unreadable = || {
        Error::input("E-COMMONS-034", "署名された計算指示書ではありません", "not a signed manifest")
            .at(Place::field("manifest"))
            .hint(
                "`toji commons manifest` の出力をそのまま渡してください",
                "pass what `toji commons manifest` printed, unchanged",
            )
    };
    let note = Note::parse(&input.manifest)?;
    let json = note.text().strip_prefix(MANIFEST).and_then(|t| t.strip_prefix('\n')).ok_or_else(unreadable)?;
    let manifest: Manifest = serde_json::from_str(json).map_err(|_| unreadable())?;
    let organisation = super::write::id_in("organisation", &manifest.organisation)?;
    let key = standing.keys.get(&organisation).ok_or_else(unreadable)?;
    note.verified(std::slice::from_ref(key))?;
    let actor = actor(&context, &standing, &[Role::Scientist, Role::Steward, Role::AiService], Some(organisation.as_str()))?;
    let project = wanted(&context, "project", &manifest.project, "project").await?;
    if text(&project.fields, "state").as_deref() != Some("started") {
        return Err(out_of_order(
            "project",
            format!("プロジェクト「{}」は実施中ではありません", manifest.project),
            format!("project \"{}\" has not started", manifest.project),
            ["承認され実施中のプロジェクトだけが計算できます", "only a project that was approved and has started computes"],
        ));
    }
    let scope = Scope::of(&context, &standing, manifest.purpose);
    for set in &manifest.data_sets {
        let set = super::write::id_in("data_sets", set)?;
        if !context.access.sees_all() {
            let who = super::write::id_in("user", &actor.id)?;
            let request = toji_commons::decide::Request {
                who: &who,
                action: toji_commons::decide::Action::Compute,
                data_set: &set,
                purpose: manifest.purpose,
                now: context.now,
            };
            standing.commons.decide(&request).demand().map_err(|e| e.at(Place::field(set.as_str())))?;
        }
    }
    let digest = Digest::of(note.text().as_bytes()).to_string();
    let mut results = Vec::new();
    for measure in &manifest.measures {
        let wanted = Wanted { measure, unit: None, taxon: None, data_sets: Some(&manifest.data_sets) };
        let (by_member, unit) = gathered(&context, &scope, &standing, &wanted).await?;
        let cell = cell_of(&by_member, measure, &unit, "benchmark")?;
        let title = Text::new(format!("{measure} の平均（クリーンルーム）"), format!("mean of {measure} (clean room)"));
        let question = json!({ "manifest": digest, "measure": measure });
        let (judged, _) = released(&context, title, question, cell).await?;
        let (mean, contributors, refused) = match &judged {
            Ok(p) => (Some(p.total.value / p.contributors as f64), Some(p.contributors as u64), None),
            Err(refusal) => (None, None, Some(refused_view(refusal))),
        };
        results.push(ComputedResult { measure: measure.clone(), unit, mean, contributors, refused });
    }
    Ok(Computed { digest, project: manifest.project, results })
}
