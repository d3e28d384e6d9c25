//! Files of stirred vessels: DASware sections, ambr column pairs.

use super::culture::{Recipe, State, recipe, simulate};
use super::random::Random;
use super::{MARK, stamp};
use std::fmt::Write as _;

/// What a file shows of a vessel: its states, and the noise that its probes still need.
type Culture = (Vec<State>, Option<Random>);

/// A DASware control 4 export of some vessels of one volume, in Latin-1.
pub(super) fn dasware(seed: u64, project: &str, start_s: i64, volume_l: f64, vessels: u32) -> Vec<u8> {
    let culture = |n: u32| -> Culture {
        let mut random = Random::new(seed, &format!("{project} {n}"));
        let recipe = Recipe { mu_max_per_h: 0.55 * random.between(0.94, 1.06), ..recipe(volume_l) };
        (simulate(&recipe, 1.0 / 60.0), Some(random))
    };
    write_dasware(project, start_s, &format!("simulated fed-batch, {volume_l} L"), (1..=vessels).map(culture).collect())
}

/// A DASware control 4 export of simulated vessels, in Latin-1: a value where it left its dead band. Times of
/// the states count from inoculation at `start_s` (seconds since 1970). The project's comment says that the
/// file is simulated.
#[must_use]
pub fn dasware_of(project: &str, start_s: i64, comment: &str, cultures: Vec<Vec<State>>) -> Vec<u8> {
    let comment = format!("simulated: {comment}").replace(['"', ';', '\r', '\n'], " ");
    let project = project.replace(['"', ';', '\\', '.', '\r', '\n'], "-");
    write_dasware(&project, start_s, &comment, cultures.into_iter().map(|c| (c, None)).collect())
}

fn write_dasware(project: &str, start_s: i64, comment: &str, cultures: Vec<Culture>) -> Vec<u8> {
    const BIAS_MIN: i64 = -540;
    let local = |t_h: f64| stamp(start_s - BIAS_MIN * 60 + (t_h * 3600.0).round() as i64);
    let hours = cultures.iter().filter_map(|c| c.0.last()).map(|s| s.t_h).fold(0.0, f64::max);
    let vessels = u32::try_from(cultures.len()).unwrap_or(u32::MAX);
    let mut out = String::new();
    let _ = write!(
        out,
        "\"[Info]\"\r\n\"Product\";\"Version\";\"Host\";\"Timestamp\"\r\n\"FngArchiv\";\"4.0.1\";\"SIM\";{end}\r\n\r\n\
         \"[CoreInfo]\"\r\n\"Product\";\"Version\";\"Host\";\"Option1\"\r\n\"DASGIP Control Core\";\"4.6.8\";\"SIM\"\r\n\"TimezoneBias\";{BIAS_MIN}\r\n\r\n\
         \"[ProjectInfo]\"\r\n\"ProjName\";\"FullName\";\"Filename\";\"LocName\";\"LocNamePar\";\"LocComment\";\"State\";\"Version\";\"StartTimestamp\";\"StopTimestamp\"\r\n\
         \"{project}\";\"\\{project}\";\"\";\"{project}\";\"\";\"{comment}\";1;\"1.3.2\";{begin};{end}\r\n",
        begin = local(-0.25),
        end = local(hours),
    );
    for n in 1..=vessels {
        let _ = write!(
            out,
            "\"Module{m}\";\"\\{project}\\u{n}\";\"\";\"Setup {n}\";\"Setup {n}\";\"\";1;\"1.0\";{};{};5;\"\";\"{{{n}}}\";\"UnitNo={n}\";\"StpNo={n}\"\r\n",
            local(-0.25),
            local(hours),
            m = n + 1,
        );
    }
    out.push_str("\r\n\"[TrackInfo]\"\r\n\"ProjName\";\"FullName\";\"LocName\";\"LocNamePar\";\"LocComment\";\"Unit\";\"StartTimestamp\";\"StopTimestamp\";\"LogInterval\";\"LogIntervalTime\";\"Deadband\";\"Digits\"\r\n");
    for n in 1..=vessels {
        for track in TRACKS {
            let short = track.name.split_once('.').map_or(track.name, |(a, _)| a);
            let _ = write!(
                out,
                "\"Track{short}\";\"\\{project}\\{short}\";\"Unit.{name}\";\"Unit {n}.{name}\";\"{comment}\";\"{unit}\";;;1;\"60s\";{deadband};{digits}\r\n",
                name = track.name.replacen('#', &n.to_string(), 1),
                comment = track.comment,
                unit = track.unit,
                deadband = track.deadband,
                digits = track.digits,
            );
        }
    }
    for (n, culture) in (1..).zip(cultures) {
        track_data(&mut out, n, culture, &local);
    }
    out.push_str("\r\n\"[Events]\"\r\n\"No\";\"Timestamp\";\"Description\";\"Reference\";\"User\"\r\n");
    let _ = write!(out, "1;{};\"Project started\";\"\";\"simulated\"\r\n", local(-0.25));
    for n in 1..=vessels {
        let _ = write!(
            out,
            "{};{};\"Inoculation of Unit {n}\";\"{project}.Setup {n}.Unit {n}\";\"simulated\"\r\n",
            n + 1,
            local(0.0)
        );
    }
    let _ = write!(
        out,
        "{};{};\"Deadband alarm acknowledged\";\"{project}.Setup 1.Unit 1.DO\";\"simulated\"\r\n",
        vessels + 2,
        local(7.5)
    );
    latin1(&out)
}

struct Track {
    name: &'static str,
    unit: &'static str,
    comment: &'static str,
    deadband: f64,
    digits: usize,
    noise: f64,
    value: fn(&State) -> f64,
}

/// `#` stands for the number of the vessel.
const TRACKS: [Track; 8] = [
    Track { name: "V#.PV", unit: "mL", comment: "volume", deadband: 1.0, digits: 1, noise: 0.2, value: |s| s.volume_l * 1000.0 },
    Track { name: "pH#.PV", unit: "pH", comment: "pH sensor", deadband: 0.01, digits: 2, noise: 0.004, value: |s| s.ph },
    Track {
        name: "DO#.PV",
        unit: "%DO",
        comment: "oxygen sensor",
        deadband: 0.3,
        digits: 1,
        noise: 0.3,
        value: |s| s.oxygen_percent,
    },
    Track {
        name: "T#.PV",
        unit: "°C",
        comment: "temperature sensor",
        deadband: 0.05,
        digits: 2,
        noise: 0.02,
        value: |s| s.temperature_c,
    },
    Track { name: "N#.PV", unit: "rpm", comment: "stirrer", deadband: 2.0, digits: 0, noise: 1.0, value: |s| s.stirrer_per_min },
    Track { name: "VA#.PV", unit: "mL", comment: "feed added", deadband: 0.1, digits: 2, noise: 0.0, value: |s| s.feed_ml },
    Track { name: "VB#.PV", unit: "mL", comment: "base added", deadband: 0.1, digits: 2, noise: 0.0, value: |s| s.base_ml },
    Track {
        name: "OTR#.PV",
        unit: "mMol/L/h",
        comment: "oxygen transfer rate",
        deadband: 0.2,
        digits: 2,
        noise: 0.1,
        value: |s| s.our_mmol_l_h,
    },
];

fn track_data(out: &mut String, n: u32, (states, mut noise): Culture, local: &dyn Fn(f64) -> String) {
    let _ = write!(out, "\r\n\"[TrackData{n}]\"\r\n\"Timestamp\";\"Duration\";\"Unit {n}.Inoculation Time []\"");
    for track in TRACKS {
        let _ = write!(out, ";\"Unit {n}.{} [{}]\"", track.name.replacen('#', &n.to_string(), 1), track.unit);
    }
    // The controller starts up: a first row of zeros that is no measurement.
    let lead_h = 0.25;
    let row = |out: &mut String, t_h: f64, inoculated: &str| {
        let _ = write!(out, "\r\n{};{:.14E};{inoculated}", local(t_h), (t_h + lead_h) / 24.0);
    };
    row(out, -lead_h, "1899-12-30 00:00:00");
    out.push_str(&"; 0".repeat(TRACKS.len()));
    let mut last = [f64::NAN; TRACKS.len()];
    for state in states {
        let seconds = (state.t_h * 3600.0).round() as i64;
        row(out, state.t_h, &stamp_of_day_zero(seconds));
        for (track, last) in TRACKS.iter().zip(&mut last) {
            let value = (track.value)(&state) + noise.as_mut().map_or(0.0, |random| track.noise * random.normal());
            // Logged on change: an empty cell says "as before".
            if (value - *last).abs() < track.deadband {
                out.push_str(";\"\"");
            } else {
                let _ = write!(out, "; {value:.*}", track.digits);
                *last = value;
            }
        }
    }
    out.push_str("\r\n");
}

/// Time since inoculation as the software writes it: a date counted from 1899-12-30.
fn stamp_of_day_zero(seconds: i64) -> String {
    const DAY_ZERO_S: i64 = -2_209_161_600;
    stamp(DAY_ZERO_S + seconds)
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// An ambr export: one sheet a vessel, pairs of time and value columns, each with its own clock.
pub(super) fn ambr(seed: u64, vessels: u32) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let made = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 10, 1).ok();
    if let Some(made) = &made {
        let about = rust_xlsxwriter::DocProperties::new()
            .set_title("simulated ambr export")
            .set_comment(MARK)
            .set_creation_datetime(made);
        book.set_properties(&about);
    }
    for n in 1..=vessels {
        let name = format!("R{n:02} simulated");
        let mut random = Random::new(seed, &name);
        let recipe = Recipe {
            mu_set_per_h: 0.08 + 0.01 * f64::from(n % 12),
            stirrer_max_per_min: 4000.0,
            mu_max_per_h: 0.55 * random.between(0.9, 1.1),
            ..recipe(0.15)
        };
        let states = simulate(&recipe, 0.05);
        let sheet = book.add_worksheet();
        let _ = sheet.set_name(&name);
        for (i, (header, every, value, noise)) in PAIRS.iter().enumerate() {
            let column = u16::try_from(i * 2).unwrap_or(0);
            let _ = sheet.write_string(0, column, "Time [h]");
            let _ = sheet.write_string(0, column + 1, *header);
            for (row, state) in (1u32..).zip(states.iter().step_by(*every)) {
                let t_h = state.t_h + random.between(0.0, 0.004);
                let value = value(state) + noise * random.normal();
                let _ = sheet.write_number(row, column, (t_h * 1e6).round() / 1e6);
                let _ = sheet.write_number(row, column + 1, (value * 1e4).round() / 1e4);
            }
        }
    }
    book.save_to_buffer().unwrap_or_default()
}

type Pair = (&'static str, usize, fn(&State) -> f64, f64);
const PAIRS: [Pair; 7] = [
    ("pH", 2, |s| s.ph, 0.005),
    ("DO [%]", 1, |s| s.oxygen_percent, 0.4),
    ("Temperature [°C]", 4, |s| s.temperature_c, 0.03),
    ("Stir speed [rpm]", 2, |s| s.stirrer_per_min, 2.0),
    ("Feed#1 volume pumped [mL]", 4, |s| s.feed_ml, 0.0),
    ("Base volume pumped [mL]", 4, |s| s.base_ml, 0.0),
    ("OUR [mmol/L/h]", 2, |s| s.our_mmol_l_h, 0.2),
];
