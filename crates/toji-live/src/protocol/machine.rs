//! Going through a protocol: times and readings in, orders out. No clock, no connection.

use super::steps::{Otherwise, Plan, Setting, Side, Until};
use crate::command::Reading;
use crate::deed::Deed;

/// What an instrument is to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Set a quantity.
    Set(Setting),
    /// Do something.
    Do(Deed),
}

/// An action with the phase that asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Index of the phase.
    pub phase: usize,
    /// What.
    pub action: Action,
}

/// Where a run of a protocol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was told yet.
    Ready,
    /// In a phase.
    In {
        /// Index of the phase.
        phase: usize,
        /// When it began, ns.
        since_ns: i64,
        /// Since when its condition holds, ns.
        held_since_ns: Option<i64>,
    },
    /// The culture was ended.
    Done,
    /// A condition did not come in time: nothing more is told.
    Failed {
        /// Index of the phase.
        phase: usize,
    },
}

/// A run of a protocol.
#[derive(Debug, Clone)]
pub struct Machine {
    plan: Plan,
    state: State,
    first: usize,
    now_ns: i64,
}

impl Machine {
    /// A run that has not begun.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self::from_phase(plan, 0)
    }

    /// A run that goes on with a phase, from its beginning.
    #[must_use]
    pub fn from_phase(plan: Plan, first: usize) -> Self {
        Self { plan, state: State::Ready, first, now_ns: i64::MIN }
    }

    /// The protocol.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Will nothing more be told?
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Done | State::Failed { .. })
    }

    /// What is to be told at this time, ns, with these readings. At most one phase begins in a step. A time before the
    /// last one is that of the last one: clocks of instruments are set back, protocols are not.
    pub fn step<'r>(&mut self, t_ns: i64, measured: impl Fn(&str) -> Option<&'r Reading>) -> Vec<Order> {
        self.now_ns = self.now_ns.max(t_ns);
        match self.state {
            State::Ready => self.enter(self.first),
            State::Done | State::Failed { .. } => Vec::new(),
            State::In { phase, since_ns, held_since_ns } => {
                let Some(current) = self.plan.phases.get(phase) else { return Vec::new() };
                let passed = self.now_ns.saturating_sub(since_ns);
                match &current.until {
                    Until::End => Vec::new(),
                    Until::Elapsed(ns) if passed >= *ns => self.enter(phase + 1),
                    Until::Elapsed(_) => Vec::new(),
                    Until::Crossing { variable, side, limit, unit, hold_ns, at_most_ns, otherwise } => {
                        // What is doubted does not count, and what comes after it begins anew.
                        let beyond = measured(variable).filter(|r| r.is_good).is_some_and(|reading| {
                            reading.unit.convert(reading.value, unit).is_ok_and(|value| match side {
                                Side::Above => value >= *limit,
                                Side::Below => value <= *limit,
                            })
                        });
                        let held_since = beyond.then(|| held_since_ns.unwrap_or(self.now_ns));
                        if held_since.is_some_and(|since| self.now_ns.saturating_sub(since) >= *hold_ns) {
                            return self.enter(phase + 1);
                        }
                        let late = at_most_ns.is_some_and(|most| passed >= most);
                        match (late, otherwise) {
                            (true, Otherwise::GoOn) => return self.enter(phase + 1),
                            (true, Otherwise::Fail) => self.state = State::Failed { phase },
                            (false, _) => self.state = State::In { phase, since_ns, held_since_ns: held_since },
                        }
                        Vec::new()
                    }
                }
            }
        }
    }

    /// Begins a phase: what it sets, then what it does, and at the end the end.
    fn enter(&mut self, phase: usize) -> Vec<Order> {
        let Some(entered) = self.plan.phases.get(phase) else {
            self.state = State::Done;
            return Vec::new();
        };
        let sets = entered.sets.iter().cloned().map(Action::Set);
        let deeds = entered.deeds.iter().copied().map(Action::Do);
        let end = (entered.until == Until::End).then_some(Action::Do(Deed::Stop));
        let is_end = end.is_some();
        let orders = sets.chain(deeds).chain(end).map(|action| Order { phase, action }).collect();
        self.state = if is_end { State::Done } else { State::In { phase, since_ns: self.now_ns, held_since_ns: None } };
        orders
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps::read;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};
    use toji_core::Unit;

    const S: i64 = 1_000_000_000;

    fn plan(phases: &[Json]) -> Plan {
        let mut phases = phases.to_vec();
        phases.push(json!({ "name": "last", "until": "end" }));
        read(&json!([{ "name": "u", "operations": [{ "name": "o", "phases": phases }] }])).unwrap()
    }

    fn reading(value: f64, unit: &str, is_good: bool) -> Reading {
        Reading { t_ns: 0, value, unit: Unit::parse(unit).unwrap(), is_good }
    }

    fn told(orders: &[Order]) -> Vec<String> {
        let word = |o: &Order| match &o.action {
            Action::Set(set) => format!("{} {}={}", o.phase, set.variable, set.value),
            Action::Do(deed) => format!("{} {}", o.phase, deed.code()),
        };
        orders.iter().map(word).collect()
    }

    #[test]
    fn phases_follow_each_other_by_time_and_by_what_is_measured() {
        let warm =
            json!({ "variable": "temperature", "above": { "value": 36.5, "unit": "Cel" }, "for": { "value": 10, "unit": "s" } });
        let mut machine = Machine::new(plan(&[
            json!({ "name": "warm", "set": { "temperature": { "value": 37, "unit": "Cel" } }, "until": warm }),
            json!({ "name": "grow", "do": ["inoculate"], "until": { "elapsed": { "value": 1, "unit": "min" } } }),
        ]));
        let mut step = |s: i64, reading: Option<Reading>| {
            told(&machine.step(s * S, |variable| reading.as_ref().filter(|_| variable == "temperature")))
        };
        let cel = |value| Some(reading(value, "Cel", true));
        assert_eq!(step(0, None), ["0 temperature=37"]);
        assert!(step(1, None).is_empty());
        assert!(step(2, cel(36.6)).is_empty());
        assert!(step(9, cel(36.4)).is_empty(), "a dip begins the hold anew");
        // Another maker's unit: 97.9 °F is 36.6 °C.
        assert!(step(10, Some(reading(97.9, "[degF]", true))).is_empty());
        assert!(step(15, Some(reading(36.9, "Cel", false))).is_empty(), "and so does doubt");
        assert!(step(16, cel(36.6)).is_empty());
        assert!(step(25, cel(36.6)).is_empty());
        assert_eq!(step(26, cel(36.5)), ["1 inoculate"]);
        assert!(step(20, None).is_empty(), "time does not go back");
        assert!(step(85, None).is_empty());
        assert_eq!(step(86, None), ["2 stop"]);
        assert!(step(1_000, cel(37.0)).is_empty());
        assert_eq!(machine.state(), State::Done);
    }

    #[test]
    fn what_does_not_come_in_time_fails_or_goes_on_as_the_protocol_says() {
        let until = |otherwise: &str| json!({ "variable": "ph", "below": { "value": 6, "unit": "[pH]" }, "at_most": { "value": 1, "unit": "min" }, "otherwise": otherwise });
        let run = |otherwise: &str| {
            let mut machine = Machine::new(plan(&[json!({ "name": "p", "until": until(otherwise) })]));
            let mut all = Vec::new();
            for s in 0..100 {
                all.extend(told(&machine.step(s * S, |_| None)));
            }
            (all, machine.state())
        };
        assert_eq!(run("go-on"), (vec!["1 stop".to_owned()], State::Done));
        assert_eq!(run("fail"), (Vec::new(), State::Failed { phase: 0 }));
    }

    #[test]
    fn an_interrupted_run_goes_on_with_a_phase() {
        let wait = json!({ "elapsed": { "value": 1, "unit": "min" } });
        let phases = [
            json!({ "name": "p", "do": ["inoculate"], "until": wait.clone() }),
            json!({ "name": "q", "do": ["feed-on"], "until": wait }),
        ];
        let mut machine = Machine::from_phase(plan(&phases), 1);
        assert_eq!(told(&machine.step(100 * S, |_| None)), ["1 feed-on"]);
        assert!(machine.step(159 * S, |_| None).is_empty());
        assert_eq!(told(&machine.step(160 * S, |_| None)), ["2 stop"]);
    }

    proptest! {
        /// Whatever is measured and however time goes, orders come phase by phase in the order of the protocol, each
        /// once, nothing after the end, and the same again on the same input.
        #[test]
        fn orders_come_once_and_in_order(
            kinds in prop::collection::vec((0u8..4, 0i64..100), 0..8),
            inputs in prop::collection::vec((-50i64..300, prop::option::of((any::<f64>(), any::<bool>()))), 0..200),
        ) {
            let phase = |(kind, s): &(u8, i64)| match kind {
                0 => json!({ "name": "p", "do": ["feed-on"], "until": { "elapsed": { "value": s, "unit": "s" } } }),
                1 => json!({ "name": "p", "set": { "ph": { "value": 7, "unit": "[pH]" } }, "until": { "variable": "temperature", "above": { "value": 30, "unit": "Cel" }, "for": { "value": s, "unit": "s" } } }),
                2 => json!({ "name": "p", "do": ["feed-off"], "until": { "variable": "temperature", "below": { "value": 30, "unit": "Cel" }, "at_most": { "value": s, "unit": "s" } } }),
                _ => json!({ "name": "p", "until": { "variable": "temperature", "below": { "value": 30, "unit": "Cel" }, "at_most": { "value": s, "unit": "s" }, "otherwise": "go-on" } }),
            };
            let plan = plan(&kinds.iter().map(phase).collect::<Vec<_>>());
            let run = || {
                let mut machine = Machine::new(plan.clone());
                let mut orders = Vec::new();
                let mut t = 0;
                for (dt, said) in &inputs {
                    t += dt;
                    let reading = said.map(|(value, good)| reading(value, "Cel", good));
                    orders.extend(machine.step(t * S, |_| reading.as_ref()));
                }
                (orders, machine.state())
            };
            let (orders, state) = run();
            prop_assert_eq!(&run(), &(orders.clone(), state));
            let expected: Vec<Order> = plan.phases.iter().enumerate().flat_map(|(phase, p)| {
                let sets = p.sets.iter().cloned().map(Action::Set);
                let deeds = p.deeds.iter().copied().map(Action::Do);
                let end = (p.until == Until::End).then_some(Action::Do(Deed::Stop));
                sets.chain(deeds).chain(end).map(move |action| Order { phase, action }).collect::<Vec<_>>()
            }).collect();
            prop_assert!(orders.len() <= expected.len());
            prop_assert_eq!(&orders[..], &expected[..orders.len()]);
            prop_assert_eq!(state == State::Done, orders.len() == expected.len());
        }
    }
}
