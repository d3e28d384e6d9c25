//! One run under the rules of readiness: the same rules as for a data set, without those about the set itself.
//!
//! A run that has just ended may still have points in the journal, so its series are read through the store's
//! ordinary reader and not at a position of the ledger.

use super::content::{AROUND, Channel, Content, PARTS, Run, text};
use super::manifest::Manifest;
use super::score::Finding;
use super::{ready, split};
use crate::operation::Context;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Action, Record, Result, Severity};
use toji_store::Series;

/// A run with everything that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    /// The run.
    pub(crate) run: Record,
    /// Channels with their points; times count from the run's zero, in nanoseconds.
    pub(crate) channels: Vec<(Record, Series)>,
    /// Records that belong to the run or that it refers to, by kind, in order of identifiers.
    records: BTreeMap<&'static str, Vec<Record>>,
}

/// The run, the records that belong to it and those that it refers to, by kind, in order of identifiers.
pub(crate) async fn belongings(context: &Context, run: &Record) -> Result<BTreeMap<&'static str, Vec<Record>>> {
    let store = &context.session.store;
    let mut records: BTreeMap<&'static str, Vec<Record>> = BTreeMap::new();
    let mut around: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for kind in PARTS {
        let mut found = store.linked(&context.access, kind, "run", run.id.as_str()).await?;
        if kind == "assay" {
            for sample in records.get("sample").into_iter().flatten() {
                found.extend(store.linked(&context.access, kind, "sample", sample.id.as_str()).await?);
            }
            found.sort_by(|a, b| a.id.cmp(&b.id));
            found.dedup_by(|a, b| a.id == b.id);
        }
        for record in &found {
            around.entry("file").or_default().extend(text(&record.fields, "file").map(str::to_owned));
        }
        records.insert(kind, found);
    }
    for kind in AROUND {
        let mut open: Vec<String> = around.remove(kind).into_iter().flatten().collect();
        open.extend(text(&run.fields, kind).map(str::to_owned));
        let mut found: BTreeMap<String, Record> = BTreeMap::new();
        while let Some(id) = open.pop() {
            if found.contains_key(&id) {
                continue;
            }
            // What the asker may not see is not there, as for a data set.
            let Ok(record) = store.record(&context.access, kind, &id, None).await else { continue };
            // A strain comes with its parents.
            open.extend(text(&record.fields, "parent").filter(|_| kind == "strain").map(str::to_owned));
            found.insert(id, record);
        }
        records.insert(kind, found.into_values().filter(|r| !r.retired).collect());
    }
    records.insert("run", vec![run.clone()]);
    Ok(records)
}

impl Whole {
    /// Records of a kind, by identifier.
    pub(crate) fn of(&self, kind: &str) -> &[Record] {
        self.records.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Reads a run through the gate.
    pub(crate) async fn load(context: &Context, run: &str) -> Result<Self> {
        Self::load_only(context, run, &[]).await
    }

    /// The same for what is done with it beyond reading: learning from it, or taking it out.
    pub(crate) async fn load_to(context: &Context, run: &str, action: Action) -> Result<Self> {
        context.session.store.allow_series(&context.access, action, run).await?;
        Self::load(context, run).await
    }

    /// The same with the points of some channels only, named by identifier, key or variable; all when none are named.
    /// What a run does not have is not there.
    pub(crate) async fn load_only(context: &Context, run: &str, channels: &[String]) -> Result<Self> {
        let store = &context.session.store;
        let (run, channels) = match crate::run::load(context, run, channels, None, None).await {
            Err(error) if error.code() == "E-RUN-010" => (store.record(&context.access, "run", run, None).await?, Vec::new()),
            loaded => loaded?,
        };
        let records = belongings(context, &run).await?;
        Ok(Self { run, channels, records })
    }

    /// The same without its points.
    pub(crate) fn without_points(&self) -> Self {
        Self { run: self.run.clone(), channels: Vec::new(), records: self.records.clone() }
    }

    /// What the rules of readiness find in this run, and whether no error is among it.
    pub(crate) fn judge(self) -> (Vec<Finding>, bool) {
        let manifest = Manifest { runs: vec![self.run.id.to_string()], ..Manifest::default() };
        let channels = self.channels.into_iter().map(|(record, series)| Channel { record, series });
        let zero_ns = crate::run::zero_ns(&self.run.fields);
        let run = Run { record: self.run, zero_ns, channels: channels.collect() };
        let content = Content { manifest, at: String::new(), runs: vec![run], records: self.records, licence: None };
        let account = ready::judge(&content, &split::deal(&content));
        // What is asked of a set (its title, its terms of use) is no fault of a run.
        let findings: Vec<Finding> = account.findings.into_iter().filter(|f| f.kind.is_some()).collect();
        let valid = !findings.iter().any(|f| f.diagnostic.severity == Severity::Error);
        (findings, valid)
    }
}
