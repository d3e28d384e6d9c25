//! A steady state in words and in units that people use.

use super::{Continuous, Figure, Mode, Outcome, Proof, Question, Standing, Told};
use toji_core::{Result, Text, Unit};
use toji_culture::continuous::{Found, Measure, Missed, Reactor, Steady};
use toji_culture::model::Kind;

/// Factors from the model's units to those that are shown, and their codes.
pub(super) struct Units {
    per_volume: (f64, String),
    per_medium: (f64, String),
    per_cell: (f64, String),
    perfusion_per_cell: (f64, String),
    day: f64,
}

/// The factor to the first of these units that fits; else the unit stays.
pub(super) fn shown(unit: &Unit, wanted: &[&str]) -> (f64, String) {
    let fits = |code: &&str| Some((unit.convert(1.0, &Unit::parse(code).ok()?).ok()?, (*code).to_owned()));
    wanted.iter().find_map(fits).unwrap_or_else(|| (1.0, unit.code().to_owned()))
}

impl Units {
    pub(super) fn new(reactor: &Reactor) -> Result<Self> {
        let (amount, volume, time) = reactor.units()?;
        let day = Unit::parse("d")?.convert(1.0, &time)?;
        let amount = amount.unwrap_or_else(Unit::one);
        let of_cells =
            reactor.cells().first().and_then(|c| reactor.model.described(c)).map_or_else(Unit::one, |d| d.unit.clone());
        let cells = of_cells.times(&volume)?;
        Ok(Self {
            per_volume: shown(&amount.per(&volume)?.per(&time)?, &["g/(L.d)", "mol/(L.d)"]),
            per_medium: shown(&amount.per(&volume)?, &["g/L", "mol/L"]),
            per_cell: shown(&amount.per(&cells)?.per(&time)?, &["mg/(10*9.d)", "g/(g.d)", "mol/(g.d)"]),
            perfusion_per_cell: shown(&volume.per(&cells)?.per(&time)?, &["mL/(10*9.d)", "L/(g.d)"]),
            day,
        })
    }

    pub(super) fn of(&self, measure: Measure) -> &(f64, String) {
        match measure {
            Measure::PerVolume => &self.per_volume,
            Measure::PerMedium => &self.per_medium,
            Measure::PerCell => &self.per_cell,
        }
    }
}

pub(super) fn told_of(measure: Measure) -> Told {
    match measure {
        Measure::PerVolume => Told::PerVolume,
        Measure::PerMedium => Told::PerMedium,
        Measure::PerCell => Told::PerCell,
    }
}

pub(super) fn state(found: &Found) -> Outcome {
    match found.steady() {
        Some(steady) if steady.washed_out => Outcome::WashedOut,
        Some(_) => Outcome::Steady,
        None => Outcome::NoSteadyState,
    }
}

pub(super) fn why(missed: &Missed) -> Text {
    match missed {
        Missed::NoOutflow => Text::new(
            "流出がないため定常状態に達しません（流加培養や回分培養です）",
            "nothing flows out, so there is no steady state: this is a batch or fed-batch",
        ),
        Missed::Driven => Text::new("速度が時刻そのものに依存しています", "the rates depend on time itself"),
        Missed::Volume(change) => Text::new(
            format!("液量が一定になりません（1 回の液量交換で {:.2} % 変化）。流入と流出をそろえてください", 100.0 * change),
            format!("the volume goes on changing ({:.2} % in one exchange): make flows in and out equal", 100.0 * change),
        ),
        Missed::Changing(name, change) => Text::new(
            format!("«{name}» が変化し続けます（1 回の液量交換で {:.2} %）。振動または蓄積です", 100.0 * change),
            format!("«{name}» goes on changing ({:.2} % in one exchange): it swings or piles up", 100.0 * change),
        ),
        Missed::Backwards(name) => Text::new(
            format!("流れ «{name}» が逆向きになります（ブリードが灌流速度を超えるなど）"),
            format!("the flow «{name}» runs backwards (a bleed that exceeds the perfusion, for instance)"),
        ),
    }
}

fn figure(measure: Told, value: f64, unit: &str) -> Figure {
    Figure { measure, value, low: None, high: None, unit: unit.to_owned() }
}

/// Figures of a steady state; without intervals.
pub(super) fn figures(question: &Question, steady: &Steady) -> Result<Vec<Figure>> {
    let reactor = &question.reactor;
    let units = Units::new(reactor)?;
    let it = reactor.measures(&steady.quantities);
    let code = |name: &str| reactor.model.described(name).map_or_else(String::new, |d| d.unit.code().to_owned());
    let day = units.day;
    let mut all = vec![figure(Told::Dilution, it.dilution * day, "/d")];
    if !steady.washed_out {
        for measure in super::MEASURES {
            let (factor, unit) = units.of(measure);
            all.extend(it.of(measure).map(|v| figure(told_of(measure), v * factor, unit)));
        }
        let (factor, unit) = &units.perfusion_per_cell;
        all.extend(it.perfusion_per_cell.map(|v| figure(Told::PerfusionPerCell, v * factor, unit)));
        all.extend(it.residence.map(|v| figure(Told::Residence, v / day, "d")));
        let product = question.roles.product.as_deref().unwrap_or_default();
        all.extend(it.titre.map(|v| figure(Told::Titre, v, &code(product))));
        all.extend(it.harvested_titre.map(|v| figure(Told::HarvestTitre, v, &code(product))));
        let cells = reactor.cells().first().map(|c| code(c)).unwrap_or_default();
        all.extend(it.cells.map(|v| figure(Told::Cells, v, &cells)));
    }
    all.extend(steady.reached.map(|v| figure(Told::TimeToSteady, v / day, "d")));
    all.extend(steady.productive.map(|v| figure(Told::TimeToProductive, v / day, "d")));
    all.extend(steady.slowest().map(|v| figure(Told::SlowestMode, v / day, "d")));
    Ok(all)
}

/// The answer without sweep and comparison.
pub(super) fn told(question: &Question, found: &Found) -> Result<Continuous> {
    let model = &question.reactor.model;
    let mut out = Continuous {
        id: model.id.clone(),
        title: model.title.clone(),
        source: model.source.clone(),
        verdict: state(found),
        why: None,
        cells: question.reactor.cells().into_iter().map(str::to_owned).collect(),
        harvest: question.reactor.harvested().into_iter().map(str::to_owned).collect(),
        figures: Vec::new(),
        beside: None,
        quality: Vec::new(),
        proof: None,
        states: Vec::new(),
        critical: Vec::new(),
        best: Vec::new(),
        sweep_units: Vec::new(),
        sweep: Vec::new(),
        drawn: None,
        warnings: Vec::new(),
    };
    let steady = match found {
        Found::Missed(missed) => {
            out.why = Some(why(missed));
            return Ok(out);
        }
        Found::Steady(steady) => steady,
    };
    out.figures = figures(question, steady)?;
    let day = question.day;
    out.proof = Some(Proof {
        integrated_d: steady.integrated.map(|t| t / day),
        change: steady.change,
        residual: steady.residual,
        newton_steps: steady.steps,
        newton_moved: steady.moved,
        volume_change: steady.volume_change,
        stable: steady.stable,
        eigenvalues: steady.eigenvalues.iter().map(|e| Mode { real_per_d: e.0 * day, imaginary_per_d: e.1 * day }).collect(),
    });
    let observed = question.reactor.observed();
    for described in &model.described {
        let of_flow = described.kind == Kind::Observed && !observed.contains(&described.name.as_str());
        if described.kind == Kind::Constant || of_flow {
            continue;
        }
        out.states.push(Standing {
            quantity: described.name.clone(),
            label: described.label.clone(),
            value: steady.quantities[model.system.quantity(&described.name)?],
            unit: described.unit.code().to_owned(),
        });
    }
    if out.cells.is_empty() {
        out.warnings.push(Text::new(
            "細胞の種が分からないため、ウォッシュアウトと細胞あたりの値は求めていません。cells で指定できます",
            "no species is known to be the cells, so wash-out and figures per cell are left out: name them by cells",
        ));
    }
    if steady.stable.is_none() {
        out.warnings
            .push(Text::new("固有値が求まらず、安定性は判定していません", "no eigenvalues were found: stability is not judged"));
    }
    Ok(out)
}
