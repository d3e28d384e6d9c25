//! Totals: the register of releases, and the rule as Cedar has it.

use crate::scenes::Mix;
use crate::{day, id};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid};
use std::collections::BTreeMap;
use toji_commons::policy::{RULES, Total};
use toji_commons::release::{Cell, Clause, Contribution, Field, Register, Rule};
use toji_core::Unit;
use toji_proofs::text::{named, schema};

/// Cells whose shares lie on both sides of every limit, and on it.
fn random_cell(mix: &mut Mix) -> Cell {
    let members = 1 + mix.below(9);
    let largest = 1 + mix.below(400) as i64;
    let contributions = (0..members)
        .map(|n| Contribution {
            source: id(&format!("s{}", mix.below(12))),
            member: id(&format!("m{n}")),
            value: if mix.below(3) == 0 { largest } else { mix.below(largest as u64 + 1) as i64 },
            at: day(-(mix.below(100) as i64)).plus_ns(mix.below(3) as i64 - 1).unwrap(),
        })
        // A source is there once.
        .map(|c| (c.source.clone(), c))
        .collect::<BTreeMap<_, _>>();
    let field = mix.one(&[Field::Process, Field::Process, Field::Process, Field::Aged, Field::Aged, Field::Never]);
    let contributions = contributions.into_values().collect();
    Cell { table: id("titre"), field, unit: Unit::parse("g/L").unwrap(), decimals: 0, contributions }
}

#[test]
fn totals_are_released_alike() {
    let schema = schema().unwrap();
    let rules = named(RULES).unwrap();
    let authorizer = Authorizer::new();
    let (mut released, mut refused) = (0u32, BTreeMap::<String, u32>::new());
    for seed in 0..10_000 {
        let mut mix = Mix(seed);
        let first = random_cell(&mut mix);
        let mut second = if mix.below(2) == 0 { random_cell(&mut mix) } else { first.clone() };
        // Against the guard: one contributor less; against R6: nothing at all.
        if mix.below(2) == 0 {
            second.contributions.pop();
        }
        if mix.below(8) == 0 {
            second.contributions.iter_mut().for_each(|c| c.value = 0);
        }
        let mut register = Register::new(Rule::default());
        // An earlier release, for the guard over all of them.
        let _ = register.release(first, day(0));
        // A source that is told of otherwise than before is an error, not an answer.
        let Ok(judged) = register.judge(&second, day(0)) else { continue };
        let by_guard =
            |clause| matches!(clause, Clause::FewDerivable | Clause::DerivedTotal | Clause::Estimate | Clause::TooIntricate);
        let guarded = !judged.as_ref().is_err_and(|refusal| by_guard(refusal.clause));
        let asked = Total::measure(&second, day(0), guarded).question(&id("anybody"), &second.table, day(0));
        let name = |key: &str| asked[key].as_str().unwrap().parse::<EntityUid>().unwrap();
        let context = Context::from_json_value(asked["context"].clone(), Some((&schema, &name("action")))).unwrap();
        let request =
            cedar_policy::Request::new(name("principal"), name("action"), name("resource"), context, Some(&schema)).unwrap();
        let response = authorizer.is_authorized(&request, &rules, &Entities::empty());
        assert_eq!(response.diagnostics().errors().count(), 0);
        assert_eq!(response.decision() == Decision::Allow, judged.is_ok(), "seed {seed}: {judged:?} {asked} {second:?}");
        match judged {
            Ok(_) => released += 1,
            Err(refusal) => *refused.entry(refusal.clause.number().to_owned()).or_default() += 1,
        }
    }
    println!("{released} totals released alike, refused alike by clause: {refused:?}");
    assert!(released > 200 && ["R1", "R2", "R3", "R4", "R6", "R7"].iter().all(|r| refused.get(*r).is_some_and(|n| *n > 20)));
}
