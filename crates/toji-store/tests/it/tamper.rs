//! Tampering and decay: whatever is altered under the store, verification says so, or nothing that the
//! ledger and the records say has changed.

use crate::home::*;
use serde_json::json;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use std::path::{Path, PathBuf};
use toji_core::Diagnostic;
use toji_store::{Commit, Store};

/// A store of some events, closed; its folder can be damaged and healed.
struct Still {
    _dir: tempfile::TempDir,
    folder: PathBuf,
}

impl Still {
    async fn made() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("store");
        let store = Store::init(&folder, None).await.unwrap();
        for n in 0..6i64 {
            let (address, bytes) = store.keep(format!("時刻,温度\n{n},31.{n}\n").into_bytes()).await.unwrap();
            let name = format!("r{}", n % 4);
            let mut whole =
                import(&name, "temp", scaled(1, &(0..40).map(|i| (i * 1_000_000_000, 300 + i + n)).collect::<Vec<_>>()));
            whole.blobs.push((address, bytes.len() as u64, format!("{n}.csv")));
            whole.reason = Some(format!("import {n}"));
            whole.puts.push(put("sample", &format!("s{n}"), json!({"key": format!("s{n}"), "run": name})));
            commit(&store, n, whole).await.unwrap();
        }
        assert_sound(&store).await;
        drop(store);
        let still = Self { _dir: dir, folder };
        still.raw(&["PRAGMA wal_checkpoint(TRUNCATE)"]).await;
        still
    }
    fn catalogue(&self) -> PathBuf {
        self.folder.join("catalogue.sqlite")
    }
    /// Statements on the file itself, as anybody with access to the disk can run them.
    async fn raw(&self, statements: &[&str]) -> u64 {
        let address = format!("sqlite://{}", self.catalogue().display());
        // The connections of a store that was dropped close a moment later, and may take their log with them meanwhile.
        let mut tries = 0;
        let mut raw = loop {
            match SqliteConnection::connect(&address).await {
                Ok(raw) => break raw,
                Err(error) => assert!(tries < 100, "{error}"),
            }
            tries += 1;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        let mut rows = 0;
        for statement in statements {
            rows += sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned())).execute(&mut raw).await.unwrap().rows_affected();
        }
        raw.close().await.unwrap();
        rows
    }
    /// A healthy catalogue's bytes; [`Still::heal`] puts them back.
    fn healthy(&self) -> Vec<u8> {
        std::fs::read(self.catalogue()).unwrap()
    }
    fn heal(&self, bytes: &[u8]) {
        for rest in ["catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm"] {
            let _ = std::fs::remove_file(self.folder.join(rest));
        }
        std::fs::write(self.catalogue(), bytes).unwrap();
    }
    /// Findings; a store that refuses to open or to be checked has spoken too.
    async fn findings(&self) -> Vec<String> {
        let store = match Store::open(&self.folder, None).await {
            Ok(store) => store,
            Err(error) => return vec![error.code().to_owned()],
        };
        match store.verify(true, |_, _| Ok(())).await {
            Ok((_, found)) => found.iter().map(told).collect(),
            Err(error) => vec![error.code().to_owned()],
        }
    }
}

fn told(finding: &Diagnostic) -> String {
    assert!(!finding.message.ja.is_empty() && !finding.message.en.is_empty());
    format!("{}: {}", finding.code, finding.message.en)
}

/// Everything the ledger and the records say, as text.
async fn dump(catalogue: &Path) -> Option<String> {
    let mut raw = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", catalogue.display())).await.ok()?;
    let mut out = String::new();
    for query in [
        "SELECT seq, at, actor, operation, body, prev, hash FROM ledger ORDER BY seq",
        "SELECT kind, id, version, kind_version, seq, retired, latest, fields FROM versions ORDER BY kind, id, version",
    ] {
        for row in sqlx::query(query).fetch_all(&mut raw).await.ok()? {
            for i in 0..row.len() {
                let text = row.try_get::<String, _>(i).or_else(|_| row.try_get::<i64, _>(i).map(|n| n.to_string())).ok()?;
                out += &text;
                out.push('\u{1f}');
            }
            out.push('\n');
        }
    }
    Some(out)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alteration_of_the_tables_is_noticed() {
    let still = Still::made().await;
    let healthy = still.healthy();
    let hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    let mut alterations: Vec<Vec<String>> = Vec::new();
    for seq in 1..=6 {
        for set in [
            "body = replace(body, 'import', 'Import')".to_owned(),
            "body = body || ' '".into(),
            "body = '{}'".into(),
            format!("hash = '{hash}'"),
            format!("prev = '{hash}'"),
            "hash = replace(hash, 'a', 'b')".into(),
            "at = '2026-01-01T00:00:00Z'".into(),
            "actor = 'somebody'".into(),
            "operation = 'record put'".into(),
            "seq = seq + 100".into(),
        ] {
            alterations.push(vec![format!("UPDATE ledger SET {set} WHERE seq = {seq}")]);
        }
        alterations.push(vec![format!("DELETE FROM ledger WHERE seq = {seq}")]);
        if seq < 6 {
            // Two rows change places, with their content only, or whole.
            let swap = |columns: &str| {
                vec![
                    "CREATE TEMP TABLE a AS SELECT * FROM ledger".to_owned(),
                    format!(
                        "UPDATE ledger SET ({columns}) = (SELECT {columns} FROM a WHERE a.seq = CASE ledger.seq WHEN {seq} THEN {seq} + 1 ELSE {seq} END) WHERE seq IN ({seq}, {seq} + 1)"
                    ),
                ]
            };
            alterations.push(swap("body"));
            alterations.push(swap("at, actor, operation, body, prev, hash"));
        }
    }
    // A shortened end, made to look whole: derived rows go too.
    alterations
        .push(["ledger", "versions", "parts", "blocks", "blobs"].map(|t| format!("DELETE FROM {t} WHERE seq = 6")).to_vec());
    alterations.push(vec!["DELETE FROM ledger".into()]);
    for table in ["versions", "links", "parts", "blocks", "blobs"] {
        alterations.push(vec![format!("DELETE FROM {table} WHERE rowid = 2")]);
        alterations.push(vec![format!("DELETE FROM {table}")]);
    }
    for set in [
        "versions SET fields = replace(fields, 's1', 's9')",
        "versions SET retired = 1",
        "versions SET kind_version = 9",
        "versions SET seq = seq + 1",
        "versions SET latest = 1 - latest",
        "versions SET version = version + 1",
        "versions SET id = id || 'x'",
        "versions SET kind = 'event'",
        "links SET target = 'r9'",
        "links SET field = 'x'",
        "links SET target_kind = 'event'",
        "links SET id = 's9'",
        "parts SET run = 'r9'",
        "parts SET seq = seq + 1",
        "parts SET live = 0",
        "blocks SET channel = 'x'",
        "blocks SET run = 'r9'",
        "blocks SET seq = seq + 1",
        "blocks SET points = points + 1",
        "blocks SET flagged = 1",
        "blocks SET t_min = t_min + 1",
        "blocks SET t_max = t_max - 1",
        "blocks SET v_min = v_min + 1",
        "blocks SET v_max = NULL",
        "blocks SET last_t = 1",
        "blocks SET last_v = 1",
        "blocks SET base = 'elapsed'",
        "blobs SET bytes = bytes + 1",
        "blobs SET name = 'x'",
        "blobs SET seq = seq + 1",
    ] {
        let table = set.split(' ').next().unwrap();
        alterations.push(vec![format!(
            "UPDATE {set} WHERE rowid = (SELECT rowid FROM {table} WHERE {} LIMIT 1)",
            if (set.contains("'s9'") && table == "links") || set.contains("replace") { "id = 's1'" } else { "1" }
        )]);
    }
    let mut unseen = Vec::new();
    for alteration in &alterations {
        let rows = still.raw(&alteration.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(rows > 0, "{alteration:?} altered nothing");
        if still.findings().await.is_empty() {
            unseen.push(alteration.clone());
        }
        still.heal(&healthy);
    }
    assert!(unseen.is_empty(), "not noticed: {unseen:#?}");
    assert_eq!(still.findings().await, Vec::<String>::new(), "healed");
    println!("{} alterations of the tables, all noticed", alterations.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_altered_note_of_the_head_is_noticed() {
    let still = Still::made().await;
    let note = still.folder.join("ledger-head.json");
    let good = std::fs::read(&note).unwrap();
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 1;
        std::fs::write(&note, &bad).unwrap();
        assert!(!still.findings().await.is_empty(), "byte {i} of {}", String::from_utf8_lossy(&good));
        std::fs::write(&note, &good).unwrap();
    }
    std::fs::remove_file(&note).unwrap();
    assert!(!still.findings().await.is_empty(), "missing");
}

fn files_of(folder: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().and_then(|e| e.to_str()) == extension => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_of_every_file_is_noticed() {
    let still = Still::made().await;
    let store = Store::open(&still.folder, None).await.unwrap();
    let found = async || store.verify(true, |_, _| Ok(())).await.unwrap().1;
    let blobs = files_of(&still.folder.join("blobs"), None);
    let parts = files_of(&still.folder.join("series"), Some("parquet"));
    assert_eq!((blobs.len(), parts.len()), (6, 6));
    let mut flips = 0;
    for (files, sample) in [(&blobs, usize::MAX), (&parts, 50)] {
        for file in files {
            let good = std::fs::read(file).unwrap();
            let step = (good.len() / sample).max(1);
            for i in (0..good.len()).step_by(step) {
                let mut bad = good.clone();
                bad[i] ^= 1 << (i % 8);
                std::fs::write(file, &bad).unwrap();
                let found = found().await;
                assert!(found.iter().any(|f| f.code == "E-VERIFY-004"), "byte {i} of {}", file.display());
                flips += 1;
            }
            for wrong in [&good[..good.len() - 1], &[]] {
                std::fs::write(file, wrong).unwrap();
                assert!(!found().await.is_empty(), "shortened to {}", wrong.len());
            }
            std::fs::remove_file(file).unwrap();
            assert!(!found().await.is_empty(), "missing");
            std::fs::write(file, &good).unwrap();
        }
    }
    assert_eq!(found().await, vec![], "healed");
    println!("{flips} flipped bytes of {} blobs and {} parts, all noticed", blobs.len(), parts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decayed_catalogue_is_noticed_or_says_the_same() {
    let still = Still::made().await;
    let healthy = still.healthy();
    let before = dump(&still.catalogue()).await.unwrap();
    still.heal(&healthy);
    let mut seed = 0x70_6a_69u64;
    let mut next = move |below: usize| {
        // xorshift: any fixed sequence will do.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let (mut noticed, mut harmless) = (0, 0);
    for round in 0..300 {
        let (i, bit) = (next(healthy.len()), next(8));
        let mut bad = healthy.clone();
        bad[i] ^= 1 << bit;
        still.heal(&bad);
        if still.findings().await.is_empty() {
            assert_eq!(
                dump(&still.catalogue()).await.as_ref(),
                Some(&before),
                "round {round}: bit {bit} of byte {i} changed the record unseen"
            );
            harmless += 1;
        } else {
            noticed += 1;
        }
    }
    println!("300 flipped bits of {} bytes: {noticed} noticed, {harmless} without effect on ledger and records", healthy.len());
}

/// Kept so that a repeated import after damage heals what it can.
#[tokio::test(flavor = "multi_thread")]
async fn keeping_a_file_again_heals_its_copy() {
    let home = Home::embedded().await;
    let (address, bytes) = home.store.keep(b"as it came".to_vec()).await.unwrap();
    let whole =
        || Commit { operation: "run import".into(), blobs: vec![(address, bytes.len() as u64, "a".into())], ..Commit::default() };
    commit(&home.store, 0, whole()).await.unwrap();
    let file = files_of(&home.folder().join("blobs"), None).remove(0);
    std::fs::write(&file, b"as it cam").unwrap();
    assert!(home.store.blob(&me(), address).await.is_err());
    home.store.keep(b"as it came".to_vec()).await.unwrap();
    assert_eq!(commit(&home.store, 1, whole()).await.unwrap().seq, None);
    assert_sound(&home.store).await;
    home.close().await;
}

/// A table's definition with a byte that is no text made the database driver's worker panic, in words of its
/// own on the terminal. The store refuses such a catalogue in ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_table_definition_is_refused_without_a_panic() {
    static PANICS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        before(panic);
    }));
    let still = Still::made().await;
    let healthy = still.healthy();
    let definitions: Vec<usize> = (0..healthy.len()).filter(|i| healthy[*i..].starts_with(b"CREATE TABLE")).collect();
    assert!(definitions.len() > 5, "{definitions:?}");
    let said = dump(&still.catalogue()).await.unwrap();
    let (mut refused, mut damaged) = (0, 0);
    for at in definitions {
        for i in (at..at + 90).step_by(7) {
            let mut bad = healthy.clone();
            bad[i] = 0xff;
            still.heal(&bad);
            let found = still.findings().await;
            damaged += 1;
            let noticed = found.iter().any(|f| f.starts_with("E-STORE-00") || f.starts_with("E-VERIFY"));
            refused += u32::from(noticed);
            // An old copy of a definition in unused space says nothing.
            assert!(noticed || dump(&still.catalogue()).await.as_ref() == Some(&said), "byte {i}: {found:?}");
        }
    }
    still.heal(&healthy);
    assert_eq!(PANICS.load(std::sync::atomic::Ordering::Relaxed), 0, "no panic may reach the terminal");
    assert!(refused > damaged / 2, "{refused} of {damaged}");
    println!("{damaged} damaged definitions, {refused} refused in our words, the others in unused space");
}
