//! Files of analysers whose samples were taken from the simulated runs.

use super::culture::{State, recipe, simulate};
use super::random::Random;
use super::stamp;
use std::fmt::Write as _;

/// A sample of a simulated run.
pub(super) struct Taken {
    name: String,
    vessel: String,
    at_s: i64,
    state: State,
}

/// Samples every two hours from vessels of a project that started then.
pub(super) fn samples(project: &str, start_s: i64, volume_l: f64, vessels: u32) -> Vec<Taken> {
    let states = simulate(&recipe(volume_l), 2.0);
    let one = |n: u32, (i, state): (usize, &State)| Taken {
        name: format!("{project}-U{n}-S{:02}", i + 1),
        vessel: format!("Unit {n}"),
        at_s: start_s + (state.t_h * 3600.0).round() as i64 + i64::from(n) * 60,
        state: *state,
    };
    (1..=vessels).flat_map(|n| states.iter().enumerate().map(move |s| one(n, s)).collect::<Vec<_>>()).collect()
}

/// Minutes the analyser's clock is east of UTC: local time, as instruments print it.
const EAST_S: i64 = 540 * 60;

/// A FLEX2 export.
pub(super) fn flex2(seed: u64, taken: &[Taken]) -> Vec<u8> {
    let mut random = Random::new(seed, "flex2");
    let mut out = String::from(
        "Date & Time,Sample ID,Sample Type,Gln,Glu,Gluc,Lac,NH4+,Na+,K+,Ca++,pH,PO2,PCO2,Osm,Vessel ID,Batch ID,Cell Type,Vessel Temperature (°C),Sparging O2%,Chemistry Dilution Ratio,Sample Time,Operator\n",
    );
    for sample in taken {
        let s = &sample.state;
        let mut noisy = |value: f64| (value * (1.0 + 0.02 * random.normal())).max(0.0);
        let date = us_date(sample.at_s + EAST_S);
        let _ = writeln!(
            out,
            "{date},{},simulated,0.00,{:.2},{:.2},{:.2},{:.2},{:.1},{:.2},{:.2},{:.3},{:.1},{:.1},{:.0},{},simulated,E. coli,37.0,20.9,1:1,{date},simulated",
            sample.name,
            noisy(0.05),
            noisy(s.glucose_g_l),
            noisy(0.05),
            noisy(18.0),
            noisy(110.0),
            noisy(9.0),
            noisy(0.8),
            s.ph,
            noisy(1.5 * s.oxygen_percent),
            noisy(20.0),
            noisy(340.0),
            sample.vessel,
        );
    }
    out.into_bytes()
}

/// A Cedex BioHT result file; results below the test's range say so.
pub(super) fn bioht(seed: u64, taken: &[Taken]) -> Vec<u8> {
    let mut random = Random::new(seed, "bioht");
    let Some((first, last)) = taken.first().zip(taken.last()) else { return Vec::new() };
    let day = |s: i64| stamp(s + EAST_S).chars().take(10).collect::<String>();
    let mut out = format!(
        "0\t{}\t#ARC-FILE#\t1.1a\t{}\t{}\tCEDEX BIO HT\tSIM001\t6.0.0.1905 (1905)\tsimulated\r\n",
        stamp(last.at_s + EAST_S + 3600),
        day(first.at_s),
        day(last.at_s),
    );
    for sample in taken {
        let s = &sample.state;
        let ammonium_mg_l = 18.0 * 17.0;
        let tests = [
            ("GLC3B", "g/L", s.glucose_g_l, 0.02, 3),
            ("AC2B", "mg/L", s.acetate_g_l * 1000.0, 10.04, 2),
            ("NH3B", "mg/L", ammonium_mg_l, 8.0, 3),
            ("PHO2B", "mg/L", 660.0, 5.0, 2),
        ];
        for (i, (test, unit, value, limit, digits)) in tests.into_iter().enumerate() {
            let value = value * (1.0 + 0.015 * random.normal());
            let at = stamp(sample.at_s + EAST_S + 300 + 12 * i as i64);
            let absorbance = random.between(0.01, 0.9);
            let (flag, shown) =
                if value < limit { ("< TEST RNG", format!("< {limit}")) } else { (" ", format!("  {value:.digits$}")) };
            let _ = write!(
                out,
                "40\t{at}\t{}\tsimulated\tSAM\t        \t{test}\t        \t{unit}\t{flag}\t{shown}\t  {absorbance:.5}\tR\r\n",
                sample.name
            );
        }
    }
    out.into_bytes()
}

/// A Vi-CELL BLU export of a cell culture of its own: the counter is for mammalian cells.
pub(super) fn vicell_blu(seed: u64, start_s: i64) -> Vec<u8> {
    let mut random = Random::new(seed, "blu");
    let mut out = String::from(
        "Sample ID,Cell count,Viable cells,Total (x10^6) cells/mL,Viable (x10^6) cells/mL,Viability (%),Average diameter (μm),Average viable diameter (μm),Average circularity,Average viable circularity,Average cells per image,Average background intensity,Bubble count,Cluster count,Images for analysis,Cell type,Minimum Diameter (μm),Maximum Diameter (μm),Images,Cell sharpness,Minimum circularity,Decluster degree,Aspiration cycles,Viable spot brightness (%),Viable spot area (%),Mixing cycles,Analysis date/time,Reanalysis date/time,Analysis by,Reanalysis by,Dilution,Wash,Tag\n",
    );
    for day in 0..12i64 {
        let age = day as f64;
        // Logistic growth, then a slow decline of viability.
        let density = 18.0 / (1.0 + 40.0 * (-0.75 * age).exp());
        let viability = (98.5 - 0.6 * (age - 7.0).max(0.0).powi(2)) * (1.0 + 0.003 * random.normal());
        let viable = density * viability.min(100.0) / 100.0 * (1.0 + 0.02 * random.normal());
        let (count, alive) = ((viable / viability * 100.0 * 2800.0) as u64, (viable * 2800.0) as u64);
        let _ = writeln!(
            out,
            "SIM-CHO-D{day:02},{count},{alive},{:.2},{viable:.2},{:.2},{:.2},{:.2},0.88,0.9,{},134,0,0,100,Mammalian,6,30,100,7,0.1,Medium,3,50,5,3,{},,simulated,,1,Normal Wash,simulated",
            viable / viability * 100.0,
            viability.min(100.0),
            18.0 + 0.2 * random.normal(),
            18.4 + 0.2 * random.normal(),
            count / 100,
            us_date_short(start_s + EAST_S + day * 86_400 + 3600),
        );
    }
    out.into_bytes()
}

fn parts(seconds: i64) -> (String, String, String, i64, String, String) {
    let text = stamp(seconds);
    let piece = |a: usize, b: usize| text.get(a..b).unwrap_or("").to_owned();
    (piece(0, 4), piece(5, 7), piece(8, 10), piece(11, 13).parse().unwrap_or(0), piece(14, 16), piece(17, 19))
}

fn us_date(seconds: i64) -> String {
    let (year, month, day, hour, minute, second) = parts(seconds);
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    format!("{}/{}/{year} {hour:02}:{minute}:{second} {half}", month.trim_start_matches('0'), day.trim_start_matches('0'))
}

fn us_date_short(seconds: i64) -> String {
    let (year, month, day, hour, minute, _) = parts(seconds);
    format!("{}/{}/{year} {hour}:{minute}", month.trim_start_matches('0'), day.trim_start_matches('0'))
}
