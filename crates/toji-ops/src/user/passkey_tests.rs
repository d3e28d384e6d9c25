//! Passkeys from registration to removal, with an authenticator in software.

use super::login::{Caller, Client, LoggedIn, NotIn};
use super::tests::{House, LONG, code, from, t};
use crate::session::{Options, Session};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_commons::people::passkey::{Assertion, Party};

#[allow(dead_code)]
#[path = "../../../toji-commons/src/people/passkey/soft.rs"]
mod soft;
use soft::{Soft, UP};

const ORIGIN: &str = "http://localhost:8080";

fn party() -> Party {
    Party::on_this_machine(8080)
}

fn said<T: serde::de::DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).unwrap()
}

async fn caller(session: &Arc<Session>, logged_in: &LoggedIn, at: i64) -> Caller {
    session.caller(logged_in.token.reveal(), t(at)).await.unwrap().unwrap()
}

/// Registers an authenticator.
async fn register(house: &House, who: &LoggedIn, soft: &mut Soft, second: Option<&str>, at: i64) -> Result<LoggedIn, NotIn> {
    let here = from("192.0.2.1");
    let caller = caller(&house.session, who, at).await;
    let options = house.session.begin_passkey(&caller, &party(), LONG, second, &here, t(at)).await?;
    let said = said(soft.create(&options));
    house.session.add_passkey(&caller, &party(), "key", &said, &here, t(at)).await
}

/// Logs in with an authenticator, beside the password or alone.
async fn enter(session: &Arc<Session>, soft: &mut Soft, beside: Option<(&str, &str)>, at: i64) -> Result<LoggedIn, NotIn> {
    let here = from("192.0.2.1");
    let (options, ticket) = session.begin_passkey_log_in(&party(), beside, &here, t(at)).await?;
    let said = said(soft.get(&options));
    session.passkey_log_in(&party(), Some(ticket.reveal()), &said, None, &here, t(at)).await
}

const HANAKO: Option<(&str, &str)> = Some(("hanako", LONG));

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_stands_beside_the_password_or_alone() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &["scientist"]).await;
    let here = from("192.0.2.1");
    let me = caller(&house.session, &first, 0).await;
    let begin = async |password: &str| house.session.begin_passkey(&me, &party(), password, None, &here, t(0)).await;
    assert_eq!(code(begin("wrong").await), "E-LOGIN-001");
    assert_eq!(code(house.session.begin_passkey_log_in(&party(), HANAKO, &here, t(0)).await), "E-PASSKEY-005");
    let mut soft = Soft::new(1, ORIGIN);
    let registered = register(&house, &first, &mut soft, None, 10).await.unwrap();
    assert_eq!(registered.recovery.len(), 10);
    assert!(!house.counts(&first, 11).await, "raised rights renew the session");
    let me = caller(&house.session, &registered, 11).await;
    assert!(me.second_factor);
    let shown = house.session.who_am_i(&me).await.unwrap();
    assert_eq!((shown.passkeys, shown.authenticator_app, shown.second_factor, shown.recovery_codes), (1, false, true, 10));
    // The password alone opens nothing any more; a recovery code beside it does, once.
    assert_eq!(code(house.enter("hanako", LONG, None, 20).await), "E-LOGIN-014");
    assert_eq!(code(house.enter("hanako", LONG, Some("123456"), 21).await), "E-LOGIN-001");
    assert_eq!(code(house.enter("hanako", LONG, Some(&registered.recovery[0]), 22).await), "in");
    assert_eq!(code(house.enter("hanako", LONG, Some(&registered.recovery[0]), 23).await), "E-LOGIN-001");
    assert_eq!(code(enter(&house.session, &mut soft, Some(("hanako", "wrong")), 30).await), "E-LOGIN-001");
    assert_eq!(code(enter(&house.session, &mut soft, HANAKO, 31).await), "in");
    assert_eq!(enter(&house.session, &mut soft, None, 32).await.unwrap().user, "hanako");
    // Without making sure of its owner it stands beside the password, and not alone.
    soft.flags = UP;
    assert_eq!(code(enter(&house.session, &mut soft, None, 40).await), "E-LOGIN-001");
    assert_eq!(code(enter(&house.session, &mut soft, HANAKO, 41).await), "in");
    // What the owner sees of it.
    let me = caller(&house.session, &enter(&house.session, &mut soft, HANAKO, 42).await.unwrap(), 42).await;
    let passkeys = house.session.passkeys(&me).await.unwrap();
    assert_eq!((passkeys.len(), passkeys[0].name.as_str()), (1, "key"));
    assert_eq!((passkeys[0].created.clone(), passkeys[0].used.clone()), (t(10).to_string(), Some(t(42).to_string())));
    house.session.rename_passkey(&me, &passkeys[0].id, " 青い鍵 ", t(43)).await.unwrap();
    assert_eq!(house.session.passkeys(&me).await.unwrap()[0].name, "青い鍵");
    let other = house.session.rename_passkey(&me, "other", "x", t(43)).await.unwrap_err();
    assert_eq!(other.code(), "E-PASSKEY-004");
    assert_eq!(house.session.rename_passkey(&me, &passkeys[0].id, " \n", t(43)).await.unwrap_err().code(), "E-PASSKEY-006");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_counts_once_in_time_and_in_its_browser() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &[]).await;
    let mut soft = Soft::new(1, ORIGIN);
    let registered = register(&house, &first, &mut soft, None, 0).await.unwrap();
    let here = from("192.0.2.1");
    let session = &house.session;
    let begin = async |at| session.begin_passkey_log_in(&party(), None, &here, t(at)).await.unwrap();
    let answer = async |ticket: Option<&str>, said: &Assertion, at| {
        code(session.passkey_log_in(&party(), ticket, said, None, &here, t(at)).await)
    };
    // Once.
    let (options, ticket) = begin(10).await;
    let right: Assertion = said(soft.get(&options));
    assert_eq!(answer(Some(ticket.reveal()), &right, 11).await, "in");
    assert_eq!(answer(Some(ticket.reveal()), &right, 12).await, "E-PASSKEY-003", "replayed");
    // Also when the answer was wrong.
    let (options, ticket) = begin(20).await;
    let right: Assertion = said(soft.get(&options));
    soft.origin = "http://localhost:9090".into();
    let wrong: Assertion = said(soft.get(&options));
    soft.origin = ORIGIN.into();
    assert_eq!(answer(Some(ticket.reveal()), &wrong, 21).await, "E-LOGIN-001");
    assert_eq!(answer(Some(ticket.reveal()), &right, 22).await, "E-PASSKEY-003");
    // In its browser: with no ticket, or that of another, it counts for nothing.
    let ((options, ticket), (_, other)) = (begin(30).await, begin(30).await);
    let right: Assertion = said(soft.get(&options));
    assert_eq!(answer(None, &right, 31).await, "E-PASSKEY-003");
    assert_eq!(answer(Some("ab"), &right, 31).await, "E-PASSKEY-003");
    assert_eq!(answer(Some(other.reveal()), &right, 31).await, "E-LOGIN-001");
    assert_eq!(answer(Some(ticket.reveal()), &right, 31).await, "in");
    // In time.
    let (options, ticket) = begin(40).await;
    let right: Assertion = said(soft.get(&options));
    assert_eq!(answer(Some(ticket.reveal()), &right, 340).await, "E-PASSKEY-003");
    let (options, ticket) = begin(400).await;
    let right: Assertion = said(soft.get(&options));
    assert_eq!(answer(Some(ticket.reveal()), &right, 699).await, "in");
    // A challenge of a log-in registers nothing, and one of another session does not either.
    let me = caller(session, &registered, 700).await;
    let (options, _) = begin(700).await;
    let mut second = Soft::edwards(2, ORIGIN);
    let made = said(second.create(&json!({"rp": {"id": "localhost"}, "challenge": options["challenge"], "user": {}})));
    let add = async |me: &Caller, made, at| code(session.add_passkey(me, &party(), "key", made, &here, t(at)).await);
    assert_eq!(add(&me, &made, 701).await, "E-PASSKEY-003");
    let elsewhere = caller(session, &enter(session, &mut soft, None, 702).await.unwrap(), 702).await;
    let code = registered.recovery[1].as_str();
    let options = session.begin_passkey(&elsewhere, &party(), LONG, Some(code), &here, t(703)).await.unwrap();
    let made = said(second.create(&options));
    assert_eq!(add(&me, &made, 704).await, "E-PASSKEY-003");
    assert_eq!(add(&elsewhere, &made, 704).await, "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_outlive_the_process_and_their_count_goes_up() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &[]).await;
    let mut soft = Soft::edwards(1, ORIGIN);
    register(&house, &first, &mut soft, None, 0).await.unwrap();
    let again = Session::open(&house.store(), Options::default()).await.unwrap();
    assert_eq!(enter(&again, &mut soft, None, 10).await.unwrap().user, "hanako");
    // A copy of the authenticator that is behind is noticed.
    let ahead = soft.count;
    soft.count = ahead - 1;
    assert_eq!(code(enter(&again, &mut soft, None, 20).await), "E-LOGIN-001");
    // Two answers of one count at one moment let one in.
    soft.count = ahead;
    let here = from("192.0.2.1");
    let mut both = Vec::new();
    for _ in 0..2 {
        let (options, ticket) = again.begin_passkey_log_in(&party(), None, &here, t(30)).await.unwrap();
        soft.count = ahead;
        both.push((said::<Assertion>(soft.get(&options)), ticket));
    }
    let party = party();
    let go = async |i: usize| code(again.passkey_log_in(&party, Some(both[i].1.reveal()), &both[i].0, None, &here, t(31)).await);
    let (one, two) = tokio::join!(go(0), go(1));
    let mut told = [one, two];
    told.sort_unstable();
    assert_eq!(told, ["E-LOGIN-001", "in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_uses_the_passkey_of_another() {
    let house = House::new().await;
    let mut soft = Vec::new();
    for (i, user) in ["hanako", "taro"].into_iter().enumerate() {
        let first = house.member(user, "acme", &[]).await;
        let mut one = Soft::new(u8::try_from(i).unwrap(), ORIGIN);
        register(&house, &first, &mut one, None, 0).await.unwrap();
        soft.push(one);
    }
    let handles: Vec<_> = soft.iter().map(|soft| soft.handle.clone()).collect();
    assert_ne!(handles[0], handles[1]);
    // Taro's key in Hanako's name, by the handle, by the identifier, by both, and after her password.
    soft[1].handle.clone_from(&handles[0]);
    assert_eq!(code(enter(&house.session, &mut soft[1], None, 10).await), "E-LOGIN-001");
    soft[1].id = vec![0; 16];
    assert_eq!(code(enter(&house.session, &mut soft[1], None, 11).await), "E-LOGIN-001");
    assert_eq!(code(enter(&house.session, &mut soft[1], HANAKO, 12).await), "E-LOGIN-001");
    (soft[1].id, soft[1].handle) = (vec![1; 16], handles[1].clone());
    assert_eq!(code(enter(&house.session, &mut soft[1], HANAKO, 13).await), "E-LOGIN-001");
    assert_eq!(enter(&house.session, &mut soft[1], None, 14).await.unwrap().user, "taro");
    // A handle of nobody, and none.
    for handle in [Some("AAAA".to_owned()), None] {
        soft[1].handle = handle;
        assert_eq!(code(enter(&house.session, &mut soft[1], None, 15).await), "E-LOGIN-001");
    }
    // Beside a password the authenticator need not say whose it is.
    assert_eq!(enter(&house.session, &mut soft[1], Some(("taro", LONG)), 16).await.unwrap().user, "taro");
    // Guessing does not shut out whom it names.
    soft[1].handle.clone_from(&handles[0]);
    let far = Client { address: "203.0.113.9".into(), agent: String::new() };
    let mut told = Vec::new();
    for _ in 0..7 {
        let (options, ticket) = house.session.begin_passkey_log_in(&party(), None, &far, t(20)).await.unwrap();
        let said = said(soft[1].get(&options));
        told.push(code(house.session.passkey_log_in(&party(), Some(ticket.reveal()), &said, None, &far, t(20)).await));
    }
    assert_eq!((told[0], told[5]), ("E-LOGIN-001", "E-LOGIN-002"));
    assert_eq!(enter(&house.session, &mut soft[0], None, 30).await.unwrap().user, "hanako");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_of_a_moment_ago_is_the_second_factor_of_a_change() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &[]).await;
    let mut soft = Soft::new(1, ORIGIN);
    let registered = register(&house, &first, &mut soft, None, 0).await.unwrap();
    let here = from("192.0.2.1");
    let session = &house.session;
    let new = "quiet meadow turbine";
    // By a recovery code: the session is no proof of the passkey.
    let by_code = house.enter("hanako", LONG, Some(&registered.recovery[0]), 1000).await.unwrap();
    let by_code = caller(session, &by_code, 1000).await;
    let change =
        async |who: &Caller, second: Option<&str>, at| code(session.change_password(who, LONG, new, second, &here, t(at)).await);
    assert_eq!(change(&by_code, None, 1001).await, "E-LOGIN-014");
    assert_eq!(code(session.begin_second_factor(&by_code, LONG, None, &here, t(1001)).await), "E-LOGIN-014");
    assert_eq!(code(session.begin_passkey(&by_code, &party(), LONG, None, &here, t(1001)).await), "E-LOGIN-014");
    let by_passkey = caller(session, &enter(session, &mut soft, None, 1100).await.unwrap(), 1100).await;
    assert_eq!(change(&by_code, None, 1101).await, "E-LOGIN-014", "in another session");
    assert_eq!(change(&by_passkey, None, 1400).await, "E-LOGIN-014", "too long ago");
    let by_passkey = caller(session, &enter(session, &mut soft, None, 1500).await.unwrap(), 1500).await;
    // The password is asked for all the same.
    assert_eq!(code(session.change_password(&by_passkey, "wrong", new, None, &here, t(1501)).await), "E-LOGIN-001");
    assert_eq!(change(&by_passkey, None, 1502).await, "in");
    assert_eq!(code(enter(session, &mut soft, Some(("hanako", new)), 1600).await), "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_removed_and_the_last_one_takes_the_codes_along() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &[]).await;
    let (mut soft, mut other) = (Soft::new(1, ORIGIN), Soft::edwards(2, ORIGIN));
    let registered = register(&house, &first, &mut soft, None, 0).await.unwrap();
    assert_eq!(code(register(&house, &registered, &mut soft, None, 1).await), "E-PASSKEY-008");
    let registered = register(&house, &registered, &mut other, None, 2).await.unwrap();
    assert!(registered.recovery.is_empty(), "the codes of before count on");
    let session = &house.session;
    let here = from("192.0.2.1");
    let short = "kzv7mqpw";
    let me = caller(session, &registered, 3).await;
    let changed = session.change_password(&me, LONG, short, None, &here, t(3)).await.unwrap();
    drop(changed);
    let enter_with = async |soft: &mut Soft, at| {
        let logged_in = enter(session, soft, None, at).await?;
        Ok::<_, NotIn>(caller(session, &logged_in, at).await)
    };
    let me = enter_with(&mut soft, 10).await.unwrap();
    let ids: Vec<String> = session.passkeys(&me).await.unwrap().into_iter().map(|one| one.id).collect();
    let remove =
        async |me: &Caller, id: &str, password: &str, at| session.remove_passkey(me, id, password, None, &here, t(at)).await;
    assert_eq!(code(remove(&me, &ids[0], LONG, 11).await), "E-LOGIN-001");
    assert_eq!(code(remove(&me, "none", short, 12).await), "E-PASSKEY-004");
    let left = remove(&me, &ids[0], short, 13).await.unwrap();
    assert_eq!(code(enter(session, &mut soft, None, 14).await), "E-LOGIN-001");
    let me = caller(session, &left, 15).await;
    assert_eq!(session.who_am_i(&me).await.unwrap().recovery_codes, 10);
    // Eight letters are enough beside a passkey, and too few alone.
    assert_eq!(code(remove(&me, &ids[1], short, 16).await), "E-PEOPLE-002");
    assert_eq!(code(enter(session, &mut other, None, 17).await), "in", "it is there still");
    let me = enter_with(&mut other, 18).await.unwrap();
    let changed = session.change_password(&me, short, LONG, None, &here, t(19)).await.unwrap();
    drop(changed);
    let me = enter_with(&mut other, 20).await.unwrap();
    let left = remove(&me, &ids[1], LONG, 21).await.unwrap();
    let me = caller(session, &left, 22).await;
    assert!(!me.second_factor);
    assert_eq!(session.who_am_i(&me).await.unwrap().recovery_codes, 0);
    assert_eq!(code(house.enter("hanako", LONG, None, 23).await), "in");
    assert_eq!(code(enter(session, &mut other, None, 24).await), "E-LOGIN-001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_a_reset_and_an_end_shut_passkeys_too() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &[]).await;
    let mut soft = Soft::new(1, ORIGIN);
    register(&house, &first, &mut soft, None, 0).await.unwrap();
    let listed = async || house.run(None, "user list", json!({})).await.unwrap()["users"][0]["second_factor"].clone();
    assert_eq!(listed().await, true);
    house.run(None, "user lock", json!({"user": "hanako"})).await.unwrap();
    assert_eq!(code(enter(&house.session, &mut soft, None, 10).await), "E-LOGIN-001");
    house.run(None, "user unlock", json!({"user": "hanako"})).await.unwrap();
    assert_eq!(code(enter(&house.session, &mut soft, None, 11).await), "in");
    let reset = house.run(None, "user reset", json!({"user": "hanako"})).await.unwrap();
    let enrolment = reset["enrolment_code"].as_str().unwrap().to_owned();
    assert_eq!(code(enter(&house.session, &mut soft, None, 12).await), "E-LOGIN-001");
    let again = house.session.enrol("hanako", &enrolment, LONG, &from("192.0.2.1"), t(13)).await.unwrap();
    assert_eq!((listed().await, code(enter(&house.session, &mut soft, None, 14).await)), (json!(false), "E-LOGIN-001"));
    // Registered again it is somebody new to the authenticator.
    let before = soft.handle.clone();
    register(&house, &again, &mut soft, None, 15).await.unwrap();
    assert_ne!(before, soft.handle);
    house.run(None, "user close", json!({"user": "hanako"})).await.unwrap();
    assert_eq!(code(enter(&house.session, &mut soft, None, 16).await), "E-LOGIN-001");
    // Nothing is left of it, not even in the bytes of the store.
    let left = bytes_below(&house.store());
    for secret in [soft::code(&soft.id), soft.handle.clone().unwrap(), "passkey-handle".into()] {
        assert!(!left.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

fn bytes_below(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
    all
}
