//! A payload by the rules of the configuration: numbers stay the digits they came as.
//!
//! Pure: topic, payload and time of arrival in, batches out. What cannot be read is kept as text at the
//! signal `unread`, flagged, and counted with its topic; fields nobody asked for are counted.

use crate::config::{Field, Topic, Word, zone_of};
use crate::tally::Tally;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use toji_core::clock::Zone;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Mark, MarkKind, Point, Said, Signal};
use toji_core::{Cause, Diagnostic, Place, Quality, Status};

/// Key of the signal that keeps what could not be read.
pub const UNREAD: &str = "unread";
/// Bytes kept of an unreadable payload; a longer one says how long it was.
const UNREAD_BYTES: usize = 64 << 10;
/// Nesting that is followed.
const DEPTH: usize = 16;

/// The members of an object in their order, doubled names included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads messages of one source.
pub struct Reader<'c> {
    source: String,
    rules: Vec<(&'c Topic, Option<Zone>)>,
}

/// What is common to all values of one record.
struct Head {
    t_ns: i64,
    received_ns: i64,
    quality: u16,
}

impl<'c> Reader<'c> {
    /// A reader by these rules.
    #[must_use]
    pub fn new(source: String, topics: &'c [Topic]) -> Self {
        let rules = topics.iter().map(|t| (t, t.zone.as_deref().and_then(zone_of))).collect();
        Self { source, rules }
    }

    /// What one message says; a list at the top is one record each.
    pub fn read(&mut self, topic: &str, payload: &[u8], received_ns: i64, tally: &Tally) -> Vec<Batch> {
        let found = self.rules.iter().find_map(|(rule, zone)| Some((*rule, zone.as_ref(), rule.topic.capture(topic)?)));
        let Some((rule, zone, names)) = found else {
            return vec![self.unread(topic, topic, payload, received_ns, tally, "no rule for the topic")];
        };
        let reading = Reading { source: &self.source, rule, zone, topic, names: &names, received_ns, tally };
        let Some(raw) = std::str::from_utf8(payload).ok().and_then(|text| serde_json::from_str::<&RawValue>(text).ok()) else {
            if let (Ok(word), true) = (std::str::from_utf8(payload), rule.signal.is_some() && rule.value.is_none()) {
                // A bare word is a value of its own: «running», «NaN».
                return reading.bare(word.trim()).into_iter().collect();
            }
            let run = reading.run(None).unwrap_or_else(|| topic.to_owned());
            return vec![self.unread(&run, topic, payload, received_ns, tally, "not JSON")];
        };
        let records = if raw.get().starts_with('[') {
            serde_json::from_str::<Vec<&RawValue>>(raw.get()).unwrap_or_default()
        } else {
            vec![raw]
        };
        let read = |record: &&RawValue| {
            reading.record(record).unwrap_or_else(|why| {
                let run = reading.run(None).unwrap_or_else(|| topic.to_owned());
                self.unread(&run, topic, record.get().as_bytes(), received_ns, tally, why)
            })
        };
        records.iter().map(read).collect()
    }

    fn unread(&self, run: &str, topic: &str, payload: &[u8], received_ns: i64, tally: &Tally, why: &str) -> Batch {
        Tally::one(&tally.unread);
        tally.find(
            Diagnostic::warning(
                "W-LINK-002",
                Place::field(topic),
                format!("電文を設定どおりに読めません（{why}）"),
                format!("a message is not readable as declared ({why})"),
            )
            .remedy(
                "設定のトピックと項目を確認してください。電文は文字のまま保存されています",
                "check topic and fields in the configuration; the message is kept as text",
            ),
        );
        let cut = payload.get(..UNREAD_BYTES).unwrap_or(payload);
        let mut text = String::from_utf8_lossy(cut).into_owned();
        if payload.len() > cut.len() {
            text.push_str(&format!("… ({} bytes)", payload.len()));
        }
        let quality = Quality::rule(Status::Bad, Cause::NotANumber).pack();
        Batch {
            source: self.source.clone(),
            run: run.to_owned(),
            signals: vec![signal(UNREAD, topic, None, None, Origin::Unknown)],
            points: vec![Point { signal: 0, t_ns: received_ns, received_ns, said: Said::Text(text), quality }],
            ..Batch::default()
        }
    }
}

fn signal(key: &str, address: &str, unit: Option<String>, variable: Option<String>, origin: Origin) -> Signal {
    let variable = variable.or_else(|| toji_core::variable::find(key).map(|(v, _)| v.id.to_string()));
    Signal { key: key.into(), address: address.into(), variable, raw_unit: unit, origin, sampling: Sampling::Irregular }
}

/// One message under one rule.
struct Reading<'a> {
    source: &'a str,
    rule: &'a Topic,
    zone: Option<&'a Zone>,
    topic: &'a str,
    names: &'a [(&'a str, String)],
    received_ns: i64,
    tally: &'a Tally,
}

impl Reading<'_> {
    fn know(&self, word: &str, record: Option<&RawValue>) -> Option<String> {
        if word.starts_with('/') {
            return record.and_then(|r| at(r, word)).map(plain);
        }
        self.names.iter().find(|(name, _)| *name == word).map(|(_, value)| value.clone())
    }

    fn run(&self, record: Option<&RawValue>) -> Option<String> {
        self.rule.run.fill(|word| self.know(word, record))
    }

    /// A batch without points, and the time of its record.
    fn begin(&self, record: Option<&RawValue>) -> Result<(Batch, Head), &'static str> {
        let run = self.run(record).ok_or("no run")?;
        let vessel = self.rule.vessel.as_ref().and_then(|v| v.fill(|word| self.know(word, record)));
        let simulated = self.rule.simulated.as_ref().and_then(|f| at(record?, f)).is_some_and(|v| v.get() == "true");
        let batch = Batch { source: self.source.into(), run, vessel, simulated, ..Batch::default() };
        Ok((batch, self.head(record)))
    }

    fn head(&self, record: Option<&RawValue>) -> Head {
        let received_ns = self.received_ns;
        let Some(field) = &self.rule.time else { return Head { t_ns: received_ns, received_ns, quality: 0 } };
        let text = record.and_then(|r| at(r, field)).map(plain);
        match text.as_deref().and_then(|t| self.rule.time_format.read(t, self.zone)) {
            Some(t_ns) => Head { t_ns, received_ns, quality: 0 },
            None => {
                Tally::one(&self.tally.without_time);
                self.tally.find(Diagnostic::warning(
                    "W-LINK-003",
                    Place::field(format!("{}#{field}", self.topic)),
                    format!("時刻を読めず、受信時刻に置きました: 「{}」", text.as_deref().unwrap_or_default()),
                    format!(
                        "the time is not readable, the time of arrival stands for it: \"{}\"",
                        text.as_deref().unwrap_or_default()
                    ),
                ));
                Head { t_ns: received_ns, received_ns, quality: Quality::rule(Status::Uncertain, Cause::ClockUncertain).pack() }
            }
        }
    }

    fn record(&self, record: &RawValue) -> Result<Batch, &'static str> {
        let is_object = record.get().starts_with('{');
        if self.rule.signal.is_some() {
            return self.one_value(record, is_object);
        }
        if !is_object {
            return Err("not an object");
        }
        let (mut batch, head) = self.begin(Some(record))?;
        batch.marks.extend(self.marks(record, head.t_ns));
        for field in &self.rule.fields {
            let Some(value) = at(record, &field.field) else { continue };
            self.put(&mut batch, &head, field, value);
        }
        self.others(&mut batch, &head, record)?;
        Ok(batch)
    }

    /// What the record says of its batch.
    fn marks(&self, record: &RawValue, t_ns: i64) -> impl Iterator<Item = Mark> {
        let says = |word: &Option<Word>| {
            let word = word.as_ref()?;
            let said = at(record, &word.at).map(plain)?;
            (said == word.is).then(|| format!("{} = {said}", word.at))
        };
        let started = says(&self.rule.started).map(|note| (MarkKind::Started, note));
        let ended = says(&self.rule.ended).map(|note| (MarkKind::Ended, note));
        started.into_iter().chain(ended).map(move |(kind, note)| Mark { t_ns, kind, note: Some(note) })
    }

    fn put(&self, batch: &mut Batch, head: &Head, field: &Field, value: &RawValue) {
        let key = field.key.clone().unwrap_or_else(|| field.field.trim_start_matches('/').to_owned());
        let address = format!("{}#{}", self.topic, field.field);
        let declared = signal(&key, &address, field.unit.clone(), field.variable.clone(), field.origin);
        self.push(batch, head, declared, value);
    }

    fn push(&self, batch: &mut Batch, head: &Head, declared: Signal, value: &RawValue) {
        let (said, mut quality) = said(value);
        if quality == 0 {
            quality = head.quality;
        } else {
            Tally::one(&self.tally.unread);
        }
        let at = u32::try_from(batch.signals.len()).unwrap_or(u32::MAX);
        batch.signals.push(declared);
        batch.points.push(Point { signal: at, t_ns: head.t_ns, received_ns: head.received_ns, said, quality });
    }

    /// A message that carries one value of one signal.
    fn one_value(&self, record: &RawValue, is_object: bool) -> Result<Batch, &'static str> {
        let context = is_object.then_some(record);
        let (mut batch, head) = self.begin(context)?;
        let key = self.rule.signal.as_ref().and_then(|s| s.fill(|word| self.know(word, context))).ok_or("no signal")?;
        let value = match &self.rule.value {
            Some(field) => at(record, field).ok_or("no value")?,
            None => record,
        };
        if let Some(context) = context {
            batch.marks.extend(self.marks(context, head.t_ns));
        }
        let unit = self.rule.unit_field.as_ref().and_then(|f| at(record, f)).map(plain).or_else(|| self.rule.unit.clone());
        self.push(&mut batch, &head, signal(&key, self.topic, unit, None, Origin::Unknown), value);
        Ok(batch)
    }

    fn bare(&self, word: &str) -> Option<Batch> {
        let (mut batch, head) = self.begin(None).ok()?;
        let key = self.rule.signal.as_ref()?.fill(|w| self.know(w, None))?;
        batch.signals.push(signal(&key, self.topic, self.rule.unit.clone(), None, Origin::Unknown));
        let quality = Quality::source(Status::Good, Cause::None).pack();
        batch.points.push(Point {
            signal: 0,
            t_ns: head.t_ns,
            received_ns: head.received_ns,
            said: Said::Text(word.into()),
            quality,
        });
        Some(batch)
    }

    /// Fields that no rule names: signals of their own, or counted.
    fn others(&self, batch: &mut Batch, head: &Head, record: &RawValue) -> Result<(), &'static str> {
        let mut leaves = Vec::new();
        walk(record, String::new(), 0, &mut leaves)?;
        for (path, value) in leaves {
            if self.is_used(&path) {
                continue;
            }
            if self.rule.others {
                let key = path.trim_start_matches('/').to_owned();
                let declared = signal(&key, &format!("{}#{path}", self.topic), None, None, Origin::Unknown);
                self.push(batch, head, declared, value);
            } else {
                Tally::one(&self.tally.not_asked);
                self.tally.find(Diagnostic::note(
                    "N-LINK-001",
                    Place::field(format!("{}#{path}", self.rule.topic)),
                    "設定にない項目です。取り込んでいません",
                    "a field the configuration does not ask for; it is not taken",
                ));
            }
        }
        Ok(())
    }

    fn is_used(&self, path: &str) -> bool {
        let same = |field: &str| field == path || path.strip_prefix('/') == Some(field);
        let rule = self.rule;
        let plain_fields = [&rule.time, &rule.simulated, &rule.unit_field];
        let templates = [Some(&rule.run), rule.vessel.as_ref(), rule.signal.as_ref()];
        rule.fields.iter().any(|f| same(&f.field) || path.starts_with(&format!("/{}/", f.field.trim_start_matches('/'))))
            || plain_fields.into_iter().flatten().any(|f| same(f))
            || [&rule.started, &rule.ended].into_iter().flatten().any(|word| same(&word.at))
            || templates.into_iter().flatten().flat_map(|t| t.words()).any(same)
    }
}

/// Every value that is no object, with its pointer. A doubled name counts on: `/pH`, `/pH~~2`.
fn walk<'a>(value: &'a RawValue, path: String, depth: usize, out: &mut Vec<(String, &'a RawValue)>) -> Result<(), &'static str> {
    if depth > DEPTH {
        return Err("nested too deep");
    }
    if !value.get().starts_with('{') {
        out.push((path, value));
        return Ok(());
    }
    let members = serde_json::from_str::<Members<'a>>(value.get()).map_err(|_| "not an object")?;
    let mut seen = std::collections::HashMap::new();
    for (name, value) in members.0 {
        let times: &mut usize = seen.entry(name.clone()).or_default();
        *times += 1;
        let name = name.replace('~', "~0").replace('/', "~1");
        let name = if *times > 1 { format!("{name}~~{times}") } else { name };
        walk(value, format!("{path}/{name}"), depth + 1, out)?;
    }
    Ok(())
}

/// The value at a JSON pointer, or at a name of the top level.
fn at<'a>(value: &'a RawValue, field: &str) -> Option<&'a RawValue> {
    let Some(pointer) = field.strip_prefix('/') else { return member(value, field) };
    pointer.split('/').try_fold(value, |value, step| member(value, &step.replace("~1", "/").replace("~0", "~")))
}

fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if value.get().starts_with('[') {
        let items = serde_json::from_str::<Vec<&'a RawValue>>(value.get()).ok()?;
        return items.get(name.parse::<usize>().ok()?).copied();
    }
    let members = serde_json::from_str::<Members<'a>>(value.get()).ok()?;
    members.0.into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

/// A text without its quotes; anything else as it stands.
fn plain(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// What a JSON value says, and its flag: digits for numbers and for texts that are plain numbers.
fn said(value: &RawValue) -> (Said, u16) {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => (Said::Digits(text.to_owned()), 0),
        Some(b'"') => {
            let text = plain(value);
            match toji_core::Decimal::parse(text.trim()) {
                Some(_) => (Said::Digits(text.trim().to_owned()), 0),
                None => (Said::Text(text), 0),
            }
        }
        Some(b't' | b'f') => (Said::Text(text.to_owned()), 0),
        _ => (Said::Text(text.to_owned()), Quality::source(Status::Bad, Cause::NotANumber).pack()),
    }
}

#[cfg(test)]
mod tests;
