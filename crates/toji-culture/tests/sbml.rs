//! SBML: documents whose numbers are known by hand, documents that are refused, and what is written and read again.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::f64::consts;
use std::sync::Arc;
use toji_core::Error;
use toji_core::error::Severity;
use toji_core::text::Lang;
use toji_culture::exchange::sbml::{self, Import, Metadata};
use toji_culture::kernel::{Definition, Elementary, Event, Expression, Function, Options, Quantity, Role, System};

const MATH: &str = "xmlns=\"http://www.w3.org/1998/Math/MathML\"";
const TIME: &str = "<csymbol encoding=\"text\" definitionURL=\"http://www.sbml.org/sbml/symbols/time\">t</csymbol>";

/// A document of level 3 version 2 around the content of its model.
fn document(model: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<sbml xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" level=\"3\" version=\"2\">\n\
         <model id=\"m\">\n{model}\n</model></sbml>"
    )
}

fn import(model: &str) -> Import {
    sbml::import(document(model).as_bytes()).unwrap_or_else(|e| panic!("{}", e.render(Lang::En)))
}

/// Values of quantities at times.
fn simulate(import: &Import, times: &[f64], names: &[&str]) -> Vec<Vec<f64>> {
    let system = System::compile(&import.definition).unwrap();
    let options = Options { relative: 1e-9, absolute: vec![1e-12], ..Options::default() };
    let found = system.simulate::<f64>(&system.constants(), times, &options).unwrap();
    let column = |name: &&str| found.of(system.quantity(name).unwrap()).collect();
    names.iter().map(column).collect()
}

fn near(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (f, w) in found.iter().zip(wanted) {
        assert!((f - w).abs() <= 1e-7 * w.abs().max(1e-3) || (f.is_nan() && w.is_nan()), "{found:?} beside {wanted:?}");
    }
}

fn value(math: &str) -> f64 {
    let import = import(&format!(
        "<listOfParameters><parameter id=\"y\" constant=\"false\"/></listOfParameters>\
         <listOfRules><assignmentRule variable=\"y\"><math {MATH}>{math}</math></assignmentRule></listOfRules>"
    ));
    simulate(&import, &[0.0], &["y"])[0][0]
}

/// Values that need no program: reciprocal functions at 1, inverse ones at 2, from tables of 16 digits.
#[test]
fn every_function_of_mathml_has_its_value() {
    let of = |name: &str, arguments: &str| value(&format!("<apply><{name}/>{arguments}</apply>"));
    let cn = |numbers: &[f64]| numbers.iter().map(|n| format!("<cn>{n}</cn>")).collect::<String>();
    for (name, arguments, wanted) in [
        ("plus", &[1.0, 2.0, 3.5][..], 6.5),
        ("plus", &[], 0.0),
        ("times", &[2.0, 3.0, 4.0], 24.0),
        ("times", &[], 1.0),
        ("minus", &[5.0, 3.0], 2.0),
        ("minus", &[5.0], -5.0),
        ("divide", &[1.0, 8.0], 0.125),
        ("power", &[2.0, 10.0], 1024.0),
        ("root", &[49.0], 7.0),
        ("exp", &[1.0], consts::E),
        ("ln", &[10.0], consts::LN_10),
        ("log", &[1000.0], 3.0),
        ("abs", &[-3.0], 3.0),
        ("floor", &[-1.5], -2.0),
        ("ceiling", &[-1.5], -1.0),
        ("factorial", &[5.0], 120.0),
        ("quotient", &[-7.0, 2.0], -3.0),
        ("rem", &[-7.0, 2.0], -1.0),
        ("max", &[1.0, 4.0, 2.0], 4.0),
        ("min", &[3.0, -1.0, 2.0], -1.0),
        ("sin", &[1.0], 0.841_470_984_807_896_5),
        ("cos", &[1.0], 0.540_302_305_868_139_8),
        ("tan", &[1.0], 1.557_407_724_654_902_3),
        ("sec", &[1.0], 1.850_815_717_680_925_5),
        ("csc", &[1.0], 1.188_395_105_778_121_2),
        ("cot", &[1.0], 0.642_092_615_934_330_6),
        ("sinh", &[1.0], 1.175_201_193_643_801_4),
        ("cosh", &[1.0], 1.543_080_634_815_243_7),
        ("tanh", &[1.0], 0.761_594_155_955_764_9),
        ("sech", &[1.0], 0.648_054_273_663_885_5),
        ("csch", &[1.0], 0.850_918_128_239_321_6),
        ("coth", &[1.0], 1.313_035_285_499_331_2),
        ("arcsin", &[0.5], consts::FRAC_PI_6),
        ("arccos", &[0.5], consts::FRAC_PI_3),
        ("arctan", &[2.0], 1.107_148_717_794_090_4),
        ("arcsec", &[2.0], consts::FRAC_PI_3),
        ("arccsc", &[2.0], consts::FRAC_PI_6),
        ("arccot", &[2.0], 0.463_647_609_000_806_1),
        ("arcsinh", &[1.0], 0.881_373_587_019_543),
        ("arccosh", &[2.0], 1.316_957_896_924_816_6),
        ("arctanh", &[0.5], 0.549_306_144_334_054_8),
        ("arcsech", &[0.5], 1.316_957_896_924_816_6),
        ("arccsch", &[2.0], 0.481_211_825_059_603_4),
        ("arccoth", &[2.0], 0.549_306_144_334_054_8),
        ("lt", &[1.0, 2.0, 2.0], 0.0),
        ("leq", &[1.0, 2.0, 2.0], 1.0),
        ("gt", &[3.0, 2.0, 1.0], 1.0),
        ("geq", &[3.0, 2.0, 2.5], 0.0),
        ("eq", &[2.0, 2.0, 2.0], 1.0),
        ("neq", &[2.0, 2.0], 0.0),
        ("and", &[], 1.0),
        ("or", &[], 0.0),
        ("xor", &[1.0, 1.0, 1.0], 1.0),
        ("xor", &[1.0, 1.0], 0.0),
        ("not", &[0.0], 1.0),
        ("implies", &[1.0, 0.0], 0.0),
        ("implies", &[0.0, 0.0], 1.0),
    ] {
        let found = of(name, &cn(arguments));
        assert!((found - wanted).abs() < 1e-14 * wanted.abs().max(1.0), "{name} {arguments:?}: {found} beside {wanted}");
    }
    near(&[of("root", "<degree><cn>3</cn></degree><cn>27</cn>")], &[3.0]);
    near(&[of("log", "<logbase><cn>2</cn></logbase><cn>8</cn>")], &[3.0]);
}

#[test]
fn every_form_of_a_number_is_read() {
    for (math, wanted) in [
        ("<cn type=\"integer\"> 7 </cn>", 7.0),
        ("<cn type=\"rational\">1<sep/>8</cn>", 0.125),
        ("<cn type=\"e-notation\"> 2.5 <sep/> -3 </cn>", 2.5e-3),
        ("<cn>1e-7</cn>", 1e-7),
        ("<pi/>", consts::PI),
        ("<exponentiale/>", consts::E),
        ("<infinity/>", f64::INFINITY),
        ("<notanumber/>", f64::NAN),
        ("<true/>", 1.0),
        ("<false/>", 0.0),
        ("<semantics><cn>3</cn><annotation-xml><x/></annotation-xml></semantics>", 3.0),
        ("<csymbol definitionURL=\"http://www.sbml.org/sbml/symbols/avogadro\">NA</csymbol>", 6.022_141_79e23),
        ("<piecewise><piece><cn>1</cn><false/></piece><piece><cn>2</cn><true/></piece></piecewise>", 2.0),
        ("<piecewise><piece><cn>1</cn><false/></piece></piecewise>", f64::NAN),
        ("<piecewise><piece><cn>1</cn><false/></piece><otherwise><cn>5</cn></otherwise></piecewise>", 5.0),
    ] {
        let found = value(math);
        assert!(found == wanted || (found.is_nan() && wanted.is_nan()), "{math}: {found}");
    }
}

const HALF: &str = "<listOfCompartments><compartment id=\"C\" size=\"2\" constant=\"false\"/></listOfCompartments>";

fn species(more: &str) -> String {
    format!(
        "<listOfSpecies><species id=\"S\" compartment=\"C\" {more} hasOnlySubstanceUnits=\"false\" boundaryCondition=\"true\" \
         constant=\"false\"/></listOfSpecies>"
    )
}

/// dV/dt = 1, so V = 2 + t. A concentration by dc/dt = 0.5 is 3 + t/2, and its amount (3 + t/2)(2 + t).
#[test]
fn a_concentration_by_a_rate_rule_in_a_growing_compartment() {
    let rules = format!(
        "<listOfRules><rateRule variable=\"C\"><math {MATH}><cn>1</cn></math></rateRule>\
         <rateRule variable=\"S\"><math {MATH}><cn>0.5</cn></math></rateRule></listOfRules>"
    );
    let import = import(&format!("{HALF}{}{rules}", species("initialConcentration=\"3\"")));
    assert_eq!(import.model.amount_of("S").as_deref(), Some("S.amount"));
    let found = simulate(&import, &[0.0, 1.0, 4.0], &["S", "S.amount"]);
    near(&found[0], &[3.0, 3.5, 5.0]);
    near(&found[1], &[6.0, 10.5, 30.0]);
}

/// The same where the size follows from an assignment rule.
#[test]
fn a_concentration_by_a_rate_rule_in_an_assigned_compartment() {
    let rules = format!(
        "<listOfRules><assignmentRule variable=\"C\"><math {MATH}><apply><plus/><cn>2</cn>{TIME}</apply></math></assignmentRule>\
         <rateRule variable=\"S\"><math {MATH}><cn>0.5</cn></math></rateRule></listOfRules>"
    );
    let import = import(&format!("{HALF}{}{rules}", species("initialAmount=\"6\"")));
    let found = simulate(&import, &[0.0, 1.0, 4.0], &["S", "S.amount"]);
    near(&found[0], &[3.0, 3.5, 5.0]);
    near(&found[1], &[6.0, 10.5, 30.0]);
}

/// At t = 1 the size goes from 2 to 4: the amount stays 6, the concentration halves; at t = 2 the concentration is set
/// to 5, so the amount becomes 20.
#[test]
fn events_that_set_sizes_keep_amounts_and_those_that_set_concentrations_set_them() {
    let event = |id: &str, at: &str, variable: &str, value: &str| {
        format!(
            "<event id=\"{id}\" useValuesFromTriggerTime=\"true\"><trigger initialValue=\"true\" persistent=\"true\"><math {MATH}>\
             <apply><geq/>{TIME}<cn>{at}</cn></apply></math></trigger><listOfEventAssignments><eventAssignment \
             variable=\"{variable}\"><math {MATH}><cn>{value}</cn></math></eventAssignment></listOfEventAssignments></event>"
        )
    };
    let events = format!("<listOfEvents>{}{}</listOfEvents>", event("grow", "1", "C", "4"), event("set", "2", "S", "5"));
    let import = import(&format!("{HALF}{}{events}", species("initialAmount=\"6\"")));
    let found = simulate(&import, &[0.0, 0.5, 1.5, 2.5], &["C", "S", "S.amount"]);
    near(&found[0], &[2.0, 2.0, 4.0, 4.0]);
    near(&found[1], &[3.0, 3.0, 1.5, 5.0]);
    near(&found[2], &[6.0, 6.0, 6.0, 20.0]);
}

/// Extent 1 per unit of time times 2 (species) or 10 (model): S grows by 2 t, P by 10 t; a stoichiometry by a rule, 1 + t,
/// lets Q grow by 10 (t + t²/2).
#[test]
fn conversion_factors_and_stoichiometries_that_change() {
    let text = document(&format!(
        "<listOfCompartments><compartment id=\"C\" size=\"1\" constant=\"true\"/></listOfCompartments><listOfSpecies>\
         <species id=\"S\" compartment=\"C\" initialAmount=\"0\" hasOnlySubstanceUnits=\"true\" boundaryCondition=\"false\" \
         constant=\"false\" conversionFactor=\"two\"/>\
         <species id=\"P\" compartment=\"C\" initialAmount=\"0\" hasOnlySubstanceUnits=\"true\" boundaryCondition=\"false\" \
         constant=\"false\"/>\
         <species id=\"Q\" compartment=\"C\" initialAmount=\"0\" hasOnlySubstanceUnits=\"true\" boundaryCondition=\"false\" \
         constant=\"false\"/></listOfSpecies>\
         <listOfParameters><parameter id=\"two\" value=\"2\" constant=\"true\"/><parameter id=\"ten\" value=\"10\" \
         constant=\"true\"/></listOfParameters>\
         <listOfRules><assignmentRule variable=\"n\"><math {MATH}><apply><plus/><cn>1</cn>{TIME}</apply></math></assignmentRule>\
         </listOfRules><listOfReactions><reaction id=\"R\" reversible=\"false\"><listOfProducts>\
         <speciesReference species=\"S\" stoichiometry=\"1\" constant=\"true\"/>\
         <speciesReference species=\"P\" stoichiometry=\"1\" constant=\"true\"/>\
         <speciesReference id=\"n\" species=\"Q\" constant=\"false\"/></listOfProducts>\
         <kineticLaw><math {MATH}><ci>k</ci></math><listOfLocalParameters><localParameter id=\"k\" value=\"1\"/>\
         </listOfLocalParameters></kineticLaw></reaction></listOfReactions>"
    ));
    let import = sbml::import(text.replace("<model id=\"m\"", "<model id=\"m\" conversionFactor=\"ten\"").as_bytes()).unwrap();
    let found = simulate(&import, &[0.0, 2.0], &["S", "P", "Q", "R", "R.k", "n"]);
    let end: Vec<f64> = found.iter().map(|column| column[1]).collect();
    near(&end, &[4.0, 20.0, 40.0, 1.0, 1.0, 3.0]);
}

/// x' = 2, so rateOf(x) = 2; the concentration c = n / V with n' = 3 and V' = 1 has (3 − c) / V.
#[test]
fn the_rate_of_a_quantity_is_a_quantity() {
    let rate = |of: &str| {
        format!(
            "<apply><csymbol encoding=\"text\" definitionURL=\"http://www.sbml.org/sbml/symbols/rateOf\">rateOf</csymbol>\
             <ci>{of}</ci></apply>"
        )
    };
    let model = format!(
        "{HALF}<listOfSpecies><species id=\"c\" compartment=\"C\" initialAmount=\"1\" hasOnlySubstanceUnits=\"false\" \
         boundaryCondition=\"false\" constant=\"false\"/></listOfSpecies><listOfParameters><parameter id=\"x\" value=\"0\" \
         constant=\"false\"/><parameter id=\"y\" constant=\"false\"/><parameter id=\"z\" constant=\"false\"/>\
         <parameter id=\"k\" value=\"1\" constant=\"true\"/></listOfParameters>\
         <listOfRules><rateRule variable=\"C\"><math {MATH}><cn>1</cn></math></rateRule><rateRule variable=\"x\"><math {MATH}>\
         <cn>2</cn></math></rateRule><assignmentRule variable=\"y\"><math {MATH}><apply><plus/>{}{}</apply></math></assignmentRule>\
         <assignmentRule variable=\"z\"><math {MATH}>{}</math></assignmentRule></listOfRules><listOfReactions><reaction id=\"R\" \
         reversible=\"false\"><listOfProducts><speciesReference species=\"c\" stoichiometry=\"3\" constant=\"true\"/>\
         </listOfProducts><kineticLaw><math {MATH}><cn>1</cn></math></kineticLaw></reaction></listOfReactions>",
        rate("x"),
        rate("k"),
        rate("c")
    );
    let found = simulate(&import(&model), &[0.0, 2.0], &["y", "z"]);
    near(&found[0], &[2.0, 2.0]);
    // At 0: c = 1/2, V = 2; at 2: n = 7, V = 4.
    near(&found[1], &[2.5 / 2.0, (3.0 - 7.0 / 4.0) / 4.0]);
}

/// Level 2: flags by default, stoichiometry of 1 by default and as a formula, `listOfParameters` in a law.
#[test]
fn level_2_means_what_it_does_not_say() {
    let text = format!(
        "<sbml xmlns=\"http://www.sbml.org/sbml/level2/version4\" level=\"2\" version=\"4\"><model><listOfCompartments>\
         <compartment id=\"C\" size=\"2\"/></listOfCompartments><listOfSpecies><species id=\"A\" compartment=\"C\" \
         initialConcentration=\"5\"/><species id=\"B\" compartment=\"C\" initialConcentration=\"0\"/></listOfSpecies>\
         <listOfParameters><parameter id=\"p\" value=\"3\"/></listOfParameters><listOfReactions><reaction id=\"R\">\
         <listOfReactants><speciesReference species=\"A\"/></listOfReactants><listOfProducts><speciesReference species=\"B\">\
         <stoichiometryMath><math {MATH}><ci>p</ci></math></stoichiometryMath></speciesReference></listOfProducts><kineticLaw>\
         <math {MATH}><ci>p</ci></math><listOfParameters><parameter id=\"p\" value=\"1\"/></listOfParameters></kineticLaw>\
         </reaction></listOfReactions></model></sbml>"
    );
    let import = sbml::import(text.as_bytes()).unwrap();
    assert!(import.findings.is_empty(), "{:?}", import.findings);
    let found = simulate(&import, &[0.0, 2.0], &["A", "B", "A.amount"]);
    near(&[found[0][1], found[1][1], found[2][1]], &[4.0, 3.0, 8.0]);
    assert_eq!(import.metadata.units.get("A").map(String::as_str), Some("mol/L"));
    assert_eq!(import.metadata.time_unit.as_deref(), Some("s"));
}

fn refused(text: &str) -> Error {
    let error = sbml::import(text.as_bytes()).err().unwrap_or_else(|| panic!("not refused: {text}"));
    for finding in &error.fault().diagnostics {
        assert!(finding.remedy.is_some() && finding.place.field.is_some() || finding.code == "E-SBML-001", "{finding:?}");
        assert_ne!(finding.message.ja, finding.message.en);
    }
    error
}

fn rule(math: &str) -> String {
    format!(
        "<listOfParameters><parameter id=\"y\" constant=\"false\"/></listOfParameters>\n<listOfRules>\
         <assignmentRule variable=\"y\"><math {MATH}>{math}</math></assignmentRule></listOfRules>"
    )
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_place() {
    let function = |id: &str, body: &str| {
        format!(
            "<functionDefinition id=\"{id}\"><math {MATH}><lambda><bvar><ci>x</ci></bvar>{body}</lambda></math></functionDefinition>"
        )
    };
    let call = |id: &str, of: &str| format!("<apply><ci>{id}</ci>{of}</apply>");
    let functions =
        |list: &str, math: &str| format!("<listOfFunctionDefinitions>{list}</listOfFunctionDefinitions>{}", rule(math));
    let doubling: String = (1..40)
        .map(|i| {
            let inner = call(&format!("f{}", i - 1), "<ci>x</ci>");
            function(&format!("f{i}"), &format!("<apply><plus/>{inner}{inner}</apply>"))
        })
        .collect();
    let parameter = "<listOfParameters><parameter id=\"k\" value=\"1\" constant=\"true\"/></listOfParameters>";
    for (model, code, line, word) in [
        (format!("<listOfRules>\n<algebraicRule><math {MATH}><cn>0</cn></math></algebraicRule></listOfRules>"), "E-SBML-005", 5, "algebraic"),
        ("\n<listOfReactions><reaction id=\"R\" fast=\"true\"/></listOfReactions>".into(), "E-SBML-005", 5, "fast"),
        (
            rule("<apply><csymbol definitionURL=\"http://www.sbml.org/sbml/symbols/delay\"/><ci>y</ci><cn>1</cn></apply>"),
            "E-SBML-005",
            5,
            "delay",
        ),
        (rule("<apply><laplacian/><ci>y</ci></apply>"), "E-SBML-005", 5, "laplacian"),
        (rule("<ci>nobody</ci>"), "E-SBML-006", 5, "nobody"),
        (rule("<apply><ci>f</ci><cn>1</cn></apply>"), "E-SBML-006", 5, "f is not defined"),
        (rule("<apply><divide/><cn>1</cn></apply>"), "E-SBML-004", 5, "1 arguments"),
        (rule("<cn>abc</cn>"), "E-SBML-004", 5, "abc"),
        (rule("<cn type=\"e-notation\">1<sep/>1e5</cn>"), "E-SBML-004", 5, "number"),
        (
            format!("{parameter}<listOfRules>\n<rateRule variable=\"k\"><math {MATH}><cn>1</cn></math></rateRule></listOfRules>"),
            "E-SBML-008",
            5,
            "constant",
        ),
        (
            "<listOfParameters><parameter id=\"k\" constant=\"true\"/>\n<parameter id=\"k\" constant=\"true\"/></listOfParameters>".into(),
            "E-SBML-007",
            5,
            "twice",
        ),
        ("<listOfParameters>\n<parameter constant=\"true\"/></listOfParameters>".into(), "E-SBML-003", 5, "id"),
        ("<listOfParameters>\n<parameter id=\"a b\" constant=\"true\"/></listOfParameters>".into(), "E-SBML-003", 5, "identifier"),
        ("<listOfParameters>\n<parameter id=\"a\" value=\"1,5\" constant=\"true\"/></listOfParameters>".into(), "E-SBML-003", 5, "1,5"),
        ("\n<listOfWonders/>".into(), "E-SBML-005", 5, "listOfWonders"),
        (functions(&function("f", &call("f", "<ci>x</ci>")), &call("f", "<cn>1</cn>")), "E-SBML-004", 4, "calls itself"),
        (functions(&function("f", "<ci>y</ci>"), &call("f", "<cn>1</cn>")), "E-SBML-006", 4, "y is not defined"),
        (functions(&function("f", "<ci>x</ci>"), &call("f", "")), "E-SBML-004", 5, "number of arguments"),
        (
            functions(&format!("{}{doubling}", function("f0", "<ci>x</ci>")), &call("f39", "<cn>1</cn>")),
            "E-SBML-009",
            4,
            "too large",
        ),
    ] {
        let error = refused(&document(&model));
        let text = error.render(Lang::En);
        assert_eq!((error.code(), error.fault().place.as_ref().and_then(|p| p.line)), (code, Some(line)), "{text}");
        assert!(text.contains(word), "{word}: {text}");
        assert!(error.render(Lang::Ja).contains("対処"), "{text}");
    }
}

#[test]
fn a_package_that_changes_the_meaning_is_refused_and_others_are_passed_over() {
    let package = |required: &str| {
        document("<q:listOfThings xmlns:q=\"http://www.sbml.org/sbml/level3/version1/q/version1\"/>").replace(
            " level=\"3\"",
            &format!(" xmlns:q=\"http://www.sbml.org/sbml/level3/version1/q/version1\" q:required=\"{required}\" level=\"3\""),
        )
    };
    assert_eq!(refused(&package("true")).code(), "E-SBML-005");
    let import = sbml::import(package("false").as_bytes()).unwrap();
    assert_eq!(import.findings[0].severity, Severity::Warning);
}

#[test]
fn documents_of_other_levels_are_refused_with_what_to_do() {
    for text in [
        "<sbml xmlns=\"http://www.sbml.org/sbml/level1\" level=\"1\" version=\"2\"><model/></sbml>",
        "<sbml xmlns=\"http://www.sbml.org/sbml/level3/version9/core\" level=\"3\" version=\"9\"><model/></sbml>",
        "<html><body/></html>",
    ] {
        assert_eq!(refused(text).code(), "E-SBML-002");
    }
    assert_eq!(refused("<sbml").code(), "E-SBML-001");
}

/// All faults in one pass, not the first.
#[test]
fn every_fault_is_told_at_once() {
    let error = refused(&document(&format!(
        "<listOfParameters><parameter id=\"y\" constant=\"true\"/><parameter id=\"y\" constant=\"true\"/></listOfParameters>\
         <listOfRules><rateRule variable=\"y\"><math {MATH}><ci>a</ci></math></rateRule><algebraicRule/></listOfRules>"
    )));
    let mut codes: Vec<&str> = error.fault().diagnostics.iter().map(|d| d.code.as_str()).filter(|c| c.starts_with('E')).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["E-SBML-005", "E-SBML-006", "E-SBML-007", "E-SBML-008"]);
}

/// A delayed event that sets a concentration to a value of its trigger, while the compartment grows.
#[test]
fn a_late_concentration_in_a_moving_compartment_is_refused() {
    let model = format!(
        "{HALF}{}<listOfRules><rateRule variable=\"C\"><math {MATH}><cn>1</cn></math></rateRule></listOfRules><listOfEvents>\
         <event useValuesFromTriggerTime=\"true\"><trigger initialValue=\"true\" persistent=\"true\"><math {MATH}><apply><gt/>{TIME}\
         <cn>1</cn></apply></math></trigger><delay><math {MATH}><cn>1</cn></math></delay><listOfEventAssignments><eventAssignment \
         variable=\"S\"><math {MATH}><cn>1</cn></math></eventAssignment></listOfEventAssignments></event></listOfEvents>",
        species("initialAmount=\"6\"")
    );
    assert_eq!(refused(&document(&model)).code(), "E-SBML-005");
    // With values of the execution it is what the kernel does: at 2 the size is 4, and the amount becomes 4.
    let import = import(&model.replace("useValuesFromTriggerTime=\"true\"", "useValuesFromTriggerTime=\"false\""));
    assert_eq!(&*import.definition.events[0].name, "event.1");
    near(&simulate(&import, &[0.0, 1.5, 3.0], &["S.amount"])[0], &[6.0, 6.0, 4.0]);
}

#[test]
fn units_become_ucum_and_come_back() {
    let definition = Definition {
        quantities: ["mu", "S", "T", "kLa", "n", "odd", "cells"]
            .map(|name| Quantity { name: name.into(), role: Role::Constant(Expression::Number(1.0)) })
            .into(),
        events: Vec::new(),
    };
    let units: BTreeMap<Arc<str>, String> =
        [("mu", "/h"), ("S", "g/L"), ("T", "K"), ("kLa", "/min"), ("n", "mmol/L/h"), ("odd", "[pH]"), ("cells", "10*6/mL")]
            .map(|(name, unit)| (name.into(), unit.to_owned()))
            .into();
    let metadata = Metadata { id: Some("m".into()), name: Some("流加 <1>".into()), time_unit: Some("h".into()), units };
    let written = sbml::write(&definition, &metadata).unwrap();
    assert_eq!(written.findings.len(), 1, "{:?}", written.findings);
    let import = sbml::import(written.text.as_bytes()).unwrap();
    assert_eq!((import.metadata.time_unit.as_deref(), import.metadata.name.as_deref()), (Some("h"), Some("流加 <1>")));
    let found: Vec<(&str, &str)> = import.metadata.units.iter().map(|(n, u)| (&**n, u.as_str())).collect();
    let wanted = [("S", "g/L"), ("T", "K"), ("cells", "10*6/mL"), ("kLa", "/min"), ("mu", "/h"), ("n", "mmol/L/h")];
    assert_eq!(found, wanted);
}

#[test]
fn a_definition_that_contradicts_itself_is_not_written() {
    let constant = |name: &str, value: Expression| Quantity { name: name.into(), role: Role::Constant(value) };
    let one = Expression::Number(1.0);
    for definition in [
        Definition { quantities: vec![constant("a", Expression::name("b"))], events: vec![] },
        Definition { quantities: vec![constant("a", one.clone()), constant("a", one.clone())], events: vec![] },
        Definition {
            quantities: vec![constant("a", one.clone())],
            events: vec![Event {
                name: "e".into(),
                trigger: one.clone(),
                was_true: true,
                persistent: true,
                delay: None,
                priority: None,
                at_trigger: true,
                sets: vec![("a".into(), one.clone())],
            }],
        },
    ] {
        assert!(sbml::write(&definition, &Metadata::default()).is_err());
    }
    let deep = (0..5000).fold(one, |e, _| Expression::apply(Function::Negate, [e]));
    let deep = Definition { quantities: vec![constant("a", deep)], events: vec![] };
    assert_eq!(sbml::write(&deep, &Metadata::default()).unwrap_err().code(), "E-SBML-009");
}

const ALL: [(Function, std::ops::Range<usize>); 41] = [
    (Function::Add, 0..4),
    (Function::Subtract, 2..3),
    (Function::Multiply, 0..4),
    (Function::Divide, 2..3),
    (Function::Negate, 1..2),
    (Function::Power, 2..3),
    (Function::Of(Elementary::Exp), 1..2),
    (Function::Of(Elementary::Ln), 1..2),
    (Function::Of(Elementary::Log10), 1..2),
    (Function::Of(Elementary::Sqrt), 1..2),
    (Function::Of(Elementary::Abs), 1..2),
    (Function::Of(Elementary::Floor), 1..2),
    (Function::Of(Elementary::Ceiling), 1..2),
    (Function::Of(Elementary::Factorial), 1..2),
    (Function::Of(Elementary::Sin), 1..2),
    (Function::Of(Elementary::Cos), 1..2),
    (Function::Of(Elementary::Tan), 1..2),
    (Function::Of(Elementary::Asin), 1..2),
    (Function::Of(Elementary::Acos), 1..2),
    (Function::Of(Elementary::Atan), 1..2),
    (Function::Of(Elementary::Sinh), 1..2),
    (Function::Of(Elementary::Cosh), 1..2),
    (Function::Of(Elementary::Tanh), 1..2),
    (Function::Of(Elementary::Asinh), 1..2),
    (Function::Of(Elementary::Acosh), 1..2),
    (Function::Of(Elementary::Atanh), 1..2),
    (Function::Min, 1..4),
    (Function::Max, 1..4),
    (Function::Quotient, 2..3),
    (Function::Remainder, 2..3),
    (Function::Less, 2..4),
    (Function::LessOrEqual, 2..4),
    (Function::Greater, 2..4),
    (Function::GreaterOrEqual, 2..4),
    (Function::Equal, 2..4),
    (Function::NotEqual, 2..3),
    (Function::And, 0..4),
    (Function::Or, 0..4),
    (Function::Xor, 0..4),
    (Function::Not, 1..2),
    (Function::Implies, 2..3),
];

/// Names that are identifiers, and such that are not and would become the same.
const NAMES: [&str; 8] = ["a", "S.amount", "S_amount", "S amount", "基質", "2x", "time", "_"];

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        any::<f64>().prop_filter("−∞ is written as a negation", |v| v.is_finite()).prop_map(Expression::Number),
        Just(Expression::Number(f64::INFINITY)),
        Just(Expression::Number(f64::NAN)),
        Just(Expression::Time),
        proptest::sample::select(&NAMES[..]).prop_map(Expression::name),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (proptest::sample::select(&ALL[..]), proptest::collection::vec(inner.clone(), 4), any::<prop::sample::Index>())
                .prop_map(|((function, count), mut arguments, pick)| {
                    arguments.truncate(count.start + pick.index(count.len()));
                    Expression::Apply(function, arguments)
                }),
            (proptest::collection::vec((inner.clone(), inner.clone()), 0..3), proptest::option::of(inner))
                .prop_map(|(pieces, otherwise)| Expression::Piecewise(pieces, otherwise.map(Box::new))),
        ]
    })
}

fn definition() -> impl Strategy<Value = Definition> {
    let role = (0..3_u8, expression(), expression(), any::<bool>()).prop_map(|(kind, initial, rate, still)| match kind {
        0 => Role::Constant(initial),
        1 => Role::Assigned(rate),
        _ => Role::State { initial, rate: if still { Expression::Number(0.0) } else { rate } },
    });
    let event = (
        expression(),
        any::<[bool; 3]>(),
        proptest::option::of(expression()),
        proptest::option::of(expression()),
        proptest::collection::vec(expression(), NAMES.len()),
        any::<u8>(),
    );
    (proptest::collection::vec(role, NAMES.len()), proptest::collection::vec(event, 0..3)).prop_map(|(roles, events)| {
        let quantities: Vec<Quantity> =
            NAMES.iter().zip(roles).map(|(name, role)| Quantity { name: (*name).into(), role }).collect();
        let states: Vec<Arc<str>> =
            quantities.iter().filter(|q| matches!(q.role, Role::State { .. })).map(|q| q.name.clone()).collect();
        let events = events.into_iter().enumerate().map(|(i, (trigger, flags, delay, priority, values, chosen))| Event {
            name: format!("event_{i}").into(),
            trigger,
            was_true: flags[0],
            persistent: flags[1],
            at_trigger: flags[2],
            delay,
            priority,
            sets: states
                .iter()
                .zip(values)
                .enumerate()
                .filter(|(k, _)| chosen >> k & 1 == 1)
                .map(|(_, (name, value))| (name.clone(), value))
                .collect(),
        });
        Definition { events: events.collect(), quantities }
    })
}

/// The definition with the identifiers it got.
fn renamed(definition: &Definition, names: &[(Arc<str>, Arc<str>)]) -> Definition {
    let name = |of: &str| names.iter().find(|(from, _)| &**from == of).map_or_else(|| of.into(), |(_, to)| to.clone());
    let again = |e: &Expression| e.replaced(&|of| Some(Expression::Name(name(of))));
    let quantity = |q: &Quantity| Quantity {
        name: name(&q.name),
        role: match &q.role {
            Role::Constant(e) => Role::Constant(again(e)),
            Role::Assigned(e) => Role::Assigned(again(e)),
            Role::State { initial, rate } => Role::State { initial: again(initial), rate: again(rate) },
        },
    };
    let event = |e: &Event| Event {
        trigger: again(&e.trigger),
        delay: e.delay.as_ref().map(again),
        priority: e.priority.as_ref().map(again),
        sets: e.sets.iter().map(|(of, value)| (name(of), again(value))).collect(),
        ..e.clone()
    };
    Definition {
        quantities: definition.quantities.iter().map(quantity).collect(),
        events: definition.events.iter().map(event).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bit for bit, NaN included (hence by their text).
    #[test]
    fn what_is_written_is_read_as_it_was(definition in definition()) {
        let written = sbml::write(&definition, &Metadata::default()).unwrap();
        let import = sbml::import(written.text.as_bytes()).unwrap();
        prop_assert_eq!(format!("{:?}", import.definition), format!("{:?}", renamed(&definition, &written.renamed)));
        prop_assert_eq!(written.renamed.len(), 4);
    }

    /// Nothing that is done to a document makes the reader panic, and every refusal has a place.
    #[test]
    fn a_damaged_document_is_read_or_refused(
        definition in definition(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, any::<[u8; 2]>()), 1..6),
    ) {
        let mut bytes = sbml::write(&definition, &Metadata::default()).unwrap().text.into_bytes();
        for (at, length, new) in cuts {
            let from = at.index(bytes.len());
            bytes.splice(from..(from + length).min(bytes.len()), new);
        }
        if let Err(error) = sbml::import(&bytes) {
            prop_assert!(error.fault().diagnostics.iter().all(|d| d.place.line.is_some() || d.place.field.is_some()));
        }
    }
}
