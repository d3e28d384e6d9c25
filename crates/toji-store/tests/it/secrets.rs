//! What must never be shown: kept beside the ledger, used once where it counts once, and gone when it is erased.

use crate::home::{at, me, puts, run};
use toji_store::{JobOwner, SessionRow};

fn session(token: &str, account: &str, second: i64) -> SessionRow {
    SessionRow {
        token_hash: token.into(),
        account: account.into(),
        created_at: at(second),
        seen_at: at(second),
        ends_at: at(second + 100),
        address: "192.0.2.1".into(),
        agent: "test".into(),
    }
}

on_both! {
    async fn a_secret_is_used_once_by_whoever_comes_first(home) {
        let store = &home.store;
        assert_eq!(store.secret("a", "totp").await.unwrap(), None);
        assert!(store.swap_secret("a", "totp", None, "1", at(0)).await.unwrap());
        assert!(!store.swap_secret("a", "totp", None, "2", at(0)).await.unwrap());
        let other = home.again().await;
        let mut won = 0;
        for store in [store, &other] {
            won += u32::from(store.swap_secret("a", "totp", Some("1"), "2", at(1)).await.unwrap());
        }
        assert_eq!(won, 1);
        assert!(!store.take_secret("a", "totp", "1").await.unwrap());
        assert!(store.take_secret("a", "totp", "2").await.unwrap());
        assert!(!store.take_secret("a", "totp", "2").await.unwrap());
    }

    async fn sessions_end_one_by_one_all_at_once_and_by_themselves(home) {
        let store = &home.store;
        for (token, account, second) in [("t1", "a", 0), ("t2", "a", 10), ("t3", "b", 20)] {
            store.add_session(&session(token, account, second), at(second - 50)).await.unwrap();
        }
        assert_eq!(store.session("t1").await.unwrap(), Some(session("t1", "a", 0)));
        let names = |rows: Vec<SessionRow>| rows.into_iter().map(|row| row.token_hash).collect::<Vec<_>>();
        assert_eq!(names(store.sessions_of("a").await.unwrap()), ["t2", "t1"]);
        store.touch_session("t1", at(60)).await.unwrap();
        store.touch_session("t1", at(30)).await.unwrap();
        assert_eq!(store.session("t1").await.unwrap().unwrap().seen_at, at(60));
        // t3 was not used for 50 s; t1 and t2 end at 100 and 110 s.
        store.add_session(&session("t4", "b", 105), at(55)).await.unwrap();
        assert_eq!(names(store.sessions_of("a").await.unwrap()), Vec::<String>::new());
        assert_eq!(names(store.sessions_of("b").await.unwrap()), ["t4"]);
        assert!(store.end_session("t4").await.unwrap() && !store.end_session("t4").await.unwrap());
        store.add_session(&session("t5", "b", 105), at(55)).await.unwrap();
        assert_eq!(store.end_sessions("b").await.unwrap(), 1);
        assert!(store.session("t5").await.unwrap().is_none());
    }

    async fn secrets_are_in_no_event_no_table_and_change_no_head(home) {
        let store = &home.store;
        store.commit(&me(), at(0), puts(vec![run("r1")])).await.unwrap();
        let before = store.seq(&me()).await.unwrap();
        store.set_secret("a", "password", "hidden-word", at(0)).await.unwrap();
        assert_eq!(store.seq(&me()).await.unwrap(), before);
        for name in ["secrets", "sessions", "job_owners"] {
            assert!(store.sql(&me(), &format!("SELECT * FROM {name}"), 10).await.is_err(), "{name}");
        }
    }

    async fn a_job_keeps_who_submitted_it(home) {
        let store = &home.store;
        let owner = JobOwner { account: "a".into(), purpose: Some("research".into()) };
        store.add_job_of(&me(), "j1", "store status", "{}", "2026-04-01T00:00:00Z", Some(&owner)).await.unwrap();
        store.add_job(&me(), "j2", "store status", "{}", "2026-04-01T00:00:01Z").await.unwrap();
        assert_eq!(store.take_job(&me(), 1000, 60).await.unwrap().unwrap().owner, Some(owner.clone()));
        // Taken over by another process it is still theirs.
        let other = home.again().await;
        assert_eq!(other.take_job(&me(), 2000, 60).await.unwrap().unwrap().owner, Some(owner));
        assert_eq!(other.job(&me(), "j2").await.unwrap().owner, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_from_the_bytes_of_the_file() {
    let home = crate::home::Home::embedded().await;
    let found = |word: &str| {
        std::fs::read_dir(home.folder())
            .unwrap()
            .filter_map(|entry| std::fs::read(entry.unwrap().path()).ok())
            .any(|bytes| bytes.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    let store = &home.store;
    for i in 0..50 {
        store.set_secret("a", "password", &format!("hidden-word-{i}"), at(i)).await.unwrap();
        store.set_secret(&format!("other-{i}"), "password", &"kept-word".repeat(40), at(i)).await.unwrap();
        store.add_session(&session(&format!("hidden-token-{i}"), "a", 0), at(-50)).await.unwrap();
    }
    assert!(found("hidden-word-49") && found("hidden-token-7"));
    store.erase_account("a").await.unwrap();
    assert!(!found("hidden-word") && !found("hidden-token") && found("kept-word"));
    assert_eq!(store.secret("a", "password").await.unwrap(), None);
    assert!(store.sessions_of("a").await.unwrap().is_empty());
}
