//! Three years of a consortium: 12 companies, 40 data sets, one agreement signed by all; early access, embargoes
//! that end, duties, an overdue member, a dispute, an exit, the end of the term. After every step the ledger sums
//! to zero and all members cosign the log; at the end each of them verifies it alone.

use crate::world::{agreement, organisation, person};
use crate::{day, id};
use std::collections::BTreeMap;
use toji_commons::account::{Cause, DutyTerms, Ledger, Transaction, Unit};
use toji_commons::agreement::{Agreement, Area, DataSet, Feedback, Patents, Purpose, Role, sign};
use toji_commons::decide::{Action, Clause, Commons, Obligation, Request};
use toji_commons::log::{
    Checkpoint, Entry, KeyKind, Log, Salt, Seen, SigningKey, Vault, VerifierKey, Witness, leaf_hash, verify_inclusion,
};
use toji_core::{Digest, Id};

const COMPANIES: usize = 12;
const DATA_SETS: usize = 40;
const TERM_DAYS: i64 = 1095;
/// Who never hands in feedback, and who leaves.
const LATE: usize = 7;
const LEAVES: usize = 5;

struct Consortium {
    commons: Commons,
    ledger: Ledger,
    log: Log,
    key: SigningKey,
    witnesses: Vec<Witness>,
    cosigners: Vec<VerifierKey>,
    vault: Vault,
    head: Option<Checkpoint>,
    /// Data set → day of its deposit.
    deposited: BTreeMap<usize, i64>,
    taken: Vec<(usize, usize)>,
    tally: BTreeMap<Clause, u32>,
    booked: u64,
    state: u64,
}

fn company(n: usize) -> Id {
    id(&format!("m{n}"))
}
fn data_set(n: usize) -> Id {
    id(&format!("ds{n}"))
}

impl Consortium {
    fn new() -> Self {
        let names: Vec<String> = (0..COMPANIES).map(|n| company(n).to_string()).collect();
        let sets: Vec<String> = (0..DATA_SETS).map(|n| data_set(n).to_string()).collect();
        let parties: Vec<&str> = names.iter().map(String::as_str).collect();
        let covered: Vec<&str> = sets.iter().map(String::as_str).collect();
        let mut deal = agreement("gi-forum", &parties, &covered);
        (deal.terms.from, deal.terms.until) = (day(0), day(TERM_DAYS));
        deal.terms.early_access = (0..3).map(company).collect();
        deal.terms.feedback = Some(Feedback { units: 2, within_days: 120 });
        deal.terms.patents = Patents::Notice { within_days: 30 };
        let signing = |name: &String, kind, seed| SigningKey::from_seed(name, kind, &[seed; 32]).unwrap();
        let keys: Vec<SigningKey> = names.iter().zip(1u8..).map(|(n, seed)| signing(n, KeyKind::Log, seed)).collect();
        let public: BTreeMap<Id, VerifierKey> = keys.iter().map(|k| (id(k.verifier().name()), k.verifier().clone())).collect();
        let mut note = deal.note().unwrap();
        keys.iter().for_each(|key| sign(&mut note, key).unwrap());

        let mut commons = Commons::new();
        for name in &names {
            commons.organisation(organisation(name, "JP"));
            commons.person(person(&format!("{name}-scientist"), name, &[Role::Scientist])).unwrap();
        }
        commons.agreement(Agreement::open(&note, &public).unwrap()).unwrap();
        let key = SigningKey::from_seed("commons.example/log", KeyKind::Log, &[99; 32]).unwrap();
        let nodes: Vec<SigningKey> = names.iter().zip(101u8..).map(|(n, seed)| signing(n, KeyKind::Cosigner, seed)).collect();
        let cosigners = nodes.iter().map(|k| k.verifier().clone()).collect();
        let witness = |node: SigningKey| Witness::new(node, key.verifier().clone(), "commons.example/log", Seen::default());
        let witnesses = nodes.into_iter().map(witness).collect();
        Self {
            commons,
            ledger: Ledger::new(),
            log: Log::new("commons.example/log"),
            witnesses,
            cosigners,
            key,
            vault: Vault::new(),
            head: None,
            deposited: BTreeMap::new(),
            taken: Vec::new(),
            tally: BTreeMap::new(),
            booked: 0,
            state: 20_260_401,
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % n
    }

    fn book(&mut self, at: i64, cause: Cause) {
        self.booked += 1;
        self.ledger.post(Transaction { id: id(&format!("t{}", self.booked)), at: day(at), cause }).unwrap();
        let mut sums: BTreeMap<Unit, i64> = BTreeMap::new();
        for (account, amount) in self.ledger.balances(day(at)) {
            *sums.entry(account.unit()).or_default() += amount;
        }
        assert!(sums.values().all(|sum| *sum == 0), "day {at}");
        self.commons.take_duties(&self.ledger, day(at));
    }

    fn deposit(&mut self, n: usize, at: i64) {
        let owner = company(n % COMPANIES);
        let embargo = Some(day(at + 180));
        let set = DataSet { id: data_set(n), owner: owner.clone(), area: Area::Cooperative, embargo, human_derived: false };
        self.commons.data_set(set).unwrap();
        self.book(at, Cause::Deposit { member: owner, agreement: id("gi-forum"), data_set: data_set(n), units: 1 });
        self.deposited.insert(n, at);
    }

    /// Somebody of a company asks to read; a yes by agreement becomes a taking with its duty, once.
    fn read(&mut self, asker: usize, n: usize, at: i64) -> Clause {
        let who = id(&format!("m{asker}-scientist"));
        let set = data_set(n);
        let request = Request { who: &who, action: Action::Read, data_set: &set, purpose: Purpose::Research, now: day(at) };
        let decision = self.commons.decide(&request);
        *self.tally.entry(decision.clause).or_default() += 1;
        let mut salt = [0; 32];
        salt[..8].copy_from_slice(&self.log.tree().size().to_be_bytes());
        let person = self.vault.keep(Salt::new(salt), who.as_str()).unwrap();
        let clause = serde_json::to_value(decision.clause).unwrap();
        let facts = [("organisation", company(asker).to_string()), ("data-set", set.to_string()), ("clause", clause.to_string())];
        let entry = Entry {
            at: day(at),
            kind: "decision".into(),
            facts: facts.map(|(k, v)| (k.to_owned(), v)).into(),
            personal: BTreeMap::from([("who".to_owned(), person)]),
        };
        self.log.append(&entry).unwrap();
        let owed = decision.obligations.iter().find_map(|o| match o {
            Obligation::Feedback { units, due } => Some((*units, *due)),
            _ => None,
        });
        if let (Clause::Agreement, Some((units, due)), false) = (decision.clause, owed, self.taken.contains(&(asker, n))) {
            self.taken.push((asker, n));
            let duty = Some(DutyTerms { duty: id(&format!("d{asker}-{n}")), units, due });
            let (member, agreement) = (company(asker), id("gi-forum"));
            self.book(at, Cause::Taking { member, agreement, data_set: set, units: 1, duty });
        }
        decision.clause
    }

    fn feedback(&mut self, member: usize, at: i64) {
        for open in self.ledger.open_duties(&company(member), day(at)) {
            if open.owed > 0 && open.due < day(at + 30) {
                let (units, evidence) = (u32::try_from(open.owed).unwrap(), Digest::of(open.duty.as_str().as_bytes()));
                self.book(at, Cause::Feedback { duty: open.duty, units, evidence });
            }
        }
    }

    /// The head of the ledger goes into the log, and every member cosigns its checkpoint.
    fn close_step(&mut self, at: i64) {
        let facts = BTreeMap::from([("head".to_owned(), self.ledger.digest().unwrap().to_string())]);
        self.log.append(&Entry { at: day(at), kind: "ledger-head".into(), facts, personal: BTreeMap::new() }).unwrap();
        let mut note = self.log.checkpoint(&self.key).unwrap();
        let seconds = u64::try_from(day(at).0 / 1_000_000_000).unwrap();
        let before = self.head.as_ref().map_or(0, |head| head.size);
        let proof = self.log.tree().consistency(before, self.log.tree().size()).unwrap();
        for witness in &mut self.witnesses {
            let signature = witness.consider(&note, &proof, seconds).unwrap();
            note.add(signature);
        }
        let opened = Checkpoint::open(&note, self.key.verifier(), &self.cosigners, COMPANIES).unwrap();
        assert_eq!(opened.witnesses.len(), COMPANIES);
        self.head = Some(opened.checkpoint);
        self.commons.note_time(day(at));
    }
}

#[test]
fn three_years() {
    let mut c = Consortium::new();
    let mut late_refused = false;
    for at in (0..TERM_DAYS + 45).step_by(15) {
        let due: Vec<usize> = (0..DATA_SETS).filter(|n| *n as i64 * 20 <= at && !c.deposited.contains_key(n)).collect();
        due.into_iter().for_each(|n| c.deposit(n, at));
        if at == 510 {
            let gone =
                toji_commons::agreement::Organisation { left: Some(day(510)), ..organisation(company(LEAVES).as_str(), "JP") };
            c.commons.organisation(gone);
        }
        for member in (0..COMPANIES).filter(|m| *m != LATE) {
            c.feedback(member, at);
        }
        if at == 300 {
            let members = (0..COMPANIES).filter(|m| *m != LATE);
            let open = members.flat_map(|m| c.ledger.open_duties(&company(m), day(at))).find(|d| d.owed > 0).unwrap();
            let (duty, units) = (open.duty, u32::try_from(open.owed).unwrap());
            c.book(at, Cause::Dispute { duty: duty.clone(), units });
            assert_eq!(c.ledger.standing(&open.member, None, day(at)).disputed, 2);
            // Settled two months later, dated then: until that day the duty is frozen and bars nobody.
            c.book(at + 60, Cause::Upheld { duty, units, due: day(at + 150), evidence: Digest::of(b"settlement") });
        }
        for asker in 0..COMPANIES {
            let n = c.below(c.deposited.len());
            let clause = c.read(asker, n, at);
            let overdue = c.ledger.first_due(&company(asker), day(at)).is_some_and(|d| d < day(at));
            assert_eq!(clause == Clause::FeedbackOverdue, overdue && n % COMPANIES != asker && (asker != LEAVES || at < 510));
            late_refused |= asker == LATE && clause == Clause::FeedbackOverdue;
            assert!(asker == LATE || clause != Clause::FeedbackOverdue, "m{asker} on day {at}");
            assert!(
                at < TERM_DAYS
                    || matches!(clause, Clause::Own | Clause::NotInForce | Clause::Membership | Clause::FeedbackOverdue)
            );
        }
        c.close_step(at);
    }
    assert!(late_refused);
    for clause in
        [Clause::Own, Clause::Agreement, Clause::Embargo, Clause::FeedbackOverdue, Clause::Membership, Clause::NotInForce]
    {
        assert!(c.tally.get(&clause).is_some_and(|n| *n > 0), "{clause:?} never came up: {:?}", c.tally);
    }
    // Whoever left still reads its own.
    assert_eq!(c.read(LEAVES, LEAVES, TERM_DAYS + 45), Clause::Own);
    c.close_step(TERM_DAYS + 45);
    accounts_agree(&c);
    each_member_verifies(c);
}

/// What members gave and took, counted apart from the ledger.
fn accounts_agree(c: &Consortium) {
    let end = day(TERM_DAYS + 45);
    for m in 0..COMPANIES {
        let balance = c.ledger.standing(&company(m), None, end);
        let gave = c.deposited.keys().filter(|n| *n % COMPANIES == m).count() as i64;
        let took = c.taken.iter().filter(|(asker, _)| *asker == m).count() as i64;
        assert_eq!((balance.given, balance.taken), (gave, took), "m{m}");
        let statement = c.ledger.statement(&company(m), None, day(0), end);
        assert_eq!((statement.closing.given, statement.closing.taken), (gave, took));
        // Only the late member owes what has fallen due; nothing is left in dispute.
        assert_eq!(statement.duties.iter().any(|d| d.is_overdue(end)), m == LATE, "m{m}");
        assert_eq!(balance.disputed, 0);
    }
}

/// Each member mirrors the log and checks every entry of its own, also after all persons were forgotten.
fn each_member_verifies(mut c: Consortium) {
    let head = c.head.clone().unwrap();
    let entries = c.log.entries().to_vec();
    for m in 0..COMPANIES {
        let mirror = Log::mirror(entries.clone(), &head).unwrap();
        let own = format!("\"organisation\":\"m{m}\"");
        let mine: Vec<u64> = (0..head.size).filter(|i| String::from_utf8_lossy(&entries[*i as usize]).contains(&own)).collect();
        assert!(mine.len() > 70, "m{m}: {}", mine.len());
        for index in mine {
            let entry: Entry = serde_json::from_slice(&entries[index as usize]).unwrap();
            let person = entry.personal["who"];
            assert_eq!(c.vault.open(&person), Some(format!("m{m}-scientist").as_str()));
            assert!(c.vault.forget(&person));
            let path = mirror.tree().inclusion(index, head.size).unwrap();
            verify_inclusion(&leaf_hash(&entry.bytes().unwrap()), index, head.size, &path, &head.root).unwrap();
        }
    }
}
