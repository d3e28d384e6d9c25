//! Kinds kept read: the present records of a kind, read once, and afterwards only what changed of them.
//!
//! Lists, counts and searches of a server ask for whole kinds at every request. The ledger position up to which a shelf
//! was read tells what is new, also when another process wrote it. Nobody is asked here; what an asker may see of a
//! shelf is judged with [`crate::sight::Sight`]. A kind with more than [`SHELF_MAX`] records is not kept.

use crate::commit::references;
use crate::fault;
use crate::records::read_record;
use crate::sight::area_of;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::Arc;
use toji_core::{Kind, Record, Result};

/// Most records of a kind that are kept in memory.
const SHELF_MAX: usize = 20_000;

/// What the answer about a record rests on, where it does not rest on its name: the same for many records.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bond {
    owner: Option<String>,
    area: Option<String>,
    /// Runs and samples the record names, in order: which of them, and its identifier.
    names: Vec<(Named, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Named {
    Run,
    Sample,
}

impl Named {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "run" => Some(Self::Run),
            "sample" => Some(Self::Sample),
            _ => None,
        }
    }
}

impl Bond {
    /// Runs the record names.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|(named, _)| *named == Named::Run).map(|(_, id)| id.as_str())
    }
}

/// A record on the shelf, and which of the shelf's bonds it has.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) record: Arc<Record>,
    pub(crate) bond: usize,
}

/// The present records of one kind, retired ones too, in order of their identifiers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shelf {
    /// Position of the newest change it holds.
    seq: i64,
    rows: Vec<Kept>,
    bonds: Vec<Arc<Bond>>,
    known: HashMap<Arc<Bond>, usize>,
}

impl Shelf {
    pub(crate) fn rows(&self) -> &[Kept] {
        &self.rows
    }
    pub(crate) fn bonds(&self) -> &[Arc<Bond>] {
        &self.bonds
    }
    pub(crate) fn find(&self, id: &str) -> Option<&Kept> {
        let at = self.rows.binary_search_by(|kept| kept.record.id.as_str().cmp(id)).ok()?;
        self.rows.get(at)
    }
    /// Records that name a run or a sample.
    pub(crate) fn naming<'a>(&'a self, target_kind: &str, target: &str) -> impl Iterator<Item = &'a Kept> {
        let wanted = Named::of(target_kind);
        let names = |bond: &Arc<Bond>| bond.names.iter().any(|(named, id)| Some(*named) == wanted && id == target);
        let bonds: Vec<bool> = self.bonds.iter().map(names).collect();
        self.rows.iter().filter(move |kept| bonds.get(kept.bond) == Some(&true))
    }

    fn bond_of(&mut self, kind: &Kind, record: &Record) -> usize {
        let mut bond =
            Bond { owner: record.owner.clone(), area: area_of(kind, &record.fields).map(str::to_owned), ..Bond::default() };
        for (_, target_kind, target) in references(kind, &record.fields) {
            bond.names.extend(Named::of(target_kind).map(|named| (named, target.to_owned())));
        }
        if let Some(at) = self.known.get(&bond) {
            return *at;
        }
        let (bond, at) = (Arc::new(bond), self.bonds.len());
        self.bonds.push(bond.clone());
        self.known.insert(bond, at);
        at
    }

    /// Takes in records that are new or have changed.
    fn take(&mut self, kind: &Kind, changed: Vec<Record>, seq: i64) {
        let mut added = false;
        for record in changed {
            let bond = self.bond_of(kind, &record);
            let kept = Kept { record: Arc::new(record), bond };
            let known = self.rows.binary_search_by(|other| other.record.id.cmp(&kept.record.id)).ok().filter(|_| !added);
            match known.and_then(|at| self.rows.get_mut(at)) {
                Some(place) => *place = kept,
                None => {
                    self.rows.push(kept);
                    added = true;
                }
            }
        }
        if added {
            // Stable: of one that was pushed behind its older self, the later one stays.
            self.rows.sort_by(|a, b| a.record.id.cmp(&b.record.id));
            self.rows.reverse();
            self.rows.dedup_by(|a, b| a.record.id == b.record.id);
            self.rows.reverse();
        }
        self.seq = seq;
    }
}

impl Store {
    /// The shelf of a kind as it is now; `None` when it has too many records to be kept.
    pub(crate) async fn shelf(&self, kind: &Kind) -> Result<Option<Arc<Shelf>>> {
        let kept = match self.kept_shelf(&kind.kind) {
            Some(None) => return Ok(None),
            kept => kept.flatten(),
        };
        // The position first: what is written meanwhile is then read again, and never missed.
        let seq = self.newest_of(&[&kind.kind]).await?;
        if let Some(shelf) = kept.as_ref().filter(|shelf| shelf.seq == seq) {
            return Ok(Some(shelf.clone()));
        }
        // Bonds that no record has any more are dropped by starting anew.
        let mut shelf = kept.filter(|old| old.seq < seq && old.bonds.len() <= 2 * old.rows.len() + 64).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT kind, id, version, kind_version, retired, owner, fields FROM versions
             WHERE kind = $1 AND latest = 1 AND seq > $2 ORDER BY id LIMIT $3",
        )
        .bind(&kind.kind)
        .bind(shelf.seq)
        .bind(SHELF_MAX as i64 + 1)
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let changed: Vec<Record> = rows.iter().map(read_record).collect::<Result<_>>()?;
        Arc::make_mut(&mut shelf).take(kind, changed, seq);
        let shelf = Some(shelf).filter(|shelf| shelf.rows.len() <= SHELF_MAX);
        if let Ok(mut shelves) = self.shelves.lock() {
            shelves.insert(kind.kind.clone(), shelf.clone());
        }
        Ok(shelf)
    }

    /// The shelf of a kind, if it is kept already: for questions about few of its records, which alone are not worth
    /// reading them all.
    pub(crate) async fn shelf_if_kept(&self, kind: &Kind) -> Result<Option<Arc<Shelf>>> {
        match self.kept_shelf(&kind.kind) {
            Some(_) => self.shelf(kind).await,
            None => Ok(None),
        }
    }

    /// `Some(None)`: there are too many.
    fn kept_shelf(&self, kind: &str) -> Option<Option<Arc<Shelf>>> {
        self.shelves.lock().ok().and_then(|shelves| shelves.get(kind).cloned())
    }
}
