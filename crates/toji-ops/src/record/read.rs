//! Reading records: `record list`, `get`, `history`, `links`.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Instant, Place, Record, Result, Text};

/// Input of `record list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Words anywhere in the record.
    ///
    /// 記録のどこかに含まれる語。
    #[serde(default)]
    text: Option<String>,
    /// Fields that must have a value.
    ///
    /// 値が一致すべき項目。
    #[serde(default)]
    filter: BTreeMap<String, Json>,
    /// Field to sort by; with `-` in front descending.
    ///
    /// 並べ替える項目。先頭に `-` を付けると降順。
    #[serde(default)]
    sort: Option<String>,
    /// Most records returned.
    ///
    /// 返す記録の最大件数。
    #[serde(default = "hundred")]
    limit: usize,
    /// Records skipped.
    ///
    /// 読み飛ばす件数。
    #[serde(default)]
    offset: usize,
    /// As the store knew it at this instant (RFC 3339).
    ///
    /// この時点で保存先にあった内容（RFC 3339）。
    #[serde(default)]
    as_of: Option<String>,
    /// Also records out of use.
    ///
    /// 使用停止の記録も含める。
    #[serde(default)]
    retired: bool,
}

fn hundred() -> usize {
    100
}

/// One record in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Identifier.
    id: String,
    /// Version.
    version: u64,
    /// Title.
    title: Text,
    /// Fields.
    fields: Json,
    /// When this version was acknowledged.
    updated_at: String,
    /// Out of use.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retired: bool,
}

/// Output of `record list`.
#[derive(Debug, Serialize, JsonSchema)]
struct Records {
    /// Kind.
    kind: String,
    /// Records that fit.
    total: usize,
    /// The records of this page.
    records: Vec<Row>,
}

pub(super) fn list_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record list",
            label: ["記録の一覧", "List records"],
            about: [
                "ある種別の記録を、語や項目で絞り込んで一覧します。過去の時点の状態も見られます。",
                "Lists records of a kind, filtered by words or fields, now or as known at an earlier time.",
            ],
            positional: &["kind", "text"],
            example: "toji record list facility --filter '{\"programme_id\":\"DUALUSE\"}'",
        },
        Effect::Read,
        list,
    )
}

pub(super) fn instant(text: Option<&str>) -> Result<Option<Instant>> {
    text.map(|t| Instant::parse(t).map_err(|e| e.at(Place::field("as_of")))).transpose()
}

async fn list(context: Context, input: ListInput) -> Result<Records> {
    let store = &context.session.store;
    let mut records = store.records(&context.access, &input.kind, instant(input.as_of.as_deref())?, input.retired).await?;
    let words = input.text.as_ref().map(|t| t.to_lowercase());
    records.retain(|r| {
        let fits = input.filter.iter().all(|(name, value)| {
            let found = if name == "id" { Some(Json::from(r.id.as_str())) } else { r.fields.get(name).cloned() };
            match (&found, value) {
                (Some(Json::Array(parts)), value) if !value.is_array() => parts.contains(value),
                (None, Json::Null) => true,
                (Some(found), value) => found == value || (!found.is_string() && value.as_str() == Some(&found.to_string())),
                (None, _) => false,
            }
        });
        fits && words.as_ref().is_none_or(|w| r.id.as_str().to_lowercase().contains(w) || r.fields.values().any(|v| holds(v, w)))
    });
    if let Some(sort) = &input.sort {
        let (descending, name) = sort.strip_prefix('-').map_or((false, sort.as_str()), |n| (true, n));
        records.sort_by(|a, b| {
            let order = compare(a, b, name);
            (if descending { order.reverse() } else { order }).then_with(|| a.id.cmp(&b.id))
        });
    }
    let total = records.len();
    let page: Vec<Record> = records.into_iter().skip(input.offset).take(input.limit).collect();
    let times = store.acknowledged_at(&page).await?;
    let row = |(r, updated_at): (Record, String)| Row {
        title: store.title(&r),
        id: r.id.to_string(),
        version: r.version,
        retired: r.retired,
        fields: Json::Object(r.fields),
        updated_at,
    };
    Ok(Records { kind: input.kind, total, records: page.into_iter().zip(times).map(row).collect() })
}

fn holds(value: &Json, words: &str) -> bool {
    match value {
        Json::String(text) => text.to_lowercase().contains(words),
        Json::Array(parts) => parts.iter().any(|p| holds(p, words)),
        Json::Object(map) => map.values().any(|p| holds(p, words)),
        Json::Null => false,
        other => other.to_string().contains(words),
    }
}

fn compare(a: &Record, b: &Record, name: &str) -> std::cmp::Ordering {
    if name == "id" {
        return a.id.cmp(&b.id);
    }
    let (a, b) = (a.fields.get(name), b.fields.get(name));
    match (a.and_then(Json::as_f64), b.and_then(Json::as_f64)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => {
            let text = |v: Option<&Json>| v.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            // Records without the field come last.
            (a.is_none(), text(a)).cmp(&(b.is_none(), text(b)))
        }
    }
}

/// Input of `record get`, `history` and `links`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Identifier.
    ///
    /// 識別子。
    id: String,
    /// As the store knew it at this instant (RFC 3339).
    ///
    /// この時点で保存先にあった内容（RFC 3339）。
    #[serde(default)]
    as_of: Option<String>,
}

/// A link to another record.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct LinkView {
    /// Field that links.
    pub(super) field: String,
    /// Kind of the other record.
    pub(super) kind: String,
    /// Its identifier.
    pub(super) id: String,
    /// Its title.
    pub(super) title: Text,
}

/// Output of `record get`.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordView {
    /// Kind.
    kind: String,
    /// Identifier.
    id: String,
    /// Version.
    version: u64,
    /// Version of the kind's declaration.
    kind_version: u32,
    /// Title.
    title: Text,
    /// Fields.
    fields: Json,
    /// Organisation it belongs to; none where it is the house's own.
    owner: Option<String>,
    /// Out of use.
    retired: bool,
    /// First acknowledged.
    created_at: String,
    /// Last changed.
    updated_at: String,
    /// Records it refers to.
    links: Vec<LinkView>,
    /// Records that refer to it.
    linked_from: Vec<LinkView>,
    /// What the kind's rules say about it today.
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn get_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record get",
            label: ["記録の詳細", "Get a record"],
            about: ["一件の記録を、前後のつながりとともに示します。", "Shows one record with its links both ways."],
            positional: &["kind", "id"],
            example: "toji record get facility FA01",
        },
        Effect::Read,
        get,
    )
}

async fn get(context: Context, input: OneInput) -> Result<RecordView> {
    let store = &context.session.store;
    let record = store.record(&context.access, &input.kind, &input.id, instant(input.as_of.as_deref())?).await?;
    let history = store.history(&context.access, &input.kind, &input.id).await?;
    let (links, linked_from) = neighbours(&context, &record).await?;
    let kind = store.kinds().get(&input.kind)?;
    Ok(RecordView {
        kind: input.kind,
        id: input.id,
        version: record.version,
        kind_version: record.kind_version,
        title: store.title(&record),
        owner: record.owner.clone(),
        retired: record.retired,
        created_at: history.first().map(|v| v.at.clone()).unwrap_or_default(),
        updated_at: history.iter().rfind(|v| v.record.version <= record.version).map(|v| v.at.clone()).unwrap_or_default(),
        links,
        linked_from,
        diagnostics: kind.validate(&record.fields),
        fields: Json::Object(record.fields),
    })
}

/// Records a record refers to, also by shared identifiers, and records that refer to it.
async fn neighbours(context: &Context, record: &Record) -> Result<(Vec<LinkView>, Vec<LinkView>)> {
    let store = &context.session.store;
    let (out, mut back) = store.links(&context.access, &record.kind, record.id.as_str()).await?;
    let mut links = Vec::new();
    for link in out {
        let field = store.kinds().get(&link.kind)?.field(&link.field).and_then(|f| f.ref_field.clone());
        match field {
            // A shared identifier may stand in several records of the target's kind.
            Some(shared) => {
                for target in store.records(&context.access, &link.target_kind, None, false).await? {
                    if target.fields.get(&shared).and_then(Json::as_str) == Some(&link.target) {
                        links.push(LinkView {
                            field: link.field.clone(),
                            kind: link.target_kind.clone(),
                            id: target.id.to_string(),
                            title: store.title(&target),
                        });
                    }
                }
            }
            None => {
                if let Ok(target) = store.record(&context.access, &link.target_kind, &link.target, None).await {
                    links.push(LinkView {
                        field: link.field,
                        kind: link.target_kind,
                        id: link.target,
                        title: store.title(&target),
                    });
                }
            }
        }
    }
    for shared in shared_identifiers(context, record)? {
        back.extend(store.links(&context.access, &record.kind, &shared).await?.1);
    }
    let mut linked_from = Vec::new();
    for link in back {
        if let Ok(source) = store.record(&context.access, &link.kind, &link.id, None).await {
            linked_from.push(LinkView { field: link.field, kind: link.kind, id: link.id, title: store.title(&source) });
        }
    }
    Ok((links, linked_from))
}

/// Values of this record by which other kinds refer to it without its identifier.
fn shared_identifiers(context: &Context, record: &Record) -> Result<Vec<String>> {
    let mut names: Vec<&str> = Vec::new();
    for kind in context.session.store.kinds().iter() {
        names.extend(
            kind.fields.iter().filter(|f| f.target.as_ref() == Some(&record.kind)).filter_map(|f| f.ref_field.as_deref()),
        );
    }
    names.sort_unstable();
    names.dedup();
    Ok(names.iter().filter_map(|n| record.fields.get(*n)).filter_map(Json::as_str).map(str::to_owned).collect())
}

/// One version of a record.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionView {
    /// Version.
    version: u64,
    /// When it was acknowledged.
    at: String,
    /// Who.
    actor: String,
    /// By which operation.
    operation: String,
    /// Why.
    reason: Option<String>,
    /// Fields that changed: [old, new].
    change: BTreeMap<String, [Json; 2]>,
    /// Out of use from here.
    retired: bool,
    /// Position in the ledger.
    event: i64,
}

/// Output of `record history`.
#[derive(Debug, Serialize, JsonSchema)]
struct HistoryView {
    /// Newest first.
    versions: Vec<VersionView>,
}

pub(super) fn history_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record history",
            label: ["記録の履歴", "History of a record"],
            about: [
                "記録の全ての版を、いつ・誰が・なぜ・何を変えたかとともに示します。",
                "Shows every version of a record: when, who, why, and what changed.",
            ],
            positional: &["kind", "id"],
            example: "toji record history strain STR-1",
        },
        Effect::Read,
        history,
    )
}

async fn history(context: Context, input: OneInput) -> Result<HistoryView> {
    let versions = context.session.store.history(&context.access, &input.kind, &input.id).await?;
    let mut before = FieldMap::new();
    let mut out = Vec::new();
    for version in versions {
        let change = changes(&before, &version.record.fields);
        before = version.record.fields;
        out.push(VersionView {
            version: version.record.version,
            at: version.at,
            actor: version.actor,
            operation: version.operation,
            reason: version.reason,
            change,
            retired: version.record.retired,
            event: version.seq,
        });
    }
    out.reverse();
    Ok(HistoryView { versions: out })
}

fn changes(before: &FieldMap, after: &FieldMap) -> BTreeMap<String, [Json; 2]> {
    let names = before.keys().chain(after.keys());
    names
        .filter(|n| before.get(*n) != after.get(*n))
        .map(|n| (n.clone(), [before.get(n).cloned().unwrap_or(Json::Null), after.get(n).cloned().unwrap_or(Json::Null)]))
        .collect()
}

/// A step in a trace of links.
#[derive(Debug, Serialize, JsonSchema)]
struct TraceStep {
    /// Steps away from the start.
    distance: u32,
    /// Kind.
    kind: String,
    /// Identifier.
    id: String,
    /// Title.
    title: Text,
    /// The link that led here: kind, identifier and field of the record that holds it.
    by: [String; 3],
}

/// Input of `record links`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinksInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Identifier.
    ///
    /// 識別子。
    id: String,
    /// How many links to follow.
    ///
    /// たどるつながりの段数。
    #[serde(default = "three")]
    depth: u32,
}

fn three() -> u32 {
    3
}

/// Output of `record links`.
#[derive(Debug, Serialize, JsonSchema)]
struct Trace {
    /// Every record within reach, nearest first.
    reached: Vec<TraceStep>,
}

/// Most records of one trace.
const TRACE_MAX: usize = 1000;

pub(super) fn links_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record links",
            label: ["記録のつながり", "Trace links"],
            about: [
                "一件の記録から、共通の識別子でつながる記録を両方向にたどります。原料・培養・素材・製品・LCA が一続きに見えます。",
                "Follows shared identifiers from one record in both directions: feedstock, run, material, product and assessment in one trace.",
            ],
            positional: &["kind", "id"],
            example: "toji record links material MAT-1 --depth 2",
        },
        Effect::Read,
        links,
    )
}

async fn links(context: Context, input: LinksInput) -> Result<Trace> {
    let store = &context.session.store;
    let start = store.record(&context.access, &input.kind, &input.id, None).await?;
    let mut seen = std::collections::BTreeSet::from([(input.kind.clone(), input.id.clone())]);
    let mut front = vec![start];
    let mut reached = Vec::new();
    for distance in 1..=input.depth.min(10) {
        let mut next = Vec::new();
        for record in &front {
            let (out, back) = neighbours(&context, record).await?;
            let out = out.into_iter().map(|l| ([record.kind.clone(), record.id.to_string(), l.field.clone()], l));
            let back = back.into_iter().map(|l| ([l.kind.clone(), l.id.clone(), l.field.clone()], l));
            for (by, link) in out.chain(back) {
                if reached.len() >= TRACE_MAX || !seen.insert((link.kind.clone(), link.id.clone())) {
                    continue;
                }
                next.push(store.record(&context.access, &link.kind, &link.id, None).await?);
                reached.push(TraceStep { distance, kind: link.kind, id: link.id, title: link.title, by });
            }
        }
        front = next;
    }
    Ok(Trace { reached })
}
