//! What the files of laboratory analysers share: result cells, clocks, date orders, further facts.

use crate::format::Site;
use toji_core::clock::{DateOrder, OrderEvidence, WallClock, decide_order};
use toji_core::culture::{Fields, When};
use toji_core::decimal::Decimal;
use toji_core::value::{NumberStyle, fold_width};
use toji_core::{Diagnostic, Place, Unit, Value, ValueKind, variable};

/// How a file writes numbers: decimal comma when its number cells hold commas and no point.
pub(crate) fn number_style<'a>(cells: impl Iterator<Item = &'a str>) -> NumberStyle {
    let (mut commas, mut points) = (0usize, 0usize);
    for cell in cells {
        let cell = cell.trim().trim_start_matches(['<', '>', '=', ' ']);
        if cell.is_empty() || !cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | '+' | 'e' | 'E')) {
            continue;
        }
        commas += usize::from(cell.contains(','));
        points += usize::from(cell.contains('.'));
    }
    if commas > 0 && points == 0 { NumberStyle::Comma } else { NumberStyle::Point }
}

/// Where the unit of a result comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnitSource<'a> {
    /// Written in the file.
    Written(&'a str),
    /// The instrument's fixed unit, which the file does not write.
    Format(&'a str),
    /// None known.
    Unknown,
}

/// A result cell with its unit. A unit inside the cell (`10.00%`) wins over the column's, and is
/// reported, since the two may contradict each other.
pub(crate) fn result(text: &str, unit: UnitSource<'_>, style: NumberStyle, place: &Place, found: &mut Vec<Diagnostic>) -> Value {
    let value = Value::parse_with(text, style);
    if value.kind == ValueKind::Text
        && let Some((number, own)) = split_unit(text)
    {
        let inner = Value::parse_with(number, style);
        if inner.kind != ValueKind::Text && Unit::parse(own).is_ok() {
            found.push(
                Diagnostic::warning(
                    "W-UNIT-002",
                    place.clone(),
                    format!("セル「{text}」に単位「{own}」が書かれているため、列の単位ではなくこれを使いました"),
                    format!("the cell \"{text}\" states its own unit \"{own}\", which was used instead of the column's"),
                )
                .remedy("値と単位を装置の画面で確かめてください", "check value and unit at the instrument"),
            );
            let (value, _) = inner.with_raw_unit(own);
            return Value { text: text.trim().to_owned(), ..value };
        }
    }
    match unit {
        UnitSource::Written(raw) if !raw.trim().is_empty() => {
            let (value, fault) = value.with_raw_unit(raw);
            if let Some(fault) = fault {
                let words = &fault.fault().message;
                found.push(
                    Diagnostic::warning("W-UNIT-001", place.clone(), words.ja.clone(), words.en.clone())
                        .remedy("値は元の単位のまま残ります", "the value is kept with its unit as written"),
                );
            }
            value
        }
        UnitSource::Format(code) => match Unit::parse(code) {
            Ok(unit) => value.with_unit(unit),
            Err(_) => value,
        },
        _ => value,
    }
}

/// Can a value in this unit be this variable? A percentage in a density column is none, nor is a
/// pressure a temperature; mass and amount of substance per volume stand for each other.
pub(crate) fn fits(variable: &str, value: &Value) -> bool {
    let usual = variable::get(variable).and_then(|v| Unit::parse(&v.unit).ok());
    match (&value.unit, usual) {
        (Some(unit), Some(usual)) => {
            let per_volume = |u: &Unit| u.code().contains('/');
            let optical = |u: &Unit| u.code().contains("{OD") || u.code().contains("{AU}");
            unit.commensurable(&usual) || (optical(unit) && optical(&usual)) || (per_volume(unit) && per_volume(&usual))
        }
        _ => true,
    }
}

/// `10.00%` → (`10.00`, `%`); `None` when the text does not start with a number or bound.
fn split_unit(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let mut chars = text.char_indices().peekable();
    let at = loop {
        let (at, c) = chars.next()?;
        let next = chars.peek().map_or(' ', |(_, c)| *c);
        // `1.14E6 cells/mL`: the exponent belongs to the number.
        let exponent = matches!(c, 'e' | 'E') && (next.is_ascii_digit() || matches!(next, '-' | '+')) && at > 0;
        if !(c.is_ascii_digit() || exponent || " <>=≤≥.,+-".contains(c)) {
            break at;
        }
    };
    let (number, own) = text.split_at(at);
    // A digit damaged to a letter must not become a unit: `0.1A61` is no 0.1, nor is `1.³7` a 1.
    let torn = !number.ends_with(' ') && own.chars().any(char::is_numeric);
    if torn || number.trim_end().ends_with(['.', ',']) {
        return None;
    }
    (number.contains(|c: char| c.is_ascii_digit()) && own.chars().count() <= 16).then_some((number.trim(), own.trim()))
}

/// A column of times: how to read them, and what was doubtful.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    site: &'a Site,
    order: DateOrder,
}

impl<'a> Clock<'a> {
    /// For times that state their order themselves.
    pub(crate) fn of(site: &'a Site) -> Self {
        Self { site, order: site.date_order.unwrap_or_default() }
    }

    /// For a column: its own days above 12 decide the order, else the site, else the format's usual
    /// order with a warning.
    pub(crate) fn for_column(
        site: &'a Site,
        usual: DateOrder,
        cells: &[&str],
        place: &Place,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        if let Some(order) = decided_order(cells) {
            return Self { site, order };
        }
        let order = site.date_order.unwrap_or(usual);
        let open = |c: &&str| WallClock::parse(&tidy_date(c), order).is_some_and(|w| w.order == OrderEvidence::Default);
        if site.date_order.is_none() && cells.iter().any(open) {
            let (ja, en) = match order {
                DateOrder::DayMonthYear => ("日/月/年", "day/month/year"),
                DateOrder::MonthDayYear => ("月/日/年", "month/day/year"),
                DateOrder::YearMonthDay => ("年/月/日", "year/month/day"),
            };
            found.push(
                Diagnostic::warning(
                    "W-CLOCK-010",
                    place.clone(),
                    format!("日付の並びを決める手がかりがないため、{ja} と読みました"),
                    format!("nothing in the column tells day from month; read as {en}"),
                )
                .remedy("拠点の設定で日付の並びを指定してください", "set the site's date order"),
            );
        }
        Self { site, order }
    }

    /// The same site with another order.
    pub(crate) fn with_order(self, order: DateOrder) -> Self {
        Self { order, ..self }
    }
    /// The order in which this column's times lie nearest to those of another column of the same rows:
    /// two clocks of one row may be written in different orders.
    pub(crate) fn nearest_to(self, other: Self, pairs: &[(&str, &str)]) -> Self {
        let distance = |order: DateOrder| {
            let apart = |(mine, theirs): &(&str, &str)| {
                let mine = WallClock::parse(&tidy_date(mine), order)?.at;
                let theirs = WallClock::parse(&tidy_date(theirs), other.order)?.at;
                Some(mine.duration_since(theirs).as_secs().unsigned_abs())
            };
            pairs.iter().filter_map(apart).fold(0u64, u64::saturating_add)
        };
        let orders = [other.order, DateOrder::MonthDayYear, DateOrder::DayMonthYear];
        let order = orders.into_iter().min_by_key(|order| distance(*order)).unwrap_or(other.order);
        self.with_order(order)
    }

    /// The time; unreadable ones are `Unknown` with a warning at their place. Empty is `Unknown`.
    pub(crate) fn when(self, text: &str, place: &Place, found: &mut Vec<Diagnostic>) -> When {
        if text.trim().is_empty() {
            return When::Unknown;
        }
        let read = WallClock::parse(&tidy_date(text), self.order).and_then(|w| w.in_zone(&self.site.zone, text).ok());
        match read {
            Some(at) => {
                if at.doubt.is_some() {
                    found.push(Diagnostic::warning(
                        "W-CLOCK-012",
                        place.clone(),
                        format!("時刻「{text}」は夏時間の切替と重なり、一つに定まりません"),
                        format!("the time \"{text}\" falls into a clock change and does not name one instant"),
                    ));
                }
                When::At(at)
            }
            None => {
                found.push(
                    Diagnostic::warning(
                        "W-CLOCK-011",
                        place.clone(),
                        format!("時刻として読めません: 「{text}」"),
                        format!("not readable as a time: \"{text}\""),
                    )
                    .remedy("元のファイルの日時を確かめてください", "check the date and time in the original file"),
                );
                When::Unknown
            }
        }
    }
}

/// The order the cells of a column decide themselves.
pub(crate) fn decided_order(cells: &[&str]) -> Option<DateOrder> {
    let cells: Vec<String> = cells.iter().map(|c| tidy_date(c)).collect();
    decide_order(cells.iter().map(String::as_str))
}

/// `18 Oct 2022  9:08:24 AM` as `18-Oct-2022 9:08:24 AM`: a date of three words becomes one. A time of
/// day without marks gets them: `20231120 163016` is `20231120 16:30:16`.
pub(crate) fn tidy_date(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [a, b, c, rest @ ..] if !a.contains(':') && !b.contains(':') && !c.contains(':') && c.len() == 4 => {
            format!("{a}-{}-{c} {}", b.trim_end_matches([',', '.']), rest.join(" "))
        }
        [date, time] if digits(date, 8) && digits(time, 6) => {
            let part = |from: usize| time.get(from..from + 2).unwrap_or("");
            format!("{date} {}:{}:{}", part(0), part(2), part(4))
        }
        words => words.join(" "),
    }
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

/// Adds a fact in the file's words; blank cells add nothing.
pub(crate) fn note(fields: &mut Fields, name: &str, text: &str) {
    let text = text.trim();
    if !text.is_empty() && !name.is_empty() {
        fields.insert(name.to_owned(), text.into());
    }
}

/// A header for comparison: letters and digits in lower case, micro signs as `u`, what stands in
/// brackets left out.
pub(crate) fn header_key(header: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::new();
    for c in fold_width(header).chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            'µ' | 'μ' if depth == 0 => out.push('u'),
            _ if depth == 0 && c.is_alphanumeric() => out.extend(c.to_lowercase()),
            '@' | '%' | '+' if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// What stands in the last brackets of a header: usually its unit.
pub(crate) fn bracketed(header: &str) -> Option<&str> {
    let open = header.rfind(['(', '['])?;
    let inside = header.get(open + 1..)?;
    let close = inside.find([')', ']'])?;
    Some(inside.get(..close)?.trim()).filter(|unit| !unit.is_empty())
}

/// The factor of a dilution written as `1:10`, `1/4`, `1:01`, `20.00`.
pub(crate) fn dilution_factor(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let factor = match text.split_once([':', '/']) {
        Some((one, factor)) if one.trim() == "1" => factor.trim(),
        Some(_) => return None,
        None => text,
    };
    Decimal::parse(factor).filter(|d| d.mantissa > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::clock::Zone;

    fn read(text: &str, unit: UnitSource<'_>) -> (Value, usize) {
        let mut found = Vec::new();
        let value = result(text, unit, NumberStyle::Point, &Place::line(1), &mut found);
        (value, found.len())
    }

    #[test]
    fn a_cell_with_its_own_unit_is_not_forced_into_the_columns() {
        let (value, warnings) = read("10.00%", UnitSource::Format("10*6/mL"));
        assert_eq!((value.number, value.unit.as_ref().map(Unit::code), warnings), (Some(10.0), Some("%"), 1));
        assert_eq!(value.text, "10.00%");
        let (bound, _) = read("< 5 mg/L", UnitSource::Unknown);
        assert_eq!((bound.kind, bound.high), (ValueKind::LessThan, Some(5.0)));
        for torn in ["0.1A61", "1.\u{b3}7", "1.A"] {
            assert_eq!(read(torn, UnitSource::Unknown).0.kind, ValueKind::Text, "{torn}");
        }
        let (power, _) = read("1.14E6 cells/mL", UnitSource::Unknown);
        assert_eq!((power.number, power.unit.as_ref().map(Unit::code)), (Some(1_140_000.0), Some("/mL")));
        let (words, _) = read("see note", UnitSource::Written("g/L"));
        assert_eq!(words.kind, ValueKind::Text);
        let (odd, warnings) = read("3", UnitSource::Written("furlongs"));
        assert_eq!((odd.number, odd.unit, odd.raw_unit.as_deref(), warnings), (Some(3.0), None, Some("furlongs"), 1));
    }

    #[test]
    fn decimal_commas_are_seen() {
        assert_eq!(number_style(["3,62", "< 0,5", "R"].into_iter()), NumberStyle::Comma);
        assert_eq!(number_style(["1,234.5", "2"].into_iter()), NumberStyle::Point);
    }

    #[test]
    fn headers_units_and_dilutions() {
        assert_eq!(header_key("Average diameter (μm)"), header_key("average  Diameter (µm)"));
        assert_eq!(header_key("pH @ Temp"), "ph@temp");
        assert_eq!(bracketed("Vessel Temperature (°C)"), Some("°C"));
        assert_eq!(bracketed("Gluc"), None);
        assert_eq!(dilution_factor("1:01").map(Decimal::to_f64), Some(1.0));
        assert_eq!(dilution_factor("1/4").map(Decimal::to_f64), Some(4.0));
        assert_eq!(dilution_factor("20.00").map(Decimal::to_f64), Some(20.0));
        assert_eq!(dilution_factor("2:3"), None);
    }

    #[test]
    fn dates_of_three_words() {
        let site = Site { zone: Zone::assumed(), date_order: None };
        let mut found = Vec::new();
        let when = Clock::of(&site).when("18 Oct 2022  9:08:24 PM", &Place::line(1), &mut found);
        let When::At(at) = when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2022-10-18T21:08:24Z");
        assert_eq!(at.raw, "18 Oct 2022  9:08:24 PM");
        let bare = Clock::of(&site).when("20231120 163016", &Place::line(1), &mut found);
        let When::At(at) = bare else { panic!("a time") };
        assert_eq!((at.instant.to_string().as_str(), at.raw.as_str()), ("2023-11-20T16:30:16Z", "20231120 163016"));
        assert_eq!(Clock::of(&site).when("soon", &Place::line(1), &mut found), When::Unknown);
        assert_eq!(found.len(), 1);
    }
}
