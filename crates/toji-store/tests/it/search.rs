//! Search: the same hits in either language, and never what is gone or changed.

use crate::home::*;
use serde_json::{Value as Json, json};
use toji_store::{Put, Store};

fn facility(name: &str, ja: &str, en: &str, equipment: [&str; 2]) -> Put {
    put(
        "facility",
        name,
        json!({
            "kind": "bioreactor", "name_ja": ja, "name_en": en, "equipment_ja": equipment[0], "equipment_en": equipment[1],
            "source": "made for this test", "section": "1", "line": 1,
        }),
    )
}

async fn hits(store: &Store, question: &str) -> Vec<String> {
    let mut found: Vec<String> =
        store.search(&me(), question, &[], 50).await.unwrap().hits.into_iter().map(|h| format!("{} {}", h.kind, h.id)).collect();
    found.sort();
    found
}

async fn filled(store: &Store) {
    let mut simulated = run("r1");
    simulated.fields.insert("notes".into(), Json::from("酵母の流加培養、溶存酸素は 30 % を下回らない"));
    commit(
        store,
        0,
        puts(vec![
            facility("f1", "北町醸造試験棟", "Kitamachi brewing hall", ["蒸留塔と発酵槽", "distillation column and fermenter"]),
            facility("f2", "南町培養棟", "Minamimachi culture hall", ["攪拌槽", "stirred tanks"]),
            put(
                "strain",
                "st1",
                json!({"name": "協会 7 号", "taxon_name": "Saccharomyces cerevisiae", "notes": "yeast for sake"}),
            ),
            simulated,
        ]),
    )
    .await
    .unwrap();
}

on_both! {
    async fn either_language_finds_the_same(home) {
        let store = &home.store;
        filled(store).await;
        for (ja, en, expected) in [
            ("北町醸造試験棟", "Kitamachi brewing hall", "facility f1"),
            ("南町培養棟", "minamimachi CULTURE hall", "facility f2"),
            ("酵母", "yeast", "run r1"),
            ("酵母", "yeasts", "strain st1"),
        ] {
            let found = hits(store, ja).await;
            assert_eq!(found, hits(store, en).await, "{ja} / {en}");
            assert!(found.contains(&expected.to_owned()), "{ja}: {found:?}");
        }
        assert!(hits(store, "Ｓａｃｃｈａｒｏｍｙｃｅｓ").await.contains(&"strain st1".to_owned()), "full width is the same word");
        assert!(hits(store, "溶存酸素").await.contains(&"run r1".to_owned()));
        assert!(hits(store, "").await.is_empty() && hits(store, "の of").await.is_empty());
        let only = store.search(&me(), "酵母", &["strain".into()], 50).await.unwrap();
        assert_eq!((only.total, only.hits[0].id.as_str()), (1, "st1"));
        assert!(store.search(&me(), "酵母", &["dragon".into()], 50).await.is_err());
    }

    async fn changed_records_are_found_by_their_present_words_only(home) {
        let store = &home.store;
        filled(store).await;
        assert_eq!(hits(store, "distillation").await, ["facility f1"]);
        commit(store, 1, puts(vec![facility("f1", "北町醸造試験棟", "Kitamachi brewing hall", ["遠心分離機", "centrifuge"])])).await.unwrap();
        assert!(hits(store, "distillation").await.is_empty());
        assert_eq!(hits(store, "centrifuge").await, ["facility f1"]);
        let mut gone = facility("f1", "北町醸造試験棟", "Kitamachi brewing hall", ["遠心分離機", "centrifuge"]);
        gone.retired = true;
        commit(store, 2, puts(vec![gone.clone()])).await.unwrap();
        assert!(hits(store, "centrifuge").await.is_empty() && hits(store, "遠心分離機").await.is_empty());
        gone.retired = false;
        commit(store, 3, puts(vec![gone])).await.unwrap();
        assert_eq!(hits(store, "centrifuge").await, ["facility f1"]);
    }

    async fn the_index_is_only_derived(home) {
        let store = &home.store;
        filled(store).await;
        let before = hits(store, "酵母").await;
        assert!(!before.is_empty());
        let again = home.again().await;
        assert_eq!(hits(&again, "yeast").await, before, "a store opened again");
        drop(again);
        std::fs::remove_dir_all(home.folder().join("search")).unwrap();
        let again = home.again().await;
        assert_eq!(hits(&again, "酵母").await, before, "made anew from the ledger");
    }
}
