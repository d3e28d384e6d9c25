//! A gas fermentation's campaign at random: a space, a plan whose numbers some of its factors set, data that promise
//! most where it would burn, a batch; proposed, and every proposed point lived through.

use crate::truth::{live_through, uniform};
use toji_core::Unit;
use toji_core::chance::Chance;
use toji_culture::campaign::{
    Batch, Direction, Edge, Factor, Goal, History, Kind, Limit, Measured, Output, Problem, Run, Settings, Space, StopRule, Why,
    propose,
};
use toji_culture::envelope::path::{Faults, Range, Taken};
use toji_culture::envelope::rule::LOC;
use toji_culture::envelope::{Bound, Filter, Inflow, Mixture, Phase, Plan, Rule, Rules, Slot, Template, check};

/// Courses of every proposed point that are lived through.
const COURSES: usize = 2;

/// The numbers of a plan that factors may set: flows in mol/h, times in min.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    hydrogen: f64,
    oxygen: f64,
    carbon_dioxide: f64,
    nitrogen: f64,
    purge: f64,
    start_up: f64,
    response: f64,
    head_space: f64,
    air: bool,
}

/// What of a campaign does not change with its points.
#[derive(Debug, Clone)]
struct Plant {
    start: Mixture,
    sparged_oxygen: bool,
    premixed: bool,
    taken: [f64; 3],
    sure: bool,
    supplies: bool,
    answered: bool,
    change: bool,
}

fn inflow(name: &str, mixture: Mixture, low: f64, high: f64, sparged: bool) -> Inflow {
    Inflow { name: name.into(), mixture, low_mol_per_h: low, high_mol_per_h: high, sparged }
}

fn phase(name: &str, kind: toji_culture::envelope::Kind, minutes: Option<f64>, inflows: Vec<Inflow>) -> Phase {
    Phase { name: name.into(), kind, minutes, inflows, uptake: Taken::default(), premixed: false }
}

impl Plant {
    fn random(chance: &mut Chance) -> Self {
        Self {
            start: if chance.below(2) == 0 { Mixture::AIR } else { Mixture::NITROGEN },
            sparged_oxygen: chance.below(4) > 0,
            premixed: chance.below(12) == 0,
            taken: [6.0, 1.0, 1.5].map(|most| most * uniform(chance)),
            sure: chance.below(2) == 0,
            supplies: chance.below(2) == 0,
            answered: chance.below(4) > 0,
            change: chance.below(3) == 0,
        }
    }

    /// The plan with these numbers, written out: start-up, purge, operation, perhaps a change, shutdown, and the trip.
    fn plan(&self, n: &Numbers) -> Plan {
        use toji_culture::envelope::Kind as K;
        let source = if n.air { Mixture::AIR } else { Mixture::OXYGEN };
        let gases = |low: f64| {
            vec![
                inflow("H2", Mixture::HYDROGEN, low * n.hydrogen, n.hydrogen, true),
                inflow("O2", source, low * n.oxygen, n.oxygen, self.sparged_oxygen),
                inflow("CO2", Mixture::CARBON_DIOXIDE, low * n.carbon_dioxide, n.carbon_dioxide, true),
                inflow("N2", Mixture::NITROGEN, n.nitrogen, n.nitrogen, false),
            ]
        };
        let purging = || vec![inflow("purge", Mixture::NITROGEN, 40.0, 40.0, false)];
        let mut operation = phase("operation", K::Steady, Some(600.0), gases(1.0));
        let range = |high: f64| Range { low: if self.sure { high } else { 0.0 }, high };
        let [h, o, c] = self.taken;
        operation.uptake = Taken { hydrogen: range(h), oxygen: range(o), carbon_dioxide: range(c) };
        operation.premixed = self.premixed;
        let mut phases =
            vec![phase("purge", K::Purge, Some(n.purge), purging()), phase("start-up", K::StartUp, Some(n.start_up), gases(0.0))];
        phases.push(operation.clone());
        if self.change {
            phases.push(Phase { name: "change".into(), kind: K::SetPoint, minutes: Some(120.0), ..operation });
        }
        phases.push(phase("shutdown", K::Shutdown, Some(60.0), purging()));
        let faults = Faults {
            agitation: true,
            supplies: self.supplies,
            response_minutes: self.answered.then_some(n.response),
            trip: vec![phase("trip", K::Shutdown, Some(30.0), purging())],
        };
        Plan { head_space_mol: n.head_space, start: self.start, phases, faults }
    }
}

/// A number that a factor may set, with its range, and how to put it in.
type Knob = (&'static str, f64, f64, &'static str, fn(&mut Numbers, f64), Slot);

fn knobs() -> Vec<Knob> {
    let flow = |supply: &str| Slot::Flow { supply: supply.into(), phase: None };
    let minutes = |phase: &str| Slot::Minutes { phase: phase.into() };
    vec![
        ("hydrogen", 0.1, 15.0, "mol/h", |n, v| n.hydrogen = v, flow("H2")),
        ("oxygen", 0.01, 2.5, "mol/h", |n, v| n.oxygen = v, flow("O2")),
        ("carbon dioxide", 0.1, 4.0, "mol/h", |n, v| n.carbon_dioxide = v, flow("CO2")),
        ("nitrogen", 0.5, 14.0, "mol/h", |n, v| n.nitrogen = v, flow("N2")),
        ("purge", 1.0, 60.0, "min", |n, v| n.purge = v, minutes("purge")),
        ("start-up", 1.0, 60.0, "min", |n, v| n.start_up = v, minutes("start-up")),
        ("response", 0.05, 6.0, "min", |n, v| n.response = v, Slot::Response),
        ("head space", 0.3, 5.0, "mol", |n, v| n.head_space = v, Slot::HeadSpace),
    ]
}

/// A factor and how its value becomes a number of the plan.
struct Bind {
    put: fn(&mut Numbers, f64),
    /// By hand: 1 mmol/min is 0.06 mol/h, 1 s is 1/60 min.
    factor: f64,
}

struct Campaign {
    space: Space,
    binds: Vec<Option<Bind>>,
    /// Place of the choice between oxygen and air, if there is one.
    source: Option<usize>,
    numbers: Numbers,
    plant: Plant,
    filter: Filter,
    rules: Rules,
}

impl Campaign {
    fn random(chance: &mut Chance) -> Self {
        let mut plant = Plant::random(chance);
        // Three of four are sensible (little oxygen, much nitrogen, a long purge), so that there is something to propose.
        let sensible = chance.below(4) > 0;
        plant.premixed &= !sensible;
        let mut numbers = Numbers {
            hydrogen: 8.0 * uniform(chance),
            oxygen: if sensible { 0.2 } else { 0.5 } * uniform(chance),
            carbon_dioxide: 2.0 * uniform(chance),
            nitrogen: if sensible { 12.0 } else { 3.0 } + 6.0 * uniform(chance),
            purge: if sensible { 30.0 } else { 5.0 } + 40.0 * uniform(chance),
            start_up: 5.0 + 20.0 * uniform(chance),
            response: 0.1 + 2.0 * uniform(chance),
            head_space: 0.5 + 3.0 * uniform(chance),
            air: chance.below(2) == 0,
        };
        let (mut factors, mut binds, mut bound) = (Vec::new(), Vec::new(), Vec::new());
        let first = chance.below(2);
        for (i, (name, low, high, unit, put, slot)) in knobs().into_iter().enumerate() {
            if i != first && chance.below(5) > 1 {
                continue;
            }
            let (unit, factor) = match (unit, chance.below(3)) {
                ("mol/h", 0) => ("mmol/min", 0.06),
                ("min", 0) => ("s", 1.0 / 60.0),
                _ => (unit, 1.0),
            };
            let (low, high) = match name {
                "oxygen" if sensible => (low, 0.5 * high),
                "nitrogen" | "purge" if sensible => (0.3 * high, 1.5 * high),
                _ => (low, high),
            };
            let (a, b) = (low + 0.4 * (high - low) * uniform(chance), high * (0.5 + 0.5 * uniform(chance)));
            let (low, high) = (a.min(b * 0.9) / factor, b / factor);
            let kind = match chance.below(4) {
                0 => Kind::Continuous { low, high, step: Some((high - low) / 12.0), logarithmic: false },
                1 => Kind::Continuous { low, high, step: None, logarithmic: true },
                2 if high - low > 4.0 => Kind::Integer { low: low.ceil() as i32, high: high.floor() as i32 },
                _ => Kind::Continuous { low, high, step: None, logarithmic: false },
            };
            let hard_to_change = chance.below(4) == 0;
            factors.push(Factor { name: name.into(), unit: Unit::parse(unit).unwrap(), kind, hard_to_change });
            binds.push(Some(Bind { put, factor }));
            bound.push(Bound { factor: name.into(), sets: slot });
        }
        let source = (chance.below(4) == 0).then_some(factors.len());
        if source.is_some() {
            let kind = Kind::Choice { options: vec!["oxygen".into(), "air".into()] };
            factors.push(Factor { name: "source".into(), unit: Unit::parse("1").unwrap(), kind, hard_to_change: false });
            binds.push(None);
            let options = vec![Mixture::OXYGEN, Mixture::AIR];
            bound.push(Bound { factor: "source".into(), sets: Slot::Mixture { supply: "O2".into(), options } });
        }
        if chance.below(2) == 0 {
            factors.push(Factor::continuous("temperature", Unit::parse("Cel").unwrap(), 26.0, 38.0).shared());
            binds.push(None);
        }
        numbers.air &= source.is_none();
        // A factor that says when the trip comes says that one comes.
        plant.answered |= bound.iter().any(|b| b.sets == Slot::Response);
        let space = Space::new(factors).unwrap();
        let mut rules = Rules::standard();
        if chance.below(4) == 0 {
            let of = |id: &str, value: f64| Rule { value, ..rules.rules.iter().find(|r| r.id == id).unwrap().clone() };
            let stricter = of(LOC, 4.0);
            assert!(rules.tighten(stricter));
        }
        let filter = Template { plan: plant.plan(&numbers), bound }.filter(&space, &rules).unwrap();
        Self { space, binds, source, numbers, plant, filter, rules }
    }

    /// The plan of a point, by hand.
    fn plan(&self, point: &[f64]) -> Plan {
        let mut numbers = self.numbers;
        for (value, bind) in point.iter().zip(&self.binds) {
            if let Some(bind) = bind {
                (bind.put)(&mut numbers, value * bind.factor);
            }
        }
        if let Some(source) = self.source {
            numbers.air = point[source] == 1.0;
        }
        self.plant.plan(&numbers)
    }

    fn somewhere(&self, chance: &mut Chance) -> Vec<f64> {
        self.space.point(&(0..self.space.dimensions()).map(|_| uniform(chance)).collect::<Vec<_>>())
    }

    /// More hydrogen and oxygen always seem better: what is sought lies beyond the envelope.
    fn promise(&self, point: &[f64]) -> f64 {
        let mut cube = self.space.place(point).unwrap();
        cube.truncate(self.binds.len());
        let pull = |(i, c): (usize, &f64)| if i < 2 { 3.0 * c } else { 0.5 * c };
        cube.iter().enumerate().map(pull).sum()
    }

    fn history(&self, chance: &mut Chance) -> History {
        let mut history = History::default();
        for _ in 0..chance.below(9) {
            let mut point = self.somewhere(chance);
            for (value, factor) in point.iter_mut().zip(self.space.factors()) {
                // Runs of an earlier plant: beside the steps, or beyond the range.
                if let (Kind::Continuous { low, high, logarithmic: false, .. }, 0) = (&factor.kind, chance.below(6)) {
                    *value = low + (high - low) * (1.3 * uniform(chance) - 0.1);
                }
            }
            let value = self.promise(&point) + 0.1 * chance.normal();
            let second = (chance.below(4) > 0).then_some(Measured { value: chance.normal(), sd: None });
            history.runs.push(Run { point, results: vec![Some(Measured { value, sd: None }), second] });
        }
        history.pending = (0..chance.below(3)).map(|_| self.somewhere(chance)).collect();
        history
    }

    fn batch(&self, chance: &mut Chance) -> Batch {
        let mut batch = Batch::of_groups(1 + chance.below(2), 1 + chance.below(3));
        batch.replicates = chance.below(batch.units().min(2) + 1);
        batch.groups[0].positions[0].edge = true;
        batch.edge = [Edge::AsAny, Edge::ForTrying][chance.below(2)];
        if chance.below(4) == 0 {
            let place = chance.below(self.space.factors().len());
            batch.groups[0].fixed = vec![(place, self.somewhere(chance)[place])];
        }
        batch
    }
}

/// What became of campaigns.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    /// Campaigns.
    pub(crate) campaigns: usize,
    /// Campaigns of which nothing was proposed, since nothing was found to be safe.
    pub(crate) nothing_safe: usize,
    /// Of those, points drawn at random that are safe all the same, of 64 each.
    pub(crate) safe_all_the_same: usize,
    /// Points proposed.
    pub(crate) proposed: usize,
    /// Of those, repeats of runs.
    pub(crate) repeats: usize,
    /// Candidates that the envelope refused.
    pub(crate) refused: usize,
    /// Points drawn at random of the spaces of campaigns, and those of them that cross.
    pub(crate) drawn: usize,
    /// Those that cross.
    pub(crate) crossing: usize,
    /// Instants of the paths of proposed points that were looked at.
    pub(crate) looked_at: usize,
}

/// Draws the campaign of a seed, proposes and looks.
pub(crate) fn one(seed: u64, tally: &mut Tally) {
    let mut chance = Chance::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5afe);
    let campaign = Campaign::random(&mut chance);
    let (history, batch) = (campaign.history(&mut chance), campaign.batch(&mut chance));
    let outputs =
        [("titre", "g/L"), ("acetate", "g/L")].map(|(name, unit)| Output { name: name.into(), unit: Unit::parse(unit).unwrap() });
    let limits = [Limit { output: 1, at_least: None, at_most: Some(1.0) }];
    let allowed = |point: &[f64]| campaign.filter.allows(point);
    let problem = Problem {
        space: &campaign.space,
        outputs: &outputs,
        goal: Goal { output: 0, direction: Direction::Maximise },
        limits: &limits[..chance.below(2)],
        allowed: &allowed,
        stop: StopRule::default(),
    };
    let mut settings = Settings { draws: 16, raw: 16, polish: 1, shared: 2, ..Settings::default() };
    settings.model.starts = 1;
    tally.campaigns += 1;
    for _ in 0..4 {
        let point = campaign.somewhere(&mut chance);
        tally.drawn += 1;
        let plan = campaign.plan(&point);
        let crosses = !check(&plan, &campaign.rules).unwrap().permitted;
        tally.crossing += usize::from(crosses);
        assert_eq!(campaign.filter.allows(&point).is_err(), crosses, "seed {seed}: the filter and the plan by hand agree");
    }
    let found = match propose(&problem, &history, &batch, &settings, seed) {
        Ok(found) => found,
        Err(error) => {
            let message = &error.fault().message;
            let said = error.code() == "E-CAMPAIGN-030" && message.en.contains('%') && message.ja.contains('「');
            assert!(said || message.en.contains("pressure"), "seed {seed}: {error:?}");
            tally.nothing_safe += 1;
            tally.safe_all_the_same += (0..64).filter(|_| allowed(&campaign.somewhere(&mut chance)).is_ok()).count();
            return;
        }
    };
    assert_eq!(found.runs.len(), batch.units(), "seed {seed}");
    tally.refused += found.refused;
    for run in &found.runs {
        let plan = campaign.plan(&run.point);
        let outcome = check(&plan, &campaign.rules).unwrap();
        assert!(outcome.permitted, "seed {seed}: {:?} is proposed: {:?}", run.point, outcome.first);
        for _ in 0..COURSES {
            tally.looked_at += live_through(&plan, &mut chance);
        }
        tally.proposed += 1;
        tally.repeats += usize::from(run.why == Why::Replicate);
    }
}
