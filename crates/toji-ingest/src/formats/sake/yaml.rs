//! Koji and moromi progress as YAML: a list `states` of visits with time, mark, temperatures, analyses.

use super::{Brew, find_quantity};
use crate::{Evidence, Format, Site, Source};
use toji_core::clock::{DateOrder, HOUR_NS, WallClock};
use toji_core::culture::{NotRead, Reading};
use toji_core::{ClockTime, Diagnostic, Error, Place, Result, Text};
use yaml_rust2::{Yaml, YamlLoader};

/// The format.
pub(crate) struct SakeYaml;

/// Deepest nesting accepted: a progress file needs four levels.
const DEPTH_MAX: usize = 64;

impl Format for SakeYaml {
    fn id(&self) -> &'static str {
        "sake-progress-yaml"
    }
    fn label(&self) -> Text {
        Text::new("麹・醪の経過 (YAML)", "Koji and moromi progress (YAML)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: Vec<&str> = source.text().lines().take(200).collect();
        let at_start = |word: &str| head.iter().any(|l| l.trim_end() == word);
        let item = |words: &[&str]| head.iter().any(|l| words.iter().any(|w| l.trim_start_matches([' ', '-']).starts_with(w)));
        if !at_start("states:") || !item(&["time:", "elapsed_time:", "day:"]) {
            return None;
        }
        let brewing = item(&["temps:", "mark:", "baume:", "nihonshudo:", "room_dry_temp:", "preset_temp:"]);
        brewing
            .then(|| Evidence::new(92, "states の各要素に time と品温・印", "states, each with a time, temperatures and marks"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let text = source.text();
        guard(text)?;
        let documents = YamlLoader::load_from_str(text).map_err(|e| {
            Error::input(
                "E-SAKE-001",
                format!("YAML として読めません: {}", e.info()),
                format!("not readable as YAML: {}", e.info()),
            )
            .at(Place::line(e.marker().line() as u64).at_column(e.marker().col() as u64 + 1))
            .hint("字下げと引用符を確認してください", "check indentation and quotes")
        })?;
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        for document in &documents {
            read_document(document, site, &mut reading);
        }
        if reading.runs.is_empty() {
            return Err(Error::input("E-SAKE-003", "読める経過がありません", "no progress could be read")
                .at(Place::field("states"))
                .hint("states の下に time のある要素を並べてください", "list entries with a time under states"));
        }
        Ok(reading)
    }
}

/// Refuses what a progress file never needs and a parser suffers from: anchors and very deep nesting.
fn guard(text: &str) -> Result<()> {
    let mut depth = 0usize;
    for (line, number) in text.lines().zip(1u64..) {
        let opens = line.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
        let closes = line.bytes().filter(|b| matches!(b, b']' | b'}')).count();
        let lead = line.len() - line.trim_start_matches([' ', '-', '?', ':', '\t']).len();
        let anchor = [": &", "- &"].iter().any(|mark| line.contains(mark));
        if depth + opens > DEPTH_MAX || lead > 4 * DEPTH_MAX || anchor {
            return Err(Error::input(
                "E-SAKE-002",
                "アンカーや深すぎる入れ子は読みません",
                "anchors and very deep nesting are not read",
            )
            .at(Place::line(number))
            .hint("経過の記録だけを書いてください", "write the progress record only"));
        }
        depth = (depth + opens).saturating_sub(closes);
    }
    Ok(())
}

/// The text of a scalar as written.
fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::Real(text) | Yaml::String(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// The texts of a scalar or of a list of scalars.
fn scalars(value: &Yaml) -> Vec<String> {
    match value {
        Yaml::Array(items) => items.iter().filter_map(scalar).collect(),
        other => scalar(other).into_iter().collect(),
    }
}

fn read_document(document: &Yaml, site: &Site, reading: &mut Reading) {
    let Yaml::Hash(top) = document else { return };
    let mut brew = Brew::default();
    let mut states: &[Yaml] = &[];
    for (key, value) in top {
        let Some(key) = scalar(key) else { continue };
        match value {
            Yaml::Array(items) if key == "states" => states = items,
            other => {
                let texts = scalars(other);
                let text = if texts.len() == 1 { texts.concat().into() } else { serde_json::Value::from(texts) };
                brew.fields.insert(key, text);
            }
        }
    }
    let mut clock: Option<ClockTime> = None;
    for (index, state) in states.iter().enumerate() {
        read_state(state, index, site, &mut clock, &mut brew, reading);
    }
    if brew.is_empty() {
        return;
    }
    let moromi = brew.fields.contains_key("prefix_day_labels")
        || brew.series.iter().any(|s| matches!(s.channel.key.as_str(), "baume" | "nihonshudo"));
    let (kind, title) = match (brew.is_shubo(), moromi) {
        (true, _) => ("shubo", "酒母"),
        (false, true) => ("moromi", "醪"),
        (false, false) => ("koji", "麹"),
    };
    brew.fields.insert("kind".into(), kind.into());
    let first = brew.first_text();
    let (run, said) = brew.finish(format!("sake {kind} | {first}"), format!("{title} {first}"));
    reading.runs.push(run);
    reading.diagnostics.extend(said);
}

/// The time of a state: by the clock, or elapsed (seconds, as planning tools write it).
fn state_time(state: &yaml_rust2::yaml::Hash, site: &Site) -> Option<(Option<ClockTime>, i64, bool)> {
    let get = |name: &str| state.get(&Yaml::String(name.into())).and_then(scalar);
    if let Some(raw) = get("time") {
        let wall = WallClock::parse(&raw, site.date_order.unwrap_or(DateOrder::YearMonthDay))?;
        let clock = wall.in_zone(&site.zone, &raw).ok()?;
        let t_ns = clock.instant.0;
        return Some((Some(clock), t_ns, wall.date_only));
    }
    if let Some(seconds) = get("elapsed_time") {
        return crate::lines::elapsed_ns(crate::lines::decimal(&seconds)?, 1_000_000_000).map(|t| (None, t, false));
    }
    let days = get("day")?;
    crate::lines::elapsed_ns(crate::lines::decimal(&days)?, 24 * HOUR_NS).map(|t| (None, t, true))
}

fn read_state(state: &Yaml, index: usize, site: &Site, last: &mut Option<ClockTime>, brew: &mut Brew, reading: &mut Reading) {
    let place = Place::field(format!("/states/{index}"));
    let Yaml::Hash(fields) = state else {
        reading.not_read.push(NotRead::new(place, &format!("{state:?}"), "要素が表ではありません", "the entry is not a mapping"));
        return;
    };
    let Some((clock, t_ns, day_only)) = state_time(fields, site) else {
        let text: Vec<String> =
            fields.iter().map(|(k, v)| format!("{}: {}", scalar(k).unwrap_or_default(), scalars(v).join(", "))).collect();
        reading.not_read.push(NotRead::new(place.clone(), &text.join("; "), "時刻が読めません", "the time is not readable"));
        reading.diagnostics.push(Diagnostic::warning(
            "W-SAKE-003",
            place,
            "時刻が読めない要素があります",
            "an entry has no readable time",
        ));
        return;
    };
    if let (Some(before), Some(now)) = (last.as_ref(), clock.as_ref())
        && now.instant < before.instant
    {
        reading.diagnostics.push(Diagnostic::warning(
            "W-SAKE-004",
            place.clone(),
            format!("時刻が前に戻ります: {}", now.raw),
            format!("time runs backwards: {}", now.raw),
        ));
    }
    brew.row(clock.as_ref(), t_ns);
    brew.day_precision |= day_only;
    *last = clock.or(last.take());
    for (key, value) in fields {
        let Some(key) = scalar(key) else { continue };
        if matches!(key.as_str(), "time" | "elapsed_time" | "day") {
            continue;
        }
        let texts = scalars(value);
        if key == "mark" || key == "day_label" {
            texts.iter().filter(|t| !t.trim().is_empty()).for_each(|t| brew.step(t_ns, t));
            continue;
        }
        let quantity = find_quantity(&key);
        for (nth, text) in texts.iter().enumerate() {
            // A word under a name that is no quantity is what somebody noted.
            if quantity.is_none() && crate::lines::decimal(text).is_none() {
                brew.observe(t_ns, &key, "", text);
            } else {
                brew.value(&key, quantity, None, nth, t_ns, text);
            }
        }
        if texts.is_empty() && !matches!(value, Yaml::Null) {
            reading.not_read.push(NotRead::new(
                place.clone().at_field(&key),
                &format!("{value:?}"),
                "この形の値は読みません",
                "a value of this shape is not read",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toji_core::culture::{Numbers, When};

    const FILE: &str = "date_line: 0\nprefix_day_labels: [添, 踊, 仲, 留]\nstates:\n- time: 2024-01-16\n  mark: 添\n  temps:\n  - 14.80\n  - 11.0\n  room_dry_temp: 9\n- time: 2024-01-17\n  temps: 14.3\n  baume: 8.6\n  nihonshudo: -27\n  odour: バナナ様\n- time: xx\n  temps: 3\n- 5\n";

    fn read(text: &str) -> Result<Reading> {
        let source = Source::new("x.yaml", text.as_bytes()).unwrap();
        SakeYaml.read(&source, &Site::default())
    }

    #[test]
    fn readings_of_a_visit_marks_and_scales() {
        assert!(SakeYaml.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score > 50);
        let reading = read(FILE).unwrap();
        let run = &reading.runs[0];
        assert_eq!(run.key, "sake moromi | 2024-01-16");
        let keys: Vec<_> = run.channels.iter().map(|c| (c.key.as_str(), c.points.len())).collect();
        assert_eq!(keys, [("temps", 2), ("temps #2", 1), ("room_dry_temp", 1), ("baume", 1), ("nihonshudo", 1)]);
        assert_eq!(run.channels[0].points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![1480, 1430] });
        assert_eq!(run.channels[3].unit.as_ref().unwrap().code(), "{Be}");
        assert_eq!(run.channels[4].points.number(0), Some(-27.0));
        assert_eq!(
            (run.events[0].label.as_str(), run.events[0].sort.as_str(), &run.events[0].when),
            ("添", "step", &When::Elapsed(0))
        );
        assert_eq!((run.observations[0].attribute.as_str(), run.observations[0].value.text.as_str()), ("odour", "バナナ様"));
        assert_eq!(reading.not_read.len(), 2);
        assert_eq!(run.fields["prefix_day_labels"][3], "留");
    }

    #[test]
    fn broken_deep_and_anchored_files_are_refused() {
        assert_eq!(read("states:\n- time: [1,\n").unwrap_err().code(), "E-SAKE-001");
        assert_eq!(read(&"[".repeat(5000)).unwrap_err().code(), "E-SAKE-002");
        assert_eq!(read("a: &x [1]\nb: *x\n").unwrap_err().code(), "E-SAKE-002");
        assert_eq!(read("states: []\n").unwrap_err().code(), "E-SAKE-003");
    }

    proptest! {
        #[test]
        fn mutated_files_never_panic(cut in 0usize..400, at in 0usize..400, junk in "\\PC{0,6}") {
            let mut text: String = FILE.chars().take(cut).collect();
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(0);
            text.insert_str(at, &junk);
            let _ = read(&text);
        }
        #[test]
        fn any_text_never_panics(text in "[-:\\[\\]{}#&*!|>' \na-z0-9?]{0,120}") {
            let _ = read(&text);
        }
    }
}
