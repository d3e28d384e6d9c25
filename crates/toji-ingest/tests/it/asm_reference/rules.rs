//! Every difference there may be between the reference documents and ours, each with its reason, and how
//! often each occurs in each file.

use super::facts::{Datum, Difference, Fact, Facts, letters};
use toji_core::Unit;

/// Which justified difference this is; `None`: none of them.
pub(crate) fn justify(d: &Difference, reference: &Facts, ours: &Facts) -> Option<&'static str> {
    let says = |facts: &Facts, sample: &str, quantity: &str| -> Option<Datum> {
        facts.texts.iter().find(|t| t.sample == sample && t.quantity == quantity).map(|t| t.datum.clone())
    };
    match (&d.reference, &d.ours) {
        (Some(r), Some(o)) if r.time.is_some() => {
            // The reference gives a sample's first time to all of its results.
            let times = || ours.quantities.iter().filter(|q| q.sample == r.sample).filter_map(|q| q.time);
            let before = |t: i64| r.time.is_some_and(|first| t < first && first - t <= 3600 * 1_000_000_000);
            let is_first = times().any(|t| Some(t) == r.time) && !times().any(before);
            let own_time = r.time == o.time || (is_first && o.time > r.time);
            let thousand = matches!((&r.datum, &o.datum), (Datum::Number(r), Datum::Number(o)) if (r * 1000.0 - o).abs() <= 1e-9);
            match (own_time, r.unit == o.unit) {
                (true, true) if o.datum.same(&r.datum) => Some("own-time"),
                (true, true) if r.quantity == "absorbance" && thousand => Some("absorbance-in-mau"),
                (_, true) if r.quantity.ends_with(" nm") && thousand && r.time == o.time.map(to_minute) => {
                    Some("seconds-of-a-scan")
                }
                _ => None,
            }
        }
        (Some(r), None) if r.time.is_some() => {
            let analyte = r.quantity.split(" m").next().unwrap();
            let zero = matches!(r.datum, Datum::Number(n) if n == 0.0 && n.is_sign_negative());
            if zero && says(ours, &r.sample, &format!("error: {analyte}")).is_some() {
                return Some("bound-as-minus-zero");
            }
            let activity = |t: &&Fact| {
                let factor =
                    matches!((&t.datum, &r.datum), (Datum::Number(u), Datum::Number(m)) if (u * 0.0167 - m).abs() <= 1e-12 * m);
                t.sample == r.sample && t.quantity.starts_with("custom quantity: LDH") && t.quantity.ends_with("U/L") && factor
            };
            if r.quantity == "ldh molar concentration" && ours.texts.iter().any(|t| activity(&t)) {
                return Some("activity-as-amount");
            }
            let percent = says(ours, &r.sample, "custom quantity: Viable Density %");
            (r.quantity.starts_with("viable cell density") && percent == Some(r.datum.clone())).then_some("percent-as-density")
        }
        (None, Some(o)) if o.time.is_some() => {
            let moved = match o.quantity.as_str() {
                "maximum cell diameter setting" => says(reference, &o.sample, "custom: maxdiammicrons"),
                "minimum cell diameter setting" => says(reference, &o.sample, "custom: mindiammicrons"),
                _ => None,
            };
            (moved == Some(o.datum.clone())).then_some("setting-in-its-place")
        }
        (Some(r), o) => justify_text(r, o.as_ref(), reference, ours),
        // Ours keeps more than the reference: texts as written, absorbances, zone evidence.
        (None, Some(_)) => Some("kept-besides"),
        (None, None) => None,
    }
}

/// Custom information the reference names otherwise than the file's own header: reference, ours.
const RENAMED: [(&str, &str); 20] = [
    ("custom: avgbackgroundintensity", "custom: averagebackgroundintensity"),
    ("custom: vesselid", "custom: vessel"),
    ("custom: experimentaldataidentifier", "experimental data identifier"),
    ("custom: sampletime", ""),
    ("batch identifier", "custom: vessel"),
    ("custom: groupidentifier", "custom: datasetname"),
    ("custom: sampledrawtime", "custom: sampletime"),
    ("custom: averagearea", "custom: avgarea"),
    ("custom: averageperimeter", "custom: avgperimeter"),
    ("custom: averagesegmentarea", "custom: avgsegmarea"),
    ("custom: averagecompactness", "custom: avgcompactness"),
    ("custom: standarddeviation", "custom: stddev"),
    ("custom: dilutionvolume", "custom: dilutionvolumeul"),
    ("custom quantity: dilution volume μL", "custom: dilutionvolumeul"),
    ("custom: percentageofcellswithfiveormore", "custom: %ofcellsinaggregateswithfiveormorecells"),
    ("custom: operatingminimum", "custom: lower"),
    ("custom: operatingmaximum", "custom: upper"),
    ("custom: numberofsampledpoints", "custom: length"),
    ("custom quantity: operating minimum nm", "custom: lower"),
    ("custom quantity: operating maximum nm", "custom: upper"),
];

/// Facts of the device that ours keeps with the samples, where the file states them: reference, ours.
const OF_DEVICES: [(&str, &str); 9] = [
    ("asset management identifier", "custom: systemname"),
    ("description", "custom: systemdescription"),
    ("data system instance identifier", "custom: pc"),
    ("custom: systemdescriptionprocessed", "custom: systemdescriptionprocessed"),
    ("custom: defaultsystem", "custom: defaultsystem"),
    ("custom: defaultsystemprocessed", "custom: defaultsystemprocessed"),
    ("custom: 21cfrpart11", "custom: 21cfrpart11"),
    ("custom: csvfileversion", "custom: csvfileversion"),
    ("custom: eventlogformat", "custom: eventlogformat"),
];

/// The start of the minute of a time.
fn to_minute(ns: i64) -> i64 {
    ns - ns.rem_euclid(60_000_000_000)
}

/// The reference gives a scan no name; ours has the one the instrument gave it.
pub(crate) fn name_the_scan(reference: &mut Facts, ours: &Facts) {
    let Some(scan) = ours.quantities.first().filter(|q| q.quantity.ends_with(" nm")).map(|q| q.sample.clone()) else { return };
    for fact in reference.quantities.iter_mut().chain(&mut reference.texts).filter(|f| f.sample == "N/A") {
        fact.sample.clone_from(&scan);
    }
}

/// A number under a name of the converter's own, in a unit: the same number under the file's name in the
/// same unit, or a number for which the file states no unit.
fn justify_unit(r: &Fact, ours: &Facts) -> Option<&'static str> {
    let (_, unit) = r.quantity.rsplit_once(' ')?;
    let unit = Unit::parse(unit).ok()?;
    let same = |t: &&Fact| t.sample == r.sample && t.datum.same(&r.datum);
    let in_unit = |t: &Fact| {
        let own = t.quantity.strip_prefix("custom quantity: ").and_then(|q| q.rsplit_once(' ')).map(|(_, unit)| unit);
        own.and_then(|own| Unit::parse(own).ok()).is_some_and(|own| own == unit)
    };
    let mut found = ours.texts.iter().filter(same);
    if found.clone().any(in_unit) {
        return Some("renamed");
    }
    found.any(|t| t.quantity.starts_with("custom: ")).then_some("unit-not-in-the-file")
}

fn justify_text(r: &Fact, o: Option<&Fact>, _reference: &Facts, ours: &Facts) -> Option<&'static str> {
    let has = |quantity: &str, fits: &dyn Fn(&Datum) -> bool| {
        ours.texts.iter().any(|t| t.sample == r.sample && t.quantity == quantity && fits(&t.datum))
    };
    let text = |d: &Datum| match d {
        Datum::Text(t) => t.clone(),
        Datum::Number(n) => n.to_string(),
    };
    if let Some((_, kept)) = OF_DEVICES.iter().find(|(q, _)| r.sample.is_empty() && *q == r.quantity) {
        let with_samples = ours.texts.iter().any(|t| t.quantity == *kept && t.datum.same(&r.datum));
        return with_samples.then_some("device-with-samples");
    }
    match r.quantity.as_str() {
        "manifest" if text(&r.datum).contains("/REC/") => None,
        "equipment serial number" => {
            let label = o.is_some_and(|o| text(&r.datum).strip_prefix("s/n ") == Some(&text(&o.datum)));
            label.then_some("serial-without-its-label")
        }
        "brand name" => Some("names-of-devices"),
        "container type" if text(&r.datum) == "tube" => Some("not-in-the-file"),
        "measurement time" => Some("own-time"),
        "manifest" if text(&r.datum).contains("/BENCHLING/") => Some("published-manifest"),
        "ASM converter name" | "ASM converter version" | "UNC path" => Some("other-converter"),
        "data processing time" if o.is_none() => Some("from-the-file-name"),
        "sample identifier" if text(&r.datum) == "N/A" => {
            o.is_some_and(|o| text(&o.datum) == r.sample).then_some("scan-as-sample")
        }
        "device identifier" if ours.texts.iter().any(|t| t.quantity == "model number" && t.datum == r.datum) => {
            Some("serial-as-identifier")
        }
        "model number" if text(&r.datum) == "N/A" && o.is_some() => Some("names-of-devices"),
        "device identifier" if text(&r.datum) == "N/A" && o.is_some() => Some("serial-as-identifier"),
        "device identifier" => Some("from-the-file-name"),
        "model number" | "software name" if o.is_none_or(|o| letters(&text(&o.datum)).contains(&letters(&text(&r.datum)))) => {
            Some("names-of-devices")
        }
        "software version" if o.is_some_and(|o| text(&o.datum).starts_with(&text(&r.datum))) => Some("full-version"),
        "analyst" if o.is_none() && text(&r.datum) == "Vi-Cell XR" => Some("analyst-not-stated"),
        "custom: detectionkit" | "custom: detectionkitrange" => Some("not-in-the-file"),
        q if q.starts_with("error: ") && text(&r.datum) == "unknown" => {
            has(q, &|d| text(d).starts_with('>')).then_some("bound-from-above")
        }
        q if q.starts_with("error: ") => {
            let widened = |d: &Datum| text(d).starts_with(&text(&r.datum));
            has(q, &widened).then_some("bound-with-its-unit")
        }
        "custom: flag" => {
            let written = match text(&r.datum).as_str() {
                "verification" => "v".to_owned(),
                "calibration" => "c".to_owned(),
                "unknown" => "> TEST RNG".to_owned(),
                _ => "< TEST RNG".to_owned(),
            };
            has("custom: flag", &|d| text(d) == written).then_some("flag-as-written")
        }
        "custom: pco2@temp" | "custom: po2@temp" if text(&r.datum) == "mmHg" => Some("unit-row-as-value"),
        "custom: maxdiammicrons" | "custom: mindiammicrons" => {
            let setting =
                if r.quantity.contains("max") { "maximum cell diameter setting" } else { "minimum cell diameter setting" };
            let moved = |q: &Fact| q.sample == r.sample && q.quantity == setting && q.datum.same(&r.datum);
            ours.quantities.iter().any(moved).then_some("setting-in-its-place")
        }
        q if q.starts_with("custom quantity: ") && !RENAMED.iter().any(|(from, _)| *from == q) => justify_unit(r, ours),
        q => {
            let (_, renamed) = RENAMED.iter().find(|(from, _)| *from == q)?;
            match *renamed {
                "" => Some("same-as-measurement-time"),
                to => has(to, &|d| d.same(&r.datum)).then_some("renamed"),
            }
        }
    }
}

/// Every difference there may be: which, why.
pub(crate) const JUSTIFIED: [(&str, &str); 24] = [
    ("own-time", "the reference gives a sample's first time to all its results; ours keeps each result's own"),
    ("absorbance-in-mau", "the reference writes an optical density of 6.32 as 6.32 mAU; it is 6320 mAU"),
    ("bound-as-minus-zero", "the reference writes `< 10.04 mg/L` as -0.0; ours writes no number"),
    ("bound-with-its-unit", "ours writes the unit behind the bound in the error document"),
    ("bound-from-above", "the reference writes `> 0.264` as \"unknown\""),
    (
        "activity-as-amount",
        "the reference turns U/L into mmol/L by 0.0167; an enzyme activity is no concentration, ours keeps U/L",
    ),
    ("percent-as-density", "the file says `10.00%` in a density column; the reference drops the sign, ours keeps the unit"),
    ("unit-row-as-value", "the reference takes `mmHg` of the unit row for a value"),
    ("flag-as-written", "ours keeps the instrument's flag (`v`), the reference its own word (`verification`)"),
    ("setting-in-its-place", "the class has a property for the size limits; the reference uses custom information"),
    ("renamed", "the same fact under Toji's field name"),
    ("same-as-measurement-time", "sample time and measurement time are one; ours writes the sample time only when it differs"),
    ("not-in-the-file", "kit names and ranges are the reference's own table, not the file's"),
    ("from-the-file-name", "the reference takes device and export time from the file's name, which ours does not look at"),
    ("serial-as-identifier", "the device identifier is N/A or the model in the reference, the serial number in ours"),
    ("names-of-devices", "spelling of model and software; no software name where the file states none"),
    ("full-version", "ours keeps the version as written, 2.06.3"),
    ("analyst-not-stated", "the reference puts the device's name for an analyst the file does not state"),
    ("scan-as-sample", "the reference gives a scan no sample; ours has the name the instrument gave the scan"),
    ("seconds-of-a-scan", "the reference drops the seconds of a scan's time, and writes 2.385 AU as 2.385 mAU; it is 2385 mAU"),
    ("unit-not-in-the-file", "the file states no unit and the maker none either; the reference gives one"),
    ("device-with-samples", "facts of device and computer stand with the samples in ours"),
    ("serial-without-its-label", "the reference takes the label `s/n` into the serial number"),
    ("published-manifest", "the reference names its own variant of the schema, ours the published one"),
];

/// Differences of every converter: names, paths, and what ours keeps beyond the reference.
pub(crate) const ALWAYS: [&str; 2] = ["other-converter", "kept-besides"];

/// How often each difference occurs, by file.
pub(crate) const EXPECTED: [(&str, &[(&str, usize)]); 20] = [
    (
        "roche_cedex_bioht_example01.txt",
        &[
            ("absorbance-in-mau", 4),
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 7),
            ("bound-with-its-unit", 7),
            ("flag-as-written", 8),
            ("not-in-the-file", 31),
            ("own-time", 9),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_example04.txt",
        &[("absorbance-in-mau", 3), ("not-in-the-file", 9), ("own-time", 6), ("serial-as-identifier", 1)],
    ),
    (
        "roche_cedex_bioht_example_with_mg_L.txt",
        &[
            ("absorbance-in-mau", 4),
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 7),
            ("bound-with-its-unit", 7),
            ("flag-as-written", 8),
            ("not-in-the-file", 31),
            ("own-time", 9),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_v5_example01.txt",
        &[
            ("activity-as-amount", 16),
            ("bound-as-minus-zero", 8),
            ("bound-with-its-unit", 8),
            ("flag-as-written", 24),
            ("not-in-the-file", 192),
            ("own-time", 136),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_v7_example_01.txt",
        &[
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 4),
            ("bound-from-above", 1),
            ("bound-with-its-unit", 3),
            ("flag-as-written", 5),
            ("not-in-the-file", 40),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "SampleResultsDEVICE1232021-02-18_104838.csv",
        &[
            ("from-the-file-name", 7),
            ("names-of-devices", 2),
            ("percent-as-density", 1),
            ("published-manifest", 1),
            ("same-as-measurement-time", 6),
        ],
    ),
    (
        "SampleResultsT123456789C2020-01-01_162647.csv",
        &[
            ("from-the-file-name", 2),
            ("names-of-devices", 2),
            ("published-manifest", 1),
            ("renamed", 1),
            ("same-as-measurement-time", 1),
            ("unit-row-as-value", 2),
        ],
    ),
    ("Beckman_Vi-Cell-BLU_example01.csv", &[("names-of-devices", 2)]),
    ("Beckman_Vi-Cell-BLU_example02.csv", &[("names-of-devices", 2)]),
    (
        "Beckman_Vi-Cell-XR_example03_instrumentOutput.xls",
        &[("analyst-not-stated", 34), ("names-of-devices", 2), ("renamed", 34), ("setting-in-its-place", 136)],
    ),
    (
        "Beckman_Vi-Cell-XR_example05_instrumentOutput.xlsx",
        &[("analyst-not-stated", 4), ("full-version", 1), ("names-of-devices", 2), ("renamed", 4), ("serial-as-identifier", 1)],
    ),
    (
        "Beckman_Vi-Cell-XR_example07_instrumentOutput.txt",
        &[("analyst-not-stated", 1), ("full-version", 1), ("names-of-devices", 2), ("renamed", 1), ("serial-as-identifier", 1)],
    ),
    ("Beckman_Vi-Cell-XR_report_format.xlsx", &[("analyst-not-stated", 1), ("names-of-devices", 2), ("renamed", 2)]),
    (
        "roche_cedex_hires_example_1.csv",
        &[("device-with-samples", 5), ("names-of-devices", 1), ("renamed", 72), ("unit-not-in-the-file", 24)],
    ),
    (
        "roche_cedex_hires_example_2.xlsx",
        &[("device-with-samples", 5), ("names-of-devices", 1), ("renamed", 72), ("unit-not-in-the-file", 24)],
    ),
    ("chemometec_nucleoview_example01.csv", &[("device-with-samples", 3), ("renamed", 5), ("serial-without-its-label", 1)]),
    ("chemometec_nucleoview_example03.csv", &[("names-of-devices", 1), ("renamed", 5)]),
    ("chemometec_nucleoview_example05.csv", &[("device-with-samples", 3), ("renamed", 5), ("serial-without-its-label", 1)]),
    (
        "thermo_fisher_genesys30_example_01.tsv",
        &[
            ("names-of-devices", 2),
            ("not-in-the-file", 1),
            ("published-manifest", 1),
            ("renamed", 5),
            ("scan-as-sample", 1),
            ("seconds-of-a-scan", 156),
        ],
    ),
    ("SLA01P01_OD.xlsx", &[("absorbance-in-mau", 96), ("names-of-devices", 1), ("serial-as-identifier", 1)]),
];
