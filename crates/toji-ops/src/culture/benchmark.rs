//! `culture benchmark`: a cell line against a goal of titre in time, against the time of a reference, and what its bank
//! still lacks for an application.

use super::inputs;
use crate::dataset::Whole;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Quantity, Result, Text, Unit, special};
use toji_culture::rates::{Line, Standing};

/// Fields of a cell bank that an application asks for name the clause in their help.
const CLAUSE: &str = "ICH ";

/// Input of `culture benchmark`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Runs of the cell line.
    ///
    /// 細胞株の培養。
    runs: Vec<String>,
    /// Runs of the reference whose time is compared.
    ///
    /// 時間を比べる対照の培養。
    #[serde(default)]
    reference: Vec<String>,
    /// Variable of the product.
    ///
    /// 生産物の変数。
    #[serde(default = "usual_product")]
    product: String,
    /// Titre to reach.
    ///
    /// 到達すべき力価。
    #[serde(default = "usual_titre")]
    titre: String,
    /// Time from inoculation in which to reach it.
    ///
    /// 接種からの期限。
    #[serde(default = "usual_within")]
    within: String,
    /// Share of the reference's time for the same titre that is allowed.
    ///
    /// 同じ力価に要する時間の、対照に対する許容割合。
    #[serde(default = "usual_share")]
    time_share: f64,
    /// Cell bank whose record is examined.
    ///
    /// 点検するセルバンク。
    #[serde(default)]
    cell_bank: Option<String>,
}

fn usual_product() -> String {
    "titre".into()
}
fn usual_titre() -> String {
    "10 g/L".into()
}
fn usual_within() -> String {
    "5 d".into()
}
fn usual_share() -> f64 {
    1.0 / 3.0
}

/// Was a goal reached?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Passed {
    /// In every run.
    Pass,
    /// Not in every run.
    Fail,
    /// The data do not tell.
    NotDetermined,
}

/// A run against the goal.
#[derive(Debug, Serialize, JsonSchema)]
struct Course {
    /// Run.
    run: String,
    /// Verdict on the titre.
    verdict: Passed,
    /// Highest measured titre in time, g/L.
    titre_g_per_l: Option<f64>,
    /// When that was measured, d after inoculation.
    measured_d: Option<f64>,
    /// When the goal was passed, d, between the samples before and after it; none: never.
    reached_d: Option<f64>,
    /// Why nothing is determined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text>,
}

/// Time for the goal against the reference.
#[derive(Debug, Serialize, JsonSchema)]
struct AgainstReference {
    /// Verdict.
    verdict: Passed,
    /// Titre whose times are compared, g/L: the goal, or what every run of both reached.
    titre_g_per_l: Option<f64>,
    /// Mean time of the cell line, d.
    line_d: Option<f64>,
    /// Mean time of the reference, d.
    reference_d: Option<f64>,
    /// Line by reference.
    ratio: Option<f64>,
    /// Lower end of the 95 % interval of the ratio (Fieller); none with fewer than two runs of either.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// Share that is allowed.
    allowed: f64,
    /// Why nothing is determined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text>,
}

/// What an application asks for and the record of the bank does not have.
#[derive(Debug, Serialize, JsonSchema)]
struct Missing {
    /// Field of the record.
    field: String,
    /// Item.
    item: Text,
    /// Clause.
    clause: String,
}

/// Output of `culture benchmark`.
#[derive(Debug, Serialize, JsonSchema)]
struct Benchmark {
    /// Verdict on the titre over all runs.
    verdict: Passed,
    /// Goal, g/L.
    goal_g_per_l: f64,
    /// Time for it, d.
    within_d: f64,
    /// Mean of the highest titres in time, g/L.
    mean_g_per_l: Option<f64>,
    /// Lower end of its 95 % interval (t), g/L; none with one run.
    low_g_per_l: Option<f64>,
    /// Upper end, g/L.
    high_g_per_l: Option<f64>,
    /// Run by run.
    runs: Vec<Course>,
    /// Against the reference; none without one.
    against_reference: Option<AgainstReference>,
    /// Cell bank that was examined.
    cell_bank: Option<String>,
    /// Items of the bank that are documented.
    documented: usize,
    /// Items that are not.
    missing: Vec<Missing>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture benchmark",
            label: ["細胞株の性能判定", "Benchmark a cell line"],
            about: [
                "細胞株の培養を、期限内の力価（既定は 5 日で 10 g/L）と、対照が同じ力価に要する時間の割合（既定は 3 分の 1）で判定します。測定がない期間は補わず、判定できないと答えます。セルバンクの記録に欠けている申請資料の項目も、条項とともに挙げます。",
                "Judges runs of a cell line by the titre in time (10 g/L in 5 days unless said otherwise) and by the share of the time that a reference needs for the same titre (a third). Where nothing was measured nothing is made up: the answer is not determined. Items of an application that the record of the cell bank lacks are listed with their clauses.",
            ],
            positional: &["runs…"],
            example: "toji culture benchmark run-0a1b2c run-3d4e5f --reference run-9a8b7c --cell-bank bank-1",
        },
        Effect::Read,
        benchmark,
    )
}

/// Titre over time: days after inoculation and g/L.
struct Titres {
    run: String,
    points: Vec<(f64, f64)>,
    /// Last time of anything measured, d.
    until: f64,
}

impl Titres {
    fn of(whole: &Whole, product: &str) -> Self {
        let begins = inputs::inoculated_s(whole).unwrap_or(0.0);
        let line: Option<Line> = inputs::measured(whole, product, "g/L");
        let good = |p: &&toji_culture::rates::Point| p.standing == Standing::Good && p.value.is_finite() && p.t_s >= begins;
        let mut points: Vec<(f64, f64)> =
            line.iter().flat_map(|l| &l.points).filter(good).map(|p| ((p.t_s - begins) / 86_400.0, p.value)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { run: whole.run.id.to_string(), until: points.last().map_or(0.0, |p| p.0), points }
    }

    fn highest_by(&self, days: f64) -> Option<(f64, f64)> {
        let within = self.points.iter().filter(|p| p.0 <= days + 1e-9);
        within.copied().reduce(|best, p| if p.1 > best.1 { p } else { best })
    }

    /// When a titre is passed for the first time, between the samples about it.
    fn reached(&self, titre: f64) -> Option<f64> {
        let after = self.points.iter().position(|p| p.1 >= titre)?;
        let (t1, c1) = self.points[after];
        let Some((t0, c0)) = after.checked_sub(1).map(|i| self.points[i]) else { return Some(t1) };
        Some(t0 + (titre - c0) / (c1 - c0) * (t1 - t0))
    }

    fn course(&self, goal: f64, within: f64) -> Course {
        let best = self.highest_by(within);
        let reached = self.reached(goal);
        let (verdict, reason) = match best {
            None => (
                Passed::NotDetermined,
                Some(Text::new(
                    format!("{within} 日までに力価の測定がありません"),
                    format!("no titre was measured by day {within}"),
                )),
            ),
            Some((_, titre)) if titre >= goal => (Passed::Pass, None),
            Some(_) if self.until < within - 1e-9 => (
                Passed::NotDetermined,
                Some(Text::new(
                    format!("最後の測定は {:.2} 日で、期限より前です", self.until),
                    format!("the last measurement is of day {:.2}, before the time is over", self.until),
                )),
            ),
            Some(_) => (Passed::Fail, None),
        };
        Course {
            run: self.run.clone(),
            verdict,
            titre_g_per_l: best.map(|b| b.1),
            measured_d: best.map(|b| b.0),
            reached_d: reached,
            reason,
        }
    }
}

fn in_unit(text: &str, unit: &str, field: &str) -> Result<f64> {
    let number = |text: &str| -> Result<f64> {
        let (number, code) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), unit));
        let value: f64 = number.parse().map_err(|_| {
            Error::input(
                "E-BENCH-001",
                format!("«{text}» は数と単位ではありません"),
                format!("«{text}» is no number with a unit"),
            )
        })?;
        let given = Quantity { value, unit: Unit::parse(code.trim())? };
        given.unit.convert(given.value, &Unit::parse(unit)?)
    };
    let value =
        number(text).map_err(|e| e.at(Place::field(field)).hint(format!("例: 10 {unit}"), format!("example: 10 {unit}")))?;
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::input("E-BENCH-001", "正の値にしてください", "give a positive value").at(Place::field(field)))
}

async fn titres(context: &Context, runs: &[String], field: &str, product: &str) -> Result<Vec<Titres>> {
    let mut out = Vec::new();
    for run in runs {
        let whole = Whole::load(context, run).await.map_err(|e| e.at(Place::field(field)))?;
        out.push(Titres::of(&whole, product));
    }
    Ok(out)
}

async fn benchmark(context: Context, input: Input) -> Result<Benchmark> {
    if input.runs.is_empty() {
        return Err(
            Error::input("E-BENCH-002", "培養を一つ以上指定してください", "give at least one run").at(Place::field("runs"))
        );
    }
    let goal = in_unit(&input.titre, "g/L", "titre")?;
    let within = in_unit(&input.within, "d", "within")?;
    let line = titres(&context, &input.runs, "runs", &input.product).await?;
    let reference = titres(&context, &input.reference, "reference", &input.product).await?;
    let runs: Vec<Course> = line.iter().map(|t| t.course(goal, within)).collect();
    let verdict = if runs.iter().any(|r| r.verdict == Passed::Fail) {
        Passed::Fail
    } else if runs.iter().all(|r| r.verdict == Passed::Pass) {
        Passed::Pass
    } else {
        Passed::NotDetermined
    };
    let highest: Vec<f64> = runs.iter().filter_map(|r| r.titre_g_per_l).collect();
    let interval = mean_and_error(&highest).map(|(mean, error, n)| {
        let half = (n > 1.0).then(|| error * special::t_quantile_975(n - 1.0));
        (mean, half)
    });
    let (documented, missing) = match &input.cell_bank {
        Some(bank) => lacking(&context, bank).await?,
        None => (0, Vec::new()),
    };
    Ok(Benchmark {
        verdict,
        goal_g_per_l: goal,
        within_d: within,
        mean_g_per_l: interval.map(|i| i.0),
        low_g_per_l: interval.and_then(|(mean, half)| Some(mean - half?)),
        high_g_per_l: interval.and_then(|(mean, half)| Some(mean + half?)),
        against_reference: (!reference.is_empty()).then(|| against(&line, &reference, goal, input.time_share)),
        runs,
        cell_bank: input.cell_bank,
        documented,
        missing,
    })
}

/// Mean, its standard error, and how many.
fn mean_and_error(values: &[f64]) -> Option<(f64, f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { f64::NAN };
    Some((mean, error, n))
}

/// Times for the same titre: the goal where all reach it, or else what all reached.
fn against(line: &[Titres], reference: &[Titres], goal: f64, allowed: f64) -> AgainstReference {
    let common = line
        .iter()
        .chain(reference)
        .map(|t| t.highest_by(f64::INFINITY).map_or(f64::NAN, |p| p.1))
        .fold(goal, |least, c| if c.is_nan() || least.is_nan() { f64::NAN } else { least.min(c) });
    let times = |of: &[Titres]| mean_and_error(&of.iter().filter_map(|t| t.reached(common)).collect::<Vec<_>>());
    let (ours, theirs) = (times(line), times(reference));
    let known = (common > 0.0).then_some(ours.zip(theirs)).flatten().filter(|(_, theirs)| theirs.0 > 0.0);
    let Some((ours, theirs)) = known else {
        return AgainstReference {
            verdict: Passed::NotDetermined,
            titre_g_per_l: None,
            line_d: None,
            reference_d: None,
            ratio: None,
            low: None,
            high: None,
            allowed,
            reason: Some(Text::new(
                "双方のすべての培養に力価の測定がないため、同じ力価の時間を比べられません",
                "times for one titre cannot be compared: a run of either has no titre",
            )),
        };
    };
    let ratio = ours.0 / theirs.0;
    let ends = fieller(ours, theirs);
    // With an interval it decides; without one, the means alone.
    let verdict = match ends {
        Some((_, high)) if high <= allowed => Passed::Pass,
        Some((low, _)) if low > allowed => Passed::Fail,
        Some(_) => Passed::NotDetermined,
        None if ratio <= allowed => Passed::Pass,
        None => Passed::Fail,
    };
    let reason = (verdict == Passed::NotDetermined).then(|| {
        Text::new(
            "区間が許容割合をまたいでいます。培養を増やしてください",
            "the interval spans what is allowed: more runs would tell",
        )
    });
    AgainstReference {
        verdict,
        titre_g_per_l: Some(common),
        line_d: Some(ours.0),
        reference_d: Some(theirs.0),
        ratio: Some(ratio),
        low: ends.map(|e| e.0),
        high: ends.map(|e| e.1),
        allowed,
        reason,
    }
}

/// Fieller's 95 % interval of the ratio of two independent means, with the degrees of freedom of Welch; none where a
/// side has one run or the interval is not bounded.
fn fieller((a, sa, na): (f64, f64, f64), (b, sb, nb): (f64, f64, f64)) -> Option<(f64, f64)> {
    if na < 2.0 || nb < 2.0 {
        return None;
    }
    let (va, vb) = (sa * sa, sb * sb);
    if va + vb == 0.0 {
        return Some((a / b, a / b));
    }
    let freedom = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    let t = special::t_quantile_975(freedom);
    let g = t * t * vb / (b * b);
    if g >= 1.0 {
        return None;
    }
    let root = t / b * (va * (1.0 - g) + a * a / (b * b) * vb).max(0.0).sqrt();
    Some(((a / b - root) / (1.0 - g), (a / b + root) / (1.0 - g)))
}

/// How many items of a bank are documented, and which are not.
async fn lacking(context: &Context, bank: &str) -> Result<(usize, Vec<Missing>)> {
    let store = &context.session.store;
    let record = store.record(&context.access, "cell-bank", bank, None).await.map_err(|e| e.at(Place::field("cell_bank")))?;
    let kind = store.kinds().get("cell-bank")?;
    let asked: BTreeMap<&str, (&Text, &str)> = kind
        .fields
        .iter()
        .filter_map(|f| Some((f.name.as_str(), (&f.label, f.help.as_ref()?.en.as_str()))))
        .filter(|(_, (_, help))| help.starts_with(CLAUSE))
        .collect();
    let missing: Vec<Missing> = asked
        .iter()
        .filter(|(name, _)| text(&record.fields, name).is_none_or(|t| t.trim().is_empty()))
        .map(|(name, (item, clause))| Missing { field: (*name).into(), item: (*item).clone(), clause: (*clause).into() })
        .collect();
    Ok((asked.len() - missing.len(), missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titres(points: &[(f64, f64)]) -> Titres {
        Titres { run: "r".into(), points: points.to_vec(), until: points.last().unwrap().0 }
    }

    #[test]
    fn a_titre_is_reached_between_samples_and_judged_by_samples() {
        let it = titres(&[(0.0, 0.1), (4.0, 8.0), (5.0, 10.0), (6.0, 11.0)]);
        assert_eq!(it.course(10.0, 5.0).verdict, Passed::Pass);
        assert_eq!(it.reached(9.0), Some(4.5));
        let late = it.course(10.5, 5.0);
        assert_eq!((late.verdict, late.reached_d), (Passed::Fail, Some(5.5)));
        assert_eq!(titres(&[(0.0, 0.1), (4.0, 8.0)]).course(10.0, 5.0).verdict, Passed::NotDetermined);
    }

    /// Two means of 4 ± 0.2 and 12 ± 0.5 (standard errors) of three runs each: both ends r solve Fieller's equation
    /// (a − r b)² = t² (va + r² vb).
    #[test]
    fn the_interval_of_a_ratio_solves_fiellers_equation() {
        let (a, b) = ((4.0, 0.2, 3.0), (12.0, 0.5, 3.0));
        let (low, high) = fieller(a, b).unwrap();
        let (va, vb): (f64, f64) = (0.04, 0.25);
        let t = special::t_quantile_975((va + vb).powi(2) / (va * va / 2.0 + vb * vb / 2.0));
        for end in [low, high] {
            let left = (4.0 - end * 12.0).powi(2);
            let right = t * t * (va + end * end * vb);
            assert!((left - right).abs() < 1e-9, "{end}: {left} {right}");
        }
        assert!(low < 1.0 / 3.0 && high > 1.0 / 3.0);
    }
}
