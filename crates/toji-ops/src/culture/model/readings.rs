//! What was measured in a run, and how it was fed, in the terms of a model.

use super::super::inputs;
use crate::dataset::Whole;
use toji_core::{Error, Place, Result, Unit};
use toji_culture::fit::Reading;
use toji_culture::model::Model;
use toji_culture::rates::{Line, Point, Standing};

/// Readings of one quantity of a run that a fit takes; a channel that has more is averaged over equal times.
const READINGS_MAX: usize = 200;
/// Times of a profile that follows a run.
const STEPS_MAX: usize = 120;

/// A reading in the units of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::culture) struct Read {
    pub(in crate::culture) time: f64,
    pub(in crate::culture) reading: Reading,
}

/// Seconds in the model's unit of time.
fn second(model: &Model) -> Result<f64> {
    Unit::parse("s")?.convert(1.0, &model.time)
}

/// When the model begins in a run: at inoculation, or else at the run's zero, s.
pub(in crate::culture) fn begins_s(whole: &Whole) -> f64 {
    inputs::inoculated_s(whole).unwrap_or(0.0)
}

/// Readings of a variable for a quantity of the model, from its beginning on.
///
/// # Errors
/// The model has no such quantity; the run has no reading in a unit that is or becomes the quantity's.
pub(super) fn of(whole: &Whole, model: &Model, quantity: &str, variable: &str) -> Result<Vec<Read>> {
    let field = format!("readings.{quantity}");
    model.system.quantity(quantity).map_err(|e| e.at(Place::field(&field)))?;
    let unit = model.described(quantity).map_or_else(Unit::one, |d| d.unit.clone());
    let (begins, second) = (begins_s(whole), second(model)?);
    let line = inputs::measured(whole, variable, unit.code());
    let read: Vec<Read> = line.iter().flat_map(|l| &l.points).filter_map(|p| read(p, begins, second)).collect();
    if read.is_empty() {
        let run = &whole.run.id;
        return Err(Error::input(
            "E-FIT-010",
            format!("培養 {run} に {unit} に直せる «{variable}» の測定値がありません"),
            format!("the run {run} has no reading of «{variable}» that is or becomes {unit}"),
        )
        .at(Place::field(field))
        .hint(
            "変数の名前は `toji run show` の channels・assays で確かめられます",
            "see the variables of the run with `toji run show`",
        ));
    }
    Ok(thinned(read))
}

fn read(point: &Point, begins: f64, second: f64) -> Option<Read> {
    let time = (point.t_s - begins) * second;
    let reading = match point.standing {
        Standing::Good => Reading::Value(point.value),
        Standing::Censored if point.value.is_finite() => Reading::Below(point.value),
        _ => return None,
    };
    (time >= 0.0 && point.value.is_finite()).then_some(Read { time, reading })
}

/// Means over equal times where there are too many; readings below a limit stay as they are.
pub(in crate::culture) fn thinned(mut read: Vec<Read>) -> Vec<Read> {
    read.sort_by(|a, b| a.time.total_cmp(&b.time));
    if read.len() <= READINGS_MAX {
        return read;
    }
    let (first, last) = (read[0].time, read[read.len() - 1].time);
    let width = (last - first) / READINGS_MAX as f64;
    let mut out: Vec<Read> = Vec::new();
    let (mut cell, mut time, mut sum, mut n) = (0usize, 0.0, 0.0, 0.0f64);
    let close = |time: f64, sum: f64, n: f64| Read { time: time / n, reading: Reading::Value(sum / n) };
    for it in &read {
        let Reading::Value(value) = it.reading else {
            out.push(*it);
            continue;
        };
        let here = (((it.time - first) / width) as usize).min(READINGS_MAX - 1);
        if here != cell && n > 0.0 {
            out.push(close(time, sum, n));
            (time, sum, n) = (0.0, 0.0, 0.0);
        }
        cell = here;
        (time, sum, n) = (time + it.time, sum + value, n + 1.0);
    }
    if n > 0.0 {
        out.push(close(time, sum, n));
    }
    out.sort_by(|a, b| a.time.total_cmp(&b.time));
    out
}

/// The model with a profile that follows a variable of the run: its values, or for a flow what a pump's total rose by.
///
/// # Errors
/// The model has no such profile; the run has no channel of the variable in a unit that fits.
pub(super) fn following(whole: &Whole, model: &Model, profile: &str, variable: &str) -> Result<Model> {
    let field = format!("follow.{profile}");
    let unit = model.described(profile).map_or_else(Unit::one, |d| d.unit.clone());
    let total = unit.times(&model.time).map_err(|e| e.at(Place::field(&field)))?;
    let Some((line, found)) = inputs::given(whole, variable, &[unit.code(), total.code()]) else {
        let run = &whole.run.id;
        return Err(Error::input(
            "E-FIT-011",
            format!("培養 {run} に {unit} または {total} に直せる «{variable}» の時系列がありません"),
            format!("the run {run} has no channel of «{variable}» that is or becomes {unit} or {total}"),
        )
        .at(Place::field(field))
        .hint("`toji run show` の channels で確かめてください", "see the channels of the run with `toji run show`"));
    };
    let (begins, second) = (begins_s(whole), second(model)?);
    let points: Vec<(f64, f64)> = line
        .points
        .iter()
        .filter(|p| p.standing == Standing::Good && p.value.is_finite())
        .map(|p| ((p.t_s - begins) * second, p.value))
        .collect();
    // Before the first reading the model's own table holds.
    let planned = model.file.profile.get(profile).and_then(|p| p.values.first().copied()).unwrap_or_default();
    let cells = if found == unit.code() { steps(&points, &line) } else { slopes(&points) };
    let (at, values) = started(cells, planned);
    model.following(profile, at, values).map_err(|e| e.at(Place::field(field)))
}

/// Steps of equal length, each with the mean of what was given in it; what holds until it changes is kept as it is
/// while that is few enough.
fn steps(points: &[(f64, f64)], line: &Line) -> Vec<(f64, f64)> {
    let mut changes: Vec<(f64, f64)> = points.to_vec();
    changes.dedup_by(|a, b| a.1 == b.1);
    if line.holds && changes.len() <= STEPS_MAX {
        return changes;
    }
    let end = points.last().map_or(0.0, |p| p.0);
    let width = end / STEPS_MAX as f64;
    let cells = (0..STEPS_MAX).filter_map(|i| {
        let (from, to) = (i as f64 * width, (i + 1) as f64 * width);
        let within = points.iter().filter(|p| p.0 >= from && p.0 < to).map(|p| p.1);
        let (n, sum) = within.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
        (n > 0.0).then(|| (from, sum / n))
    });
    cells.collect()
}

/// What a total rises by, per time; where it falls it was reset, and nothing is known.
fn slopes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let end = points.last().map_or(0.0, |p| p.0);
    let width = end / STEPS_MAX as f64;
    let total = |time: f64| points.iter().take_while(|p| p.0 <= time).last().or(points.first()).map_or(0.0, |p| p.1);
    let cells = (0..STEPS_MAX).map(|i| {
        let (from, to) = (i as f64 * width, (i + 1) as f64 * width);
        (from, ((total(to) - total(from)) / width).max(0.0))
    });
    let mut cells: Vec<(f64, f64)> = cells.filter(|c| c.1.is_finite()).collect();
    cells.dedup_by(|a, b| a.1 == b.1);
    cells
}

/// A table begins at the start, with what was given there or last before it, else with what was planned.
fn started(cells: Vec<(f64, f64)>, planned: f64) -> (Vec<f64>, Vec<f64>) {
    let before = cells.iter().take_while(|c| c.0 <= 0.0).last().map_or(planned, |c| c.1);
    let mut table = vec![(0.0, before)];
    table.extend(cells.into_iter().filter(|c| c.0 > 0.0));
    table.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_readings_become_their_means() {
        let read = (0..1000).map(|i| Read { time: f64::from(i), reading: Reading::Value(f64::from(i % 2)) });
        let thin = thinned(read.collect());
        assert!(thin.len() <= READINGS_MAX + 1, "{}", thin.len());
        for it in &thin {
            let Reading::Value(mean) = it.reading else { panic!("{it:?}") };
            assert!((mean - 0.5).abs() < 0.11, "{it:?}");
        }
    }

    #[test]
    fn a_total_gives_its_slope_and_a_reset_nothing() {
        let points: Vec<(f64, f64)> =
            (0..=100).map(|i| (0.1 * f64::from(i), if i <= 50 { 0.2 * f64::from(i) } else { 0.0 })).collect();
        let (at, values) = started(slopes(&points), 9.0);
        assert_eq!(at[0], 0.0);
        assert_ne!(values[0], 9.0, "a total tells of its start");
        assert!(values.iter().all(|v| *v >= 0.0));
        let given: f64 = at.windows(2).zip(&values).map(|(w, v)| (w[1] - w[0]) * v).sum();
        assert!((given - 10.0).abs() < 0.3, "{given}");
        assert_eq!(values.last(), Some(&0.0));
    }

    #[test]
    fn before_its_first_reading_a_variable_is_as_the_model_planned() {
        let late = vec![(5.0, 308.15), (6.0, 303.15)];
        assert_eq!(started(late, 303.15), (vec![0.0, 5.0, 6.0], vec![303.15, 308.15, 303.15]));
        let early = vec![(-1.0, 300.0), (0.0, 301.0), (2.0, 302.0)];
        assert_eq!(started(early, 303.15), (vec![0.0, 2.0], vec![301.0, 302.0]));
    }
}
