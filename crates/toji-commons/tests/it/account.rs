//! The ledger of given and taken: one story told through, then its invariants on any history.

use crate::{day, id};
use proptest::prelude::*;
use std::collections::BTreeMap;
use toji_commons::account::{Account, Balance, Cause, DutyTerms, Ledger, Transaction, UNITS_MAX, Unit};
use toji_core::{Category, Digest, Id, Instant};

fn book(name: &str, at: i64, cause: Cause) -> Transaction {
    Transaction { id: id(name), at: day(at), cause }
}
fn deposit(member: &str, agreement: &str, units: u32) -> Cause {
    Cause::Deposit { member: id(member), agreement: id(agreement), data_set: id("koji-2026"), units }
}
fn taking(member: &str, agreement: &str, units: u32, duty: Option<(&str, u32, i64)>) -> Cause {
    let duty = duty.map(|(name, units, due)| DutyTerms { duty: id(name), units, due: day(due) });
    Cause::Taking { member: id(member), agreement: id(agreement), data_set: id("koji-2026"), units, duty }
}
fn feedback(duty: &str, units: u32) -> Cause {
    Cause::Feedback { duty: id(duty), units, evidence: Digest::of(b"accepted by the steward") }
}
fn standing(ledger: &Ledger, member: &str, at: i64) -> (i64, i64, i64, i64) {
    let Balance { given, taken, owed, disputed } = ledger.standing(&id(member), None, day(at));
    (given, taken, owed, disputed)
}

/// A brewery gives, a maker of amino acids takes, owes, is late, disputes, feeds back.
#[test]
fn a_duty_from_taking_to_feedback() {
    let mut ledger = Ledger::new();
    ledger.post(book("t1", 0, deposit("kura", "gi-1", 12))).unwrap();
    ledger.post(book("t2", 10, taking("amino", "gi-1", 12, Some(("d1", 5, 100))))).unwrap();
    assert_eq!(standing(&ledger, "kura", 10), (12, 0, 0, 0));
    assert_eq!(standing(&ledger, "amino", 9), (0, 0, 0, 0));
    assert_eq!(standing(&ledger, "amino", 10), (0, 12, 5, 0));
    assert_eq!(ledger.first_due(&id("amino"), day(50)), Some(day(100)));
    assert!(!ledger.open_duties(&id("amino"), day(100))[0].is_overdue(day(100)));
    assert!(ledger.open_duties(&id("amino"), day(101))[0].is_overdue(day(101)));

    ledger.post(book("t3", 90, feedback("d1", 2))).unwrap();
    ledger.post(book("t4", 95, Cause::Dispute { duty: id("d1"), units: 3 })).unwrap();
    assert_eq!(standing(&ledger, "amino", 95), (0, 12, 0, 3));
    assert_eq!(ledger.first_due(&id("amino"), day(120)), None, "what is disputed falls not due");
    assert!(!ledger.open_duties(&id("amino"), day(120))[0].is_overdue(day(120)));

    let refused = ledger.post(book("t5", 110, feedback("d1", 1))).unwrap_err();
    assert_eq!((refused.code(), refused.category()), ("E-ACCOUNT-004", Category::Conflict));
    let settled = Cause::Upheld { duty: id("d1"), units: 3, due: day(200), evidence: Digest::of(b"settlement") };
    ledger.post(book("t6", 120, settled)).unwrap();
    assert_eq!(ledger.open_duties(&id("amino"), day(130))[0].due, day(200));
    assert_eq!(ledger.open_duties(&id("amino"), day(99))[0].due, day(100), "the past stays as it was");
    ledger.post(book("t7", 150, feedback("d1", 3))).unwrap();
    assert!(ledger.open_duties(&id("amino"), day(150)).is_empty());

    let statement = ledger.statement(&id("amino"), Some(&id("gi-1")), day(90), day(151));
    let after: Vec<_> = statement.lines.iter().map(|l| (l.transaction.as_str(), l.after.owed, l.after.disputed)).collect();
    assert_eq!(after, [("t3", 3, 0), ("t4", 0, 3), ("t6", 3, 0), ("t7", 0, 0)]);
    assert_eq!((statement.opening.owed, statement.closing.owed), (5, 0));
    assert!(statement.lines.iter().all(|l| !l.what.ja.is_empty() && l.what.ja != l.what.en));
}

#[test]
fn waivers_dismissals_and_reversals_book_off_too() {
    let mut ledger = Ledger::new();
    ledger.post(book("t1", 0, taking("amino", "gi-1", 1, Some(("d1", 4, 9))))).unwrap();
    ledger.post(book("t2", 1, Cause::Waiver { duty: id("d1"), units: 1, evidence: Digest::of(b"waiver") })).unwrap();
    ledger.post(book("t3", 2, Cause::Dispute { duty: id("d1"), units: 2 })).unwrap();
    let dismissed = Cause::Dismissed { duty: id("d1"), units: 2, evidence: Digest::of(b"settlement") };
    ledger.post(book("t4", 3, dismissed)).unwrap();
    assert_eq!(standing(&ledger, "amino", 3), (0, 1, 1, 0));
    let reversal = |of: &str| Cause::Reversal { of: id(of), reason: "entered twice".into() };
    ledger.post(book("t5", 4, reversal("t2"))).unwrap();
    assert_eq!(standing(&ledger, "amino", 4), (0, 1, 2, 0));
    for (name, cause, code) in [
        ("u1", reversal("t2"), "E-ACCOUNT-005"),
        ("u2", reversal("t5"), "E-ACCOUNT-005"),
        ("u3", reversal("nothing"), "E-ACCOUNT-005"),
        // Feedback was booked off the duty, so the taking that brought it cannot be undone.
        ("u4", reversal("t1"), "E-ACCOUNT-004"),
        ("u5", feedback("d9", 1), "E-ACCOUNT-003"),
        ("u6", feedback("d1", 0), "E-ACCOUNT-001"),
        ("u7", deposit("kura", "gi-1", UNITS_MAX + 1), "E-ACCOUNT-001"),
        ("t1", deposit("kura", "gi-1", 1), "E-ACCOUNT-002"),
        ("u8", taking("amino", "gi-1", 1, Some(("d1", 4, 9))), "E-ACCOUNT-002"),
    ] {
        let before = ledger.clone();
        let error = ledger.post(book(name, 5, cause)).unwrap_err();
        assert_eq!(error.code(), code, "{name}");
        let hint = error.fault().hint.clone().unwrap();
        assert!(error.fault().place.is_some() && !hint.ja.is_empty() && !hint.en.is_empty(), "{name}");
        assert_eq!(ledger, before, "{name} changed the ledger");
    }
    let early = Transaction { id: id("u9"), at: day(-1), cause: reversal("t4") };
    assert_eq!(ledger.post(early).unwrap_err().code(), "E-ACCOUNT-005");
}

#[test]
fn the_same_transaction_twice_is_booked_once() {
    let mut ledger = Ledger::new();
    let once = book("t1", 0, taking("amino", "gi-1", 3, Some(("d1", 1, 9))));
    ledger.post(once.clone()).unwrap();
    let before = ledger.clone();
    ledger.post(once).unwrap();
    assert_eq!(ledger, before);
}

#[test]
fn a_transaction_survives_json() {
    let one = book("t1", 0, taking("amino", "gi-1", 3, Some(("d1", 1, 9))));
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Transaction>(&text).unwrap(), one);
}

const MEMBERS: [&str; 3] = ["kura", "amino", "enzyme"];
const AGREEMENTS: [&str; 2] = ["gi-1", "gi-2"];

/// Anything a member or a clerk could try, sensible or not.
fn attempts() -> impl Strategy<Value = Vec<Transaction>> {
    let duty = || (0..6usize).prop_map(|n| id(&format!("d{n}")));
    let evidence = || any::<u8>().prop_map(|b| Digest::of(&[b]));
    let cause = prop_oneof![
        (0..3usize, 0..2usize, 1..9u32).prop_map(|(m, a, n)| deposit(MEMBERS[m], AGREEMENTS[a], n)),
        (0..3usize, 0..2usize, 1..9u32, proptest::option::of((0..6usize, 1..9u32, 0..60i64))).prop_map(|(m, a, n, d)| {
            let name = d.map(|(d, units, due)| (format!("d{d}"), units, due));
            taking(MEMBERS[m], AGREEMENTS[a], n, name.as_ref().map(|(d, units, due)| (d.as_str(), *units, *due)))
        }),
        (duty(), 0..6u32, evidence()).prop_map(|(duty, units, evidence)| Cause::Feedback { duty, units, evidence }),
        (duty(), 1..6u32, evidence()).prop_map(|(duty, units, evidence)| Cause::Waiver { duty, units, evidence }),
        (duty(), 1..6u32).prop_map(|(duty, units)| Cause::Dispute { duty, units }),
        (duty(), 1..6u32, 0..60i64, evidence()).prop_map(|(duty, units, due, evidence)| Cause::Upheld {
            duty,
            units,
            due: day(due),
            evidence
        }),
        (duty(), 1..6u32, evidence()).prop_map(|(duty, units, evidence)| Cause::Dismissed { duty, units, evidence }),
        (0..30usize).prop_map(|n| Cause::Reversal { of: id(&format!("t{n}")), reason: "error".into() }),
    ];
    proptest::collection::vec((0..30usize, 0..40i64, cause), 0..40)
        .prop_map(|all| all.into_iter().map(|(n, at, cause)| book(&format!("t{n}"), at, cause)).collect())
}

/// What a duty asks for at an instant, told from the causes alone.
fn owed_by_hand(accepted: &[Transaction], duty: &Id, at: Instant) -> (i64, i64) {
    let effect = |cause: &Cause| -> (i64, i64) {
        match cause {
            Cause::Taking { duty: Some(t), .. } if t.duty == *duty => (i64::from(t.units), 0),
            Cause::Feedback { duty: d, units, .. } | Cause::Waiver { duty: d, units, .. } if d == duty => (-i64::from(*units), 0),
            Cause::Dispute { duty: d, units } if d == duty => (-i64::from(*units), i64::from(*units)),
            Cause::Upheld { duty: d, units, .. } if d == duty => (i64::from(*units), -i64::from(*units)),
            Cause::Dismissed { duty: d, units, .. } if d == duty => (0, -i64::from(*units)),
            _ => (0, 0),
        }
    };
    let mut sum = (0, 0);
    for t in accepted.iter().filter(|t| t.at <= at) {
        let (sign, cause) = match &t.cause {
            Cause::Reversal { of, .. } => (-1, &accepted.iter().find(|o| o.id == *of).unwrap().cause),
            cause => (1, cause),
        };
        let (owed, disputed) = effect(cause);
        sum = (sum.0 + sign * owed, sum.1 + sign * disputed);
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn invariants_hold_on_any_history(attempts in attempts(), mix in any::<u64>()) {
        let mut ledger = Ledger::new();
        let mut accepted: Vec<Transaction> = Vec::new();
        for attempt in attempts {
            let before = ledger.clone();
            match ledger.post(attempt.clone()) {
                Ok(()) if !accepted.contains(&attempt) => accepted.push(attempt),
                Ok(()) => {}
                Err(_) => prop_assert_eq!(&ledger, &before),
            }
            // The sum of all accounts is zero, in each unit, now and at the end.
            for at in [10, 25, 100] {
                let mut sums: BTreeMap<Unit, i64> = BTreeMap::new();
                for (account, amount) in ledger.balances(day(at)) {
                    *sums.entry(account.unit()).or_default() += amount;
                }
                prop_assert!(sums.values().all(|s| *s == 0));
            }
        }
        // No duty is ever overdrawn, and each says what its causes say.
        for at in (-1..61).step_by(5) {
            for n in 0..6 {
                let duty = id(&format!("d{n}"));
                let (owed, disputed) = owed_by_hand(&accepted, &duty, day(at));
                prop_assert!(owed >= 0 && disputed >= 0);
                prop_assert_eq!(ledger.balance(&Account::Duty { duty: duty.clone() }, day(at)), -owed);
                prop_assert_eq!(ledger.balance(&Account::Disputed { duty: duty.clone() }, day(at)), -disputed);
                let open = MEMBERS.iter().flat_map(|m| ledger.open_duties(&id(m), day(at))).find(|d| d.duty == duty);
                prop_assert_eq!(open.map_or((0, 0), |d| (d.owed, d.disputed)), (owed, disputed));
            }
        }
        // Statements of adjacent periods join, and every line leads to the next.
        for member in MEMBERS {
            for agreement in [None, Some(id(AGREEMENTS[0]))] {
                let first = ledger.statement(&id(member), agreement.as_ref(), day(0), day(20));
                let second = ledger.statement(&id(member), agreement.as_ref(), day(20), day(41));
                prop_assert_eq!(first.closing, second.opening);
                prop_assert_eq!(second.closing, ledger.standing(&id(member), agreement.as_ref(), day(41)));
                let mut running = second.opening;
                for line in &second.lines {
                    running += line.change;
                    prop_assert_eq!(running, line.after);
                }
                prop_assert_eq!(running, second.closing);
            }
        }
        // The same transactions in another order are the same ledger.
        let mut shuffled = accepted.clone();
        let mut state = mix;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let again = Ledger::gather(shuffled).unwrap();
        prop_assert_eq!(again.digest().unwrap(), ledger.digest().unwrap());
        prop_assert_eq!(again, ledger);
    }
}
