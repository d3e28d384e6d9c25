//! Sources made by hand, whose courses are known in closed form, and joins that cannot be.

use super::*;
use crate::kernel::Options;
use crate::model::Model;
use toji_core::{Kinetics, Law, Margin, Result};

/// Cells that need a fixed amount of substrate a gram for growth, and grow no faster than `most`: an optimum with two bases.
struct Capped {
    most: f64,
    asked: usize,
}

const YIELD: f64 = 0.1;

impl Kinetics for Capped {
    fn limits(&self) -> usize {
        1
    }
    fn rates(&self) -> usize {
        2
    }
    fn growth(&self) -> usize {
        0
    }
    fn law(&mut self, limits: &[f64]) -> Result<Option<Law>> {
        self.asked += 1;
        let cap = self.most / YIELD;
        let free = limits[0] > cap;
        let uptake = limits[0].min(cap);
        let slope = if free { 0.0 } else { 1.0 };
        Ok(Some(Law {
            at: limits.to_vec(),
            rates: vec![YIELD * uptake, -uptake],
            slopes: vec![vec![YIELD * slope], vec![-slope]],
            region: vec![Margin {
                value: if free { limits[0] - cap } else { cap - limits[0] } + 1e-9,
                slopes: vec![if free { 1.0 } else { -1.0 }],
            }],
            limiting: if free { vec![] } else { vec![0] },
        }))
    }
}

const VESSEL: &str = r#"
[model]
id = "capped"
title = { ja = "試験", en = "Test" }
source = "made for a test"
time = "h"
[vessel]
volume = 1
unit = "L"
[constant]
mu = { value = 0, unit = "/h" }
q_S = { value = 0, unit = "mmol/(g.h)" }
slope = { value = 2, unit = "L/(g.h)" }
F = { value = 0, unit = "L/h" }
wrong = { value = 0, unit = "g/L" }
[species]
X = { unit = "g/L", initial = 1 }
S = { unit = "mmol/L", initial = 20 }
[define]
limit = { expression = "slope * S", unit = "mmol/(g.h)" }
circle = { expression = "slope * S - q_S", unit = "mmol/(g.h)" }
[reaction.growth]
rate = "mu * X"
unit = "g/(L.h)"
makes = { X = "1 [g/g]" }
[reaction.substrate]
rate = "q_S * X"
unit = "mmol/(L.h)"
makes = { S = "1 [mol/mol]" }
[stream.feed]
inflow = "F"
unit = "L/h"
contains = { S = "50 [mmol/L]" }
"#;

fn names() -> Names {
    Names { limits: vec!["limit".into()], rates: vec!["mu".into(), "q_S".into()] }
}

fn tight() -> Options {
    Options { relative: 1e-9, absolute: vec![1e-11], ..Options::default() }
}

#[test]
fn growth_is_exponential_until_the_limit_binds_and_logistic_after() {
    let model = Model::read(VESSEL).unwrap();
    let mut cells = Capped { most: 0.5, asked: 0 };
    let join = Join::new(&model, &names(), &cells).unwrap();
    let course = follow(&join, &mut cells, &[], &[0.0, 1.0, 2.0, 3.0, 3.5], &tight()).unwrap();
    let at = |name: &str| join.system.quantity(name).unwrap();
    // S = 20 − (X − 1)/0.1 binds at 2.5 mmol/L, where X = 2.75 g/L.
    let turn = 2.75_f64.ln() / 0.5;
    assert_eq!(course.end, End::Time);
    assert_eq!((course.pieces.len(), cells.asked), (2, 2), "{:?}", course.pieces);
    assert!((course.pieces[0].to - turn).abs() < 1e-7, "{} but {turn}", course.pieces[0].to);
    // Then dX/dt = 0.2 · S · X with S = 10 (3 − X): logistic towards 3 at the rate 6.
    for (k, &t) in course.times.iter().enumerate() {
        let want = if t < turn { (0.5 * t).exp() } else { 3.0 / (1.0 + (3.0 / 2.75 - 1.0) * (-6.0 * (t - turn)).exp()) };
        let have = course.values[k][at("X")];
        assert!((have - want).abs() < 1e-6, "{t}: {have} but {want}");
        assert!((course.values[k][at("S")] - 10.0 * (3.0 - have)).abs() < 1e-6);
    }
    assert_eq!(course.times.iter().filter(|t| [0.0, 1.0, 2.0, 3.0, 3.5].contains(t)).count(), 5);
}

#[test]
fn a_feed_adds_volume_and_balances_close() {
    let model = Model::read(VESSEL).unwrap();
    let mut cells = Capped { most: 0.5, asked: 0 };
    let join = Join::new(&model, &names(), &cells).unwrap();
    let course = follow(&join, &mut cells, &[("F", 0.1)], &[0.0, 5.0, 10.0], &tight()).unwrap();
    let q = |k: usize, name: &str| course.values[k][join.system.quantity(name).unwrap()];
    let last = course.times.len() - 1;
    let volume = q(last, crate::model::VOLUME);
    assert!((volume - 2.0).abs() < 1e-9, "{volume}");
    let had = 20.0 + 0.1 * 10.0 * 50.0;
    let has = q(last, "S") * volume + (q(last, "X") * volume - 1.0) / YIELD;
    assert!((has - had).abs() < 1e-6 * had, "{has} but {had}");
    // A course ends where nothing grows any more.
    let spent = follow(&join, &mut cells, &[("slope", 1e-9)], &[0.0, 1.0], &tight()).unwrap();
    assert_eq!((spent.end, spent.times.as_slice()), (End::Growth, &[0.0][..]));
}

#[test]
fn joins_that_cannot_be_are_refused_at_their_place() {
    let model = Model::read(VESSEL).unwrap();
    let cells = Capped { most: 0.5, asked: 0 };
    let fault = |limits: &[&str], rates: &[&str]| {
        let own = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect();
        let error = Join::new(&model, &Names { limits: own(limits), rates: own(rates) }, &cells).unwrap_err();
        assert_eq!(error.code(), "E-MODEL-070");
        error.to_string()
    };
    fault(&[], &["mu", "q_S"]);
    fault(&["limit"], &["mu", "mu"]);
    fault(&["limit"], &["mu", "limit"]);
    fault(&["limit"], &["q_S", "mu"]);
    fault(&["wrong"], &["mu", "q_S"]);
    fault(&["nowhere"], &["mu", "q_S"]);
    fault(&["circle"], &["mu", "q_S"]);
    let mut cells = cells;
    let join = Join::new(&model, &names(), &cells).unwrap();
    let code = |e: toji_core::Error| e.code().to_owned();
    assert_eq!(code(follow(&join, &mut cells, &[], &[1.0, 0.0], &tight()).unwrap_err()), "E-SIM-001");
    assert_eq!(code(follow(&join, &mut cells, &[("mu", 1.0)], &[0.0, 1.0], &tight()).unwrap_err()), "E-MODEL-003");
}
