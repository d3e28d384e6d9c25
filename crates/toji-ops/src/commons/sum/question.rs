//! What is asked: a document that members and both aggregators read alike. Every share and proof is bound to its hash, so
//! that nobody can be shown another one.

use super::message::not_too_soon;
use crate::commons::aggregate::{FAILURE_RATE, known_measure};
use crate::commons::privacy::{Paid, Payment, loss_of, paid, paying};
use crate::commons::seat::{actor, standing};
use crate::commons::standing::Standing;
use crate::commons::write::{id_in, with, write};
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::aggregate::{Encoding, Input, MEMBERS_MAX, Sum, TwoSum};
use toji_commons::agreement::{Agreement, Granted, Role};
use toji_commons::log::VerifierKey;
use toji_commons::privacy::{Charge, Fraction, Loss, Mechanism, NANO};
use toji_commons::release::Rule;
use toji_core::canonical::to_canonical;
use toji_core::record::FieldMap;
use toji_core::{Category, Digest, Error, Id, Instant, Place, Result, Text, Unit};
use toji_store::Put;

/// Steps from the middle of a range to its end, as a power of two: figures are 1.5·10⁻⁵ of half a range apart.
const BITS: u32 = 16;
/// Most classes of a distribution.
const CLASSES_MAX: u32 = 20;
/// Most runs of one member that may count: what leaves rounding of 50 members' counts below half a run.
const RUNS_MAX: u32 = 1_000;

/// Input of `commons sum`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskInput {
    /// Agreement whose members are asked.
    ///
    /// 会員に問う根拠の契約。
    agreement: String,
    /// A quantity of the analysis of a run, e.g. `titre-final`, or `failure-rate`.
    ///
    /// 量：培養の解析の量（例 `titre-final`）か `failure-rate`。
    measure: String,
    /// Organisation that is the second aggregator, beside the house. It must not collude with it, and reports nothing.
    ///
    /// 保存先の持ち主と並ぶ第二の集計者。両者は結託してはならず、報告はしない。
    second: String,
    /// What of it: how many runs, the mean, or how runs spread over classes.
    ///
    /// 求めるもの：培養の件数（runs）、平均（mean）、階級ごとの件数（classes）。
    of: Of,
    /// Unit of the quantity, UCUM; runs in other units are left out.
    ///
    /// 量の単位（UCUM）。ほかの単位の培養は除く。
    unit: String,
    /// For a mean or classes: least value there can be, in the unit, known without the data.
    ///
    /// 平均と階級：ありうる最小値（単位は量の単位）。データを見ずに決める。
    #[serde(default)]
    low: Option<f64>,
    /// Greatest value there can be.
    ///
    /// ありうる最大値。
    #[serde(default)]
    high: Option<f64>,
    /// How many classes of equal width, 2 to 20.
    ///
    /// 等幅の階級の数（2〜20）。
    #[serde(default = "usual_classes")]
    classes: u32,
    /// Most runs of one member that count.
    ///
    /// 一会員につき数える培養の上限。
    #[serde(default = "usual_of_member")]
    of_member_max: u32,
    /// Cost of the answer in ε, with Laplace noise of each aggregator.
    ///
    /// 回答の費用 ε（各集計者がラプラス雑音を加える）。
    #[serde(default)]
    epsilon: Option<f64>,
    /// Cost of the answer in ρ, with Gaussian noise of each aggregator.
    ///
    /// 回答の費用 ρ（各集計者がガウス雑音を加える）。
    #[serde(default)]
    rho: Option<f64>,
    /// Organisation that asks; one's own when missing.
    ///
    /// 問う組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

fn usual_classes() -> u32 {
    5
}

fn usual_of_member() -> u32 {
    100
}

/// What of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SumOf")]
pub(super) enum Of {
    /// How many runs state the quantity.
    ///
    /// 量のある培養の件数。
    Runs,
    /// The mean of the members' means.
    ///
    /// 会員ごとの平均の平均。
    Mean,
    /// How many runs lie in each class.
    ///
    /// 階級ごとの培養の件数。
    Classes,
}

/// Output of `commons sum`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Asked {
    /// The question.
    sum: String,
    /// In words.
    question: Text,
    /// Its document, for members and the second aggregator.
    document: String,
    /// Who may report.
    members: Vec<String>,
    /// How many must.
    contributors_min: u64,
    /// What noise cost the privacy budget, and what is left of it.
    budget: Option<Payment>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Identifier.
    pub(super) sum: Id,
    /// Agreement.
    pub(super) agreement: Id,
    /// The house.
    pub(super) first: Id,
    /// The second aggregator.
    pub(super) second: Id,
    /// Who may report.
    pub(super) members: BTreeSet<Id>,
    /// Public keys of all of them.
    pub(super) keys: BTreeMap<Id, String>,
    /// Quantity.
    pub(super) measure: String,
    /// Unit, UCUM.
    pub(super) unit: String,
    /// What of it.
    pub(super) of: Of,
    /// Least value.
    pub(super) low: f64,
    /// Greatest value.
    pub(super) high: f64,
    /// Classes.
    pub(super) classes: u32,
    /// Runs of a member that count.
    pub(super) of_member_max: u32,
    /// Fewest members.
    pub(super) fewest: usize,
    /// Noise that each aggregator adds to each figure, in steps.
    pub(super) noise: Option<Mechanism>,
    /// Who asks.
    pub(super) asked_by: Id,
    /// When.
    pub(super) asked_at: Instant,
}

impl Question {
    /// Reads a document.
    ///
    /// # Errors
    /// `E-COMMONS-095` it is none, or asks for what no aggregator may give.
    pub(super) fn parse(document: &str) -> Result<Self> {
        let unreadable = |ja: String, en: String| {
            Error::input(
                "E-COMMONS-095",
                format!("二者による和の問いの文書ではありません: {ja}"),
                format!("not the document of a sum by two: {en}"),
            )
            .at(Place::field("question"))
            .hint("`toji commons sum` の document をそのまま渡してください", "pass the document of `toji commons sum`, unchanged")
        };
        let read: Self = serde_json::from_str(document).map_err(|e| unreadable(e.to_string(), e.to_string()))?;
        match read.fault() {
            Some([ja, en]) => Err(unreadable(ja.into(), en.into())),
            None => Ok(read),
        }
    }

    /// What stands against it.
    fn fault(&self) -> Option<[&'static str; 2]> {
        let keyed = self.members.iter().chain([&self.first, &self.second]).all(|id| self.key(id, "question").is_ok());
        let apart = self.first != self.second && !self.members.contains(&self.first) && !self.members.contains(&self.second);
        let bounds = self.low.is_finite() && self.high.is_finite() && self.low < self.high && self.half() > 0.0;
        if !keyed || !apart || self.members.len() > MEMBERS_MAX {
            Some([
                "会員と集計者は別々で、公開鍵のある 50 者以下です",
                "members and aggregators are apart, at most 50, each with a key",
            ])
        } else if self.fewest < Rule::default().contributors_min {
            Some(["報告の最少数が規則より少なくなっています", "it asks for fewer reports than the rule does"])
        } else if !bounds {
            Some(["下限と上限が範囲になっていません", "low and high are no range"])
        } else if !(2..=CLASSES_MAX).contains(&self.classes) || !(1..=RUNS_MAX).contains(&self.of_member_max) {
            Some(["階級は 2〜20、培養の上限は 1〜1000 です", "classes are 2 to 20, runs that count 1 to 1000"])
        } else {
            None
        }
    }

    /// Hash of the document.
    pub(super) fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(to_canonical(self)?.as_bytes()))
    }

    /// What it is a sum of, whoever asks under whatever agreement.
    pub(super) fn asks(&self) -> Id {
        Id::derive("sum-of", &[&self.measure, self.of.code()])
    }

    /// The public key of a member or an aggregator.
    pub(super) fn key(&self, of: &Id, field: &str) -> Result<VerifierKey> {
        let key = self.keys.get(of).ok_or_else(|| {
            Error::not_found(
                "E-COMMONS-097",
                format!("「{of}」はこの問いの当事者ではありません"),
                format!("\"{of}\" has no part in this question"),
            )
            .at(Place::field(field))
            .hint("問いの文書の members を確かめてください", "see the members in the document of the question")
        })?;
        VerifierKey::parse(key)
    }

    /// The numbers that a member reports.
    pub(super) fn slots(&self) -> usize {
        if self.of == Of::Classes { self.classes as usize } else { 1 }
    }

    /// Range of each number.
    fn range(&self) -> (f64, f64) {
        if self.of == Of::Mean { (self.low, self.high) } else { (0.0, f64::from(self.of_member_max)) }
    }

    fn half(&self) -> f64 {
        let (low, high) = self.range();
        (high - low) / 2.0
    }

    fn middle(&self) -> f64 {
        let (low, high) = self.range();
        f64::midpoint(low, high)
    }

    fn encoding(&self) -> Encoding {
        Encoding::even(self.slots(), 1.0, BITS)
    }

    /// The engine of this very question.
    pub(super) fn engine(&self) -> Result<TwoSum> {
        TwoSum::new(&Id::derive("sum", &[&self.digest()?.to_string()]), self.encoding(), self.fewest)
    }

    /// A member's numbers as they are split: from the low end at −1 to the high end at 1.
    ///
    /// # Errors
    /// `E-COMMONS-096` one is out of range: it is refused, never cut.
    pub(super) fn input(&self, values: &[f64]) -> Result<Input> {
        let (low, high) = self.range();
        if let Some(beyond) = values.iter().find(|v| !(low..=high).contains(*v)) {
            return Err(self.beyond(*beyond, (low, high)));
        }
        let scaled: Vec<f64> = values.iter().map(|v| ((v - self.middle()) / self.half()).clamp(-1.0, 1.0)).collect();
        self.encoding().encode(&scaled)
    }

    /// A figure of one's own that is out of range.
    pub(super) fn beyond(&self, value: f64, (low, high): (f64, f64)) -> Error {
        Error::input(
            "E-COMMONS-096",
            format!("自社の値 {value} {} は問いの範囲 {low}〜{high} の外です", self.unit),
            format!("one's own figure of {value} {} is not within the {low} to {high} of the question", self.unit),
        )
        .at(Place::field("question"))
        .hint("範囲を改めて問い直すよう、問うた組織に頼んでください", "have it asked again with wider bounds")
    }

    /// Totals of the numbers of all.
    pub(super) fn totals(&self, sum: &Sum) -> Vec<f64> {
        let n = sum.included.len() as f64;
        sum.values.iter().map(|v| n * self.middle() + v * self.half()).collect()
    }

    /// Half of an interval that holds the noise of both aggregators on a total with at least 90 % chance: that of each is
    /// within its own margin with 95 %.
    pub(super) fn margin(&self) -> Option<f64> {
        self.noise.map(|noise| 2.0 * noise.margin_95() * self.encoding().step(0) * self.half())
    }

    /// Bounds of a class.
    pub(super) fn class(&self, at: usize) -> (f64, f64) {
        let width = (self.high - self.low) / f64::from(self.classes);
        (self.low + width * at as f64, self.low + width * (at + 1) as f64)
    }

    /// In which class a value lies; the last one holds its upper end.
    pub(super) fn class_of(&self, value: f64) -> Option<usize> {
        let within = (self.low..=self.high).contains(&value);
        within.then(|| (0..self.slots()).rev().find(|at| value >= self.class(*at).0).unwrap_or(0))
    }

    /// In words.
    pub(super) fn words(&self) -> Text {
        let (measure, unit, low, high, runs) = (&self.measure, &self.unit, self.low, self.high, self.of_member_max);
        let (ja, en) = match self.of {
            Of::Runs => (
                format!("{measure}（{unit}）のある培養の件数、一会員 {runs} 件まで"),
                format!("runs with {measure} in {unit}, at most {runs} of a member"),
            ),
            Of::Mean => (
                format!("{measure} の会員平均の平均、{low}〜{high} {unit}"),
                format!("mean of members' means of {measure}, within {low} to {high} {unit}"),
            ),
            Of::Classes => (
                format!("{measure} の分布、{low}〜{high} {unit} を {} 階級、一会員 {runs} 件まで", self.classes),
                format!("runs by {measure} in {} classes of {low} to {high} {unit}, at most {runs} of a member", self.classes),
            ),
        };
        let (with_ja, with_en) = match self.margin() {
            Some(margin) => (format!("（雑音付き、和に ±{margin:.4}）"), format!(", with noise of ±{margin:.4} on each total")),
            None => (String::new(), String::new()),
        };
        Text::new(format!("{ja}{with_ja}"), format!("{en}{with_en}"))
    }
}

impl Of {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Mean => "mean",
            Self::Classes => "classes",
        }
    }
}

/// Noise of each aggregator: one member moves every figure by its whole range at most.
fn noise(question: &Question, loss: Loss) -> Result<Mechanism> {
    let (slots, range, nano) = (question.slots() as u128, 2u128 << BITS, u128::from(NANO));
    Ok(match loss {
        Loss::Pure { epsilon } => {
            Mechanism::DiscreteLaplace { scale: Fraction::at_least(slots * range * nano, u128::from(epsilon.0))? }
        }
        Loss::Concentrated { rho } => {
            Mechanism::DiscreteGaussian { variance: Fraction::at_least(slots * range * range * nano, 2 * u128::from(rho.0))? }
        }
    })
}

pub(super) async fn ask(context: Context, input: AskInput) -> Result<Asked> {
    let standing = standing(&context).await?;
    known_measure(&input.measure, "measure")?;
    let roles = [Role::Steward, Role::Scientist, Role::AiService];
    let asker = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let agreement = paying(&context, &standing, &input.agreement, &asker.organisation)?.clone();
    if !agreement.terms.grants.contains(&Granted::Compute) {
        return Err(not_granted(&agreement.id));
    }
    let mut question = draft(&context, &standing, &input, &agreement, &asker.organisation)?;
    let loss = if input.epsilon.is_none() && input.rho.is_none() { None } else { Some(loss_of(input.epsilon, input.rho)?) };
    question.noise = loss.map(|loss| noise(&question, loss)).transpose()?;
    if let Some([ja, en]) = question.fault() {
        return Err(Error::input(
            "E-COMMONS-102",
            format!("この問いは立てられません: {ja}"),
            format!("this cannot be asked: {en}"),
        )
        .at(Place::field("measure"))
        .hint("例: --of mean --low 0 --high 100 --unit %", "example: --of mean --low 0 --high 100 --unit %"));
    }
    not_too_soon(&context, &question).await?;
    let budget = match (loss, question.noise) {
        (Some(loss), Some(mechanism)) => Some(charge(&context, &standing, &agreement, &question, (loss, mechanism)).await?),
        _ => None,
    };
    let document = to_canonical(&question)?;
    let words = question.words();
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(format!("{} / {}", words.ja, words.en))),
            ("agreement", json!(agreement.id.as_str())),
            ("document", json!(document)),
            ("asked_at", json!(context.now.to_string())),
            ("asked_by", json!(asker.organisation.as_str())),
        ],
    );
    let put = Put { if_version: Some(0), ..Put::new("sum-round", question.sum.clone(), fields) };
    write(&context, &asker, "commons sum", None, put).await?;
    Ok(Asked {
        sum: question.sum.to_string(),
        question: words,
        document,
        members: question.members.iter().map(ToString::to_string).collect(),
        contributors_min: question.fewest as u64,
        budget,
    })
}

fn draft(context: &Context, standing: &Standing, input: &AskInput, agreement: &Agreement, asker: &Id) -> Result<Question> {
    let second = id_in("second", &input.second)?;
    let first = standing.home.clone();
    let (mut keys, mut members) = (BTreeMap::new(), BTreeSet::new());
    for id in agreement.parties.iter().chain([&first, &second]) {
        let key = standing.keys.get(id).ok_or_else(|| {
            Error::new(
                Category::Conflict,
                "E-COMMONS-103",
                format!("「{id}」の公開鍵が登録されていません"),
                format!("no public key of \"{id}\" is registered"),
            )
            .at(Place::field("second"))
            .hint("`toji commons key` で登録してください", "register it with `toji commons key`")
        })?;
        keys.insert(id.clone(), key.to_string());
        if *id != first && *id != second {
            members.insert(id.clone());
        }
    }
    let failures = input.measure == FAILURE_RATE;
    let bound = |field: &str, given: Option<f64>, usual: f64| match given {
        Some(value) => Ok(value),
        None if input.of == Of::Runs || failures => Ok(usual),
        None => Err(Error::input("E-COMMONS-102", format!("「{field}」が要ります"), format!("\"{field}\" is needed"))
            .at(Place::field(field))
            .hint(
                "データを見ずに決まる範囲を指定してください。例: --low 0 --high 200",
                "state bounds that are known without the data, e.g. --low 0 --high 200",
            )),
    };
    let unit = Unit::parse(&input.unit).map_err(|e| e.at(Place::field("unit")))?.code().to_owned();
    let parts = [agreement.id.as_str(), &input.measure, input.of.code(), asker.as_str(), &context.now.to_string()];
    Ok(Question {
        sum: Id::derive("sum", &parts),
        agreement: agreement.id.clone(),
        first,
        second,
        members,
        keys,
        measure: input.measure.clone(),
        unit,
        of: input.of,
        low: bound("low", input.low, 0.0)?,
        high: bound("high", input.high, 100.0)?,
        classes: input.classes,
        of_member_max: input.of_member_max,
        fewest: Rule::default().contributors_min,
        noise: None,
        asked_by: asker.clone(),
        asked_at: context.now,
    })
}

fn not_granted(agreement: &Id) -> Error {
    Error::new(
        Category::Denied,
        "E-COMMONS-104",
        format!("契約「{agreement}」は計算（compute）を認めていません"),
        format!("agreement \"{agreement}\" does not grant computing"),
    )
    .at(Place::field("agreement"))
    .hint("許諾に compute のある契約を指定してください", "name an agreement that grants `compute`")
}

/// Charges the whole question before anybody reports: what it tells later is not known yet.
async fn charge(
    context: &Context,
    standing: &Standing,
    agreement: &Agreement,
    question: &Question,
    (loss, mechanism): (Loss, Mechanism),
) -> Result<Payment> {
    let pays = Paid { agreement, asked: &question.sum, again: true };
    let (_, cost) = paid(context, standing, &pays, &mut |budget, id| {
        budget.charge(Charge {
            id: id.clone(),
            question: question.words(),
            mechanisms: vec![mechanism; question.slots()],
            loss,
            member: question.asked_by.clone(),
            at: context.now,
        })?;
        Ok(Json::Null)
    })
    .await?;
    Ok(cost)
}
