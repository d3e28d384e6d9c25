//! The fidelity suite: nasty files, the truth about each, and a judge.
//!
//! Every case must end as stored exactly, stored with its original text and a mark, or refused with a
//! remedy. Nothing else passes: a value, unit, time or identifier that differs from the truth without a
//! mark, an invented value, or a lost one that is not listed, is a silent error, and Toji may have none.
//!
//! `TOJI_FIDELITY_OUT=DIR` writes the files with their truth and what Toji made of them;
//! `TOJI_FIDELITY_PEERS=DIR` judges what other programs made of the same files (`bench/fidelity/`).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod books;
mod case;
mod judge;
mod numbers;
mod observe;
mod score;
mod shapes;
mod times;
mod vendors;

use case::Case;
use judge::{Verdict, judge};
use std::collections::BTreeSet;

fn cases() -> Vec<Case> {
    let all: Vec<Case> =
        [numbers::cases(), times::cases(), shapes::cases(), books::cases(), vendors::cases()].into_iter().flatten().collect();
    let ids: BTreeSet<&str> = all.iter().map(|c| c.id).collect();
    assert_eq!(ids.len(), all.len(), "two cases of one name");
    all
}

#[test]
fn no_silent_error() {
    let all = cases();
    assert!(all.len() >= 60, "only {} cases", all.len());
    let mut silent = Vec::new();
    for case in &all {
        let outcome = observe::observe(case);
        match judge(case, &outcome) {
            Verdict::Silent(faults) => silent.push(format!(
                "{} ({}):\n    {}\n    warnings: {:?}",
                case.id,
                case.what,
                faults.iter().take(6).cloned().collect::<Vec<_>>().join("\n    "),
                outcome.warnings
            )),
            Verdict::Refused => {
                let why = outcome.refused.unwrap_or_default();
                if !case.refusable {
                    silent.push(format!("{}: refused, but it can be read: {why}", case.id));
                } else if !outcome.located {
                    silent.push(format!("{}: refused without a remedy: {why}", case.id));
                }
            }
            _ => {}
        }
    }
    assert!(silent.is_empty(), "{} of {} cases:\n{}", silent.len(), all.len(), silent.join("\n"));
}

#[test]
fn the_judge_notices_what_it_must() {
    use case::Observed;
    let case = Case::text("x", "x", "x.csv", "").says("pH", "[pH]", &[("0h", "7.01"), ("1h", "< 5")]);
    let seen = |hours: f64, number: Option<f64>, text: Option<&str>, marked: bool| Observed {
        what: "pH".into(),
        at: Some(case::At::Hours(hours)),
        number,
        text: text.map(str::to_owned),
        marked,
        ..Observed::default()
    };
    let verdict = |observed: Vec<Observed>| judge(&case, &case::Outcome { observed, ..case::Outcome::default() });
    let bound = || seen(1.0, None, Some("< 5"), true);
    assert!(matches!(verdict(vec![seen(0.0, Some(7.01), None, false), bound()]), Verdict::Marked | Verdict::Exact));
    let silent = |observed| matches!(verdict(observed), Verdict::Silent(_));
    assert!(silent(vec![seen(0.0, Some(701.0), None, false), bound()]), "a bent value");
    assert!(!silent(vec![seen(0.0, Some(701.0), None, true), bound()]), "a bent value with a mark");
    assert!(silent(vec![seen(2.0, Some(7.01), None, false), bound()]), "another time");
    assert!(silent(vec![bound()]), "a lost value");
    assert!(silent(vec![seen(0.0, Some(7.01), None, false), seen(1.0, Some(5.0), None, false)]), "a bound made a number");
    assert!(silent(vec![seen(0.0, Some(7.01), None, false), bound(), seen(3.0, Some(1.0), None, false)]), "an invented value");
    let other_unit = Observed { unit: Some("g/L".into()), ..seen(0.0, Some(7.01), None, false) };
    assert!(silent(vec![other_unit, bound()]), "another unit");
}

#[test]
fn written_out_and_peers_judged() {
    if let Some(folder) = std::env::var_os("TOJI_FIDELITY_OUT") {
        score::write_out(&cases(), folder.as_ref());
    }
    if let Some(folder) = std::env::var_os("TOJI_FIDELITY_PEERS") {
        println!("{}", score::table(&cases(), folder.as_ref()));
    }
}
