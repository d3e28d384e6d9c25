//! Batch production records as B2MML-BatchML XML (ISA-88 part 4, ISA-95): who, when, what happened, what
//! was sampled, and the trends kept with the record.
//!
//! The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International. Names of
//! elements are those of its public schemas; prefixes and namespace versions are not looked at.
//!
//! A record is a run. Events become events in the operators' own words, comments and changes too, with
//! the reason where one is given; samples become samples with their test results; ordered data become
//! channels. Recipes, schedules and work orders say what was planned, not what happened: they are listed
//! as not read.

mod trends;
mod xml;

use crate::{Evidence, Format, Site, Source};
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{Assay, Event, Fields, NotRead, Reading, Run, Sample, When, ZeroTime};
use toji_core::{ClockTime, Diagnostic, Error, Result, Text, Value, variable};
use xml::Element;

/// The format.
pub(crate) struct BatchRecord;

const RECORD: &str = "BatchProductionRecord";

impl Format for BatchRecord {
    fn id(&self) -> &'static str {
        "batchml-record"
    }
    fn label(&self) -> Text {
        Text::new("バッチ記録（B2MML・BatchML）", "Batch record (B2MML, BatchML)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        95
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let text = source.text();
        let head = text.get(..text.floor_char_boundary(65_536))?;
        let begins = head.trim_start().starts_with('<');
        (begins && head.contains("BatchProductionRecord"))
            .then(|| Evidence::new(95, "XML の要素 BatchProductionRecord", "the XML element BatchProductionRecord"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let root = xml::read(source.text())?;
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let mut records = Vec::new();
        gather(&root, &mut records);
        for record in records {
            read_record(record, site, &mut reading);
        }
        if reading.runs.is_empty() {
            return Err(Error::input("E-BATCH-002", "バッチ記録がありません", "it holds no batch record").at(root.place()).hint(
                "レシピや計画ではなく、実施後の記録（BatchProductionRecord）を書き出してください",
                "export the record of what was done (BatchProductionRecord), not recipes or schedules",
            ));
        }
        Ok(reading)
    }
}

/// Records anywhere in the document, outer before inner.
fn gather<'e>(element: &'e Element, out: &mut Vec<&'e Element>) {
    if element.name == RECORD && !element.children.is_empty() {
        out.push(element);
    }
    for child in &element.children {
        gather(child, out);
    }
}

/// A time of the record; `None` (with a diagnostic) when the text is none.
fn time(element: &Element, name: &str, site: &Site, reading: &mut Reading) -> Option<ClockTime> {
    let found = element.first(name).filter(|e| !e.text.is_empty())?;
    let wall = WallClock::parse(&found.text, DateOrder::YearMonthDay);
    let clock = wall.and_then(|w| w.in_zone(&site.zone, &found.text).ok());
    if clock.is_none() {
        reading.diagnostics.push(
            Diagnostic::warning(
                "W-BATCH-001",
                found.place(),
                format!("時刻「{}」が読めません", found.text),
                format!("the time \"{}\" cannot be read", found.text),
            )
            .remedy(
                "XML の日時（2026-11-24T15:00:00Z など）で書いてください",
                "write it as an XML date and time, such as 2026-11-24T15:00:00Z",
            ),
        );
    }
    clock
}

fn when(element: &Element, site: &Site, reading: &mut Reading) -> When {
    time(element, "TimeStamp", site, reading).map_or(When::Unknown, When::At)
}

fn read_record(record: &Element, site: &Site, reading: &mut Reading) {
    let id = record.text_of("ID").or_else(|| record.text_of("EntryID")).unwrap_or("");
    let batch = record.text_of("BatchID").or_else(|| record.text_of("LotID"));
    let title = batch.unwrap_or(id);
    let mut run =
        Run::new(format!("batch record | {id} | {}", batch.unwrap_or("")), if title.is_empty() { "batch" } else { title });
    run.vessel = record.text_of("EquipmentID").map(str::to_owned);
    for child in record.children.iter().filter(|c| c.children.is_empty() && !c.text.is_empty()) {
        add_fact(&mut run.fields, &child.name, &child.text);
    }
    let key = run.key.clone();
    for part in record.children.iter().filter(|c| !c.children.is_empty()) {
        match part.name.as_str() {
            "Events" => part.all("Event").for_each(|e| run.events.push(event(e, site, reading))),
            "Comments" => part.all("Comment").for_each(|c| run.events.push(comment(c, site, reading))),
            "ChangeHistory" => part.all("Change").for_each(|c| run.events.push(change(c, site, reading))),
            "Samples" => part.all("Sample").for_each(|s| sample(s, &key, site, reading)),
            "DataSets" => part.all("DataSet").for_each(|d| trends::read(d, site, &mut run, reading)),
            // A record inside a record is a run of its own.
            RECORD => {}
            _ => reading.not_read.push(NotRead::new(
                part.place(),
                &part.words(),
                format!("{} は実施の記録ではないため読みません", part.name),
                format!("{} is not a record of what was done; not read", part.name),
            )),
        }
    }
    // Trends by the clock need the clock of their first point; a record without trends begins with its first event.
    if run.zero.is_none() && run.channels.is_empty() {
        run.zero = run
            .events
            .iter()
            .filter_map(|e| if let When::At(at) = &e.when { Some(at) } else { None })
            .min_by_key(|at| at.instant)
            .cloned();
        run.zero_is = ZeroTime::FirstPoint;
    }
    run.simulated = crate::plate::says_simulated(&run);
    reading.diagnostics.extend(crate::plate::zone_note(run.zero.as_ref()));
    reading.runs.push(run);
}

/// Adds a fact; a second value of the same name makes a list of it.
fn add_fact(fields: &mut Fields, name: &str, text: &str) {
    match fields.get_mut(name) {
        None => {
            fields.insert(name.to_owned(), text.into());
        }
        Some(serde_json::Value::Array(all)) => all.push(text.into()),
        Some(one) => *one = serde_json::Value::Array(vec![one.take(), text.into()]),
    }
}

/// A value with its unit as the record writes it: `12.5 kg`.
fn value_text(value: &Element) -> String {
    let text = value.text_of("ValueString").or_else(|| value.text_of("QuantityString")).unwrap_or(&value.text);
    match value.text_of("UnitOfMeasure") {
        Some(unit) => format!("{text} {unit}"),
        None => text.to_owned(),
    }
}

/// Everything an entry says beside what became its label, time and reason.
fn facts(entry: &Element, but: &[&str]) -> Fields {
    let mut fields = Fields::new();
    for child in entry.children.iter().filter(|c| !but.contains(&c.name.as_str())) {
        let text = if matches!(child.name.as_str(), "Value" | "PreviousValue" | "PrechangeData") {
            value_text(child)
        } else {
            child.words()
        };
        if !text.is_empty() {
            add_fact(&mut fields, &child.name, &text);
        }
        if let Some((_, other)) = child.attributes.iter().find(|(name, _)| name == "OtherValue") {
            add_fact(&mut fields, &child.name, other);
        }
    }
    fields
}

/// Sort of an event by its type and sub-type.
fn sort(kind: &str, sub_kind: &str) -> &'static str {
    match (kind, sub_kind) {
        ("Alarm", _) => "alarm",
        (_, "Consume") => "addition",
        (_, "Movement" | "Produce") => "transfer",
        (_, "Parameter Data" | "Property Value Change" | "Mode Change" | "Modification") => "setpoint",
        ("Procedural Execution" | "Control Recipe", _) => "step",
        ("Message" | "Operator" | "General", _) => "note",
        _ => "step",
    }
}

fn event(entry: &Element, site: &Site, reading: &mut Reading) -> Event {
    let (kind, sub_kind) = (entry.text_of("EventType").unwrap_or(""), entry.text_of("EventSubType").unwrap_or(""));
    let words = |name: &str| {
        let all: Vec<&str> = entry.all(name).map(|e| e.text.as_str()).filter(|t| !t.is_empty()).collect();
        (!all.is_empty()).then(|| all.join(" "))
    };
    let values: Vec<String> = entry.all("Value").map(value_text).filter(|v| !v.is_empty()).collect();
    let label = words("MessageText").or_else(|| words("Description")).unwrap_or_else(|| {
        let mut parts: Vec<&str> = [kind, sub_kind].into_iter().filter(|t| !t.is_empty()).collect();
        parts.extend(values.iter().map(String::as_str));
        parts.join(" ")
    });
    Event {
        when: when(entry, site, reading),
        sort: sort(kind, sub_kind).to_owned(),
        label,
        reason: None,
        fields: facts(entry, &["TimeStamp"]),
    }
}

fn comment(entry: &Element, site: &Site, reading: &mut Reading) -> Event {
    let label: Vec<&str> = entry.all("CommentText").map(|e| e.text.as_str()).collect();
    Event {
        when: when(entry, site, reading),
        sort: "note".into(),
        label: label.join(" "),
        reason: None,
        fields: facts(entry, &["TimeStamp", "CommentText"]),
    }
}

fn change(entry: &Element, site: &Site, reading: &mut Reading) -> Event {
    let reason: Vec<&str> = entry.all("Reason").map(|e| e.text.as_str()).filter(|t| !t.is_empty()).collect();
    let what = entry.text_of("Description").or_else(|| entry.text_of("RecordReference")).unwrap_or("record");
    Event {
        when: when(entry, site, reading),
        sort: "change".into(),
        label: what.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.join(" ")),
        fields: facts(entry, &["TimeStamp", "Reason"]),
    }
}

fn sample(entry: &Element, run: &str, site: &Site, reading: &mut Reading) {
    let taken = when(entry, site, reading);
    let mut out = Sample {
        key: entry.text_of("EntryID").unwrap_or("").to_owned(),
        run: Some(run.to_owned()),
        when: taken.clone(),
        fields: facts(entry, &["TimeStamp", "EntryID", "ObjectType", "SampleTest"]),
        assays: Vec::new(),
    };
    for test in entry.all("SampleTest") {
        let name = ["TestName", "TestCode", "Description", "EntryID"].into_iter().find_map(|n| test.text_of(n)).unwrap_or("");
        for result in test.all("SampleTestResult") {
            let measured = match when(result, site, reading) {
                When::Unknown => taken.clone(),
                known => known,
            };
            for value in result.all("Results") {
                let text = value.text_of("ValueString").unwrap_or(&value.text);
                let mut read = Value::parse(text);
                if let Some(raw) = value.text_of("UnitOfMeasure") {
                    let (with_unit, unknown) = read.with_raw_unit(raw);
                    read = with_unit;
                    reading.diagnostics.extend(unknown.map(|_| unit_unknown(value, raw)));
                }
                let mut assay = Assay::new(name, read, value.place());
                assay.variable = variable::find(name).map(|(v, _)| v.id.clone());
                assay.when = measured.clone();
                assay.method = result.text_of("AnalysisUsed").map(str::to_owned);
                assay.flags.extend(result.text_of("TestDisposition").map(str::to_owned));
                assay.fields = facts(result, &["TimeStamp", "Results", "AnalysisUsed", "TestDisposition", "ObjectType"]);
                out.assays.push(assay);
            }
        }
    }
    reading.samples.push(out);
}

/// A unit nobody understands stays as written; said once where it stands.
fn unit_unknown(at: &Element, raw: &str) -> Diagnostic {
    Diagnostic::warning(
        "W-UNIT-001",
        at.place(),
        format!("単位「{raw}」が分かりません。書かれたまま残します"),
        format!("the unit \"{raw}\" is not understood; kept as written"),
    )
    .remedy("UCUM の単位で書いてください", "write it as a UCUM unit")
}
