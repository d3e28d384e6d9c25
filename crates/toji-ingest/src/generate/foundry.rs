//! The foundry workload: 38 reactors of 20 channels, one point every 10 seconds.

use super::random::Random;
use super::stamp;
use std::io::{BufWriter, Result, Write};

/// One file of the workload, not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundryFile {
    /// A name for the file.
    pub name: String,
    seed: u64,
    part: Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Series { reactor: usize, from_s: i64, until_s: i64 },
    Samples { reactors: usize, seconds: i64 },
}

impl FoundryFile {
    /// A reactor's series, `run,channel,t,value,quality`; else the samples,
    /// `run,sample,time,analyte,value,unit`.
    #[must_use]
    pub fn is_series(&self) -> bool {
        matches!(self.part, Part::Series { .. })
    }
    /// Writes the file, row by row.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write_to(&self, out: impl Write) -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        match self.part {
            Part::Series { reactor, from_s, until_s } => series(self.seed, reactor, from_s, until_s, &mut out)?,
            Part::Samples { reactors, seconds } => samples(self.seed, reactors, seconds, &mut out)?,
        }
        out.flush()
    }
}

/// Reactors of the full workload.
pub const FOUNDRY_REACTORS: usize = 38;

/// A channel: name, digits, level, daily swing, noise.
const CHANNELS: [(&str, usize, f64, f64, f64); 20] = [
    ("pH", 3, 6.9, 0.05, 0.005),
    ("DO (%)", 2, 45.0, 20.0, 0.8),
    ("Temperature (°C)", 2, 37.0, 0.05, 0.03),
    ("Stirrer (rpm)", 0, 800.0, 300.0, 3.0),
    ("Air flow (L/min)", 3, 1.0, 0.2, 0.004),
    ("O2 flow (L/min)", 3, 0.2, 0.15, 0.002),
    ("CO2 flow (L/min)", 3, 0.05, 0.02, 0.001),
    ("Pressure (mbar)", 1, 200.0, 20.0, 0.7),
    ("Feed (mL)", 2, 120.0, 110.0, 0.02),
    ("Base (mL)", 2, 40.0, 35.0, 0.02),
    ("Acid (mL)", 2, 1.0, 0.5, 0.0),
    ("Antifoam (mL)", 2, 2.0, 1.0, 0.0),
    ("Weight (kg)", 4, 1.1, 0.1, 0.0004),
    ("O2 out (%)", 3, 19.5, 1.2, 0.01),
    ("CO2 out (%)", 3, 1.4, 1.2, 0.01),
    ("OUR (mmol/(L.h))", 2, 90.0, 85.0, 0.6),
    ("CER (mmol/(L.h))", 2, 92.0, 86.0, 0.6),
    ("Capacitance (pF/cm)", 3, 12.0, 10.0, 0.05),
    ("Redox (mV)", 1, -120.0, 60.0, 1.0),
    ("Conductivity (mS/cm)", 2, 14.0, 2.0, 0.02),
];

/// Substances measured in samples, with level and unit.
const ANALYTES: [(&str, f64, &str); 12] = [
    ("glucose", 4.0, "g/L"),
    ("acetate", 0.6, "g/L"),
    ("lactate", 0.2, "g/L"),
    ("ammonium", 18.0, "mmol/L"),
    ("phosphate", 600.0, "mg/L"),
    ("glutamine", 1.5, "mmol/L"),
    ("glutamate", 0.8, "mmol/L"),
    ("sodium", 120.0, "mmol/L"),
    ("potassium", 9.0, "mmol/L"),
    ("OD600", 40.0, "{OD600}"),
    ("CDW", 16.0, "g/L"),
    ("IgG", 900.0, "mg/L"),
];

/// 2026-10-01T00:00:00Z.
const START_S: i64 = 1_790_812_800;
const PERIOD_S: i64 = 10;

/// The workload: one file a reactor and day, then one of samples every two hours with 4 to 12 results.
/// One point in a hundred carries a flag; points come every 10 s with 2 s of jitter in microseconds.
/// [`FOUNDRY_REACTORS`] reactors on one day are 6.57 million points.
#[must_use]
pub fn foundry_day(seed: u64, reactors: usize, days: f64) -> Vec<FoundryFile> {
    let seconds = (days * 86_400.0).round().max(0.0) as i64;
    let mut out = Vec::new();
    for reactor in 1..=reactors {
        for (day, from_s) in (1..).zip((0..seconds).step_by(86_400)) {
            let name = format!("foundry_R{reactor:02}_day{day:02}.csv");
            out.push(FoundryFile { name, seed, part: Part::Series { reactor, from_s, until_s: seconds.min(from_s + 86_400) } });
        }
    }
    out.push(FoundryFile { name: "foundry_samples.csv".into(), seed, part: Part::Samples { reactors, seconds } });
    out
}

fn run_name(reactor: usize) -> String {
    format!("simulated R{reactor:02}")
}

fn series(seed: u64, reactor: usize, from_s: i64, until_s: i64, out: &mut impl Write) -> Result<()> {
    let mut random = Random::new(seed, &format!("foundry {reactor} {from_s}"));
    let run = run_name(reactor);
    out.write_all(b"run,channel,t,value,quality\n")?;
    let mut t_s = from_s;
    while t_s < until_s {
        let phase = (t_s as f64 / 86_400.0 * std::f64::consts::TAU + reactor as f64).sin();
        let second = stamp(START_S + t_s).replace(' ', "T");
        for (channel, digits, level, swing, noise) in CHANNELS {
            let jitter_us = random.below(2_000_000);
            let value = level + swing * phase + noise * random.normal();
            let quality = match random.below(200) {
                0 => "uncertain",
                1 => "bad",
                _ => "good",
            };
            // The jitter stays within the period: 2 s at most after the full second, so carry one.
            let (carry, us) = (jitter_us / 1_000_000, jitter_us % 1_000_000);
            if carry == 0 {
                writeln!(out, "{run},{channel},{second}.{us:06}Z,{value:.digits$},{quality}")?;
            } else {
                let next = stamp(START_S + t_s + 1).replace(' ', "T");
                writeln!(out, "{run},{channel},{next}.{us:06}Z,{value:.digits$},{quality}")?;
            }
        }
        t_s += PERIOD_S;
    }
    Ok(())
}

fn samples(seed: u64, reactors: usize, seconds: i64, out: &mut impl Write) -> Result<()> {
    let mut random = Random::new(seed, "foundry samples");
    out.write_all(b"run,sample,time,analyte,value,unit\n")?;
    for reactor in 1..=reactors {
        let run = run_name(reactor);
        let mut t_s = 3600;
        let mut number = 1;
        while t_s < seconds {
            let at = stamp(START_S + t_s + random.below(600) as i64).replace(' ', "T");
            let analytes = 4 + random.below(9) as usize;
            for (analyte, level, unit) in ANALYTES.iter().take(analytes) {
                let value = level * random.between(0.5, 1.5);
                // One result in forty lies below the limit of its method.
                let shown = if random.below(40) == 0 { format!("< {:.3}", level * 0.05) } else { format!("{value:.3}") };
                writeln!(out, "{run},R{reactor:02}-S{number:03},{at}Z,{analyte},{shown},{unit}")?;
            }
            t_s += 7200;
            number += 1;
        }
    }
    Ok(())
}
