//! Numbers and instants from bytes, without allocation, for the fast path.
//!
//! What is not of the plain form goes to the general readers of toji-core; results are the same.

use crate::format::Site;
use toji_core::clock::{DateOrder, SECOND_NS, WallClock};
use toji_core::culture::SCALE_MAX;
use toji_core::value::NumberStyle;

/// Powers of ten up to 10⁹.
pub(super) const POWERS: [i64; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Digits with a sign and a point, at most 18 of them: `mantissa × 10^-scale`.
pub(super) fn decimal(text: &[u8]) -> Option<(i64, u8)> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, text.get(1..)?),
        _ => (false, text),
    };
    if digits.len() > 19 || digits.is_empty() {
        return None;
    }
    let (mut mantissa, mut count, mut scale, mut point) = (0i64, 0u8, 0u8, false);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            if count == 18 {
                return None;
            }
            mantissa = mantissa * 10 + i64::from(digit);
            count += 1;
            scale += u8::from(point);
        } else if *byte == b'.' && !point {
            point = true;
        } else {
            return None;
        }
    }
    (count > 0 && scale <= SCALE_MAX).then_some((if negative { -mantissa } else { mantissa }, scale))
}

/// Reads instants and elapsed seconds, remembering the last date and hour.
#[derive(Debug, Default)]
pub(super) struct Clock {
    date: [u8; 10],
    date_ns: i64,
    /// Date and hour without offset, and nanoseconds to add to reach UTC.
    hour: [u8; 13],
    hour_shift_ns: Option<i64>,
}

impl Clock {
    /// Nanoseconds, whether by the clock, and whether a clock change makes it doubtful.
    pub(super) fn read(&mut self, text: &[u8], site: &Site) -> Option<(i64, bool, bool)> {
        if text.len() < 19 || text.get(4) != Some(&b'-') {
            if let Some((mantissa, scale)) = decimal(text) {
                let power = *POWERS.get(usize::from(9 - scale))?;
                return mantissa.checked_mul(power).map(|ns| (ns, false, false));
            }
            return Self::general(text, site);
        }
        match self.rfc3339(text, site) {
            Some(t_ns) => Some((t_ns, true, false)),
            None => Self::general(text, site),
        }
    }

    fn general(text: &[u8], site: &Site) -> Option<(i64, bool, bool)> {
        let text = std::str::from_utf8(text).ok()?;
        if let Some(number) = NumberStyle::Point.read(text) {
            return number.at_scale(9).map(|ns| (ns, false, false));
        }
        let order = site.date_order.unwrap_or_default();
        let at = WallClock::parse(text, order)?.in_zone(&site.zone, text).ok()?;
        Some((at.instant.0, true, at.doubt.is_some()))
    }

    fn rfc3339(&mut self, text: &[u8], site: &Site) -> Option<i64> {
        let two = |at: usize| {
            let (a, b) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
            (a <= 9 && b <= 9).then(|| i64::from(a) * 10 + i64::from(b))
        };
        let date = text.get(..10)?;
        if date != self.date {
            let year = two(0)? * 100 + two(2)?;
            self.date_ns = midnight_ns(year, two(5)?, two(8)?).filter(|_| text.get(7) == Some(&b'-'))?;
            self.date.copy_from_slice(date);
        }
        let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
        let shaped = matches!(text.get(10)?, b'T' | b't' | b' ') && text.get(13) == Some(&b':') && text.get(16) == Some(&b':');
        if !shaped || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut at = 19;
        let mut fraction = 0i64;
        if text.get(at) == Some(&b'.') {
            at += 1;
            let start = at;
            while let Some(digit) = text.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d <= 9) {
                if at - start < 9 {
                    fraction = fraction * 10 + i64::from(digit);
                }
                at += 1;
            }
            fraction *= *POWERS.get(9usize.checked_sub((at - start).min(9))?)?;
            if at == start {
                return None;
            }
        }
        let local = self.date_ns.checked_add(((hour * 60 + minute) * 60 + second) * SECOND_NS + fraction)?;
        let shift = match text.get(at..)? {
            b"Z" | b"z" => 0,
            b"" => self.shift(text, site)?,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let minutes = two(at + 1)? * 60 + two(at + 4)?;
                let ns = minutes * 60 * SECOND_NS;
                if *sign == b'+' { -ns } else { ns }
            }
            _ => return None,
        };
        local.checked_add(shift)
    }

    /// From the wall clock of this hour to UTC; `None` in hours that a clock change touches.
    fn shift(&mut self, text: &[u8], site: &Site) -> Option<i64> {
        let key = text.get(..13)?;
        if key != self.hour {
            self.hour.copy_from_slice(key);
            let hour = std::str::from_utf8(key).ok()?;
            let resolve = |rest: &str| {
                let text = format!("{hour}{rest}");
                let wall = WallClock::parse(&text, DateOrder::YearMonthDay)?;
                wall.in_zone(&site.zone, &text).ok().filter(|at| at.doubt.is_none()).map(|at| at.instant.0)
            };
            let (first, last) = (resolve(":00:00"), resolve(":59:59"));
            let hours = i64::from(key.get(11)?.wrapping_sub(b'0')) * 10 + i64::from(key.get(12)?.wrapping_sub(b'0'));
            let local = self.date_ns.checked_add(hours * 3600 * SECOND_NS)?;
            self.hour_shift_ns = match (first, last) {
                (Some(first), Some(last)) if last - first == 3599 * SECOND_NS => Some(first - local),
                _ => None,
            };
        }
        self.hour_shift_ns
    }
}

/// Midnight of a date in nanoseconds since 1970, for dates that exist and fit.
fn midnight_ns(year: i64, month: i64, day: i64) -> Option<i64> {
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let days = date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days();
    i64::from(days).checked_mul(86_400 * SECOND_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals() {
        assert_eq!(decimal(b"7.05"), Some((705, 2)));
        assert_eq!(decimal(b"-0.5"), Some((-5, 1)));
        assert_eq!(decimal(b"12"), Some((12, 0)));
        for text in
            [&b""[..], b"-", b".", b"1e3", b"1,5", b"1.2.3", b"0.1234567891", b"12345678901234567890", b"9999999999999999999"]
        {
            assert_eq!(decimal(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn instants_agree_with_the_general_reader() {
        let site = Site {
            zone: toji_core::clock::Zone::named("Europe/Berlin", toji_core::ZoneEvidence::SiteDefault).unwrap(),
            date_order: None,
        };
        let mut clock = Clock::default();
        for text in [
            "2026-11-24T15:02:39Z",
            "2026-11-24T15:02:39.123456Z",
            "2026-11-24 15:02:39.5+09:00",
            "2024-02-29T23:59:59-03:30",
            "2024-07-01 12:00:00",
            "2024-10-27 02:30:00",
            "2024-10-27 03:30:00",
            "1969-12-31T23:59:59Z",
        ] {
            let wall = WallClock::parse(text, DateOrder::YearMonthDay).unwrap().in_zone(&site.zone, text).unwrap();
            assert_eq!(clock.read(text.as_bytes(), &site), Some((wall.instant.0, true, wall.doubt.is_some())), "{text}");
        }
        for text in ["2023-02-29T00:00:00Z", "2023-01-01T24:00:00Z", "2023-13-01T00:00:00Z", "hello", ""] {
            assert_eq!(clock.read(text.as_bytes(), &site), None, "{text}");
        }
        assert_eq!(clock.read(b"10.5", &site), Some((10_500_000_000, false, false)));
    }
}
