//! Cases about numbers, bounds, units and identifiers in text files.

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(separators());
    all.extend(bounds());
    all.extend(extremes());
    all.extend(units());
    all.extend(identifiers());
    all
}

fn separators() -> Vec<Case> {
    vec![
        Case::text(
            "decimal-comma-semicolon",
            "decimal commas, fields separated by semicolons",
            "eu.csv",
            "Time (h);pH;DO (%)\r\n0,0;7,01;99,5\r\n0,5;6,98;87,25\r\n1,0;6,95;80,1\r\n",
        )
        .separator(";")
        .says("pH", "[pH]", &[("0h", "7,01 => 7.01"), ("0.5h", "6,98 => 6.98"), ("1h", "6,95 => 6.95")])
        .says("DO (%)", "%", &[("0h", "99,5 => 99.5"), ("0.5h", "87,25 => 87.25"), ("1h", "80,1 => 80.1")]),
        Case::text(
            "decimal-comma-quoted",
            "decimal commas inside quotes in a comma-separated file",
            "eu-quoted.csv",
            "\"Time (h)\",\"pH\"\n\"0,0\",\"7,01\"\n\"0,5\",\"6,98\"\n\"1,0\",\"6,95\"\n",
        )
        .says("pH", "[pH]", &[("0h", "7,01 => 7.01"), ("0.5h", "6,98 => 6.98"), ("1h", "6,95 => 6.95")]),
        Case::text(
            "decimal-comma-unquoted",
            "decimal commas in a comma-separated file without quotes: every row has more cells than the header",
            "eu-broken.csv",
            "Time (h),pH\n0,0,7,01\n0,5,6,98\n1,0,6,95\n",
        )
        .says("pH", "[pH]", &[("0h", "7,01 => 7.01"), ("0.5h", "6,98 => 6.98"), ("1h", "6,95 => 6.95")])
        .refusable(),
        Case::text(
            "one-row-too-wide",
            "one row with a stray separator, so that its cells stand one column to the right",
            "shifted.csv",
            "Time (h),pH,DO (%)\n0,7.01,99\n1,7.02,,98\n2,7.03,97\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7.03")])
        .says("DO (%)", "%", &[("0h", "99"), ("1h", "98"), ("2h", "97")]),
        Case::text(
            "thousands-ambiguous",
            "1,234 in a comma-separated file where nothing tells a thousands separator from a decimal comma",
            "counts.csv",
            "Time (h),weight (g)\n0,\"1,234\"\n1,\"1,250\"\n2,\"1,301\"\n",
        )
        .says("weight (g)", "g", &[("0h", "1,234 => 1234"), ("1h", "1,250 => 1250"), ("2h", "1,301 => 1301")])
        .must_warn(&["W-TABLE-038"])
        .refusable(),
        Case::text(
            "thousands-ambiguous-semicolon",
            "1,234 in a semicolon-separated file: a decimal comma or a thousands separator",
            "gewicht.csv",
            "Time (h);weight (g)\n0;1,234\n1;1,250\n2;1,301\n",
        )
        .separator(";")
        .says("weight (g)", "g", &[("0h", "1,234 => 1.234"), ("1h", "1,250 => 1.25"), ("2h", "1,301 => 1.301")])
        .must_warn(&["W-TABLE-038"])
        .refusable(),
        Case::text(
            "thousands-clear",
            "thousands separators beside decimal points",
            "clear.csv",
            "Time (h),weight (g)\n0,\"1,234.5\"\n1,\"1,250.0\"\n2,999.5\n",
        )
        .says("weight (g)", "g", &[("0h", "1,234.5 => 1234.5"), ("1h", "1,250.0 => 1250"), ("2h", "999.5")]),
        Case::text("thousands-late", "the first grouped number comes after a long run of plain ones", "late.csv", &{
            let mut text = String::from("Time (h);weight (g);pH\n");
            (0..450).for_each(|i| text.push_str(&format!("{i};{};7\n", 900 + i % 90)));
            text.push_str("450;1,234;7\n");
            text
        })
        .separator(";")
        .says("weight (g)", "g", &late_rows())
        .says("pH", "[pH]", &late_ph())
        .must_warn(&["W-TABLE-038"])
        .refusable(),
        Case::text(
            "styles-mixed-in-column",
            "two people typed: decimal points and decimal commas in one column",
            "mixed.csv",
            "Time (h);pH\n0;7.01\n1;7.02\n2;7,03\n3;7,040\n",
        )
        .separator(";")
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.02"), ("2h", "7,03 => 7.03"), ("3h", "7,040 => 7.04")])
        .marks(&["W-TABLE-038", "W-TABLE-031"]),
        Case::text(
            "thousands-space",
            "numbers grouped with a no-break space, as French spreadsheets write them",
            "espace.csv",
            "Time (h);weight (g);pH\n0;1\u{a0}234,5;7,0\n1;1\u{a0}250,0;7,1\n2;1\u{a0}301,5;7,2\n",
        )
        .separator(";")
        .says(
            "weight (g)",
            "g",
            &[("0h", "1\u{a0}234,5 => 1234.5"), ("1h", "1\u{a0}250,0 => 1250"), ("2h", "1\u{a0}301,5 => 1301.5")],
        )
        .says("pH", "[pH]", &[("0h", "7,0 => 7"), ("1h", "7,1 => 7.1"), ("2h", "7,2 => 7.2")])
        .marks(&["W-TABLE-031"])
        .refusable(),
        Case::text(
            "full-width-digits",
            "full-width digits and decimal point, as a Japanese input method leaves them",
            "日誌.csv",
            "Time (h),品温（℃）\n０,１４．８\n１,１５．１\n２,15.3\n",
        )
        .says("品温（℃）", "Cel", &[("0h", "１４．８ => 14.8"), ("1h", "１５．１ => 15.1"), ("2h", "15.3")])
        .refusable(),
        Case::text(
            "minus-signs",
            "minus signs of typography: U+2212 and full-width",
            "minus.csv",
            "Time (h),日本酒度\n0,−27\n1,－21\n2,-17\n",
        )
        .says("日本酒度", "{SMV}", &[("0h", "−27 => -27"), ("1h", "－21 => -21"), ("2h", "-17")]),
    ]
}

fn late_rows() -> Vec<(&'static str, &'static str)> {
    let mut rows: Vec<(&str, &str)> = (0..450)
        .map(|i| {
            let (at, says): (&str, &str) = (format!("{i}h").leak(), (900 + i % 90).to_string().leak());
            (at, says)
        })
        .collect();
    rows.push(("450h", "1,234 => 1.234"));
    rows
}
fn late_ph() -> Vec<(&'static str, &'static str)> {
    (0..451)
        .map(|i| {
            let at: &str = format!("{i}h").leak();
            (at, "7")
        })
        .collect()
}

fn bounds() -> Vec<Case> {
    vec![
        Case::text(
            "below-a-limit",
            "results below and above the method's range",
            "limits.csv",
            "Sample ID,Time (h),Glucose (mg/L),Lactate (g/L)\nS1,0,< 10.04,1.5\nS2,1,136.229,>20\nS3,2,≤ 5,≥ 19.5\n",
        )
        .id_column("Sample ID")
        .says_of("Glucose (mg/L)", "mg/L", &[("S1", "0h", "< 10.04"), ("S2", "1h", "136.229"), ("S3", "2h", "≤ 5")])
        .says_of("Lactate (g/L)", "g/L", &[("S1", "0h", "1.5"), ("S2", "1h", ">20"), ("S3", "2h", "≥ 19.5")]),
        Case::text(
            "below-a-limit-series",
            "the same in a table over time",
            "limits-series.csv",
            "Time (h),Glucose (g/L)\n0,10.1\n1,4.2\n2,< 0.2\n3,<LOD\n",
        )
        .says("Glucose (g/L)", "g/L", &[("0h", "10.1"), ("1h", "4.2"), ("2h", "< 0.2"), ("3h", "<LOD")]),
        Case::text(
            "words-for-no-result",
            "n.d., #N/A, NA, ERROR, a dash and a blank: six ways of saying that there is no number",
            "words.csv",
            "Time (h),Ethanol (g/L)\n0,1.5\n1,n.d.\n2,#N/A\n3,NA\n4,ERROR\n5,-\n6,\n7,2.5\n",
        )
        .says(
            "Ethanol (g/L)",
            "g/L",
            &[("0h", "1.5"), ("1h", "n.d."), ("2h", "#N/A"), ("3h", "NA"), ("4h", "ERROR"), ("5h", "-"), ("7h", "2.5")],
        ),
        Case::text(
            "spread-and-range",
            "a mean with its spread and a range in a column of numbers",
            "spread.csv",
            "Sample ID,Time (h),Acetate (g/L)\nA,0,1.20 ± 0.05\nB,1,120-140\nC,2,1.4\n",
        )
        .id_column("Sample ID")
        .says_of("Acetate (g/L)", "g/L", &[("A", "0h", "1.20 ± 0.05 => 1.2"), ("B", "1h", "120-140"), ("C", "2h", "1.4")])
        .refusable(),
        Case::text(
            "footnote-marks",
            "a star behind a doubtful number",
            "star.csv",
            "Time (h),OD600\n0,0.1\n1,0.45*\n2,1.2\n3,2.4\n4,4.8\n",
        )
        .says("OD600", "{OD600}", &[("0h", "0.1"), ("1h", "0.45* =>"), ("2h", "1.2"), ("3h", "2.4"), ("4h", "4.8")]),
        Case::text(
            "percent-in-the-cell",
            "the percent sign stands in the cells",
            "percent.csv",
            "Time (h),DO (%)\n0,99.5%\n1,87%\n2,80.5%\n",
        )
        .says("DO (%)", "%", &[("0h", "99.5% => 99.5"), ("1h", "87% => 87"), ("2h", "80.5% => 80.5")])
        .refusable(),
    ]
}

fn extremes() -> Vec<Case> {
    vec![
        Case::text(
            "too-large",
            "a number that no double holds, and one that is nearly zero",
            "large.csv",
            "Time (h),pH,VCD (cells/mL)\n0,7,1e6\n1,7,1e400\n2,7,2e-400\n3,7,3e6\n4,7,4e6\n5,7,5e6\n6,7,5e6\n7,7,5e6\n8,7,5e6\n9,7,5e6\n",
        )
        .says("pH", "[pH]", &[("0h", "7"), ("1h", "7"), ("2h", "7"), ("3h", "7"), ("4h", "7"), ("5h", "7"), ("6h", "7"), ("7h", "7"), ("8h", "7"), ("9h", "7")])
        .says(
            "VCD (cells/mL)",
            "/mL",
            &[
                ("0h", "1e6"),
                ("1h", "1e400 =>"),
                ("2h", "2e-400 =>"),
                ("3h", "3e6"),
                ("4h", "4e6"),
                ("5h", "5e6"),
                ("6h", "5e6"),
                ("7h", "5e6"),
                ("8h", "5e6"),
                ("9h", "5e6"),
            ],
        ),
        Case::text(
            "many-digits",
            "more digits than five, more than sixteen, and an integer beyond 2^53",
            "digits.csv",
            "Time (h),pH,base (mL)\n0,7.000004,9.054000000452421e-06\n1,6.9999996,0.123456789012345678\n2,7,9007199254740993\n",
        )
        .says("pH", "[pH]", &[("0h", "7.000004"), ("1h", "6.9999996"), ("2h", "7")])
        .says("base (mL)", "mL", &[("0h", "9.054000000452421e-06"), ("1h", "0.123456789012345678"), ("2h", "9007199254740993")]),
        Case::text(
            "negative-zero",
            "a negative zero and numbers without a leading digit",
            "zero.csv",
            "Time (h),pH,nihonshudo\n0,7,-0.0\n1,7,.5\n2,7,-.5\n3,7,+3\n",
        )
        .says("pH", "[pH]", &[("0h", "7"), ("1h", "7"), ("2h", "7"), ("3h", "7")])
        .says("nihonshudo", "{SMV}", &[("0h", "-0.0"), ("1h", ".5"), ("2h", "-.5"), ("3h", "+3")]),
        Case::text(
            "zero-width",
            "an invisible character in a number, left by copying from a web page",
            "invisible.csv",
            "Time (h),pH\n0,7.01\n1,7.0\u{200b}2\n2,7.03\n3,7.04\n4,7.05\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.0\u{200b}2 => 7.02"), ("2h", "7.03"), ("3h", "7.04"), ("4h", "7.05")]),
    ]
}

fn units() -> Vec<Case> {
    vec![
        Case::text(
            "unit-row",
            "a line of units under the header",
            "unitrow.csv",
            "Time,pH,DO,Glucose\nmin,-,%,mmol/L\n0,7.01,99,55.5\n30,7.00,98,50.1\n",
        )
        .time("Time", "min")
        .says("pH", "1", &[("0h", "7.01"), ("0.5h", "7.00")])
        .says("DO", "%", &[("0h", "99"), ("0.5h", "98")])
        .says("Glucose", "mmol/L", &[("0h", "55.5"), ("0.5h", "50.1")]),
        Case::text(
            "mmol-and-g",
            "glucose in mmol/L in one column and in g/L in another",
            "two-units.csv",
            "Time (h),Glucose (mmol/L),Glucose (g/L)\n0,55.5,10.0\n1,27.7,5.0\n",
        )
        .says("Glucose (mmol/L)", "mmol/L", &[("0h", "55.5"), ("1h", "27.7")])
        .says("Glucose (g/L)", "g/L", &[("0h", "10.0"), ("1h", "5.0")]),
        Case::text(
            "unit-changes-down-the-rows",
            "a long table whose unit of glucose changes half way",
            "long-units.csv",
            "run,variable,t,value,unit\nB1,glucose,0,55.5,mmol/L\nB1,glucose,3600,5.0,g/L\nB1,DO,0,98,%\nB1,DO,3600,7.1,mg/L\n",
        )
        .time("t", "s")
        .id_column("run")
        .long("variable", "value", "unit")
        .says_of("glucose", "mmol/L", &[("B1", "0h", "55.5")])
        .says_of("glucose", "g/L", &[("B1", "1h", "5.0")])
        .says_of("DO", "%", &[("B1", "0h", "98")])
        .says_of("DO", "mg/L", &[("B1", "1h", "7.1")]),
        Case::text(
            "saturation-against-mg",
            "dissolved oxygen once in % of saturation and once in mg/L",
            "oxygen.csv",
            "Time (h),DO (%),DO (mg/L)\n0,98.5,7.4\n1,40.2,3.0\n",
        )
        .says("DO (%)", "%", &[("0h", "98.5"), ("1h", "40.2")])
        .says("DO (mg/L)", "mg/L", &[("0h", "7.4"), ("1h", "3.0")]),
        Case::text(
            "impossible-unit",
            "a temperature in g/L: header and column do not belong together",
            "impossible.csv",
            "Time (h),Temperature (g/L),pH\n0,30.1,7.0\n1,30.2,7.1\n",
        )
        .says("Temperature (g/L)", "g/L", &[("0h", "30.1 =>"), ("1h", "30.2 =>")])
        .says("pH", "[pH]", &[("0h", "7.0"), ("1h", "7.1")])
        .marks(&["E-TABLE-021"])
        .refusable(),
        Case::text(
            "fahrenheit",
            "degrees Fahrenheit and micromoles with the Greek letter",
            "us-units.csv",
            "Time (h),Temp (°F),Lactate (μmol/L)\n0,86.0,1500\n1,86.2,1510\n",
        )
        .says("Temp (°F)", "[degF]", &[("0h", "86.0"), ("1h", "86.2")])
        .says("Lactate (μmol/L)", "umol/L", &[("0h", "1500"), ("1h", "1510")]),
        Case::text(
            "swapped-columns",
            "two columns changed places since the last export",
            "swapped.csv",
            "DO (%),Time (h),pH\n99,0,7.01\n98,1,7.00\n",
        )
        .says("pH", "[pH]", &[("0h", "7.01"), ("1h", "7.00")])
        .says("DO (%)", "%", &[("0h", "99"), ("1h", "98")]),
    ]
}

fn identifiers() -> Vec<Case> {
    vec![
        Case::text(
            "identifiers-like-numbers",
            "sample names 007, 1E5, 1.10 and 12345678901234567890",
            "ids.csv",
            "Sample ID,Time (h),OD600\n007,0,0.1\n1E5,1,0.2\n1.10,2,0.4\n12345678901234567890,3,0.8\n",
        )
        .id_column("Sample ID")
        .says_of(
            "OD600",
            "{OD600}",
            &[("007", "0h", "0.1"), ("1E5", "1h", "0.2"), ("1.10", "2h", "0.4"), ("12345678901234567890", "3h", "0.8")],
        ),
        Case::text(
            "identifiers-like-dates",
            "sample names MARCH1, SEP7 and 2-1, which spreadsheets take for dates",
            "genes.csv",
            "Sample ID,Time (h),OD600\nMARCH1,0,0.1\nSEP7,1,0.2\n2-1,2,0.4\n",
        )
        .id_column("Sample ID")
        .says_of("OD600", "{OD600}", &[("MARCH1", "0h", "0.1"), ("SEP7", "1h", "0.2"), ("2-1", "2h", "0.4")]),
        Case::text(
            "runs-like-numbers",
            "run names 01 and 1 are two runs",
            "runs.csv",
            "Run,Time (h),pH\n01,0,7.0\n01,1,7.1\n1,0,6.0\n1,1,6.1\n",
        )
        .id_column("Run")
        .says_of("pH", "[pH]", &[("01", "0h", "7.0"), ("01", "1h", "7.1"), ("1", "0h", "6.0"), ("1", "1h", "6.1")]),
        Case::text(
            "name-na",
            "a run called NA and one called null",
            "na.csv",
            "Run,Time (h),pH\nNA,0,7.0\nNA,1,7.1\nnull,0,6.0\nnull,1,6.1\n",
        )
        .id_column("Run")
        .says_of("pH", "[pH]", &[("NA", "0h", "7.0"), ("NA", "1h", "7.1"), ("null", "0h", "6.0"), ("null", "1h", "6.1")]),
        Case::text(
            "blank-run-names",
            "the run's name stands only in the first of its rows",
            "blank-names.csv",
            "Fermenter,Time (h),OD600\nF1,0,0.1\n,2,0.5\nF3,0,0.2\n,2,0.6\n",
        )
        .id_column("Fermenter")
        .says_of("OD600", "{OD600}", &[("F1", "0h", "0.1"), ("F1", "2h", "0.5"), ("F3", "0h", "0.2"), ("F3", "2h", "0.6")])
        .must_warn(&["N-TABLE-032"]),
    ]
}
