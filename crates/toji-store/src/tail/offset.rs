//! How far a source's clock is from ours: the difference between arrival and source time, minute by minute.
//!
//! The difference holds the clock's offset and the way; the median of a minute shows the offset moving without
//! following every delayed message. After an interruption, points that waited at the source arrive with a large
//! difference: the series shows that too.

use toji_core::live::Point;

/// Differences of one minute of arrival.
#[derive(Debug, Default)]
pub(super) struct Window {
    began_ns: Option<i64>,
    differences: Vec<i64>,
}

const WINDOW_NS: i64 = 60_000_000_000;
/// Differences kept: enough for a median, whatever the rate.
const DIFFERENCES_MAX: usize = 4096;

impl Window {
    /// Notes points; at the end of a minute gives its last moment and the median difference, both in nanoseconds.
    pub(super) fn note(&mut self, points: &[Point]) -> Option<(i64, i64)> {
        let last = points.iter().map(|p| p.received_ns).max()?;
        let done = self.began_ns.is_some_and(|began| last.saturating_sub(began) >= WINDOW_NS);
        let room = DIFFERENCES_MAX.saturating_sub(self.differences.len());
        self.differences.extend(points.iter().map(|p| p.received_ns.saturating_sub(p.t_ns)).take(room));
        if !done {
            self.began_ns.get_or_insert(last);
            return None;
        }
        let middle = self.differences.len() / 2;
        let (_, median, _) = self.differences.select_nth_unstable(middle);
        let median = *median;
        self.differences.clear();
        self.began_ns = Some(last);
        Some((last, median))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::live::Said;

    #[test]
    fn the_median_of_a_minute_withstands_a_late_message() {
        let mut window = Window::default();
        let mut found = Vec::new();
        for second in 0..181i64 {
            let t_ns = second * 1_000_000_000;
            let way = if second % 20 == 0 { 9_000_000_000 } else { 2_500_000_000 + second };
            let point = Point { signal: 0, t_ns, received_ns: t_ns + way, said: Said::Number(1.0), quality: 0 };
            found.extend(window.note(&[point]));
        }
        assert!((2..=3).contains(&found.len()), "{found:?}");
        assert!(found.iter().all(|(_, median)| (2_500_000_000..2_500_000_200).contains(median)), "{found:?}");
        assert_eq!(window.note(&[]), None);
    }
}
