//! What stands in a column: how many numbers, of which style, dates, times of day, words.

use super::clock::{hms, time_of_day};
use super::grid::Field;
use crate::cell::Cell;
use toji_core::clock::{DateOrder, WallClock};
use toji_core::value::{NumberStyle, Value, ValueKind, fold_width};

/// Counts over the sampled cells of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// Cells that are not blank.
    pub(super) filled: usize,
    /// Numbers, in either style, and bounds such as `< 0.5`.
    pub(super) numbers: usize,
    /// Of these, words that say there is no number (`NA`, `n.d.`).
    pub(super) absent: usize,
    /// Numbers that only the point style reads, and only the comma style.
    pub(super) point_only: usize,
    pub(super) comma_only: usize,
    /// An example of a number that only the comma style reads.
    pub(super) comma_example: Option<String>,
    /// Numbers that both read, differently (`1,234`).
    pub(super) either: usize,
    /// Numbers that show by themselves which sign groups thousands.
    pub(super) groups_sure: usize,
    pub(super) whole_numbers: usize,
    pub(super) dates: usize,
    /// Dates that come with a time of day.
    pub(super) dates_with_time: usize,
    pub(super) times_of_day: usize,
    pub(super) durations: usize,
    /// Different texts, up to a limit.
    pub(super) distinct: Vec<String>,
}

const DISTINCT_MAX: usize = 500;

impl Profile {
    /// Adds a cell.
    pub(super) fn add(&mut self, field: &Field<'_>) {
        if field.is_blank() {
            return;
        }
        self.filled += 1;
        let text = field.text();
        if self.distinct.len() < DISTINCT_MAX && !self.distinct.iter().any(|d| *d == text) {
            self.distinct.push(text.clone().into_owned());
        }
        match field.cell() {
            Some(Cell::Number(number)) => {
                self.numbers += 1;
                self.point_only += 1;
                self.whole_numbers += usize::from(number.fract() == 0.0);
                self.times_of_day += usize::from((0.0..1.0).contains(number) && *number != 0.0);
                return;
            }
            Some(Cell::Duration(_)) => {
                self.durations += 1;
                return;
            }
            Some(Cell::Date(at)) if at.year() < 1901 => {
                self.times_of_day += 1;
                return;
            }
            Some(Cell::Date(at)) => {
                self.dates += 1;
                self.dates_with_time += usize::from(at.time() != jiff::civil::Time::midnight());
                return;
            }
            _ => {}
        }
        self.add_text(&text, field);
    }

    fn add_text(&mut self, text: &str, field: &Field<'_>) {
        let plain = fold_width(text);
        let plain = plain.strip_suffix('%').map_or(plain.as_str(), str::trim_end);
        let bound = plain.trim_start_matches(['<', '>', '=', '≤', '≥', '≦', '≧', ' ']);
        let (point, comma) = (NumberStyle::Point.read(bound), NumberStyle::Comma.read(bound));
        let signs = bound.chars().filter(|c| matches!(c, '.' | ',')).count();
        self.groups_sure += usize::from(signs >= 2 && (point.is_some() || comma.is_some()));
        // "0,125" can only be a decimal comma: no group begins with a lone zero.
        let leading_zero = bound.trim_start_matches(['+', '-']).starts_with("0,");
        match (point, comma) {
            (Some(a), Some(b)) if a == b => {}
            (Some(_), Some(_)) if !leading_zero => self.either += 1,
            (_, Some(_)) => {
                self.comma_only += 1;
                self.comma_example.get_or_insert_with(|| text.to_owned());
            }
            (Some(_), None) => self.point_only += 1,
            (None, None) => {}
        }
        if point.is_some() || comma.is_some() {
            self.numbers += 1;
            self.whole_numbers += usize::from(bound.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
        } else if matches!(Value::parse(text).kind, ValueKind::NotDetermined | ValueKind::Missing | ValueKind::BelowDetection) {
            self.numbers += 1;
            self.absent += 1;
        }
        if let Some(wall) = WallClock::parse(text, DateOrder::YearMonthDay) {
            self.dates += 1;
            self.dates_with_time += usize::from(!wall.date_only);
        } else if time_of_day(field).is_some() {
            self.times_of_day += 1;
            self.durations += usize::from(hms(text).is_some());
        } else if hms(text).is_some() {
            self.durations += 1;
        }
    }

    /// Elapsed times of two parts only (`1:30`): hours and minutes, or minutes and seconds?
    pub(super) fn two_part_durations(&self) -> bool {
        !self.distinct.is_empty() && self.distinct.iter().all(|t| t.matches(':').count() < 2)
    }
    /// Are nearly all filled cells of this sort?
    pub(super) fn mostly(&self, count: usize) -> bool {
        self.filled > 0 && count * 10 >= self.filled * 8
    }
    /// Numbers (and not rather dates)?
    pub(super) fn numeric(&self) -> bool {
        self.mostly(self.numbers)
    }
    /// May the cells be names: words, or whole numbers?
    pub(super) fn can_name(&self) -> bool {
        !self.numeric() || self.whole_numbers + self.absent == self.numbers
    }
    /// One and the same text in every filled cell?
    pub(super) fn constant(&self) -> bool {
        self.distinct.len() == 1
    }
    /// The decimal sign, when the cells decide it.
    pub(super) fn style(&self) -> Option<NumberStyle> {
        match (self.point_only, self.comma_only) {
            (0, 0) => None,
            (point, comma) if comma > point => Some(NumberStyle::Comma),
            _ => Some(NumberStyle::Point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> Profile {
        let mut profile = Profile::default();
        for cell in cells {
            profile.add(&Field::Text((*cell).into()));
        }
        profile
    }

    #[test]
    fn number_style_is_decided_by_what_only_one_style_reads() {
        assert_eq!(of(&["20,95", "7"]).style(), Some(NumberStyle::Comma));
        assert_eq!(of(&["0,125", "0,250"]).style(), Some(NumberStyle::Comma));
        assert_eq!(of(&["20.95", "1,234"]).style(), Some(NumberStyle::Point));
        assert_eq!(of(&["1,234", "7"]).style(), None);
        assert_eq!(of(&["7", "8"]).style(), None);
    }

    #[test]
    fn contents_are_told_apart() {
        let dates = of(&["2024-05-06 10:00", "2024-05-06 11:00"]);
        assert!(dates.mostly(dates.dates) && dates.dates_with_time == 2 && !dates.numeric());
        let bounds = of(&["< 0.5", "1.2", "ERROR", ""]);
        assert!(bounds.numeric());
        let clock = of(&["8h20", "10h20"]);
        assert!(clock.mostly(clock.times_of_day));
        assert!(!of(&["F1", "F2"]).numeric());
    }
}
