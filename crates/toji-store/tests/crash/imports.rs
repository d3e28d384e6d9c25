//! Numbered imports: how the child makes them, and how the parent looks whether one is there, absent, or
//! half there.

use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use toji_core::culture::{Numbers, Points};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Digest, Id, Instant, Result};
use toji_store::{Base, Commit, Put, RunSeries, Store};

/// Sizes of an import, so that each part of it can be made the one that does not fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) blob_bytes: usize,
    pub(crate) points: i64,
    pub(crate) note_bytes: usize,
}

pub(crate) const SMALL: Size = Size { blob_bytes: 2000, points: 50, note_bytes: 0 };

impl Size {
    fn text(self) -> String {
        format!("{},{},{}", self.blob_bytes, self.points, self.note_bytes)
    }
    fn parse(text: &str) -> Self {
        let numbers: Vec<usize> = text.split(',').map(|n| n.parse().unwrap()).collect();
        Self { blob_bytes: numbers[0], points: numbers[1] as i64, note_bytes: numbers[2] }
    }
}

/// Bytes and numbers that do not compress, the same for the same seed.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

pub(crate) fn blob_of(n: u64, size: Size) -> Vec<u8> {
    format!("import {n}\n").into_bytes().into_iter().chain(noise(n).map(|x| x as u8)).take(size.blob_bytes).collect()
}

fn points_of(n: u64, size: Size) -> Points {
    Points {
        t_ns: (0..size.points).map(|i| i * 1_000_000_000).collect(),
        numbers: Numbers::Scaled { scale: 3, mantissa: noise(n).map(|x| (x >> 12) as i64).take(size.points as usize).collect() },
        quality: vec![0; size.points as usize],
        texts: Vec::new(),
    }
}

/// The point an import adds to the run all imports share.
fn shared_point(n: u64) -> Points {
    let n = n as i64;
    Points { t_ns: vec![n], numbers: Numbers::Scaled { scale: 0, mantissa: vec![n * 3] }, quality: vec![0], texts: Vec::new() }
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn put(kind: &str, name: &str, value: serde_json::Value) -> Put {
    let serde_json::Value::Object(fields) = value else { panic!("an object") };
    let fields: FieldMap = fields;
    Put::new(kind, id(name), fields)
}

const SHARED: &str = "all";

/// Everything one import brings: a file, its records, a run's series, and a point of the shared run.
pub(crate) async fn take_in(store: &Store, n: u64, size: Size) -> Result<Option<i64>> {
    let (address, bytes) = store.keep(blob_of(n, size)).await?;
    let (run, file, channel) = (format!("r{n}"), format!("f{n}"), format!("r{n}.c"));
    let note: String = noise(n).map(|x| char::from(b'a' + (x % 26) as u8)).take(size.note_bytes).collect();
    let one =
        |run: &str, channel: &str, points| RunSeries { run: id(run), base: Base::Elapsed, channels: vec![(id(channel), points)] };
    let commit = Commit {
        operation: "run import".into(),
        reason: None,
        puts: vec![
            put("file", &file, json!({"name": file, "blob": address.to_string(), "format": "noise"})),
            put("run", &run, json!({"title": run, "key": run, "file": file, "notes": note})),
            put("channel", &channel, json!({"run": run, "key": "c"})),
            put("sample", &format!("s{n}"), json!({"key": "s", "run": run})),
            put("run", SHARED, json!({"title": SHARED, "key": SHARED})),
        ],
        series: vec![one(&run, &channel, points_of(n, size)), one(SHARED, "all.c", shared_point(n))],
        blobs: vec![(address, bytes.len() as u64, file.clone())],
    };
    let receipt = store.commit(&Access::owner(), Instant(1_764_000_000_000_000_000 + n as i64), commit).await?;
    Ok(receipt.seq)
}

/// Is import `n` there? Fails when it is there in part.
pub(crate) async fn is_there(store: &Store, n: u64, size: Size) -> bool {
    let me = Access::owner();
    let records =
        [("file", format!("f{n}")), ("run", format!("r{n}")), ("channel", format!("r{n}.c")), ("sample", format!("s{n}"))];
    let mut signs: Vec<(String, bool)> = Vec::new();
    for (kind, name) in records {
        let found = match store.record(&me, kind, &name, None).await {
            Ok(_) => true,
            Err(error) if error.category() == Category::NotFound => false,
            Err(error) => panic!("import {n}: {error:?}"),
        };
        signs.push((format!("{kind} {name}"), found));
    }
    let run = id(&format!("r{n}"));
    let series = store.series(&me, &run, &[], i64::MIN, i64::MAX).await.unwrap();
    signs.push(("series".into(), !series.is_empty()));
    signs.push(("summary".into(), !store.summaries(&me, Some(&run)).await.unwrap().is_empty()));
    let shared = store.series(&me, &id(SHARED), &[], n as i64, n as i64 + 1).await.unwrap();
    signs.push(("shared point".into(), shared.iter().any(|(_, _, s)| !s.is_empty())));
    let there = signs[0].1;
    assert!(signs.iter().all(|(_, sign)| *sign == there), "import {n} is half there: {signs:?}");
    if there {
        let (wanted, found) = (points_of(n, size), &series[0].2);
        assert_eq!(found.t_ns, wanted.t_ns, "import {n}");
        assert!((0..wanted.len()).all(|i| wanted.number(i) == Some(found.value[i])), "import {n}: numbers");
        assert_eq!(shared[0].2.value, [n as f64 * 3.0], "import {n}: shared point");
        let blob = blob_of(n, size);
        assert_eq!(store.blob(&me, Digest::of(&blob)).await.unwrap(), blob, "import {n}: file");
    }
    there
}

pub(crate) async fn assert_sound(store: &Store, files: bool) -> u64 {
    let (checked, found) = store.verify(files, |_, _| Ok(())).await.unwrap();
    assert!(found.is_empty(), "{found:#?}");
    checked.orphans
}

/// What a child said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) begun: BTreeSet<u64>,
    pub(crate) acknowledged: BTreeSet<u64>,
    /// Number and code of each refusal.
    pub(crate) refused: Vec<(u64, String)>,
    /// Code of the refusal to open the store at all.
    pub(crate) closed: Option<String>,
}

impl Told {
    pub(crate) fn of(output: &str) -> Self {
        let mut told = Self::default();
        // A line cut off by the kill has no end and says nothing; harness words may stand before ours.
        for line in output.split_inclusive('\n').filter_map(|l| l.strip_suffix('\n')) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                [.., "begin", n] => drop(told.begun.insert(n.parse().unwrap())),
                [.., "ack", n] => drop(told.acknowledged.insert(n.parse().unwrap())),
                [.., "refused", n, code] => told.refused.push((n.parse().unwrap(), (*code).to_owned())),
                [.., "closed", code] => told.closed = Some((*code).to_owned()),
                _ => {}
            }
        }
        told
    }
}

/// This program as a child that takes in imports `from..to` and says so line by line. With `through`, a
/// shell starts it after that preparation.
pub(crate) fn child(store: &Path, from: u64, to: u64, size: Size, through: Option<&str>) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match through {
        Some(first) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(program);
            shell
        }
        None => Command::new(program),
    };
    command.args(["--exact", "imports::the_child", "--nocapture", "--test-threads=1"]);
    command.env("TOJI_CHILD_STORE", store).env("TOJI_CHILD_IMPORTS", format!("{from} {to} {}", size.text()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
    // The failing disk's log shows what was synced before and after.
    if let Some(log) = std::env::var_os("TOJI_SYNC_LOG") {
        let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
        log.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Does nothing unless started by [`child`].
#[test]
fn the_child() {
    let Some(dir) = std::env::var_os("TOJI_CHILD_STORE") else { return };
    let imports = std::env::var("TOJI_CHILD_IMPORTS").unwrap();
    let words: Vec<&str> = imports.split(' ').collect();
    let merging = std::env::var_os("TOJI_CHILD_MERGES").is_some();
    let (from, to, size) = (words[0].parse::<u64>().unwrap(), words[1].parse::<u64>().unwrap(), Size::parse(words[2]));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = match Store::open(Path::new(&dir), None).await {
            Ok(store) => store,
            Err(error) => return say(&format!("closed {}", error.code())),
        };
        let store = Arc::new(store);
        for n in from..to {
            say(&format!("begin {n}"));
            // The run all imports share grows by a part each: now and then they are merged, between the
            // beginning of an import and its acknowledgement, so that kills fall into merges too.
            if n % 5 == 4 && merging {
                let merged = store.merge_parts(&Access::owner(), Instant(n as i64), &id(SHARED), false, |_, _| Ok(())).await;
                merged.unwrap();
            }
            match take_in(&store, n, size).await {
                Ok(_) => say(&format!("ack {n}")),
                Err(error) => say(&format!("refused {n} {}", error.code())),
            }
        }
    });
}
