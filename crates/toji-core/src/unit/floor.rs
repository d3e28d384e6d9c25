//! What people write for units, and the UCUM code each spelling stands for.
//!
//! A table, so that a new spelling costs one word. `exact` spellings are matched with their case
//! (`mM` is not `MM`, `NL` is not `nL`), `loose` ones without; both ignore white space and width.
//! Exact spellings win over UCUM where the floor plainly means something else: `C` is a temperature
//! here (UCUM: coulomb), `AU` an absorbance (UCUM: astronomical unit), `L/H` litres per hour (UCUM:
//! litres per henry).

use std::collections::HashMap;
use std::sync::OnceLock;

/// One unit with its spellings.
pub(super) struct Row {
    /// UCUM code.
    pub(super) code: &'static str,
    /// How people read it; empty when the generic rendering is right.
    pub(super) label: &'static str,
    /// Spellings matched with their case, and without; white space between them.
    exact: &'static str,
    loose: &'static str,
}

const fn row(code: &'static str, label: &'static str, exact: &'static str, loose: &'static str) -> Row {
    Row { code, label, exact, loose }
}

/// Every alias. Codes must parse as UCUM and be canonical; a test holds them to it.
pub(super) const ROWS: &[Row] = &[
    row("1", "", "", "- -- none unitless dimensionless 無次元 (-) [-]"),
    // Temperature
    row("Cel", "°C", "C oC deg.C", "°C degC degreeC degreesC celsius degreescelsius 摂氏"),
    row("[degF]", "°F", "deg.F", "°F degF fahrenheit"),
    row("K", "K", "", "kelvin °K degK"),
    // Time
    row("s", "", "", "sec secs sec. second seconds 秒"),
    row("min", "", "", "min mins min. minute minutes 分 分間"),
    row("h", "", "[h]", "hr hrs hr. hour hours 時間"),
    row("d", "", "", "day days 日 日間"),
    row("wk", "", "", "week weeks 週 週間"),
    // Rotation, acceleration
    row("{rev}/min", "rpm", "", "rpm r.p.m. r/min rev/min revs/min 回転/分 毎分回転"),
    row("{rev}/s", "rps", "", "rps rev/s 回転/秒"),
    row("[g]", "×g", "", "xg x(g) rcf g-force gforce"),
    // Gas flow. Standard and normal volumes are their maker's reference state, not actual litres.
    row("L{std}/min", "slpm", "", "slpm slm sL/min stdL/min standardL/min"),
    row("L{std}/h", "sL/h", "", "slph sL/h"),
    row("L{std}", "sL", "sL SL", "stdL"),
    row("cm3{std}/min", "sccm", "", "sccm scm3/min smL/min stdcm3/min"),
    row("m3{std}/h", "Sm³/h", "Sm3/h", ""),
    row("L{norm}/min", "NL/min", "NL/min NL/MIN Nl/min NLPM NLM", "normalL/min"),
    row("L{norm}/h", "NL/h", "NL/h NL/H Nl/h", ""),
    row("L{norm}", "NL", "NL Nl", ""),
    row("mL{norm}/min", "NmL/min", "NmL/min Nml/min Ncm3/min", "nccm"),
    row("m3{norm}/h", "Nm³/h", "Nm3/h", ""),
    row("m3{norm}", "Nm³", "Nm3", ""),
    row("/min{vvm}", "vvm", "", "vvm vol/vol/min v/v/min"),
    row("L/min", "", "", "lpm L/MIN"),
    row("L/h", "", "L/H l/H", "lph"),
    row("mL/min", "", "ML/MIN", "ccm cc/min"),
    row("mL/h", "", "ML/H ML/HR", "cc/h"),
    // Fractions and saturation
    row("%", "%", "", "percent pct パーセント"),
    row("%{sat}", "%sat", "", "%sat %sat. sat% %DO DO% %DOT %airsat %airsat. %airsaturation %a.s. %saturation %飽和"),
    row(
        "%{vol}",
        "% v/v",
        "",
        "%v/v %(v/v) v/v% (v/v)% vol% vol.% vol-% vol.-% %vol %vol. %byvol %ABV ABV 容量% 体積% アルコール度 アルコール度数 アルコール分",
    ),
    row("%{mass}", "% w/w", "", "%w/w %(w/w) w/w% wt% wt.% wt-% %wt %m/m %(m/m) mass% 質量% 重量%"),
    row("%{RH}", "%RH", "rH", "%RH RH% %r.h. 相対湿度%"),
    row("[ppm]", "ppm", "", "ppm"),
    row("[ppb]", "ppb", "", "ppb"),
    row("[ppth]", "‰", "", "‰ permil"),
    // Amount, mass and activity concentration
    row("mol/L", "", "M", "molar モーラー"),
    row("mmol/L", "", "mM", "MMOL/L millimolar"),
    row("umol/L", "", "uM", "micromolar"),
    row("nmol/L", "", "nM", "nanomolar"),
    row("pmol/L", "", "pM", ""),
    row("mosm/kg", "mOsm/kg", "", "mOsm/kg mOsmol/kg mosmkg-1 mOsm/kgH2O"),
    row("mosm/L", "mOsm/L", "", "mOsm/L mOsmol/L"),
    row("mosm", "mOsm", "", "mOsm mOsmol"),
    row("g/L", "", "G/L", "gpl グラム/リットル"),
    row("mg/L", "", "MG/L", ""),
    row("g/dL", "", "", "g/100mL %w/v %(w/v) w/v%"),
    row("mg/dL", "", "", "mg/100mL"),
    row("g{DCW}", "g DCW", "gDW", "gDCW gCDW gcelldryweight gdrycellweight"),
    row("g{DCW}/L", "g DCW/L", "", "gDCW/L gCDW/L gDW/L g乾燥菌体/L"),
    row("g{WCW}/L", "g WCW/L", "", "gWCW/L gWCW g湿菌体/L"),
    row("[IU]", "IU", "", "IU I.U."),
    row("kat", "", "", "katal"),
    // Cells
    row("{cell}", "cells", "", "cell cells 細胞 個"),
    row("{count}", "count", "#", "count counts"),
    row("/mL", "cells/mL", "", "cells/mL cell/mL 個/mL"),
    row("10*6/mL", "10⁶ cells/mL", "", "millioncells/mL mio/mL miocells/mL mcells/mL 100万個/mL x1e6/mL e6cells/mL"),
    row("[CFU]", "CFU", "", "CFU コロニー"),
    // Optics
    row("{OD600}", "OD600", "", "OD600 OD600nm O.D.600 OD(600) OD(600nm) OD_600 A600 ABS600"),
    row("{OD}", "OD", "", "OD O.D. opticaldensity 濁度"),
    row("{AU}", "AU", "AU", "absorbance absorbanceunits abs 吸光度"),
    row("10*-3.{AU}", "mAU", "mAU", ""),
    row("{a.u.}", "a.u.", "", "a.u. arb.u. arb.units arbitraryunits 任意単位"),
    row("{RFU}", "RFU", "", "RFU R.F.U."),
    row("lx", "lx", "", "lux ルクス"),
    row("[pH]", "pH", "pH", "pHunit pHunits"),
    // Named scales: see `toji_core::scale`
    row("{Brix}", "°Bx", "", "Brix °Bx degBx °Brix Bx %Brix ブリックス"),
    row("{Plato}", "°P", "°P", "Plato °Plato degP プラート"),
    row("{Be}", "°Bé", "Bé Be BÉ Bh", "°Bé °Be °Bh Baumé Baume degBaume °Baumé ボーメ ボーメ度 重ボーメ度"),
    row("{SMV}", "日本酒度", "", "SMV 日本酒度 nihonshudo nihonshu-do sakemetervalue"),
    // Pressure
    row("[psi]", "psi", "", "psi psia lbf/in2"),
    row("[psi]{gauge}", "psig", "", "psig psi(g)"),
    row("bar", "", "", "bar bara bar(a) barabs"),
    row("mbar", "", "", "mbar mbara mbar(a)"),
    row("bar{gauge}", "barg", "", "barg bar(g) bargauge"),
    row("mbar{gauge}", "mbarg", "", "mbarg mbar(g)"),
    row("kPa{gauge}", "kPaG", "", "kPaG kPa(G)"),
    row("MPa{gauge}", "MPaG", "MPaG MPa(G) MPag MPa(g)", ""),
    row("mm[Hg]", "mmHg", "", "mmHg Torr"),
    row("m[H2O]", "mH2O", "", "mH2O"),
    row("atm", "", "", "atmosphere 気圧"),
    row("kPa", "", "", "KPA"),
    // Mass, volume, length, energy
    row("g", "", "", "gram grams gm グラム"),
    row("kg", "", "", "KG kgs kilogram kilograms キログラム"),
    row("mg", "", "", "milligram milligrams ミリグラム"),
    row("t", "t", "", "ton tonne トン"),
    row("L", "", "", "ℓ litre litres liter liters ltr リットル リッター"),
    row("mL", "", "", "cc millilitre milliliter ミリリットル"),
    row("kL", "", "", "キロリットル"),
    row("uL", "", "", "mcl マイクロリットル"),
    row("um", "", "UM", "micron microns ミクロン マイクロメートル"),
    row("nm", "", "", "nanometer nanometre"),
    row("ku", "kDa", "kDa", "kilodalton"),
    row("u", "Da", "Da", "dalton"),
    row("mPa.s", "mPa·s", "mPas", "mPa.sec"),
    row("kW.h", "kWh", "kWh", ""),
    row("mol", "", "", "モル moles mole"),
];

/// What a table maps a spelling to: the code of its row.
type Spellings = HashMap<String, &'static str>;

fn tables() -> &'static (Spellings, Spellings) {
    static TABLES: OnceLock<(Spellings, Spellings)> = OnceLock::new();
    TABLES.get_or_init(|| {
        // Nothing written is the number one.
        let (mut exact, mut loose) = (HashMap::new(), HashMap::from([(String::new(), "1")]));
        for row in ROWS {
            for spelling in row.exact.split_whitespace() {
                exact.insert(key(&super::reading::tidy(spelling)), row.code);
            }
            for spelling in row.loose.split_whitespace() {
                loose.insert(key(&super::reading::tidy(spelling)).to_lowercase(), row.code);
            }
        }
        (exact, loose)
    })
}

/// A tidied text without white space and `^`: how spellings are compared.
pub(super) fn key(tidied: &str) -> String {
    tidied.chars().filter(|c| !c.is_whitespace() && *c != '^').collect()
}

/// The code of an `exact` spelling.
pub(super) fn exact(key: &str) -> Option<&'static str> {
    tables().0.get(key).copied()
}

/// The code of a `loose` spelling.
pub(super) fn loose(key: &str) -> Option<&'static str> {
    tables().1.get(&key.to_lowercase()).copied()
}

/// The label of a code that the table names.
pub(super) fn label(code: &str) -> Option<&'static str> {
    ROWS.iter().find(|row| row.code == code && !row.label.is_empty()).map(|row| row.label)
}

/// Every spelling with its code.
pub(super) fn spellings() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.iter()
        .flat_map(|row| row.exact.split_whitespace().chain(row.loose.split_whitespace()).map(|spelling| (spelling, row.code)))
}

/// UCUM codes worth suggesting that need no alias.
const COMMON: &[&str] = &[
    "ug/L", "g/kg", "mmol/L/h", "mol/kg", "mg/kg", "mL/min/L", "g/L/h", "U/L", "U/mL", "kg/m3", "m3", "mm", "cm", "m", "mS/cm",
    "uS/cm", "Pa", "hPa", "MPa", "V", "mV", "mA", "W", "kW", "W/m3", "kW/m3", "J", "kJ", "kcal", "Hz", "/h", "/s", "/d", "N.m",
];

/// Up to three known units whose spelling is nearest to the text, as UCUM codes, nearest first.
pub(super) fn nearest(text: &str) -> Vec<&'static str> {
    let wanted: Vec<char> = key(&super::reading::tidy(text)).to_lowercase().chars().take(40).collect();
    // One edit in three letters is a slip; more is another word.
    let limit = (wanted.len() + 1) / 3;
    // Each letter without a counterpart costs an edit: a cheap look before the whole measure.
    let far = |have: &[char]| wanted.iter().filter(|c| !have.contains(c)).count() > limit;
    let mut scored: Vec<(usize, usize, &str)> = candidates()
        .iter()
        .enumerate()
        .filter(|(_, (have, _))| have.len().abs_diff(wanted.len()) <= limit && !far(have))
        .map(|(order, (have, code))| (distance(&wanted, have), order, *code))
        .filter(|(distance, ..)| *distance <= limit)
        .collect();
    scored.sort_unstable();
    let mut out: Vec<&str> = Vec::new();
    for (.., code) in scored {
        if !out.contains(&code) && out.len() < 3 {
            out.push(code);
        }
    }
    out
}

/// Lower-case letters of everything that may be suggested, with its code.
fn candidates() -> &'static [(Vec<char>, &'static str)] {
    static CANDIDATES: OnceLock<Vec<(Vec<char>, &'static str)>> = OnceLock::new();
    CANDIDATES.get_or_init(|| {
        let codes = ROWS.iter().map(|row| row.code).chain(COMMON.iter().copied()).map(|code| (code, code));
        codes
            .chain(spellings())
            .map(|(spelling, code)| (key(&super::reading::tidy(spelling)).to_lowercase().chars().collect::<Vec<char>>(), code))
            .filter(|(letters, _)| !letters.is_empty())
            .collect()
    })
}

/// Edits between two texts: insert, delete, replace, or swap two neighbours (`rmp` for `rpm`).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = |last: usize, j: usize| a.get(last) == Some(y) && b.get(j) == Some(x);
            if let (Some(last), Some(left)) = (i.checked_sub(1), j.checked_sub(1))
                && swapped(last, left)
            {
                best = best.min(at(&before, left) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}
