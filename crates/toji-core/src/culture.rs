//! The record of a culture as a file states it: runs with channels, events and observations, and
//! samples with assays. Every parser returns a [`Reading`]; operations turn it into stored records.

use crate::clock::ClockTime;
use crate::decimal::Decimal;
use crate::error::{Diagnostic, Place};
use crate::quality::{Cause, Quality, Status};
use crate::text::Text;
use crate::unit::Unit;
use crate::value::{NumberStyle, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Further facts of a thing, by field name.
pub type Fields = BTreeMap<String, serde_json::Value>;

/// What one file says, and what of it was not read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Format, e.g. `roche-cedex-bioht`.
    pub format: String,
    /// Version of the vendor's format or software, when the file states it.
    pub format_version: Option<String>,
    /// Text encoding found, e.g. `UTF-8`, `shift_jis`.
    pub encoding: Option<String>,
    /// The instrument that wrote the file.
    pub instrument: Option<Instrument>,
    /// Runs with their series.
    pub runs: Vec<Run>,
    /// Samples with their assays.
    pub samples: Vec<Sample>,
    /// What stood in the file but was not understood.
    pub not_read: Vec<NotRead>,
    /// Everything worth saying about the file, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

/// The device behind a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Instrument {
    /// Maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number or device identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Software name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// Software version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

/// Something that stood in the file and was not turned into data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotRead {
    /// Where.
    pub place: Place,
    /// The text, shortened to 200 characters.
    pub text: String,
    /// Why.
    pub reason: Text,
}

impl NotRead {
    /// A place, its text (shortened) and the reason.
    pub fn new(place: Place, text: &str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { place, text: text.chars().take(200).collect(), reason: Text::new(ja, en) }
    }
}

/// When something happened, as exactly as the source says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum When {
    /// By the clock.
    At(ClockTime),
    /// Nanoseconds since the run's start (inoculation, when the source says so).
    Elapsed(i64),
    /// The source does not say.
    #[default]
    Unknown,
}

/// What a run's zero of elapsed time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroTime {
    /// Inoculation, as the source states it.
    Inoculation,
    /// The start the file states.
    StartOfFile,
    /// The first point.
    FirstPoint,
}

/// One culture in one vessel, or one well of a plate.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What names the run inside its source, stable across repeated and incremental exports of the
    /// same culture (project + vessel, protocol + start + well …). Identity is made from it.
    pub key: String,
    /// Title for people.
    pub title: String,
    /// Zero of elapsed time by the clock. `None`: the file knows elapsed time only.
    pub zero: Option<ClockTime>,
    /// What the zero is.
    pub zero_is: ZeroTime,
    /// Vessel, as the source names it.
    pub vessel: Option<String>,
    /// Strain, as the source names it.
    pub strain: Option<String>,
    /// Made by a simulator or generator, as the source itself says.
    pub simulated: bool,
    /// Further facts (operator, plate lot, medium, protocol …).
    pub fields: Fields,
    /// Measured, controlled and calculated series.
    pub channels: Vec<Channel>,
    /// What happened.
    pub events: Vec<Event>,
    /// What people sensed.
    pub observations: Vec<Observation>,
}

impl Run {
    /// An empty run that knows elapsed time only.
    pub fn new(key: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            title: title.into(),
            zero: None,
            zero_is: ZeroTime::StartOfFile,
            vessel: None,
            strain: None,
            simulated: false,
            fields: Fields::new(),
            channels: Vec::new(),
            events: Vec::new(),
            observations: Vec::new(),
        }
    }
}

/// Where a channel's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Measured.
    ///
    /// 測定値。
    Sensor,
    /// Asked for by a controller or recipe.
    ///
    /// 制御器や手順が求める設定値。
    Setpoint,
    /// Output of a controller, pump, valve, stirrer.
    ///
    /// 操作量：制御器・ポンプ・弁・撹拌機の出力。
    Actuator,
    /// Worked out from other channels.
    ///
    /// 他の系列から計算した値。
    Calculated,
    /// The source does not say.
    ///
    /// 取込元に記載なし。
    #[default]
    Unknown,
}

/// When a channel is written.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "rule")]
pub enum Sampling {
    /// At regular intervals.
    ///
    /// 一定間隔。
    Periodic,
    /// Only when it changes by more than the dead band: silence means "unchanged", not "unknown".
    ///
    /// 不感帯を超えて変化したときのみ。無音は「不明」ではなく「変化なし」。
    OnChange {
        /// Dead band in the channel's unit, when stated.
        ///
        /// 不感帯（系列の単位）。記載がある場合。
        #[serde(skip_serializing_if = "Option::is_none")]
        deadband: Option<f64>,
    },
    /// Whenever somebody measured.
    ///
    /// 測定した都度。
    #[default]
    Irregular,
}

/// One quantity of one run over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Name in the source (column header, tag), unique in the run.
    pub key: String,
    /// Term of [`crate::variable`], when recognised.
    pub variable: Option<String>,
    /// Unit; `None` when the source states none that is understood.
    pub unit: Option<Unit>,
    /// Unit as written.
    pub raw_unit: Option<String>,
    /// Where values come from.
    pub origin: Origin,
    /// When values are written.
    pub sampling: Sampling,
    /// Method or sensor, as written.
    pub method: Option<String>,
    /// Further facts (gain, filter, calibration, digits …).
    pub fields: Fields,
    /// The series.
    pub points: Points,
}

impl Channel {
    /// A channel of this name with these points; everything else unknown.
    pub fn new(key: impl Into<String>, points: Points) -> Self {
        Self {
            key: key.into(),
            variable: None,
            unit: None,
            raw_unit: None,
            origin: Origin::Unknown,
            sampling: Sampling::Irregular,
            method: None,
            fields: Fields::new(),
            points,
        }
    }
}

/// The numbers of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// `mantissa × 10^-scale`: exactly the digits of the source. [`Points::NO_NUMBER`] where there is none.
    Scaled {
        /// Digits after the decimal point.
        scale: u8,
        /// One integer a point.
        mantissa: Vec<i64>,
    },
    /// Where the source states more digits than an integer holds well. NaN where there is none.
    Float(Vec<f64>),
}

/// A series: times, numbers, quality. All three have one entry a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// Nanoseconds: since 1970-01-01T00:00Z when the run has a clock, else since the run's zero.
    pub t_ns: Vec<i64>,
    /// Values.
    pub numbers: Numbers,
    /// Packed [`Quality`], 0 is good.
    pub quality: Vec<u16>,
    /// Original text of points that are not plain numbers: (index, text), ascending.
    pub texts: Vec<(u32, String)>,
}

impl Default for Points {
    fn default() -> Self {
        Self {
            t_ns: Vec::new(),
            numbers: Numbers::Scaled { scale: 0, mantissa: Vec::new() },
            quality: Vec::new(),
            texts: Vec::new(),
        }
    }
}

impl Points {
    /// Mantissa of a point without a number.
    pub const NO_NUMBER: i64 = i64::MIN;

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.t_ns.len()
    }
    /// No points?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.t_ns.is_empty()
    }
    /// The number at `i`, `None` when there is none.
    #[must_use]
    pub fn number(&self, i: usize) -> Option<f64> {
        match &self.numbers {
            Numbers::Scaled { scale, mantissa } => mantissa
                .get(i)
                .filter(|m| **m != Self::NO_NUMBER)
                .map(|m| Decimal { mantissa: i128::from(*m), scale: i32::from(*scale) }.to_f64()),
            Numbers::Float(values) => values.get(i).copied().filter(|v| !v.is_nan()),
        }
    }
}

/// Most decimals kept as scaled integers; beyond, the source is printing a binary float.
pub const SCALE_MAX: u8 = 9;

/// Collects points cell by cell and chooses the exact representation at the end.
///
/// Made for the common case: all numbers of a column have the same decimals and none is flagged. Then a
/// point costs two pushes, and finishing moves the mantissas without touching them.
#[derive(Debug, Clone, Default)]
pub struct PointsBuilder {
    style: NumberStyle,
    t_ns: Vec<i64>,
    /// `mantissa × 10^-scale` of each point; [`Points::NO_NUMBER`] for none, or for one that stands in `wide`.
    mantissa: Vec<i64>,
    /// Scale of every point while `scales` is empty, else of the last.
    scale: u8,
    /// Scale of each point, once two differ.
    scales: Vec<u8>,
    /// Largest scale so far.
    scale_max: u8,
    /// Numbers too long for the columns above, by index, ascending. Rare.
    wide: Vec<(usize, Decimal)>,
    /// Flags up to the last point that has one; the points behind it are good.
    quality: Vec<u16>,
    texts: Vec<(u32, String)>,
}

/// Powers of ten that an `i64` holds.
const TENS: [i64; 19] = {
    let mut tens = [1i64; 19];
    let mut i = 1;
    while i < tens.len() {
        tens[i] = tens[i - 1] * 10;
        i += 1;
    }
    tens
};

impl PointsBuilder {
    /// For a source that writes numbers in this style.
    #[must_use]
    pub fn new(style: NumberStyle) -> Self {
        Self { style, ..Self::default() }
    }
    /// Room for this many points.
    pub fn reserve(&mut self, points: usize) {
        self.t_ns.reserve(points);
        self.mantissa.reserve(points);
    }
    /// Adds a cell: a number is good; a bound, text or error keeps its text and gets a flag.
    /// An empty cell adds nothing and returns `false`.
    pub fn push(&mut self, t_ns: i64, cell: &str) -> bool {
        self.push_flagged(t_ns, cell, Quality::GOOD)
    }
    /// As [`PointsBuilder::push`]; a number gets this quality.
    pub fn push_flagged(&mut self, t_ns: i64, cell: &str, quality: Quality) -> bool {
        let cell = cell.trim();
        if cell.is_empty() {
            return false;
        }
        if let Some((mantissa, scale)) = short_number(cell, self.style) {
            self.push_scaled(t_ns, mantissa, scale, quality);
            return true;
        }
        if let Some(number) = self.style.read(cell) {
            self.push_decimal(t_ns, number, quality);
            return true;
        }
        use crate::value::ValueKind::{BelowDetection, Exact, GreaterThan, LessThan};
        let value = Value::parse_with(cell, self.style);
        if let (Exact, Some(number)) = (value.kind, self.style.read(&crate::value::fold_width(cell))) {
            self.push_decimal(t_ns, number, quality);
            return true;
        }
        let flag = match value.kind {
            LessThan | BelowDetection => Quality::source(Status::BelowDetection, Cause::Range),
            GreaterThan => Quality::source(Status::AboveRange, Cause::Range),
            _ => Quality::source(Status::Bad, Cause::NotANumber),
        };
        let index = u32::try_from(self.t_ns.len()).unwrap_or(u32::MAX);
        self.texts.push((index, cell.to_owned()));
        self.push_scaled(t_ns, Points::NO_NUMBER, self.scale, flag);
        true
    }
    /// Adds `mantissa × 10^-scale`; [`Points::NO_NUMBER`] is no number.
    #[inline]
    pub fn push_scaled(&mut self, t_ns: i64, mantissa: i64, scale: u8, quality: Quality) {
        if scale != self.scale || !self.scales.is_empty() {
            self.other_scale(scale);
        }
        let flag = quality.pack();
        if flag != 0 {
            self.quality.resize(self.t_ns.len(), 0);
            self.quality.push(flag);
        }
        self.t_ns.push(t_ns);
        self.mantissa.push(mantissa);
    }
    #[inline(never)]
    fn other_scale(&mut self, scale: u8) {
        if self.scales.is_empty() {
            self.scales.resize(self.t_ns.len(), self.scale);
        }
        // The first point settles the scale of a column.
        if !self.t_ns.is_empty() {
            self.scales.push(scale);
        }
        self.scale = scale;
        self.scale_max = self.scale_max.max(scale);
    }
    /// Adds a number.
    pub fn push_decimal(&mut self, t_ns: i64, number: Decimal, quality: Quality) {
        let short = i64::try_from(number.mantissa).ok().filter(|m| *m != Points::NO_NUMBER).zip(u8::try_from(number.scale).ok());
        let (mantissa, scale) = short.unwrap_or_else(|| {
            self.wide.push((self.t_ns.len(), number));
            (Points::NO_NUMBER, u8::try_from(number.scale.max(0)).unwrap_or(u8::MAX))
        });
        self.push_scaled(t_ns, mantissa, scale, quality);
    }
    /// Adds a float from a binary source (a spreadsheet cell): its shortest decimal text is taken.
    pub fn push_f64(&mut self, t_ns: i64, number: f64, quality: Quality) {
        self.push_flagged(t_ns, &number.to_string(), quality);
    }
    /// Points so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.t_ns.len()
    }
    /// No points so far?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.t_ns.is_empty()
    }
    /// Points so far that are kept as text (bounds, words, errors).
    #[must_use]
    pub fn words(&self) -> usize {
        self.texts.len()
    }
    /// The series; scaled integers when every number fits [`SCALE_MAX`] decimals, else floats.
    #[must_use]
    pub fn finish(mut self) -> Points {
        self.quality.resize(self.t_ns.len(), 0);
        let numbers = if self.scales.is_empty() && self.wide.is_empty() && self.scale <= SCALE_MAX {
            Numbers::Scaled { scale: self.scale, mantissa: std::mem::take(&mut self.mantissa) }
        } else {
            match self.scaled() {
                Some(mantissa) => Numbers::Scaled { scale: self.scale_max, mantissa },
                None => self.floats(),
            }
        };
        Points { t_ns: self.t_ns, numbers, quality: self.quality, texts: self.texts }
    }
    /// Mantissa and scale of each point.
    fn each(&self) -> impl Iterator<Item = (i64, u8)> {
        let scales = self.scales.iter().copied().chain(std::iter::repeat(self.scale));
        self.mantissa.iter().copied().zip(scales)
    }
    /// All mantissas at the largest scale, if that loses nothing.
    fn scaled(&self) -> Option<Vec<i64>> {
        if self.scale_max > SCALE_MAX {
            return None;
        }
        let at_scale = |(mantissa, scale): (i64, u8)| match mantissa {
            Points::NO_NUMBER => Some(Points::NO_NUMBER),
            m if scale == self.scale_max => Some(m),
            m => m.checked_mul(*TENS.get(usize::from(self.scale_max - scale))?).filter(|m| *m != Points::NO_NUMBER),
        };
        let mut out: Vec<i64> = self.each().map(at_scale).collect::<Option<_>>()?;
        for (i, number) in &self.wide {
            *out.get_mut(*i)? = number.at_scale(i32::from(self.scale_max))?;
        }
        Some(out)
    }
    fn floats(&self) -> Numbers {
        let float = |(mantissa, scale): (i64, u8)| match mantissa {
            Points::NO_NUMBER => f64::NAN,
            m => Decimal { mantissa: i128::from(m), scale: i32::from(scale) }.to_f64(),
        };
        let mut out: Vec<f64> = self.each().map(float).collect();
        for (i, number) in &self.wide {
            if let Some(slot) = out.get_mut(*i) {
                *slot = number.to_f64();
            }
        }
        Numbers::Float(out)
    }
}

/// A plain number of at most 18 digits, without group separators or exponent: what nearly all cells hold.
fn short_number(cell: &str, style: NumberStyle) -> Option<(i64, u8)> {
    let point = if style == NumberStyle::Comma { b',' } else { b'.' };
    let bytes = cell.as_bytes();
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, bytes.get(1..)?),
        _ => (false, bytes),
    };
    if digits.len() > 19 || digits.is_empty() || digits == [point] {
        return None;
    }
    let (mut mantissa, mut scale, mut seen) = (0i64, 0u8, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                scale += u8::from(seen);
            }
            b if *b == point && !seen => seen = true,
            _ => return None,
        }
    }
    Some((if negative { -mantissa } else { mantissa }, scale))
}

/// Something that happened: an addition, a set-point change, a transfer, an alarm, a craft step.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub when: When,
    /// Sort of event: `inoculation`, `addition`, `setpoint`, `transfer`, `alarm`, `sample`, `step`,
    /// `start`, `stop`, `note` …
    pub sort: String,
    /// What, in the source's words.
    pub label: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Further facts.
    pub fields: Fields,
}

/// What a person sensed.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When.
    pub when: When,
    /// What was attended to: `odour`, `colour`, `appearance`, `foam`, `sound`, or a code of a wheel.
    pub attribute: String,
    /// What was found.
    pub value: Value,
    /// Who, as a pseudonym.
    pub observer: Option<String>,
    /// Free words.
    pub note: Option<String>,
}

/// Something taken from a run (or of unknown origin) and analysed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name in the source. Identity is made from it, the run and the time.
    pub key: String,
    /// Key of the run in the same [`Reading`], when the file links them.
    pub run: Option<String>,
    /// When it was taken (or analysed, when that is all the file says).
    pub when: When,
    /// Further facts (batch, vessel, operator, position …).
    pub fields: Fields,
    /// Results.
    pub assays: Vec<Assay>,
}

/// One result of one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Assay {
    /// What was measured, in the source's words, e.g. `GLC3B`.
    pub analyte: String,
    /// Term of [`crate::variable`], when recognised.
    pub variable: Option<String>,
    /// The result.
    pub value: Value,
    /// When it was measured.
    pub when: When,
    /// Method or test, as written.
    pub method: Option<String>,
    /// Flags the instrument set, as written.
    pub flags: Vec<String>,
    /// Further facts (absorbance, identifiers …).
    pub fields: Fields,
    /// Where in the file.
    pub place: Place,
}

impl Assay {
    /// A result at a place of the file.
    pub fn new(analyte: impl Into<String>, value: Value, place: Place) -> Self {
        Self {
            analyte: analyte.into(),
            variable: None,
            value,
            when: When::Unknown,
            method: None,
            flags: Vec::new(),
            fields: Fields::new(),
            place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_of_the_source_become_scaled_integers() {
        let mut builder = PointsBuilder::default();
        for (t, cell) in ["7.00", "7.1", "", "< 0.5", "7.25", "ERROR"].iter().enumerate() {
            builder.push(t as i64, cell);
        }
        let points = builder.finish();
        assert_eq!(points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![700, 710, i64::MIN, 725, i64::MIN] });
        assert_eq!(points.texts, vec![(2, "< 0.5".to_owned()), (4, "ERROR".to_owned())]);
        assert_eq!(points.t_ns, vec![0, 1, 3, 4, 5]);
        assert_eq!(Quality::unpack(points.quality[2]).unwrap().status, Status::BelowDetection);
    }

    #[test]
    fn many_digits_become_floats_that_read_back() {
        let mut builder = PointsBuilder::default();
        builder.push(0, "0.2606244208585877");
        assert_eq!(builder.finish().number(0), Some(0.260_624_420_858_587_7));
    }

    #[test]
    fn long_and_exponent_numbers_are_not_lost() {
        let read = |cells: &[&str]| {
            let mut builder = PointsBuilder::default();
            for (t, cell) in cells.iter().enumerate() {
                builder.push(t as i64, cell);
            }
            builder.finish()
        };
        assert_eq!(read(&["1e3", "0.5"]).numbers, Numbers::Scaled { scale: 1, mantissa: vec![10_000, 5] });
        let points = read(&["6.94444446708076E-04", "123456789012345678901234", "-0"]);
        assert_eq!(points.number(0), Some(6.944_444_467_080_76E-04));
        assert_eq!(points.number(1), Some(123_456_789_012_345_678_901_234.0));
        assert_eq!(points.number(2), Some(0.0));
    }

    #[test]
    fn commas_are_points_where_the_source_writes_them() {
        let mut builder = PointsBuilder::new(NumberStyle::Comma);
        builder.push(0, "20,95");
        builder.push(1, "1.234,5");
        assert_eq!(builder.finish().numbers, Numbers::Scaled { scale: 2, mantissa: vec![2095, 123_450] });
    }

    proptest! {
        #[test]
        fn every_number_reads_back_exactly(cells in proptest::collection::vec("-?[0-9]{1,7}(\\.[0-9]{1,12})?", 1..40)) {
            let mut builder = PointsBuilder::default();
            for (t, cell) in cells.iter().enumerate() { builder.push(t as i64, cell); }
            let points = builder.finish();
            for (i, cell) in cells.iter().enumerate() {
                prop_assert_eq!(points.number(i), cell.parse::<f64>().ok());
            }
        }
        #[test]
        fn any_cell_is_kept_or_empty(cell in "\\PC*") {
            let mut builder = PointsBuilder::default();
            prop_assert_eq!(builder.push(0, &cell), !cell.trim().is_empty());
        }
    }
}
