//! Training, validation and test: never by row, always by whole units, and what would leak between them.

use super::content::{Content, Run, text};
use super::manifest::Unit;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Digest, Record};

/// Part of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// For learning.
    Train,
    /// For choosing.
    Validation,
    /// For judging.
    Test,
}

impl Part {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Where a run fell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dealt {
    pub(super) run: String,
    pub(super) part: Part,
    /// The unit it belongs to, named by its first run.
    pub(super) group: String,
}

/// How a run outside training could be known from training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leak {
    pub(super) run: String,
    pub(super) part: Part,
    pub(super) other: String,
    pub(super) by: LeakBy,
}

/// What two runs in two parts share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeakBy {
    /// The very same points.
    Points,
    /// Strain and inoculum.
    StrainLot,
    /// The file they came in: one experiment.
    File,
    /// Strain.
    Strain,
}

/// Strain of a run: the record, else the name in the source.
pub(super) fn strain(run: &Record) -> Option<&str> {
    text(&run.fields, "strain").or_else(|| text(&run.fields, "strain_name"))
}

fn site<'a>(content: &'a Content, run: &'a Record) -> Option<&'a str> {
    let vessel = content.vessel(run)?;
    text(&vessel.fields, "organisation").or_else(|| text(&vessel.fields, "location"))
}

/// What runs of one unit share; runs that do not say it are one unit, since they may share it.
fn key(content: &Content, unit: Unit, run: &Record) -> Option<String> {
    let known = |words: Option<&str>| words.unwrap_or("?").to_owned();
    match unit {
        Unit::Run => None,
        Unit::Strain => Some(known(strain(run))),
        Unit::StrainLot => Some(format!("{}\u{1f}{}", known(strain(run)), known(text(&run.fields, "inoculum")))),
        Unit::Site => Some(known(site(content, run))),
    }
}

/// Runs in units: by the unit's key, and always a run with its seed culture.
fn groups(content: &Content) -> Vec<Vec<usize>> {
    let runs = &content.runs;
    let mut of: Vec<usize> = (0..runs.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (from, to) = (of.get(a).copied().unwrap_or(a), of.get(b).copied().unwrap_or(b));
        let (low, high) = (from.min(to), from.max(to));
        of.iter_mut().filter(|g| **g == high).for_each(|g| *g = low);
    };
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (i, run) in runs.iter().enumerate() {
        if let Some(key) = key(content, content.manifest.split.unit, &run.record) {
            join(i, *first.entry(key).or_insert(i));
        }
        let parent = text(&run.record.fields, "parent");
        if let Some(parent) = parent.and_then(|p| runs.iter().position(|r| r.record.id.as_str() == p)) {
            join(i, parent);
        }
    }
    let mut out: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, group) in of.into_iter().enumerate() {
        out.entry(group).or_default().push(i);
    }
    out.into_values().collect()
}

/// Deals the units out in an order that only the seed and their runs decide.
pub(super) fn deal(content: &Content) -> Vec<Dealt> {
    let split = &content.manifest.split;
    let name = |i: usize| content.runs.get(i).map_or("", |r| r.record.id.as_str());
    let mut groups = groups(content);
    groups.sort_by_cached_key(|group| {
        let runs: Vec<&str> = group.iter().map(|i| name(*i)).collect();
        Digest::of(format!("{}\n{}", split.seed, runs.join("\n")).as_bytes()).hex()
    });
    let wanted = |percent: u32| {
        let runs = (content.runs.len() as u64 * u64::from(percent) + 50) / 100;
        if percent == 0 { 0 } else { runs.max(1) }
    };
    let (test, validation) = (wanted(split.test_percent), wanted(split.validation_percent));
    let (mut tested, mut validated) = (0, 0);
    let mut out = Vec::with_capacity(content.runs.len());
    for (i, group) in groups.iter().enumerate() {
        let size = group.len() as u64;
        let fits = |have: u64, want: u64| have < want && (have == 0 || have + size <= want);
        let part = if i == 0 {
            Part::Train
        } else if fits(tested, test) {
            tested += size;
            Part::Test
        } else if fits(validated, validation) {
            validated += size;
            Part::Validation
        } else {
            Part::Train
        };
        let first = group.first().map_or("", |i| name(*i));
        out.extend(group.iter().map(|i| Dealt { run: name(*i).to_owned(), part, group: first.to_owned() }));
    }
    out.sort_by(|a, b| a.run.cmp(&b.run));
    out
}

/// Distinct numbers a channel needs before its points can be told from chance or a set-point.
const DISTINCT_MIN: usize = 5;

/// Hashes of the measured channels of a run: equal points at equal times, whatever they are called.
fn fingerprints(run: &Run) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for channel in &run.channels {
        let origin = text(&channel.record.fields, "origin").unwrap_or("unknown");
        let series = &channel.series;
        let distinct: BTreeSet<u64> = series.value.iter().filter(|v| !v.is_nan()).map(|v| v.to_bits()).take(10_000).collect();
        if matches!(origin, "setpoint" | "actuator") || distinct.len() < DISTINCT_MIN {
            continue;
        }
        let t: Vec<u8> = series.t_ns.iter().flat_map(|t| t.to_le_bytes()).collect();
        let v: Vec<u8> = series.value.iter().flat_map(|v| v.to_le_bytes()).collect();
        out.push((Digest::of_parts(&[&t, &v]).hex(), text(&channel.record.fields, "key").unwrap_or_default().to_owned()));
    }
    out
}

/// Channels whose points stand in two runs: (run, other run, channel's name).
pub(super) fn duplicates(content: &Content) -> Vec<(String, String, String)> {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut out = Vec::new();
    for run in &content.runs {
        let id = run.record.id.as_str();
        for (hash, key) in fingerprints(run) {
            match first.get(&hash) {
                Some(other) if *other != id => out.push((id.to_owned(), (*other).to_owned(), key)),
                Some(_) => {}
                None => {
                    first.insert(hash, id);
                }
            }
        }
    }
    out
}

/// Runs of validation and test that share something with a run of training, each with the gravest.
pub(super) fn leaks(content: &Content, dealt: &[Dealt], duplicates: &[(String, String, String)]) -> Vec<Leak> {
    let part: BTreeMap<&str, Part> = dealt.iter().map(|d| (d.run.as_str(), d.part)).collect();
    let of = |run: &str| part.get(run).copied().unwrap_or(Part::Train);
    let training: Vec<&Run> = content.runs.iter().filter(|r| of(r.record.id.as_str()) == Part::Train).collect();
    let mut out = Vec::new();
    for run in &content.runs {
        let id = run.record.id.as_str();
        if of(id) == Part::Train {
            continue;
        }
        let same_points = duplicates.iter().find_map(|(a, b, _)| {
            let other = if a == id { b } else { a };
            ((a == id || b == id) && of(other) == Part::Train).then(|| (other.clone(), LeakBy::Points))
        });
        let shared = |by: LeakBy| {
            let fits = |other: &&&Run| shares(&run.record, &other.record, by);
            training.iter().find(fits).map(|other| (other.record.id.to_string(), by))
        };
        let found =
            same_points.or_else(|| shared(LeakBy::StrainLot)).or_else(|| shared(LeakBy::File)).or_else(|| shared(LeakBy::Strain));
        if let Some((other, by)) = found {
            out.push(Leak { run: id.to_owned(), part: of(id), other, by });
        }
    }
    out
}

fn shares(a: &Record, b: &Record, by: LeakBy) -> bool {
    let same = |name: &str| text(&a.fields, name).is_some_and(|x| text(&b.fields, name) == Some(x));
    let strains = strain(a).is_some_and(|s| strain(b) == Some(s));
    match by {
        LeakBy::Points => false,
        LeakBy::StrainLot => strains && same("inoculum"),
        LeakBy::File => same("file"),
        LeakBy::Strain => strains,
    }
}
