//! What a data set holds: runs with everything that belongs to them, as the store knew it at a position
//! of the ledger.

use super::canonical;
use super::manifest::{Manifest, POINTS_MAX, Select, Units};
use crate::operation::Context;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::record::FieldMap;
use toji_core::{Action, Category, Error, Instant, Place, Record, Result};
use toji_store::{Base, Series};

/// Kinds whose records belong to a run.
pub(super) const PARTS: [&str; 6] = ["channel", "sample", "assay", "event", "observation", "decision"];
/// Kinds that a run refers to.
pub(super) const AROUND: [&str; 3] = ["strain", "vessel", "file"];

/// A channel with its points; times count from the run's zero, in nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) record: Record,
    pub(super) series: Series,
}

/// A run with its channels.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) record: Record,
    /// Zero of elapsed time, ns since 1970 UTC; none where the source knows no clock.
    pub(super) zero_ns: Option<i64>,
    pub(super) channels: Vec<Channel>,
}

/// Everything of a data set.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// The manifest with nothing left open.
    pub(super) manifest: Manifest,
    /// When the newest event in it was acknowledged.
    pub(super) at: String,
    /// Runs, by identifier.
    pub(super) runs: Vec<Run>,
    /// Records by kind, each in order of identifiers: `run`, the parts of runs and what runs refer to.
    pub(super) records: BTreeMap<&'static str, Vec<Record>>,
    /// Terms of use.
    pub(super) licence: Option<Record>,
}

/// A text field of a record.
pub(super) fn text<'a>(fields: &'a FieldMap, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Json::as_str).map(str::trim).filter(|t| !t.is_empty())
}

impl Content {
    /// Records of a kind.
    pub(super) fn of(&self, kind: &str) -> &[Record] {
        self.records.get(kind).map_or(&[], Vec::as_slice)
    }
    /// A record by kind and identifier.
    pub(super) fn get(&self, kind: &str, id: &str) -> Option<&Record> {
        let records = self.of(kind);
        records.binary_search_by(|r| r.id.as_str().cmp(id)).ok().and_then(|i| records.get(i))
    }
    /// The vessel of a run.
    pub(super) fn vessel(&self, run: &Record) -> Option<&Record> {
        text(&run.fields, "vessel").and_then(|id| self.get("vessel", id))
    }
    /// Title of a run, or its identifier.
    pub(super) fn title(run: &Record) -> &str {
        text(&run.fields, "title").unwrap_or(run.id.as_str())
    }
    /// All points.
    pub(super) fn points(&self) -> usize {
        self.runs.iter().flat_map(|r| &r.channels).map(|c| c.series.len()).sum()
    }
    /// DUO terms of manifest and licence, in order.
    pub(super) fn duo(&self) -> Vec<String> {
        let own = self.manifest.duo.iter().cloned();
        let listed = self.licence.as_ref().and_then(|l| l.fields.get("duo")).and_then(Json::as_array);
        let of_licence = listed.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        own.chain(of_licence).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Records of the store at a position, before the series are read.
struct Gathered {
    runs: Vec<String>,
    records: BTreeMap<&'static str, Vec<Record>>,
    licence: Option<Record>,
    /// The newest event that wrote any of it.
    newest: i64,
}

/// Reads the content of a manifest through the gate. `leaves` asks for export rather than reading alone.
pub(super) async fn load(context: &Context, manifest: &Manifest, leaves: bool) -> Result<Content> {
    let store = &context.session.store;
    let present = store.seq(&context.access).await?;
    let asked = match manifest.as_of {
        Some(seq) if seq < 1 || seq > present => {
            return Err(Error::not_found(
                "E-DATASET-005",
                format!("台帳に位置 {seq} はありません (最新は {present})"),
                format!("the ledger has no position {seq}; the newest is {present}"),
            )
            .at(Place::field("as_of"))
            .hint("`toji store status` で最新の位置を確認してください", "see the newest position with `toji store status`"));
        }
        Some(seq) => seq,
        None => present,
    };
    let wide = gather(context, manifest, asked).await?;
    let parts = store.parts_at(asked).await?;
    let newest = wide.runs.iter().filter_map(|r| parts.newest(r)).chain([wide.newest]).max().unwrap_or(asked);
    // The newest event that says something of the content stands for every later one: what was imported
    // elsewhere since then does not change the manifest. Unless something was taken out without a trace.
    let mut settled = Manifest { runs: wide.runs.clone(), select: None, as_of: Some(newest), ..manifest.clone() };
    let close = gather(context, &settled, newest).await;
    let gathered = match close {
        Ok(close) if close.records == wide.records && close.licence == wide.licence => close,
        _ => {
            settled.as_of = Some(asked);
            wide
        }
    };
    if leaves {
        may_leave(context, &gathered).await?;
    }
    let seq = settled.as_of.unwrap_or(asked);
    let at = store.acknowledged(seq).await?.unwrap_or_default();
    let parts = store.parts_at(seq).await?;
    let mut channels: BTreeMap<String, Record> =
        gathered.records.get("channel").into_iter().flatten().map(|c| (c.id.to_string(), c.clone())).collect();
    let mut runs = Vec::new();
    let mut points = 0;
    let all = gathered.records.get("run").cloned().unwrap_or_default();
    let total = all.len() as u64;
    for (done, record) in all.into_iter().enumerate() {
        context.progress.step(done as u64, Some(total), "系列の読出し", "reading series")?;
        let zero_ns = text(&record.fields, "started").and_then(|t| Instant::parse(t).ok()).map(|i| i.0);
        let mut of_run = Vec::new();
        for (id, base, mut series) in store.series_at(&context.access, &record.id, &parts).await? {
            let Some(channel) = channels.remove(id.as_str()) else { continue };
            points += series.len();
            if points > POINTS_MAX {
                return Err(too_many());
            }
            if base == Base::Utc {
                let offset = zero_ns.unwrap_or_default();
                series.t_ns.iter_mut().for_each(|t| *t = t.saturating_sub(offset));
            }
            of_run.push(Channel { record: channel, series });
        }
        of_run.sort_by(|a, b| (text(&a.record.fields, "key"), &a.record.id).cmp(&(text(&b.record.fields, "key"), &b.record.id)));
        runs.push(Run { record, zero_ns, channels: of_run });
    }
    let mut content = Content { manifest: settled, at, runs, records: gathered.records, licence: gathered.licence };
    if content.manifest.units == Units::Canonical {
        canonical::convert(&mut content);
    }
    Ok(content)
}

fn too_many() -> Error {
    Error::new(
        Category::Limit,
        "E-DATASET-006",
        format!("点が多すぎます (最大 {POINTS_MAX} 点)"),
        format!("there are more than {POINTS_MAX} points"),
    )
    .at(Place::field("runs"))
    .hint("培養を分けて、複数のデータセットにしてください", "make several data sets of fewer runs")
}

async fn gather(context: &Context, manifest: &Manifest, seq: i64) -> Result<Gathered> {
    let store = &context.session.store;
    let mut newest = 0;
    let all = store.records_at(&context.access, "run", seq).await?;
    let runs = chosen(manifest, &all)?;
    let wanted: BTreeSet<&str> = runs.iter().map(String::as_str).collect();
    let mut records: BTreeMap<&'static str, Vec<Record>> = BTreeMap::new();
    let mut keep = |kind: &'static str, found: Vec<(Record, i64)>| {
        newest = found.iter().map(|(_, seq)| *seq).chain([newest]).max().unwrap_or_default();
        records.insert(kind, found.into_iter().map(|(r, _)| r).filter(|r| !r.retired).collect());
    };
    let of_runs: Vec<(Record, i64)> = all.into_iter().filter(|(r, _)| wanted.contains(r.id.as_str())).collect();
    let mut around: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (run, _) in &of_runs {
        for kind in AROUND {
            around.entry(kind).or_default().extend(text(&run.fields, kind).map(str::to_owned));
        }
    }
    let mut samples: BTreeSet<String> = BTreeSet::new();
    keep("run", of_runs);
    for kind in PARTS {
        let belongs = |r: &Record| {
            text(&r.fields, "run").is_some_and(|run| wanted.contains(run))
                || (kind == "assay" && text(&r.fields, "sample").is_some_and(|s| samples.contains(s)))
        };
        let found: Vec<(Record, i64)> =
            store.records_at(&context.access, kind, seq).await?.into_iter().filter(|(r, _)| belongs(r)).collect();
        if kind == "sample" {
            samples = found.iter().map(|(r, _)| r.id.to_string()).collect();
        }
        for (record, _) in &found {
            around.entry("file").or_default().extend(text(&record.fields, "file").map(str::to_owned));
        }
        keep(kind, found);
    }
    for kind in AROUND {
        let mut named = around.remove(kind).unwrap_or_default();
        let mut found = store.records_at(&context.access, kind, seq).await?;
        if kind == "strain" {
            // A strain comes with its parents.
            let parents: BTreeMap<String, String> =
                found.iter().filter_map(|(r, _)| text(&r.fields, "parent").map(|p| (r.id.to_string(), p.to_owned()))).collect();
            let mut open: Vec<String> = named.iter().cloned().collect();
            while let Some(next) = open.pop() {
                open.extend(parents.get(&next).filter(|p| named.insert((*p).clone())).cloned());
            }
        }
        found.retain(|(r, _)| named.contains(r.id.as_str()));
        keep(kind, found);
    }
    let licence = match &manifest.licence {
        None => None,
        Some(id) => {
            let found = store.records_at(&context.access, "licence", seq).await?;
            let (record, at) = found.into_iter().find(|(r, _)| r.id.as_str() == id && !r.retired).ok_or_else(|| {
                Error::not_found(
                    "E-DATASET-008",
                    format!("利用条件「{id}」はありません"),
                    format!("there is no licence \"{id}\""),
                )
                .at(Place::field("licence"))
                .hint("`toji record list licence` で一覧できます", "list them with `toji record list licence`")
            })?;
            newest = newest.max(at);
            Some(record)
        }
    };
    Ok(Gathered { runs, records, licence, newest })
}

/// Identifiers of the runs a manifest names, in order.
fn chosen(manifest: &Manifest, all: &[(Record, i64)]) -> Result<Vec<String>> {
    let mut runs: Vec<String> = if manifest.runs.is_empty() {
        let none = Select::default();
        let select = manifest.select.as_ref().unwrap_or(&none);
        let mut fitting = Vec::new();
        for (run, _) in all.iter().filter(|(r, _)| !r.retired) {
            if fits(select, run)? {
                fitting.push(run.id.to_string());
            }
        }
        fitting
    } else {
        for (i, id) in manifest.runs.iter().enumerate() {
            if !all.iter().any(|(r, _)| r.id.as_str() == id && !r.retired) {
                return Err(Error::not_found(
                    "E-DATASET-007",
                    format!("培養「{id}」はありません"),
                    format!("there is no run \"{id}\""),
                )
                .at(Place::field(format!("runs/{i}")))
                .hint("`toji run list` で一覧できます", "list them with `toji run list`"));
            }
        }
        manifest.runs.clone()
    };
    runs.sort();
    runs.dedup();
    if runs.is_empty() {
        return Err(Error::not_found("E-DATASET-009", "条件に合う培養がありません", "no run fits")
            .at(Place::field(if manifest.select.is_some() { "select" } else { "runs" }))
            .hint("`toji run list` で培養を確認してください", "see the runs with `toji run list`"));
    }
    Ok(runs)
}

fn fits(select: &Select, run: &Record) -> Result<bool> {
    let field = |name: &str| text(&run.fields, name).unwrap_or_default();
    let instant = |t: &Option<String>, name: &str| {
        t.as_ref().map(|t| Instant::parse(t).map_err(|e| e.at(Place::field(format!("select/{name}"))))).transpose()
    };
    let (from, to) = (instant(&select.from, "from")?, instant(&select.to, "to")?);
    let started = Instant::parse(field("started")).ok();
    let words = ["title", "vessel_name", "strain_name", "format"].map(|f| field(f).to_lowercase()).join("\n");
    Ok(select.text.as_ref().is_none_or(|t| words.contains(&t.to_lowercase()))
        && select.strain.as_ref().is_none_or(|s| field("strain") == s || field("strain_name") == s)
        && select.vessel.as_ref().is_none_or(|v| field("vessel") == v || field("vessel_name") == v)
        && select.format.as_ref().is_none_or(|f| field("format") == f)
        && select.simulated.is_none_or(|s| simulated(run) == s)
        && from.is_none_or(|from| started.is_some_and(|t| t >= from))
        && to.is_none_or(|to| started.is_some_and(|t| t < to)))
}

/// Was a run made by a simulator?
pub(super) fn simulated(run: &Record) -> bool {
    run.fields.get("simulated").and_then(Json::as_bool).unwrap_or_default()
}

/// The gate's word on taking the data out: for every record with an area of its own, and every series.
async fn may_leave(context: &Context, gathered: &Gathered) -> Result<()> {
    let store = &context.session.store;
    let of_kind = |kind: &&str| gathered.records.get(*kind).into_iter().flatten();
    let own: Vec<&Record> = ["run", "strain", "vessel"].iter().flat_map(of_kind).collect();
    store.allow_records(&context.access, Action::Export, &own).await?;
    let channels = of_kind(&"channel").filter_map(|c| Some((text(&c.fields, "run")?, c.id.as_str()))).collect::<Vec<_>>();
    // The run's own answer is noted above; of its channels only a refusal is.
    store.refuse_channels(&context.access, Action::Export, &channels).await
}
