//! Learning a list and judging it on held-out runs.
//!
//! Rule by rule: of all conditions of one or two thresholds, the one that tells most about the cases the rules
//! above left over is taken, as long as it is right often enough and better than doing what is usual. Learning
//! and judging never share a run.

use super::list::{Condition, Rule, RuleList, Side};
use crate::agreement::{Kappa, Weights, kappa};
use crate::sampling::{Interval, bootstrap, quantile};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A decision of the expert with the state it was made in.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Run, as a number from 0.
    pub run: usize,
    /// State, in the order of the quantities; `None` where nothing was known.
    pub state: Vec<Option<f64>>,
    /// What the expert did, as a number of an action.
    pub action: usize,
}

/// How to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learning {
    /// Most rules.
    pub rules_max: usize,
    /// Most conditions of a rule: 1 or 2.
    pub conditions_max: usize,
    /// Fewest cases a rule must reach.
    pub cases_min: usize,
    /// Thresholds tried for each quantity.
    pub thresholds_max: usize,
}

impl Default for Learning {
    fn default() -> Self {
        Self { rules_max: 4, conditions_max: 2, cases_min: 4, thresholds_max: 12 }
    }
}

/// What becomes of the rules on runs they have not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeldOut {
    /// Runs, each held out once.
    pub runs: usize,
    /// Decisions judged.
    pub n: usize,
    /// Share in which the rules did what the expert did.
    pub right: f64,
    /// Its interval of 95 %, resampling whole runs; absent below two runs.
    pub right_interval: Option<Interval>,
    /// Share of always doing what is usual in the other runs: what rules must beat.
    pub usual: f64,
    /// By how much the rules beat it, with its interval.
    pub gain: f64,
    /// Interval of the gain, resampling whole runs.
    pub gain_interval: Option<Interval>,
    /// Agreement beyond chance.
    pub kappa: Option<Kappa>,
    /// For every case in its order: what the rules of the other runs did.
    pub decided: Vec<usize>,
}

fn usual(cases: &[&Case]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for case in cases {
        *counts.entry(case.action).or_default() += 1;
    }
    // The smaller number where counts tie, so that the order of cases does not matter.
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map_or(0, |(action, _)| action)
}

/// Thresholds between neighbouring values, evenly over the cases.
fn thresholds(cases: &[&Case], quantity: usize, most: usize) -> Vec<f64> {
    let mut values: Vec<f64> =
        cases.iter().filter_map(|c| c.state.get(quantity).copied().flatten()).filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let middles: Vec<f64> = values.windows(2).map(|w| w[0] + (w[1] - w[0]) / 2.0).collect();
    if middles.len() <= most {
        return middles;
    }
    let mut out: Vec<f64> = (0..most).filter_map(|i| quantile(&middles, (i as f64 + 0.5) / most as f64)).collect();
    out.dedup();
    out
}

fn conditions(cases: &[&Case], learning: &Learning) -> Vec<Condition> {
    let quantities = cases.iter().map(|c| c.state.len()).max().unwrap_or(0);
    let mut out = Vec::new();
    for quantity in 0..quantities {
        for threshold in thresholds(cases, quantity, learning.thresholds_max) {
            out.extend([Side::Below, Side::AtLeast].map(|side| Condition { quantity, side, threshold }));
        }
    }
    out
}

/// A candidate: which cases fulfil it, and what they say.
struct Candidate {
    when: Vec<Condition>,
    then: usize,
    reached: usize,
    right: usize,
    score: f64,
}

/// Scores a set of cases: information about "did the usual action of the set or not" that the condition gives
/// (weighted relative accuracy against what is left over), with Laplace's caution for few cases.
fn candidate(when: Vec<Condition>, inside: &[bool], left: &[&Case], base: &BTreeMap<usize, f64>) -> Option<Candidate> {
    let reached = inside.iter().filter(|i| **i).count();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (case, _) in left.iter().zip(inside).filter(|(_, i)| **i) {
        *counts.entry(case.action).or_default() += 1;
    }
    let share = |action: usize| base.get(&action).copied().unwrap_or(0.0);
    counts
        .into_iter()
        .map(|(then, right)| {
            let caution = (right as f64 + 1.0) / (reached as f64 + 2.0);
            let score = reached as f64 / left.len() as f64 * (caution - share(then));
            Candidate { when: when.clone(), then, reached, right, score }
        })
        .max_by(|a, b| a.score.total_cmp(&b.score).then(b.then.cmp(&a.then)))
}

fn best(left: &[&Case], learning: &Learning, otherwise: usize) -> Option<Candidate> {
    let n = left.len() as f64;
    let mut base: BTreeMap<usize, f64> = BTreeMap::new();
    for case in left {
        *base.entry(case.action).or_default() += 1.0 / n;
    }
    let all = conditions(left, learning);
    let holds: Vec<Vec<bool>> = all.iter().map(|c| left.iter().map(|case| c.holds(&case.state)).collect()).collect();
    let enough = |inside: &[bool]| inside.iter().filter(|i| **i).count() >= learning.cases_min;
    let mut found: Option<Candidate> = None;
    let mut offer = |offered: Option<Candidate>| {
        // A rule that says the usual thing, or is wrong more than a third of the time, is no rule.
        let Some(offered) = offered.filter(|o| o.then != otherwise && o.right * 3 >= o.reached * 2 && o.score > 0.0) else {
            return;
        };
        // Two conditions must earn their place.
        let bar = found.as_ref().map_or(0.0, |f| f.score + 0.01 * offered.when.len().saturating_sub(f.when.len()) as f64);
        if offered.score > bar + 1e-12 {
            found = Some(offered);
        }
    };
    for (condition, inside) in all.iter().zip(&holds).filter(|(_, inside)| enough(inside)) {
        offer(candidate(vec![*condition], inside, left, &base));
    }
    if learning.conditions_max >= 2 {
        for (i, (one, inside)) in all.iter().zip(&holds).enumerate().filter(|(_, (_, inside))| enough(inside)) {
            for (two, other) in all.iter().zip(&holds).skip(i + 1).filter(|(c, _)| c.quantity != one.quantity) {
                let both: Vec<bool> = inside.iter().zip(other).map(|(a, b)| *a && *b).collect();
                if enough(&both) {
                    offer(candidate(vec![*one, *two], &both, left, &base));
                }
            }
        }
    }
    found
}

fn learn_from(cases: &[&Case], learning: &Learning) -> RuleList {
    let mut left: Vec<&Case> = cases.to_vec();
    let otherwise = usual(cases);
    let mut rules = Vec::new();
    while rules.len() < learning.rules_max && !left.is_empty() {
        let Some(found) = best(&left, learning, otherwise) else { break };
        left.retain(|case| !found.when.iter().all(|c| c.holds(&case.state)));
        rules.push(Rule { when: found.when, then: found.then, reached: found.reached, right: found.right });
    }
    RuleList { rules, otherwise }
}

/// Learns a list from all cases.
#[must_use]
pub fn learn(cases: &[Case], learning: &Learning) -> RuleList {
    learn_from(&cases.iter().collect::<Vec<_>>(), learning)
}

/// Holds out every run once: a list learnt from all others decides its cases. `None` below two runs.
#[must_use]
pub fn held_out(cases: &[Case], learning: &Learning, rounds: usize, seed: u64) -> Option<HeldOut> {
    let runs: Vec<usize> = cases.iter().map(|c| c.run).collect::<BTreeSet<_>>().into_iter().collect();
    if runs.len() < 2 {
        return None;
    }
    let mut decided = vec![0; cases.len()];
    let mut habit = vec![0; cases.len()];
    for run in &runs {
        let others: Vec<&Case> = cases.iter().filter(|c| c.run != *run).collect();
        let (list, common) = (learn_from(&others, learning), usual(&others));
        for (i, case) in cases.iter().enumerate().filter(|(_, c)| c.run == *run) {
            decided[i] = list.decide(&case.state);
            habit[i] = common;
        }
    }
    let share = |right: &dyn Fn(usize) -> bool, chosen: &[usize]| {
        let picked =
            || chosen.iter().filter_map(|g| runs.get(*g)).flat_map(|run| (0..cases.len()).filter(|i| cases[*i].run == *run));
        let n = picked().count();
        (n > 0).then(|| picked().filter(|i| right(*i)).count() as f64 / n as f64)
    };
    let by_rule = |i: usize| decided[i] == cases[i].action;
    let by_habit = |i: usize| habit[i] == cases[i].action;
    let all: Vec<usize> = (0..runs.len()).collect();
    let (right, usual) = (share(&by_rule, &all)?, share(&by_habit, &all)?);
    let gain_of = |chosen: &[usize]| Some(share(&by_rule, chosen)? - share(&by_habit, chosen)?);
    let classes = cases.iter().map(|c| c.action).chain(decided.iter().copied()).max().unwrap_or(0) + 1;
    let pairs: Vec<(usize, usize)> = cases.iter().zip(&decided).map(|(c, d)| (c.action, *d)).collect();
    Some(HeldOut {
        runs: runs.len(),
        n: cases.len(),
        right,
        right_interval: bootstrap(runs.len(), rounds, seed, 0.0, |c| share(&by_rule, c)).map(|r| r.interval),
        usual,
        gain: right - usual,
        gain_interval: bootstrap(runs.len(), rounds, seed, 0.0, gain_of).map(|r| r.interval),
        kappa: kappa(Weights::Same, classes.max(2), &pairs),
        decided,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    /// An expert who cools (1) above 14 °C with high foam, adds water (2) below 11 °C, and else waits (0).
    fn cases(runs: usize, slips: usize) -> Vec<Case> {
        let mut chance = Chance::new(9);
        let mut out = Vec::new();
        for run in 0..runs {
            for _ in 0..20 {
                let temperature = 9.0 + chance.below(80) as f64 / 10.0;
                let foam = chance.below(7) as f64 + 1.0;
                let mut action = match temperature {
                    t if t >= 14.0 && foam >= 4.0 => 1,
                    t if t < 11.0 => 2,
                    _ => 0,
                };
                if chance.below(100) < slips {
                    action = chance.below(3);
                }
                out.push(Case { run, state: vec![Some(temperature), Some(foam), Some(chance.below(100) as f64), None], action });
            }
        }
        out
    }

    #[test]
    fn the_experts_rule_is_found_and_repeated_on_runs_not_seen() {
        let cases = cases(10, 3);
        let list = learn(&cases, &Learning::default());
        let judged = held_out(&cases, &Learning::default(), 500, 1).unwrap();
        assert!(judged.right > 0.9 && judged.gain_interval.unwrap().low > 0.2, "{judged:?}\n{list:?}");
        assert!(judged.kappa.unwrap().value > 0.8);
        let of = |then: usize| list.rules.iter().find(|r| r.then == then).unwrap();
        let cool = of(1).when.iter().find(|c| c.quantity == 0).unwrap();
        assert!(cool.side == Side::AtLeast && (cool.threshold - 14.0).abs() < 0.6, "{list:?}");
        let water = of(2).when.iter().find(|c| c.quantity == 0).unwrap();
        assert!(water.side == Side::Below && (water.threshold - 11.0).abs() < 0.6, "{list:?}");
        assert_eq!(list, learn(&cases, &Learning::default()));
    }

    #[test]
    fn an_expert_who_throws_dice_teaches_nothing() {
        let judged = held_out(&cases(10, 100), &Learning::default(), 500, 1).unwrap();
        assert!(judged.gain_interval.unwrap().low < 0.05 && judged.right < 0.5, "{judged:?}");
    }

    #[test]
    fn no_cases_and_one_run_are_no_evidence() {
        assert_eq!(held_out(&[], &Learning::default(), 100, 1), None);
        assert_eq!(held_out(&cases(1, 0), &Learning::default(), 100, 1), None);
        assert_eq!(learn(&[], &Learning::default()), RuleList { rules: vec![], otherwise: 0 });
        let missing = Condition { quantity: 3, side: Side::Below, threshold: 1.0 };
        assert!(!missing.holds(&[None, None, None, None]) && !missing.holds(&[]));
    }
}
