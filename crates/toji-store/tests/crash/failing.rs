//! A disk that cannot make anything durable: no import is acknowledged whose bytes it did not confirm.

use crate::imports::{SMALL, Told, assert_sound, child, is_there, take_in};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use toji_store::Store;

const IMPORTS: u64 = 3;

/// The library that makes syncing fail; says why when it cannot be built.
pub(crate) fn shim(dir: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c");
    let library = dir.join("shim.so");
    match Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output() {
        Ok(done) if done.status.success() => Some(library),
        Ok(done) => panic!("the shim does not compile: {}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => {
            println!("skipped: there is no C compiler: {error}");
            None
        }
    }
}

struct Outcome {
    told: Told,
    log: Vec<String>,
}

fn run(shim: &Path, folder: &Path, log: &Path, fail_from: Option<u64>) -> Outcome {
    let _ = std::fs::remove_file(log);
    let mut child = child(folder, 0, IMPORTS, SMALL, None);
    child.env("LD_PRELOAD", shim).env("TOJI_SYNC_LOG", log);
    if let Some(from) = fail_from {
        child.env("TOJI_SYNC_FAIL_FROM", from.to_string());
    }
    let done = child.output().unwrap();
    let log = std::fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect();
    Outcome { told: Told::of(&String::from_utf8_lossy(&done.stdout)), log }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_was_not_made_durable() {
    let dir = tempfile::tempdir().unwrap();
    let Some(shim) = shim(dir.path()) else { return };
    let log = dir.path().join("log");
    let (mut refusals, mut moments) = (0, 0);
    for fail_from in 0.. {
        let folder = dir.path().join(format!("store-{fail_from}"));
        drop(Store::init(&folder, None).await.unwrap());
        let outcome = run(&shim, &folder, &log, Some(fail_from));
        let store = Store::open(&folder, None).await.unwrap();
        for n in 0..IMPORTS {
            // Never half; whatever was acknowledged is whole.
            let there = is_there(&store, n, SMALL).await;
            assert!(there || !outcome.told.acknowledged.contains(&n), "import {n}, failing from {fail_from}");
        }
        if let Some(first) = outcome.log.iter().position(|l| l.starts_with("fail ")) {
            moments += 1;
            // Acknowledged after a failure: only the import whose commit was durable already and whose
            // note of the ledger's head, beside the database, was not.
            let later: Vec<&String> = outcome.log[first..].iter().filter(|l| l.starts_with("ack ")).collect();
            let of_note = outcome.log[first] == format!("fail {}", folder.display())
                || (outcome.log[first].contains("/.tmp")
                    && Path::new(&outcome.log[first]["fail ".len()..]).parent() == Some(&folder));
            assert!(later.len() <= usize::from(of_note), "failing from {fail_from}: {:#?}", outcome.log);
            refusals += outcome.told.refused.len();
        }
        // A healthy disk again: everything goes in.
        for n in 0..IMPORTS {
            take_in(&store, n, SMALL).await.unwrap();
            assert!(is_there(&store, n, SMALL).await);
        }
        assert_sound(&store, true).await;
        drop(store);
        std::fs::remove_dir_all(&folder).unwrap();
        if !outcome.log.iter().any(|l| l.starts_with("fail ")) {
            assert_eq!(outcome.told.acknowledged.len() as u64, IMPORTS);
            break;
        }
    }
    assert!(moments > 10, "only {moments} calls were made to fail");
    println!("{moments} moments of failure, {refusals} imports refused, none acknowledged without being durable");
}

/// A file is as durable as the entries of the folders above it.
#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_durable_before_the_word_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let Some(shim) = shim(dir.path()) else { return };
    let folder = dir.path().canonicalize().unwrap().join("store");
    drop(Store::init(&folder, None).await.unwrap());
    let outcome = run(&shim, &folder, &dir.path().join("log"), None);
    let first = outcome.log.iter().position(|l| l == "ack 0").unwrap();
    let synced: BTreeSet<&str> = outcome.log[..first].iter().filter_map(|l| l.strip_prefix("sync ")).collect();
    let mut open = vec![folder.join("blobs"), folder.join("series")];
    let mut files = 0;
    while let Some(dir) = open.pop() {
        for path in std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
            // Later imports made further ones; look at those of the first.
            if path.is_dir() && (path.ends_with("run=r0") || path.ends_with("run=all") || synced.contains(path.to_str().unwrap()))
            {
                open.push(path);
            } else if path.is_file() {
                files += 1;
            }
        }
    }
    assert!(files >= 3, "a blob and two parts");
    for wanted in ["series", "series/run=r0", "series/run=all", "blobs"] {
        let path = folder.join(wanted);
        assert!(synced.contains(path.to_str().unwrap()), "{wanted} was not synced before the word was given: {:#?}", outcome.log);
    }
    assert!(synced.contains(folder.to_str().unwrap()), "the store's folder, for its new entry series");
    assert!(synced.iter().any(|p| p.ends_with("catalogue.sqlite-wal")), "the catalogue: {:#?}", outcome.log);
}
