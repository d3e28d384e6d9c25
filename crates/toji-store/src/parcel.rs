//! Series on their way to another store: the points of a run in force, as pieces that are Parquet in the form of parts.
//!
//! A piece holds whole channels with their digits. Equal points give equal bytes, whatever parts they lie in, so a piece
//! that arrived once need not come again.

use crate::merge::together;
use crate::series::{BLOCK_POINTS_MAX, Base, read_part, write_part};
use crate::store::Store;
use std::sync::Arc;
use toji_core::culture::Points;
use toji_core::{Access, Digest, Error, Id, Result};

/// Points of a piece, unless one channel alone has more.
const PIECE_POINTS: usize = 2 * BLOCK_POINTS_MAX;

/// A piece that is kept as a file of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its address.
    pub address: Digest,
    /// Size.
    pub bytes: u64,
    /// Points in it.
    pub points: u64,
}

impl Store {
    /// Packs the series of a run, and keeps the pieces as files that the asker may fetch. Points that are not sealed
    /// yet are not among them.
    ///
    /// # Errors
    /// Denied access, damaged parts, disk faults.
    pub async fn pack_series(self: &Arc<Self>, access: &Access, run: &Id) -> Result<Vec<Piece>> {
        let mut open: Vec<(Base, Id)> = Vec::new();
        for (channel, blocks) in self.wanted(access, run, &[], i64::MIN, i64::MAX).await? {
            let base = blocks.first().map_or(Base::Utc, |b| b.base);
            open.push((base, channel));
        }
        open.sort_by(|a, b| (a.0.as_str(), &a.1).cmp(&(b.0.as_str(), &b.1)));
        let mut pieces = Vec::new();
        let mut group: Vec<(Id, Points)> = Vec::new();
        let (mut of_group, mut points) = (Base::Utc, 0);
        for (base, channel) in open {
            let said = self.points_of(run, &channel).await?;
            let more: usize = said.iter().map(Points::len).sum();
            if !group.is_empty() && (base != of_group || points + more > PIECE_POINTS) {
                pieces.push(self.keep_piece(access, run, of_group, std::mem::take(&mut group)).await?);
                points = 0;
            }
            of_group = base;
            points += more;
            group.extend(said.into_iter().map(|points| (channel.clone(), points)));
        }
        if !group.is_empty() {
            pieces.push(self.keep_piece(access, run, of_group, group).await?);
        }
        Ok(pieces)
    }

    /// The points of a channel with their digits, cut where the form of the numbers changes.
    async fn points_of(self: &Arc<Self>, run: &Id, channel: &Id) -> Result<Vec<Points>> {
        let blocks = self.stored_blocks(run, std::slice::from_ref(channel), i64::MIN, i64::MAX).await?;
        let blocks: Vec<(Digest, usize)> = blocks.into_values().flatten().map(|b| (b.part, b.row_group)).collect();
        let (store, run) = (self.clone(), run.clone());
        let work = move || -> Result<Vec<Points>> {
            let mut said = Vec::with_capacity(blocks.len());
            for (part, row_group) in blocks {
                said.push((part, store.parts.points(&store.part_file(&run, part), part, row_group)?));
            }
            Ok(together(&said))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-SERIES-002", e))?
    }

    async fn keep_piece(&self, access: &Access, run: &Id, base: Base, channels: Vec<(Id, Points)>) -> Result<Piece> {
        let points = channels.iter().map(|(_, p)| p.len() as u64).sum();
        let run = run.clone();
        let work = move || -> Result<Vec<u8>> {
            let dir = tempfile::tempdir().map_err(|e| crate::fault::io(&e, &std::env::temp_dir()))?;
            let part = write_part(dir.path(), &run, base, &channels)?;
            let path = crate::series::part_path(dir.path(), part.digest);
            std::fs::read(&path).map_err(|e| crate::fault::io(&e, &path))
        };
        let bytes = tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-SERIES-002", e))??;
        let size = bytes.len() as u64;
        let (address, _) = self.keep(bytes).await?;
        self.note_sender(access, address).await?;
        Ok(Piece { address, bytes: size, points })
    }

    /// What the series of a run are now: changes whenever they do.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn series_stamp(&self, access: &Access, run: &Id) -> Result<Digest> {
        let mut said = String::new();
        for (channel, blocks) in self.wanted(access, run, &[], i64::MIN, i64::MAX).await? {
            for block in blocks {
                said.push_str(&format!("{channel} {} {} {}\n", block.part, block.row_group, block.seq));
            }
        }
        Ok(Digest::of(said.as_bytes()))
    }

    /// Is a file with this address kept?
    ///
    /// # Errors
    /// Disk faults other than that it is not there.
    pub async fn holds(&self, address: Digest) -> Result<bool> {
        let blobs = self.blobs.clone();
        let read = tokio::task::spawn_blocking(move || blobs.get(address)).await.map_err(|e| Error::bug("E-STORE-021", e))?;
        match read {
            Ok(_) => Ok(true),
            Err(error) if error.category() == toji_core::Category::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What a piece says: the base of its times and its channels with their points, a channel as often as the form of its
/// numbers changes. The run it is of is named outside.
///
/// # Errors
/// The bytes are no piece, or hold more than a piece may.
pub fn unpack_series(bytes: Vec<u8>) -> Result<(Base, Vec<(Id, Points)>)> {
    let name = Digest::of(&bytes);
    read_part(bytes, &name.hex()[..12])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;
    use toji_core::culture::Numbers;

    fn channels() -> Vec<(Id, Points)> {
        let id = |text: &str| Id::parse(text).unwrap();
        let scaled = Points {
            t_ns: vec![1, 2_000_000, 3_000_000_000],
            numbers: Numbers::Scaled { scale: 2, mantissa: vec![702, Points::NO_NUMBER, -5] },
            quality: vec![0, 3, 0],
            texts: vec![(1, "< 0.1".into())],
        };
        let float =
            Points { t_ns: vec![7, 8], numbers: Numbers::Float(vec![0.1, 2.0 / 3.0]), quality: vec![0, 0], texts: vec![] };
        vec![(id("CH-A"), scaled), (id("CH-B"), float)]
    }

    fn piece() -> &'static [u8] {
        static PIECE: OnceLock<Vec<u8>> = OnceLock::new();
        PIECE.get_or_init(|| {
            let dir = tempfile::tempdir().unwrap();
            let part = write_part(dir.path(), &Id::parse("RUN-1").unwrap(), Base::Utc, &channels()).unwrap();
            std::fs::read(crate::series::part_path(dir.path(), part.digest)).unwrap()
        })
    }

    #[test]
    fn a_piece_says_what_was_put_in_with_all_digits() {
        assert_eq!(unpack_series(piece().to_vec()).unwrap(), (Base::Utc, channels()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// Whatever was altered on the way, a piece is refused or read, and nothing breaks.
        #[test]
        fn an_altered_piece_is_refused_or_read(at in any::<prop::sample::Index>(), with in 1u8..=255, cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
            let mut bytes = piece().to_vec();
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
            if let Err(error) = unpack_series(bytes) {
                prop_assert!(matches!(error.code(), "E-SERIES-012" | "E-ID-001" | "E-ID-002"), "{}", error.code());
            }
        }
    }
}
