//! A bucket: what a plot needs to know of the points in one stretch of time, and how buckets add up.
//!
//! Adding is exact: the bucket of many points is the same whichever way the points were put together,
//! as long as they come in order. So a plot drawn from stored buckets is the plot drawn from the points.

/// One point that a plot shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pick {
    /// Position in the series; tells two points at one time apart.
    pub(crate) at: u64,
    /// Nanoseconds from the base.
    pub(crate) t_ns: i64,
    /// Number; NaN where the source has none.
    pub(crate) value: f64,
    /// Packed quality, 0 is good.
    pub(crate) quality: u16,
}

/// Points of one stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    /// Points, flagged ones and those without a number included.
    pub(crate) points: u64,
    /// Points of good status that have a number.
    pub(crate) good: u64,
    /// Their sum, added up in order.
    pub(crate) sum_good: f64,
    /// Points with a quality other than 0.
    pub(crate) flagged: u64,
    /// All qualities, one over another.
    pub(crate) quality_or: u16,
    /// First point.
    pub(crate) first: Pick,
    /// Last point.
    pub(crate) last: Pick,
    /// Earliest of the points with the smallest and with the largest number, flagged or not; `None` when
    /// no point has a number.
    pub(crate) extremes: Option<(Pick, Pick)>,
    /// Earliest flagged point.
    pub(crate) mark: Option<Pick>,
}

impl Bucket {
    /// The bucket of one point.
    pub(crate) fn of(point: Pick) -> Self {
        let good = point.quality & 0xf == 0 && !point.value.is_nan();
        Self {
            points: 1,
            good: u64::from(good),
            sum_good: if good { point.value } else { 0.0 },
            flagged: u64::from(point.quality != 0),
            quality_or: point.quality,
            first: point,
            last: point,
            extremes: (!point.value.is_nan()).then_some((point, point)),
            mark: (point.quality != 0).then_some(point),
        }
    }

    /// Adds one later point; the same as adding the bucket of it, in fewer steps.
    pub(crate) fn push(&mut self, point: Pick) {
        self.points += 1;
        self.last = point;
        if point.quality != 0 {
            self.flagged += 1;
            self.quality_or |= point.quality;
            self.mark.get_or_insert(point);
        }
        if point.value.is_nan() {
            return;
        }
        if point.quality & 0xf == 0 {
            self.good += 1;
            self.sum_good += point.value;
        }
        match &mut self.extremes {
            Some((low, high)) => {
                if point.value < low.value {
                    *low = point;
                }
                if point.value > high.value {
                    *high = point;
                }
            }
            None => self.extremes = Some((point, point)),
        }
    }

    /// Adds a later bucket.
    pub(crate) fn add(&mut self, later: &Self) {
        self.points += later.points;
        self.good += later.good;
        self.sum_good += later.sum_good;
        self.flagged += later.flagged;
        self.quality_or |= later.quality_or;
        self.last = later.last;
        self.mark = self.mark.or(later.mark);
        self.extremes = match (self.extremes, later.extremes) {
            (Some((low, high)), Some((l, h))) => {
                Some((if l.value < low.value { l } else { low }, if h.value > high.value { h } else { high }))
            }
            (mine, other) => mine.or(other),
        };
    }

    /// The points a plot shows of this bucket, in order, each once: first, smallest, largest, last, and
    /// the earliest flagged.
    pub(crate) fn picks(&self) -> impl Iterator<Item = Pick> + use<> {
        let (low, high) = self.extremes.unzip();
        let mut picks = [Some(self.first), low, high, self.mark, Some(self.last)];
        picks.sort_by_key(|p| p.map_or(u64::MAX, |p| p.at));
        let mut shown = None;
        picks.into_iter().flatten().filter(move |p| shown.replace(p.at) != Some(p.at))
    }

    /// The same bucket with its points counted from further on.
    pub(crate) fn moved(mut self, by: u64) -> Self {
        let picks = [Some(&mut self.first), Some(&mut self.last), self.mark.as_mut()];
        let extremes = self.extremes.as_mut().map(|(low, high)| [low, high]);
        picks.into_iter().flatten().chain(extremes.into_iter().flatten()).for_each(|p| p.at += by);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn pick(at: u64, value: f64, quality: u16) -> Pick {
        Pick { at, t_ns: at as i64, value, quality }
    }

    #[test]
    fn every_kind_of_point_is_shown_once_and_in_order() {
        let values = [f64::NAN, 3.0, 1.0, 9.0, 1.0, 9.0, 2.0];
        let mut bucket = Bucket::of(pick(0, values[0], 0));
        for (i, v) in values.iter().enumerate().skip(1) {
            bucket.push(pick(i as u64, *v, if i == 4 { 0x12 } else { 0 }));
        }
        assert_eq!(bucket.picks().map(|p| p.at).collect::<Vec<_>>(), [0, 2, 3, 4, 6]);
        assert_eq!((bucket.points, bucket.good, bucket.sum_good, bucket.flagged, bucket.quality_or), (7, 5, 24.0, 1, 0x12));
        let one = Bucket::of(pick(5, 1.0, 2));
        assert_eq!(one.picks().map(|p| p.at).collect::<Vec<_>>(), [5]);
    }

    proptest! {
        #[test]
        fn buckets_add_up_to_the_bucket_of_their_points(
            points in proptest::collection::vec((prop_oneof![Just(f64::NAN), (-4i32..4).prop_map(f64::from)], 0u16..4), 1..40),
            cuts in proptest::collection::vec(any::<bool>(), 40),
        ) {
            let picks: Vec<Pick> = points.iter().enumerate().map(|(i, (v, q))| pick(i as u64, *v, *q)).collect();
            let mut whole = Bucket::of(picks[0]);
            picks[1..].iter().for_each(|p| whole.push(*p));
            let mut pieces = vec![Bucket::of(picks[0])];
            for (p, cut) in picks[1..].iter().zip(cuts) {
                match pieces.last_mut() {
                    Some(open) if !cut => open.push(*p),
                    _ => pieces.push(Bucket::of(*p)),
                }
            }
            let mut summed = pieces[0].clone();
            pieces[1..].iter().for_each(|b| summed.add(b));
            // NaN is not equal to itself: compare what is printed.
            prop_assert_eq!(format!("{whole:?}"), format!("{summed:?}"));
        }
    }
}
