use super::login::{Client, LoggedIn, NotIn};
use crate::operation::Context;
use crate::progress::Progress;
use crate::session::{Asker, Options, Session};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_commons::agreement::Role;
use toji_commons::people::{self, step_of};
use toji_core::record::FieldMap;
use toji_core::{Access, Id, Instant, Principal, Result};
use toji_store::{Commit, Put};

pub(super) const LONG: &str = "violet harbor lantern";
const OTHER: &str = "quiet meadow turbine";

pub(super) fn t(seconds: i64) -> Instant {
    Instant(1_800_000_000_000_000_000 + seconds * 1_000_000_000)
}

pub(super) fn from(address: &str) -> Client {
    Client { address: address.into(), agent: "test".into() }
}

pub(super) struct House {
    pub(super) session: Arc<Session>,
    dir: tempfile::TempDir,
}

impl House {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::init(&dir.path().join("store"), Options::default()).await.unwrap();
        for organisation in ["acme", "beta", "hub"] {
            let mut fields = FieldMap::new();
            fields.insert("name".into(), format!("{organisation} 社").into());
            let put = Put::new("organisation", Id::parse(organisation).unwrap(), fields);
            let commit = Commit { operation: "record put".into(), puts: vec![put], ..Commit::default() };
            session.store.commit(&Access::owner(), t(-1000), commit).await.unwrap();
        }
        Self { session, dir }
    }
    /// An operation as its owner, or as a user.
    pub(super) async fn run(&self, who: Option<&str>, name: &str, input: Json) -> Result<Json> {
        let mut context = self.session.context(Progress::silent(), t(0));
        if let Some(who) = who {
            let gate = Arc::new(Never);
            context = Context { access: Access { who: Principal { id: who.into(), organisation: None }, gate }, ..context };
        }
        Ok(crate::operation(name)?.run(context, input).await?.json)
    }
    pub(super) async fn invite(&self, user: &str, organisation: &str, roles: &[&str]) -> String {
        let input = json!({"user": user, "organisation": organisation, "roles": roles});
        let answer = self.run(None, "user invite", input).await.unwrap();
        answer["enrolment_code"].as_str().unwrap().to_owned()
    }
    pub(super) fn store(&self) -> std::path::PathBuf {
        self.dir.path().join("store")
    }
    /// Invited and enrolled.
    pub(super) async fn member(&self, user: &str, organisation: &str, roles: &[&str]) -> LoggedIn {
        let code = self.invite(user, organisation, roles).await;
        self.session.enrol(user, &code, LONG, &from("192.0.2.1"), t(0)).await.unwrap()
    }
    pub(super) async fn enter(
        &self,
        user: &str,
        password: &str,
        code: Option<&str>,
        at: i64,
    ) -> std::result::Result<LoggedIn, NotIn> {
        self.session.log_in(user, password, code, None, &from("192.0.2.1"), t(at)).await
    }
    pub(super) async fn counts(&self, logged_in: &LoggedIn, at: i64) -> bool {
        self.session.caller(logged_in.token.reveal(), t(at)).await.unwrap().is_some()
    }
}

/// A gate that allows nothing: what these operations allow does not come from it.
#[derive(Debug)]
struct Never;

impl toji_core::Gate for Never {
    fn decide(&self, _: &Principal, _: toji_core::Action, _: toji_core::Resource<'_>) -> toji_core::Decision {
        toji_core::Decision::no(toji_core::Text::new("否", "no"))
    }
}

pub(super) fn code<T>(result: std::result::Result<T, NotIn>) -> &'static str {
    result.err().map_or("in", |not_in| not_in.error.code())
}

fn app(key: &str, at: i64) -> String {
    people::code_at(&people::unbase32(key).unwrap(), step_of(t(at)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_used_once_and_in_time() {
    let house = House::new().await;
    assert!(!house.session.has_users().await.unwrap());
    let invitation = house.invite("hanako", "acme", &["scientist"]).await;
    assert!(house.session.has_users().await.unwrap());
    let here = from("192.0.2.1");
    let enrol =
        async |user: &str, code: &str, password: &str, at| code_of(house.session.enrol(user, code, password, &here, t(at)).await);
    assert_eq!(code(house.enter("hanako", LONG, None, 0).await), "E-LOGIN-001");
    assert_eq!(enrol("hanako", "012345-6789AB-CDEFGH-JKMNPQ", LONG, 0).await, "E-LOGIN-001");
    assert_eq!(enrol("taro", &invitation, LONG, 0).await, "E-LOGIN-001");
    // A password that is refused does not use the code up.
    assert_eq!(enrol("hanako", &invitation, "short", 0).await, "E-PEOPLE-002");
    assert_eq!(enrol("hanako", &invitation, "hanako acme toji!", 0).await, "E-PEOPLE-003");
    assert_eq!(enrol("hanako", &invitation, LONG, 72 * 3600).await, "E-LOGIN-001");
    assert_eq!(enrol("hanako", &invitation, LONG, 72 * 3600 - 1).await, "in");
    assert_eq!(enrol("hanako", &invitation, OTHER, 72 * 3600 - 1).await, "E-LOGIN-001");
    assert_eq!(code(house.enter("hanako", LONG, None, 72 * 3600).await), "in");
    assert_eq!(code(house.enter("hanako", OTHER, None, 72 * 3600).await), "E-LOGIN-001");
    // Nothing of it stands in the ledger.
    let record = house.session.store.record(&Access::owner(), "user", "hanako", None).await.unwrap();
    let mut names: Vec<&str> = record.fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["commons_roles", "created", "organisation", "state"]);
}

fn code_of<T>(result: std::result::Result<T, NotIn>) -> &'static str {
    code(result)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_enrolments_at_one_moment_are_one() {
    let house = House::new().await;
    let invitation = house.invite("hanako", "acme", &[]).await;
    let (a, b) = (from("192.0.2.1"), from("192.0.2.2"));
    let (one, two) = tokio::join!(
        house.session.enrol("hanako", &invitation, LONG, &a, t(0)),
        house.session.enrol("hanako", &invitation, OTHER, &b, t(0))
    );
    let told = [code(one), code(two)];
    assert_eq!(told.iter().filter(|told| **told == "in").count(), 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_idle_in_any_case_and_by_a_new_password() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &["scientist"]).await;
    assert!(house.counts(&first, 0).await && house.counts(&first, 3599).await);
    // Used at 3599 s: so it counts until an hour later, but not longer than a day.
    assert!(house.counts(&first, 7198).await && !house.counts(&first, 7198 + 3600).await);
    let second = house.enter("hanako", LONG, None, 10_000).await.unwrap();
    let mut at = 10_000;
    while at + 3000 < 10_000 + 86_400 {
        at += 3000;
        assert!(house.counts(&second, at).await, "{at}");
    }
    assert!(!house.counts(&second, 10_000 + 86_400).await);
    // Two at a time, and a new password ends both.
    let third = house.enter("hanako", LONG, None, 200_000).await.unwrap();
    let fourth = house.enter("hanako", LONG, None, 200_000).await.unwrap();
    assert!(house.counts(&third, 200_001).await && house.counts(&fourth, 200_001).await);
    let caller = house.session.caller(third.token.reveal(), t(200_001)).await.unwrap().unwrap();
    let here = from("192.0.2.1");
    let change = async |old: &str, new: &str| house.session.change_password(&caller, old, new, None, &here, t(200_002)).await;
    assert_eq!(code(change("wrong", OTHER).await), "E-LOGIN-001");
    assert_eq!(code(change(LONG, "short").await), "E-PEOPLE-002");
    assert!(house.counts(&third, 200_003).await);
    let fifth = change(LONG, OTHER).await.unwrap();
    assert!(!house.counts(&third, 200_003).await && !house.counts(&fourth, 200_003).await);
    assert!(house.counts(&fifth, 200_003).await);
    assert_eq!(code(house.enter("hanako", LONG, None, 200_004).await), "E-LOGIN-001");
    assert_eq!(code(house.enter("hanako", OTHER, None, 200_004).await), "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_makes_a_new_token_and_ends_the_one_it_came_with() {
    let house = House::new().await;
    let before = house.member("hanako", "acme", &[]).await;
    let here = from("192.0.2.1");
    let again = house.session.log_in("hanako", LONG, None, Some(before.token.reveal()), &here, t(1)).await.unwrap();
    assert_ne!(before.token.reveal(), again.token.reveal());
    assert!(!house.counts(&before, 2).await && house.counts(&again, 2).await);
    // A token that somebody else planted is never taken up.
    let planted = "ab".repeat(32);
    let third = house.session.log_in("hanako", LONG, None, Some(&planted), &here, t(3)).await.unwrap();
    assert_ne!(third.token.reveal(), planted);
    assert!(house.session.caller(&planted, t(3)).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_each_code_counts_once() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &["scientist"]).await;
    let here = from("192.0.2.1");
    let caller = house.session.caller(first.token.reveal(), t(0)).await.unwrap().unwrap();
    let begin = async |password: &str| house.session.begin_second_factor(&caller, password, None, &here, t(10)).await;
    assert_eq!(code(begin("wrong").await), "E-LOGIN-001");
    let key = begin(LONG).await.unwrap();
    assert!(key.uri.starts_with("otpauth://totp/Toji:hanako?secret="));
    // Not confirmed: a log-in needs no code.
    assert_eq!(code(house.enter("hanako", LONG, None, 20).await), "in");
    let confirm = async |code: &str, at| house.session.confirm_second_factor(&caller, code, &here, t(at)).await;
    assert_eq!(code(confirm("000000", 30).await), "E-LOGIN-001");
    let confirmed = confirm(&app(&key.secret, 40), 40).await.unwrap();
    assert_eq!(confirmed.recovery.len(), 10);
    assert!(!house.counts(&first, 41).await, "raised rights renew the session");
    assert_eq!(code(house.enter("hanako", LONG, None, 50).await), "E-LOGIN-003");
    assert_eq!(code(house.enter("hanako", "wrong", Some(&app(&key.secret, 50)), 50).await), "E-LOGIN-001");
    // The step of the confirmation is used up.
    assert_eq!(code(house.enter("hanako", LONG, Some(&app(&key.secret, 40)), 50).await), "E-LOGIN-001");
    let now = app(&key.secret, 100);
    assert_eq!(code(house.enter("hanako", LONG, Some(&now), 100).await), "in");
    assert_eq!(code(house.enter("hanako", LONG, Some(&now), 101).await), "E-LOGIN-001", "replayed");
    // Replayed at the same moment by two.
    let next = app(&key.secret, 200);
    let (one, two) = tokio::join!(house.enter("hanako", LONG, Some(&next), 200), house.enter("hanako", LONG, Some(&next), 200));
    let told = [code(one), code(two)];
    assert_eq!(told.iter().filter(|told| **told == "in").count(), 1, "{told:?}");
    // Recovery codes count once each.
    let recovery = &confirmed.recovery[3];
    assert_eq!(code(house.enter("hanako", LONG, Some(recovery), 300).await), "in");
    assert_eq!(code(house.enter("hanako", LONG, Some(recovery), 301).await), "E-LOGIN-001");
    assert_eq!(code(house.enter("hanako", LONG, Some(&confirmed.recovery[4].to_lowercase()), 400).await), "in");
    // Beside a second factor eight characters are enough, and the code is asked for.
    let present = house.enter("hanako", LONG, Some(&app(&key.secret, 500)), 500).await.unwrap();
    let caller = house.session.caller(present.token.reveal(), t(500)).await.unwrap().unwrap();
    assert_eq!(house.session.who_am_i(&caller).await.unwrap().recovery_codes, 8);
    let change =
        async |second: Option<&str>, at| house.session.change_password(&caller, LONG, "kzv7mqpw", second, &here, t(at)).await;
    assert_eq!(code(change(None, 600).await), "E-LOGIN-003");
    assert_eq!(code(change(Some(&app(&key.secret, 600)), 600).await), "in");
    // A key that was begun long ago does not count any more.
    let present = house.enter("hanako", "kzv7mqpw", Some(&app(&key.secret, 700)), 700).await.unwrap();
    let caller = house.session.caller(present.token.reveal(), t(700)).await.unwrap().unwrap();
    let with = app(&key.secret, 800);
    let newer = house.session.begin_second_factor(&caller, "kzv7mqpw", Some(&with), &here, t(800)).await.unwrap();
    let late = house.session.confirm_second_factor(&caller, &app(&newer.secret, 1400), &here, t(1400)).await;
    assert_eq!(code(late), "E-LOGIN-007");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_makes_wait_but_keeps_nobody_out_for_good() {
    let house = House::new().await;
    house.member("hanako", "acme", &[]).await;
    let stranger = from("198.51.100.9");
    let guess = async |user: &str, at| house.session.log_in(user, "a wrong password", None, None, &stranger, t(at)).await;
    for user in ["hanako", "nobody-of-this-name"] {
        let mut waits = Vec::new();
        for _ in 0..7 {
            let told = guess(user, 10).await.err().unwrap();
            waits.push((told.error.code(), told.wait_s));
        }
        // Five guesses, then a wait: for a name that exists and one that does not.
        assert_eq!(waits[..5], [("E-LOGIN-001", None); 5], "{user}");
        assert_eq!(waits[5..], [("E-LOGIN-002", Some(1)); 2], "{user}");
    }
    // The right password does not help a stranger while they wait; where the owner has been before, it does.
    let right = house.session.log_in("hanako", LONG, None, None, &stranger, t(10)).await;
    assert_eq!(code(right), "E-LOGIN-002");
    assert_eq!(code(house.enter("hanako", LONG, None, 10).await), "in");
    // A day of guessing: about a hundred guesses, and nobody waits longer than 15 minutes.
    let (mut at, mut guesses, mut longest) = (20, 0, 0);
    while at < 86_400 {
        match guess("hanako", at).await.err().unwrap().wait_s {
            Some(wait) => {
                longest = longest.max(wait);
                at += wait;
            }
            None => guesses += 1,
        }
    }
    assert!((90..120).contains(&guesses) && longest == 900, "{guesses} {longest}");
    let later = house.session.log_in("hanako", LONG, None, None, &stranger, t(at + 900)).await;
    assert_eq!(code(later), "in");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_tries_many_names_waits_too() {
    let house = House::new().await;
    let stranger = from("198.51.100.9");
    let mut told = Vec::new();
    for i in 0..40 {
        let not_in = house.session.log_in(&format!("user-{i}"), LONG, None, None, &stranger, t(0)).await.err().unwrap();
        told.push(not_in.wait_s.is_some());
    }
    assert_eq!(told.iter().filter(|wait| !**wait).count(), 30);
    house.member("hanako", "acme", &[]).await;
    assert_eq!(code(house.enter("hanako", LONG, None, 0).await), "in", "from elsewhere nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_one_moment_are_all_counted() {
    let house = House::new().await;
    house.member("hanako", "acme", &[]).await;
    let stranger = from("198.51.100.9");
    let guesses = (0..20).map(|_| house.session.log_in("hanako", "a wrong password", None, None, &stranger, t(0)));
    let told = futures::future::join_all(guesses).await;
    let tried = told.into_iter().filter(|one| one.as_ref().err().is_some_and(|not_in| not_in.wait_s.is_none())).count();
    assert_eq!(tried, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_does_not_tell_whether_a_user_exists() {
    let house = House::new().await;
    house.member("hanako", "acme", &[]).await;
    let mut times: [Vec<std::time::Duration>; 2] = [Vec::new(), Vec::new()];
    // In turns, so that a busy machine slows both alike.
    for i in 0..15 {
        for (user, times) in ["hanako", "nobody-of-this-name"].into_iter().zip(&mut times) {
            let client = from(&format!("203.0.113.{i}"));
            let begun = std::time::Instant::now();
            let told = house.session.log_in(user, "a wrong password", None, None, &client, t(i * 1000)).await;
            times.push(begun.elapsed());
            assert_eq!(code(told), "E-LOGIN-001");
        }
    }
    let [there, nowhere] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    // Both hash a password of 19 MiB; without that the one would be ten times as fast and more.
    assert!(nowhere > 0.4 * there && there > 0.4 * nowhere, "{there} s, {nowhere} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_reset_and_closed_accounts_are_shut() {
    let house = House::new().await;
    let logged_in = house.member("hanako", "acme", &["scientist"]).await;
    let own = json!({"user": "hanako"});
    let locked = house.run(None, "user lock", own.clone()).await.unwrap();
    assert_eq!((&locked["account_state"], &locked["sessions_ended"]), (&json!("locked"), &json!(1)));
    assert!(!house.counts(&logged_in, 1).await);
    assert_eq!(code(house.enter("hanako", LONG, None, 1).await), "E-LOGIN-001");
    assert_eq!(house.run(None, "user reset", own.clone()).await.unwrap_err().code(), "E-USER-006");
    house.run(None, "user unlock", own.clone()).await.unwrap();
    assert_eq!(code(house.enter("hanako", LONG, None, 2).await), "in");
    let reset = house.run(None, "user reset", own.clone()).await.unwrap();
    assert_eq!((&reset["account_state"], &reset["sessions_ended"]), (&json!("invited"), &json!(1)));
    assert_eq!(code(house.enter("hanako", LONG, None, 3).await), "E-LOGIN-001");
    let enrolment = reset["enrolment_code"].as_str().unwrap();
    house.session.enrol("hanako", enrolment, OTHER, &from("192.0.2.1"), t(4)).await.unwrap();
    house.run(None, "user close", own.clone()).await.unwrap();
    assert_eq!(code(house.enter("hanako", OTHER, None, 5).await), "E-LOGIN-001");
    for sort in ["password", "enrolment", "totp", "recovery", "known-addresses"] {
        assert_eq!(house.session.store.secret("hanako", sort).await.unwrap(), None, "{sort}");
    }
    assert!(house.session.store.sessions_of("hanako").await.unwrap().is_empty());
    // The pseudonym stays, closes again without harm, and comes back in no way.
    assert_eq!(house.run(None, "user close", own.clone()).await.unwrap()["changed"], false);
    for (name, input) in [
        ("user unlock", own.clone()),
        ("user reset", own.clone()),
        ("user roles", json!({"user": "hanako", "roles": ["scientist"]})),
    ] {
        assert!(house.run(None, name, input).await.is_err(), "{name}");
    }
    assert_eq!(house.run(None, "user invite", own).await.unwrap_err().code(), "E-USER-007");
    assert!(house.session.has_users().await.unwrap(), "a store does not open by itself");
    // No way round by the operations of records, not even for the owner.
    for name in ["record retire", "record restore"] {
        let input = json!({"kind": "user", "id": "hanako", "reason": "x"});
        assert_eq!(house.run(None, name, input).await.unwrap_err().code(), "E-USER-011", "{name}");
    }
    let by_hand = json!({"kind": "user", "id": "jiro", "fields": {"state": "active", "created": "2026-04-01T00:00:00Z"}});
    assert_eq!(house.run(None, "record put", by_hand).await.unwrap_err().code(), "E-RECORD-006");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_change_whom() {
    let house = House::new().await;
    for (user, organisation, roles) in [
        ("op", "hub", &["operator"] as &[&str]),
        ("admin", "acme", &["contributor-admin"]),
        ("hanako", "acme", &["scientist"]),
        ("taro", "beta", &["scientist"]),
    ] {
        house.member(user, organisation, roles).await;
    }
    let check = async |who: &str, name: &str, input: Json, expected: &str| {
        let told = house.run(Some(who), name, input.clone()).await;
        assert_eq!(told.err().map_or("done", |e| e.code()), expected, "{who}: {name} {input}");
    };
    let roles = |user: &str, roles: &[&str]| json!({"user": user, "roles": roles});
    check("admin", "user roles", roles("hanako", &["scientist", "steward"]), "done").await;
    check("admin", "user roles", roles("admin", &["scientist"]), "E-PEOPLE-011").await;
    check("admin", "user roles", roles("taro", &["steward"]), "E-PEOPLE-012").await;
    check("admin", "user roles", roles("nobody-of-this-name", &["steward"]), "E-PEOPLE-012").await;
    check("admin", "user roles", roles("hanako", &["operator"]), "E-PEOPLE-012").await;
    check("admin", "user lock", json!({"user": "op"}), "E-PEOPLE-012").await;
    check("hanako", "user roles", roles("hanako", &["contributor-admin"]), "E-PEOPLE-011").await;
    check("hanako", "user close", json!({"user": "taro"}), "E-PEOPLE-012").await;
    check("op", "user roles", roles("op", &["scientist"]), "E-PEOPLE-011").await;
    check("op", "user roles", roles("hanako", &["operator", "scientist"]), "E-PEOPLE-010").await;
    check("op", "user roles", roles("hanako", &["auditor", "steward"]), "E-PEOPLE-010").await;
    check("op", "user roles", roles("taro", &["steward"]), "done").await;
    check("op", "user roles", roles("nobody-of-this-name", &["steward"]), "E-USER-002").await;
    check("admin", "user invite", json!({"user": "jiro", "roles": ["scientist"]}), "done").await;
    check("admin", "user invite", json!({"user": "saburo", "organisation": "beta"}), "E-PEOPLE-012").await;
    check("admin", "user invite", json!({"user": "spy", "roles": ["auditor"]}), "E-PEOPLE-012").await;
    check("hanako", "user invite", json!({"user": "spy"}), "E-PEOPLE-012").await;
    for name in ["owner", "Guest", "system"] {
        check("op", "user invite", json!({"user": name, "organisation": "hub"}), "E-USER-001").await;
    }
    check("hanako", "user sessions", json!({}), "done").await;
    check("hanako", "user sessions", json!({"user": "taro"}), "E-PEOPLE-012").await;
    check("hanako", "user end-session", json!({"user": "taro"}), "E-PEOPLE-012").await;
    check("admin", "user sessions", json!({"user": "hanako"}), "done").await;
    for name in ["user list", "user sessions"] {
        check("nobody-of-this-name", name, json!({}), "E-USER-003").await;
    }
    let listed = async |who: Option<&str>| {
        let users = house.run(who, "user list", json!({})).await.unwrap()["users"].clone();
        users.as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(None).await, ["admin", "hanako", "jiro", "op", "taro"]);
    assert_eq!(listed(Some("op")).await, ["admin", "hanako", "jiro", "op", "taro"]);
    assert_eq!(listed(Some("admin")).await, ["admin", "hanako", "jiro"]);
    assert_eq!(listed(Some("hanako")).await, ["hanako"]);
    // The ledger names who did it.
    let history = house.session.store.history(&Access::owner(), "user", "taro").await.unwrap();
    assert!(history.iter().any(|version| version.actor == "op"), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_without_their_tokens_and_ended_one_by_one() {
    let house = House::new().await;
    let first = house.member("hanako", "acme", &["scientist"]).await;
    let second = house.enter("hanako", LONG, None, 0).await.unwrap();
    let told = house.run(Some("hanako"), "user sessions", json!({})).await.unwrap();
    let names: Vec<&str> = told["sessions"].as_array().unwrap().iter().map(|s| s["session"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2);
    for logged_in in [&first, &second] {
        assert!(!told.to_string().contains(logged_in.token.reveal()) && !told.to_string().contains(&logged_in.token.hash()));
    }
    let name = &second.token.hash()[..12];
    let ended = house.run(Some("hanako"), "user end-session", json!({"session": name})).await.unwrap();
    assert_eq!(ended["sessions_ended"], 1);
    assert!(house.counts(&first, 1).await && !house.counts(&second, 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weaker_hash_is_made_anew_when_the_password_is_known() {
    let house = House::new().await;
    house.member("hanako", "acme", &[]).await;
    let weak = people::keep(LONG, &[3; 16], people::Cost { memory_kib: 8192, passes: 1, lanes: 1 }).unwrap();
    house.session.store.set_secret("hanako", "password", &weak, t(0)).await.unwrap();
    assert_eq!(code(house.enter("hanako", "wrong", None, 1).await), "E-LOGIN-001");
    assert_eq!(house.session.store.secret("hanako", "password").await.unwrap().unwrap(), weak);
    assert_eq!(code(house.enter("hanako", LONG, None, 2).await), "in");
    let kept = house.session.store.secret("hanako", "password").await.unwrap().unwrap();
    assert!(!people::is_behind(&kept, people::Cost::HOUSE) && people::matches(LONG, &kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_as_who_submitted_it_and_is_seen_by_nobody_else() {
    let house = House::new().await;
    house.member("hanako", "acme", &["scientist"]).await;
    house.member("taro", "beta", &["scientist"]).await;
    let asker = |id: &str| Asker::User { id: id.into(), purpose: None };
    let session = &house.session;
    let ended = async |asker: &Asker, id: &str| {
        let mut job = session.watch_job(asker, id).await.unwrap();
        job.wait_for(|job| job.state.is_final()).await.unwrap().clone()
    };
    // `user list` answers with what the asker may see.
    let id = session.submit_for(&asker("hanako"), "user list", json!({}), t(0)).await.unwrap();
    let job = ended(&asker("hanako"), &id).await;
    assert_eq!(job.output["users"].as_array().unwrap().len(), 1, "{}", job.output);
    for other in [asker("taro"), Asker::Guest] {
        assert_eq!(session.job(&other, &id).await.unwrap_err().code(), "E-JOB-002");
        assert_eq!(session.watch_job(&other, &id).await.unwrap_err().code(), "E-JOB-002");
        assert_eq!(session.cancel_job(&other, &id).await.unwrap_err().code(), "E-JOB-002");
    }
    assert!(session.job(&Asker::Owner, &id).await.is_ok());
    // One left behind by a crash, by somebody who has been locked since: it fails, and not as the owner.
    let owner = toji_store::JobOwner { account: "taro".into(), purpose: None };
    let add = async |id: &str| {
        session.store.add_job_of(&Access::owner(), id, "user list", "{}", "2026-04-01T00:00:00Z", Some(&owner)).await.unwrap();
        session.resume_jobs().await.unwrap();
        ended(&asker("taro"), id).await
    };
    assert_eq!(add("j-before").await.output["users"].as_array().unwrap().len(), 1);
    house.run(None, "user lock", json!({"user": "taro"})).await.unwrap();
    let job = add("j-after").await;
    assert_eq!((job.state, job.error["code"].as_str()), (toji_store::JobState::Failed, Some("E-USER-004")));
    // Nothing that is shown once is kept with a job, and guests have none.
    for name in ["user invite", "user reset"] {
        let told = session.submit_for(&asker("hanako"), name, json!({"user": "x"}), t(0)).await;
        assert_eq!(told.unwrap_err().code(), "E-JOB-015");
    }
    let told = session.submit_for(&Asker::Guest, "store status", json!({}), t(0)).await;
    assert_eq!(told.unwrap_err().code(), "E-JOB-014");
}

#[test]
fn the_kind_declares_the_roles_of_the_commons() {
    let kind = toji_core::KindSet::builtin().unwrap().get("user").unwrap();
    let declared: Vec<(&str, &str)> =
        kind.field("commons_roles").unwrap().choices.iter().map(|c| (c.code.as_str(), c.label.en.as_str())).collect();
    let codes: Vec<(String, String)> = Role::ALL
        .iter()
        .map(|role| (serde_json::to_value(role).unwrap().as_str().unwrap().to_owned(), role.label().en))
        .collect();
    assert_eq!(declared, codes.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_logs_in_by_its_key_once_a_challenge_and_at_its_house_only() {
    use toji_commons::log::{KeyKind, SigningKey};
    let house = House::new().await;
    house.run(None, "commons found", json!({"organisation": "hub", "country": "JP"})).await.unwrap();
    house.invite("node-a", "acme", &["contributor-admin"]).await;
    let (key, other) = ([1u8, 2].map(|seed| SigningKey::from_seed("node-a", KeyKind::Log, &[seed; 32]).unwrap())).into();
    let here = from("192.0.2.1");
    let posed = async |user: &str, at| house.session.challenge(user, t(at)).await.unwrap();
    let enter = async |user: &str, challenge: &str, signed: &str, at| {
        code(house.session.log_in_by_key(user, challenge, signed, &here, t(at)).await)
    };
    let answered =
        |key: &SigningKey, house: &str, challenge: &str| super::answer_challenge(key, house, "node-a", challenge).unwrap();
    // Before its key is registered, and under another key, and a key of another name.
    let one = posed("node-a", 0).await;
    assert_eq!(one.house, "hub");
    assert_eq!(enter("node-a", &one.challenge, &answered(&key, "hub", &one.challenge), 0).await, "E-LOGIN-001");
    let named = SigningKey::from_seed("node-b", KeyKind::Log, &[1; 32]).unwrap();
    let wrong = json!({"user": "node-a", "key": named.verifier().to_string()});
    assert_eq!(house.run(None, "user node-key", wrong).await.unwrap_err().code(), "E-USER-020");
    house.run(None, "user node-key", json!({"user": "node-a", "key": key.verifier().to_string()})).await.unwrap();
    // From here on each attempt waits out the delays after failures.
    let mut at = 1000;
    let mut tried = async |sign: &dyn Fn(&str) -> String, late: i64| {
        at += 4000;
        let posed = posed("node-a", at).await;
        let signed = sign(&posed.challenge);
        let seen = enter("node-a", &posed.challenge, &signed, at + late).await;
        (seen, posed.challenge, signed)
    };
    assert_eq!(tried(&|c| answered(&other, "hub", c), 0).await.0, "E-LOGIN-001");
    assert_eq!(tried(&|c| answered(&key, "elsewhere", c), 0).await.0, "E-LOGIN-001");
    assert_eq!(tried(&|c| answered(&key, "hub", c).replace("node-a\n", "node-b\n"), 0).await.0, "E-LOGIN-001");
    assert_eq!(tried(&|c| answered(&key, "hub", c), 121).await.0, "E-LOGIN-001", "too late");
    assert_eq!(tried(&|_| String::new(), 0).await.0, "E-LOGIN-001");
    let (seen, challenge, signed) = tried(&|c| answered(&key, "hub", c), 119).await;
    assert_eq!(seen, "in");
    // What was overheard counts no more; a challenge for another user does not either.
    assert_eq!(enter("node-a", &challenge, &signed, 60_000).await, "E-LOGIN-001");
    let for_other = posed("node-b", 70_000).await;
    assert_eq!(enter("node-a", &for_other.challenge, &answered(&key, "hub", &for_other.challenge), 70_000).await, "E-LOGIN-001");
    // A locked account stays out; an account of a person takes no key.
    house.run(None, "user lock", json!({"user": "node-a"})).await.unwrap();
    assert_eq!(tried(&|c| answered(&key, "hub", c), 0).await.0, "E-LOGIN-001");
    house.member("hanako", "acme", &["scientist"]).await;
    let of_person = SigningKey::from_seed("hanako", KeyKind::Log, &[3; 32]).unwrap();
    let input = json!({"user": "hanako", "key": of_person.verifier().to_string()});
    assert_eq!(house.run(None, "user node-key", input).await.unwrap_err().code(), "E-USER-021");
    // Who may not administer it does not learn whether it exists.
    let input = json!({"user": "node-a", "key": key.verifier().to_string()});
    assert!(house.run(Some("hanako"), "user node-key", input).await.is_err());
}
