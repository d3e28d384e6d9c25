//! What reference runs teach: the model of the engine, its limits and the golden band, with what they promise.

use super::axis::Alignment;
use super::gather::{Course, Watched};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};
use toji_culture::monitor::{Band, Components, CourseLimits, Known, Limits, Monitor, Scaling, Watch};

/// Most cells of the table of references: rows of runs times points times variables.
const CELLS_MAX: usize = 2_000_000;

/// How a model is made of its references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Components; as many as predict, where none are said.
    pub(super) components: Option<usize>,
    /// Share of normal runs without an alarm by T² or SPE.
    pub(super) confidence: f64,
    /// Share of normal runs that stay in the golden band.
    pub(super) coverage: f64,
}

/// A reference run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct ReferenceRun {
    /// Run.
    pub(super) run: String,
    /// Title.
    pub(super) title: String,
    /// SHA-256 of the readings learnt from.
    pub(super) sha256: String,
}

/// What was learnt, ready to judge.
pub(super) struct Learnt {
    pub(super) references: Vec<ReferenceRun>,
    pub(super) alignment: Alignment,
    pub(super) settings: Settings,
    pub(super) monitor: Monitor,
    pub(super) limits: CourseLimits,
    pub(super) whole: Limits,
    pub(super) band: Band,
    /// Mean time of the references at each point, h.
    pub(super) time_h: Vec<Option<f64>>,
    pub(super) known: Vec<Known>,
}

impl Learnt {
    /// Learns from runs, in their order.
    ///
    /// # Errors
    /// What the engine refuses.
    pub(super) fn of(courses: &[Course], alignment: Alignment, settings: Settings) -> Result<Self> {
        let cells = courses.len() * alignment.axis.points() * alignment.watched().len();
        if cells > CELLS_MAX {
            return Err(Error::new(
                toji_core::Category::Limit,
                "E-MONITOR-039",
                format!("基準の表が大きすぎます（{cells} セル、上限 {CELLS_MAX}）"),
                format!("the table of references is too large ({cells} cells; at most {CELLS_MAX})"),
            )
            .at(Place::field("points"))
            .hint("点・変数・基準の培養のいずれかを減らしてください", "take fewer points, variables or reference runs"));
        }
        let aligned = alignment.lay(&courses.iter().collect::<Vec<_>>())?;
        let watch = Watch {
            components: settings.components.map_or(Watch::default().components, Components::Fixed),
            scaling: Scaling::Course { variables: aligned.variables.len() },
            ..Watch::default()
        };
        let monitor = Monitor::fit(&aligned, &watch)?;
        let (limits, whole) = (monitor.limits(settings.confidence)?, monitor.pca.latent.limits(settings.confidence)?);
        let band = Band::of(&aligned, settings.coverage)?;
        let mean = |point: usize| {
            let seen: Vec<f64> = aligned.batches.iter().filter_map(|b| b.times.get(point).copied().flatten()).collect();
            (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
        };
        let references = courses
            .iter()
            .map(|c| ReferenceRun { run: c.run.clone(), title: c.title.clone(), sha256: c.sha256.clone() })
            .collect();
        let time_h = (0..aligned.points).map(mean).collect();
        Ok(Self { references, alignment, settings, monitor, limits, whole, band, time_h, known: Vec::new() })
    }

    pub(super) fn view(&self) -> LearntView {
        let n = self.references.len();
        let promised = self.limits.run_confidence;
        let needed = needed(self.settings.confidence);
        LearntView {
            variables: self.alignment.watched(),
            axis: AxisView {
                method: self.alignment.by.clone(),
                points: self.alignment.axis.points(),
                unit: self.alignment.unit.clone(),
                position: self.alignment.positions(),
                time_h: self.time_h.clone(),
            },
            components: self.monitor.pca.latent.components(),
            explained: self.monitor.pca.latent.r2x().iter().sum(),
            confidence: self.settings.confidence,
            run_confidence: promised,
            run_factor: self.limits.run_factor,
            false_alarms: FalseAlarms {
                runs: self.limits.runs,
                runs_crossing: self.limits.runs_crossing,
                runs_beyond: self.limits.runs_beyond,
                t2_points: self.limits.t2_beyond,
                spe_points: self.limits.spe_beyond,
                statement: statement(n, self.settings.confidence, promised, needed),
            },
            known: self.known.iter().map(|k| k.name.clone()).collect(),
            references: self.references.clone(),
        }
    }

    pub(super) fn band_view(&self) -> BandView {
        let points = self.monitor.points();
        let edge = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<Option<f64>> { (0..points).map(of).collect() };
        BandView {
            coverage: self.band.coverage,
            coverage_low: self.band.coverage_low,
            coverage_high: self.band.coverage_high,
            runs: self.band.batches,
            regions: self
                .alignment
                .watched()
                .into_iter()
                .enumerate()
                .map(|(var, of)| AllowedRegion {
                    low: edge(&|point| self.band.low(var, point)),
                    middle: edge(&|point| self.band.middle.get(var)?.get(point).copied().flatten()),
                    high: edge(&|point| self.band.high(var, point)),
                    variable: of,
                })
                .collect(),
        }
    }
}

/// Reference runs from which a confidence can be promised for whole runs.
fn needed(confidence: f64) -> usize {
    (confidence / (1.0 - confidence) - 1e-9).ceil() as usize
}

fn statement(n: usize, asked: f64, promised: f64, needed: usize) -> Text {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let alarms = percent(1.0 - promised);
    if promised + 1e-9 >= asked {
        return Text::new(
            format!("基準 {n} 回を一つずつ除いて決めた限界。正常な培養の全経過で警報が出る確率は {alarms} % 以下"),
            format!(
                "limits by {n} references left out one by one: a normal run raises an alarm anywhere in its course with a probability of {alarms} % at most"
            ),
        );
    }
    let asked = percent(asked);
    Text::new(
        format!(
            "基準 {n} 回では {asked} % を約束できません（{needed} 回必要）。正常な培養で警報が出る確率は {alarms} % 以下としか言えません"
        ),
        format!(
            "{n} references cannot promise {asked} % (this takes {needed}); a normal run raises an alarm with a probability of {alarms} % at most, and no less can be promised"
        ),
    )
}

/// The axis.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AxisView {
    /// `time`, `length`, `indicator`, `phases` or `warp`.
    method: String,
    /// Points.
    points: usize,
    /// Unit of positions, UCUM.
    unit: String,
    /// Hours, values of the indicator, or shares of the way.
    position: Vec<f64>,
    /// Mean time of the references at each point, h.
    time_h: Vec<Option<f64>>,
}

/// False alarms as they were counted on references, each left out when the model that judged it was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FalseAlarms {
    /// Reference runs.
    runs: usize,
    /// Runs that cross the limit of a point somewhere: what would be alarms without the factor.
    runs_crossing: usize,
    /// Runs beyond the limits of whole runs.
    runs_beyond: usize,
    /// Share of points beyond the limit of T².
    t2_points: f64,
    /// Share of points beyond the limit of SPE.
    spe_points: f64,
    /// What is promised of a new run.
    statement: Text,
}

/// What was learnt.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LearntView {
    /// Reference runs.
    references: Vec<ReferenceRun>,
    /// Variables.
    variables: Vec<Watched>,
    /// Axis.
    axis: AxisView,
    /// Components.
    components: usize,
    /// Share of the spread among references that they explain.
    explained: f64,
    /// Share of normal runs inside the limit of each point.
    confidence: f64,
    /// Probability that a normal run raises no alarm in its whole course.
    run_confidence: f64,
    /// Factor on the limits of points that whole runs take.
    run_factor: f64,
    /// False alarms as counted.
    false_alarms: FalseAlarms,
    /// Names of known departures.
    known: Vec<String>,
}

/// The golden band: where whole good runs stay, all variables and points at once.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BandView {
    /// Probability that a new good run stays inside.
    coverage: f64,
    /// Between this and `coverage_high` that lies for nine in ten sets of as many references.
    coverage_low: f64,
    /// Upper end.
    coverage_high: f64,
    /// Reference runs.
    runs: usize,
    /// Variable by variable.
    regions: Vec<AllowedRegion>,
}

/// The allowed region of a variable.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AllowedRegion {
    /// Variable.
    #[serde(flatten)]
    variable: Watched,
    /// Lower edge at each point.
    low: Vec<Option<f64>>,
    /// Mean of the references.
    middle: Vec<Option<f64>>,
    /// Upper edge.
    high: Vec<Option<f64>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_so_many_references_can_promise_is_said() {
        // n / (n + 1) ≥ 0.95 takes 19 runs, ≥ 0.99 takes 99.
        assert_eq!((needed(0.95), needed(0.99), needed(0.9)), (19, 99, 9));
        let enough = statement(20, 0.95, 0.95, 19);
        assert!(enough.en.contains("5.0 %") && enough.ja.contains("5.0 %"), "{enough:?}");
        let few = statement(8, 0.95, 8.0 / 9.0, 19);
        assert!(few.en.contains("11.1 %") && few.en.contains("takes 19") && few.ja.contains("19 回必要"), "{few:?}");
    }
}
