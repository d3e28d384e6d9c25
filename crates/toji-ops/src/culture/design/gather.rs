//! A run as `culture constrain` takes it: its quantities, and how long it stood beyond each bound.

use super::super::inputs::{Inputs, inputs};
use crate::dataset::Whole;
use crate::operation::Context;
use crate::run::text;
use serde_json::Value as Json;
use toji_core::{Record, Result};
use toji_culture::gas::Known;
use toji_culture::lesson::{Cause, Observed, beyond_h};
use toji_culture::rates::{Culture, Line, NotDetermined, Quantity, Standing};

/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;
/// The culture is looked at from this long after inoculation on, s: until then nothing grows.
const AFTER_S: f64 = 1_800.0;

/// Bounds that a run may stand beyond.
pub(super) struct Bounds {
    /// Least dissolved oxygen, % of saturation.
    pub(super) oxygen_least_percent: f64,
    /// Kelvin above the set-point.
    pub(super) warm_k: f64,
    /// Highest carbon dioxide of the exit gas, bar.
    pub(super) co2_most_bar: Option<f64>,
}

/// A run with what it showed.
pub(super) struct Tested {
    pub(super) run: Record,
    pub(super) title: String,
    pub(super) strain: Option<String>,
    pub(super) scale_l: Option<f64>,
    pub(super) quantities: Vec<Quantity>,
    pub(super) lacking: Vec<NotDetermined>,
    culture: Culture,
    pressure: Option<Line>,
}

impl Tested {
    /// Reads a run.
    ///
    /// # Errors
    /// No such run, storage faults.
    pub(super) async fn load(context: &Context, id: &str) -> Result<Self> {
        let (quantities, lacking) = super::super::analyse::quantities(context, id).await?;
        let whole = Whole::load(context, id).await?;
        let Inputs { culture, .. } = inputs(&whole)?;
        let pressure = super::super::inputs::measured(&whole, "pressure", "bar");
        let mut scale_l = whole.run.fields.get("scale_l").and_then(Json::as_f64);
        if scale_l.is_none()
            && let Some(vessel) = text(&whole.run.fields, "vessel")
            && let Ok(vessel) = context.session.store.record(&context.access, "vessel", &vessel, None).await
        {
            scale_l = vessel.fields.get("volume_total_l").and_then(Json::as_f64);
        }
        Ok(Self {
            title: text(&whole.run.fields, "title").unwrap_or_default(),
            strain: text(&whole.run.fields, "strain"),
            scale_l,
            run: whole.run,
            quantities,
            lacking,
            culture,
            pressure,
        })
    }

    pub(super) fn quantity(&self, code: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|q| q.code == code)
    }

    /// A quantity in a unit.
    pub(super) fn known(&self, code: &str, unit: &str) -> Option<Known> {
        let quantity = self.quantity(code)?;
        let (own, wanted) = (toji_core::Unit::parse(&quantity.unit).ok()?, toji_core::Unit::parse(unit).ok()?);
        let to = |v: f64| own.convert(v, &wanted).ok();
        let error = quantity.low.zip(quantity.high).and_then(|(l, h)| Some((to(h)? - to(l)?) / (2.0 * HALF)));
        Some(Known::new(to(quantity.value)?, error.filter(|e| e.is_finite()).unwrap_or(0.0)))
    }

    pub(super) fn observed(&self, code: &str) -> Option<Observed> {
        let q = self.quantity(code)?;
        Some(Observed { run: self.run.id.to_string(), value: q.value, low: q.low, high: q.high })
    }

    /// The stretch of the culture, s.
    fn stretch(&self) -> (f64, f64) {
        let from = self.culture.inoculated_s.unwrap_or(0.0) + AFTER_S;
        (from, self.culture.ended_s.unwrap_or(f64::INFINITY))
    }

    /// Time beyond the bound of a cause, h; none where it was not measured.
    pub(super) fn beyond(&self, cause: Cause, bounds: &Bounds) -> Option<f64> {
        let (from, to) = self.stretch();
        match cause {
            Cause::OxygenTransfer => {
                let line = self.culture.oxygen.measured.as_ref()?;
                beyond_h(line, from, to, |v| v < bounds.oxygen_least_percent)
            }
            Cause::HeatRemoval => {
                let measured = self.culture.temperature.measured.as_ref()?;
                let wanted = self.culture.temperature.wanted.as_ref()?;
                beyond_h(&above(measured, wanted), from, to, |v| v > bounds.warm_k)
            }
            Cause::CarbonDioxide => {
                let most = bounds.co2_most_bar?;
                beyond_h(&self.exit_co2_bar()?, from, to, |v| v > most)
            }
            Cause::Mixing => None,
        }
    }

    /// Partial pressure of carbon dioxide in the exit gas, bar.
    fn exit_co2_bar(&self) -> Option<Line> {
        let line = self.culture.gas.exit_co2.as_ref()?;
        let pressure = self.pressure.as_ref()?;
        let mut out = line.clone();
        for point in &mut out.points {
            point.value *= held(pressure, point.t_s)? / 100.0;
        }
        Some(out)
    }

    /// The highest of it, of runs of more than one point.
    pub(super) fn co2_most_bar(&self) -> Option<f64> {
        let (from, to) = self.stretch();
        let line = self.exit_co2_bar()?;
        let good = line.points.iter().filter(|p| p.standing == Standing::Good && (from..=to).contains(&p.t_s));
        good.map(|p| p.value).filter(|v| v.is_finite()).reduce(f64::max)
    }
}

/// The last good value at or before a time; before the first that.
fn held(line: &Line, t_s: f64) -> Option<f64> {
    let good = |p: &&toji_culture::rates::Point| p.standing == Standing::Good && p.value.is_finite();
    let i = line.points.partition_point(|p| p.t_s <= t_s);
    let before = line.points.get(..i)?.iter().rev().find(good);
    before.or_else(|| line.points.iter().find(good)).map(|p| p.value)
}

/// How far a measured line stands above its set-point.
fn above(measured: &Line, wanted: &Line) -> Line {
    let mut wanted = wanted.clone();
    wanted.points.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let mut out = measured.clone();
    for point in &mut out.points {
        point.value = held(&wanted, point.t_s).map_or(f64::NAN, |w| point.value - w);
    }
    out
}
