//! Merging: the small parts of a run, as imports and live data leave them, become larger ones.
//!
//! **What is merged.** Parts that follow one another in precedence, each of less than
//! [`SMALL_POINTS_MAX`] points, up to [`MERGED_POINTS_MAX`] together. A part takes part only when the
//! others together have as many points as it has, so that a point is written again only when its part at
//! least doubles. The merged part stands where the newest of them stood: imports that came later go on to
//! win over it. Its bytes follow from the parts alone.
//!
//! **Safety.** The new part is made durable first; then one transaction appends the event (`replaces`
//! names the old ones) and turns the parts over, if they are still what was read. A crash leaves the old
//! parts in force, or the new one. Readers who listed the old parts go on reading them: they stay, under a
//! name that other programs pass over, as the state at earlier events, and `verify` goes on checking them.

use crate::commit::{insert_part, part_again};
use crate::fault;
use crate::ledger::{self, Body, Change};
use crate::series::{Base, NewPart, replaced_path, write_part};
use crate::store::Store;
use sqlx::Row as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use toji_core::culture::{Numbers, Points};
use toji_core::{Access, Action, Digest, Error, Id, Instant, Resource, Result};

/// Parts with fewer points are small.
const SMALL_POINTS_MAX: u64 = 1 << 19;

/// Most points of the parts merged into one: bounds the memory of the work.
const MERGED_POINTS_MAX: u64 = 1 << 21;

/// Most parts merged into one.
const MERGED_PARTS_MAX: usize = 4096;

/// What a merge did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Merged {
    /// Run.
    pub run: String,
    /// Parts in force before.
    pub parts_before: u64,
    /// Parts in force after.
    pub parts_after: u64,
    /// Points written again.
    pub points: u64,
    /// Parts left alone since numbers of different form alternate in them.
    pub kept_apart: u64,
    /// Position of the last event; `null` when nothing changed.
    pub seq: Option<i64>,
}

/// A part in force.
#[derive(Debug, Clone, PartialEq)]
struct Live {
    part: Digest,
    seq: i64,
    base: Base,
    points: u64,
}

impl Store {
    /// Merges the small parts of a run. Repeating it changes nothing; what can be read stays the same.
    /// With `dry_run` it only says what would be done.
    ///
    /// # Errors
    /// Denied access, damaged parts, disk faults, and whatever `step` returns; the parts are then in force
    /// as before, or merged as far as the work went.
    pub async fn merge_parts(
        self: &Arc<Self>,
        access: &Access,
        at: Instant,
        run: &Id,
        dry_run: bool,
        mut step: impl FnMut(u64, Option<u64>) -> Result<()> + Send,
    ) -> Result<Merged> {
        let action = if dry_run { Action::Read } else { Action::Write };
        self.allow_series(access, action, run.as_str()).await?;
        let live = self.live_parts(run).await?;
        let n = live.len() as u64;
        let mut merged = Merged { run: run.to_string(), parts_before: n, parts_after: n, points: 0, kept_apart: 0, seq: None };
        let groups = groups(&live);
        for (i, group) in groups.iter().enumerate() {
            step(i as u64, Some(groups.len() as u64))?;
            let saved = group.len() as u64 - 1;
            let points = group.iter().map(|p| p.points).sum::<u64>();
            if dry_run {
                merged.parts_after -= saved;
                merged.points += points;
                continue;
            }
            let Some(part) = self.write_merged(run, group).await? else {
                merged.kept_apart += group.len() as u64;
                continue;
            };
            if let Some(seq) = self.swap_parts(access, at, run, group, &part).await? {
                merged.parts_after -= saved;
                merged.points += part.points;
                merged.seq = Some(seq);
            }
        }
        if !dry_run {
            self.set_aside(run).await?;
        }
        Ok(merged)
    }

    /// Renames the files of replaced parts, also those that a crash left under their old names. Readers who
    /// listed them before find them under either name.
    async fn set_aside(&self, run: &Id) -> Result<()> {
        let replaced: Vec<String> = sqlx::query_scalar("SELECT part FROM parts WHERE run = $1 AND live = 0 ORDER BY part")
            .bind(run.as_str())
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        for part in &replaced {
            let path = self.part_file(run, Digest::parse(part)?);
            match std::fs::rename(&path, replaced_path(&path)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(fault::io(&e, &path)),
                _ => {}
            }
        }
        Ok(())
    }

    /// How many parts in force a run has that are small.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn small_parts(&self, access: &Access, run: &Id) -> Result<u64> {
        self.allow_series(access, Action::Read, run.as_str()).await?;
        Ok(self.live_parts(run).await?.iter().filter(|p| p.points < SMALL_POINTS_MAX).count() as u64)
    }

    /// Runs with more than one part in force.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn runs_in_parts(&self, access: &Access) -> Result<Vec<Id>> {
        self.allow(access, Action::Read, Resource::Store).await?;
        let runs: Vec<String> =
            sqlx::query_scalar("SELECT run FROM parts WHERE live = 1 GROUP BY run HAVING COUNT(*) > 1 ORDER BY run")
                .fetch_all(&self.catalogue.pool)
                .await
                .map_err(fault::sql)?;
        runs.iter().map(|run| Id::parse(run)).collect()
    }

    /// Parts in force, in order of precedence.
    async fn live_parts(&self, run: &Id) -> Result<Vec<Live>> {
        let rows = sqlx::query(
            "SELECT p.part, p.seq, MIN(b.base) AS base, CAST(SUM(b.points) AS BIGINT) AS points
             FROM parts p JOIN blocks b ON b.part = p.part WHERE p.run = $1 AND p.live = 1 GROUP BY p.part, p.seq
             ORDER BY p.seq, p.part",
        )
        .bind(run.as_str())
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        rows.iter()
            .map(|row| {
                let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
                let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
                Ok(Live {
                    part: Digest::parse(&text("part")?)?,
                    seq: number("seq")?,
                    base: Base::parse(&text("base")?),
                    points: u64::try_from(number("points")?).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Reads the parts of a group and writes what they say together as one durable part. `None` when
    /// that would make many short blocks of them.
    async fn write_merged(self: &Arc<Self>, run: &Id, group: &[Live]) -> Result<Option<NewPart>> {
        let base = group.first().map_or(Base::Utc, |p| p.base);
        // Row groups of each channel, in order of precedence.
        let mut channels: BTreeMap<String, Vec<(Digest, usize)>> = BTreeMap::new();
        for (channel, blocks) in self.stored_blocks(run, &[], i64::MIN, i64::MAX).await? {
            let ours = blocks.iter().filter(|b| group.iter().any(|p| p.part == b.part)).map(|b| (b.part, b.row_group));
            channels.insert(channel, ours.collect());
        }
        let (store, run) = (self.clone(), run.clone());
        let work = move || -> Result<Option<NewPart>> {
            let mut out: Vec<(Id, Points)> = Vec::new();
            for (channel, blocks) in channels {
                let mut said = Vec::new();
                for (part, row_group) in &blocks {
                    said.push((*part, store.parts.points(&store.part_file(&run, *part), *part, *row_group)?));
                }
                let stretches = together(&said);
                if stretches.len() > blocks.len() * 2 {
                    return Ok(None);
                }
                let channel = Id::parse(&channel)?;
                out.extend(stretches.into_iter().map(|points| (channel.clone(), points)));
            }
            write_part(&store.series_dir(&run), &run, base, &out).map(Some)
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-SERIES-002", e))?
    }

    /// Puts the merged part in force instead of the group, by one event; `None` when the parts are no
    /// longer those that were read.
    async fn swap_parts(&self, access: &Access, at: Instant, run: &Id, group: &[Live], part: &NewPart) -> Result<Option<i64>> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(None) };
        let mut tx = self.catalogue.begin().await?;
        // Between the first and the last of them nothing else may stand: it would change places.
        let there: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT p.part FROM parts p JOIN blocks b ON b.part = p.part
             WHERE p.run = $1 AND p.live = 1 AND b.base = $2 AND p.seq >= $3 AND p.seq <= $4",
        )
        .bind(run.as_str())
        .bind(part.base.as_str())
        .bind(first.seq)
        .bind(last.seq)
        .fetch_all(&mut *tx)
        .await
        .map_err(fault::sql)?;
        let mut wanted: Vec<String> = group.iter().map(|p| p.part.to_string()).collect();
        let (mut there, address) = (there, part.digest.to_string());
        there.sort();
        wanted.sort();
        // The same bytes may be in force elsewhere in the order: then they must not change places.
        let in_force: Option<i64> = sqlx::query_scalar("SELECT live FROM parts WHERE part = $1 AND live = 1")
            .bind(&address)
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault::sql)?;
        if there != wanted || (in_force.is_some() && !wanted.contains(&address)) {
            tx.rollback().await.map_err(fault::sql)?;
            return Ok(None);
        }
        let before = ledger::head(&mut tx).await?;
        let replaces: Vec<Digest> = group.iter().map(|p| p.part).filter(|p| *p != part.digest).collect();
        for old in &replaces {
            sqlx::query("UPDATE parts SET live = 0 WHERE part = $1")
                .bind(old.to_string())
                .execute(&mut *tx)
                .await
                .map_err(fault::sql)?;
        }
        if !insert_part(&mut tx, run, part, last.seq).await? {
            // The same bytes were written before: that part comes back into force.
            part_again(&mut tx, &address, last.seq).await?;
        }
        let change = Change::Part { part: part.digest, run: run.clone(), points: part.points, replaces };
        let body = Body { reason: None, changes: vec![change] };
        let head = ledger::append(&mut tx, before, at, &access.who.id, "store merge", &body).await?;
        tx.commit().await.map_err(fault::sql)?;
        if let Err(error) = self.noted(head) {
            tracing::warn!(code = error.code(), "the merge stands, but the ledger's newest event could not be noted");
        }
        Ok(Some(head.seq))
    }
}

/// Parts to be merged into one each, in order of precedence.
fn groups(live: &[Live]) -> Vec<Vec<Live>> {
    let mut out: Vec<Vec<Live>> = Vec::new();
    for base in [Base::Utc, Base::Elapsed] {
        let (mut open, mut points) = (Vec::new(), 0);
        for part in live.iter().filter(|p| p.base == base) {
            let small = part.points < SMALL_POINTS_MAX;
            if !small || points + part.points > MERGED_POINTS_MAX || open.len() >= MERGED_PARTS_MAX {
                out.push(std::mem::take(&mut open));
                points = 0;
            }
            if small {
                open.push(part.clone());
                points += part.points;
            }
        }
        out.push(open);
    }
    out.into_iter().flat_map(worthwhile).filter(|group| group.len() > 1).collect()
}

/// Leaves out a part that has more points than all others together, and looks at both sides of it again.
fn worthwhile(group: Vec<Live>) -> Vec<Vec<Live>> {
    let points: u64 = group.iter().map(|p| p.points).sum();
    match group.iter().position(|p| p.points > points - p.points) {
        Some(at) => {
            let (before, after) = group.split_at(at);
            let after = after.get(1..).unwrap_or_default();
            [before, after].into_iter().flat_map(|side| worthwhile(side.to_vec())).collect()
        }
        None => vec![group],
    }
}

/// Where a point lies: which block, and where in it.
type At = (u32, u32);

/// What blocks of one channel say together, in order of time, as stretches of numbers of one form. Blocks of
/// one part follow one another in time; where two parts have points at one time, the later part's stand.
pub(crate) fn together(said: &[(Digest, Points)]) -> Vec<Points> {
    let time = |(block, i): At| said.get(block as usize).and_then(|(_, p)| p.t_ns.get(i as usize)).copied().unwrap_or(i64::MAX);
    let mut merged: Vec<At> = Vec::new();
    let mut block = 0;
    while let Some((part, _)) = said.get(block) {
        let of_part = said.iter().skip(block).take_while(|(p, _)| p == part).count();
        let later: Vec<At> = (block..block + of_part)
            .flat_map(|b| (0..said.get(b).map_or(0, |(_, p)| p.len())).map(move |i| (b as u32, i as u32)))
            .collect();
        block += of_part;
        if merged.last().zip(later.first()).is_none_or(|(a, b)| time(*a) < time(*b)) {
            merged.extend(later);
        } else {
            merged = over(&merged, &later, time);
        }
    }
    stretches(said, &merged)
}

/// Points of both, in order of time; those of `later` alone at the times it has.
fn over(before: &[At], later: &[At], time: impl Fn(At) -> i64) -> Vec<At> {
    let mut out = Vec::with_capacity(before.len() + later.len());
    let mut before = before.iter().copied().peekable();
    for point in later.iter().copied() {
        let t = time(point);
        while let Some(earlier) = before.next_if(|b| time(*b) <= t) {
            if time(earlier) < t {
                out.push(earlier);
            }
        }
        out.push(point);
    }
    out.extend(before);
    out
}

/// Scale, or `None` for doubles.
fn form(points: &Points) -> Option<u8> {
    match points.numbers {
        Numbers::Scaled { scale, .. } => Some(scale),
        Numbers::Float(_) => None,
    }
}

/// The points named, cut where the form of their numbers changes: digits stay as the source states them.
fn stretches(said: &[(Digest, Points)], merged: &[At]) -> Vec<Points> {
    let mut out: Vec<Points> = Vec::new();
    let mut open: Option<(Option<u8>, Points)> = None;
    for (block, i) in merged {
        let Some((_, from)) = said.get(*block as usize) else { continue };
        if open.as_ref().is_none_or(|(of, _)| *of != form(from)) {
            out.extend(open.take().map(|(_, points)| points));
            let numbers = match form(from) {
                Some(scale) => Numbers::Scaled { scale, mantissa: Vec::new() },
                None => Numbers::Float(Vec::new()),
            };
            open = Some((form(from), Points { numbers, ..Points::default() }));
        }
        if let Some((_, points)) = &mut open {
            take(points, from, *i);
        }
    }
    out.extend(open.map(|(_, points)| points));
    out
}

fn take(to: &mut Points, from: &Points, i: u32) {
    let at = i as usize;
    if let Ok(text) = from.texts.binary_search_by_key(&i, |(index, _)| *index)
        && let Some((_, text)) = from.texts.get(text)
    {
        to.texts.push((to.len() as u32, text.clone()));
    }
    match (&mut to.numbers, &from.numbers) {
        (Numbers::Scaled { mantissa, .. }, Numbers::Scaled { mantissa: source, .. }) => {
            mantissa.push(source.get(at).copied().unwrap_or(Points::NO_NUMBER));
        }
        (Numbers::Float(values), _) => values.push(from.number(at).unwrap_or(f64::NAN)),
        (Numbers::Scaled { mantissa, .. }, Numbers::Float(_)) => mantissa.push(Points::NO_NUMBER),
    }
    to.t_ns.push(from.t_ns.get(at).copied().unwrap_or_default());
    to.quality.push(from.quality.get(at).copied().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(points: &[u64]) -> Vec<Live> {
        let of = |(i, points): (usize, &u64)| Live {
            part: Digest::of(&i.to_be_bytes()),
            seq: i as i64,
            base: Base::Utc,
            points: *points,
        };
        points.iter().enumerate().map(of).collect()
    }
    fn sizes(points: &[u64]) -> Vec<Vec<u64>> {
        groups(&live(points)).iter().map(|g| g.iter().map(|p| p.points).collect()).collect()
    }

    #[test]
    fn parts_that_follow_one_another_are_merged_and_large_ones_part_them() {
        const LARGE: u64 = SMALL_POINTS_MAX;
        assert_eq!(sizes(&[]), Vec::<Vec<u64>>::new());
        assert_eq!(sizes(&[5]), Vec::<Vec<u64>>::new());
        assert_eq!(sizes(&[5, 5, 5]), [[5, 5, 5]]);
        assert_eq!(sizes(&[5, 5, LARGE, 7, 7]), [[5, 5], [7, 7]]);
        // A part that outweighs the rest waits; a part in the middle cannot change places.
        assert_eq!(sizes(&[100, 5, 5]), [[5, 5]]);
        assert_eq!(sizes(&[5, 5, 100]), [[5, 5]]);
        assert_eq!(sizes(&[5, 100, 5]), Vec::<Vec<u64>>::new());
        assert_eq!(sizes(&[5, 5, 100, 7, 7, 40, 7]), [[5, 5], [7, 7]]);
        assert_eq!(sizes(&[LARGE - 1; 6]).iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    }

    #[test]
    fn a_point_is_written_again_only_a_few_times() {
        // Imports of 100 points, merged whenever there are more than 24 small parts.
        let (mut parts, mut written, mut imports) = (Vec::<u64>::new(), 0, 0);
        for import in 0..20_000 {
            let points = 100 + import % 3;
            parts.push(points);
            imports += points;
            if parts.iter().filter(|p| **p < SMALL_POINTS_MAX).count() > 24 {
                for group in groups(&live(&parts)) {
                    let sum: u64 = group.iter().map(|p| p.points).sum();
                    written += sum;
                    let first = group[0].seq as usize;
                    parts.splice(first..first + group.len(), [sum]);
                }
            }
        }
        assert!(written <= imports * 12, "{} times", written as f64 / imports as f64);
        assert!(parts.len() < 40, "{}", parts.len());
    }
}
