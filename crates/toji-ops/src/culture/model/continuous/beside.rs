//! A continuous culture beside fed-batch over one campaign, and both under constants that are not quite known.

use super::tell::{figures, shown, told_of};
use super::{
    Attribute, Beside, Continuous, Drawn, Figure, Input, Question, Told, Way, WayView, constant, quantity, refused, spreads,
};
use crate::operation::Context;
use std::collections::BTreeMap;
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text, Unit};
use toji_culture::continuous::campaign::{Counted, Way as Sums, batches, drawn, once};
use toji_culture::continuous::{Measure, Roles, Steady};
use toji_culture::model::File;
use toji_culture::profile::Spread;

/// The share of draws that an interval leaves out on each side.
const TAIL: f64 = 0.025;
/// Measures of a way of working.
const OF_WAYS: [Measure; 2] = [Measure::PerVolume, Measure::PerMedium];

/// A culture with its constants, its length of a day and the factors to the units that are shown.
struct Side {
    counted: Counted,
    constants: Vec<f64>,
    day: f64,
    factors: [(f64, String); 2],
    /// Amount per volume of vessel, and volume per volume.
    load: (f64, String),
}

impl Side {
    fn new(file: &File, roles: &Roles, field: &str) -> Result<Self> {
        let counted = Counted::new(file, roles).map_err(|e| e.at(Place::field(field)))?;
        let time = counted.model.time.clone();
        let per_volume = counted.amount.per(&counted.volume_unit)?;
        let load = shown(&per_volume, &["g/L", "mol/L"]);
        let factors = [shown(&per_volume.per(&time)?, &["g/(L.d)", "mol/(L.d)"]), load.clone()];
        Ok(Self {
            constants: counted.model.system.constants(),
            day: Unit::parse("d")?.convert(1.0, &time)?,
            factors,
            load,
            counted,
        })
    }

    fn view(&self, way: Way, sums: &Sums, volume: f64) -> WayView {
        let figures = OF_WAYS.iter().zip(&self.factors).map(|(measure, (factor, unit))| Figure {
            measure: told_of(*measure),
            value: of(sums, *measure) * factor,
            low: None,
            high: None,
            unit: unit.clone(),
        });
        WayView {
            way,
            cultures: sums.cultures,
            product_per_vessel: sums.product / volume * self.load.0,
            medium_per_vessel: sums.medium / volume,
            figures: figures.collect(),
        }
    }
}

fn of(sums: &Sums, measure: Measure) -> f64 {
    if measure == Measure::PerVolume { sums.per_volume } else { sums.per_medium }
}

/// Lengths in days.
struct Lengths {
    campaign: f64,
    turnaround: f64,
    batch: f64,
    batch_turnaround: f64,
}

fn lengths(input: &Input) -> Result<Lengths> {
    let day = Unit::parse("d")?;
    let of = |text: &str, field: &str| quantity(text, &day, field);
    let it = Lengths {
        campaign: of(&input.campaign, "campaign")?,
        turnaround: of(&input.turnaround, "turnaround")?,
        batch: of(&input.batch, "batch")?,
        batch_turnaround: of(&input.batch_turnaround, "batch_turnaround")?,
    };
    if !(it.batch > 0.0 && it.batch_turnaround >= 0.0 && it.turnaround >= 0.0 && it.campaign > it.turnaround) {
        return Err(refused(
            "campaign",
            "batch は正、段取り時間は 0 以上、campaign は turnaround より長くしてください",
            "batch is positive, turnarounds are at least 0, and the campaign is longer than the turnaround",
        ));
    }
    Ok(it)
}

/// What one setting of the constants gives: figures of the steady state and sums of both ways.
struct Given {
    figures: Vec<Figure>,
    continuous: Option<Sums>,
    batches: Option<Sums>,
}

struct Pair<'q> {
    question: &'q Question,
    lengths: Lengths,
    continuous: Option<Side>,
    batch: Option<Side>,
    collected_from: f64,
}

impl Pair<'_> {
    fn given(&self, constants: &[f64], of_batch: &[f64], near: &Steady, again: bool) -> Result<Option<Given>> {
        let found;
        let steady = if again {
            found = self.question.reactor.near(constants, Some(near), &self.question.criterion)?;
            match found.steady().filter(|s| !s.washed_out) {
                Some(steady) => steady,
                None => return Ok(None),
            }
        } else {
            near
        };
        let figures = figures(self.question, steady)?;
        let l = &self.lengths;
        let continuous = self.continuous.as_ref().map(|side| -> Result<Sums> {
            let until = (l.campaign - l.turnaround) * side.day;
            Ok(once(&side.counted.run(constants, self.collected_from, until)?, l.campaign * side.day))
        });
        let batches = self.batch.as_ref().map(|side| -> Result<Sums> {
            let it = side.counted.run(of_batch, 0.0, l.batch * side.day)?;
            Ok(batches(&it, l.batch * side.day, l.batch_turnaround * side.day, l.campaign * side.day))
        });
        Ok(Some(Given { figures, continuous: continuous.transpose()?, batches: batches.transpose()? }))
    }

    /// Continuous over fed-batch, in the units that are shown.
    fn ratios(&self, given: &Given) -> Vec<(Measure, f64)> {
        let (Some(a), Some(b), Some(one), Some(other)) = (&given.continuous, &given.batches, &self.continuous, &self.batch)
        else {
            return Vec::new();
        };
        let ratio = |(i, measure): (usize, &Measure)| {
            let below = of(b, *measure) * other.factors[i].0;
            (below > 0.0).then(|| (*measure, of(a, *measure) * one.factors[i].0 / below))
        };
        OF_WAYS.iter().enumerate().filter_map(ratio).collect()
    }
}

/// Adds comparison, attributes and intervals to the answer.
pub(super) fn fill(
    context: &Context,
    input: &Input,
    question: &Question,
    nominal: &Steady,
    against: Option<&File>,
    out: &mut Continuous,
) -> Result<()> {
    let spreads = spreads(&input.uncertain, "uncertain")?;
    let with = against.is_some();
    let continuous = with.then(|| Side::new(&question.file, &question.roles, "product")).transpose()?;
    let roles = Roles { product: question.roles.product.clone(), ..Roles::default() };
    let mut batch = against.map(|file| Side::new(file, &roles, "against")).transpose()?;
    if let Some(side) = &mut batch {
        for (name, given) in &input.against_set {
            let (place, value) = constant(&side.counted.model, name, given, &format!("against_set.{name}"))?;
            side.constants[place] = value;
        }
    }
    if let (Some(a), Some(b)) = (&continuous, &batch)
        && a.factors.iter().zip(&b.factors).any(|(x, y)| x.1 != y.1)
    {
        let (x, y) = (&a.factors[1].1, &b.factors[1].1);
        return Err(refused(
            "against",
            format!("二つのモデルの生産物の単位（{x} と {y}）を同じ単位に直せません"),
            format!("the product is in {x} in one model and in {y} in the other, which do not convert"),
        ));
    }
    let collected_from = nominal.productive.or(nominal.reached).unwrap_or(0.0);
    let pair = Pair { question, lengths: lengths(input)?, continuous, batch, collected_from };
    let of_batch = pair.batch.as_ref().map(|b| b.constants.clone()).unwrap_or_default();
    let Some(given) = pair.given(&question.constants, &of_batch, nominal, false)? else { return Ok(()) };
    if let (Some(a), Some(b), Some(one), Some(other)) = (&given.continuous, &given.batches, &pair.continuous, &pair.batch) {
        let until = (pair.lengths.campaign - pair.lengths.turnaround) * one.day;
        let volume = one.counted.run(&question.constants, 0.0, until)?.volume;
        let of_one = other.counted.run(&of_batch, 0.0, pair.lengths.batch * other.day)?.volume;
        let unitless = |(measure, value): (Measure, f64)| Figure {
            measure: told_of(measure),
            value,
            low: None,
            high: None,
            unit: "1".to_owned(),
        };
        out.beside = Some(Beside {
            campaign_d: pair.lengths.campaign,
            collected_from_d: collected_from / question.day,
            ways: vec![one.view(Way::Continuous, a, volume), other.view(Way::FedBatch, b, of_one)],
            ratios: pair.ratios(&given).into_iter().map(unitless).collect(),
        });
        if collected_from >= until {
            out.warnings.push(Text::new(
                "製造期間のうちに定常に達しないため、回収は 0 です。期間を延ばすか、播種密度を上げてください",
                "steady state is not reached within the campaign, so nothing is collected: make it longer, or start with more cells",
            ));
        }
        if b.cultures == 0.0 {
            out.warnings.push(Text::new("製造期間が流加培養 1 回より短いです", "the campaign is shorter than one batch"));
        }
    }
    attributes(&pair, nominal, &of_batch, out)?;
    draws(context, input, &pair, nominal, &spreads, out)
}

/// Attributes that the continuous model observes, and the same of the batch's end where its model tells them.
fn attributes(pair: &Pair<'_>, nominal: &Steady, of_batch: &[f64], out: &mut Continuous) -> Result<()> {
    let model = &pair.question.reactor.model;
    let end = match &pair.batch {
        Some(side) => {
            let options = toji_culture::kernel::Options::default();
            let course = side.counted.model.system.simulate(of_batch, &[0.0, pair.lengths.batch * side.day], &options)?;
            Some((side, course.at(1).to_vec()))
        }
        None => None,
    };
    for name in pair.question.reactor.observed() {
        let Some(described) = model.described(name) else { continue };
        let fed_batch = end.as_ref().and_then(|(side, values)| {
            let of = side.counted.model.described(name).filter(|d| d.unit.commensurable(&described.unit))?;
            of.unit.convert(values[side.counted.model.system.quantity(name).ok()?], &described.unit).ok()
        });
        out.quality.push(Attribute {
            quantity: name.to_owned(),
            label: described.label.clone(),
            continuous: nominal.quantities[model.system.quantity(name)?],
            fed_batch,
            unit: described.unit.code().to_owned(),
        });
    }
    Ok(())
}

/// Constants under a draw: times what is drawn, or as drawn elsewhere; those that a model does not have are the other's.
fn under(
    model: &toji_culture::model::Model,
    nominal: &[f64],
    factors: &[(&str, f64)],
    set: Option<&BTreeMap<String, f64>>,
) -> Vec<f64> {
    let mut constants = nominal.to_vec();
    let place = |name: &str| model.system.constant(name).ok();
    for (name, value) in set.into_iter().flatten() {
        if let Some(place) = place(name) {
            constants[place] = *value;
        }
    }
    for (name, factor) in factors {
        if let Some(place) = place(name) {
            constants[place] *= factor;
        }
    }
    constants
}

fn draws(
    context: &Context,
    input: &Input,
    pair: &Pair<'_>,
    nominal: &Steady,
    spreads: &[Spread],
    out: &mut Continuous,
) -> Result<()> {
    let n = match (input.posterior.len(), spreads.is_empty()) {
        (0, true) => return Ok(()),
        (0, false) => input.draws,
        (given, _) => given,
    };
    let reactor = &pair.question.reactor;
    let names = spreads.iter().map(|s| ("uncertain", &s.name));
    for (field, name) in names.chain(input.posterior.iter().flat_map(|d| d.keys().map(|k| ("posterior", k)))) {
        let in_batch = pair.batch.as_ref().is_some_and(|b| b.counted.model.system.constant(name).is_ok());
        if !in_batch {
            reactor.model.system.constant(name).map_err(|e: Error| e.at(Place::field(format!("{field}.{name}"))))?;
        }
    }
    if let Some(bad) = spreads.iter().find(|s| !(s.relative.is_finite() && s.relative >= 0.0)) {
        return Err(refused(
            &format!("uncertain.{}", bad.name),
            "相対標準偏差は 0 以上にしてください",
            "a relative standard deviation is at least 0",
        ));
    }
    let mut chance = Chance::new(context.seed);
    let mut figures: Vec<(Told, Vec<f64>)> = out.figures.iter().map(|f| (f.measure, Vec::new())).collect();
    let mut sums: BTreeMap<(bool, usize), Vec<f64>> = BTreeMap::new();
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); OF_WAYS.len()];
    let mut failed = 0;
    for draw in 0..n {
        context.progress.step(draw as u64, Some(n as u64), "不確かさを計算しています", "drawing uncertain constants")?;
        let factors = drawn(spreads, &mut chance);
        let set = input.posterior.get(draw);
        let constants = under(&reactor.model, &pair.question.constants, &factors, set);
        let of_batch = pair.batch.as_ref().map(|b| under(&b.counted.model, &b.constants, &factors, set)).unwrap_or_default();
        let Ok(Some(given)) = pair.given(&constants, &of_batch, nominal, true) else {
            failed += 1;
            continue;
        };
        for (told, values) in &mut figures {
            values.extend(given.figures.iter().find(|f| f.measure == *told).map(|f| f.value));
        }
        for (first, side, of_side) in [(true, &pair.continuous, &given.continuous), (false, &pair.batch, &given.batches)] {
            let (Some(side), Some(of_side)) = (side, of_side) else { continue };
            for (i, measure) in OF_WAYS.iter().enumerate() {
                sums.entry((first, i)).or_default().push(of(of_side, *measure) * side.factors[i].0);
            }
        }
        for (measure, value) in pair.ratios(&given) {
            ratios[usize::from(measure == Measure::PerMedium)].push(value);
        }
    }
    for (figure, (_, values)) in out.figures.iter_mut().zip(&mut figures) {
        // What tells of the way to the steady state is not drawn: a neighbour is followed there.
        if !matches!(figure.measure, Told::TimeToSteady | Told::TimeToProductive) {
            bound(figure, values);
        }
    }
    if let Some(beside) = &mut out.beside {
        for (k, way) in beside.ways.iter_mut().enumerate() {
            for (i, figure) in way.figures.iter_mut().enumerate() {
                bound(figure, sums.entry((k == 0, i)).or_default());
            }
        }
        for (figure, values) in beside.ratios.iter_mut().zip(&mut ratios) {
            bound(figure, values);
        }
    }
    if failed > 0 {
        out.warnings.push(Text::new(
            format!("{n} 回のうち {failed} 回は細胞のある定常状態がなく、区間に入っていません"),
            format!("{failed} of {n} draws have no steady state with cells and enter no interval"),
        ));
    }
    out.drawn = Some(Drawn { draws: n, failed, seed: context.seed });
    Ok(())
}

fn bound(figure: &mut Figure, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    (figure.low, figure.high) = (quantile(values, TAIL), quantile(values, 1.0 - TAIL));
}

/// A quantile of sorted values, between neighbours by a straight line.
fn quantile(values: &[f64], at: f64) -> Option<f64> {
    let place = at * (values.len().checked_sub(1)?) as f64;
    let below = place.floor() as usize;
    let (a, b) = (*values.get(below)?, *values.get(below + 1).unwrap_or(values.get(below)?));
    Some(a + (place - below as f64) * (b - a))
}
