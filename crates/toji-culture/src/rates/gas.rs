//! Oxygen taken up and carbon dioxide given off, from the gas that goes in and comes out.
//!
//! What is neither taken up nor given off (nitrogen, argon) tells the flow of the exit gas:
//! `F_out = F_in (1 − yO2,in − yCO2,in) / (1 − yO2,out − yCO2,out)`. This is the balance of Haldane, as used for
//! fermenters by Heinzle and Dunn (in Biotechnology vol. 4, VCH 1991) and Villadsen, Nielsen and Lidén
//! (Bioreaction Engineering Principles, 3rd ed., Springer 2011, chapter 3). Fractions are those of dry gas.

use super::line::{Line, Usable};

/// Litres of one mole of gas at 0 °C and 101.325 kPa (CODATA 2018: 22.413 969 54).
pub const MOLAR_L_PER_MOL: f64 = 22.413_969_54;
/// Dry air, mol/mol: oxygen, and carbon dioxide (U.S. Standard Atmosphere 1976; carbon dioxide of the 2020s).
pub const AIR: (f64, f64) = (0.2095, 0.000_42);

/// At which temperature (and 101.325 kPa) a litre of gas flow is counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Reference {
    /// At this temperature, °C.
    Stated(f64),
    /// The source does not say.
    #[default]
    NotStated,
}

/// What is known of the gas.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gas {
    /// Flow that goes in, L/min.
    pub flow: Option<Line>,
    /// What a litre of it is.
    pub reference: Reference,
    /// Oxygen of the gas that goes in, %; dry air when missing.
    pub inlet_oxygen: Option<Line>,
    /// Carbon dioxide of the gas that goes in, %.
    pub inlet_co2: Option<Line>,
    /// Oxygen of the exit gas, %.
    pub exit_oxygen: Option<Line>,
    /// Carbon dioxide of the exit gas, %.
    pub exit_co2: Option<Line>,
    /// Another gas than air flows in whose share of the inlet is not recorded.
    pub mixed: bool,
    /// Oxygen uptake rate as the source itself calculates it, mmol/(L·h).
    pub our: Option<Line>,
    /// Carbon dioxide evolution rate as the source itself calculates it, mmol/(L·h).
    pub cer: Option<Line>,
}

/// Gas at one moment: flow in normal litres an hour (0 °C, 101.325 kPa), fractions in mol/mol of dry gas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Flow in, L/h at 0 °C and 101.325 kPa.
    pub flow_l_per_h: f64,
    /// Oxygen in.
    pub oxygen_in: f64,
    /// Carbon dioxide in.
    pub co2_in: f64,
    /// Oxygen out.
    pub oxygen_out: f64,
    /// Carbon dioxide out.
    pub co2_out: f64,
    /// Broth, L.
    pub volume_l: f64,
}

/// Oxygen uptake and carbon dioxide evolution, mmol/(L·h). None for fractions that leave no inert gas, or no volume.
#[must_use]
pub fn exchange(m: &Moment) -> Option<(f64, f64)> {
    let (inert_in, inert_out) = (1.0 - m.oxygen_in - m.co2_in, 1.0 - m.oxygen_out - m.co2_out);
    let fraction = |y: f64| (-0.01..=1.0).contains(&y);
    let sound = [m.oxygen_in, m.co2_in, m.oxygen_out, m.co2_out].into_iter().all(fraction)
        && inert_in > 0.01
        && inert_out > 0.01
        && m.volume_l > 0.0
        && m.flow_l_per_h > 0.0;
    if !sound {
        return None;
    }
    let in_mmol = m.flow_l_per_h / MOLAR_L_PER_MOL * 1000.0 / m.volume_l;
    let out_mmol = in_mmol * inert_in / inert_out;
    let rates = (in_mmol * m.oxygen_in - out_mmol * m.oxygen_out, out_mmol * m.co2_out - in_mmol * m.co2_in);
    (rates.0.is_finite() && rates.1.is_finite()).then_some(rates)
}

/// Rates over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Breath {
    pub(super) t_h: f64,
    /// Width of the stretch, h.
    pub(super) width_h: f64,
    pub(super) our: f64,
    pub(super) cer: f64,
    /// Standard errors by the scatter of the exit gas, and their degrees of freedom.
    pub(super) our_error: f64,
    pub(super) cer_error: f64,
    pub(super) freedom: f64,
    pub(super) volume_l: f64,
}

/// The usable lines of the gas over the run.
pub(super) struct Lines {
    pub(super) flow: Usable,
    pub(super) inlet_oxygen: Option<Usable>,
    pub(super) inlet_co2: Option<Usable>,
    pub(super) exit_oxygen: Usable,
    pub(super) exit_co2: Usable,
}

/// Mean over a stretch; of a line that holds, the value that stands there when nothing new was written.
fn mean(line: &Usable, from_h: f64, to_h: f64) -> Option<f64> {
    let inside = line.between(from_h, to_h);
    if line.holds || inside.is_empty() {
        // Time-weighted over the changes inside.
        if !line.holds {
            return None;
        }
        let mut at = from_h;
        let mut value = line.at(from_h).or_else(|| inside.first().map(|s| s.value))?;
        let mut sum = 0.0;
        for spot in inside {
            sum += value * (spot.t_h - at);
            (at, value) = (spot.t_h, spot.value);
        }
        sum += value * (to_h - at);
        return Some(sum / (to_h - from_h));
    }
    Some(inside.iter().map(|s| s.value).sum::<f64>() / inside.len() as f64)
}

/// Rates stretch by stretch; those where anything is missing are left out. `scale` brings the flow to 0 °C.
pub(super) fn breaths(
    lines: &Lines,
    scale: f64,
    from_h: f64,
    width_h: f64,
    count: usize,
    volume: impl Fn(f64) -> Option<f64>,
) -> Vec<Breath> {
    let one = |i: usize| -> Option<Breath> {
        let (start, end) = (from_h + width_h * i as f64, from_h + width_h * (i + 1) as f64);
        let t_h = 0.5 * (start + end);
        let (oxygen, co2) =
            (super::line::level(lines.exit_oxygen.between(start, end))?, super::line::level(lines.exit_co2.between(start, end))?);
        let inlet = |line: &Option<Usable>, air: f64| match line {
            Some(line) => mean(line, start, end).map(|v| v / 100.0),
            None => Some(air),
        };
        let m = Moment {
            flow_l_per_h: mean(&lines.flow, start, end)? * 60.0 * scale,
            oxygen_in: inlet(&lines.inlet_oxygen, AIR.0)?,
            co2_in: inlet(&lines.inlet_co2, AIR.1)?,
            oxygen_out: oxygen.mean / 100.0,
            co2_out: co2.mean / 100.0,
            volume_l: volume(t_h)?,
        };
        let (our, cer) = exchange(&m)?;
        let moved = |oxygen_out: f64, co2_out: f64| exchange(&Moment { oxygen_out, co2_out, ..m });
        let (so, sc) = (oxygen.error.unwrap_or(0.0) / 100.0, co2.error.unwrap_or(0.0) / 100.0);
        let (by_oxygen, by_co2) = (moved(m.oxygen_out + so, m.co2_out), moved(m.oxygen_out, m.co2_out + sc));
        let off = |moved: Option<(f64, f64)>| moved.map_or((0.0, 0.0), |(o, c)| (o - our, c - cer));
        let ((oo, co), (oc, cc)) = (off(by_oxygen), off(by_co2));
        let freedom = oxygen.freedom.min(co2.freedom);
        Some(Breath { t_h, width_h, our, cer, our_error: oo.hypot(oc), cer_error: co.hypot(cc), freedom, volume_l: m.volume_l })
    };
    (0..count).filter_map(one).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    #[test]
    fn the_balance_worked_by_hand() {
        // Ten litres of broth, one vvm of air: 600 NL/h. Inert 0.79008 in, 1 − 0.1900 − 0.0195 = 0.7905 out;
        // exit gas 600·0.79008/0.7905 = 599.681 NL/h. Oxygen 125.7 − 113.9394 = 11.7606 NL/h,
        // 524.70 mmol/h, 52.470 mmol/(L·h). Carbon dioxide 11.69378 − 0.252 = 11.44178 NL/h, 510.48 mmol/h,
        // 51.048 mmol/(L·h).
        let m = Moment {
            flow_l_per_h: 600.0,
            oxygen_in: 0.2095,
            co2_in: 0.000_42,
            oxygen_out: 0.19,
            co2_out: 0.0195,
            volume_l: 10.0,
        };
        let (our, cer) = exchange(&m).unwrap();
        assert!((our - 52.470).abs() < 0.002 && (cer - 51.048).abs() < 0.002, "{our} {cer}");
        // Without the balance (exit flow = inlet flow) the uptake would be 52.20: the difference is the point.
        let naive = 600.0 / MOLAR_L_PER_MOL * 1000.0 * (0.2095 - 0.19) / 10.0;
        assert!((naive - 52.20).abs() < 0.01 && (our - naive).abs() > 0.2);
    }

    #[test]
    fn the_gases_of_the_off_gas_readers_own_table() {
        // Streams of the test table in toji-ingest, formats/offgas.rs. Its printed quotients (1.0, 1.01) were typed
        // in by hand and belong to no balance; the balance gives 0.8668 and 0.9210 (worked outside this program).
        for (oxygen_out, co2_out, quotient) in [(0.2010, 0.0080, 0.866_829), (0.1950, 0.0140, 0.921_023)] {
            let m = Moment { flow_l_per_h: 60.0, oxygen_in: 0.2095, co2_in: AIR.1, oxygen_out, co2_out, volume_l: 1.0 };
            let (our, cer) = exchange(&m).unwrap();
            assert!((cer / our - quotient).abs() < 1e-5, "{} against {quotient}", cer / our);
        }
    }

    #[test]
    fn impossible_gas_is_refused() {
        let m = Moment { flow_l_per_h: 60.0, oxygen_in: 0.2095, co2_in: 0.0, oxygen_out: 0.2, co2_out: 0.01, volume_l: 1.0 };
        for bad in [
            Moment { volume_l: 0.0, ..m },
            Moment { flow_l_per_h: f64::NAN, ..m },
            Moment { oxygen_out: 0.9, co2_out: 0.2, ..m },
            Moment { oxygen_in: 20.95, ..m },
        ] {
            assert_eq!(exchange(&bad), None, "{bad:?}");
        }
    }
}
