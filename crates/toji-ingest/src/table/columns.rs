//! What a header says a column measures, and whether the unit beside it can be right.

use super::header::{Header, UnitFrom};
use super::words;
use toji_core::variable::{self, Variable};
use toji_core::{Text, Unit};

/// What is known of a measured column.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) variable: Option<&'static Variable>,
    /// The unit written beside the name cannot belong to it.
    pub(super) contradiction: bool,
    pub(super) confidence: f64,
    pub(super) evidence: Text,
}

/// Finds the variable that a header names, with the word that gave it away.
pub(super) fn know(header: &Header, whole_header: &str) -> Known {
    let unknown = |confidence, ja: String, en: String| Known {
        variable: None,
        contradiction: false,
        confidence,
        evidence: Text::new(ja, en),
    };
    let no_word = || {
        unknown(
            0.4,
            format!("「{}」は語彙にありません。見出しのまま残します", header.name),
            format!("\"{}\" is not in the vocabulary; kept under its own header", header.name),
        )
    };
    let Some((found, word)) = variable::find(&header.name).or_else(|| variable::find(whole_header)) else { return no_word() };
    if words::derived(&header.name) {
        return unknown(
            0.4,
            format!("「{}」は「{word}」から計算した量の名前です。見出しのまま残します", header.name),
            format!("\"{}\" names something derived from \"{word}\"; kept under its own header", header.name),
        );
    }
    let (name, plain_word) = (words::plain(&header.name), words::plain(word));
    let whole = name == plain_word;
    // One or two letters among other words are too little to go by, but for the three best known.
    if !whole && plain_word.chars().count() <= 2 && plain_word.is_ascii() && !matches!(plain_word.as_str(), "ph" | "do" | "od") {
        return no_word();
    }
    let share = plain_word.chars().count() as f64 / name.chars().count().max(1) as f64;
    let confidence = if whole { 0.95 } else { (0.6 + 0.3 * share).min(0.9) };
    let said = Text::new(
        format!("見出しの語「{word}」→ {}", found.label.ja),
        format!("the word \"{word}\" in the header → {}", found.label.en),
    );
    let Some(unit) = header.unit.as_ref().filter(|u| !unit_fits(found, u)) else {
        return Known { variable: Some(found), contradiction: false, confidence, evidence: said };
    };
    let written = matches!(header.from, Some(UnitFrom::Brackets | UnitFrom::UnitRow));
    if whole && written {
        return Known {
            variable: Some(found),
            contradiction: true,
            confidence: 0.1,
            evidence: Text::new(
                format!("{}。しかし単位 {unit} はこの量の単位ではありません", said.ja),
                format!("{}; but {unit} is not a unit of it", said.en),
            ),
        };
    }
    unknown(
        0.4,
        format!("「{word}」の語がありますが、単位 {unit} は別の量を示します。見出しのまま残します",),
        format!("the word \"{word}\" is there, but the unit {unit} is of another quantity; kept under its own header"),
    )
}

/// Can values of this variable be stated in this unit? Annotations do not count (`%` and `%{sat}`),
/// mass and amount of a substance both do, and so do the customary other ways of stating a quantity.
pub(super) fn unit_fits(variable: &Variable, unit: &Unit) -> bool {
    let Some(unit) = bare(unit.code()) else { return true };
    let fits = |other: &str| match bare(other) {
        Some(other) => match unit.convert(1.0, &other) {
            Ok(_) => true,
            Err(e) => unit.commensurable(&other) || e.code() == "E-UNIT-003",
        },
        None => true,
    };
    fits(&variable.unit) || customary(variable).iter().any(|other| fits(other))
}

/// A unit without annotations, which keep apart what one column may mix.
fn bare(code: &str) -> Option<Unit> {
    let mut out = String::new();
    let mut depth = 0;
    for c in code.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    if let Some(rest) = out.strip_prefix('/') {
        return Unit::parse(&format!("/{rest}")).ok();
    }
    Unit::parse(if out.is_empty() { "1" } else { &out }).ok()
}

/// Other customary ways of stating a variable.
fn customary(variable: &Variable) -> &'static [&'static str] {
    match variable.id.as_str() {
        "dissolved-oxygen" => &["mg/L", "mmol/L", "mm[Hg]", "[ppm]"],
        "optical-density" | "backscatter" | "fluorescence" => &["1", "V"],
        "gas-flow" | "oxygen-flow" | "co2-flow" => &["/min", "%", "kg/h", "mol/h"],
        "feed" | "base" | "acid" | "antifoam" => &["L", "g", "L/h", "g/h", "%", "1"],
        "stirrer-speed" | "shaker-speed" => &["%", "m/s", "[g]"],
        "pressure" => &["%"],
        "volume" => &["kg", "%"],
        "weight" => &["L", "%"],
        "oxygen-fraction" | "co2-fraction" => &["bar", "mol/L", "g/L"],
        "viable-cell-density" | "total-cell-density" => &["g/L", "1"],
        "oxygen-uptake-rate" | "co2-evolution-rate" => &["mol/h", "g/h", "mol/(L.h)"],
        "alcohol" => &["g/L"],
        "capacitance" => &["pF"],
        "osmolality" => &["mosm/L", "mosm"],
        "titre" | "igg" | "ldh" => &["[IU]/L", "U/L", "kat/L", "g/L", "%"],
        "acidity" | "amino-acidity" => &["g/L", "mL"],
        "foam-level" => &["cm", "1"],
        "ph" => &["1"],
        "baume" | "nihonshudo" | "brix" | "plato" => &["1"],
        _ if variable.unit.ends_with("/L") => &["%"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::split;
    use super::*;

    #[track_caller]
    fn check(header: &str, variable: Option<&str>, contradiction: bool) {
        let known = know(&split(header), header);
        assert_eq!((known.variable.map(|v| v.id.as_str()), known.contradiction), (variable, contradiction), "{header}");
        assert!(!known.evidence.ja.is_empty() && !known.evidence.en.is_empty());
    }

    #[test]
    fn headers_and_their_units() {
        check("Temperature (°C)", Some("temperature"), false);
        check("Temperature (g/L)", Some("temperature"), true);
        check("glucose [mmol/L]", Some("glucose"), false);
        check("DO (mg/L)", Some("dissolved-oxygen"), false);
        check("DO_mg_L", Some("dissolved-oxygen"), false);
        check("lost_glucose_g", None, false);
        check("Temp out [%]", None, false);
        check("Feed rate (mL/h)", Some("feed"), false);
        check("Stirrer (rpm)", Some("stirrer-speed"), false);
        check("pH [-]", Some("ph"), false);
        check("Total (x10^6) cells/mL", Some("total-cell-density"), false);
        check("CTPC-X9", None, false);
    }
}
