//! The axis on which runs are laid beside each other, from what the asker says and the reference runs.

use super::gather::{Course, Watched};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};
use toji_culture::monitor::{Aligned, Axis, Batch, Matrix, OnAxis, Warping, align};

/// Rows of a run between two points, where its pace is not that of the axis.
const FINER: f64 = 4.0;

/// How runs are aligned, as the asker says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum By {
    Time,
    Length,
    Indicator(String),
    Phases(Vec<String>),
    Warp,
}

impl By {
    /// `time`, `length`, `indicator=VARIABLE`, `phases=MARK,MARK` or `warp`.
    ///
    /// # Errors
    /// Anything else.
    pub(super) fn parse(said: &str) -> Result<Self> {
        let (name, rest) = said.split_once('=').map_or((said.trim(), ""), |(name, rest)| (name.trim(), rest.trim()));
        let phases: Vec<String> = rest.split(',').map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect();
        match (name, rest.is_empty()) {
            ("time", true) => Ok(Self::Time),
            ("length", true) => Ok(Self::Length),
            ("warp", true) => Ok(Self::Warp),
            ("indicator", false) => Ok(Self::Indicator(rest.to_owned())),
            ("phases", false) if !phases.is_empty() => Ok(Self::Phases(phases)),
            _ => Err(Error::input(
                "E-MONITOR-030",
                format!("そろえ方「{said}」は知られていません"),
                format!("there is no alignment \"{said}\""),
            )
            .at(Place::field("align"))
            .hint(
                "time、length、indicator=変数、phases=印,印（事象の区分か内容の語、または start）、warp から選んでください",
                "choose time, length, indicator=VARIABLE, phases=MARK,MARK (sort or words of an event, or start) or warp",
            )),
        }
    }
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Length => "length",
            Self::Indicator(_) => "indicator",
            Self::Phases(_) => "phases",
            Self::Warp => "warp",
        }
    }
}

/// An axis with everything that lays a run on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Alignment {
    /// `time`, `length`, `indicator`, `phases` or `warp`.
    pub(super) by: String,
    /// Time between the rows of a run, h.
    pub(super) step_h: f64,
    /// The axis of the engine.
    pub(super) axis: Axis,
    /// Beginnings of phases.
    phases: Vec<String>,
    /// Variables that are read, in their order.
    pub(super) read: Vec<Watched>,
    /// Columns that are watched; none stands for the time a run took to the point.
    columns: Vec<Option<usize>>,
    /// Unit of positions on the axis, UCUM.
    pub(super) unit: String,
}

/// What the asker says of the axis.
pub(super) struct Asked<'a> {
    pub(super) by: &'a By,
    pub(super) points: usize,
    /// End of the axis of time, h.
    pub(super) end_h: Option<f64>,
    /// How far a run may be ahead or behind when warped, share of the length.
    pub(super) window: f64,
}

/// The name of the variable that says how long a run took to a point.
const ELAPSED: &str = "elapsed-time";

fn elapsed() -> Watched {
    Watched {
        variable: ELAPSED.to_owned(),
        label: Text::new("その点までの経過時間", "Time taken to the point"),
        unit: Some("h".to_owned()),
    }
}

impl Alignment {
    /// The variables to be read: those that are watched, and the indicator.
    pub(super) fn to_read(by: &By, channels: &[String]) -> Vec<Watched> {
        let mut names = channels.to_vec();
        if let By::Indicator(indicator) = by
            && !names.contains(indicator)
        {
            names.push(indicator.clone());
        }
        names.iter().map(|name| Watched::named(name)).collect()
    }

    /// From reference runs.
    ///
    /// # Errors
    /// An axis that these runs do not have.
    pub(super) fn of(asked: &Asked<'_>, read: Vec<Watched>, channels: usize, courses: &[Course]) -> Result<Self> {
        let mut lengths: Vec<f64> = courses.iter().map(|c| c.end_h).collect();
        lengths.sort_by(f64::total_cmp);
        let shortest = lengths.first().copied().unwrap_or_default();
        let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        let points = asked.points;
        let last = points.saturating_sub(1).max(1) as f64;
        let watched: Vec<Option<usize>> = (0..channels).map(Some).collect();
        let mut out = Self {
            by: asked.by.name().to_owned(),
            step_h: median / last / FINER,
            axis: Axis::Index { points },
            phases: Vec::new(),
            read,
            columns: watched,
            unit: "1".to_owned(),
        };
        match asked.by {
            By::Time => {
                let end = asked.end_h.unwrap_or(shortest);
                out.step_h = end / last;
                out.axis = Axis::Time { points, end };
                out.unit = "h".to_owned();
            }
            By::Length => {}
            By::Indicator(name) => {
                let Some(column) = out.read.iter().position(|v| v.variable == *name) else {
                    return Err(Error::bug("E-MONITOR-038", "the indicator is not read"));
                };
                out.unit = out.read.get(column).and_then(|v| v.unit.clone()).unwrap_or_else(|| "1".to_owned());
                let ends: Vec<(f64, f64)> = courses.iter().filter_map(|c| c.ends(column)).collect();
                let rises = ends.iter().map(|(first, last)| last - first).sum::<f64>() >= 0.0;
                // All runs have what lies between: the latest beginning and the earliest end.
                let (most, least) = (f64::NEG_INFINITY, f64::INFINITY);
                let (from, to) = if rises {
                    (ends.iter().fold(most, |a, e| a.max(e.0)), ends.iter().fold(least, |a, e| a.min(e.1)))
                } else {
                    (ends.iter().fold(least, |a, e| a.min(e.0)), ends.iter().fold(most, |a, e| a.max(e.1)))
                };
                out.axis = Axis::Indicator { points, variable: column, from, to };
                // The indicator is the axis; how long a run took to each of its values is what is left to watch of it.
                out.columns.retain(|c| *c != Some(column));
                out.columns.push(None);
            }
            By::Phases(phases) => {
                out.phases.clone_from(phases);
                out.axis = Axis::Phases { phases: shared_out(phases, points, courses)? };
                out.columns.push(None);
            }
            By::Warp => {
                let middle = courses.iter().find(|c| c.end_h >= median);
                let Some(middle) = middle.or(courses.first()) else {
                    return Err(Error::bug("E-MONITOR-038", "no reference to warp onto"));
                };
                out.step_h = middle.end_h / last;
                let batch = middle.batch(out.step_h, &[])?;
                out.axis = Axis::Warping(Warping::new(&batch, asked.window)?);
            }
        }
        Ok(out)
    }

    /// What is watched, in the order of the columns.
    pub(super) fn watched(&self) -> Vec<Watched> {
        self.columns.iter().map(|c| c.and_then(|c| self.read.get(c)).cloned().unwrap_or_else(elapsed)).collect()
    }

    /// Runs on the axis.
    ///
    /// # Errors
    /// A run that has no place on it.
    pub(super) fn lay(&self, courses: &[&Course]) -> Result<Aligned> {
        let batches: Vec<Batch> = courses.iter().map(|c| c.batch(self.step_h, &self.phases)).collect::<Result<_>>()?;
        let names: Vec<String> = self.read.iter().map(|v| v.variable.clone()).collect();
        let aligned = align(&batches, &names, &self.axis)?;
        let batches = aligned.batches.iter().map(|b| self.watch(b)).collect::<Result<_>>()?;
        Ok(Aligned { variables: self.watched().into_iter().map(|v| v.variable).collect(), points: aligned.points, batches })
    }

    fn watch(&self, batch: &OnAxis) -> Result<OnAxis> {
        let cell = |point: usize, column: &Option<usize>| match column {
            Some(column) => batch.values.get(point, *column),
            None => batch.times.get(point).copied().flatten(),
        };
        let rows: Vec<Vec<Option<f64>>> =
            (0..batch.values.rows()).map(|point| self.columns.iter().map(|c| cell(point, c)).collect()).collect();
        Ok(OnAxis {
            name: batch.name.clone(),
            values: Matrix::from_rows(&rows)?,
            times: batch.times.clone(),
            reached: batch.reached,
        })
    }

    /// Where the points lie: hours, values of the indicator, or shares of the way.
    pub(super) fn positions(&self) -> Vec<f64> {
        let points = self.axis.points();
        let last = points.saturating_sub(1).max(1) as f64;
        let (from, to) = match &self.axis {
            Axis::Time { end, .. } => (0.0, *end),
            Axis::Indicator { from, to, .. } => (*from, *to),
            Axis::Index { .. } | Axis::Phases { .. } | Axis::Warping(_) => (0.0, 1.0),
        };
        (0..points).map(|i| from + (to - from) * i as f64 / last).collect()
    }
}

/// Points by phase, in proportion to how long each takes in the reference runs; two at least.
fn shared_out(phases: &[String], points: usize, courses: &[Course]) -> Result<Vec<(String, usize)>> {
    let mut lengths = vec![0.0; phases.len()];
    for course in courses {
        let starts: Vec<Option<f64>> = phases.iter().map(|p| course.mark(p)).collect();
        for (i, length) in lengths.iter_mut().enumerate() {
            let (from, to) = (starts.get(i).copied().flatten(), starts.get(i + 1).map_or(Some(course.end_h), |t| *t));
            let (Some(from), Some(to)) = (from, to) else {
                let (run, phase) = (&course.run, phases.get(i).map_or("", String::as_str));
                let has = course.sorts().join(", ");
                return Err(Error::input(
                    "E-MONITOR-034",
                    format!("培養 {run} に工程「{phase}」の始まりか終わりの印がありません"),
                    format!("the run {run} has no mark for the beginning or the end of the phase \"{phase}\""),
                )
                .at(Place::field("align"))
                .hint(
                    format!("この培養の事象の区分: {has}。内容の語でも指定できます"),
                    format!("sorts of events of this run: {has}; words of their labels serve as well"),
                ));
            };
            *length += (to - from).max(0.0);
        }
    }
    let all: f64 = lengths.iter().sum();
    let share = |length: f64| if all > 0.0 { (points as f64 * length / all).round() as usize } else { 2 };
    Ok(phases.iter().zip(lengths).map(|(phase, length)| (phase.clone(), share(length).max(2))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignments_are_read_and_others_are_refused() {
        assert_eq!(By::parse("time").unwrap(), By::Time);
        assert_eq!(By::parse("indicator=feed").unwrap(), By::Indicator("feed".into()));
        assert_eq!(By::parse("phases = start, feed started").unwrap(), By::Phases(vec!["start".into(), "feed started".into()]));
        for wrong in ["", "times", "indicator", "indicator=", "phases=,", "time=3"] {
            assert_eq!(By::parse(wrong).unwrap_err().code(), "E-MONITOR-030", "{wrong}");
        }
    }

    #[test]
    fn the_indicator_is_read_and_its_time_is_watched() {
        let by = By::Indicator("feed".into());
        let read = Alignment::to_read(&by, &["ph".to_owned()]);
        assert_eq!(read.iter().map(|v| v.variable.as_str()).collect::<Vec<_>>(), ["ph", "feed"]);
        assert_eq!((read[0].unit.as_deref(), read[1].unit.as_deref()), (Some("[pH]"), Some("mL")));
        let out = Alignment {
            by: by.name().into(),
            step_h: 0.1,
            axis: Axis::Indicator { points: 3, variable: 1, from: 0.0, to: 10.0 },
            phases: Vec::new(),
            read,
            columns: vec![Some(0), None],
            unit: "mL".into(),
        };
        assert_eq!(out.watched().iter().map(|v| v.variable.as_str()).collect::<Vec<_>>(), ["ph", ELAPSED]);
        assert_eq!(out.positions(), [0.0, 5.0, 10.0]);
        let batch = OnAxis {
            name: "b".into(),
            values: Matrix::from_rows(&[[Some(7.0), Some(0.0)], [Some(7.1), Some(5.0)], [None, None]]).unwrap(),
            times: vec![Some(0.0), Some(1.5), None],
            reached: 2,
        };
        let seen = out.watch(&batch).unwrap();
        assert_eq!((seen.values.get(1, 0), seen.values.get(1, 1), seen.values.get(2, 1)), (Some(7.1), Some(1.5), None));
    }
}
