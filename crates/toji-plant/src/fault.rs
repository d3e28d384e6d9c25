//! Faults of instruments: put in on purpose, by plan or by chance, and labelled, so that whoever looks for
//! them can be marked.

use crate::random::Random;
use crate::signal::SignalId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// A fault of one reactor with its times, h from the start of the plant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// From.
    ///
    /// 開始（プラントの開始からの h）。
    pub from_h: f64,
    /// Until (excluded).
    ///
    /// 終了（プラントの開始からの h。この時刻は含まない）。
    pub until_h: f64,
    /// What.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// Sort of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum FaultKind {
    /// The probe keeps its value.
    ///
    /// センサーの固着：同じ値のまま。
    Stuck {
        /// Which signal.
        ///
        /// 信号。
        signal: SignalId,
    },
    /// The probe drifts away (an oxygen membrane, a reference electrode) until it is replaced.
    ///
    /// センサーのドリフト（酸素電極の膜、参照電極）。交換まで続く。
    Drift {
        /// Which signal.
        ///
        /// 信号。
        signal: SignalId,
        /// Units per hour.
        ///
        /// 1 h あたりの変化（信号の単位）。
        per_h: f64,
    },
    /// Single values jump away, about one a minute.
    ///
    /// スパイク：毎分一点ほどの値の飛び。
    Spikes {
        /// Which signal.
        ///
        /// 信号。
        signal: SignalId,
        /// Height, in the signal's unit.
        ///
        /// 高さ（信号の単位）。
        size: f64,
    },
    /// The device has no value.
    ///
    /// 欠測：機器に値がない。
    DropOut {
        /// Which signal.
        ///
        /// 信号。
        signal: SignalId,
    },
    /// Two probes were plugged into each other's reactor.
    ///
    /// 二つの反応器のセンサーの差し違え。
    Swapped {
        /// Which signal.
        ///
        /// 信号。
        signal: SignalId,
        /// Index of the other reactor, which gets this one's values.
        ///
        /// 相手の反応器の番号（0 から）。こちらの値を受ける。
        with: usize,
    },
    /// The signal was zeroed again: from here it counts, or weighs, from zero.
    ///
    /// 零点の取り直し：ここからの積算や秤量が零から始まる。
    ReZeroed {
        /// Which signal (a totaliser, the weight).
        ///
        /// 信号（積算計、重量）。
        signal: SignalId,
    },
    /// The feed tube is blocked: the pump turns and counts, nothing flows.
    ///
    /// 流加の閉塞：ポンプは回って数えるが、流れない。
    FeedBlocked,
    /// The device's clock is wrong by this.
    ///
    /// 機器の時計のずれ。
    ClockOffset {
        /// Seconds; positive is ahead.
        ///
        /// ずれ（s）。正は進み。
        seconds: f64,
    },
    /// The device's clock runs fast by this, from the fault's start.
    ///
    /// 機器の時計の進み：故障の開始から次第に進む。
    ClockDrift {
        /// Parts per million.
        ///
        /// 進みの速さ（百万分率）。
        ppm: f64,
    },
}

impl FaultKind {
    /// Stable name, kebab case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stuck { .. } => "stuck",
            Self::Drift { .. } => "drift",
            Self::Spikes { .. } => "spikes",
            Self::DropOut { .. } => "drop-out",
            Self::Swapped { .. } => "swapped",
            Self::ReZeroed { .. } => "re-zeroed",
            Self::FeedBlocked => "feed-blocked",
            Self::ClockOffset { .. } => "clock-offset",
            Self::ClockDrift { .. } => "clock-drift",
        }
    }
    /// Signal it sits on, when it sits on one.
    #[must_use]
    pub const fn signal(&self) -> Option<SignalId> {
        match self {
            Self::Stuck { signal }
            | Self::Drift { signal, .. }
            | Self::Spikes { signal, .. }
            | Self::DropOut { signal }
            | Self::Swapped { signal, .. }
            | Self::ReZeroed { signal } => Some(*signal),
            Self::FeedBlocked | Self::ClockOffset { .. } | Self::ClockDrift { .. } => None,
        }
    }
}

impl Fault {
    pub(crate) fn is_on(&self, now_h: f64) -> bool {
        (self.from_h..self.until_h).contains(&now_h)
    }
    pub(crate) fn check(&self, reactors: usize) -> Result<()> {
        let refuse = |ja: &str, en: &str| {
            Err(Error::input(
                "E-PLANT-003",
                format!("故障「{}」: {ja}", self.kind.name()),
                format!("fault \"{}\": {en}", self.kind.name()),
            )
            .at(Place::field("faults"))
            .hint("開始・終了・大きさを確認してください", "check its start, end and size"))
        };
        if !(self.from_h.is_finite() && self.until_h.is_finite() && self.from_h <= self.until_h) {
            return refuse("開始と終了が不正です", "its start and end are not in order");
        }
        match self.kind {
            FaultKind::Swapped { with, .. } if with >= reactors => {
                refuse("相手の反応器がありません", "the other reactor does not exist")
            }
            FaultKind::Drift { per_h: size, .. }
            | FaultKind::Spikes { size, .. }
            | FaultKind::ClockOffset { seconds: size }
            | FaultKind::ClockDrift { ppm: size }
                if !size.is_finite() || size.abs() > 1e6 =>
            {
                refuse("大きさが不正です", "its size is not a sensible number")
            }
            _ => Ok(()),
        }
    }
}

/// Faults by chance in `hours`: as many as a Poisson process of this rate gives.
pub(crate) fn by_chance(random: &mut Random, per_day: f64, hours: f64) -> Vec<Fault> {
    let mut faults = Vec::new();
    if per_day <= 0.0 {
        return faults;
    }
    let mut at_h = 0.0;
    loop {
        at_h += -(1.0 - random.unit()).ln() * 24.0 / per_day;
        if at_h >= hours {
            return faults;
        }
        let lasts = random.between(0.2, 3.0);
        let sign = if random.unit() < 0.5 { -1.0 } else { 1.0 };
        let probe = match random.bits() % 3 {
            0 => SignalId::Ph,
            1 => SignalId::Temperature,
            _ => SignalId::DissolvedOxygen,
        };
        let (drift, spike) = match probe {
            SignalId::Ph => (0.05, 0.8),
            SignalId::Temperature => (0.3, 4.0),
            _ => (4.0, 30.0),
        };
        let kind = match random.bits() % 8 {
            0 => FaultKind::Stuck { signal: probe },
            1 => FaultKind::Drift { signal: probe, per_h: sign * drift * random.between(0.5, 1.5) },
            2 => FaultKind::Spikes { signal: probe, size: sign * spike * random.between(0.5, 1.5) },
            3 => FaultKind::DropOut { signal: probe },
            4 => FaultKind::ReZeroed { signal: if sign > 0.0 { SignalId::BaseTotal } else { SignalId::FeedTotal } },
            5 => FaultKind::FeedBlocked,
            6 => FaultKind::ClockOffset { seconds: sign * random.between(2.0, 120.0) },
            _ => FaultKind::ClockDrift { ppm: sign * random.between(50.0, 500.0) },
        };
        faults.push(Fault { from_h: at_h, until_h: (at_h + lasts).min(hours), kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_gives_about_the_rate_asked_for_and_the_same_for_a_seed() {
        let draw = |seed| by_chance(&mut Random::new(seed, "faults"), 2.0, 24.0 * 500.0);
        let many = draw(3);
        assert!((900..1100).contains(&many.len()), "{}", many.len());
        assert_eq!(many, draw(3));
        assert_ne!(many, draw(4));
        for name in ["stuck", "drift", "spikes", "drop-out", "re-zeroed", "feed-blocked", "clock-offset", "clock-drift"] {
            assert!(many.iter().any(|f| f.kind.name() == name), "{name}");
        }
        assert!(by_chance(&mut Random::new(1, ""), 0.0, 1e6).is_empty());
    }
}
