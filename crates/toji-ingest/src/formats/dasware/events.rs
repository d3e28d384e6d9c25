//! `[Events]`: what the controller and its operators did.

use super::{Clock, Section, Unit};
use crate::lines::wall_clock;
use crate::plate::{Counted, not_read};
use std::collections::HashMap;
use toji_core::culture::{Event, Fields, Reading, When};

/// Reads the events and gives each to the unit it names; events that name none belong to every unit.
pub(super) fn read_events(sections: &[Section<'_>], clock: &Clock, units: &mut [Unit], reading: &mut Reading) {
    let mut faults = Counted::default();
    for section in sections.iter().filter(|s| s.name == "Events") {
        for (line, row) in section.table() {
            let get = |name: &str| row.get(name).copied().unwrap_or("");
            let stamp = get("Timestamp");
            let Some((t_ns, _)) = wall_clock(stamp).and_then(|(at, _)| clock.ns(at, stamp)) else {
                faults.at(line);
                reading.not_read.push(not_read(
                    line,
                    get("Description"),
                    "時刻の読めない出来事です",
                    "an event without a readable time",
                ));
                continue;
            };
            let event = event(&row);
            let place = ["Reference", "Ref.2", "Resource", "Description"].iter().find_map(|field| unit_number(get(field)));
            match place.and_then(|number| units.iter_mut().find(|u| u.number == number)) {
                Some(unit) => {
                    // Exports without the inoculation column may still log the event.
                    if event.label.to_lowercase().starts_with("inoculat") {
                        unit.inoculated_ns.get_or_insert(t_ns);
                    }
                    unit.events.push((t_ns, event));
                }
                None => units.iter_mut().for_each(|u| u.events.push((t_ns, event.clone()))),
            }
        }
    }
    reading.diagnostics.extend(faults.say(
        "W-DASWARE-011",
        "時刻の読めない出来事が % 件あります",
        "% events have no readable time",
    ));
}

/// `… Unit 3.pH Sensor …`, `…\Unit 3\pH\…`, `Setup 3` name unit 3.
fn unit_number(text: &str) -> Option<u32> {
    ["Unit ", "unit ", "Setup "].iter().find_map(|word| {
        let rest = text.get(text.find(word)? + word.len()..)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}

fn event(row: &HashMap<&str, &str>) -> Event {
    let label = row.get("Description").copied().unwrap_or("").replace("\"\"", "\"");
    let kept = row.iter().filter(|(name, value)| !value.is_empty() && !matches!(**name, "Timestamp" | "Description"));
    let fields: Fields = kept.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    Event { when: When::Unknown, sort: sort(&label).into(), label, reason: None, fields }
}

/// The sort of an event by its words.
fn sort(label: &str) -> &'static str {
    let lower = label.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    match () {
        () if has(&["alarm"]) => "alarm",
        () if has(&["inoculation", "inoculated"]) => "inoculation",
        () if has(&["calibration"]) => "calibration",
        () if has(&["stopped", "turned off", "finished"]) => "stop",
        () if has(&["started", "turned on"]) => "start",
        () if has(&["setpoint", "parameter changed", "wert geändert", "value changed", "changed to"]) => "setpoint",
        () => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_an_event_names() {
        assert_eq!(unit_number("P.Control.Setup 1.Unit 12.T Control"), Some(12));
        assert_eq!(unit_number("\\\\PC\\Plant\\S8\\Unit 1\\pH"), Some(1));
        assert_eq!(unit_number("P.Control.Setup 3' loaded"), Some(3));
        assert_eq!(unit_number("Database size"), None);
        assert_eq!(unit_number("Unit "), None);
    }
}
