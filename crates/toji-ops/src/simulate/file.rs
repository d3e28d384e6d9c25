//! A simulation in the shape of a file: as a vendor's controller or a historian would have written it.

use super::read::Made;
use crate::operation::Attachment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use toji_core::culture::{Numbers, Points, Run};
use toji_core::{Error, Instant, Quality, Result, Status};
use toji_ingest::generate::{self, State};
use toji_plant::{Plant, Reading, SignalId};

/// Shape of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    /// DASware control 4 export: sections, a line a minute, dead bands.
    ///
    /// DASware control 4 の書出し：節、毎分一行、不感帯。
    Dasware,
    /// A historian's long table: `run,channel,t,value,quality`.
    ///
    /// ヒストリアンの縦長の表：`run,channel,t,value,quality`。
    Csv,
}

/// States of each reactor on the minute, as its instruments show them.
#[derive(Default)]
pub(super) struct Shown {
    cultures: Vec<Vec<State>>,
    due_s: f64,
}

impl Shown {
    /// Notes the state of all reactors once a minute from inoculation on.
    pub(super) fn note(&mut self, plant: &Plant, zeros_h: &[f64], buffer: &mut Vec<Reading>) {
        if plant.elapsed_s() + 1e-6 < self.due_s {
            return;
        }
        self.due_s += 60.0;
        self.cultures.resize_with(plant.reactors(), Vec::new);
        for (r, (states, zero_h)) in self.cultures.iter_mut().zip(zeros_h).enumerate() {
            let t_h = plant.elapsed_s() / 3600.0 - zero_h;
            if t_h < 0.0 {
                continue;
            }
            plant.read_into(r, buffer);
            let before = states.last().copied();
            states.push(state(t_h, buffer, before));
        }
    }
}

/// What a controller would log of these readings; where a probe is silent, its last value stands on the display.
fn state(t_h: f64, readings: &[Reading], before: Option<State>) -> State {
    let said = |signal: SignalId| readings.get(signal.index()).and_then(|r| r.value);
    let value = |signal: SignalId, last: fn(&State) -> f64| said(signal).or(before.as_ref().map(last)).unwrap_or(0.0);
    let volume_l = value(SignalId::Weight, |s| s.volume_l);
    let percent = |signal: SignalId| said(signal).map(|v| v / 100.0);
    let transfer = || {
        let (inlet, oxygen, co2) =
            (percent(SignalId::InletOxygen)?, percent(SignalId::OffgasOxygen)?, percent(SignalId::OffgasCo2)?);
        let gas_mmol_h = said(SignalId::GasFlow)? / 22.414 * 1000.0 * 60.0;
        // Nitrogen that goes in comes out: it tells the flow of the exit gas.
        let out = gas_mmol_h * (1.0 - inlet) / (1.0 - oxygen - co2);
        Some((gas_mmol_h * inlet - out * oxygen) / volume_l)
    };
    State {
        t_h,
        biomass_g_l: f64::NAN,
        glucose_g_l: f64::NAN,
        acetate_g_l: f64::NAN,
        volume_l,
        oxygen_percent: value(SignalId::DissolvedOxygen, |s| s.oxygen_percent),
        our_mmol_l_h: transfer().filter(|v| v.is_finite()).or(before.map(|s| s.our_mmol_l_h)).unwrap_or(0.0),
        stirrer_per_min: value(SignalId::Agitation, |s| s.stirrer_per_min),
        feed_ml: value(SignalId::FeedTotal, |s| s.feed_ml),
        feed_ml_h: value(SignalId::FeedRate, |s| s.feed_ml_h),
        base_ml: value(SignalId::BaseTotal, |s| s.base_ml),
        ph: value(SignalId::Ph, |s| s.ph),
        temperature_c: value(SignalId::Temperature, |s| s.temperature_c),
    }
}

/// The file.
pub(super) fn write(made: &mut Made, shape: Shape) -> Result<Attachment> {
    match shape {
        Shape::Dasware => {
            let zero = made.reading.runs.first().and_then(|r| r.zero.as_ref()).map_or(Instant(0), |z| z.instant);
            let comment = format!("fed-batch, seed {}", made.seed);
            let start_s = zero.0.div_euclid(1_000_000_000);
            let bytes = generate::dasware_of(&made.name, start_s, &comment, std::mem::take(&mut made.shown.cultures));
            Ok(Attachment { name: format!("{}.dasware.csv", made.name), media_type: "text/csv; charset=iso-8859-1", bytes })
        }
        Shape::Csv => {
            let mut out = String::from("run,channel,t,value,quality\n");
            for run in &made.reading.runs {
                long(run, &mut out)?;
            }
            Ok(Attachment { name: format!("{}.csv", made.name), media_type: "text/csv; charset=utf-8", bytes: out.into_bytes() })
        }
    }
}

fn long(run: &Run, out: &mut String) -> Result<()> {
    let name = format!("{} simulated", run.key).replace([',', '"', '\n', '\r'], "_");
    for channel in &run.channels {
        let unit = channel.raw_unit.as_deref().unwrap_or("-");
        for (i, t_ns) in channel.points.t_ns.iter().enumerate() {
            let good = channel.points.quality.get(i).is_none_or(|q| *q == Quality::GOOD.pack());
            let quality = if good { "good" } else { status(&channel.points, i) };
            let value = text(&channel.points, i)?;
            let _ = writeln!(out, "{name},{} [{unit}],{},{value},{quality}", channel.key, Instant(*t_ns));
        }
    }
    Ok(())
}

fn status(points: &Points, i: usize) -> &'static str {
    match points.quality.get(i).and_then(|q| Quality::unpack(*q)).map(|q| q.status) {
        Some(Status::Uncertain) => "uncertain",
        _ => "bad",
    }
}

/// A value with the digits the device prints; a word where there is no number.
fn text(points: &Points, i: usize) -> Result<String> {
    let index = u32::try_from(i).unwrap_or(u32::MAX);
    if let Some((_, word)) = points.texts.binary_search_by_key(&index, |t| t.0).ok().and_then(|at| points.texts.get(at)) {
        return Ok(word.clone());
    }
    let value = points.number(i).ok_or_else(|| Error::bug("E-SIM-011", "a point with neither number nor word"))?;
    let digits = match &points.numbers {
        Numbers::Scaled { scale, .. } => usize::from(*scale),
        Numbers::Float(_) => 6,
    };
    Ok(format!("{value:.digits$}"))
}
