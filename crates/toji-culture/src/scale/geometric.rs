//! Speeds of a larger vessel of the same shape, by the rule that is kept, and what each rule costs.

use super::correlation::not_positive;
use serde::{Deserialize, Serialize};
use toji_core::{Result, Text};

/// What is kept when the scale changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Power per volume.
    PowerPerVolume,
    /// Tip speed.
    TipSpeed,
    /// Reynolds number of the stirrer.
    Reynolds,
    /// Mixing time, turbulent: the speed itself.
    MixingTime,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::PowerPerVolume, Self::TipSpeed, Self::Reynolds, Self::MixingTime];

    /// Label.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::PowerPerVolume => Text::new("P/V 一定", "Same power per volume"),
            Self::TipSpeed => Text::new("翼端速度一定", "Same tip speed"),
            Self::Reynolds => Text::new("レイノルズ数一定", "Same Reynolds number"),
            Self::MixingTime => Text::new("混合時間一定", "Same mixing time"),
        }
    }

    /// The speed of the larger vessel, 1/s, for impellers of diameters `from` and `to`, vessels of one shape and the
    /// turbulent range.
    #[must_use]
    pub fn speed(self, speed: f64, from: f64, to: f64) -> f64 {
        let ratio = from / to;
        speed
            * match self {
                Self::PowerPerVolume => ratio.powf(2.0 / 3.0),
                Self::TipSpeed => ratio,
                Self::Reynolds => ratio * ratio,
                Self::MixingTime => 1.0,
            }
    }
}

/// A vessel of the same shape by one rule: ratios are those of the larger to the smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Similar {
    /// Rule.
    pub rule: Rule,
    /// Label of it.
    pub label: Text,
    /// Diameter of the impeller, m.
    pub impeller_diameter_m: f64,
    /// Speed, 1/s.
    pub speed_per_s: f64,
    /// Power per volume, ratio.
    pub power_per_volume_ratio: f64,
    /// Tip speed, ratio.
    pub tip_speed_ratio: f64,
    /// Reynolds number, ratio.
    pub reynolds_ratio: f64,
    /// Mixing time (turbulent, `N·θ` constant), ratio.
    pub mixing_time_ratio: f64,
}

/// The speeds of a vessel of the same shape by every rule. Volumes may be in any unit, the same for both.
///
/// # Errors
/// A number that is not positive and finite.
pub fn similar(volume_from: f64, volume_to: f64, impeller_m: f64, speed_per_s: f64) -> Result<Vec<Similar>> {
    for (field, label, value) in [
        ("volume", ["容積", "volume"], volume_from),
        ("volume", ["容積", "volume"], volume_to),
        ("impeller-diameter", ["撹拌翼径", "diameter of the impeller"], impeller_m),
        ("speed", ["撹拌速度", "speed of the stirrer"], speed_per_s),
    ] {
        if !value.is_finite() || value <= 0.0 {
            return Err(not_positive(field, label, value));
        }
    }
    let diameter = impeller_m * (volume_to / volume_from).cbrt();
    let of = |rule: Rule| {
        let speed = rule.speed(speed_per_s, impeller_m, diameter);
        let (n, d) = (speed / speed_per_s, diameter / impeller_m);
        Similar {
            rule,
            label: rule.label(),
            impeller_diameter_m: diameter,
            speed_per_s: speed,
            power_per_volume_ratio: n.powi(3) * d * d,
            tip_speed_ratio: n * d,
            reynolds_ratio: n * d * d,
            mixing_time_ratio: 1.0 / n,
        }
    };
    Ok(Rule::ALL.into_iter().map(of).collect())
}
