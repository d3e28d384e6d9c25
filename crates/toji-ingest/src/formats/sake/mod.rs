//! Progress of koji, shubo (yeast starter) and moromi (sake mash) as breweries write it: several readings of the product
//! temperature at each visit, room temperatures, Baumé, 日本酒度, alcohol, acidity, the steps of the
//! craft (盛り, 仲, 留 …) and what was seen, smelled and tasted.
//!
//! [`yaml`] reads the progress files of sake planning tools, [`sheet`] the day sheets.

pub(crate) mod sheet;
mod shubo;
pub(crate) mod yaml;

use toji_core::culture::{Channel, Event, Fields, Observation, Origin, PointsBuilder, Run, Sampling, When, ZeroTime};
use toji_core::{ClockTime, Diagnostic, Place, Quality, Unit, Value};

/// One measured quantity of a brew: the words for it, its variable, and its unit by custom.
pub(crate) struct Quantity {
    words: &'static [&'static str],
    variable: &'static str,
    unit: &'static str,
}

const fn quantity(words: &'static [&'static str], variable: &'static str, unit: &'static str) -> Quantity {
    Quantity { words, variable, unit }
}

/// Quantities, the longer words before the shorter ones that stand in them.
pub(crate) const QUANTITIES: [Quantity; 12] = [
    quantity(&["品温", "麹温度", "醪温度", "もろみ温度", "モロミ温度", "temps", "temp"], "temperature", "Cel"),
    quantity(&["湿球", "room_wet_temp"], "wet-bulb-temperature", "Cel"),
    quantity(&["室温", "乾球", "room_dry_temp", "room_temp", "室内温度"], "room-temperature", "Cel"),
    quantity(&["湿度", "humidity"], "humidity", "%{RH}"),
    quantity(&["ボーメ", "ボーメー", "baume", "ボ一メ"], "baume", "{Be}"),
    quantity(&["日本酒度", "nihonshudo"], "nihonshudo", "{SMV}"),
    quantity(&["アルコール", "alcohol", "alc"], "alcohol", "%{vol}"),
    quantity(&["アミノ酸", "amino_acid", "アミノ"], "amino-acidity", "mL"),
    quantity(&["酸度", "総酸", "acid"], "acidity", "mL"),
    quantity(&["グルコース", "ブドウ糖", "直糖", "還元糖", "glucose"], "glucose", "%{mass}"),
    quantity(&["ブリックス", "糖度", "brix"], "brix", "{Brix}"),
    quantity(&["ph"], "ph", "[pH]"),
];

/// The quantity a header (folded, lower case) names.
pub(crate) fn find_quantity(header: &str) -> Option<&'static Quantity> {
    QUANTITIES.iter().find(|q| q.words.iter().any(|w| if *w == "ph" { header == "ph" } else { header.contains(w) }))
}

struct Series {
    channel: Channel,
    points: PointsBuilder,
}

/// A brew while it is read.
#[derive(Default)]
pub(crate) struct Brew {
    series: Vec<Series>,
    events: Vec<(i64, Event)>,
    observations: Vec<(i64, Observation)>,
    zero: Option<ClockTime>,
    first_ns: Option<i64>,
    /// Facts about the brew.
    pub(crate) fields: Fields,
    /// Some row has a date only.
    pub(crate) day_precision: bool,
    /// Some unit was taken by custom.
    customary: bool,
}

impl Brew {
    /// A row begins: at this clock time, or at these nanoseconds since the first row.
    pub(crate) fn row(&mut self, clock: Option<&ClockTime>, t_ns: i64) {
        if self.first_ns.is_none_or(|first| t_ns < first) {
            self.first_ns = Some(t_ns);
            self.zero = clock.cloned();
        }
    }
    /// Adds a value. `nth`: which of several readings at one visit, from 0.
    pub(crate) fn value(
        &mut self,
        key: &str,
        quantity: Option<&Quantity>,
        raw_unit: Option<&str>,
        nth: usize,
        t_ns: i64,
        cell: &str,
    ) {
        let key = if nth == 0 { key.to_owned() } else { format!("{key} #{}", nth + 1) };
        let at = self.series.iter().position(|s| s.channel.key == key).unwrap_or_else(|| {
            self.series.push(Series { channel: new_channel(key, quantity, raw_unit, nth), points: PointsBuilder::default() });
            self.series.len() - 1
        });
        self.customary |= quantity.is_some() && raw_unit.is_none();
        if let Some(series) = self.series.get_mut(at) {
            series.points.push_flagged(t_ns, cell, Quality::GOOD);
        }
    }
    /// Adds a step of the craft.
    pub(crate) fn step(&mut self, t_ns: i64, label: &str) {
        let event = Event {
            when: When::Unknown,
            sort: "step".into(),
            label: label.trim().to_owned(),
            reason: None,
            fields: Fields::new(),
        };
        self.events.push((t_ns, event));
    }
    /// Adds what a person found.
    pub(crate) fn observe(&mut self, t_ns: i64, attribute: &str, header: &str, text: &str) {
        let note = (!header.is_empty() && header != attribute).then(|| header.to_owned());
        let observation = Observation {
            when: When::Unknown,
            attribute: attribute.to_owned(),
            value: Value::text(text.trim()),
            observer: None,
            note,
        };
        self.observations.push((t_ns, observation));
    }
    /// Is it a shubo, by what stands in its fields and by its steps?
    pub(crate) fn is_shubo(&self) -> bool {
        let said = self.fields.iter().any(|(k, v)| shubo::named(k) || v.as_str().is_some_and(shubo::named));
        said || shubo::stepped(self.events.iter().map(|(_, e)| e))
    }
    /// Has anything been read?
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty() && self.events.is_empty() && self.observations.is_empty()
    }
    /// Time of the first row as text, for keys.
    pub(crate) fn first_text(&self) -> String {
        self.zero.as_ref().map(|z| z.raw.clone()).unwrap_or_default()
    }
    /// The run, and what is worth saying of it.
    pub(crate) fn finish(self, key: String, title: String) -> (Run, Vec<Diagnostic>) {
        let zero_ns = self.first_ns.unwrap_or(0);
        let mut said: Vec<Diagnostic> = crate::plate::zone_note(self.zero.as_ref()).into_iter().collect();
        if self.day_precision {
            said.push(Diagnostic::note(
                "N-SAKE-001",
                Place::default(),
                "時刻のない行は、その日の 0 時としました",
                "rows without a time of day were put at midnight of their day",
            ));
        }
        if self.customary {
            said.push(Diagnostic::note(
                "N-SAKE-002",
                Place::default(),
                "単位の書かれていない欄は慣行の単位 (℃・ボーメ度・日本酒度・容量%・mL) としました",
                "columns without a unit were read in the customary one (°C, °Bé, SMV, % v/v, mL)",
            ));
        }
        let mut run = Run::new(key, title);
        run.zero = self.zero;
        run.zero_is = ZeroTime::FirstPoint;
        run.fields = self.fields;
        if self.day_precision {
            run.fields.insert("time_precision".into(), "day".into());
        }
        run.channels = self.series.into_iter().map(|s| Channel { points: s.points.finish(), ..s.channel }).collect();
        let when = |t_ns: i64| When::Elapsed(t_ns.saturating_sub(zero_ns));
        run.events = self.events.into_iter().map(|(t, e)| Event { when: when(t), ..e }).collect();
        run.observations = self.observations.into_iter().map(|(t, o)| Observation { when: when(t), ..o }).collect();
        run.simulated = crate::plate::says_simulated(&run);
        (run, said)
    }
}

fn new_channel(key: String, quantity: Option<&Quantity>, raw_unit: Option<&str>, nth: usize) -> Channel {
    let mut channel = Channel::new(key, toji_core::culture::Points::default());
    channel.variable = quantity.map(|q| q.variable.to_owned());
    channel.raw_unit = raw_unit.map(str::to_owned);
    channel.unit = match raw_unit {
        Some(raw) => Unit::parse(raw).ok(),
        None => quantity.and_then(|q| Unit::parse(q.unit).ok()),
    };
    channel.origin = Origin::Sensor;
    channel.sampling = Sampling::Irregular;
    if nth > 0 {
        channel.fields.insert("reading_of_the_visit".into(), (nth + 1).into());
    }
    channel
}
