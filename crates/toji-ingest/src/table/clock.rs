//! Times of rows: clock, date and time of day in two columns, or elapsed time; with the evidence for
//! the order of day and month, and marks on hours that a clock change repeats or skips.

use super::grid::{Field, Grid, text_at};
use super::mapping::{TimeRule, TimeUnit};
use crate::cell::Cell;
use jiff::civil::Time;
use toji_core::clock::{ClockDoubt, DateOrder, HOUR_NS, OrderEvidence, WallClock, Zone, decide_order};
use toji_core::culture::When;
use toji_core::value::{NumberStyle, fold_width};
use toji_core::{Cause, ClockTime, Instant, Quality, Status, Text};

/// What a column of dates says about day and month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The order to read ambiguous dates with.
    pub(super) order: DateOrder,
    /// Nothing in the column decided, and no site default did.
    pub(super) open: bool,
    /// Dates of both orders stand in the column.
    pub(super) mixed: bool,
    /// Years of two digits that could be days as well (`24/05/06`).
    pub(super) short_years: bool,
    /// Why.
    pub(super) evidence: Text,
}

/// Decides day and month from the texts of a column, else by the site.
pub(super) fn order_of(texts: &[String], site: Option<DateOrder>) -> Order {
    let decided = decide_order(texts.iter().map(String::as_str));
    let mut seen: Vec<(DateOrder, &str)> = Vec::new();
    let mut ambiguous = None;
    for text in texts {
        match WallClock::parse(text, DateOrder::YearMonthDay).map(|w| w.order) {
            Some(OrderEvidence::Day(order)) if !seen.iter().any(|(o, _)| *o == order) => seen.push((order, text)),
            Some(OrderEvidence::Default) => ambiguous = ambiguous.or(Some(text.as_str())),
            _ => {}
        }
    }
    let mixed = seen.len() > 1;
    if let Some(text) = texts.iter().find(|t| short_year(t)).filter(|_| site.is_none() && !texts.iter().any(|t| long_year(t))) {
        let order = decided.unwrap_or(DateOrder::MonthDayYear);
        return Order {
            order,
            open: true,
            mixed,
            short_years: true,
            evidence: Text::new(
                format!("「{text}」の年・月・日の順を決める手掛かりがありません"),
                format!("nothing tells the year from the day in \"{text}\""),
            ),
        };
    }
    match (decided, seen.first()) {
        (Some(order), Some((_, text))) if !mixed => Order {
            order,
            open: false,
            mixed,
            short_years: false,
            evidence: Text::new(
                format!("「{text}」は {} としか読めません", order_ja(order)),
                format!("\"{text}\" can only be {}", order_en(order)),
            ),
        },
        (Some(order), _) if !mixed && ambiguous.is_none() => Order {
            order,
            open: false,
            mixed,
            short_years: false,
            evidence: Text::new("年が先に書かれています", "the year is written first"),
        },
        _ => undecided(ambiguous.unwrap_or(""), mixed, site),
    }
}

/// Three numbers of at most two digits, none of which can only be a year.
fn short_year(date: &str) -> bool {
    let plain = fold_width(date);
    let parts: Vec<&str> = plain.split(['-', '/', '.']).collect();
    parts.len() == 3 && parts.iter().all(|p| p.parse::<u8>().is_ok_and(|n| p.len() <= 2 && (1..=31).contains(&n)))
}

/// Three numbers of at most two digits with one that can only be a year: it shows where the year stands.
fn long_year(date: &str) -> bool {
    let plain = fold_width(date);
    let parts: Vec<&str> = plain.split(['-', '/', '.']).collect();
    parts.len() == 3
        && parts.iter().all(|p| p.len() <= 2 && p.parse::<u8>().is_ok())
        && parts.last().and_then(|p| p.parse::<u8>().ok()).is_some_and(|n| n > 31)
}

fn undecided(example: &str, mixed: bool, site: Option<DateOrder>) -> Order {
    let dotted = example.split([' ', 'T']).next().is_some_and(|d| d.contains('.'));
    let usual = if dotted { DateOrder::DayMonthYear } else { DateOrder::MonthDayYear };
    let open = site.is_none() && !example.is_empty();
    let order = site.filter(|o| *o != DateOrder::YearMonthDay).unwrap_or(usual);
    let evidence = match (mixed, open) {
        (true, _) => Text::new(
            "日が先の日付と月が先の日付が混ざっています",
            "dates with the day first and the month first stand in one column",
        ),
        (false, true) => Text::new(
            format!("「{example}」の日と月を決める手掛かりがありません。{}とみなします", order_ja(order)),
            format!("nothing tells day from month in \"{example}\"; {} is assumed", order_en(order)),
        ),
        (false, false) => {
            Text::new(format!("拠点の設定: {}", order_ja(order)), format!("the site's setting: {}", order_en(order)))
        }
    };
    Order { order, open, mixed, short_years: false, evidence }
}

fn order_ja(order: DateOrder) -> &'static str {
    match order {
        DateOrder::YearMonthDay => "年月日",
        DateOrder::MonthDayYear => "月日年",
        DateOrder::DayMonthYear => "日月年",
    }
}
fn order_en(order: DateOrder) -> &'static str {
    match order {
        DateOrder::YearMonthDay => "year-month-day",
        DateOrder::MonthDayYear => "month-day-year",
        DateOrder::DayMonthYear => "day-month-year",
    }
}

/// The distinct dates of a column of the whole grid, for [`order_of`].
pub(super) fn dates_of(grid: &Grid<'_>, column: usize, after_row: u64) -> Vec<String> {
    let mut rows = grid.rows();
    let mut row = Vec::new();
    let mut out: Vec<String> = Vec::new();
    while let Some(number) = rows.next_row(&mut row) {
        if number <= after_row || row.get(column).is_none_or(|f| f.cell().is_some_and(|c| matches!(c, Cell::Date(_)))) {
            continue;
        }
        let text = text_at(&row, column);
        let date = text.split([' ', 'T']).next().unwrap_or("");
        if !date.is_empty() && out.last().is_none_or(|last| last != date) && out.len() < 100_000 {
            out.push(date.to_owned());
        }
    }
    out
}

/// A time of day: `10:20`, `10:20:05`, `8h20`, `午後3時`, a spreadsheet's time cell.
pub(super) fn time_of_day(field: &Field<'_>) -> Option<Time> {
    match field.cell() {
        Some(Cell::Date(at)) if at.year() < 1901 => return Some(at.time()),
        Some(Cell::Number(fraction)) if (0.0..1.0).contains(fraction) => {
            let seconds = (fraction * 86_400.0).round() as i64;
            return Time::midnight().checked_add(jiff::SignedDuration::from_secs(seconds.min(86_399))).ok();
        }
        Some(Cell::Duration(ns)) => return Time::midnight().checked_add(jiff::SignedDuration::from_nanos(*ns)).ok(),
        _ => {}
    }
    let written = fold_width(&field.text());
    let mut text = written.replace(['h', 'H', '時', '分'], ":").replace('秒', "");
    if text.ends_with(':') {
        // "8h" and "午後3時" are full hours; "3時2分" ends with its minutes.
        let minutes = text.matches(':').count() > 1;
        text = if minutes { text.trim_end_matches(':').to_owned() } else { format!("{text}00") };
    }
    if text.is_empty() || text.contains(['/', '年', '月']) {
        return None;
    }
    let wall = WallClock::parse(&format!("2000-01-01 {text}"), DateOrder::YearMonthDay)?;
    (!wall.date_only).then(|| wall.at.time())
}

/// Elapsed `hh:mm:ss`, `hhh:mm:ss`, `d.hh:mm:ss`, in nanoseconds.
pub(super) fn hms(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [h, m] => (*h, *m, "0"),
        [h, m, s] => (*h, *m, *s),
        _ => return None,
    };
    let (days, hours) = match hours.split_once('.') {
        Some((d, h)) => (d.parse::<i64>().ok()?, h),
        None => (0, hours),
    };
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = minutes.parse().ok().filter(|m| (0..60).contains(m))?;
    let seconds = NumberStyle::Point.read(&seconds.replace(',', "."))?.at_scale(9).filter(|s| (0..60_000_000_000).contains(s))?;
    days.checked_mul(24)?.checked_add(hours)?.checked_mul(HOUR_NS)?.checked_add(minutes * 60_000_000_000 + seconds)
}

const CLOCK_UNCERTAIN: Quality = Quality::source(Status::Uncertain, Cause::ClockUncertain);

/// Reads the time of each row.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) column: usize,
    pub(super) time_column: Option<usize>,
    pub(super) rule: TimeRule,
    pub(super) style: NumberStyle,
    pub(super) order: Order,
    pub(super) zone: Zone,
}

/// The time of one row.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// Nanoseconds since 1970 (clock) or since the start (elapsed).
    pub(super) t_ns: i64,
    /// The clock time behind it.
    pub(super) at: Option<ClockTime>,
    /// Uncertain when a clock change or a mixed date order is in the way.
    pub(super) quality: Quality,
}

impl Stamp {
    /// For events and samples.
    pub(super) fn when(&self) -> When {
        self.at.clone().map_or(When::Elapsed(self.t_ns), When::At)
    }
}

impl Reader {
    /// Is the time by the clock?
    pub(super) fn by_clock(&self) -> bool {
        !matches!(self.rule, TimeRule::Elapsed { .. })
    }
    /// The time of the row; `None` when its cell is not a time. `previous` is the time of the run's
    /// row before, which tells the second pass through a repeated hour from the first.
    pub(super) fn read(&self, row: &[Field<'_>], previous: Option<i64>) -> Option<Stamp> {
        let field = row.get(self.column).filter(|f| !f.is_blank())?;
        match &self.rule {
            TimeRule::Elapsed { unit, .. } => {
                let t_ns = self.elapsed(field, *unit)?;
                let open = field.cell().and_then(Cell::number).is_none() && super::wide::grouped(&field.text(), self.style);
                let quality = if open { CLOCK_UNCERTAIN } else { Quality::GOOD };
                Some(Stamp { t_ns, at: None, quality })
            }
            TimeRule::Clock { .. } => self.clock(field, None, previous),
            TimeRule::DateAndTime { .. } => self.clock(field, row.get(self.time_column?), previous),
        }
    }

    fn elapsed(&self, field: &Field<'_>, unit: TimeUnit) -> Option<i64> {
        if let Some(Cell::Duration(ns)) = field.cell() {
            return Some(*ns);
        }
        if let Some(number) = field.cell().and_then(Cell::number) {
            let ns = (number * unit.ns() as f64).round();
            return (ns.abs() < 9.2e18).then_some(ns as i64);
        }
        if unit == TimeUnit::Hms {
            return hms(&field.text());
        }
        let number = self.style.read(&fold_width(&field.text()))?;
        let exact = i128::from(unit.ns()).checked_mul(number.mantissa)?;
        let ns = match number.scale {
            scale @ ..=0 => exact.checked_mul(10i128.checked_pow(scale.unsigned_abs())?)?,
            scale => {
                let below = 10i128.checked_pow(scale.unsigned_abs())?;
                let half = if exact < 0 { -below / 2 } else { below / 2 };
                exact.checked_add(half)? / below
            }
        };
        i64::try_from(ns).ok()
    }

    fn clock(&self, field: &Field<'_>, time: Option<&Field<'_>>, previous: Option<i64>) -> Option<Stamp> {
        let raw = field.text();
        let mut wall = match field.cell() {
            Some(Cell::Date(at)) if at.year() >= 1901 => {
                WallClock { at: *at, offset: None, order: OrderEvidence::Text, date_only: false }
            }
            _ => WallClock::parse(&raw, self.order.order)?,
        };
        let mut raw = raw.into_owned();
        if let Some(time) = time {
            wall.at = wall.at.date().to_datetime(time_of_day(time)?);
            raw = format!("{raw} {}", time.text());
        }
        let mut at = wall.in_zone(&self.zone, &raw).ok()?;
        let mut quality = Quality::GOOD;
        let short = self.order.short_years && field.cell().is_none_or(|c| !matches!(c, Cell::Date(_)));
        if at.doubt.is_some() || short || (self.order.mixed && wall.order == OrderEvidence::Default) {
            quality = CLOCK_UNCERTAIN;
        }
        // The first pass through the hour is over once time would run backwards.
        if at.doubt == Some(ClockDoubt::Repeated)
            && previous.is_some_and(|p| at.instant.0 < p)
            && let Some(later) = at.instant.plus_ns(HOUR_NS)
        {
            at.instant = later;
        }
        let Instant(t_ns) = at.instant;
        Some(Stamp { t_ns, at: Some(at), quality })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_the_floor() {
        assert_eq!(hms("00:12:30"), Some(750_000_000_000));
        assert_eq!(hms("120:00:00.5"), Some(432_000_500_000_000));
        assert_eq!(hms("1.02:03:04"), Some((26 * 3600 + 3 * 60 + 4) * 1_000_000_000));
        assert_eq!(hms("12:61"), None);
        assert_eq!(hms("hello"), None);
    }

    #[test]
    fn times_of_day() {
        let read = |text: &str| time_of_day(&Field::Text(text.into())).map(|t| t.to_string());
        assert_eq!(read("8h20").as_deref(), Some("08:20:00"));
        assert_eq!(read("１０：２０").as_deref(), Some("10:20:00"));
        assert_eq!(read("午後3時").as_deref(), Some("15:00:00"));
        assert_eq!(read("18H00").as_deref(), Some("18:00:00"));
        assert_eq!(read("12.5"), None);
        assert_eq!(read("7"), None);
    }

    #[test]
    fn order_is_decided_with_evidence_or_said_to_be_open() {
        let texts = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let order = order_of(&texts(&["5/6/2024", "13/6/2024"]), None);
        assert_eq!((order.order, order.open, order.mixed), (DateOrder::DayMonthYear, false, false));
        assert!(order.evidence.en.contains("13/6/2024"));
        assert!(order_of(&texts(&["5/6/2024"]), None).open);
        let site = order_of(&texts(&["5/6/2024"]), Some(DateOrder::DayMonthYear));
        assert_eq!((site.order, site.open), (DateOrder::DayMonthYear, false));
        assert!(order_of(&texts(&["13/6/2024", "6/13/2024", "1/2/2024"]), None).mixed);
        assert!(!order_of(&texts(&["2024-01-02"]), None).open);
    }
}
