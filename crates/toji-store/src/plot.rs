//! Plots of long channels from the roll-ups beside the parts.
//!
//! **The rule.** A plot of `pixels` columns divides time into columns of equal width, whole multiples of
//! the width from the base (see [`column_width_ns`]). Of each column it shows the first point, the one
//! with the smallest and the one with the largest number (the earliest of equals, flagged or not), the
//! earliest flagged point, and the last, in order of time, each once. So no spike and no flag is lost, and
//! a line through the points covers the same pixels as a line through all of them. Where the stretch
//! has no more than four points a column, all are shown.
//!
//! Roll-ups only spare work: their edges lie on those of the columns, and where a block has none, where
//! imports overlap (one may replace what another says), or where the stretch cuts through a block, the
//! points themselves are read. The picture is the same.

use crate::series::{Base, Block, Bucket, Level, Pick, Series, Want};
use crate::store::Store;
use std::sync::Arc;
use toji_core::{Access, Id, Result};

/// A channel as a plot shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plotted {
    /// Channel.
    pub channel: Id,
    /// What times count from.
    pub base: Base,
    /// The points shown, without texts.
    pub shown: Series,
    /// Points in the stretch of time.
    pub total: usize,
}

/// Width of a column in nanoseconds for a plot from the first to the last point of a stretch: the
/// largest of 1, 2, 3, 4, 6, 8, 12 … (powers of two, and three times such) that is not above
/// `(last − first) / pixels`. So a plot has between `pixels` and one and a half times as many columns.
#[must_use]
pub fn column_width_ns(first: i64, last: i64, pixels: usize) -> i64 {
    let wanted = (last.abs_diff(first) / pixels.max(1) as u64).clamp(1, 1 << 60);
    let power = 1u64 << wanted.ilog2();
    let width = if power > 1 && power + power / 2 <= wanted { power + power / 2 } else { power };
    width as i64
}

/// A stretch of a channel in order of time: its points, or a block that a roll-up tells of.
enum Piece {
    Points(Series),
    Rolled(Block, Arc<Vec<Level>>),
}

impl Piece {
    fn points(&self) -> usize {
        match self {
            Self::Points(series) => series.len(),
            Self::Rolled(block, _) => usize::try_from(block.points).unwrap_or(usize::MAX),
        }
    }
    fn times(&self) -> Option<(i64, i64)> {
        match self {
            Self::Points(series) => series.t_ns.first().copied().zip(series.t_ns.last().copied()),
            Self::Rolled(block, _) => Some((block.t_min, block.t_max)),
        }
    }
}

impl Store {
    /// Channels of a run (all when none is named) as a plot of about `pixels` columns shows them, from
    /// `from` to before `to` (nanoseconds from the base), in order of the channel's identifier. The rule is
    /// told at the head of this module: first, smallest, largest, last and a flagged point of each column.
    ///
    /// # Errors
    /// Denied access, damaged files.
    pub async fn plot(
        &self,
        access: &Access,
        run: &Id,
        channels: &[Id],
        from: i64,
        to: i64,
        pixels: usize,
    ) -> Result<Vec<Plotted>> {
        let wanted = self.wanted(access, run, channels, from, to).await?;
        crate::blocking::in_place(|| {
            wanted
                .into_iter()
                .map(|(channel, blocks)| {
                    let base = blocks.first().map_or(Base::Utc, |b| b.base);
                    let blocks: Vec<Block> = blocks.into_iter().filter(|b| b.base == base).collect();
                    let (shown, total) = self.plot_blocks(run, &blocks, base, from, to, pixels)?;
                    Ok(Plotted { channel, base, shown, total })
                })
                .collect()
        })
    }

    fn plot_blocks(&self, run: &Id, blocks: &[Block], base: Base, from: i64, to: i64, pixels: usize) -> Result<(Series, usize)> {
        let mut pieces = Vec::new();
        for group in groups(blocks) {
            self.pieces(run, &group, base, (from, to), &mut pieces)?;
        }
        let total = pieces.iter().map(Piece::points).sum();
        let mut times = pieces.iter().filter_map(Piece::times);
        let Some((first, first_end)) = times.next() else { return Ok((Series::default(), 0)) };
        let last = times.next_back().map_or(first_end, |(_, end)| end);
        if total <= pixels.saturating_mul(4).max(8) || first == last {
            return Ok((self.read_blocks(run, blocks, base, Want::Numbers, from, to)?, total));
        }
        let mut columns = Columns::of(column_width_ns(first, last, pixels));
        for piece in pieces {
            match piece {
                Piece::Points(series) => columns.points(&series),
                Piece::Rolled(block, levels) => self.rolled(run, &block, &levels, &mut columns)?,
            }
        }
        Ok((columns.finish(), total))
    }

    /// What is to be drawn of blocks that meet in time.
    fn pieces(&self, run: &Id, group: &[&Block], base: Base, (from, to): (i64, i64), pieces: &mut Vec<Piece>) -> Result<()> {
        let part = group.first().map(|b| b.part);
        if group.iter().any(|b| Some(b.part) != part) {
            let blocks: Vec<Block> = group.iter().map(|b| (*b).clone()).collect();
            pieces.push(Piece::Points(self.read_blocks(run, &blocks, base, Want::Numbers, from, to)?));
            return Ok(());
        }
        for block in group {
            let file = self.part_file(run, block.part);
            let levels = if block.tail.is_some() { Arc::default() } else { self.rollups.levels(&file, block.part) };
            let whole = block.t_min >= from && block.t_max < to;
            if whole && levels.iter().any(|l| l.row_group == block.row_group && l.points == block.points) {
                pieces.push(Piece::Rolled((*block).clone(), levels));
                continue;
            }
            let series = self.read_blocks(run, std::slice::from_ref(*block), base, Want::Numbers, from, to)?;
            pieces.push(Piece::Points(series));
        }
        Ok(())
    }

    /// Draws a block from the coarsest level whose edges are also the columns', else from its points.
    fn rolled(&self, run: &Id, block: &Block, levels: &[Level], columns: &mut Columns) -> Result<()> {
        let base = block.base;
        let file = self.part_file(run, block.part);
        let fits = |l: &&Level| l.row_group == block.row_group && u32::from(l.log2_width) <= columns.width.trailing_zeros();
        let level = levels.iter().filter(fits).max_by_key(|l| l.log2_width);
        match level.and_then(|level| self.rollups.buckets(&file, level)) {
            Some(buckets) => columns.buckets(buckets),
            None => {
                let block = std::slice::from_ref(block);
                columns.points(&self.read_blocks(run, block, base, Want::Numbers, i64::MIN, i64::MAX)?);
            }
        }
        Ok(())
    }
}

/// Blocks in order of time, those that meet in time together, each group in order of precedence.
fn groups<'a>(blocks: &'a [Block]) -> Vec<Vec<&'a Block>> {
    let mut order: Vec<(usize, &'a Block)> = blocks.iter().enumerate().collect();
    order.sort_by_key(|(i, b)| (b.t_min, *i));
    let mut groups: Vec<(i64, Vec<(usize, &'a Block)>)> = Vec::new();
    for (i, block) in order {
        match groups.last_mut() {
            Some((end, group)) if block.t_min <= *end => {
                *end = (*end).max(block.t_max);
                group.push((i, block));
            }
            _ => groups.push((block.t_max, vec![(i, block)])),
        }
    }
    let by_precedence = |(_, mut group): (i64, Vec<(usize, &'a Block)>)| {
        group.sort_by_key(|(i, _)| *i);
        group.into_iter().map(|(_, block)| block).collect()
    };
    groups.into_iter().map(by_precedence).collect()
}

/// Columns of a plot while they are filled, from left to right.
struct Columns {
    width: i64,
    open: Option<(i64, Bucket)>,
    /// Points so far.
    at: u64,
    out: Series,
}

impl Columns {
    fn of(width: i64) -> Self {
        Self { width, open: None, at: 0, out: Series::default() }
    }
    fn points(&mut self, series: &Series) {
        for ((t_ns, value), quality) in series.t_ns.iter().zip(&series.value).zip(&series.quality) {
            let pick = Pick { at: self.at, t_ns: *t_ns, value: *value, quality: *quality };
            self.at += 1;
            let cell = t_ns.div_euclid(self.width);
            match &mut self.open {
                Some((open, bucket)) if *open == cell => bucket.push(pick),
                _ => self.begin(cell, Bucket::of(pick)),
            }
        }
    }
    fn buckets(&mut self, buckets: Vec<Bucket>) {
        let from = self.at;
        for bucket in buckets {
            self.at += bucket.points;
            let cell = bucket.first.t_ns.div_euclid(self.width);
            let bucket = bucket.moved(from);
            match &mut self.open {
                Some((open, sum)) if *open == cell => sum.add(&bucket),
                _ => self.begin(cell, bucket),
            }
        }
    }
    fn begin(&mut self, cell: i64, bucket: Bucket) {
        self.show();
        self.open = Some((cell, bucket));
    }
    fn show(&mut self) {
        let Some((_, bucket)) = self.open.take() else { return };
        for pick in bucket.picks() {
            self.out.t_ns.push(pick.t_ns);
            self.out.value.push(pick.value);
            self.out.quality.push(pick.quality);
        }
    }
    fn finish(mut self) -> Series {
        self.show();
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_column_is_as_wide_as_asked_or_a_third_narrower(first in any::<i32>(), span in 1u32.., pixels in 1usize..5000) {
            let (first, last) = (i64::from(first), i64::from(first) + i64::from(span));
            let width = column_width_ns(first, last, pixels);
            let asked = (i64::from(span) / pixels as i64).max(1);
            prop_assert!(width <= asked && asked < width * 2, "{width} for {asked}");
            prop_assert!(asked < 4 || asked * 2 < width * 3, "{width} for {asked}");
            let odd = width >> width.trailing_zeros();
            prop_assert!(odd == 1 || odd == 3);
        }
    }

    #[test]
    fn widths_hold_at_the_ends_of_time() {
        assert_eq!(column_width_ns(i64::MIN, i64::MAX, 1), 1 << 60);
        assert_eq!(column_width_ns(0, i64::MAX, 1), 1 << 60);
        assert_eq!(column_width_ns(5, 5, 0), 1);
    }
}
