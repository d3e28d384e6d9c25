//! What simulated devices measure: lines (a vessel with its channels) and frames of samples.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use toji_core::culture::Origin;

/// A vessel with its channels, as a device declares them.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Vessel, e.g. `R07`.
    pub vessel: String,
    /// Batch under way.
    pub batch: String,
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
    /// Where values come from.
    pub origin: Origin,
}

/// What one vessel says at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Index of the line.
    pub line: usize,
    /// Time by the device's clock, nanoseconds since 1970-01-01T00:00Z.
    pub t_ns: i64,
    /// Samples.
    pub samples: Vec<Sample>,
}

/// A channel's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Index of the channel.
    pub channel: usize,
    /// Digits as the device prints them; `None` when it has no value now.
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

/// A frame as JSON: `{"ts": ms, "batch": …, "simulated": true, "pH.PV": 7.02, …}`; digits stay as they are.
#[must_use]
pub fn json(line: &Line, frame: &Frame) -> String {
    let mut text =
        format!(r#"{{"ts":{}.{:06},"simulated":true"#, frame.t_ns.div_euclid(1_000_000), frame.t_ns.rem_euclid(1_000_000));
    text.push_str(&format!(r#","batch":{}"#, serde_json::Value::from(line.batch.as_str())));
    for sample in &frame.samples {
        let Some(channel) = line.channels.get(sample.channel) else { continue };
        let key = serde_json::Value::from(channel.key.as_str());
        text.push_str(&format!(",{key}:{}", sample.digits.as_deref().unwrap_or("null")));
    }
    text.push('}');
    text
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
            let frame = Arc::new(Frame { line: 0, t_ns: n, samples: Vec::new() });
            said.extend(faults.apply(n.unsigned_abs(), frame, &mut held).iter().map(|f| f.t_ns));
        }
        said.extend(held.iter().map(|f| f.t_ns));
        assert_eq!(said, [0, 1, 2, 2, 4, 3, 5, 5, 6, 8, 8, 7, 9, 10, 11]);
    }
}
