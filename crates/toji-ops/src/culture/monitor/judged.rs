//! A run beside what was learnt: T² and SPE over time, where it departs and through what, and its alarms.

use super::alarm::Beside;
use super::gather::{Course, Lacking, Watched};
use super::learnt::Learnt;
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Result, Text, Unit};
use toji_culture::monitor::{self, Alike, Breadth, Departure, Finding, Length, Missing, Moment, Monitor, OnAxis, Shares};

/// Does the run still run?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RunPhase {
    /// It is still running: what is not there is still to come.
    Running,
    /// It has ended.
    Ended,
}

/// Verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Conformity {
    /// No alarm.
    Normal,
    /// An alarm or more.
    Departs,
}

/// What raised an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum By {
    /// T² or SPE beyond the limit of whole runs.
    Model,
    /// A variable outside the golden band.
    GoldenBand,
    /// A reading outside the band of a stored forecast.
    Forecast,
}

/// An alarm.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct MonitorAlarm {
    /// What raised it.
    pub(super) raised_by: By,
    /// First time, h since the beginning of the culture.
    pub(super) time_h: Option<f64>,
    /// Variable that is most behind it.
    pub(super) variable: Option<String>,
    /// Probability that a normal run raises no such alarm.
    pub(super) promised: Option<f64>,
    /// Why, in words.
    pub(super) evidence: Text,
}

/// Statistics over the points.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Over {
    /// Points reached.
    reached: usize,
    /// Of so many.
    points: usize,
    /// Time of the run at each point, h.
    time_h: Vec<Option<f64>>,
    /// T²: how far inside the pattern of the references.
    t2: Vec<f64>,
    /// What a whole normal run stays below.
    t2_limit: Vec<f64>,
    /// SPE: how far from the pattern.
    spe: Vec<Option<f64>>,
    /// What a whole normal run stays below.
    spe_limit: Vec<f64>,
    /// Point, from 0, and time of the first crossing.
    first: Option<At>,
}

/// A point of the axis.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) struct At {
    /// Point, from 0.
    point: usize,
    /// Time of the run, h.
    time_h: Option<f64>,
}

/// The whole batch as one observation, for runs that have gone the whole way.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct WholeRun {
    /// T².
    t2: f64,
    /// Limit of a new run at the confidence asked for.
    t2_limit: Option<f64>,
    /// SPE.
    spe: f64,
    /// Limit of a new run at the confidence asked for.
    spe_limit: Option<f64>,
}

/// A variable behind a departure.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Behind {
    /// Variable.
    #[serde(flatten)]
    variable: Watched,
    /// Share of the departure, 0 to 1.
    share: f64,
    /// Time at which it departs most, h.
    time_h: Option<f64>,
    /// Value there.
    value: f64,
    /// Mean of the references there.
    usual: f64,
    /// Difference in standard deviations of the references.
    deviation: f64,
}

/// What kind of departure it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct DepartureClass {
    /// Kind.
    departure: Departure,
    /// One variable or several.
    breadth: Option<Breadth>,
    /// Passing or lasting.
    persistence: Option<Length>,
    /// Points beyond.
    points_beyond: usize,
    /// In words.
    statement: Text,
    /// Variables behind it, largest share first.
    evidence: Vec<Behind>,
    /// Known departures, most alike first.
    alike: Vec<Alike>,
}

/// What a variable puts into T² and SPE.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Contribution {
    /// Variable.
    variable: String,
    /// Label.
    label: Text,
    /// Part of T²; the parts add up to it, and some may be negative.
    t2: f64,
    /// Part of SPE, with the sign of the deviation; the sizes add up to it.
    spe: f64,
}

/// Which point is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Explained {
    /// The first crossing.
    First,
    /// The point farthest beyond.
    Farthest,
    /// The latest point.
    Latest,
}

/// Contributions at a point, over all that was seen up to it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Contributions {
    /// Which point it is.
    which: Explained,
    /// Point and time.
    #[serde(flatten)]
    at: At,
    /// Variable by variable, largest first.
    contributions: Vec<Contribution>,
}

/// Contributions of a variable over time, by the scores at the latest point explained.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct OverTime {
    /// Variable.
    variable: String,
    /// Parts of T² by point.
    t2: Vec<f64>,
    /// Squared errors by point, with the sign of the deviation.
    spe: Vec<f64>,
}

/// A variable on the axis.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Values {
    /// Variable.
    #[serde(flatten)]
    variable: Watched,
    /// Value at each point.
    value: Vec<Option<f64>>,
}

/// A stretch outside the golden band.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Left {
    /// Variable.
    variable: String,
    /// Label.
    label: Text,
    /// Above the band, or below it?
    above: bool,
    /// First point.
    first_point: usize,
    /// Last point.
    last_point: usize,
    /// First time, h.
    time_h: Option<f64>,
    /// Value farthest out.
    value: f64,
    /// Edge of the band there.
    edge: f64,
    /// Unit, UCUM.
    unit: Option<String>,
}

/// A run that was judged.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Judged {
    /// Run.
    pub(super) run: String,
    /// Title.
    pub(super) title: String,
    /// Does it still run?
    pub(super) state: RunPhase,
    /// Verdict.
    pub(super) conformity: Conformity,
    /// Alarms, earliest first.
    pub(super) alarms: Vec<MonitorAlarm>,
    /// T² and SPE over time.
    course: Over,
    /// The whole run; null while it runs.
    whole: Option<WholeRun>,
    /// What kind of departure.
    class: DepartureClass,
    /// What is behind it, by variable.
    contributions: Vec<Contributions>,
    /// The same over time.
    over_time: Vec<OverTime>,
    /// Stretches outside the golden band.
    left: Vec<Left>,
    /// Values on the axis.
    values: Vec<Values>,
    /// Variables that never changed in the references and are different here.
    moved: Vec<String>,
    /// Variables that the run does not have.
    lacking: Vec<Lacking>,
    /// A stored forecast that names it.
    pub(super) forecast: Option<Beside>,
    /// Event of the run under which the alarm is kept.
    pub(super) event: Option<String>,
}

/// Judges a run.
///
/// # Errors
/// A run that has no place on the axis.
pub(super) fn judge(learnt: &Learnt, course: &Course, forecast: Option<Beside>) -> Result<(Judged, Vec<f64>)> {
    let aligned = learnt.alignment.lay(&[course])?;
    let Some(batch) = aligned.batches.first() else {
        return Err(toji_core::Error::bug("E-MONITOR-038", "a run without a place"));
    };
    let variables = learnt.alignment.watched();
    let found = learnt.monitor.check(batch, &learnt.limits, &learnt.known)?;
    let (moments, finding) = (&found.moments, &found.finding);
    let class = class(finding, &variables);
    let left = left(learnt, batch, &variables);
    let mut alarms = Vec::new();
    if let Some(first) = finding.first {
        alarms.push(MonitorAlarm {
            raised_by: By::Model,
            time_h: batch.times.get(first).copied().flatten(),
            variable: class.evidence.first().map(|b| b.variable.variable.clone()),
            promised: Some(found.run_confidence),
            evidence: class.statement.clone(),
        });
    }
    if let Some(out) = left.first() {
        alarms.push(MonitorAlarm {
            raised_by: By::GoldenBand,
            time_h: out.time_h,
            variable: Some(out.variable.clone()),
            promised: Some(learnt.band.coverage),
            evidence: left_words(out),
        });
    }
    for of in forecast.iter().flat_map(|f| &f.quantities).filter(|q| q.alarm) {
        alarms.push(MonitorAlarm {
            raised_by: By::Forecast,
            time_h: of.first.as_ref().map(|o| o.time_h),
            variable: Some(of.variable.clone()),
            promised: of.coverage_expected.or(Some(of.level)),
            evidence: forecast_words(of),
        });
    }
    alarms.sort_by(|a, b| a.time_h.unwrap_or(f64::INFINITY).total_cmp(&b.time_h.unwrap_or(f64::INFINITY)));
    let (contributions, over_time) = explained(&learnt.monitor, batch, moments, finding, learnt.limits.run_factor, &variables)?;
    let judged = Judged {
        run: course.run.clone(),
        title: course.title.clone(),
        state: if course.ended { RunPhase::Ended } else { RunPhase::Running },
        conformity: if alarms.is_empty() { Conformity::Normal } else { Conformity::Departs },
        alarms,
        course: over(batch, moments, learnt.limits.run_factor, finding),
        whole: whole(learnt, batch, course.ended)?,
        class,
        contributions,
        over_time,
        left,
        values: values(batch, &variables),
        moved: found.moved.clone(),
        lacking: course.lacking.clone(),
        forecast,
        event: None,
    };
    Ok((judged, finding.signature.clone()))
}

fn over(batch: &OnAxis, moments: &[Moment], factor: f64, finding: &Finding) -> Over {
    Over {
        reached: batch.reached,
        points: batch.values.rows(),
        time_h: moments.iter().map(|m| m.time).collect(),
        t2: moments.iter().map(|m| m.t2).collect(),
        t2_limit: moments.iter().map(|m| factor * m.t2_limit).collect(),
        spe: moments.iter().map(|m| m.spe).collect(),
        spe_limit: moments.iter().map(|m| factor * m.spe_limit).collect(),
        first: finding.first.map(|point| at(batch, point)),
    }
}

fn at(batch: &OnAxis, point: usize) -> At {
    At { point, time_h: batch.times.get(point).copied().flatten() }
}

fn whole(learnt: &Learnt, batch: &OnAxis, ended: bool) -> Result<Option<WholeRun>> {
    if !ended || batch.reached < batch.values.rows() {
        return Ok(None);
    }
    let (rows, cols) = (batch.values.rows(), batch.values.cols());
    let row: Vec<Option<f64>> = (0..rows * cols).map(|c| batch.values.get(c / cols, c % cols)).collect();
    let found = learnt.monitor.pca.latent.check(&row, Missing::Regression)?;
    Ok(Some(WholeRun {
        t2: found.t2,
        t2_limit: learnt.whole.t2_new,
        spe: found.spe,
        spe_limit: learnt.whole.spe_new.map(|l| l.limit),
    }))
}

fn class(finding: &Finding, variables: &[Watched]) -> DepartureClass {
    let evidence: Vec<Behind> = finding
        .evidence
        .iter()
        .filter_map(|e: &monitor::Evidence| {
            Some(Behind {
                variable: variables.iter().find(|v| v.variable == e.variable)?.clone(),
                share: e.share,
                time_h: e.time,
                value: e.value,
                usual: e.usual,
                deviation: e.deviation,
            })
        })
        .collect();
    DepartureClass {
        departure: finding.departure,
        breadth: finding.breadth,
        persistence: finding.length,
        points_beyond: finding.beyond,
        statement: words(finding, &evidence),
        evidence,
        alike: finding.alike.clone(),
    }
}

/// A number for people: three digits that count.
fn brief(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    match usize::try_from(digits) {
        Ok(digits) if digits <= 9 => format!("{value:.digits$}"),
        Ok(_) => format!("{value:.2e}"),
        Err(_) => format!("{value:.0}"),
    }
}

fn spelt(unit: Option<&str>) -> String {
    let label = unit.map(|code| Unit::parse(code).map_or_else(|_| code.to_owned(), |u| u.label()));
    label.filter(|l| !l.is_empty() && l != "1").map_or_else(String::new, |l| format!(" {l}"))
}

fn words(finding: &Finding, evidence: &[Behind]) -> Text {
    let (ja, en) = match finding.departure {
        Departure::Inside => {
            return Text::new(
                "全経過で限界内。良好な培養と同じ振る舞い",
                "inside the limits all the way: it runs as good runs ran",
            );
        }
        Departure::Farther => {
            ("変数の連動は普段どおりで、離れ方だけが大きい（T²）", "variables move together as always, but farther (T²)")
        }
        Departure::NewPattern => {
            ("変数の連動が良好な培養と異なる（SPE）", "variables do not move together as in good runs (SPE)")
        }
        Departure::FartherAndNew => (
            "離れ方が大きく、変数の連動も良好な培養と異なる（T² と SPE）",
            "farther than good runs, and variables do not move together as in them (T² and SPE)",
        ),
    };
    let first = evidence.first().map(|b| {
        let (unit, percent) = (spelt(b.variable.unit.as_deref()), (100.0 * b.share).round());
        let (label, value, usual) = (&b.variable.label, brief(b.value), brief(b.usual));
        let time = b.time_h.map(|t| format!("{t:.1} h")).unwrap_or_default();
        (
            format!("。主因は{}（{percent} %）：{time} で {value}{unit}、普段は {usual}{unit}", label.ja),
            format!("; most of it is {} ({percent} %): {value}{unit} at {time}, usually {usual}{unit}", label.en),
        )
    });
    let breadth = match finding.breadth {
        Some(Breadth::Alone) => (
            "。一変数だけなので、そのセンサーと制御系をまず確認",
            "; one variable alone, so look at its sensor and its loop first",
        ),
        Some(Breadth::Together) => (
            "。複数の変数に及ぶので、培養そのものと流加・供給をまず確認",
            "; several variables, so look at the culture and what feeds it first",
        ),
        None => ("", ""),
    };
    let length = match finding.length {
        Some(Length::Passing) => ("。一過性", "; passing"),
        Some(Length::Lasting) => ("。持続", "; lasting"),
        None => ("", ""),
    };
    let (first_ja, first_en) = first.unwrap_or_default();
    Text::new(format!("{ja}{first_ja}{}{}", breadth.0, length.0), format!("{en}{first_en}{}{}", breadth.1, length.1))
}

fn left(learnt: &Learnt, batch: &OnAxis, variables: &[Watched]) -> Vec<Left> {
    let found = learnt.band.check(batch);
    let of = |name: &str| variables.iter().find(|v| v.variable == name);
    found
        .into_iter()
        .map(|e| Left {
            label: of(&e.variable).map_or_else(|| Text::same(&e.variable), |v| v.label.clone()),
            unit: of(&e.variable).and_then(|v| v.unit.clone()),
            variable: e.variable,
            above: e.above,
            first_point: e.first,
            last_point: e.last,
            time_h: e.time,
            value: e.value,
            edge: e.edge,
        })
        .collect()
}

fn left_words(out: &Left) -> Text {
    let unit = spelt(out.unit.as_deref());
    let (value, edge) = (brief(out.value), brief(out.edge));
    let (ja, en) = if out.above { ("上限", "above") } else { ("下限", "below") };
    let verb = if out.above { "上回る" } else { "下回る" };
    Text::new(
        format!("{}がゴールデンバンドの{ja}を{verb}（{value}{unit}、{ja} {edge}{unit}）", out.label.ja),
        format!("{} is {en} the golden band ({value}{unit}; its edge is {edge}{unit})", out.label.en),
    )
}

fn forecast_words(of: &super::alarm::ForetoldQuantity) -> Text {
    let (percent, n, all) = ((100.0 * of.level).round(), of.outside, of.readings_within);
    let runs = of.runs;
    Text::new(
        format!("{}が予測の {percent} % 同時帯の外（{all} 点中 {n} 点）。帯は {runs} 回の培養を一つずつ除いて較正", of.label.ja),
        format!(
            "{} is outside the simultaneous {percent} % band of its forecast ({n} of {all} readings); {runs} runs left out vouch for the band",
            of.label.en
        ),
    )
}

fn values(batch: &OnAxis, variables: &[Watched]) -> Vec<Values> {
    let column = |var: usize| (0..batch.values.rows()).map(|point| batch.values.get(point, var)).collect();
    variables.iter().enumerate().map(|(var, of)| Values { variable: of.clone(), value: column(var) }).collect()
}

fn explained(
    monitor: &Monitor,
    batch: &OnAxis,
    moments: &[Moment],
    finding: &Finding,
    factor: f64,
    variables: &[Watched],
) -> Result<(Vec<Contributions>, Vec<OverTime>)> {
    let excess = |m: &Moment| {
        let over = |value: f64, limit: f64| if limit > 0.0 { value / (factor * limit) } else { 0.0 };
        over(m.t2, m.t2_limit).max(m.spe.map_or(0.0, |spe| over(spe, m.spe_limit)))
    };
    let mut asked = Vec::new();
    if let Some(first) = finding.first {
        asked.push((Explained::First, first));
        // The earliest of equals.
        let farthest = moments.iter().fold((0.0, first), |(most, at), m| {
            let e = excess(m);
            if e > most { (e, m.point) } else { (most, at) }
        });
        asked.push((Explained::Farthest, farthest.1));
    } else if let Some(last) = moments.last() {
        asked.push((Explained::Latest, last.point));
    }
    let (mut out, mut over_time) = (Vec::new(), Vec::new());
    for (which, point) in asked {
        let shares = monitor.shares(batch, point)?;
        let t2 = Shares::by_variable(&shares.t2);
        let spe = shares.spe.get(point);
        let mut contributions: Vec<Contribution> = variables
            .iter()
            .enumerate()
            .map(|(var, of)| Contribution {
                variable: of.variable.clone(),
                label: of.label.clone(),
                t2: t2.get(var).copied().unwrap_or_default(),
                spe: spe.and_then(|row| row.get(var)).copied().unwrap_or_default(),
            })
            .collect();
        // By what is beyond: SPE where it is, else T².
        let by_spe = moments.get(point).is_some_and(|m| m.spe.is_some_and(|spe| spe > factor * m.spe_limit));
        let size = |c: &Contribution| if by_spe { c.spe.abs() } else { c.t2 };
        contributions.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.variable.cmp(&b.variable)));
        out.push(Contributions { which, at: at(batch, point), contributions });
        let of = |table: &[Vec<f64>], var: usize| table.iter().map(|row| row.get(var).copied().unwrap_or_default()).collect();
        over_time = variables
            .iter()
            .enumerate()
            .map(|(var, v)| OverTime { variable: v.variable.clone(), t2: of(&shares.t2, var), spe: of(&shares.spe, var) })
            .collect();
    }
    Ok((out, over_time))
}
