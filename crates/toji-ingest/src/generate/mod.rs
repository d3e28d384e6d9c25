//! Simulated runs in the shapes of vendors' files: seed in, bytes out.
//!
//! For demonstrations, tests and benches where real files may not be shipped. Every file says that it is
//! simulated (`simulated` or `模擬データ`) in a project, user, comment or name field, so that what is read
//! from it is marked as simulated for ever. Nothing here does I/O but through the writers it is given.

mod analysers;
mod culture;
mod foundry;
mod random;
mod sake;
mod small;
mod vessels;

pub use culture::State;
pub use foundry::{FOUNDRY_REACTORS, FoundryFile, foundry_day};
pub use vessels::dasware_of;

/// What every file carries somewhere.
const MARK: &str = "simulated / 模擬データ";

/// 2026-10-05T00:00:00Z, a Monday: when the demonstration begins.
const START_S: i64 = 1_791_158_400;

/// The files of the demonstration: name and content. Analyser files hold samples of the reactor runs.
#[must_use]
pub fn demo_files(seed: u64) -> Vec<(String, Vec<u8>)> {
    const DAY_S: i64 = 86_400;
    let one_litre = analysers::samples("SIM-FB1L", START_S, 1.0, 2);
    let thirty = analysers::samples("SIM-FB30L", START_S + 2 * DAY_S, 30.0, 1);
    let plant = analysers::samples("SIM-FB3000L", START_S + 4 * DAY_S, 3000.0, 1);
    let file = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
    vec![
        file("fedbatch_1L_a.dasware.csv", vessels::dasware(seed, "SIM-FB1L", START_S, 1.0, 2)),
        file("fedbatch_1L_b.dasware.csv", vessels::dasware(seed, "SIM-FB1L-B", START_S + DAY_S, 1.0, 2)),
        file("fedbatch_30L.dasware.csv", vessels::dasware(seed, "SIM-FB30L", START_S + 2 * DAY_S, 30.0, 1)),
        file("fedbatch_3000L.dasware.csv", vessels::dasware(seed, "SIM-FB3000L", START_S + 4 * DAY_S, 3000.0, 1)),
        file("screening.ambr.xlsx", vessels::ambr(seed, 12)),
        file("growth_plate.biolector.csv", small::biolector(seed, START_S + 6 * DAY_S, 24)),
        file("teaching.pioreactor.csv", small::pioreactor(seed, START_S + 7 * DAY_S)),
        file("fedbatch_1L.flex2.csv", analysers::flex2(seed, &one_litre)),
        file("fedbatch_1L.cedex_bioht.txt", analysers::bioht(seed, &one_litre)),
        file("fedbatch_30L.cedex_bioht.txt", analysers::bioht(seed, &thirty)),
        file("fedbatch_3000L.flex2.csv", analysers::flex2(seed, &plant)),
        file("cho_counts.vicell_blu.csv", analysers::vicell_blu(seed, START_S)),
        file("moromi.yaml", sake::yaml(seed, START_S)),
        file("醪経過簿.csv", sake::day_sheet(seed, START_S)),
        file("historian_long.csv", historian(seed)),
    ]
}

/// Some hours of a reactor as a historian writes them.
fn historian(seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in foundry_day(seed, 1, 0.1).iter().filter(|f| f.is_series()) {
        // Writing into memory does not fail.
        let _ = file.write_to(&mut bytes);
    }
    bytes
}

/// `2026-10-05 08:00:00` of seconds since 1970.
fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).datetime().strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// `2026-10-05T08:00:00.123456Z` of microseconds since 1970.
fn iso(us: i64) -> String {
    format!("{}.{:06}Z", stamp(us.div_euclid(1_000_000)).replace(' ', "T"), us.rem_euclid(1_000_000))
}
