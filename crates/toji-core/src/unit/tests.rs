//! Tests of units: what people write, golden conversions, refusals and round trips.

use super::*;
use proptest::prelude::*;

fn unit(text: &str) -> Unit {
    Unit::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[track_caller]
fn code(text: &str, want: &str) {
    assert_eq!(unit(text).code(), want, "{text:?}");
}

#[test]
fn reads_what_the_floor_writes() {
    for (want, spellings) in [
        ("1", &["", "-", "none", "(unitless)", "1", "－", " — "][..]),
        ("Cel", &["°C", "℃", "⁰C", "ºC", "oC", "degC", "deg C", "deg. C", "C", "Cel", "celsius", "° C", "Ｃ", "DEGC"]),
        ("[degF]", &["°F", "℉", "degF"]),
        ("um", &["µm", "μm", "um", "micron", "ミクロン"]),
        ("{rev}/min", &["rpm", "RPM", "r.p.m.", "回転/分", "{rev}/min", "ｒｐｍ"]),
        ("[g]", &["xg", "x g", "×g", "× g", "RCF"]),
        ("L{std}/min", &["slpm", "SLPM", "sL/min", "SL/min", "SLM"]),
        ("cm3{std}/min", &["sccm", "SCCM", "smL/min"]),
        ("L{norm}/min", &["NL/min", "NL/MIN", "NL / min", "Nl/min"]),
        ("nL/min", &["nL/min", "nl/min"]),
        ("m3{norm}/h", &["Nm3/h", "Nm³/h", "Nm^3/h"]),
        ("mL/min", &["ml/min", "mL/min", "ML/MIN", "mL min-1", "mL·min⁻¹", "ｍL／min", "mL min^-1", "cc/min"]),
        ("mL/min/L", &["mL/min/L", "ml/min/l", "mL/(min L)", "mL/(min·L)"]),
        ("/min{vvm}", &["vvm", "VVM"]),
        ("%{sat}", &["%sat", "% sat", "% DO", "% air sat", "%DO", "％ sat", "% a.s."]),
        ("%{vol}", &["% v/v", "%(v/v)", "vol%", "vol.-%", "v/v %", "アルコール度", "% ABV", "％(v/v)"]),
        ("%{mass}", &["%(w/w)", "wt%", "% w/w"]),
        ("g/dL", &["% w/v", "g/100 mL", "g/dl"]),
        ("%{RH}", &["rH", "%rH", "%RH"]),
        ("%", &["%", "％", "percent"]),
        ("[psi]", &["psi", "PSI"]),
        ("bar", &["bar", "BAR", "bara"]),
        ("bar{gauge}", &["barg", "bar(g)"]),
        ("mbar", &["mbar"]),
        ("mm[Hg]", &["mmHg", "mm Hg", "mm[Hg]"]),
        ("atm", &["atm", "気圧"]),
        ("h", &["h", "hr", "hrs", "hours", "時間", "[h]"]),
        ("min", &["min", "分", "MIN"]),
        ("s", &["s", "sec", "秒", "SEC"]),
        ("d", &["d", "day", "days", "日"]),
        ("/h", &["/h", "1/h", "h-1", "h^-1", "h⁻¹", "h**-1", "h−1", "1/hr", "hr-1"]),
        ("/mL", &["cells/mL", "Cells / ml", "個/mL", "cells mL-1", "cells·mL⁻¹"]),
        (
            "10*6/mL",
            &[
                "x10^6 cells/mL",
                "x 10^6  cells/ml",
                "(x10^6) cells/mL",
                "10^6 cells/mL",
                "x10^6 Cells / mL",
                "e6 cells/ml",
                "×10⁶ cells/mL",
                "10⁶ cells mL⁻¹",
                "10*6/mL",
                "10^6/mL",
                "1e6 cells/mL",
                "E6 cells/mL",
                "10*6.{cells}/mL",
                "million cells/mL",
            ],
        ),
        ("[CFU]/mL", &["CFU/mL", "cfu/ml"]),
        ("mmol/L", &["mmol / L", "mM", "mmol/l", "mmol L-1", "MMOL/L"]),
        ("umol/L", &["µM", "μM", "uM", "µmol/L"]),
        ("mosm/kg", &["mOsm / kg", "mOsm/kg", "mosm/kg", "MOSM/KG"]),
        ("U/L", &["U/L", "U/l"]),
        ("[IU]/L", &["IU/L", "[iU]/L", "[IU]/L"]),
        ("g/L", &["g/l", "g/L", "g·L-1", "g L-1", "g L^-1", "g.L-1", "G/L", "[g/L]", "ｇ／Ｌ", "g・L⁻¹", "グラム/リットル"]),
        ("mg/L", &["mg/L", "MG/L"]),
        ("[ppm]", &["ppm", "PPM"]),
        ("g{DCW}/L", &["g DCW/L", "gDCW/L", "g CDW/L", "g CDW L-1", "gDW/L", "g dcw / l"]),
        ("mmol/g{DCW}/h", &["mmol/gDCW/h", "mmol/(gDW h)", "mmol gDW-1 h-1"]),
        ("{RFU}", &["RFU"]),
        ("{a.u.}", &["a.u."]),
        ("{AU}", &["AU", "absorbance"]),
        ("10*-3.{AU}", &["mAU"]),
        ("{OD}", &["OD", "O.D."]),
        ("{OD600}", &["OD600", "OD 600", "OD 600 nm", "{OD600}", "od600"]),
        ("{Brix}", &["Brix", "°Bx", "Bx"]),
        ("{Plato}", &["Plato", "°P"]),
        ("{Be}", &["Baumé", "Bé", "ボーメ", "ﾎﾞｰﾒ", "°Bé"]),
        ("{SMV}", &["日本酒度", "SMV"]),
        ("uS/cm", &["µS/cm"]),
        ("mS/cm", &["mS/cm"]),
        ("L/h", &["L/h", "L/H", "L/hr"]),
        ("nm", &["nm"]),
        ("[pH]", &["pH", "[pH]"]),
        ("K/min", &["°C/min", "deg C/min", "℃/min"]),
        ("umol/m2/s", &["µmol m⁻² s⁻¹", "umol/m2/s", "µmol/m²/s"]),
        ("kW/m3", &["kW/m³", "kW/m^3"]),
        ("uL", &["μL", "µl"]),
        ("mPa.s", &["mPa·s", "mPa s"]),
    ] {
        for spelling in spellings {
            code(spelling, want);
        }
    }
}

#[test]
fn the_table_is_canonical_ucum_and_no_spelling_means_two() {
    let mut seen: std::collections::HashMap<String, &str> = std::collections::HashMap::new();
    let mut wrong = Vec::new();
    for (spelling, code) in floor::spellings() {
        let before = seen.insert(floor::key(&reading::tidy(spelling)), code);
        assert!(before.is_none_or(|b| b == code), "{spelling} means {before:?} and {code}");
        assert_eq!(unit(code).code(), code);
        // A loose spelling that UCUM reads as something else belongs among the exact ones.
        if unit(spelling).code() != code {
            wrong.push((spelling, unit(spelling), code));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn labels_are_what_people_read() {
    for (text, label) in [
        ("Cel", "°C"),
        ("um", "µm"),
        ("10*6/mL", "10⁶ cells/mL"),
        ("10*5/mL", "10⁵ cells/mL"),
        ("/mL", "cells/mL"),
        ("%{sat}", "%sat"),
        ("L{std}/min", "slpm"),
        ("/h", "h⁻¹"),
        ("mm[Hg]", "mmHg"),
        ("g/L", "g/L"),
        ("umol/m2/s", "µmol/m²/s"),
        ("g{DCW}/L", "g DCW/L"),
        ("mmol/g{DCW}/h", "mmol/g DCW/h"),
        ("{OD600}", "OD600"),
        ("{SMV}", "日本酒度"),
        ("[IU]/L", "IU/L"),
        ("kg.m2/s2", "kg·m²/s²"),
        ("1", "1"),
    ] {
        assert_eq!(unit(text).label(), label);
    }
    assert_eq!(Quantity::new(37.0, unit("C")).to_string(), "37 °C");
    assert_eq!(Quantity::new(0.5, unit("-")).to_string(), "0.5");
}

#[test]
fn golden_conversions() {
    for (value, from, to, want) in [
        // UCUM 2.2 § 21, § 22; NIST SP 811 appendix B.8: °F, psi, bar, atm, mmHg, inch, calorie.
        (100.0, "Cel", "[degF]", 212.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (37.0, "°C", "K", 310.15),
        (1.0, "atm", "kPa", 101.325),
        (1.0, "bar", "mbar", 1000.0),
        (1.0, "psi", "kPa", 6.894_757_293_168_361),
        (760.0, "mmHg", "kPa", 101.324_72),
        (1.0, "[in_i]", "mm", 25.4),
        (1.0, "kcal", "J", 4184.0),
        (7.0, "pH", "mol/L", 1e-7),
        (136.229, "mg/L", "g/L", 0.136_229),
        (2.0, "slpm", "sccm", 2000.0),
        (3.6, "L/h", "mL/min", 60.0),
        (1.0, "vvm", "/h{vvm}", 60.0),
        (1.5, "10^6 cells/mL", "cells/mL", 1.5e6),
        (250.0, "mAU", "AU", 0.25),
        (600.0, "rpm", "rps", 10.0),
        (10_000.0, "ppm", "%", 1.0),
        (5.0, "% w/v", "g/L", 50.0),
        (1.0, "kat", "U", 6e7),
        (1.0, "kWh", "MJ", 3.6),
    ] {
        let have = unit(from).convert(value, &unit(to)).unwrap();
        assert!((have - want).abs() <= 2e-15 * want.abs(), "{value} {from} is {have} {to}, not {want}");
    }
}

#[test]
fn exact_conversions_move_the_decimal_point() {
    for (value, from, to, want) in [
        ("136.229", "mg/L", "g/L", Some("0.136229")),
        ("136.20", "mg/L", "g/L", Some("0.13620")),
        ("0.1", "10*6/mL", "/mL", Some("100000")),
        ("90", "s", "min", Some("1.5")),
        ("1", "s", "min", None),
        ("2.5", "h", "s", Some("9000.0")),
        ("37.2", "Cel", "K", Some("310.35")),
        ("98.6", "[degF]", "Cel", Some("37.00")),
        ("98.7", "[degF]", "Cel", None),
        ("20", "Cel", "[degF]", Some("68.00")),
        ("1.5", "L/h", "mL/min", Some("25")),
        ("1", "psi", "kPa", None),
        ("7", "[pH]", "mol/L", None),
        ("5", "g/L", "g/L", Some("5")),
    ] {
        let have = unit(from).convert_exact(Decimal::parse(value).unwrap(), &unit(to)).unwrap();
        let same = |a: Decimal| want.and_then(Decimal::parse).is_some_and(|b| a.to_f64() == b.to_f64());
        assert!(have.map_or(want.is_none(), same), "{value} {from} is {have:?} {to}, not {want:?}");
    }
    let shifted = unit("mg/L").convert_exact(Decimal::parse("136.20").unwrap(), &unit("g/L")).unwrap().unwrap();
    assert_eq!(shifted.to_string(), "0.13620");
}

#[test]
fn refuses_what_is_meaningless() {
    for (from, to, want) in [
        ("mmol/L", "g/L", "E-UNIT-003"),
        ("g/L", "mM", "E-UNIT-003"),
        ("mmol/L", "cells/mL", "E-UNIT-002"),
        ("mmol/kg", "mOsm/kg", "E-UNIT-002"),
        ("slpm", "L/min", "E-UNIT-002"),
        ("slpm", "NL/min", "E-UNIT-002"),
        ("vvm", "/min", "E-UNIT-002"),
        ("rpm", "/min", "E-UNIT-002"),
        ("%sat", "%", "E-UNIT-002"),
        ("%sat", "mg/L", "E-UNIT-002"),
        ("OD600", "OD", "E-UNIT-002"),
        ("OD600", "1", "E-UNIT-002"),
        ("Brix", "Plato", "E-UNIT-002"),
        ("g DCW/L", "g/L", "E-UNIT-002"),
        ("IU/L", "U/L", "E-UNIT-002"),
        ("CFU/mL", "cells/mL", "E-UNIT-002"),
        ("barg", "bar", "E-UNIT-002"),
        ("h", "g", "E-UNIT-002"),
    ] {
        let error = unit(from).convert(1.0, &unit(to)).unwrap_err();
        assert_eq!(error.code(), want, "{from} to {to}");
        assert!(!unit(from).commensurable(&unit(to)));
        assert!(unit(from).convert_exact(Decimal::parse("1").unwrap(), &unit(to)).is_err());
        let fault = error.fault();
        let hint = fault.hint.as_ref().unwrap();
        assert!(!hint.ja.is_empty() && !hint.en.is_empty() && fault.message.en.contains(unit(from).code()));
        assert_eq!(hint.en.contains("toji_core::substance"), want == "E-UNIT-003");
    }
    for value in [f64::NAN, f64::INFINITY] {
        assert_eq!(unit("g/L").convert(value, &unit("mg/L")).unwrap_err().code(), "E-UNIT-004");
    }
    assert_eq!(unit("mol/L").convert(0.0, &unit("[pH]")).unwrap_err().code(), "E-UNIT-004");
}

#[test]
fn unknown_and_ambiguous_texts_are_refused_with_a_remedy() {
    for (text, near) in [("g/Lt", "g/L"), ("rmp", "{rev}/min"), ("mmol/Ll", "mmol/L"), ("degCC", "Cel"), ("日本酒", "{SMV}")] {
        let error = Unit::parse(text).unwrap_err();
        assert_eq!(error.code(), "E-UNIT-001", "{text}");
        assert!(error.fault().message.ja.contains(text));
        let hint = error.fault().hint.as_ref().unwrap();
        assert!(hint.en.contains(near), "{text}: {}", hint.en);
    }
    for text in
        ["度", "10E6 cells/mL", "foo", "g//L", "/", "///", "酒", "mg/", "g/L/", &"m.".repeat(5000), "10^999 cells/mL", "CDW"]
    {
        assert_eq!(Unit::parse(text).unwrap_err().code(), "E-UNIT-001", "{text}");
    }
    for text in ["g/L h", "mmol/gDW h", "g/L·h"] {
        assert_eq!(Unit::parse(text).unwrap_err().code(), "E-UNIT-005", "{text}");
    }
}

/// Every unit of the analyser reference files (Cedex, Flex2, Vi-Cell, NucleoView, Magellan, Genesys).
#[test]
fn reads_every_unit_of_the_analyser_files() {
    fn units(value: &serde_json::Value, out: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::String(unit)) = map.get("unit") {
                    out.insert(unit.clone());
                }
                map.values().for_each(|v| units(v, out));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|v| units(v, out)),
            _ => {}
        }
    }
    let shared = std::env::var_os("TOJI_SHARED")
        .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), std::path::PathBuf::from);
    let root = shared.join("data/bioprocess/allotropy");
    let Ok(folders) = std::fs::read_dir(&root) else {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: {} is absent", root.display());
        }
        return;
    };
    let mut found = std::collections::BTreeSet::new();
    for folder in folders.flatten() {
        for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|e| e == "json") {
                units(&serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap(), &mut found);
            }
        }
    }
    assert!(found.len() >= 10, "{found:?}");
    let unknown: Vec<&String> = found.iter().filter(|text| Unit::parse(text).is_err()).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {found:?}");
}

#[test]
fn is_a_json_string() {
    let quantity = Quantity::new(1.5, unit("g/l"));
    let json = serde_json::to_string(&quantity).unwrap();
    assert_eq!(json, r#"{"value":1.5,"unit":"g/L"}"#);
    assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
    assert!(serde_json::from_str::<Unit>("\"floop\"").is_err());
    assert_eq!(schemars::schema_for!(Unit).get("type").unwrap(), "string");
    assert!(unit("-").is_one() && !unit("%").is_one());
}

/// Texts in the shape of units, to reach deeper than random text does.
fn shaped() -> impl Strategy<Value = String> {
    let symbol = prop::sample::select(vec![
        "g", "mg", "L", "l", "mL", "mol", "mM", "h", "min", "s", "Cel", "C", "degC", "%", "10*6", "10^6", "x10^6", "cells",
        "cell", "DCW", "gDCW", "{OD600}", "{a^2}", "[IU]", "[degF]", "U", "NL", "slpm", "rpm", "vvm", "m2", "m³", "s-1", "1",
        "2", "e6", "AU", "osm", "pH", "[h]", "(g)", "(m s)", "{cells}", "kWh", "mm[Hg]", "100", "°", "psi", "{}", "Be",
    ]);
    let glue = prop::sample::select(vec!["/", ".", " ", "·", "*", "", "-1", "^-1", "^2", "⁻¹", "(", ")", " / "]);
    prop::collection::vec((symbol, glue), 1..6).prop_map(|parts| parts.into_iter().map(|(s, g)| format!("{s}{g}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_code_reads_back_as_itself(text in shaped()) {
        if let Ok(unit) = Unit::parse(&text) {
            let again = Unit::parse(unit.code()).unwrap();
            prop_assert_eq!(again.code(), unit.code(), "{}", text);
            prop_assert!(again.commensurable(&unit) && again.0.kinds == unit.0.kinds);
            prop_assert!(unit.commensurable(&unit));
            prop_assert!(!unit.label().is_empty());
            prop_assert!(octofhir_ucum::validate(unit.code()).is_ok(), "{} gives {}", text, unit.code());
        }
    }
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        if let Err(error) = Unit::parse(&text) {
            prop_assert!(error.fault().hint.is_some());
        }
    }
    #[test]
    fn there_and_back_keeps_the_value(value in -1e12f64..1e12, pair in prop::sample::select(vec![
        ("g/L", "mg/dL"), ("Cel", "[degF]"), ("Cel", "K"), ("psi", "mbar"), ("mmHg", "kPa"), ("h", "wk"), ("L/h", "mL/min"),
        ("slpm", "sccm"), ("mM", "mol/m3"), ("kcal", "kWh"), ("10^6 cells/mL", "cells/L"), ("[in_i]", "um"), ("U/mL", "kat/L"),
    ])) {
        let (a, b) = (unit(pair.0), unit(pair.1));
        let back = b.convert(a.convert(value, &b).unwrap(), &a).unwrap();
        // A shift of 273.15 or 459.67 leaves an absolute error of its own size.
        let scale = if a.0.ucum.special.is_some() { value.abs().max(1000.0) } else { value.abs() };
        prop_assert!((back - value).abs() <= 1e-12 * scale, "{value} -> {back}");
    }
    #[test]
    fn exact_and_float_conversions_agree(mantissa in -1_000_000_000i64..1_000_000_000, digits in 0i32..8, pair in prop::sample::select(vec![
        ("mg/L", "g/L"), ("s", "min"), ("Cel", "[degF]"), ("[degF]", "K"), ("um", "mm"), ("L/h", "mL/min"), ("d", "wk"),
    ])) {
        let (a, b) = (unit(pair.0), unit(pair.1));
        let decimal = Decimal { mantissa: i128::from(mantissa), scale: digits };
        if let Some(exact) = a.convert_exact(decimal, &b).unwrap() {
            let float = a.convert(decimal.to_f64(), &b).unwrap();
            prop_assert!((exact.to_f64() - float).abs() <= 1e-12 * float.abs().max(1.0), "{exact} {float}");
        } else {
            prop_assert!(pair.0 != "mg/L" && pair.0 != "um", "a power of ten is always exact");
        }
    }
}

#[test]
fn turns_are_counts_where_that_is_asked_for() {
    let check = |text: &str, expected: &str| assert_eq!(Unit::parse(text).unwrap().with_turns_counted().code(), expected);
    check("rpm", "/min");
    check("rps", "/s");
    check("{rev}", "1");
    check("/min", "/min");
    check("%{sat}", "%{sat}");
}

#[test]
fn products_quotients_and_powers() {
    let unit = |code: &str| Unit::parse(code).unwrap();
    let code = |unit: Unit| unit.code().to_owned();
    assert_eq!(code(unit("g/L").times(&unit("L")).unwrap()), "g");
    assert_eq!(code(unit("g/L").per(&unit("g/L")).unwrap()), "1");
    assert_eq!(code(unit("g/L").per(&unit("h")).unwrap()), "g/L/h");
    assert!(unit("g").per(&unit("L.h")).unwrap().commensurable(&unit("g/(L.h)")));
    assert!(unit("m/s").to_the(2).unwrap().commensurable(&unit("m2/s2")));
    assert!(unit("m").to_the(-3).unwrap().times(&unit("mol")).unwrap().commensurable(&unit("mol/m3")));
    assert_eq!(unit("Cel").times(&unit("g")).unwrap_err().code(), "E-UNIT-006");
    assert_eq!(code(unit("{OD600}").times(&unit("L")).unwrap()), "{OD600}.L");
    // A count of cells and a specific rate per cell.
    assert!(unit("10*6/mL").times(&unit("pg/h")).unwrap().commensurable(&unit("g/(L.h)")));
}
