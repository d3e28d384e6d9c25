//! Clocks: instants, zones, and the evidence for a zone.
//!
//! A file's `2024-05-06 16:57` is an instant only with a zone, and somebody must have said which one:
//! the file itself, the site's default, or nobody (assumed). That evidence travels with every time.

use crate::error::{Error, Place, Result};
use crate::value::fold_width;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// Nanoseconds of one second.
pub const SECOND_NS: i64 = 1_000_000_000;
/// Nanoseconds of one hour.
pub const HOUR_NS: i64 = 3600 * SECOND_NS;

impl Instant {
    /// From RFC 3339 text such as `2025-02-26T10:27:40.854742Z`.
    ///
    /// # Errors
    /// Not RFC 3339, or outside 1678–2261.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = || {
            Error::input(
                "E-CLOCK-001",
                format!("時刻として読めません: 「{text}」"),
                format!("not readable as an instant: \"{text}\""),
            )
            .hint("例: 2026-11-24T15:02:39Z", "for example 2026-11-24T15:02:39Z")
        };
        let stamp: jiff::Timestamp = text.trim().parse().map_err(|_| fault())?;
        i64::try_from(stamp.as_nanosecond()).map(Self).map_err(|_| fault())
    }
    /// From nanoseconds of any width.
    #[must_use]
    pub fn from_ns(ns: i128) -> Option<Self> {
        i64::try_from(ns).ok().map(Self)
    }
    /// This many nanoseconds later; `None` past the end of time.
    #[must_use]
    pub fn plus_ns(self, ns: i64) -> Option<Self> {
        self.0.checked_add(ns).map(Self)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}
impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Who says in which zone a clock ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneEvidence {
    /// The file states it (offset, `Z`, zone bias).
    File,
    /// The site's configured default.
    SiteDefault,
    /// Nobody; UTC was assumed.
    Assumed,
}

/// A zone with the evidence for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    zone: TimeZone,
    name: String,
    /// Who says so.
    pub evidence: ZoneEvidence,
}

impl Zone {
    /// No evidence at all: UTC, assumed.
    #[must_use]
    pub fn assumed() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".into(), evidence: ZoneEvidence::Assumed }
    }
    /// An IANA name (`Asia/Tokyo`), `UTC`, or an offset (`+09:00`).
    ///
    /// # Errors
    /// The name is not a zone.
    pub fn named(name: &str, evidence: ZoneEvidence) -> Result<Self> {
        let zone = match parse_offset(name) {
            Some(offset) => TimeZone::fixed(offset),
            None => TimeZone::get(name).map_err(|_| {
                Error::input("E-CLOCK-002", format!("時間帯「{name}」を知りません"), format!("unknown time zone \"{name}\""))
                    .at(Place::field("zone"))
                    .hint("例: Asia/Tokyo、UTC、+09:00", "for example Asia/Tokyo, UTC or +09:00")
            })?,
        };
        Ok(Self { zone, name: name.to_owned(), evidence })
    }
    /// A fixed offset the file states, in minutes east of UTC (DASware's `TimezoneBias` has the opposite sign).
    ///
    /// # Errors
    /// More than a day away from UTC.
    pub fn minutes_east(minutes: i32, evidence: ZoneEvidence) -> Result<Self> {
        let offset = Offset::from_seconds(minutes.saturating_mul(60)).map_err(|_| {
            Error::input(
                "E-CLOCK-003",
                format!("UTC との差 {minutes} 分はあり得ません"),
                format!("an offset of {minutes} min from UTC is not possible"),
            )
        })?;
        Ok(Self { zone: TimeZone::fixed(offset), name: offset.to_string(), evidence })
    }
    /// Name or offset.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The instant of a wall-clock time. In the hour that a clock change repeats the earlier instant is
    /// taken, in the hour it skips the time is moved forward; both are marked doubtful.
    ///
    /// # Errors
    /// Outside 1678–2261.
    pub fn resolve(&self, wall: DateTime, raw: &str) -> Result<ClockTime> {
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        let doubt = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Fold { .. } => Some(ClockDoubt::Repeated),
            AmbiguousOffset::Gap { .. } => Some(ClockDoubt::Skipped),
        };
        let instant = ambiguous.compatible().ok().and_then(|stamp| Instant::from_ns(stamp.as_nanosecond())).ok_or_else(|| {
            Error::input(
                "E-CLOCK-004",
                format!("時刻「{raw}」は扱える範囲の外です"),
                format!("the time \"{raw}\" is out of range"),
            )
            .hint("1678 年から 2261 年の時刻にしてください", "use a time between the years 1678 and 2261")
        })?;
        Ok(ClockTime { instant, zone: self.name.clone(), evidence: self.evidence, raw: raw.trim().to_owned(), doubt })
    }
}

/// Why a wall-clock time does not name one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockDoubt {
    /// The hour was passed twice (end of summer time); the earlier instant was taken.
    Repeated,
    /// The hour never was (start of summer time); moved forward by the change.
    Skipped,
}

/// An instant, how it was written, and who says in which zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTime {
    /// The instant, UTC.
    pub instant: Instant,
    /// Zone of the source's clock.
    pub zone: String,
    /// Evidence for the zone.
    pub evidence: ZoneEvidence,
    /// As written.
    pub raw: String,
    /// Clock change in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<ClockDoubt>,
}

/// Order of day, month and year where the text alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// 2024-05-06, 2024/5/6.
    #[default]
    YearMonthDay,
    /// 5/6/2024 is the 6th of May.
    MonthDayYear,
    /// 6/5/2024 is the 6th of May.
    DayMonthYear,
}

fn parse_offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((h, m)) => (h.parse::<i32>().ok()?, m.parse::<i32>().ok()?),
        None if rest.len() == 4 && rest.is_ascii() => (rest[..2].parse().ok()?, rest[2..].parse().ok()?),
        None if rest.len() <= 2 => (rest.parse().ok()?, 0),
        None => return None,
    };
    if !(0..=23).contains(&hours) || !(0..=59).contains(&minutes) {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Japanese eras: kanji, letter, first year (Gregorian). Source: Era Name Act and cabinet orders.
const ERAS: [(&str, char, i16); 4] = [("令和", 'R', 2019), ("平成", 'H', 1989), ("昭和", 'S', 1926), ("大正", 'T', 1912)];

/// What tells day from month in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEvidence {
    /// The way it is written: year first, a month's name, an era.
    Text,
    /// A number above 12, which fits this order only.
    Day(DateOrder),
    /// Nothing: the order given by the caller decided.
    Default,
}

/// A date and time as written, before a zone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// Date and time of the clock on the wall.
    pub at: DateTime,
    /// Offset, when the text states one.
    pub offset: Option<Offset>,
    /// What tells day from month.
    pub order: OrderEvidence,
    /// `true` when no time of day was written.
    pub date_only: bool,
}

impl WallClock {
    /// Reads dates and times as instruments and people write them: ISO 8601, `3/21/2022 16:56`,
    /// `24-6-2022`, `06.05.2024`, `令和8年11月24日`, `R8.11.24`, full-width digits, AM/PM, 午前/午後,
    /// fractions of a second, `Z` and offsets. `None` when the text is not a date.
    #[must_use]
    pub fn parse(text: &str, order: DateOrder) -> Option<Self> {
        let text = fold_width(text.trim()).replace(['年', '月'], "/").replace("日", " ").replace("時", ":").replace("分", ":");
        let text = text.replace("元/", "1/");
        let text = text.trim().trim_end_matches("秒").trim_end_matches(':').trim();
        if text.len() > 60 || !text.is_char_boundary(text.len()) {
            return None;
        }
        let (date_text, time_text) = split_date_time(text)?;
        let (date, order) = parse_date(date_text, order)?;
        let (time, offset, date_only) = match time_text {
            Some(time_text) => {
                let (time, offset) = parse_time(time_text)?;
                (time, offset, false)
            }
            None => (Time::midnight(), None, true),
        };
        Some(Self { at: date.to_datetime(time), offset, order, date_only })
    }
    /// The instant, by the offset the text states or else by `zone`.
    ///
    /// # Errors
    /// Outside 1678–2261.
    pub fn in_zone(&self, zone: &Zone, raw: &str) -> Result<ClockTime> {
        match self.offset {
            Some(offset) => Zone { zone: TimeZone::fixed(offset), name: offset.to_string(), evidence: ZoneEvidence::File }
                .resolve(self.at, raw),
            None => zone.resolve(self.at, raw),
        }
    }
}

/// Decides the order of a column of dates by the days above 12 in it. `None` when nothing in the
/// column decides (the caller's default does, and says so) or when both orders stand in it.
#[must_use]
pub fn decide_order<'a>(texts: impl Iterator<Item = &'a str>) -> Option<DateOrder> {
    let mut found = None;
    let mut open = false;
    for wall in texts.filter_map(|t| WallClock::parse(t, DateOrder::YearMonthDay)) {
        match wall.order {
            OrderEvidence::Text => found = found.or(Some(DateOrder::YearMonthDay)),
            OrderEvidence::Default => open = true,
            OrderEvidence::Day(order) => match found {
                Some(other) if other != order && other != DateOrder::YearMonthDay => return None,
                _ => found = Some(order),
            },
        }
    }
    found.filter(|order| !open || *order != DateOrder::YearMonthDay)
}

fn split_date_time(text: &str) -> Option<(&str, Option<&str>)> {
    let at = text
        .char_indices()
        .find(|(i, c)| (*c == ' ' || *c == '_') || (*c == 'T' && text[..*i].ends_with(|d: char| d.is_ascii_digit()) && *i >= 6));
    match at {
        Some((i, c)) => {
            let rest = text[i + c.len_utf8()..].trim();
            Some((&text[..i], (!rest.is_empty()).then_some(rest)))
        }
        None => Some((text, None)),
    }
}

fn month_by_name(text: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = text.to_lowercase();
    let at = MONTHS.iter().position(|m| lower.len() >= 3 && lower.starts_with(m))?;
    i8::try_from(at + 1).ok()
}

fn parse_date(text: &str, order: DateOrder) -> Option<(Date, OrderEvidence)> {
    use OrderEvidence::{Day, Default, Text};
    let (text, era) = strip_era(text);
    let parts: Vec<&str> = text.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
    if parts.len() == 1 && parts[0].len() == 8 && era.is_none() && parts[0].bytes().all(|b| b.is_ascii_digit()) {
        let p = parts[0];
        return Some((Date::new(p[..4].parse().ok()?, p[4..6].parse().ok()?, p[6..].parse().ok()?).ok()?, Text));
    }
    let [a, b, c] = parts.as_slice() else { return None };
    if let Some(first) = era {
        let year: i16 = a.parse().ok()?;
        if !(1..=99).contains(&year) {
            return None;
        }
        return Some((Date::new(first + year - 1, b.parse().ok()?, c.parse().ok()?).ok()?, Text));
    }
    let year = |text: &str| -> Option<i16> {
        let year: i16 = text.parse().ok()?;
        match text.len() {
            4 => Some(year),
            2 => Some(if year < 70 { 2000 + year } else { 1900 + year }),
            _ => None,
        }
    };
    if a.len() == 4 {
        let month = month_by_name(b).or_else(|| b.parse().ok())?;
        return Some((Date::new(year(a)?, month, c.parse().ok()?).ok()?, Text));
    }
    if let Some(month) = month_by_name(b) {
        return Some((Date::new(year(c)?, month, a.parse().ok()?).ok()?, Text));
    }
    if let Some(month) = month_by_name(a) {
        return Some((Date::new(year(c)?, month, b.parse().ok()?).ok()?, Text));
    }
    if c.len() != 4 && c.len() != 2 {
        return None;
    }
    let (first, second): (i8, i8) = (a.parse().ok()?, b.parse().ok()?);
    let year = year(c)?;
    let (month, day, evidence) = match (first > 12, second > 12) {
        (true, false) => (second, first, Day(DateOrder::DayMonthYear)),
        (false, true) => (first, second, Day(DateOrder::MonthDayYear)),
        (true, true) => return None,
        (false, false) if first == second => (first, second, Text),
        (false, false) if order == DateOrder::DayMonthYear => (second, first, Default),
        (false, false) => (first, second, Default),
    };
    Some((Date::new(year, month, day).ok()?, evidence))
}

fn strip_era(text: &str) -> (&str, Option<i16>) {
    for (kanji, letter, first) in ERAS {
        if let Some(rest) = text.strip_prefix(kanji) {
            return (rest, Some(first));
        }
        if let Some(rest) = text.strip_prefix(letter).or_else(|| text.strip_prefix(letter.to_ascii_lowercase()))
            && rest.starts_with(|c: char| c.is_ascii_digit())
        {
            return (rest, Some(first));
        }
    }
    (text, None)
}

fn parse_time(text: &str) -> Option<(Time, Option<Offset>)> {
    let text = text.trim();
    let upper = text.to_uppercase();
    let (body, half) = if let Some(rest) = upper.strip_suffix("AM").or_else(|| upper.strip_suffix("A.M.")) {
        (rest.to_owned(), Some(0))
    } else if let Some(rest) = upper.strip_suffix("PM").or_else(|| upper.strip_suffix("P.M.")) {
        (rest.to_owned(), Some(12))
    } else if let Some(rest) = upper.strip_prefix("午前") {
        (rest.to_owned(), Some(0))
    } else if let Some(rest) = upper.strip_prefix("午後") {
        (rest.to_owned(), Some(12))
    } else {
        (upper.clone(), None)
    };
    let body = body.trim().trim_end_matches("UTC").trim_end_matches("GMT").trim();
    let utc = upper.ends_with("UTC") || upper.ends_with("GMT");
    let at = body.find(['+', '-', 'Z', ' ']);
    let (clock, rest) = at.map_or((body, ""), |i| body.split_at(i));
    let offset = match rest.trim() {
        "" => utc.then_some(Offset::UTC),
        text => Some(parse_offset(text)?),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    if parts.len() < 2 || parts.len() > 3 {
        return None;
    }
    let hour: i8 = parts[0].trim().parse().ok()?;
    let hour = match half {
        Some(add) if (0..=12).contains(&hour) => hour % 12 + add,
        Some(_) => return None,
        None => hour,
    };
    let minute: i8 = parts[1].trim().parse().ok()?;
    let (second, nanosecond) = match parts.get(2) {
        Some(text) => {
            let (whole, part) = text.trim().split_once(['.', ',']).unwrap_or((text.trim(), ""));
            if !part.bytes().all(|b| b.is_ascii_digit()) || part.len() > 18 {
                return None;
            }
            let nine: String = part.chars().chain(std::iter::repeat('0')).take(9).collect();
            (whole.parse::<i8>().ok()?, nine.parse::<i32>().ok()?)
        }
        None => (0, 0),
    };
    Some((Time::new(hour, minute, second, nanosecond).ok()?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, order: DateOrder, expected: &str) {
        let wall = WallClock::parse(text, order).unwrap_or_else(|| panic!("{text} is a date"));
        assert_eq!(wall.at.to_string(), expected, "{text}");
    }

    #[test]
    fn dates_as_instruments_and_people_write_them() {
        use DateOrder::*;
        check("2025-11-20 14:51:33", YearMonthDay, "2025-11-20T14:51:33");
        check("3/21/2022 16:56", MonthDayYear, "2022-03-21T16:56:00");
        check("24-6-2022 3:04:05 PM", DayMonthYear, "2022-06-24T15:04:05");
        check("6-24-2022", DayMonthYear, "2022-06-24T00:00:00");
        check("06.05.2024 00:30", DayMonthYear, "2024-05-06T00:30:00");
        check("令和8年11月24日 午後3時02分", YearMonthDay, "2026-11-24T15:02:00");
        check("令和元年５月１日", YearMonthDay, "2019-05-01T00:00:00");
        check("R8.11.24", YearMonthDay, "2026-11-24T00:00:00");
        check("2019-01-16", YearMonthDay, "2019-01-16T00:00:00");
        check("2020-01-02 7:00", YearMonthDay, "2020-01-02T07:00:00");
        check("29 Mar 2024".replace(' ', "-").as_str(), DayMonthYear, "2024-03-29T00:00:00");
        check("2025-02-26T10:27:40.854742Z", YearMonthDay, "2025-02-26T10:27:40.854742");
        check("20240506", YearMonthDay, "2024-05-06T00:00:00");
        check("12/31/99 12:00 AM", MonthDayYear, "1999-12-31T00:00:00");
        for text in ["", "hello", "12.5", "2024-13-01", "31/31/2024", "1:2:3:4", "2024-05-06 25:00", "7.1.x"] {
            assert_eq!(WallClock::parse(text, MonthDayYear), None, "{text}");
        }
    }

    #[test]
    fn one_impossible_day_decides_the_order_of_a_column() {
        assert_eq!(decide_order(["1/2/2024", "13/2/2024"].into_iter()), Some(DateOrder::DayMonthYear));
        assert_eq!(decide_order(["1/2/2024", "2/13/2024"].into_iter()), Some(DateOrder::MonthDayYear));
        assert_eq!(decide_order(["1/2/2024", "3/4/2024"].into_iter()), None);
        assert_eq!(decide_order(["2024-01-02", "2024-03-04"].into_iter()), Some(DateOrder::YearMonthDay));
    }

    #[test]
    fn zone_evidence_travels_and_summer_time_is_doubted() {
        let berlin = Zone::named("Europe/Berlin", ZoneEvidence::SiteDefault).unwrap();
        let read = |text: &str| WallClock::parse(text, DateOrder::YearMonthDay).unwrap().in_zone(&berlin, text).unwrap();
        let twice = read("2024-10-27 02:30");
        assert_eq!((twice.doubt, twice.instant.to_string().as_str()), (Some(ClockDoubt::Repeated), "2024-10-27T00:30:00Z"));
        assert_eq!(read("2024-03-31 02:30").doubt, Some(ClockDoubt::Skipped));
        let stated = read("2024-07-01 12:00+09:00");
        assert_eq!((stated.evidence, stated.instant.to_string().as_str()), (ZoneEvidence::File, "2024-07-01T03:00:00Z"));
        assert_eq!(read("2024-07-01 12:00").evidence, ZoneEvidence::SiteDefault);
        let bias = Zone::minutes_east(60, ZoneEvidence::File).unwrap();
        let wall = WallClock::parse("2016-07-19 09:04:46", DateOrder::YearMonthDay).unwrap();
        assert_eq!(wall.in_zone(&bias, "").unwrap().instant.to_string(), "2016-07-19T08:04:46Z");
        assert!(Zone::named("Nowhere/Here", ZoneEvidence::File).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_not(text in "\\PC{0,80}") {
            for order in [DateOrder::YearMonthDay, DateOrder::MonthDayYear, DateOrder::DayMonthYear] {
                let _ = WallClock::parse(&text, order);
            }
        }
        #[test]
        fn instants_read_back(ns in any::<i64>()) {
            let instant = Instant(ns);
            prop_assert_eq!(Instant::parse(&instant.to_string()).unwrap(), instant);
        }
    }
}
