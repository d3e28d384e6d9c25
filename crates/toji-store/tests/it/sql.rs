//! SQL: the same rows as the store's own reading, nothing but reading, and nothing beside the store.

use crate::home::*;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toji_store::{Commit, Store};

async fn ask(store: &Arc<Store>, query: &str) -> Vec<Vec<Json>> {
    store.sql(&me(), query, 100_000).await.unwrap_or_else(|e| panic!("{query}: {e:?}")).rows().unwrap()
}

/// Three runs of two channels each, minute by minute, with gaps, flags and late points.
async fn filled(store: &Store) {
    for (n, name) in ["r1", "r2", "r3"].into_iter().enumerate() {
        let start = toji_core::Instant::parse("2026-04-01T00:00:00Z").unwrap().0;
        let mut whole = Commit { operation: "run import".into(), puts: vec![run(name)], ..Commit::default() };
        for (c, key) in ["temp", "ph"].into_iter().enumerate() {
            let rows: Vec<(i64, i64)> = (0..200i64)
                .filter(|i| i % (7 + c as i64) != 3)
                .map(|i| (start + i * 60_000_000_000, i * 31 % 97 + n as i64))
                .collect();
            let mut points = scaled(1, &rows);
            points.quality.iter_mut().skip(5).step_by(11).for_each(|q| *q = 2);
            whole.puts.push(channel(name, key));
            whole.series.push(series(name, key, points));
        }
        for s in 0..5i64 {
            let time = toji_core::Instant(start + s * 37 * 60_000_000_000 + 1).to_string();
            whole.puts.push(put("sample", &format!("{name}-s{s}"), json!({"key": format!("s{s}"), "run": name, "time": time})));
        }
        commit(store, n as i64, whole).await.unwrap();
    }
}

on_both! {
    async fn columns_of_one_name_are_told_apart(home) {
        let store = &home.store;
        filled(store).await;
        let query = "SELECT x.key, y.key, x.value AS key_2, y.value, x.value FROM series x JOIN series y ON x.time = y.time \
                     WHERE x.run = 'r1' AND y.run = 'r1' AND x.key = 'temp' AND y.key = 'ph' ORDER BY x.time LIMIT 3";
        let answer = store.sql(&me(), query, 10).await.unwrap();
        let names: Vec<String> = answer.columns().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["key", "key_3", "key_2", "value", "value_2"]);
        let rows = answer.rows().unwrap();
        assert_eq!(rows.len(), 3);
        for row in rows {
            assert_eq!((&row[0], &row[1], &row[2]), (&json!("temp"), &json!("ph"), &row[4]));
            assert!(row[3].is_number() && row[4].is_number(), "{row:?}");
        }
        for file in [answer.csv(), answer.arrow(), answer.parquet()] {
            assert!(!file.unwrap().is_empty());
        }
    }
}

on_both! {
    async fn kinds_are_tables(home) {
        let store = &home.store;
        filled(store).await;
        commit(store, 9, puts(vec![
            put("organisation", "o1", json!({"name": "試験醸造所", "country": "JP"})),
            put("strain", "st1", json!({"name": "酵母 1", "owner": "o1", "gmo": false, "ph_optimal": 5.5})),
            put("strain", "st2", json!({"name": "yeast 2"})),
        ])).await.unwrap();
        let rows = ask(store, "SELECT s.id, o.name, s.gmo, s.ph_optimal FROM strain s LEFT JOIN organisation o ON o.id = s.owner ORDER BY s.id").await;
        assert_eq!(rows, [vec![json!("st1"), json!("試験醸造所"), json!(false), json!(5.5)], vec![json!("st2"), Json::Null, Json::Null, Json::Null]]);
        let listed = ask(store, "SELECT DISTINCT table_name FROM information_schema.tables WHERE table_schema = 'public'").await;
        for kind in store.kinds().iter() {
            let name = kind.kind.replace('-', "_");
            assert!(listed.iter().any(|r| r[0] == json!(name)), "{name} is not a table");
            ask(store, &format!("SELECT * FROM {name} LIMIT 1")).await;
        }
    }

    async fn the_series_table_holds_every_point(home) {
        let store = &home.store;
        filled(store).await;
        for name in ["r1", "r3"] {
            for key in ["temp", "ph"] {
                let own = read(store, name, key).await;
                let rows = ask(store, &format!("SELECT value, quality, elapsed_s FROM series WHERE run = '{name}' AND key = '{key}' ORDER BY time")).await;
                assert_eq!(rows.len(), own.len());
                for (i, row) in rows.iter().enumerate() {
                    assert_eq!((row[0].as_f64(), row[1].as_u64()), (Some(own.value[i]), Some(u64::from(own.quality[i]))));
                }
            }
        }
        // Filters that reach the files and filters that do not say the same.
        for (pushed, plain) in [
            ("run = 'r2'", "run || '' = 'r2'"),
            ("run IN ('r1', 'r3') AND key = 'ph'", "run || '' IN ('r1', 'r3') AND key || '' = 'ph'"),
            ("run = 'r1' OR run = 'r2'", "run || '' <> 'r3'"),
            ("(run = 'r1' AND key = 'ph') OR run = 'r2'", "(run || '' = 'r1' AND key || '' = 'ph') OR run || '' = 'r2'"),
            ("run = 'r1' AND run = 'r2'", "false"),
            ("NOT run = 'r1'", "run || '' <> 'r1'"),
            ("run NOT IN ('r1')", "run || '' <> 'r1'"),
            ("run = 'nowhere'", "false"),
            ("channel = 'r1.ph' AND time < TIMESTAMP '2026-04-01T01:00:00Z'", "channel || '' = 'r1.ph' AND elapsed_s < 3600"),
        ] {
            let sum = |filter: &str| format!("SELECT COUNT(*), ROUND(SUM(value) * 1000), MIN(elapsed_s), MAX(elapsed_s) FROM series WHERE {filter}");
            assert_eq!(ask(store, &sum(pushed)).await, ask(store, &sum(plain)).await, "{pushed}");
        }
        let whole = "SELECT run, key, SUM(value), AVG(value), STDDEV(value) FROM series GROUP BY run, key ORDER BY run, key";
        let total = "SELECT SUM(value * elapsed_s), AVG(value) FROM series";
        for query in [whole, total] {
            let first = ask(store, query).await;
            for _ in 0..20 {
                assert_eq!(ask(store, query).await, first, "the same question has one answer, to the last bit");
            }
        }
        let files = |plan: &[Vec<Json>]| plan.iter().map(|r| r[1].to_string()).collect::<String>();
        assert!(!files(&ask(store, "EXPLAIN SELECT * FROM series WHERE run = 'r2'").await).is_empty());
        let limited = store.sql(&me(), "SELECT * FROM series", 10).await.unwrap();
        assert_eq!((limited.len(), limited.truncated), (10, true));
    }

    async fn aligned_is_the_mean_of_the_good_points_of_each_cell(home) {
        let store = &home.store;
        filled(store).await;
        for step_s in [60.0, 600.0, 97.0] {
            let rows = ask(store, &format!("SELECT elapsed_s, value, mask FROM aligned('r2', {step_s:.1}) WHERE key = 'ph' ORDER BY elapsed_s")).await;
            let own = read(store, "r2", "ph").await;
            let zero = toji_core::Instant::parse("2026-04-01T00:00:00Z").unwrap().0;
            assert!(rows.len() >= own.len() / 12);
            for row in &rows {
                let start = row[0].as_f64().unwrap();
                let inside: Vec<f64> = (0..own.len())
                    .filter(|i| own.is_good(*i))
                    .filter(|i| { let s = (own.t_ns[*i] - zero) as f64 / 1e9; s >= start && s < start + step_s })
                    .map(|i| own.value[i])
                    .collect();
                let mean = (!inside.is_empty()).then(|| inside.iter().sum::<f64>() / inside.len() as f64);
                assert_eq!(row[2].as_u64(), Some(u64::from(mean.is_some())), "cell at {start}");
                match (row[1].as_f64(), mean) {
                    (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12, "cell at {start}: {a} {b}"),
                    (a, b) => assert_eq!(a, b, "cell at {start}"),
                }
            }
        }
        for bad in ["aligned('r2', 0)", "aligned('r2', -5)", "aligned('r2', 0.0000001)", "aligned('r2')", "aligned(5, 60)", "asof()"] {
            assert!(store.sql(&me(), &format!("SELECT * FROM {bad}"), 10).await.is_err(), "{bad}");
        }
        assert!(ask(store, "SELECT * FROM aligned('nowhere', 60)").await.is_empty());
    }

    async fn asof_agrees_with_looking_at_every_point(home) {
        let store = &home.store;
        filled(store).await;
        let rows = ask(store, "SELECT sample, key, value, age_s FROM asof('r1') ORDER BY sample, key").await;
        assert_eq!(rows.len(), 10);
        for row in rows {
            let sample = store.record(&me(), "sample", row[0].as_str().unwrap(), None).await.unwrap();
            let t = toji_core::Instant::parse(sample.fields["time"].as_str().unwrap()).unwrap().0;
            let own = read(store, "r1", row[1].as_str().unwrap()).await;
            let slow = (0..own.len()).filter(|i| own.is_good(*i) && own.t_ns[*i] <= t).max_by_key(|i| own.t_ns[*i]).unwrap();
            assert_eq!(row[2].as_f64(), Some(own.value[slow]), "{row:?}");
            assert_eq!(row[3].as_f64(), Some((t - own.t_ns[slow]) as f64 / 1e9), "{row:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_only_reads_and_only_the_store() {
    let home = Home::embedded().await;
    let store = &home.store;
    filled(store).await;
    let outside = tempfile::tempdir().unwrap();
    let csv = outside.path().join("secret.csv");
    std::fs::write(&csv, "a\n1\n").unwrap();
    let part = crate::series::parquet_files(&home.folder()).remove(0);
    let target = outside.path().join("out");
    let (csv, part, target) = (csv.display(), part.display(), target.display());
    let before = store.seq(&me()).await.unwrap();
    for refused in [
        format!("SELECT * FROM '{part}'"),
        format!("SELECT * FROM \"{part}\""),
        format!("SELECT * FROM '{csv}'"),
        format!("SELECT * FROM read_csv('{csv}')"),
        format!("SELECT * FROM read_parquet('{part}')"),
        format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{csv}'"),
        format!("CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '{part}'"),
        format!("COPY (SELECT * FROM run) TO '{target}.parquet'"),
        format!("COPY run TO '{target}.csv' STORED AS CSV"),
        "CREATE TABLE x AS SELECT * FROM run".into(),
        "CREATE VIEW x AS SELECT * FROM run".into(),
        "CREATE SCHEMA x".into(),
        "CREATE DATABASE x".into(),
        "DROP TABLE run".into(),
        "INSERT INTO run (id) VALUES ('x')".into(),
        "UPDATE run SET title = 'x'".into(),
        "DELETE FROM run".into(),
        "TRUNCATE TABLE run".into(),
        "SET datafusion.execution.batch_size = 1".into(),
        "BEGIN".into(),
        "PREPARE p AS SELECT 1".into(),
        "EXPLAIN INSERT INTO run (id) VALUES ('x')".into(),
        format!("EXPLAIN ANALYZE COPY run TO '{target}.csv' STORED AS CSV"),
        "SELECT 1; DROP TABLE run".into(),
        "SELECT * FROM versions".into(),
        "SELECT * FROM ledger".into(),
        "".into(),
        "nonsense".into(),
    ] {
        let outcome = store.sql(&me(), &refused, 10).await;
        let error = match outcome {
            Ok(table) => panic!("answered: {refused}: {:?}", table.rows()),
            Err(error) => error,
        };
        assert!(error.code().starts_with("E-SQL-"), "{refused}: {error:?}");
        assert!(!error.fault().message.ja.is_empty());
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was written outside");
    assert_eq!(store.seq(&me()).await.unwrap(), before);
    assert_eq!(ask(store, "SELECT COUNT(*) FROM run").await[0][0], json!(3));
    assert_sound(store).await;
    home.close().await;
}
