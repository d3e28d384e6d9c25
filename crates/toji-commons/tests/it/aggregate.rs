//! Secure sums: members that drop out in every phase, too few, liars on both sides, and what a curious server sees.

use crate::id;
use std::collections::BTreeMap;
use toji_commons::aggregate::{
    Adverts, Blob, Dealing, Encoding, Half, Inbox, Included, Masked, Member, Part, Phase, Report, Server, Session, Share, Sum,
    TwoSum, Unmasking, recover, rehearse,
};
use toji_commons::log::{KeyKind, SigningKey};
use toji_commons::privacy::{Bytes, Fraction, Mechanism, Stream};
use toji_core::special::chi2_quantile;
use toji_core::{Error, Id};

fn key(name: &str) -> SigningKey {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_seed(name, KeyKind::Log, &seed).unwrap()
}

fn names(n: usize) -> Vec<String> {
    (1..=n).map(|i| format!("m{i:02}")).collect()
}

fn session(n: usize, threshold: usize, encoding: Encoding) -> Session {
    let members = names(n).iter().map(|name| (id(name), key(name).verifier().clone())).collect();
    Session { id: id("round-1"), members, threshold, fewest: 3, encoding }
}

fn seed(at: usize, of: u8) -> [u8; 32] {
    [
        at as u8 + 1,
        of,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        18,
        19,
        20,
        21,
        22,
        23,
        24,
        25,
        26,
        27,
        28,
        29,
        30,
        31,
        32,
    ]
}

/// Values of member `at`: not whole steps, of both signs.
fn values(at: usize, slots: usize) -> Vec<f64> {
    (0..slots).map(|slot| (at as f64 + 1.3).sin() * 10.0 + slot as f64 / 7.0 - 1.0).collect()
}

fn parts(session: &Session, drops: &[(usize, Phase)]) -> Vec<Part> {
    let of = |(at, id): (usize, &Id)| Part {
        id: id.clone(),
        key: key(id.as_str()),
        seed: seed(at, 1),
        input: session.encoding.encode(&values(at, session.encoding.limits.len())).unwrap(),
        drops: drops.iter().find(|(who, _)| *who == at).map(|(_, phase)| *phase),
    };
    session.members.keys().enumerate().map(of).collect()
}

fn expect(sum: &Sum, of: &[usize], slots: usize, tolerance: f64) {
    assert_eq!(sum.included.len(), of.len());
    for (slot, value) in sum.values.iter().enumerate() {
        let truth: f64 = of.iter().map(|at| values(*at, slots)[slot]).sum();
        assert!((value - truth).abs() <= tolerance, "slot {slot}: {value} {truth}");
    }
}

#[test]
fn the_sum_is_that_of_who_is_in_whoever_drops_when() {
    let encoding = Encoding::even(6, 16.0, 48);
    // Half a step of 2⁻⁴⁴ for each member.
    let tolerance = 5.0 * 2f64.powi(-44);
    for (drops, left) in [
        (vec![], vec![0, 1, 2, 3, 4]),
        (vec![(1, Phase::Keys)], vec![0, 2, 3, 4]),
        (vec![(1, Phase::Shares)], vec![0, 2, 3, 4]),
        (vec![(1, Phase::Input)], vec![0, 2, 3, 4]),
        (vec![(0, Phase::Input), (4, Phase::Input)], vec![1, 2, 3]),
        (vec![(1, Phase::Consent)], vec![0, 1, 2, 3, 4]),
        (vec![(1, Phase::Unmasking)], vec![0, 1, 2, 3, 4]),
        (vec![(2, Phase::Input), (3, Phase::Unmasking)], vec![0, 1, 3, 4]),
    ] {
        let session = session(5, 3, encoding.clone());
        let (sum, cost) = rehearse(&session, parts(&session, &drops)).unwrap();
        expect(&sum, &left, 6, tolerance);
        assert!(cost.up_bytes > 0 && cost.down_bytes > cost.up_bytes && cost.sums == 1, "{cost:?}");
    }
    // Three sites, none drops.
    let three = session(3, 2, encoding);
    expect(&rehearse(&three, parts(&three, &[])).unwrap().0, &[0, 1, 2], 6, tolerance);
}

#[test]
fn too_few_learn_nothing() {
    let encoding = Encoding::even(2, 16.0, 40);
    for phase in [Phase::Keys, Phase::Shares, Phase::Input, Phase::Consent, Phase::Unmasking] {
        let session = session(5, 3, encoding.clone());
        let error = rehearse(&session, parts(&session, &[(0, phase), (1, phase), (2, phase)])).unwrap_err();
        assert_eq!(error.code(), "E-AGGREGATE-008", "{phase:?}");
        assert!(error.fault().hint.is_some() && error.to_string().contains("2 members are left"));
    }
    // Of three sites none may drop before its input, since a sum of two tells each the other's.
    let three = session(3, 2, encoding);
    assert_eq!(rehearse(&three, parts(&three, &[(0, Phase::Input)])).unwrap_err().code(), "E-AGGREGATE-008");
    assert!(rehearse(&three, parts(&three, &[(0, Phase::Unmasking)])).is_ok());
}

#[test]
fn fifty_members_and_what_it_takes() {
    let session = session(50, 26, Encoding::even(100, 32.0, 50));
    let drops: Vec<(usize, Phase)> = (0..5).map(|i| (i * 9, Phase::Input)).chain([(2, Phase::Unmasking)]).collect();
    let (sum, cost) = rehearse(&session, parts(&session, &drops)).unwrap();
    let left: Vec<usize> = (0..50).filter(|at| at % 9 != 0 || *at > 36).collect();
    expect(&sum, &left, 100, 45.0 * 2f64.powi(-45));
    println!("50 members, 100 slots: {cost:?}");
    assert!(cost.up_bytes < 2_000_000 && cost.down_bytes < 20_000_000, "{cost:?}");
}

#[test]
fn sessions_and_numbers_that_make_no_sense() {
    let fine = session(5, 3, Encoding::even(2, 16.0, 40));
    fine.check().unwrap();
    let text = serde_json::to_string(&fine).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), fine);
    let twice = || {
        let mut members = fine.members.clone();
        members.insert(id("m01"), key("m02").verifier().clone());
        Session { members, ..fine.clone() }
    };
    for wrong in [
        session(2, 2, fine.encoding.clone()),
        session(51, 26, fine.encoding.clone()),
        session(6, 3, fine.encoding.clone()),
        session(5, 6, fine.encoding.clone()),
        Session { fewest: 2, ..fine.clone() },
        twice(),
    ] {
        assert_eq!(wrong.check().unwrap_err().code(), "E-AGGREGATE-003");
    }
    for encoding in [
        Encoding::even(0, 1.0, 40),
        Encoding::even(2, 0.0, 40),
        Encoding::even(2, f64::INFINITY, 40),
        Encoding::even(2, f64::NAN, 40),
        Encoding::even(2, 1.0, 57),
    ] {
        assert_eq!(Session { encoding, ..fine.clone() }.check().unwrap_err().code(), "E-AGGREGATE-001");
    }
    assert_eq!(session(50, 26, Encoding::even(2, 1.0, 57)).check().unwrap_err().code(), "E-AGGREGATE-001");
    let encoding = Encoding { limits: vec![1.0, 10.0], bits: 20 };
    assert_eq!((encoding.step(0), encoding.step(1)), (2f64.powi(-20), 2f64.powi(-16)));
    assert_eq!(encoding.encode(&[-1.0, 10.0]).unwrap().steps(), [-(1 << 20), 10 << 16]);
    for wrong in [vec![1.0], vec![1.1, 0.0], vec![0.0, f64::NAN], vec![f64::NEG_INFINITY, 0.0]] {
        let error = encoding.encode(&wrong).unwrap_err();
        assert!(error.code() == "E-AGGREGATE-002" && error.fault().place.is_some() && error.fault().hint.is_some());
    }
    let stranger = Member::new(fine, id("m01"), key("m02"), &[0; 32]).unwrap_err();
    assert_eq!(stranger.code(), "E-AGGREGATE-007");
}

/// All sides before phase 3.
struct Scene {
    server: Server,
    members: BTreeMap<Id, Member>,
    adverts: Adverts,
    inboxes: BTreeMap<Id, Inbox>,
}

fn scene(session: &Session, of: u8) -> Scene {
    let mut server = Server::new(session.clone()).unwrap();
    let made = session.members.keys().enumerate();
    let mut members: BTreeMap<Id, Member> = made
        .map(|(at, id)| (id.clone(), Member::new(session.clone(), id.clone(), key(id.as_str()), &seed(at, of)).unwrap()))
        .collect();
    for member in members.values_mut() {
        server.advert(member.advert().unwrap()).unwrap();
    }
    let adverts = server.adverts().unwrap();
    for member in members.values_mut() {
        server.shares(member.shares(&adverts).unwrap()).unwrap();
    }
    let inboxes = server.inboxes().unwrap();
    Scene { server, members, adverts, inboxes }
}

impl Scene {
    fn masked(&mut self, who: &str, input: &[f64], encoding: &Encoding) -> Masked {
        self.members.get_mut(&id(who)).unwrap().masked(&self.inboxes[&id(who)], &encoding.encode(input).unwrap()).unwrap()
    }

    /// All but these send their vectors and consent; what each then sends to unmask.
    fn unmaskings(&mut self, but: &[&str], encoding: &Encoding) -> Vec<Unmasking> {
        let there: Vec<Id> = self.members.keys().filter(|id| !but.contains(&id.as_str())).cloned().collect();
        for (at, who) in there.iter().enumerate() {
            // By their order among those that are there.
            let masked = self.masked(who.as_str(), &values(at, encoding.limits.len()), encoding);
            self.server.masked(&masked).unwrap();
        }
        let included = self.server.included().unwrap();
        for who in &there {
            self.server.consent(self.members.get_mut(who).unwrap().consent(&included).unwrap()).unwrap();
        }
        let consents = self.server.consents().unwrap();
        there.iter().map(|who| self.members.get_mut(who).unwrap().unmask(&consents).unwrap()).collect()
    }
}

fn words(masked: &Masked) -> Vec<u64> {
    masked.words.0.chunks(8).map(|w| u64::from_le_bytes(w.try_into().unwrap())).collect()
}

/// χ² of bytes against the uniform law, 255 degrees of freedom.
fn uniform(bytes: &[u8]) -> f64 {
    let mut counts = [0.0; 256];
    bytes.iter().for_each(|b| counts[usize::from(*b)] += 1.0);
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|n: &f64| (n - expected).powi(2) / expected).sum()
}

/// What the server sees of vectors is uniform whatever they are: constant vectors of zero and of the limit, over 40
/// sessions; and two vectors under the same masks differ by just their difference, so the test would see a mask missing.
#[test]
fn a_masked_vector_is_uniform() {
    let encoding = Encoding::even(50, 1.0, 40);
    let session = session(4, 3, encoding.clone());
    let limit = chi2_quantile(0.9999, 255.0);
    for value in [0.0, 1.0] {
        let mut bytes = Vec::new();
        for of in 0..40 {
            bytes.extend(scene(&session, of).masked("m02", &[value; 50], &encoding).words.0);
        }
        assert!(uniform(&bytes) < limit, "{}", uniform(&bytes));
        let plain: Vec<u8> = encoding
            .encode(&[value; 50])
            .unwrap()
            .steps()
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .cycle()
            .take(bytes.len())
            .collect();
        assert!(uniform(&plain) > 100.0 * limit);
    }
    let (zero, one) =
        (scene(&session, 1).masked("m02", &[0.0; 50], &encoding), scene(&session, 1).masked("m02", &[1.0; 50], &encoding));
    assert!(words(&one).iter().zip(words(&zero)).all(|(a, b)| a.wrapping_sub(b) == 1 << 40));
}

/// The key derivation of the protocol, written a second time.
fn derived(session: &Session, of: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = b"toji-commons aggregate v1 ".to_vec();
    let digest = session.digest().unwrap();
    for part in [of.as_bytes(), digest.bytes()].iter().chain(parts) {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(*part);
    }
    *toji_core::Digest::of(&bytes).bytes()
}

/// Words less (or plus) those of a mask.
fn without(words: &[u64], key: [u8; 32], minus: bool) -> Vec<u64> {
    let mut stream = Stream::new(&key);
    let other = words.iter().map(|word| (word, stream.word()));
    other.map(|(word, mask)| if minus { word.wrapping_sub(mask) } else { word.wrapping_add(mask) }).collect()
}

/// Double masking. A member whose vector came too late is taken for dropped: its pairwise masks are rebuilt, and what is
/// left of its vector is still uniform, by its own mask. The other way round, a member that is in: its own mask is
/// rebuilt, and what is left is still uniform, by its pairwise masks. Without both masks the input would lie open.
#[test]
fn what_the_server_can_rebuild_leaves_each_input_hidden() {
    let encoding = Encoding::even(50, 32.0, 40);
    let session = session(4, 3, encoding.clone());
    let limit = chi2_quantile(0.9999, 255.0);
    let plain =
        |at: usize| -> Vec<u64> { encoding.encode(&values(at, 50)).unwrap().steps().iter().map(|s| s.cast_unsigned()).collect() };
    let (mut late_rest, mut in_rest) = (Vec::new(), Vec::new());
    for of in 0..40 {
        // The same seeds: what comes too late, and the session that went on without it.
        let late = words(&scene(&session, of).masked("m02", &values(1, 50), &encoding));
        let first = words(&scene(&session, of).masked("m01", &values(0, 50), &encoding));
        let mut scene = scene(&session, of);
        let unmaskings = scene.unmaskings(&["m02"], &encoding);
        assert!(unmaskings.iter().all(|u| !u.seeds.contains_key(&id("m02")) && u.masks.keys().eq([&id("m02")])));
        let shares = |which: &dyn Fn(&Unmasking) -> Share| -> Vec<(u64, Share)> {
            unmaskings.iter().map(|u| (session.place(&u.from).unwrap(), which(u))).collect()
        };
        let secret = recover(&shares(&|u| u.masks[&id("m02")]));
        let secret = x25519_dalek::StaticSecret::from(derived(&session, "mask secret", &[b"m02", &secret]));
        let mut rest = late.clone();
        for advert in scene.adverts.0.iter().map(|signed| signed.open(&session).unwrap()).filter(|a| a.from != id("m02")) {
            let other: [u8; 32] = advert.mask_key.0.clone().try_into().unwrap();
            let agreed = secret.diffie_hellman(&other.into()).to_bytes();
            let (low, high) = if advert.from < id("m02") { (advert.from.as_str(), "m02") } else { ("m02", advert.from.as_str()) };
            let key = derived(&session, "pair mask", &[low.as_bytes(), high.as_bytes(), &agreed]);
            rest = without(&rest, key, id("m02") < advert.from);
        }
        assert!(rest.iter().zip(plain(1)).all(|(r, p)| *r != p));
        late_rest.extend(rest.iter().flat_map(|w| w.to_le_bytes()));
        // With its own mask too, which the server never gets, it would lie open: so the masks above were the right ones.
        let open = without(&rest, own_mask(&session, of), true);
        assert_eq!(open, plain(1));
        let own = recover(&shares(&|u| u.seeds[&id("m01")]));
        let rest = without(&first, derived(&session, "own mask", &[b"m01", &own]), true);
        assert!(rest.iter().zip(plain(0)).all(|(r, p)| *r != p));
        in_rest.extend(rest.iter().flat_map(|w| w.to_le_bytes()));
    }
    assert!(uniform(&late_rest) < limit && uniform(&in_rest) < limit, "{} {}", uniform(&late_rest), uniform(&in_rest));
}

/// The own mask of m02, from its seed: what nobody but m02 can compute.
fn own_mask(session: &Session, of: u8) -> [u8; 32] {
    let mut stream = Stream::new(&derived(session, "secrets", &[b"m02", &seed(1, of)]));
    stream.fill(&mut [0; 32]);
    let dealing = Dealing::draw(session.threshold, &mut stream);
    derived(session, "own mask", &[b"m02", &dealing.secret()])
}

#[test]
fn shares_tell_from_the_threshold_on_and_nothing_below() {
    let mut stream = Stream::new(&[1; 32]);
    for threshold in 1..8 {
        let dealing = Dealing::draw(threshold, &mut stream);
        let shares: Vec<(u64, Share)> = (1..=9).map(|place| (place, dealing.share(place))).collect();
        let commitments = dealing.commitments();
        assert!(shares.iter().all(|(place, share)| commitments.holds(*place, *share)));
        assert!(!commitments.holds(1, shares[0].1.bent(1)) && commitments.holds(2, shares[0].1) == (threshold == 1));
        for from in 0..=9 - threshold {
            assert_eq!(recover(&shares[from..from + threshold]), dealing.secret());
        }
        // With one share fewer every secret is as possible: another last share tells another.
        let mut bent = shares[..threshold].to_vec();
        bent[threshold - 1].1 = bent[threshold - 1].1.bent(1);
        assert_ne!(recover(&bent), dealing.secret());
    }
}

fn blames(result: Result<impl std::fmt::Debug, Error>, code: &str, who: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(error.fault().place.as_ref().unwrap().field.as_deref(), Some(who), "{error}");
    assert!(error.fault().hint.is_some() && !error.fault().message.ja.is_empty());
}

/// Members that lie are named, and the others finish without them.
#[test]
fn who_lies_about_shares_is_named() {
    let encoding = Encoding::even(6, 32.0, 40);
    let session = session(5, 3, encoding.clone());
    let mut scene = scene(&session, 1);
    let mut unmaskings = scene.unmaskings(&["m02"], &encoding);
    let bend = |shares: &mut BTreeMap<Id, Share>, of: &str| {
        let share = shares.get_mut(&id(of)).unwrap();
        *share = share.bent(1);
    };
    let mut liar = unmaskings[0].clone();
    bend(&mut liar.seeds, "m04");
    blames(scene.server.unmasking(liar), "E-AGGREGATE-005", "m01");
    let mut liar = unmaskings[0].clone();
    bend(&mut liar.masks, "m02");
    blames(scene.server.unmasking(liar), "E-AGGREGATE-005", "m01");
    // A share too few or too many.
    let mut liar = unmaskings[0].clone();
    liar.seeds.remove(&id("m05"));
    blames(scene.server.unmasking(liar), "E-AGGREGATE-005", "m01");
    let mut liar = unmaskings[0].clone();
    liar.seeds.insert(id("m02"), liar.masks[&id("m02")]);
    blames(scene.server.unmasking(liar), "E-AGGREGATE-005", "m01");
    // The three others suffice.
    for unmasking in unmaskings.drain(1..) {
        scene.server.unmasking(unmasking).unwrap();
    }
    let sum = scene.server.sum().unwrap();
    for (slot, value) in sum.values.iter().enumerate() {
        let truth: f64 = (0..4).map(|at| values(at, 6)[slot]).sum();
        assert!((value - truth).abs() < 1e-9);
    }
}

#[test]
fn who_deals_false_shares_is_named() {
    let encoding = Encoding::even(2, 32.0, 40);
    let session = session(4, 3, encoding.clone());
    let mut scene = scene(&session, 1);
    let input = encoding.encode(&[1.0, 2.0]).unwrap();
    let mut inbox = scene.inboxes[&id("m01")].clone();
    // What m03 sealed to m04, or a byte changed on the way.
    let other = scene.inboxes[&id("m04")].sealed[&id("m03")].clone();
    let mut changed = inbox.sealed[&id("m03")].clone();
    changed.0[5] ^= 1;
    for wrong in [other, changed, Blob(vec![0; 80]), Blob(vec![])] {
        inbox.sealed.insert(id("m03"), wrong);
        let member = scene.members.get_mut(&id("m01")).unwrap();
        blames(member.masked(&inbox, &input), "E-AGGREGATE-005", "m03");
    }
    // The right ones are still taken, once.
    let member = scene.members.get_mut(&id("m01")).unwrap();
    member.masked(&scene.inboxes[&id("m01")], &input).unwrap();
    let again = member.masked(&scene.inboxes[&id("m01")], &encoding.encode(&[2.0, 2.0]).unwrap()).unwrap_err();
    assert_eq!(again.code(), "E-AGGREGATE-009");
}

#[test]
fn keys_that_are_forged_or_taken_from_another_are_named() {
    let session = session(4, 3, Encoding::even(2, 32.0, 40));
    let member = |of: usize, session: &Session| {
        let name = &names(4)[of];
        Member::new(session.clone(), id(name), key(name), &seed(of, 1)).unwrap()
    };
    let mut server = Server::new(session.clone()).unwrap();
    let first = member(0, &session).advert().unwrap();
    server.advert(first.clone()).unwrap();
    assert_eq!(server.advert(first.clone()).unwrap_err().code(), "E-AGGREGATE-009");
    // Another session's.
    let elsewhere = Session { id: id("round-2"), ..session.clone() };
    blames(server.advert(member(1, &elsewhere).advert().unwrap()), "E-AGGREGATE-005", "m02");
    // Text changed under the signature.
    let text = serde_json::to_string(&member(1, &session).advert().unwrap()).unwrap();
    let forged = serde_json::from_str(&text.replacen("m02", "m03", 1)).unwrap();
    blames(server.advert(forged), "E-AGGREGATE-005", "m03");
    // The keys of the first, signed by the second.
    let mut taken = first.open(&session).unwrap();
    taken.from = id("m02");
    blames(server.advert(toji_commons::aggregate::Signed::sign(&taken, &key("m02")).unwrap()), "E-AGGREGATE-005", "m02");
    // Keys that are no keys: of small order, which is seen when they are used.
    let mut weak = member(1, &session).advert().unwrap().open(&session).unwrap();
    weak.seal_key = Blob(vec![0; 32]);
    server.advert(toji_commons::aggregate::Signed::sign(&weak, &key("m02")).unwrap()).unwrap();
    server.advert(member(2, &session).advert().unwrap()).unwrap();
    let adverts = server.adverts().unwrap();
    let mut third = member(2, &session);
    third.advert().unwrap();
    blames(third.shares(&adverts), "E-AGGREGATE-005", "m02");
}

/// A server that tells members different things gets nothing from them.
#[test]
fn a_server_that_forks_is_refused() {
    let encoding = Encoding::even(2, 32.0, 40);
    let session = session(5, 3, encoding.clone());
    let mut scene = scene(&session, 1);
    let all: Vec<Id> = session.members.keys().cloned().collect();
    for who in &all {
        scene.masked(who.as_str(), &[1.0, 2.0], &encoding);
    }
    let set = |names: &[&str]| Included(names.iter().map(|n| id(n)).collect());
    // To the first two that the fifth is out, to the others that it is in: to get both its shares.
    let (without, with) = (set(&["m01", "m02", "m03", "m04"]), set(&["m01", "m02", "m03", "m04", "m05"]));
    let mut consent = |who: &str, list: &Included| scene.members.get_mut(&id(who)).unwrap().consent(list);
    assert_eq!(consent("m05", &without).unwrap_err().code(), "E-AGGREGATE-006");
    assert_eq!(consent("m01", &set(&["m01", "m02"])).unwrap_err().code(), "E-AGGREGATE-008");
    assert_eq!(consent("m01", &set(&["m01", "m02", "x"])).unwrap_err().code(), "E-AGGREGATE-007");
    let one: Vec<_> = ["m01", "m02"].iter().map(|who| consent(who, &without).unwrap()).collect();
    let other: Vec<_> = ["m03", "m04", "m05"].iter().map(|who| consent(who, &with).unwrap()).collect();
    // A second consent, to the other list, is not given.
    assert_eq!(consent("m01", &with).unwrap_err().code(), "E-AGGREGATE-009");
    let consents = |list: &[_]| toji_commons::aggregate::Consents(list.to_vec());
    let mut unmask = |who: &str, heard| scene.members.get_mut(&id(who)).unwrap().unmask(&heard);
    assert_eq!(unmask("m01", consents(&one)).unwrap_err().code(), "E-AGGREGATE-008");
    blames(unmask("m01", consents(&[one.clone(), other.clone()].concat())), "E-AGGREGATE-005", "m03");
    // A signature counted twice is one.
    assert_eq!(unmask("m01", consents(&[one[0].clone(), one[1].clone(), one[0].clone()])).unwrap_err().code(), "E-AGGREGATE-008");
    assert!(unmask("m03", consents(&other)).is_ok());
    // Own keys exchanged by the server.
    let mut first = Member::new(session.clone(), id("m01"), key("m01"), &seed(0, 9)).unwrap();
    first.advert().unwrap();
    let error = first.shares(&Adverts(scene.adverts.0.clone())).unwrap_err();
    assert_eq!(error.code(), "E-AGGREGATE-006");
}

/// Noise that members add each for itself: the sum has the variance of all together.
#[test]
fn noise_is_summed_like_vectors() {
    let encoding = Encoding::even(2000, 1.0, 30);
    let session = session(3, 2, encoding.clone());
    let mechanism = Mechanism::DiscreteGaussian { variance: Fraction::at_least(1 << 30, 1).unwrap() };
    let mut parts = parts_of(&session, &vec![0.5; 2000]);
    for (at, part) in parts.iter_mut().enumerate() {
        part.input = part.input.clone().noised(mechanism, &mut Stream::new(&[at as u8; 32])).unwrap();
    }
    let (sum, _) = rehearse(&session, parts).unwrap();
    let steps = sum.steps.iter().map(|s| (s - 3 * (1 << 29)) as f64);
    let variance = steps.map(|s| s * s).sum::<f64>() / 2000.0;
    // Four standard errors of a variance of 2000 draws: 12.6 %.
    assert!((variance / (3.0 * f64::from(1 << 30)) - 1.0).abs() < 0.126, "{variance}");
}

fn parts_of(session: &Session, input: &[f64]) -> Vec<Part> {
    let of = |(at, id): (usize, &Id)| Part {
        id: id.clone(),
        key: key(id.as_str()),
        seed: seed(at, 1),
        input: session.encoding.encode(input).unwrap(),
        drops: None,
    };
    session.members.keys().enumerate().map(of).collect()
}

/// Four members, two aggregators: the sum, its check of ranges, and what one aggregator alone sees.
#[test]
fn two_aggregators_add_what_neither_sees() {
    let encoding = Encoding::even(12, 32.0, 20);
    let sum = TwoSum::new(&id("round-1"), encoding.clone(), 3).unwrap();
    let key = [42; 32];
    let (mut first, mut second) = (Half::new(sum.clone(), false, key), Half::new(sum.clone(), true, key));
    let report = |at: usize| sum.report(&id(&names(5)[at]), &encoding.encode(&values(at, 12)).unwrap(), &seed(at, 1)).unwrap();
    let mut bytes = 0;
    for at in 0..4 {
        let report: Report = serde_json::from_str(&serde_json::to_string(&report(at)).unwrap()).unwrap();
        bytes += serde_json::to_string(&report).unwrap().len();
        let a = first.open(&report.from, &report.nonce, &report.public, &report.shares[0]).unwrap();
        let b = second.open(&report.from, &report.nonce, &report.public, &report.shares[1]).unwrap();
        first.accept([&a, &b]).unwrap();
        second.accept([&a, &b]).unwrap();
        // A second report of the same member does not count.
        assert_eq!(
            first.open(&report.from, &report.nonce, &report.public, &report.shares[0]).unwrap_err().code(),
            "E-AGGREGATE-009"
        );
    }
    let (a, b) = (first.total().unwrap(), second.total().unwrap());
    expect(&sum.sum([&a, &b]).unwrap(), &[0, 1, 2, 3], 12, 4.0 * 2f64.powi(-16));
    println!("four reports of 12 slots of 20 bits: {bytes} bytes");
    // Shares exchanged between two members, or of another sum: no proof holds, and both name the member.
    let (mut wrong, other) = (report(4), report(0));
    wrong.shares[0] = other.shares[0].clone();
    let a = first.open(&wrong.from, &wrong.nonce, &wrong.public, &wrong.shares[0]).unwrap();
    let b = second.open(&wrong.from, &wrong.nonce, &wrong.public, &wrong.shares[1]).unwrap();
    blames(first.accept([&a, &b]), "E-AGGREGATE-005", "m05");
    blames(second.accept([&a, &b]), "E-AGGREGATE-005", "m05");
    let elsewhere = TwoSum::new(&id("round-2"), encoding.clone(), 3).unwrap();
    let strange = elsewhere.report(&id("m05"), &encoding.encode(&values(4, 12)).unwrap(), &seed(4, 1)).unwrap();
    let a = first.open(&strange.from, &strange.nonce, &strange.public, &strange.shares[0]).unwrap();
    let b = second.open(&strange.from, &strange.nonce, &strange.public, &strange.shares[1]).unwrap();
    blames(first.accept([&a, &b]), "E-AGGREGATE-005", "m05");
    blames(second.accept([&a, &b]), "E-AGGREGATE-005", "m05");
    blames(first.open(&id("m05"), &strange.nonce, &strange.public, &Blob(vec![1])), "E-AGGREGATE-005", "m05");
    // Different members, or too few.
    second.leave_out(&id("m01"));
    assert_eq!(sum.sum([&first.total().unwrap(), &second.total().unwrap()]).unwrap_err().code(), "E-AGGREGATE-012");
    first.leave_out(&id("m01"));
    assert!(sum.sum([&first.total().unwrap(), &second.total().unwrap()]).is_ok());
    for half in [&mut first, &mut second] {
        half.leave_out(&id("m02"));
    }
    assert_eq!(sum.sum([&first.total().unwrap(), &second.total().unwrap()]).unwrap_err().code(), "E-AGGREGATE-008");
    assert_eq!(TwoSum::new(&id("x"), Encoding::even(2, 1.0, 41), 3).unwrap_err().code(), "E-AGGREGATE-011");
    // A vector with noise that left its range is not reported at all.
    let noise = Mechanism::DiscreteGaussian { variance: Fraction::at_least(1 << 50, 1).unwrap() };
    let beyond = encoding.encode(&[0.0; 12]).unwrap().noised(noise, &mut Stream::new(&[1; 32])).unwrap();
    blames(sum.report(&id("m05"), &beyond, &seed(4, 1)), "E-AGGREGATE-005", "m05");
}

/// What the first aggregator gets (the share that depends on the vector) is uniform but for the field's size: bytes other than
/// the highest of each number, over 30 sets of secrets and a constant vector.
#[test]
fn one_of_two_aggregators_sees_uniform_numbers() {
    let encoding = Encoding::even(20, 1.0, 16);
    let sum = TwoSum::new(&id("round-1"), encoding.clone(), 3).unwrap();
    let mut bytes = Vec::new();
    for of in 0..30 {
        let report = sum.report(&id("m01"), &encoding.encode(&[1.0; 20]).unwrap(), &seed(0, of)).unwrap();
        // Field128: 16 bytes each; the measurement's share comes first, 20 slots of 18 bits.
        let share = report.shares[0].0.chunks(16).take(360);
        bytes.extend(share.flat_map(|number| number[..15].to_vec()));
    }
    assert!(uniform(&bytes) < chi2_quantile(0.9999, 255.0), "{}", uniform(&bytes));
}

/// What either aggregator sees of a round (its shares, what the other says of the proofs, and the other's half), of two worlds
/// whose members differ and whose total is the same: the bytes of both worlds are as those of one, by χ² of two samples.
#[test]
fn one_of_two_aggregators_cannot_tell_worlds_of_one_total_apart() {
    let encoding = Encoding::even(6, 1.0, 16);
    let worlds = [[1.0, -1.0, 0.5], [0.0, 0.25, 0.25]];
    let mut counts = [[[0u32; 256]; 2]; 2];
    for (world, members) in worlds.iter().enumerate() {
        for draw in 0..60 {
            let sum = TwoSum::new(&id(&format!("round-{world}-{draw}")), encoding.clone(), 3).unwrap();
            let mut halves = [false, true].map(|second| Half::new(sum.clone(), second, [42; 32]));
            let mut seen: [Vec<u8>; 2] = Default::default();
            for (at, value) in members.iter().enumerate() {
                let from = id(&names(3)[at]);
                let report = sum.report(&from, &encoding.encode(&[*value; 6]).unwrap(), &seed(at, draw)).unwrap();
                let said = [0, 1].map(|i| halves[i].open(&from, &report.nonce, &report.public, &report.shares[i]).unwrap());
                for (i, half) in halves.iter_mut().enumerate() {
                    half.accept([&said[0], &said[1]]).unwrap();
                    seen[i].extend(&report.shares[i].0);
                    seen[i].extend(&said[1 - i].part.0);
                }
            }
            let totals = [0, 1].map(|i| halves[i].total().unwrap());
            for i in [0, 1] {
                seen[i].extend(&totals[1 - i].share.0);
                seen[i].iter().for_each(|byte| counts[i][world][usize::from(*byte)] += 1);
            }
            let total = sum.sum([&totals[0], &totals[1]]).unwrap();
            assert!(total.values.iter().all(|v| (v - 0.5).abs() < 1e-4), "{:?}", total.values);
        }
    }
    for (i, [a, b]) in counts.iter().enumerate() {
        let pairs = a.iter().zip(b).filter(|(a, b)| **a + **b > 0);
        let apart: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2) / f64::from(a + b)).sum();
        println!("aggregator {i}: {} bytes of either world, chi-squared {apart:.1}", a.iter().sum::<u32>());
        assert!(apart < chi2_quantile(0.9999, 255.0), "aggregator {i}: {apart}");
    }
}

/// With noise of both, the sum is off by what both drew, also where that carries it below zero of what the field counts from.
#[test]
fn noise_of_both_aggregators_is_in_the_sum() {
    let encoding = Encoding::even(200, 1.0, 16);
    let noise = Mechanism::DiscreteLaplace { scale: Fraction::at_least(1 << 20, 1).unwrap() };
    let sum = TwoSum::new(&id("round-1"), encoding.clone(), 3).unwrap();
    let mut halves = [false, true].map(|second| Half::new(sum.clone(), second, [42; 32]));
    for at in 0..3 {
        let from = id(&names(3)[at]);
        let report = sum.report(&from, &encoding.encode(&[0.0; 200]).unwrap(), &seed(at, 1)).unwrap();
        let said = [0, 1].map(|i| halves[i].open(&from, &report.nonce, &report.public, &report.shares[i]).unwrap());
        halves.iter_mut().for_each(|half| half.accept([&said[0], &said[1]]).unwrap());
    }
    let both = [0, 1].map(|i| halves[i].noised(noise, &mut Stream::new(&[u8::try_from(i).unwrap(); 32])).unwrap());
    let steps = sum.sum([&both[0], &both[1]]).unwrap().steps;
    let drawn = |i: u8| {
        let mut bytes = Stream::new(&[i; 32]);
        (0..200).map(|_| noise.draw(&mut bytes).unwrap()).collect::<Vec<_>>()
    };
    let expected: Vec<i64> = drawn(0).iter().zip(&drawn(1)).map(|(a, b)| a + b).collect();
    assert_eq!(steps, expected);
    // Three members at the low end are three times 2¹⁶ steps down: noise went further.
    assert!(expected.iter().any(|step| *step < -3 << 16) && expected.iter().any(|step| *step > 0));
}
