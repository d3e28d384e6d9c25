//! The records of the commons themselves, as another house has them: members with their keys, agreements, data sets and
//! the entries of one's own account.
//!
//! With them the gate of a node judges data of others as the platform does, also without a connection. They come from
//! outside, so nothing of the house's own comes this way: not its membership with its key, not its data sets. An
//! agreement counts by the signatures under it alone, that of the house under the key that the house knows.

use super::inflow::{MIRRORED, commons_of};
use super::parcel::Sent;
use crate::commons::Standing;
use crate::commons::agreement::note_of;
use crate::commons::seat::standing;
use crate::commons::standing::texts;
use crate::commons::write::{present, with};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::account::{Ledger, Transaction};
use toji_commons::agreement::Agreement;
use toji_commons::log::{Note, VerifierKey};
use toji_core::record::FieldMap;
use toji_core::{Access, Digest, Error, Id, Record, Result, Text};
use toji_store::{Commit, Put};

/// Input of `node mirror`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// Output of `node mirror`.
#[derive(Debug, Serialize, JsonSchema)]
struct Mirror {
    /// Organisation this node belongs to.
    house: String,
    /// Records: kind, identifier, version of the kind, fields.
    records: Vec<Json>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Records that are new or changed.
    pub(super) changed: u64,
    /// What was not taken over, and why.
    pub(super) left_out: Vec<Text>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "node mirror",
            label: ["共有基盤の写し", "Mirror of the commons"],
            about: [
                "自社が見ることのできる会員・公開鍵・契約・データセット・自社の勘定を、自社のノードのために渡します。`toji node sync` が使います。",
                "Gives a member's node the members with their keys, agreements, data sets and entries of its own account, as far as it may see them. It is what `toji node sync` calls.",
            ],
            positional: &[],
            example: "toji node mirror",
        },
        Effect::Read,
        |context: Context, _input: Input| async move { mirror(&context).await },
    )]
}

async fn mirror(context: &Context) -> Result<Mirror> {
    let standing = standing(context).await?;
    let store = &context.session.store;
    let mut records: Vec<Record> = Vec::new();
    for kind in MIRRORED.iter().filter(|k| **k != "organisation") {
        records.extend(store.records(&context.access, kind, None, false).await?);
    }
    let mut named: BTreeSet<String> = records.iter().filter(|r| r.kind == "membership").map(|r| r.id.to_string()).collect();
    named.extend(records.iter().filter_map(|r| text(&r.fields, "owner")));
    for organisation in store.records(&context.access, "organisation", None, false).await? {
        if named.contains(organisation.id.as_str()) {
            records.push(organisation);
        }
    }
    let records = records.iter().map(|r| serde_json::to_value(Sent::of(r)));
    let records = records.collect::<std::result::Result<_, _>>().map_err(|e| Error::bug("E-NODE-008", e))?;
    Ok(Mirror { house: standing.home.to_string(), records })
}

/// Takes over what another house says of the commons.
///
/// # Errors
/// Storage faults. What does not fit is left out and named.
pub(super) async fn apply(context: &Context, standing: &Standing, house: &Id, by: &str, sent: Vec<Sent>) -> Result<Applied> {
    let mut applied = Applied::default();
    let mut keys = standing.keys.clone();
    let (mut puts, mut entries) = (Vec::new(), Vec::new());
    for one in &sent {
        if one.kind == "membership"
            && one.id != standing.home
            && let Some(key) = text(&one.fields, "key").and_then(|t| VerifierKey::parse(&t).ok())
        {
            keys.insert(one.id.clone(), key);
        }
    }
    for one in sent {
        let here = present(context, &one.kind, one.id.as_str()).await?;
        if here.as_ref().is_some_and(|r| r.owner.as_deref() != Some(house.as_str())) {
            // What the house entered itself stays as the house has it.
            if one.kind != "organisation" && !own(&one, &standing.home) {
                applied.left_out.push(left(&one, "同じ識別子の記録がここにあります", "a record of this identifier is here"));
            }
            continue;
        }
        if own(&one, &standing.home) {
            continue;
        }
        let fields = match one.kind.as_str() {
            "organisation" | "membership" | "data-set" => Ok(one.fields.clone()),
            "agreement" => agreement(&one, here.as_ref(), &keys),
            "account-entry" => {
                entries.push(one);
                continue;
            }
            _ => Err(Text::new("この種別は写しません", "this kind is not mirrored")),
        };
        match fields {
            Ok(fields) => puts.push(Put::new(&one.kind, one.id, fields)),
            Err(why) => applied.left_out.push(left(&one, &why.ja, &why.en)),
        }
    }
    puts.extend(account(context, entries, &mut applied).await?);
    let kinds = context.session.store.kinds();
    puts.retain(|put| {
        let fits =
            kinds.get(&put.kind).is_ok_and(|k| k.validate(&put.fields).iter().all(|d| d.severity != toji_core::Severity::Error));
        if !fits {
            let what = format!("{} {}", put.kind, put.id);
            applied.left_out.push(Text::new(format!("{what}: 種別の定めに合いません"), format!("{what}: does not fit its kind")));
        }
        fits
    });
    let into = commons_of(house.as_str(), by);
    let commit = Commit { operation: "node sync".into(), puts, ..Commit::default() };
    let before = versions(context, &commit.puts).await?;
    let after = context.session.store.commit(&into, context.now, commit).await?.versions;
    applied.changed = before.iter().zip(&after).filter(|(a, b)| a != b).count() as u64;
    Ok(applied)
}

async fn versions(context: &Context, puts: &[Put]) -> Result<Vec<u64>> {
    let mut out = Vec::with_capacity(puts.len());
    for put in puts {
        out.push(present(context, &put.kind, put.id.as_str()).await?.map_or(0, |r| r.version));
    }
    Ok(out)
}

/// Is it something of the house itself? An entry of its account is not: that is kept where the commons is.
fn own(one: &Sent, home: &Id) -> bool {
    match one.kind.as_str() {
        "membership" | "organisation" => one.id == *home,
        "data-set" => text(&one.fields, "owner").as_deref() == Some(home.as_str()),
        _ => false,
    }
}

fn left(one: &Sent, ja: &str, en: &str) -> Text {
    Text::new(format!("{} {}: {ja}", one.kind, one.id), format!("{} {}: {en}", one.kind, one.id))
}

/// The record of an agreement as its document says it, signed by whoever really signed it.
fn agreement(one: &Sent, here: Option<&Record>, keys: &BTreeMap<Id, VerifierKey>) -> std::result::Result<FieldMap, Text> {
    let unreadable = || Text::new("文書が読めません", "its document is not readable");
    let mut note = note_of(&one.fields).map_err(|_| unreadable())?;
    let json = note.text().split_once('\n').map(|(_, json)| json).ok_or_else(unreadable)?;
    let terms: Agreement = serde_json::from_str(json).map_err(|_| unreadable())?;
    let said = text(&one.fields, "text").unwrap_or_default();
    let same = terms.note().is_ok_and(|n| n.text() == note.text()) && terms.text == Digest::of(said.as_bytes());
    let named = one.id == terms.id || one.id.as_str().starts_with(&format!("{}.v", terms.id));
    if !same || !named {
        return Err(Text::new("条文または条件が文書と合いません", "text or terms do not fit its document"));
    }
    // A signature that was put under it here, and has not arrived there yet.
    let ours = here.and_then(|r| note_of(&r.fields).ok()).filter(|n| n.text() == note.text());
    ours.iter().flat_map(Note::signatures).for_each(|signature| note.add(signature.clone()));
    let signed = |party: &Id| keys.get(party).is_some_and(|key| note.verified(std::slice::from_ref(key)).is_ok());
    let signed_by: BTreeSet<&Id> = terms.parties.iter().filter(|p| signed(p)).collect();
    let all = signed_by.len() == terms.parties.len();
    let document = if signed_by.is_empty() { note.text().to_owned() } else { note.to_string() };
    let signed_by = (!signed_by.is_empty()).then_some(signed_by);
    let replaced = text(&one.fields, "state").as_deref() == Some("replaced");
    Ok(with(
        one.fields.clone(),
        [
            ("number", json!(terms.version)),
            ("parties", json!(terms.parties)),
            ("data_sets", json!(terms.data_sets)),
            ("from", json!(terms.terms.from.to_string())),
            ("until", json!(terms.terms.until.to_string())),
            ("note", json!(document)),
            ("signed_by", json!(signed_by)),
            (
                "state",
                json!(if replaced {
                    "replaced"
                } else if all {
                    "signed"
                } else {
                    "draft"
                }),
            ),
        ],
    ))
}

/// Entries of the account that go together with those that are here; none of them may spoil the account.
async fn account(context: &Context, mut entries: Vec<Sent>, applied: &mut Applied) -> Result<Vec<Put>> {
    let read = |fields: &FieldMap| serde_json::from_value::<Transaction>(fields.get("transaction").cloned().unwrap_or_default());
    let here = context.session.store.records(&Access::owner(), "account-entry", None, false).await?;
    let mut known: BTreeMap<Id, Transaction> = here.iter().filter_map(|r| Some((r.id.clone(), read(&r.fields).ok()?))).collect();
    let mut puts = Vec::new();
    entries.sort_by_key(|one| read(&one.fields).map_or(toji_core::Instant(i64::MAX), |t| t.at));
    for one in entries {
        let Ok(transaction) = read(&one.fields) else {
            applied.left_out.push(left(&one, "取引が読めません", "its transaction is not readable"));
            continue;
        };
        let before = known.insert(one.id.clone(), transaction);
        if Ledger::gather(known.values().cloned().collect::<Vec<_>>()).is_ok() {
            puts.push(Put::new("account-entry", one.id, one.fields));
            continue;
        }
        match before {
            Some(before) => known.insert(one.id.clone(), before),
            None => known.remove(&one.id),
        };
        applied.left_out.push(left(&one, "勘定と合いません", "it does not fit the account"));
    }
    Ok(puts)
}

/// Agreements that the house signed here and that the other house does not know signed by it: document by identifier.
pub(super) async fn to_deliver(context: &Context, standing: &Standing, there: &[Sent]) -> Result<Vec<(Id, String)>> {
    let Some(key) = standing.keys.get(&standing.home) else { return Ok(Vec::new()) };
    let signed = |fields: &FieldMap| note_of(fields).ok().filter(|note| note.verified(std::slice::from_ref(key)).is_ok());
    let mut out = Vec::new();
    for one in there.iter().filter(|s| s.kind == "agreement" && signed(&s.fields).is_none()) {
        if !texts(&one.fields, "parties").iter().any(|p| p == standing.home.as_str()) {
            continue;
        }
        let here = present(context, "agreement", one.id.as_str()).await?;
        if let Some(note) = here.and_then(|record| signed(&record.fields))
            && note_of(&one.fields).is_ok_and(|n| n.text() == note.text())
        {
            out.push((one.id.clone(), note.to_string()));
        }
    }
    Ok(out)
}
