//! Who gains, who loses.

use crate::id;
use crate::world::agreement;
use std::collections::BTreeSet;
use toji_commons::agreement::{Agreement, Granted};
use toji_commons::policy::{RULES, agreement_rules};
use toji_proofs::change::Change;
use toji_proofs::prover::Prover;
use toji_proofs::text::{named, schema};

#[test]
fn a_new_version_of_an_agreement_says_who_gains_and_who_loses() {
    let mut prover = Prover::new(schema().unwrap()).unwrap();
    let rules = |of: &Agreement| named(&format!("{RULES}\n{}", agreement_rules(of).unwrap())).unwrap();
    let mut old = agreement("gi", &["kura", "amino"], &["koji"]);
    old.terms.grants = BTreeSet::from([Granted::Compute, Granted::Read]);

    // Another text for people under the same terms: nobody gains or loses.
    let mut reworded = old.clone();
    reworded.version = 2;
    let change = Change::between(&mut prover, &rules(&old), &rules(&reworded)).unwrap();
    assert!(change.gains.is_empty() && change.losses.is_empty());

    // Training is added, reading taken away.
    let mut new = old.clone();
    new.terms.grants = BTreeSet::from([Granted::Compute, Granted::Train]);
    let change = Change::between(&mut prover, &rules(&old), &rules(&new)).unwrap();
    assert_eq!(Change::kinds(&change.gains), ["train by Person"]);
    assert_eq!(Change::kinds(&change.losses), ["read by Person"]);

    // Early access of one party: it alone gains.
    let mut early = old.clone();
    early.terms.early_access.insert(id("amino"));
    let change = Change::between(&mut prover, &rules(&old), &rules(&early)).unwrap();
    assert_eq!(Change::kinds(&change.gains), ["compute by Person", "read by Person"]);
    assert!(change.losses.is_empty());
    for gain in &change.gains {
        let told = gain.told();
        let (_, person) = told.split_once("Person::").unwrap();
        assert!(person.contains("organisation: Organisation::\"amino\""), "{told}");
    }

    // The term ends a nanosecond earlier.
    let mut shorter = old.clone();
    shorter.terms.until = old.terms.until.plus_ns(-1).unwrap();
    let change = Change::between(&mut prover, &rules(&old), &rules(&shorter)).unwrap();
    assert_eq!(Change::kinds(&change.losses), ["compute by Person", "describe by Person", "read by Person"]);
    assert!(change.gains.is_empty());
    for loss in &change.losses {
        assert!(loss.told().contains(&format!("now: {}", shorter.terms.until.0)), "{}", loss.told());
    }
}
