//! Trends of a batch record: tags with their units, and values in order of time.

use super::xml::Element;
use super::{facts, time, unit_unknown};
use crate::Site;
use std::collections::BTreeMap;
use toji_core::culture::{Channel, NotRead, Points, PointsBuilder, Reading, Run, Sampling, ZeroTime};
use toji_core::{Cause, ClockTime, Quality, Status, Unit, variable};

/// What a tag's specification says, and its values so far.
struct Tag {
    channel: Channel,
    points: PointsBuilder,
    last: Option<i64>,
}

/// Reads one data set into the channels of the run.
pub(super) fn read(set: &Element, site: &Site, run: &mut Run, reading: &mut Reading) {
    let mut tags: BTreeMap<String, Tag> = BTreeMap::new();
    for spec in set.all("TagSpecification") {
        let index = spec.text_of("TagIndex").unwrap_or("").to_owned();
        if tags.contains_key(&index) {
            reading.not_read.push(NotRead::new(
                spec.place(),
                &spec.words(),
                "同じ TagIndex が二度あります",
                "the same TagIndex stands twice",
            ));
            continue;
        }
        let tag = tag(spec, &index, run, &tags, reading);
        tags.insert(index, tag);
    }
    if let Some(block) = set.first("DelimitedDataBlock") {
        reading.not_read.push(NotRead::new(
            block.place(),
            &block.words(),
            "区切り文字で並べたデータ（DelimitedDataBlock）は読みません。OrderedData で書き出してください",
            "a delimited block of data is not read; export it as OrderedData",
        ));
    }
    for ordered in set.all("OrderedData") {
        let Some(at) = time(ordered, "TimeValue", site, reading) else {
            reading.not_read.push(NotRead::new(
                ordered.place(),
                &ordered.words(),
                "値の時刻がありません",
                "the values have no time",
            ));
            continue;
        };
        for value in ordered.all("DataValue") {
            push(value, &at, &mut tags, reading);
        }
        begin(run, &at);
    }
    for (_, tag) in tags {
        let Tag { mut channel, points, .. } = tag;
        if points.is_empty() {
            continue;
        }
        channel.points = points.finish();
        run.channels.push(channel);
    }
}

/// The earliest time is the run's zero.
fn begin(run: &mut Run, at: &ClockTime) {
    if run.zero.as_ref().is_none_or(|zero| at.instant < zero.instant) {
        run.zero = Some(at.clone());
        run.zero_is = ZeroTime::FirstPoint;
    }
}

fn tag(spec: &Element, index: &str, run: &Run, tags: &BTreeMap<String, Tag>, reading: &mut Reading) -> Tag {
    let name = ["Alias", "DataSource", "Description"].into_iter().find_map(|n| spec.text_of(n));
    let name = name.map_or_else(|| format!("tag {index}"), str::to_owned);
    let taken = |key: &str| run.channels.iter().any(|c| c.key == key) || tags.values().any(|t| t.channel.key == key);
    let mut key = name.clone();
    let mut copy = 1;
    while taken(&key) {
        copy += 1;
        key = format!("{name} #{copy}");
    }
    let mut channel = Channel::new(key, Points::default());
    channel.variable = variable::find(&name).map(|(v, _)| v.id.clone());
    if let Some(raw) = spec.text_of("UnitOfMeasure") {
        match Unit::parse(raw) {
            Ok(unit) => channel.unit = Some(unit),
            Err(_) => reading.diagnostics.push(unit_unknown(spec, raw)),
        }
        channel.raw_unit = Some(raw.to_owned());
    }
    if let Some(deadband) = spec.first("Deadband") {
        let text = deadband.text_of("ValueString").unwrap_or(&deadband.text);
        channel.sampling = Sampling::OnChange { deadband: text.parse().ok() };
    }
    channel.fields = facts(spec, &["UnitOfMeasure"]);
    Tag { channel, points: PointsBuilder::default(), last: None }
}

fn push(value: &Element, at: &ClockTime, tags: &mut BTreeMap<String, Tag>, reading: &mut Reading) {
    let index = value.text_of("TagIndex").map(str::to_owned);
    // Without an index the value belongs to the only tag.
    let only = || (tags.len() == 1).then(|| tags.keys().next().cloned()).flatten();
    let tag = index.or_else(only).and_then(|i| tags.get_mut(&i));
    let texts: Vec<&str> = value.all("Value").map(|v| v.text.as_str()).collect();
    let (Some(tag), [text]) = (tag, texts.as_slice()) else {
        reading.not_read.push(NotRead::new(
            value.place(),
            &value.words(),
            "値がどのタグのものか決まりません",
            "which tag the value belongs to is not certain",
        ));
        return;
    };
    let t_ns = at.instant.0;
    let mut quality = match value.text_of("Quality") {
        None => Quality::GOOD,
        Some(word) => crate::table::quality_of(word).unwrap_or(crate::table::UNKNOWN_QUALITY),
    };
    if quality.is_good() && at.doubt.is_some() {
        quality = Quality::source(Status::Uncertain, Cause::ClockUncertain);
    }
    if quality.is_good() && tag.last.is_some_and(|last| t_ns < last) {
        quality = Quality::source(Status::Uncertain, Cause::OutOfOrder);
    }
    tag.last = Some(t_ns);
    tag.points.push_flagged(t_ns, text, quality);
}
