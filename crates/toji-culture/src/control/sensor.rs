//! Whether a reading may be believed, and when a sensor has failed.

use toji_core::Text;

/// A sensor of a quantity of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// Name of the quantity.
    pub quantity: String,
    /// Standard deviation of its noise, in the quantity's unit.
    pub sd: f64,
    /// Least reading that can be.
    pub low: Option<f64>,
    /// Greatest reading that can be.
    pub high: Option<f64>,
    /// Equal readings in a row after which it counts as frozen; none: it may repeat itself.
    pub frozen_after: Option<usize>,
    /// Unusable readings in a row after which it has failed.
    pub fails_after: usize,
}

/// What a reading was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Believed.
    Used,
    /// There was none.
    Missing,
    /// Outside of what can be.
    OutOfRange,
    /// The same as those before.
    Frozen,
    /// Too far from what the model expects.
    Outlier,
}

/// A reading judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Reading.
    pub reading: Option<f64>,
    /// What the model expected.
    pub expected: f64,
    /// Standard deviation of the reading about it.
    pub sd: f64,
    /// What it was found to be.
    pub verdict: Verdict,
}

/// What is remembered of a sensor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    last: Option<f64>,
    equal: usize,
    /// Unusable readings in a row.
    pub unusable: usize,
    /// Believed readings in a row.
    pub believed: usize,
    why: Option<Verdict>,
}

impl Health {
    /// Judges a reading by itself, before the model is asked. None: nothing is wrong with it.
    pub(super) fn precheck(&mut self, sensor: &Sensor, reading: Option<f64>) -> Option<Verdict> {
        let Some(value) = reading.filter(|v| v.is_finite()) else { return Some(Verdict::Missing) };
        self.equal = if self.last == Some(value) { self.equal + 1 } else { 1 };
        self.last = Some(value);
        if sensor.low.is_some_and(|low| value < low) || sensor.high.is_some_and(|high| value > high) {
            return Some(Verdict::OutOfRange);
        }
        sensor.frozen_after.is_some_and(|n| self.equal >= n).then_some(Verdict::Frozen)
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        if verdict == Verdict::Used {
            (self.unusable, self.believed) = (0, self.believed + 1);
        } else {
            (self.unusable, self.believed, self.why) = (self.unusable + 1, 0, Some(verdict));
        }
    }

    /// Why the sensor has failed, where it has.
    #[must_use]
    pub fn failure(&self, sensor: &Sensor) -> Option<Text> {
        if self.unusable < sensor.fails_after.max(1) {
            return None;
        }
        let (name, n) = (&sensor.quantity, self.unusable);
        Some(match self.why? {
            Verdict::Missing => Text::new(
                format!("«{name}» の測定値が {n} 回続けて届きません"),
                format!("no reading of «{name}» for {n} times in a row"),
            ),
            Verdict::OutOfRange => Text::new(
                format!("«{name}» の測定値が {n} 回続けてありうる範囲の外です"),
                format!("the reading of «{name}» is outside of what can be, {n} times in a row"),
            ),
            Verdict::Frozen => Text::new(
                format!("«{name}» の測定値が動かなくなりました（{n} 回）"),
                format!("the reading of «{name}» is frozen ({n} times)"),
            ),
            Verdict::Outlier | Verdict::Used => Text::new(
                format!("«{name}» の測定値が {n} 回続けてモデルの予想から大きく外れました"),
                format!("the reading of «{name}» is far from what the model expects, {n} times in a row"),
            ),
        })
    }
}
