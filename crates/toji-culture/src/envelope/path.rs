//! The whole path: phases one after the other, and what happens when agitation or a gas supply fails at any instant.
//!
//! The head space is well mixed at constant pressure: `n·dy/dt = G − y·ΣG`, where G is what enters from gas fed above
//! the broth and from sparged gas less its uptake. While flows and uptake hold, `y(t) = z + (y₀ − z)·e^(−ΣG·t/n)` with
//! `z = G/ΣG`: the composition runs along the straight chord from y₀ to z, and a chord is checked exactly by clipping
//! it with the limits, so no instant is missed.
//!
//! Where flows or uptake are only known to lie in ranges (uptake anywhere from none to what transfer permits, a
//! ramp, a failing valve), z lies in the hull of the z at the corners of the ranges, because a quotient of linear
//! functions with a positive denominator maps segments to segments. Whatever the course in time, y is a mean of y₀
//! and such z, so it stays in their common hull. The hull is checked: it may forbid too much, never too little.
//!
//! A fault may begin at any instant of its phase: it starts from everything the phase can reach, not from its end.

use super::mixture::{Mixture, Standing};
use super::polygon::{Half, Point, blend, clip, hull};
use super::rule::{Edges, Rules};
use crate::gas::henry::{Gas, kla_from_oxygen, solubility};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// Most phases of a plan and inflows of a phase.
const PHASES_MOST: usize = 100;
const INFLOWS_MOST: usize = 16;

/// What a phase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Air or hydrogen is driven out.
    ///
    /// 空気または水素を追い出す。
    Purge,
    /// Gases are brought in.
    ///
    /// ガスを入れ始める。
    StartUp,
    /// Flows are changed: give both ends as a range.
    ///
    /// 流量を変える。両端を範囲で与える。
    SetPoint,
    /// Flows hold.
    ///
    /// 流量を保つ。
    Steady,
    /// Gases are driven out at the end, or after a trip.
    ///
    /// 終了時または緊急停止後にガスを追い出す。
    Shutdown,
}

/// A gas that enters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inflow {
    /// Name of the supply.
    ///
    /// 供給の名前。
    pub name: String,
    /// Its composition.
    ///
    /// その組成。
    pub mixture: Mixture,
    /// Least flow, mol/h.
    ///
    /// 最小流量、mol/h。
    pub low_mol_per_h: f64,
    /// Highest flow, mol/h. Equal to the least: it holds.
    ///
    /// 最大流量、mol/h。最小と等しければ一定。
    pub high_mol_per_h: f64,
    /// Through the broth, where it can be taken up, and not straight into the head space.
    ///
    /// ヘッドスペースに直接でなく、取り込まれうる培養液を通すか。
    #[serde(default)]
    pub sparged: bool,
}

/// Range of the uptake of one gas, mol/h for the whole culture. Below zero: given off.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Least.
    ///
    /// 最小。
    pub low: f64,
    /// Highest: what cells can take, or what transfer permits, whichever is less.
    ///
    /// 最大: 菌体が取り込める量と移動の上限の小さいほう。
    pub high: f64,
}

/// Uptake in a phase. What is taken up never exceeds what is sparged.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// H2.
    ///
    /// H2 の範囲。
    #[serde(default)]
    pub hydrogen: Range,
    /// O2.
    ///
    /// O2 の範囲。
    #[serde(default)]
    pub oxygen: Range,
    /// CO2.
    ///
    /// CO2 の範囲。
    #[serde(default)]
    pub carbon_dioxide: Range,
}

impl Taken {
    /// Uptake bounded by transfer: at least nothing, at most what the cells can take (H2, O2, CO2; mol/h) or what
    /// passes into a broth without any of the gas, `kLa·V·H·p·y`, at the richest gas it meets (mol/mol), whichever is less.
    #[must_use]
    pub fn by_transfer(kinetic_mol_per_h: [f64; 3], richest: [f64; 3], kla_oxygen_per_h: f64, volume_l: f64, at: Broth) -> Self {
        let kelvin = at.temperature_c + 273.15;
        let range = |i: usize, gas: Gas| {
            let driving = solubility(gas, kelvin) * at.pressure_bar * 1e5 * richest[i];
            let most = kla_from_oxygen(gas, kla_oxygen_per_h) * volume_l * 1e-3 * driving;
            Range { low: 0.0, high: kinetic_mol_per_h[i].min(most).max(0.0) }
        };
        Self { hydrogen: range(0, Gas::Hydrogen), oxygen: range(1, Gas::Oxygen), carbon_dioxide: range(2, Gas::CarbonDioxide) }
    }
}

/// State of the broth that transfer depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broth {
    /// Temperature, °C.
    pub temperature_c: f64,
    /// Pressure, bar absolute.
    pub pressure_bar: f64,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Name.
    ///
    /// 名前。
    pub name: String,
    /// What it is for.
    ///
    /// 何のための工程か。
    pub kind: Kind,
    /// How long, min. `None`: for as long as it likes; only the last phase.
    ///
    /// 長さ、分。最後の工程だけは省略でき、いつまでも続くものとする。
    #[serde(default)]
    pub minutes: Option<f64>,
    /// Gases that enter.
    ///
    /// 入るガス。
    pub inflows: Vec<Inflow>,
    /// Uptake.
    ///
    /// 取込み。
    #[serde(default)]
    pub uptake: Taken,
    /// Are the sparged gases mixed in one line or one sparger before they meet the broth?
    ///
    /// 通気するガスを、培養液に入る前に一つの配管やスパージャーで混ぜるか。
    #[serde(default)]
    pub premixed: bool,
}

/// What may fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Agitation: uptake drops, unreacted gas reaches the head space.
    ///
    /// 撹拌。取込みが落ち、未反応のガスがヘッドスペースに達する。
    pub agitation: bool,
    /// Each gas supply, one at a time, to any degree.
    ///
    /// 各ガスの供給。一つずつ、程度は問わない。
    pub supplies: bool,
    /// How long until the trip closes the supplies, min. `None`: nobody answers.
    ///
    /// 緊急停止までの時間、分。省略すると誰も対応しない。
    #[serde(default)]
    pub response_minutes: Option<f64>,
    /// What follows the trip.
    ///
    /// 緊急停止の後の工程。
    #[serde(default)]
    pub trip: Vec<Phase>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Gas in the head space, mol.
    ///
    /// ヘッドスペースのガス、mol。
    pub head_space_mol: f64,
    /// What is in the head space at the beginning.
    ///
    /// 初めにヘッドスペースにあるガス。
    pub start: Mixture,
    /// Phases in their order.
    ///
    /// 順に並べた工程。
    pub phases: Vec<Phase>,
    /// What may fail in any of them.
    ///
    /// どの工程でも起こりうる故障。
    pub faults: Faults,
}

/// Gas in a head space of so many litres, mol (ideal).
#[must_use]
pub fn head_space_mol(litres: f64, pressure_bar: f64, temperature_c: f64) -> f64 {
    pressure_bar * 1e5 * litres * 1e-3 / (8.314_462_618 * (temperature_c + 273.15))
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// A supply by itself.
    Supply,
    /// The line or sparger where gases meet.
    Feed,
    /// Gas that leaves the broth, before the head space thins it.
    Outlet,
    /// The head space.
    HeadSpace,
    /// More is taken up than enters: the pressure falls and air may come in.
    Suction,
}

/// What had failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "sort", content = "supply", rename_all = "kebab-case")]
pub enum Fault {
    /// Agitation.
    Agitation,
    /// A gas supply.
    Supply(String),
}

/// A time and place where the path comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Entry {
    /// Phase.
    pub phase: String,
    /// Number of the phase, from 1.
    pub number: usize,
    /// What had failed, if anything. Its phase is the one in which it begins.
    pub fault: Option<Fault>,
    /// Phase after the trip, if it comes about there.
    pub after_trip: Option<String>,
    /// Where.
    pub spot: Spot,
    /// How far in.
    pub standing: Standing,
    /// Minutes from the beginning of the plan: the earliest possible.
    pub minutes: f64,
    /// Is that the very instant, and not only the earliest the ranges permit?
    pub exact: bool,
    /// H2 there, mol/mol.
    pub hydrogen: f64,
    /// O2 there, mol/mol.
    pub oxygen: f64,
    /// In words.
    pub reason: Text,
}

/// What was found of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outcome {
    /// Is the whole path permitted?
    pub permitted: bool,
    /// The first entry.
    pub first: Option<Entry>,
    /// All, the earliest first; one for each phase, fault, place and standing.
    pub entries: Vec<Entry>,
    /// Set of rules and its version.
    pub by: String,
    /// What a verdict does not replace.
    pub caution: Text,
}

/// Amounts that enter the head space: H2, O2 and the rest, mol/h, each within a range.
struct Entering {
    low: [f64; 3],
    high: [f64; 3],
}

impl Entering {
    /// Both ends of every amount, combined.
    fn corners(&self) -> impl Iterator<Item = [f64; 3]> + '_ {
        (0..8_usize).map(|bits| [0, 1, 2].map(|i| if bits >> i & 1 == 1 { self.high[i] } else { self.low[i] }))
    }
    /// Compositions: the hull of those at the corners. Corners without gas are left out.
    fn compositions(&self) -> Vec<Point> {
        let share = |g: [f64; 3]| {
            let all = g[0] + g[1] + g[2];
            (all > 0.0).then(|| [g[0] / all, g[1] / all])
        };
        hull(self.corners().filter_map(share).collect())
    }
    fn least(&self) -> f64 {
        self.low.iter().sum()
    }
    fn most(&self) -> f64 {
        self.high.iter().sum()
    }
}

/// A phase with what fails in it, as ranges.
struct Course<'a> {
    phase: &'a Phase,
    fault: Option<&'a Fault>,
}

impl Course<'_> {
    fn range(&self, inflow: &Inflow) -> (f64, f64) {
        match self.fault {
            Some(Fault::Supply(name)) if *name == inflow.name => (0.0, inflow.high_mol_per_h),
            _ => (inflow.low_mol_per_h, inflow.high_mol_per_h),
        }
    }
    /// Flows of H2, O2, CO2 and N2, least and highest.
    fn flows(&self, sparged: bool) -> ([f64; 4], [f64; 4]) {
        let (mut low, mut high) = ([0.0; 4], [0.0; 4]);
        for inflow in self.phase.inflows.iter().filter(|f| f.sparged == sparged) {
            let (least, most) = self.range(inflow);
            for (i, share) in inflow.mixture.shares().into_iter().enumerate() {
                low[i] += least * share;
                high[i] += most * share;
            }
        }
        (low, high)
    }
    /// Uptake of H2, O2, CO2 and N2. Any fault may stop it, wholly or in part.
    fn uptake(&self) -> [Range; 4] {
        let of = &self.phase.uptake;
        let all = [of.hydrogen, of.oxygen, of.carbon_dioxide, Range::default()];
        if self.fault.is_some() { all.map(|r| Range { low: r.low.min(0.0), high: r.high.max(0.0) }) } else { all }
    }
    /// What is left of the sparged gas.
    fn outlet(&self) -> Entering {
        let ((low, high), uptake) = (self.flows(true), self.uptake());
        let least = [0, 1, 2, 3].map(|i| (low[i] - uptake[i].high).max(0.0));
        let most = [0, 1, 2, 3].map(|i| (high[i] - uptake[i].low).max(0.0));
        let three = |v: [f64; 4]| [v[0], v[1], v[2] + v[3]];
        Entering { low: three(least), high: three(most) }
    }
    fn feed(&self) -> Entering {
        let (low, high) = self.flows(true);
        let three = |v: [f64; 4]| [v[0], v[1], v[2] + v[3]];
        Entering { low: three(low), high: three(high) }
    }
    fn entering(&self) -> Entering {
        let ((low, high), mut all) = (self.flows(false), self.outlet());
        for (side, direct) in [(&mut all.low, low), (&mut all.high, high)] {
            side[0] += direct[0];
            side[1] += direct[1];
            side[2] += direct[2] + direct[3];
        }
        all
    }
    fn takes_up(&self) -> bool {
        self.uptake().iter().any(|r| r.high > 0.0)
    }
}

/// What a phase does to the compositions it begins from.
struct Reached {
    /// All compositions the head space can have during the phase.
    swept: Vec<Point>,
    /// Those it can have at the end.
    end: Vec<Point>,
}

struct Checker<'a> {
    plan: &'a Plan,
    edges: Edges,
    /// Only whether there is an entry, not when.
    brief: bool,
    entries: Vec<Entry>,
}

/// Where in the plan something is looked at.
#[derive(Clone, Copy)]
struct Here<'a> {
    number: usize,
    phase: &'a str,
    fault: Option<&'a Fault>,
    after_trip: Option<&'a str>,
    minutes: f64,
}

fn between(p: Point, q: Point, s: f64) -> Point {
    [p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1])]
}

fn together(a: &[Point], b: &[Point]) -> Vec<Point> {
    hull(a.iter().chain(b).copied().collect())
}

/// The least share at which a set begun at `from` can touch the half planes, up to `most`, and where.
fn first_share(from: &[Point], targets: &[Point], most: f64, halves: &[Half]) -> Option<(f64, Point)> {
    let touched = |s: f64| clip(&together(from, &blend(from, targets, s)), halves).first().copied();
    if let ([p], [z]) = (from, targets) {
        // One chord: the share at which the last of the half planes is entered.
        let (mut enter, mut leave) = (0.0_f64, most);
        for half in halves {
            let (at, to) = (half.depth(*p), half.depth(*z));
            if at < 0.0 && to <= at {
                return touched(most).map(|q| (most, q));
            }
            if at < 0.0 {
                enter = enter.max(at / (at - to));
            } else if to < 0.0 {
                leave = leave.min(at / (at - to));
            }
        }
        // Rounding at an edge counts as touching.
        if enter <= leave {
            return Some((enter, between(*p, *z, enter)));
        }
        return touched(most).map(|q| (enter.min(most), q));
    }
    touched(most)?;
    let (mut low, mut high) = (0.0, most);
    if touched(0.0).is_some() {
        high = 0.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if touched(middle).is_some() {
            high = middle;
        } else {
            low = middle;
        }
    }
    touched(high).map(|q| (high, q))
}

impl Checker<'_> {
    fn add(&mut self, here: Here<'_>, spot: Spot, standing: Standing, at: Point, exact: bool) {
        let known = |e: &Entry| {
            e.number == here.number
                && e.fault.as_ref() == here.fault
                && e.after_trip.as_deref() == here.after_trip
                && e.spot == spot
                && e.standing == standing
        };
        if self.entries.iter().any(known) {
            return;
        }
        let reason = self.words(here, spot, standing, at);
        self.entries.push(Entry {
            phase: here.phase.to_owned(),
            number: here.number,
            fault: here.fault.cloned(),
            after_trip: here.after_trip.map(str::to_owned),
            spot,
            standing,
            minutes: here.minutes,
            exact,
            hydrogen: at[0],
            oxygen: at[1],
            reason,
        });
    }

    fn words(&self, here: Here<'_>, spot: Spot, standing: Standing, at: Point) -> Text {
        let (h, o, t) = (at[0] * 100.0, at[1] * 100.0, here.minutes);
        let ([spot_ja, spot_en], phase) = (
            match spot {
                Spot::Supply => ["供給ガス", "a supply"],
                Spot::Feed => ["混合後の供給配管", "the feed line"],
                Spot::Outlet => ["培養液から出るガス", "gas that leaves the broth"],
                Spot::HeadSpace => ["ヘッドスペース", "the head space"],
                Spot::Suction => ["槽内圧", "the pressure"],
            },
            here.phase,
        );
        let ([mut ja, mut en], trip) = (
            match here.fault {
                None => [String::new(), String::new()],
                Some(Fault::Agitation) => ["（撹拌停止時）".to_owned(), " (agitation lost)".to_owned()],
                Some(Fault::Supply(name)) => [format!("（{name} の供給停止時）"), format!(" (supply of {name} lost)")],
            },
            here.after_trip,
        );
        if let Some(trip) = trip {
            ja.push_str(&format!("（緊急停止後「{trip}」）"));
            en.push_str(&format!(" (after the trip, \"{trip}\")"));
        }
        if spot == Spot::Suction {
            return Text::new(
                format!("「{phase}」{ja}: 取込みが供給以上になりうるため槽内圧が下がり、空気を吸い込むおそれがあります"),
                format!("\"{phase}\"{en}: uptake can reach what enters, so that the pressure falls and air may come in"),
            );
        }
        let (lfl, loc) = (self.edges.lfl * 100.0, self.edges.loc * 100.0);
        let (fuel, oxygen) = (self.edges.fuel * 100.0, self.edges.oxygen * 100.0);
        match standing {
            Standing::Inside => Text::new(
                format!(
                    "「{phase}」{ja}: 早ければ {t:.2} 分に{spot_ja}が爆発範囲に入ります（H2 {h:.2} %、O2 {o:.2} %。下限 {lfl} %、限界酸素濃度 {loc} %）"
                ),
                format!(
                    "\"{phase}\"{en}: as early as minute {t:.2} {spot_en} enters the flammable range (H2 {h:.2} %, O2 {o:.2} %; lower limit {lfl} %, limiting oxygen concentration {loc} %)"
                ),
            ),
            _ => Text::new(
                format!(
                    "「{phase}」{ja}: 早ければ {t:.2} 分に{spot_ja}が余裕を割り込みます（H2 {h:.2} %、O2 {o:.2} %。余裕込みの限界 {fuel:.2} %、{oxygen:.2} %）"
                ),
                format!(
                    "\"{phase}\"{en}: as early as minute {t:.2} {spot_en} comes within the margins (H2 {h:.2} %, O2 {o:.2} %; limits with margin {fuel:.2} % and {oxygen:.2} %)"
                ),
            ),
        }
    }

    /// A set of compositions that stands from the beginning of a phase.
    fn stand(&mut self, here: Here<'_>, spot: Spot, set: &[Point]) {
        let (near, inside) = (self.edges.near, self.edges.inside);
        if let Some(at) = clip(set, &near).first() {
            self.add(here, spot, Standing::Near, *at, set.len() == 1);
        }
        if let Some(at) = clip(set, &inside).first() {
            self.add(here, spot, Standing::Inside, *at, set.len() == 1);
        }
    }

    /// One phase from a set of compositions.
    fn pass(&mut self, course: &Course<'_>, here: Here<'_>, from: &[Point], minutes: Option<f64>) -> Reached {
        for inflow in &course.phase.inflows {
            if inflow.high_mol_per_h > 0.0 {
                self.stand(here, Spot::Supply, &[[inflow.mixture.hydrogen, inflow.mixture.oxygen]]);
            }
        }
        if course.phase.premixed {
            self.stand(here, Spot::Feed, &course.feed().compositions());
            self.stand(here, Spot::Outlet, &course.outlet().compositions());
        }
        let (entering, n) = (course.entering(), self.plan.head_space_mol);
        if course.takes_up() && entering.least() <= 1e-9 * n {
            self.add(here, Spot::Suction, Standing::Near, from.first().copied().unwrap_or_default(), false);
        }
        let targets = entering.compositions();
        if targets.is_empty() {
            // Nothing enters: nothing changes.
            self.stand(here, Spot::HeadSpace, from);
            return Reached { swept: from.to_vec(), end: from.to_vec() };
        }
        // Share replaced by the end, at the least and at the highest flow.
        let share = |flow: f64| minutes.map_or(1.0, |t| -(-flow * t / 60.0 / n).exp_m1());
        let (least, most) = (share(entering.least()), share(entering.most()));
        let held = entering.low == entering.high;
        let last = blend(from, &targets, most);
        let swept = together(from, &last);
        if self.brief {
            // What could burn lies within the margins.
            if let Some(at) = clip(&swept, &self.edges.near).first() {
                self.add(here, Spot::HeadSpace, Standing::Near, *at, false);
            }
        } else {
            for (halves, standing) in [(self.edges.near.to_vec(), Standing::Near), (self.edges.inside.to_vec(), Standing::Inside)]
            {
                if let Some((s, at)) = first_share(from, &targets, most, &halves) {
                    let after = if s <= 0.0 { 0.0 } else { -(-s.min(1.0 - 1e-15)).ln_1p() * n / entering.most() * 60.0 };
                    let exact = held && from.len() == 1;
                    self.add(Here { minutes: here.minutes + after, ..here }, Spot::HeadSpace, standing, at, exact);
                }
            }
        }
        let end = if held { last } else { together(&blend(from, &targets, least), &last) };
        Reached { swept, end }
    }

    /// A fault that begins at any instant of a phase, and what follows. Until the trip the plan may hold its phase or go
    /// on to the next ones.
    fn fail(&mut self, index: usize, here: Here<'_>, swept: &[Point]) {
        let plan = self.plan;
        let phase = &plan.phases[index];
        let mut faults = Vec::new();
        // Also where nothing is taken up: a plan that is halted holds its phase for longer than it was meant to.
        if plan.faults.agitation {
            faults.push(Fault::Agitation);
        }
        if plan.faults.supplies {
            faults.extend(phase.inflows.iter().map(|f| Fault::Supply(f.name.clone())));
        }
        for fault in &faults {
            if self.enough() {
                return;
            }
            let here = Here { fault: Some(fault), ..here };
            let response = plan.faults.response_minutes;
            let (mut set, mut begun) = (swept.to_vec(), 0.0);
            for (i, phase) in plan.phases.iter().enumerate().skip(index) {
                set = self.pass(&Course { phase, fault: Some(fault) }, here, &set, response).swept;
                if self.enough() {
                    return;
                }
                // The phases between may be over before the trip comes.
                begun += if i > index { phase.minutes.unwrap_or(f64::INFINITY) } else { 0.0 };
                if response.is_some_and(|t| begun >= t) {
                    break;
                }
            }
            if response.is_none() {
                continue;
            }
            // The trip may come at once or at the end of the response time.
            let mut minutes = here.minutes;
            for trip in &plan.faults.trip {
                let after = Here { after_trip: Some(&trip.name), minutes, ..here };
                set = self.pass(&Course { phase: trip, fault: Some(fault) }, after, &set, trip.minutes).end;
                minutes += trip.minutes.unwrap_or(0.0);
            }
        }
    }

    /// Is one entry all that is asked for, and there?
    fn enough(&self) -> bool {
        self.brief && !self.entries.is_empty()
    }
}

fn wrong(field: String, ja: String, en: String) -> Error {
    Error::input("E-GAS-013", ja, en)
        .at(Place::field(field))
        .hint("流量は mol/h、時間は分です", "flows are in mol/h, times in minutes")
}

fn look_through(phases: &[Phase], last_may_stay: bool, field: &str) -> Result<()> {
    if phases.len() > PHASES_MOST {
        return Err(wrong(
            field.into(),
            format!("工程は {PHASES_MOST} 個までです"),
            format!("a plan has at most {PHASES_MOST} phases"),
        ));
    }
    for (i, phase) in phases.iter().enumerate() {
        let at = format!("{field}[{}]", i + 1);
        let name = &phase.name;
        let last = i + 1 == phases.len() && last_may_stay;
        if !phase.minutes.map_or(last, |t| t.is_finite() && t >= 0.0) {
            return Err(wrong(
                at,
                format!("工程「{name}」に時間がないか、負です"),
                format!("the phase \"{name}\" has no time, or a negative one"),
            ));
        }
        let mut seen = std::collections::BTreeSet::new();
        for inflow in &phase.inflows {
            inflow.mixture.check()?;
            let (low, high) = (inflow.low_mol_per_h, inflow.high_mol_per_h);
            let sound = low.is_finite() && high.is_finite() && (0.0..=high).contains(&low) && seen.insert(&inflow.name);
            if !sound || phase.inflows.len() > INFLOWS_MOST {
                let supply = &inflow.name;
                return Err(wrong(
                    at,
                    format!(
                        "工程「{name}」の供給「{supply}」: 流量の範囲が逆か負か有限でない、名前が重複、または {INFLOWS_MOST} 本を超えています"
                    ),
                    format!(
                        "supply \"{supply}\" of \"{name}\": a flow is negative, infinite or its range is reversed, the name occurs twice, or there are more than {INFLOWS_MOST}"
                    ),
                ));
            }
        }
        for range in [phase.uptake.hydrogen, phase.uptake.oxygen, phase.uptake.carbon_dioxide] {
            if !range.low.is_finite() || !range.high.is_finite() || range.low > range.high {
                return Err(wrong(
                    at,
                    format!("工程「{name}」の取込みの範囲が逆か有限でありません"),
                    format!("a range of uptake of \"{name}\" is reversed or infinite"),
                ));
            }
        }
    }
    Ok(())
}

/// What a verdict does not replace.
#[must_use]
pub fn caution() -> Text {
    Text::new(
        "この判定は禁止することしかできません。有資格者による NFPA 69 と法令に基づく評価、検知器、インターロックの代わりにはなりません",
        "this verdict can only forbid; it replaces neither the assessment of a qualified person by NFPA 69 and local law, nor detectors, nor interlocks",
    )
}

/// Does the path of a plan come within the margins? For filters that look at very many plans.
///
/// # Errors
/// Numbers or rules that cannot be.
pub fn crosses(plan: &Plan, rules: &Rules) -> Result<bool> {
    Ok(!run(plan, rules, true)?.is_empty())
}

/// The first entry that a brief look finds, with its reason; its minute is that at which its phase begins. For filters
/// that look at very many plans and must say why.
///
/// # Errors
/// Numbers or rules that cannot be.
pub fn first_crossing(plan: &Plan, rules: &Rules) -> Result<Option<Entry>> {
    Ok(run(plan, rules, true)?.into_iter().next())
}

fn run(plan: &Plan, rules: &Rules, brief: bool) -> Result<Vec<Entry>> {
    let edges = rules.edges()?;
    plan.start.check()?;
    if !plan.head_space_mol.is_finite() || plan.head_space_mol <= 0.0 || plan.phases.is_empty() {
        return Err(wrong(
            "head_space_mol".into(),
            "ヘッドスペースの物質量が正でないか、工程がありません".into(),
            "the gas of the head space is not positive, or there is no phase".into(),
        ));
    }
    look_through(&plan.phases, true, "phases")?;
    look_through(&plan.faults.trip, true, "trip")?;
    if plan.faults.response_minutes.is_some_and(|t| !t.is_finite() || t < 0.0) {
        return Err(wrong("response_minutes".into(), "応答時間が負です".into(), "the response time is negative".into()));
    }
    let mut checker = Checker { plan, edges, brief, entries: Vec::new() };
    let mut set = vec![[plan.start.hydrogen, plan.start.oxygen]];
    let mut minutes = 0.0;
    let mut swept = Vec::with_capacity(plan.phases.len());
    for (i, phase) in plan.phases.iter().enumerate() {
        let here = Here { number: i + 1, phase: &phase.name, fault: None, after_trip: None, minutes };
        let reached = checker.pass(&Course { phase, fault: None }, here, &set, phase.minutes);
        if checker.enough() {
            return Ok(checker.entries);
        }
        swept.push((here, reached.swept));
        set = reached.end;
        minutes += phase.minutes.unwrap_or(0.0);
    }
    for (i, (here, swept)) in swept.iter().enumerate() {
        checker.fail(i, *here, swept);
        if checker.enough() {
            break;
        }
    }
    Ok(checker.entries)
}

/// Checks a whole plan.
///
/// # Errors
/// Numbers or rules that cannot be. A path that is not permitted is no error: see `permitted`.
pub fn check(plan: &Plan, rules: &Rules) -> Result<Outcome> {
    let mut entries = run(plan, rules, false)?;
    entries.sort_by(|a, b| {
        a.minutes.total_cmp(&b.minutes).then(a.fault.is_some().cmp(&b.fault.is_some())).then(a.standing.cmp(&b.standing))
    });
    Ok(Outcome { permitted: entries.is_empty(), first: entries.first().cloned(), entries, by: rules.name(), caution: caution() })
}

/// Permits a plan, or refuses it with the first entry as the reason.
///
/// # Errors
/// A plan whose path comes within the margins, or numbers that cannot be.
pub fn permitted(plan: &Plan, rules: &Rules) -> Result<()> {
    match check(plan, rules)?.first {
        None => Ok(()),
        Some(entry) => Err(Error::input("E-GAS-014", entry.reason.ja, entry.reason.en)
            .at(Place::field(format!("phases[{}]", entry.number)))
            .hint(
                "不活性ガスを増やす、酸素を絞る、置換を延ばす、緊急停止を早めるのいずれかで経路を変えてください",
                "change the path: more inert gas, less oxygen, a longer purge or a faster trip",
            )),
    }
}
