//! What every reactor says: twenty signals with their names, units, origin and way of reporting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::culture::{Origin, Sampling};
use toji_core::{Quality, Text};

/// A signal of a reactor. The number of a variant is its index in [`SIGNALS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum SignalId {
    /// pH, probe.
    ///
    /// pH（電極）。
    Ph = 0,
    /// Temperature, probe.
    ///
    /// 温度（センサー）。
    Temperature = 1,
    /// Dissolved oxygen, probe, % of air saturation.
    ///
    /// 溶存酸素（電極。空気飽和に対する %）。
    DissolvedOxygen = 2,
    /// Stirrer, tachometer.
    ///
    /// 撹拌速度（回転計）。
    Agitation = 3,
    /// Gas flow, mass flow meter.
    ///
    /// 通気量（質量流量計）。
    GasFlow = 4,
    /// Pressure of the head space, absolute.
    ///
    /// 気相の圧力（絶対圧）。
    Pressure = 5,
    /// Weight of the contents, load cells.
    ///
    /// 内容物の重量（ロードセル）。
    Weight = 6,
    /// Optical density, in line.
    ///
    /// 光学濃度（インライン）。
    OpticalDensity = 7,
    /// Oxygen in the exit gas.
    ///
    /// 排気の酸素。
    OffgasOxygen = 8,
    /// Carbon dioxide in the exit gas.
    ///
    /// 排気の二酸化炭素。
    OffgasCo2 = 9,
    /// Foam level, share of the head space.
    ///
    /// 泡面（気相部に対する割合）。
    Foam = 10,
    /// Oxygen in the inlet gas, as the gas mixer sets it.
    ///
    /// 給気の酸素（ガス混合器の設定）。
    InletOxygen = 11,
    /// Feed pump, rate.
    ///
    /// 流加ポンプの速度。
    FeedRate = 12,
    /// Feed pump, total.
    ///
    /// 流加ポンプの積算。
    FeedTotal = 13,
    /// Base pump, total.
    ///
    /// 塩基ポンプの積算。
    BaseTotal = 14,
    /// Acid pump, total.
    ///
    /// 酸ポンプの積算。
    AcidTotal = 15,
    /// Set-point of pH.
    ///
    /// pH の設定値。
    PhSetpoint = 16,
    /// Set-point of the temperature.
    ///
    /// 温度の設定値。
    TemperatureSetpoint = 17,
    /// Set-point of dissolved oxygen.
    ///
    /// 溶存酸素の設定値。
    DissolvedOxygenSetpoint = 18,
    /// Set-point of the stirrer: of a person, or of the oxygen cascade.
    ///
    /// 撹拌の設定値：人、または酸素カスケードによる。
    AgitationSetpoint = 19,
}

/// Number of signals of a reactor.
pub(crate) const COUNT: usize = 20;

impl SignalId {
    /// Index in [`SIGNALS`] and in what [`crate::Plant::read`] returns.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
    /// What is known of the signal.
    #[must_use]
    pub fn info(self) -> &'static SignalInfo {
        // The test below holds every variant to its place in the table.
        SIGNALS.get(self.index()).unwrap_or(&SIGNALS[0])
    }
}

/// A signal as a device declares it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalInfo {
    /// Which.
    pub id: SignalId,
    /// Name, unique in the reactor: `pH.PV`, `DO.SP` …
    pub key: &'static str,
    /// Japanese label.
    pub ja: &'static str,
    /// English label.
    pub en: &'static str,
    /// Term of `toji_core::variable`, when there is one.
    pub variable: Option<&'static str>,
    /// Unit, UCUM.
    pub unit: &'static str,
    /// Unit as a device would print it.
    pub raw_unit: &'static str,
    /// Where values come from.
    pub origin: Origin,
    /// When values are reported.
    pub sampling: Sampling,
    /// Decimals the device prints (weights and totals of small vessels are printed finer, see
    /// [`crate::Plant::digits`]).
    pub digits: u8,
}

impl SignalInfo {
    /// Label in both languages.
    #[must_use]
    pub fn label(&self) -> Text {
        Text::new(self.ja, self.en)
    }
    /// Is this a set-point that a client may write (see [`crate::Command::SetPoint`])?
    #[must_use]
    pub fn is_setpoint(&self) -> bool {
        self.origin == Origin::Setpoint
    }
}

/// Says what `now` is: a value of a device at a time by the device's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Which signal.
    pub signal: SignalId,
    /// Time by the device's clock, nanoseconds since 1970-01-01T00:00Z. An injected clock fault shows here.
    pub t_ns: i64,
    /// Value in the signal's unit, on the device's digits. `None`: the device has no value now (drop-out).
    pub value: Option<f64>,
    /// Quality as the device itself reports it: it does not know most of its faults.
    pub quality: Quality,
}

const fn measured(
    id: SignalId,
    key: &'static str,
    words: [&'static str; 2],
    variable: Option<&'static str>,
    unit: [&'static str; 2],
    digits: u8,
) -> SignalInfo {
    let [ja, en] = words;
    let [unit, raw_unit] = unit;
    SignalInfo { id, key, ja, en, variable, unit, raw_unit, origin: Origin::Sensor, sampling: Sampling::Periodic, digits }
}

const fn driven(of: SignalInfo, origin: Origin, deadband: f64) -> SignalInfo {
    SignalInfo { origin, sampling: Sampling::OnChange { deadband: Some(deadband) }, ..of }
}

/// The signals of every reactor, in order of [`SignalId`].
pub const SIGNALS: [SignalInfo; COUNT] = {
    use SignalId as S;
    let (ph, cel, sat, rpm) = (["[pH]", "pH"], ["Cel", "°C"], ["%{sat}", "%sat"], ["/min", "rpm"]);
    let (flow, pct, ml) = (["L/min", "L/min"], ["%", "%"], ["mL", "mL"]);
    [
        measured(S::Ph, "pH.PV", ["pH", "pH"], Some("ph"), ph, 2),
        measured(S::Temperature, "T.PV", ["温度", "Temperature"], Some("temperature"), cel, 2),
        measured(S::DissolvedOxygen, "DO.PV", ["溶存酸素", "Dissolved oxygen"], Some("dissolved-oxygen"), sat, 1),
        measured(S::Agitation, "N.PV", ["撹拌速度", "Stirrer speed"], Some("stirrer-speed"), rpm, 0),
        measured(S::GasFlow, "F.PV", ["通気量", "Gas flow"], Some("gas-flow"), flow, 3),
        measured(S::Pressure, "P.PV", ["槽内圧", "Pressure"], Some("pressure"), ["bar", "bar"], 3),
        measured(S::Weight, "W.PV", ["重量", "Weight"], Some("weight"), ["kg", "kg"], 4),
        measured(S::OpticalDensity, "OD.PV", ["濁度", "Optical density"], Some("optical-density"), ["{OD600}", "OD600"], 2),
        measured(S::OffgasOxygen, "XO2OUT.PV", ["排ガス酸素", "Exit gas oxygen"], Some("oxygen-fraction"), pct, 3),
        measured(S::OffgasCo2, "XCO2OUT.PV", ["排ガス二酸化炭素", "Exit gas CO2"], Some("co2-fraction"), pct, 3),
        measured(S::Foam, "FOAM.PV", ["泡面", "Foam level"], Some("foam-level"), pct, 1),
        driven(
            measured(S::InletOxygen, "XO2.PV", ["入口酸素", "Inlet oxygen"], Some("inlet-oxygen-fraction"), pct, 2),
            Origin::Actuator,
            0.05,
        ),
        driven(measured(S::FeedRate, "FA.PV", ["流加速度", "Feed rate"], None, ["mL/h", "mL/h"], 3), Origin::Actuator, 0.0),
        driven(measured(S::FeedTotal, "VA.PV", ["流加積算", "Feed added"], Some("feed"), ml, 3), Origin::Actuator, 0.0),
        driven(measured(S::BaseTotal, "VB.PV", ["塩基積算", "Base added"], Some("base"), ml, 3), Origin::Actuator, 0.0),
        driven(measured(S::AcidTotal, "VC.PV", ["酸積算", "Acid added"], Some("acid"), ml, 3), Origin::Actuator, 0.0),
        driven(measured(S::PhSetpoint, "pH.SP", ["pH設定値", "pH set-point"], Some("ph"), ph, 2), Origin::Setpoint, 0.0),
        driven(
            measured(S::TemperatureSetpoint, "T.SP", ["温度設定値", "Temperature set-point"], Some("temperature"), cel, 2),
            Origin::Setpoint,
            0.0,
        ),
        driven(
            measured(
                S::DissolvedOxygenSetpoint,
                "DO.SP",
                ["溶存酸素設定値", "Dissolved oxygen set-point"],
                Some("dissolved-oxygen"),
                sat,
                1,
            ),
            Origin::Setpoint,
            0.0,
        ),
        driven(
            measured(S::AgitationSetpoint, "N.SP", ["撹拌速度設定値", "Stirrer set-point"], Some("stirrer-speed"), rpm, 0),
            Origin::Setpoint,
            0.0,
        ),
    ]
};

/// Reports by exception: which readings a device with dead bands sends. One for each reactor and client.
#[derive(Debug, Clone)]
pub struct Reporter {
    last: [Option<Option<f64>>; COUNT],
}

impl Default for Reporter {
    fn default() -> Self {
        Self { last: [None; COUNT] }
    }
}

impl Reporter {
    /// Nothing was reported yet: everything is due.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Is this reading to be sent? Periodic signals always; the others when they left their dead band, or
    /// lost or found their value.
    pub fn due(&mut self, reading: &Reading) -> bool {
        let info = reading.signal.info();
        let Some(last) = self.last.get_mut(reading.signal.index()) else { return true };
        let moved = match (&info.sampling, *last, reading.value) {
            (Sampling::OnChange { deadband }, Some(Some(before)), Some(now)) => (now - before).abs() > deadband.unwrap_or(0.0),
            (Sampling::OnChange { .. }, Some(before), now) => before != now,
            _ => true,
        };
        if moved {
            *last = Some(reading.value);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::Unit;

    #[test]
    fn the_table_stands_in_the_order_of_its_names_and_speaks_known_words() {
        let known = toji_core::variable::all();
        for (i, info) in SIGNALS.iter().enumerate() {
            assert_eq!(info.id.index(), i, "{}", info.key);
            let unit = Unit::parse(info.unit).unwrap();
            assert!(Unit::parse(info.raw_unit).is_ok(), "{}", info.raw_unit);
            if let Some(variable) = info.variable {
                let variable = known.iter().find(|v| v.id == variable).unwrap_or_else(|| panic!("{variable} is no variable"));
                let expected = Unit::parse(&variable.unit).unwrap();
                assert!(unit.commensurable(&expected), "{}: {} against {}", info.key, unit.code(), expected.code());
            }
        }
        let mut keys: Vec<&str> = SIGNALS.iter().map(|s| s.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), COUNT);
    }

    #[test]
    fn dead_bands_silence_small_moves_and_nothing_else() {
        let mut reporter = Reporter::new();
        let mut due = |signal, value| reporter.due(&Reading { signal, t_ns: 0, value, quality: Quality::GOOD });
        assert!(due(SignalId::InletOxygen, Some(20.95)));
        assert!(!due(SignalId::InletOxygen, Some(20.98)));
        assert!(due(SignalId::InletOxygen, Some(21.01)));
        assert!(due(SignalId::InletOxygen, None));
        assert!(!due(SignalId::InletOxygen, None));
        assert!(due(SignalId::Ph, Some(7.0)) && due(SignalId::Ph, Some(7.0)));
    }
}
