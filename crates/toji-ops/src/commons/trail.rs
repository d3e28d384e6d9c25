//! Decisions and counts of reads in the witnessed log: a leaf for each batch of rows, with the range of their numbers and
//! the root of a tree (RFC 9162, SHA-256) over them as canonical JSON. Members see that nothing is changed, and neither
//! who asked nor for what; the house shows later that its rows are those that were signed.
//!
//! A person stands in a row by a salted commitment. Where the person is forgotten the salt is destroyed and the row keeps
//! the commitment, so the batch is still the one that was signed.

use super::seat::actor;
use super::standing::Standing;
use crate::operation::Context;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use toji_commons::agreement::Role;
use toji_commons::log::{Entry, Salt, Tree, commitment};
use toji_core::canonical::to_canonical;
use toji_core::{Access, Category, Digest, Error, Instant, Place, Result};
use toji_store::{ERASED, Pseudonym, Trail, TrailRow};

/// Most rows of a batch.
const BATCH: i64 = 10_000;
/// What a decision was about, where it was about a person.
const PERSON: &str = "user ";

/// Rows that are not in the log yet, by batch.
pub(super) struct Fresh {
    trail: Trail,
    batches: Vec<Vec<TrailRow>>,
}

impl Fresh {
    /// Rows after the last number that the log holds.
    pub(super) async fn after(context: &Context, trail: Trail, mut after: i64) -> Result<Self> {
        let mut batches = Vec::new();
        loop {
            let rows = context.session.store.trail_after(&Access::owner(), trail, after, BATCH).await?;
            let Some(last) = rows.last().map(|row| row.n) else { break };
            let n = rows.len();
            after = last;
            batches.push(rows);
            // Asking is counted as a read itself, so there is always more to come.
            if is_last(n) {
                break;
            }
        }
        Ok(Self { trail, batches })
    }

    /// Is there anything but what the house itself read, as it does to make a checkpoint?
    pub(super) fn is_news(&self) -> bool {
        let house = Access::owner().who.id;
        self.batches.iter().flatten().any(|row| self.trail == Trail::Decisions || row.who != house)
    }

    /// The number up to which the log then holds.
    pub(super) fn last(&self) -> Option<i64> {
        self.batches.last()?.last().map(|row| row.n)
    }

    /// Every row gets a pseudonym, kept with what opens it.
    pub(super) async fn name(&mut self, context: &Context) -> Result<()> {
        for rows in &mut self.batches {
            name(context, self.trail, rows).await?;
        }
        Ok(())
    }

    /// Leaves of the log, one for each batch.
    pub(super) fn leaves(&self, now: Instant) -> Result<Vec<Entry>> {
        self.batches.iter().map(|rows| leaf(self.trail, rows, now)).collect()
    }
}

fn is_last(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|n| n < BATCH)
}

/// Gives every row that has none a pseudonym, so that it is known by that when its person is forgotten.
pub(super) async fn name_all(context: &Context) -> Result<()> {
    for trail in [Trail::Decisions, Trail::Reads] {
        let mut after = 0;
        loop {
            let mut rows = context.session.store.trail_after(&Access::owner(), trail, after, BATCH).await?;
            let Some(last) = rows.last().map(|row| row.n) else { break };
            after = last;
            name(context, trail, &mut rows).await?;
            if is_last(rows.len()) {
                break;
            }
        }
    }
    Ok(())
}

/// One salt for each person of a batch.
async fn name(context: &Context, trail: Trail, rows: &mut [TrailRow]) -> Result<()> {
    let mut salts: HashMap<String, ([u8; 32], Digest)> = HashMap::new();
    let mut named = Vec::new();
    for row in rows.iter_mut().filter(|row| row.pseudonym.is_none()) {
        let (salt, digest) = match salts.get(&row.who) {
            Some(known) => *known,
            None => {
                let mut salt = [0u8; 32];
                crate::random::fill(&mut salt)?;
                let made = (salt, commitment(&Salt::new(salt), &row.who));
                salts.insert(row.who.clone(), made);
                made
            }
        };
        named.push((row.n, digest));
        row.pseudonym = Some(Pseudonym { digest, opens: Some((salt, row.who.clone())) });
    }
    let opens: Vec<_> = salts.into_iter().map(|(who, (salt, digest))| (digest, salt, who)).collect();
    context.session.store.keep_pseudonyms(trail, &named, &opens).await
}

/// A row as it is hashed. That a decision was about a person is said, not about whom.
fn canonical(row: &TrailRow) -> Result<String> {
    let pseudonym = row.pseudonym.as_ref().map(|p| p.digest.to_string());
    let what = if row.what.starts_with(PERSON) { PERSON.trim_end() } else { &row.what };
    to_canonical(&json!([row.n, row.at, pseudonym, row.action, what, row.reason, row.count]))
}

fn root(rows: &[TrailRow]) -> Result<Digest> {
    let rows: Vec<String> = rows.iter().map(canonical).collect::<Result<_>>()?;
    Ok(Tree::of(&rows).root())
}

fn leaf(trail: Trail, rows: &[TrailRow], now: Instant) -> Result<Entry> {
    let number = |row: Option<&TrailRow>| row.map_or(0, |r| r.n).to_string();
    let facts = BTreeMap::from([
        ("first".into(), number(rows.first())),
        ("last".into(), number(rows.last())),
        ("count".into(), rows.len().to_string()),
        ("root".into(), root(rows)?.to_string()),
    ]);
    Ok(Entry { at: now, kind: trail.name().into(), facts, personal: BTreeMap::new() })
}

/// Does the row's person fit its pseudonym? A forgotten one fits what nobody can open.
fn fits(row: &TrailRow) -> bool {
    match &row.pseudonym {
        Some(Pseudonym { digest, opens: Some((salt, value)) }) => {
            *value == row.who && commitment(&Salt::new(*salt), value) == *digest
        }
        Some(Pseudonym { opens: None, .. }) => row.who == ERASED,
        None => false,
    }
}

/// Rows that fit what was signed; or the ranges that do not.
///
/// # Errors
/// `E-COMMONS-110` names every range that was altered; `E-COMMONS-003` for whom it is not.
pub(super) async fn compare(context: &Context, standing: &Standing, entries: &[Vec<u8>]) -> Result<u64> {
    actor(context, standing, &[Role::Operator, Role::Auditor], None)?;
    let (mut altered, mut checked) = (Vec::<(Trail, i64, i64)>::new(), 0);
    let mut ends = HashMap::new();
    for entry in entries.iter().filter_map(|bytes| serde_json::from_slice::<Entry>(bytes).ok()) {
        let number = |name: &str| entry.facts.get(name).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
        let (trail, first, last) = match entry.kind.as_str() {
            "decisions" => (Trail::Decisions, number("first"), number("last")),
            "reads" => (Trail::Reads, number("first"), number("last")),
            // As logs had them before there were batches: each by itself.
            "decision" => (Trail::Decisions, number("n"), number("n")),
            _ => continue,
        };
        let end: &mut i64 = ends.entry(trail.name()).or_insert(0);
        if first != end.saturating_add(1) {
            altered.push((trail, end.saturating_add(1), first.saturating_sub(1)));
        }
        *end = last;
        let most = last.saturating_sub(first).saturating_add(1).max(0);
        let mut rows = context.session.store.trail_after(&Access::owner(), trail, first.saturating_sub(1), most).await?;
        rows.retain(|row| row.n <= last);
        let same = if entry.kind == "decision" {
            as_single(context, &entry, &rows).await?
        } else {
            rows.iter().all(fits) && entry.facts.get("root") == Some(&root(&rows)?.to_string())
        };
        if same {
            checked += rows.len() as u64;
        } else {
            altered.push((trail, first, last));
        }
    }
    if altered.is_empty() { Ok(checked) } else { Err(not_as_signed(&altered)) }
}

/// A decision that is a leaf of its own.
async fn as_single(context: &Context, entry: &Entry, rows: &[TrailRow]) -> Result<bool> {
    let [row] = rows else { return Ok(false) };
    let fact = |name: &str| entry.facts.get(name).map(String::as_str);
    let who = match entry.personal.get("who") {
        Some(digest) => match context.session.store.opened(&Access::owner(), *digest).await? {
            Some((salt, value)) => value == row.who && commitment(&Salt::new(salt), &value) == *digest,
            None => row.who == ERASED,
        },
        None => false,
    };
    let what = Digest::of(row.what.as_bytes()).to_string();
    let about = fact("what") == Some(what.as_str()) || row.what == format!("{PERSON}{ERASED}");
    let allowed = if row.count == 0 { "false" } else { "true" };
    let rest = fact("action") == Some(row.action.as_str()) && fact("reason") == Some(row.reason.as_str());
    Ok(who && about && rest && fact("allowed") == Some(allowed))
}

fn not_as_signed(altered: &[(Trail, i64, i64)]) -> Error {
    let ranges: Vec<String> = altered.iter().map(|(trail, first, last)| format!("{} {first}–{last}", trail.name())).collect();
    let ranges = ranges.join(", ");
    Error::new(
        Category::Conflict,
        "E-COMMONS-110",
        format!("この範囲の記録が、署名された台帳と違います: {ranges}"),
        format!("these rows are not those that were signed: {ranges}"),
    )
    .at(Place::field(ranges))
    .hint("バックアップと比べ、会員に知らせてください", "compare with a backup, and tell the members")
}
