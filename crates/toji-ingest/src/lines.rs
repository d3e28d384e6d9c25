//! Lines of delimited text split without copying, and the numbers and times in their cells.
//!
//! Reactors write a few hundred thousand cells a file; a `String` for each costs more than all the
//! parsing, so cells are slices of the text.

use jiff::civil::DateTime;
use toji_core::decimal::Decimal;

/// Splits a line at `separator` into `out`, outer double quotes and white space removed. A separator
/// inside quotes does not split; `""` inside a quoted cell stays as written.
pub(crate) fn split_line<'a>(line: &'a str, separator: u8, out: &mut Vec<&'a str>) {
    out.clear();
    let bytes = line.as_bytes();
    let mut start = 0;
    loop {
        let (cell, next) = next_cell(line, bytes, start, separator);
        out.push(cell);
        match next {
            Some(next) => start = next,
            None => return,
        }
    }
}

/// Splits a line without quotes at `separator` into `out`, white space removed.
pub(crate) fn split_plain<'a>(line: &'a str, separator: u8, out: &mut Vec<&'a str>) {
    out.clear();
    let mut start = 0;
    for (at, byte) in line.bytes().enumerate() {
        if byte == separator {
            out.push(line.get(start..at).unwrap_or("").trim_ascii());
            start = at + 1;
        }
    }
    out.push(line.get(start..).unwrap_or("").trim_ascii());
}

fn next_cell<'a>(line: &'a str, bytes: &[u8], start: usize, separator: u8) -> (&'a str, Option<usize>) {
    // Logs on change are mostly `"";`.
    if let Some([b'"', b'"', next, ..]) = bytes.get(start..)
        && *next == separator
    {
        return ("", Some(start + 3));
    }
    let mut quoted = false;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'"' => quoted = !quoted,
            b if b == separator && !quoted => break,
            _ => {}
        }
        at += 1;
    }
    let cell = line.get(start..at).unwrap_or("").trim_ascii();
    let inner = cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')).map_or(cell, str::trim_ascii);
    (inner, (at < bytes.len()).then_some(at + 1))
}

/// A short plain number with a decimal point or comma: mantissa and digits behind the point.
#[inline]
pub(crate) fn scaled(cell: &str) -> Option<(i64, u8)> {
    let bytes = cell.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    // 18 digits fit an i64 without looking.
    if digits.len() > 18 {
        return None;
    }
    let (mut mantissa, mut scale, mut point, mut any) = (0i64, 0u8, false, false);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + i64::from(digit);
            scale += u8::from(point);
            any = true;
        } else if (*byte == b'.' || *byte == b',') && !point {
            point = true;
        } else {
            return None;
        }
    }
    any.then_some((if negative { -mantissa } else { mantissa }, scale))
}

/// A number with a decimal point or a decimal comma, without group separators. `None` for anything else.
pub(crate) fn decimal(cell: &str) -> Option<Decimal> {
    let cell = cell.trim_ascii();
    match scaled(cell) {
        Some((mantissa, scale)) => Some(Decimal { mantissa: i128::from(mantissa), scale: i32::from(scale) }),
        None => long_decimal(cell),
    }
}

#[cold]
fn long_decimal(cell: &str) -> Option<Decimal> {
    Decimal::parse(cell).or_else(|| (cell.matches(',').count() == 1).then(|| Decimal::parse(&cell.replace(',', "."))).flatten())
}

/// A number of some unit as nanoseconds, rounded to the nearest. `unit_ns`: nanoseconds of one unit.
pub(crate) fn elapsed_ns(number: Decimal, unit_ns: i64) -> Option<i64> {
    let product = number.mantissa.checked_mul(i128::from(unit_ns))?;
    let ns = match u32::try_from(number.scale) {
        Ok(scale) if scale > 38 => 0,
        Ok(scale) => {
            let ten = 10i128.checked_pow(scale)?;
            let half = if product < 0 { -(ten / 2) } else { ten / 2 };
            product.checked_add(half)? / ten
        }
        Err(_) => product.checked_mul(10i128.checked_pow(number.scale.unsigned_abs())?)?,
    };
    i64::try_from(ns).ok()
}

/// Digits at a place of an ASCII text.
fn digits(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    bytes.get(from..to)?.iter().try_fold(0i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// `2018-07-26 11:53:36`, also with `T` and a fraction of a second: date and time, and what stands behind.
pub(crate) fn wall_clock(text: &str) -> Option<(DateTime, &str)> {
    let bytes = text.as_bytes();
    let mark = |i: usize, marks: &[u8]| bytes.get(i).is_some_and(|b| marks.contains(b));
    if !(mark(4, b"-") && mark(7, b"-") && mark(10, b" T") && mark(13, b":") && mark(16, b":")) {
        return None;
    }
    let small = |from: usize| digits(bytes, from, from + 2).and_then(|n| i8::try_from(n).ok());
    let (mut nanosecond, mut end) = (0i64, 19);
    if mark(19, b".,") {
        let mut weight = 100_000_000i64;
        end = 20;
        while let Some(b) = bytes.get(end).filter(|b| b.is_ascii_digit()) {
            nanosecond += i64::from(b - b'0') * weight;
            weight /= 10;
            end += 1;
        }
    }
    let at = DateTime::new(
        i16::try_from(digits(bytes, 0, 4)?).ok()?,
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        i32::try_from(nanosecond).ok()?,
    )
    .ok()?;
    Some((at, text.get(end..)?))
}

/// `2025-02-26T10:27:40.854742Z` or with an offset, as nanoseconds since 1970. `None` without zone.
pub(crate) fn rfc3339_ns(text: &str) -> Option<i64> {
    let (at, rest) = wall_clock(text.trim())?;
    let rest = rest.trim_start();
    let offset_s = match rest.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let hours = digits(offset, 0, 2)?;
            let minutes = match offset {
                [_, _, b':', _, _] => digits(offset, 3, 5)?,
                [_, _, _, _] => digits(offset, 2, 4)?,
                [_, _] => 0,
                _ => return None,
            };
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    utc_ns(at)?.checked_sub(offset_s * 1_000_000_000)
}

/// A wall clock that shows UTC, as nanoseconds since 1970.
pub(crate) fn utc_ns(at: DateTime) -> Option<i64> {
    // Days since 1970 of the proleptic Gregorian calendar, counted in years that begin in March.
    let (year, month, day) = (i64::from(at.year()), i64::from(at.month()), i64::from(at.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
    seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(at.subsec_nanosecond()))
}

/// `ACT TEMP [°C]` is a name and a unit; also `(h)`. The unit is `None` where no bracket closes the header.
pub(crate) fn name_and_unit(header: &str) -> (&str, Option<&str>) {
    let header = header.trim();
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some(inner) = header.strip_suffix(close)
            && let Some(at) = inner.rfind(open)
            && let (Some(name), Some(unit)) = (inner.get(..at), inner.get(at + 1..))
            && !name.trim().is_empty()
        {
            return (name.trim(), Some(unit.trim()));
        }
    }
    (header, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_split_outside_quotes_only() {
        let mut cells = Vec::new();
        split_line("\"a;b\"; 1.5;\"\";x", b';', &mut cells);
        assert_eq!(cells, ["a;b", "1.5", "", "x"]);
        split_line("", b';', &mut cells);
        assert_eq!(cells, [""]);
        split_line("a;", b';', &mut cells);
        assert_eq!(cells, ["a", ""]);
    }

    #[test]
    fn numbers_with_point_or_comma() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(decimal(text).map(Decimal::to_f64), expected, "{text}");
        check("20,95", Some(20.95));
        check(".05", Some(0.05));
        check("-9999.00", Some(-9999.0));
        check("6.94444446708076E-04", Some(6.944_444_467_080_76e-4));
        check("1,234,5", None);
        check("1.2.3", None);
        check("", None);
        check("-", None);
        check("abc", None);
    }

    #[test]
    fn hours_become_nanoseconds_exactly() {
        let ns = |text: &str, unit| elapsed_ns(decimal(text).unwrap(), unit);
        assert_eq!(ns("0.00575", 3_600_000_000_000), Some(20_700_000_000));
        assert_eq!(ns("19.83986", 3_600_000_000_000), Some(71_423_496_000_000));
        assert_eq!(ns("-1.5", 1_000_000_000), Some(-1_500_000_000));
        assert_eq!(ns("1e300", 1_000_000_000), None);
    }

    #[test]
    fn instants_agree_with_the_calendar() {
        assert_eq!(rfc3339_ns("2025-02-26T10:27:40.854742Z"), Some(1_740_565_660_854_742_000));
        assert_eq!(rfc3339_ns("2025-02-26 19:27:40+09:00"), Some(1_740_565_660_000_000_000));
        assert_eq!(rfc3339_ns("2025-02-26T10:27:40"), None);
        assert_eq!(rfc3339_ns("2025-02-30T10:27:40Z"), None);
    }

    #[test]
    fn headers_carry_units() {
        assert_eq!(name_and_unit("ACT TEMP [°C]"), ("ACT TEMP", Some("°C")));
        assert_eq!(name_and_unit("Time (h)"), ("Time", Some("h")));
        assert_eq!(name_and_unit("pH(HP8)"), ("pH", Some("HP8")));
        assert_eq!(name_and_unit("[x]"), ("[x]", None));
    }

    proptest! {
        #[test]
        fn any_line_is_split(line in "\\PC{0,60}") {
            let mut cells = Vec::new();
            split_line(&line, b';', &mut cells);
            prop_assert!(!cells.is_empty());
            let _ = (decimal(&line), wall_clock(&line), rfc3339_ns(&line), name_and_unit(&line));
        }
        #[test]
        fn utc_agrees_with_jiff(seconds in -9_000_000_000i64..9_000_000_000, nanos in 0i32..1_000_000_000) {
            let stamp = jiff::Timestamp::new(seconds, if seconds < 0 { 0 } else { nanos }).unwrap();
            let at = jiff::tz::TimeZone::UTC.to_datetime(stamp);
            prop_assert_eq!(utc_ns(at).map(i128::from), Some(stamp.as_nanosecond()));
        }
    }
}
