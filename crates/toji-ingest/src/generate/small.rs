//! Files of small devices: a BioLector plate and a Pioreactor.

use super::culture::{Recipe, recipe, simulate};
use super::random::Random;
use super::{iso, stamp};
use std::fmt::Write as _;

/// A BioLector 1 result of a flower plate, `wells` of 48, in Latin-1.
pub(super) fn biolector(seed: u64, start_s: i64, wells: usize) -> Vec<u8> {
    const HOURS: f64 = 16.0;
    const CYCLE_H: f64 = 0.25;
    let (begin, end) = (stamp(start_s), stamp(start_s + (HOURS * 3600.0) as i64));
    let halves = |s: &str| s.replacen(' ', ";", 1);
    let mut out = format!(
        "FILENAME;\\Result\\simulated.csv\r\nPROTOCOL;simulated growth\r\nFILE_VERSION;3.1;\r\nDATE START;{}\r\nDATE END;{}\r\nDEVICE;SIM_000001\r\n\
         USER;simulated;COMMENT;simulated data\r\nPLATETYPE;48-Flowerplate;LOT;SIM\r\nMTP ROWS;6\r\nMTP COLUMNS;8\r\nFILTERSETS;2\r\n\r\n\
         FILTERSET;FILTERNAME;EX [nm];EM [nm];LAYOUT;FILTERNR;GAIN;PHASESTATISTICSSIGMA;SIGNALQUALITYTOLERANCE;EMTPY_PARAM;PROCESS PARAMETER\r\n\
         \x201;Biomass;620;620;48-ALFA;1;30;1.00;5.00;0;SET TEMPERATURE [°C];37.00\r\n\
         \x202;GFP;486;510;48-ALFA;2;50;1.00;100.00;0;SET HUMIDITY [rH];85.00\r\n\
         ;;;;;;;;;;SET O2 [%];20.95\r\n;;;;;;;;;;SET CO2 [%];0.00\r\n;;;;;;;;;;SET SHAKER FREQUENCY [rpm];1000.00\r\n\
         ;;;;;;;;;;SET CYCLE TIME [min];15\r\n;;;;;;;;;;SET EXP TIME [h];-1\r\n\r\n\
         READING;WELLNUM;CONTENT;DESCRIPTION;FILTERSET;TIME [h];AMPLITUDE;PHASE;ACT TEMP [°C];ACT HUMIDITY [rH];ACT O2 [%];ACT CO2 [%];COMMENTS\r\n",
        halves(&begin),
        halves(&end),
    );
    let mut random = Random::new(seed, "biolector");
    let cultures: Vec<_> = (0..wells)
        .map(|i| {
            let glucose_g_l = [2.0, 5.0, 10.0, 20.0].get(i % 4).copied().unwrap_or(5.0);
            let mu_max_per_h = 0.5 * random.between(0.9, 1.1);
            simulate(&Recipe { glucose_g_l, mu_set_per_h: 0.0, mu_max_per_h, hours: HOURS, ..recipe(0.001) }, CYCLE_H)
        })
        .collect();
    let cycles = (HOURS / CYCLE_H) as usize;
    for cycle in 0..cycles {
        for set in 1..=2 {
            for (i, states) in cultures.iter().enumerate() {
                let Some(state) = states.get(cycle) else { continue };
                let well = format!("{}{:02}", char::from(b'A' + (i / 8) as u8), i % 8 + 1);
                let amplitude = if set == 1 { 18.0 + 26.0 * state.biomass_g_l } else { 12.0 + 3.0 * state.biomass_g_l.powf(1.2) };
                let amplitude = amplitude * (1.0 + 0.01 * random.normal());
                let t_h = cycle as f64 * CYCLE_H + 0.0006 * i as f64 + 0.05 * f64::from(set - 1);
                let _ = write!(
                    out,
                    "C{};{well};X{};simulated;{set};{t_h:.5};{amplitude:.2};0.1;{:.2};{:.2};{:.2};0.03;\r\n",
                    cycle + 1,
                    i + 1,
                    37.0 + 0.05 * random.normal(),
                    85.0 + 0.4 * random.normal(),
                    20.95 + 0.01 * random.normal(),
                );
            }
        }
    }
    out.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// A Pioreactor export of optical density.
pub(super) fn pioreactor(seed: u64, start_s: i64) -> Vec<u8> {
    let mut random = Random::new(seed, "pioreactor");
    let batch = Recipe { mu_set_per_h: 0.0, glucose_g_l: 4.0, mu_max_per_h: 0.4, hours: 12.0, ..recipe(0.015) };
    let mut out = String::from("experiment,pioreactor_unit,timestamp,od_reading,angle,channel\n");
    for state in simulate(&batch, 1.0 / 60.0) {
        let jitter_us = random.below(900_000) as i64;
        let at_us = (start_s + (state.t_h * 3600.0).round() as i64) * 1_000_000 + jitter_us;
        let od = 0.05 + 0.35 * state.biomass_g_l * (1.0 + 0.01 * random.normal());
        let _ = writeln!(out, "simulated batch,pio01,{},{od:.6},90,2", iso(at_us));
    }
    out.into_bytes()
}
