//! What simulated devices measure: lines (a vessel with its channels) and frames of samples.

use super::make::Make;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use toji_core::culture::Origin;
use toji_core::{Decimal, Unit};
use toji_plant::Stage;

/// A vessel with its channels, as a device declares them.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Vessel, e.g. `R07`.
    pub vessel: String,
    /// Batch under way.
    pub batch: String,
    /// Who made the device.
    pub make: Make,
    /// Channels.
    pub channels: Vec<Channel>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Name, e.g. `pH.PV`.
    pub key: String,
    /// Unit as the device prints it.
    pub unit: String,
    /// Term of the vocabulary.
    pub variable: Option<String>,
    /// Name of the signal that is the same for every maker.
    pub name: String,
    /// Where values come from.
    pub origin: Origin,
    /// How values are printed.
    pub printing: Printing,
}

/// How a device prints what the plant measures.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Printing {
    /// In the plant's unit, with the plant's digits.
    #[default]
    AsMeasured,
    /// In another unit.
    Converted {
        /// The plant's unit.
        from: Unit,
        /// The device's.
        to: Unit,
        /// Decimals where the conversion has no finite decimal form.
        digits: u8,
    },
}

impl Channel {
    /// A channel that prints as it measures.
    #[must_use]
    pub fn plain(key: &str, unit: &str) -> Self {
        Self {
            key: key.into(),
            unit: unit.into(),
            variable: None,
            name: key.into(),
            origin: Origin::Sensor,
            printing: Printing::AsMeasured,
        }
    }

    /// The plant's digits as the device prints them: converted exactly where that has a finite decimal form.
    #[must_use]
    pub fn print(&self, digits: &str) -> String {
        let Printing::Converted { from, to, digits: decimals } = &self.printing else { return digits.to_owned() };
        let Some(number) = Decimal::parse(digits) else { return digits.to_owned() };
        if let Ok(Some(exact)) = from.convert_exact(number, to) {
            return exact.to_string();
        }
        let rounded = from.convert(number.to_f64(), to).unwrap_or(f64::NAN);
        format!("{rounded:.*}", usize::from(*decimals))
    }
}

/// What one vessel says at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Index of the line.
    pub line: usize,
    /// Time by the device's clock, nanoseconds since 1970-01-01T00:00Z.
    pub t_ns: i64,
    /// How far the batch is; `None` for a device that does not say.
    pub stage: Option<Stage>,
    /// Samples.
    pub samples: Vec<Sample>,
}

/// A channel's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Index of the channel.
    pub channel: usize,
    /// Digits in the plant's unit; a channel prints them ([`Channel::print`]). `None` when it has no value now.
    pub digits: Option<String>,
    /// The device's own doubt.
    pub good: bool,
}

/// Faults of the way, on request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Say every n-th frame twice; 0 is never.
    pub twice_every: u32,
    /// Exchange every n-th frame with the next; 0 is never.
    pub swap_every: u32,
}

impl Faults {
    /// Frames in the order and number in which a faulty way delivers them. `held` keeps what waits for the next.
    #[must_use]
    pub fn apply(&self, number: u64, frame: Arc<Frame>, held: &mut Option<Arc<Frame>>) -> Vec<Arc<Frame>> {
        let every = |n: u32| n > 0 && number % u64::from(n) == u64::from(n) - 1;
        let mut out = Vec::new();
        if every(self.swap_every) && held.is_none() {
            *held = Some(frame);
            return out;
        }
        out.push(frame.clone());
        if every(self.twice_every) {
            out.push(frame);
        }
        out.extend(held.take());
        out
    }
}

/// Figures of a device.
#[derive(Debug, Default)]
pub struct Said {
    /// Frames measured.
    pub frames: AtomicU64,
    /// Messages the far end acknowledged.
    pub acknowledged: AtomicU64,
    /// Messages said again after a lost connection.
    pub again: AtomicU64,
    /// Frames lost because the device's own buffer was full.
    pub overflowed: AtomicU64,
}

/// A frame as JSON. Of make A `{"ts": ms, "simulated": true, "batch": …, "state": …, "pH.PV": 7.02, …}`, of make B
/// `{"time": "2026-…Z", "sim": true, "lot": …, "mode": …, "values": {"AIC101.MEAS": 7.02, …}}`. Digits stay as they are.
#[must_use]
pub fn json(line: &Line, frame: &Frame) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut values = String::new();
    for sample in &frame.samples {
        let Some(channel) = line.channels.get(sample.channel) else { continue };
        let printed = sample.digits.as_deref().map_or_else(|| "null".to_owned(), |digits| channel.print(digits));
        values.push_str(&format!(",{}:{printed}", quoted(&channel.key)));
    }
    let batch = quoted(&line.batch);
    let state = frame.stage.map(|stage| quoted(line.stage_word(stage)));
    match line.make {
        Make::A => {
            let state = state.map(|s| format!(r#","state":{s}"#)).unwrap_or_default();
            let (ms, part) = (frame.t_ns.div_euclid(1_000_000), frame.t_ns.rem_euclid(1_000_000));
            format!(r#"{{"ts":{ms}.{part:06},"simulated":true,"batch":{batch}{state}{values}}}"#)
        }
        Make::B => {
            let state = state.map(|s| format!(r#","mode":{s}"#)).unwrap_or_default();
            let time = toji_core::Instant(frame.t_ns).to_string();
            let values = values.trim_start_matches(',');
            format!(r#"{{"time":"{time}","sim":true,"lot":{batch}{state},"values":{{{values}}}}}"#)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faulty_way_loses_nothing() {
        let faults = Faults { twice_every: 3, swap_every: 4 };
        let mut held = None;
        let mut said = Vec::new();
        for n in 0..12 {
            let frame = Arc::new(Frame { line: 0, t_ns: n, stage: None, samples: Vec::new() });
            said.extend(faults.apply(n.unsigned_abs(), frame, &mut held).iter().map(|f| f.t_ns));
        }
        said.extend(held.iter().map(|f| f.t_ns));
        assert_eq!(said, [0, 1, 2, 2, 4, 3, 5, 5, 6, 8, 8, 7, 9, 10, 11]);
    }
    #[test]
    fn each_make_says_a_frame_in_its_own_shape() {
        let channel = |key: &str| Channel::plain(key, "pH");
        let line = |make| Line { vessel: "R01".into(), batch: "B".into(), make, channels: vec![channel("pH"), channel("T")] };
        let samples = vec![
            Sample { channel: 0, digits: Some("7.020".into()), good: true },
            Sample { channel: 1, digits: None, good: false },
        ];
        let frame = Frame { line: 0, t_ns: 1_795_478_400_000_000_000, stage: Some(Stage::Running), samples };
        let a = r#"{"ts":1795478400000.000000,"simulated":true,"batch":"B","state":"running","pH":7.020,"T":null}"#;
        assert_eq!(json(&line(Make::A), &frame), a);
        let b = r#"{"time":"2026-11-24T00:00:00Z","sim":true,"lot":"B","mode":"RUN","values":{"pH":7.020,"T":null}}"#;
        assert_eq!(json(&line(Make::B), &frame), b);
    }
}
