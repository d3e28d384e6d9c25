//! Reading series: by channel and time, merged over imports.

use crate::align::as_of;
use crate::fault;
use crate::series::{Base, Block, Series, Want};
use crate::sight::Sight;
use crate::store::Store;
use sqlx::Row as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use toji_core::{Access, Action, Digest, Id, Resource, Result};

/// Times joined with a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct AsOf {
    /// Channel.
    pub channel: Id,
    /// What its times count from.
    pub base: Base,
    /// For each time the latest good value at or before it and its age in nanoseconds.
    pub values: Vec<Option<(f64, i64)>>,
}

/// What the catalogue knows of a channel without opening a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSummary {
    /// Channel.
    pub channel: Id,
    /// What times count from.
    pub base: Base,
    /// Points stored (replaced ones included).
    pub points: u64,
    /// Points with a quality other than good.
    pub flagged: u64,
    /// First time, in nanoseconds from the base.
    pub t_min: i64,
    /// Last time.
    pub t_max: i64,
    /// Smallest number.
    pub v_min: Option<f64>,
    /// Largest number.
    pub v_max: Option<f64>,
    /// Time and value of the latest good number.
    pub last: Option<(i64, f64)>,
}

/// Summaries by run and channel.
pub type Summaries = BTreeMap<(String, String), ChannelSummary>;

impl ChannelSummary {
    /// Adds a later block of the channel.
    pub(crate) fn add(&mut self, later: &Self) {
        self.points += later.points;
        self.flagged += later.flagged;
        self.t_min = self.t_min.min(later.t_min);
        self.t_max = self.t_max.max(later.t_max);
        self.v_min = self.v_min.into_iter().chain(later.v_min).reduce(f64::min);
        self.v_max = self.v_max.into_iter().chain(later.v_max).reduce(f64::max);
        if later.last.is_some_and(|(t, _)| self.last.is_none_or(|(at, _)| t >= at)) {
            self.last = later.last;
        }
    }
}

/// Run, channel and summary of one block.
fn read_summary(row: &sqlx::any::AnyRow) -> Result<((String, String), ChannelSummary)> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(fault::sql);
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
    let float = |name: &str| row.try_get::<Option<f64>, _>(name).map_err(fault::sql);
    let count = |name: &str| number(name).map(|n| u64::try_from(n).unwrap_or(0));
    let (run, channel) = (text("run")?, text("channel")?);
    let summary = ChannelSummary {
        channel: Id::parse(&channel)?,
        base: Base::parse(&text("base")?),
        points: count("points")?,
        flagged: count("flagged")?,
        t_min: number("t_min")?,
        t_max: number("t_max")?,
        v_min: float("v_min")?,
        v_max: float("v_max")?,
        last: row.try_get::<Option<i64>, _>("last_t").map_err(fault::sql)?.zip(float("last_v")?),
    };
    Ok(((run, channel), summary))
}

pub(crate) fn read_block(row: &sqlx::any::AnyRow) -> Result<Block> {
    let part: String = row.try_get("part").map_err(fault::sql)?;
    let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
    Ok(Block {
        part: Digest::parse(&part)?,
        row_group: usize::try_from(number("row_group")?).unwrap_or_default(),
        seq: number("seq")?,
        base: Base::parse(&row.try_get::<String, _>("base").map_err(fault::sql)?),
        points: u64::try_from(number("points")?).unwrap_or_default(),
        t_min: number("t_min")?,
        t_max: number("t_max")?,
        tail: None,
    })
}

pub(crate) const BLOCK_COLUMNS: &str = "b.part, b.row_group, b.seq, b.base, b.points, b.t_min, b.t_max, b.channel";

impl Store {
    /// Blocks of some channels of a run that touch a stretch of time, grouped by channel, oldest event first and the
    /// live tail last.
    pub(crate) async fn blocks(&self, run: &Id, channels: &[Id], from: i64, to: i64) -> Result<BTreeMap<String, Vec<Block>>> {
        self.refresh_tail().await?;
        // The tail first: what is sealed meanwhile is then seen twice, which changes nothing, and never not at all.
        let tail = self.tail.blocks(run, channels, from, to);
        let mut out = self.stored_blocks(run, channels, from, to).await?;
        for (channel, block) in tail {
            out.entry(channel).or_default().push(block);
        }
        Ok(out)
    }

    /// As [`Store::blocks`], of stored parts alone.
    pub(crate) async fn stored_blocks(
        &self,
        run: &Id,
        channels: &[Id],
        from: i64,
        to: i64,
    ) -> Result<BTreeMap<String, Vec<Block>>> {
        let places: Vec<String> = (0..channels.len()).map(|i| format!("${}", i + 4)).collect();
        let named = if places.is_empty() { String::new() } else { format!("AND b.channel IN ({})", places.join(", ")) };
        let query = format!(
            "SELECT {BLOCK_COLUMNS} FROM blocks b JOIN parts p ON p.part = b.part WHERE b.run = $1 AND p.live = 1
             AND b.t_max >= $2 AND b.t_min < $3 {named} ORDER BY b.channel, b.seq, b.part, b.row_group"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(run.as_str()).bind(from).bind(to);
        let rows = channels
            .iter()
            .fold(query, |query, channel| query.bind(channel.as_str()))
            .fetch_all(&self.catalogue.pool)
            .await
            .map_err(fault::sql)?;
        let mut out: BTreeMap<String, Vec<Block>> = BTreeMap::new();
        for row in &rows {
            out.entry(row.try_get("channel").map_err(fault::sql)?).or_default().push(read_block(row)?);
        }
        Ok(out)
    }

    /// Reads and merges the blocks of one channel. Blocking: opens files.
    pub(crate) fn read_blocks(&self, run: &Id, blocks: &[Block], base: Base, want: Want, from: i64, to: i64) -> Result<Series> {
        let mut merged = Series::default();
        let mut i = 0;
        let blocks: Vec<&Block> = blocks.iter().filter(|b| b.base == base).collect();
        while let Some(block) = blocks.get(i) {
            // Row groups of one part follow one another in time.
            let file = self.part_file(run, block.part);
            let mut part = Vec::new();
            for next in blocks.iter().skip(i).take_while(|b| b.part == block.part) {
                part.push(match &next.tail {
                    Some(tail) => tail.clone(),
                    None => self.parts.block(&file, block.part, next.row_group, want)?,
                });
            }
            i += part.len();
            let first = part.iter().find_map(|b| b.t_ns.first());
            if first.is_none_or(|first| merged.t_ns.last().is_none_or(|last| last < first)) {
                part.iter().for_each(|block| merged.append(block, from, to));
            } else {
                let mut later = Series::default();
                part.iter().for_each(|block| later.append(block, from, to));
                merged.merge(later);
            }
        }
        Ok(merged)
    }

    /// The latest good value at or before each time, ascending: (value, age). Blocks that no time falls into are not
    /// opened, and nothing is copied out of those that are. Blocking: opens files.
    pub(crate) fn as_of_blocks(&self, run: &Id, blocks: &[Block], base: Base, times: &[i64]) -> Result<Vec<Option<(f64, i64)>>> {
        let mut in_time: Vec<&Block> = blocks.iter().filter(|b| b.base == base).collect();
        in_time.sort_by_key(|b| b.t_min);
        if !in_time.is_sorted_by(|a, b| a.t_max < b.t_min) {
            // Imports that overlap: one may replace what another says, so they are merged first.
            let until = times.last().map_or(i64::MIN, |t| t.saturating_add(1));
            return Ok(as_of(&self.read_blocks(run, blocks, base, Want::Numbers, i64::MIN, until)?, times));
        }
        let blocks = in_time;
        let mut opened: Vec<Option<Arc<Series>>> = vec![None; blocks.len()];
        let mut out = Vec::with_capacity(times.len());
        for t in times {
            let before = blocks.partition_point(|b| b.t_min <= *t);
            let mut found = None;
            for (block, place) in blocks.iter().zip(opened.iter_mut()).take(before).rev() {
                let series = match place {
                    Some(series) => series,
                    None => place.insert(match &block.tail {
                        Some(tail) => tail.clone(),
                        None => self.parts.block(&self.part_file(run, block.part), block.part, block.row_group, Want::Numbers)?,
                    }),
                };
                found = as_of(series, std::slice::from_ref(t)).into_iter().next().flatten();
                if found.is_some() {
                    break;
                }
            }
            out.push(found);
        }
        Ok(out)
    }

    /// Joins times with the channels of a run: for each channel (all when none is named) the latest good
    /// value at or before each time, with its age in nanoseconds. Times ascend and count from the channel's base.
    ///
    /// # Errors
    /// Denied access, damaged files.
    pub async fn latest_good(&self, access: &Access, run: &Id, channels: &[Id], times: &[i64]) -> Result<Vec<AsOf>> {
        let wanted = self.wanted(access, run, channels, i64::MIN, i64::MAX).await?;
        crate::blocking::in_place(|| {
            wanted
                .into_iter()
                .map(|(channel, blocks)| {
                    let base = blocks.first().map_or(Base::Utc, |b| b.base);
                    Ok(AsOf { values: self.as_of_blocks(run, &blocks, base, times)?, channel, base })
                })
                .collect()
        })
    }

    /// Blocks of the named channels of a run (all when none is named) in a stretch of time, through the gate.
    pub(crate) async fn wanted(
        &self,
        access: &Access,
        run: &Id,
        channels: &[Id],
        from: i64,
        to: i64,
    ) -> Result<Vec<(Id, Vec<Block>)>> {
        let mut sight = Sight::new(self, access);
        let mut wanted = Vec::new();
        sight.settle_run(run.as_str()).await?;
        for (channel, blocks) in self.blocks(run, channels, from, to).await? {
            sight.settle_series(run.as_str(), &channel).await?;
            wanted.push((Id::parse(&channel)?, blocks));
        }
        Ok(wanted)
    }

    /// Series of the named channels of a run (all when none is named) in a stretch of time
    /// (nanoseconds from the base, `to` excluded), in order of the channel's identifier.
    ///
    /// # Errors
    /// Denied access, damaged files.
    pub async fn series(
        &self,
        access: &Access,
        run: &Id,
        channels: &[Id],
        from: i64,
        to: i64,
    ) -> Result<Vec<(Id, Base, Series)>> {
        let wanted = self.wanted(access, run, channels, from, to).await?;
        crate::blocking::in_place(|| {
            wanted
                .into_iter()
                .map(|(id, blocks)| {
                    let base = blocks.first().map_or(Base::Utc, |b| b.base);
                    Ok((id, base, self.read_blocks(run, &blocks, base, Want::All, from, to)?))
                })
                .collect()
        })
    }

    /// Summaries of the channels of a run (of all runs when `None`) that the asker may see, from the
    /// catalogue alone.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn summaries(&self, access: &Access, run: Option<&Id>) -> Result<Summaries> {
        self.refresh_tail().await?;
        let tail = self.tail.summaries(run);
        let all = match run {
            Some(run) => Arc::new(self.sum_blocks(run.as_str()).await?),
            None => self.all_summaries().await?,
        };
        let mut sight = Sight::new(self, access);
        let mut out = Summaries::new();
        for (key, summary) in all.iter() {
            if sight.sees_channel(&key.0, &key.1).await? {
                out.insert(key.clone(), summary.clone());
            }
        }
        for (key, summary) in tail {
            if sight.sees_channel(&key.0, &key.1).await? {
                crate::tail::add(&mut out, key, &summary);
            }
        }
        if let Some((run_shown, channel)) = out.keys().next() {
            let decision = sight.judge_series(run_shown, channel).await?;
            let what = run.map_or_else(|| "series".to_owned(), |run| format!("series {run}"));
            self.reads.note(access, Action::Read, what, &decision.reason.en, out.len() as u64);
        }
        Ok(out)
    }

    /// Summaries of all channels, summed again only when parts came or went, also when another process did it: what
    /// comes has a later position in the ledger, what only goes leaves fewer in force.
    async fn all_summaries(&self) -> Result<Arc<Summaries>> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n, CAST(COALESCE(SUM(live), 0) AS BIGINT) AS live, COALESCE(MAX(seq), 0) AS newest FROM parts",
        )
        .fetch_one(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let number = |name: &str| row.try_get::<i64, _>(name).map_err(fault::sql);
        let parts = [number("n")?, number("live")?, number("newest")?];
        if let Ok(summed) = self.summed.lock()
            && let Some((at, all)) = summed.as_ref()
            && *at == parts
        {
            return Ok(all.clone());
        }
        let all = Arc::new(self.sum_blocks("").await?);
        if let Ok(mut summed) = self.summed.lock() {
            *summed = Some((parts, all.clone()));
        }
        Ok(all)
    }

    async fn sum_blocks(&self, run: &str) -> Result<Summaries> {
        let rows = sqlx::query(
            "SELECT b.run, b.channel, b.base, b.points, b.flagged, b.t_min, b.t_max, b.v_min, b.v_max, b.last_t, b.last_v
             FROM blocks b JOIN parts p ON p.part = b.part WHERE p.live = 1 AND ($1 = '' OR b.run = $1) ORDER BY b.seq, b.row_group",
        )
        .bind(run)
        .fetch_all(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let mut out = Summaries::new();
        for row in &rows {
            let (key, block) = read_summary(row)?;
            match out.get_mut(&key) {
                Some(summary) => summary.add(&block),
                None => {
                    out.insert(key, block);
                }
            }
        }
        Ok(out)
    }

    /// Bytes and points of all live parts.
    ///
    /// # Errors
    /// Denied access, storage faults.
    pub async fn size(&self, access: &Access) -> Result<(u64, u64)> {
        self.allow(access, Action::Read, Resource::Store).await?;
        let row = sqlx::query(
            "SELECT COALESCE((SELECT CAST(SUM(bytes) AS BIGINT) FROM parts WHERE live = 1), 0) AS bytes,
             COALESCE((SELECT CAST(SUM(b.points) AS BIGINT) FROM blocks b JOIN parts p ON p.part = b.part WHERE p.live = 1), 0) AS points",
        )
        .fetch_one(&self.catalogue.pool)
        .await
        .map_err(fault::sql)?;
        let number = |name: &str| row.try_get::<i64, _>(name).map(|n| u64::try_from(n).unwrap_or(0)).map_err(fault::sql);
        Ok((number("bytes")?, number("points")?))
    }
}
