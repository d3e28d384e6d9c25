//! SBML with flux balance constraints.

use super::{open, reference, shared};
use proptest::prelude::*;
use std::io::{BufRead, Read};
use toji_flux::io::sbml::{Identifiers, Options, read, write};
use toji_flux::io::{Reading, json};
use toji_flux::model::{Member, Model, Sense, Variable};

fn rule(model: &Model, reaction: &str) -> String {
    let reaction = &model.reactions[model.reaction_named(reaction).unwrap()];
    reaction.gpr.as_ref().map(|g| g.text(&|i| model.genes[i].id.clone())).unwrap_or_default()
}

#[test]
fn genome_scale_models_are_read_whole() {
    for (path, reactions, metabolites, genes, objective) in [
        ("models/textbook.xml.gz", 95, 72, 137, "Biomass_Ecoli_core"),
        ("models/e_coli_core.xml.gz", 95, 72, 137, "BIOMASS_Ecoli_core_w_GAM"),
        ("models/iJO1366.xml.gz", 2583, 1805, 1367, "BIOMASS_Ec_iJO1366_core_53p95M"),
        ("models/iCGB21FR.xml.gz", 1539, 1042, 805, "Growth"),
    ] {
        let Some(Reading { model, findings }) = open(path) else { return };
        assert_eq!(
            (model.reactions.len(), model.metabolites.len(), model.genes.len()),
            (reactions, metabolites, genes),
            "{path}"
        );
        let active = model.active_objective().unwrap();
        assert_eq!((active.sense, active.terms.len()), (Sense::Maximize, 1), "{path}");
        assert_eq!(model.reactions[active.terms[0].0].id, objective, "{path}");
        assert!(findings.iter().all(|f| f.code == "W-GEM-001"), "{path}: {findings:#?}");
        assert!(model.reactions.iter().all(|r| r.lower.is_finite() && r.upper.is_finite()));
    }
}

#[test]
fn the_references_know_the_same_reactions_and_genes() {
    for (path, of) in [("models/textbook.xml.gz", "textbook.json"), ("models/iJO1366.xml.gz", "iJO1366_fba_fva_deletions.json")] {
        let (Some(Reading { model, .. }), Some(expected)) = (open(path), reference(of)) else { return };
        let ranges = expected.get("fva_1.0").or_else(|| expected.get("fva_fraction_1_0")).unwrap().as_object().unwrap();
        assert_eq!(ranges.len(), model.reactions.len());
        assert!(ranges.keys().all(|id| model.reaction(id).is_some()));
        let genes = expected["single_gene_deletion"].as_object().unwrap();
        assert!(genes.keys().all(|id| model.gene(id).is_some()), "{of}");
    }
}

#[test]
fn details_of_a_model_are_what_the_file_says() {
    let Some(Reading { model, findings }) = open("models/e_coli_core.xml.gz") else { return };
    let found: Vec<_> = findings.iter().map(|f| f.message.en.as_str()).collect();
    assert_eq!(found, ["not kept: notes that are not of the form key: value (2 places)"]);
    assert_eq!(rule(&model, "PFK"), "b3916 or b1723");
    assert_eq!(rule(&model, "ATPS4r").matches(" and ").count(), 15);
    let pfk = &model.reactions[model.reaction("PFK").unwrap()];
    assert_eq!((pfk.lower, pfk.upper, pfk.subsystem.as_deref()), (0.0, 1000.0, Some("Glycolysis/Gluconeogenesis")));
    let terms: Vec<_> = pfk.stoichiometry.iter().map(|t| (model.metabolites[t.0].id.as_str(), t.1)).collect();
    assert_eq!(terms, [("atp_c", -1.0), ("f6p_c", -1.0), ("adp_c", 1.0), ("fdp_c", 1.0), ("h_c", 1.0)]);
    let has = |collection: &str, id: &str| pfk.annotation.iter().any(|r| &*r.collection == collection && r.id == id);
    assert!(
        has("sbo", "SBO:0000375") && has("metanetx.reaction", "MNXR102507") && has("ec-code", "2.7.1.11"),
        "{:?}",
        pfk.annotation
    );
    let glucose = &model.metabolites[model.metabolite("glc__D_e").unwrap()];
    assert_eq!((glucose.formula.as_deref(), glucose.compartment.as_deref()), (Some("C6H12O6"), Some("e")));
    assert_eq!(model.groups.len(), 10);
    assert!(model.groups.iter().flat_map(|g| &g.members).all(|m| matches!(m, Member::Reaction(_))));
    let gene = &model.genes[model.gene("b3916").unwrap()];
    assert_eq!(gene.name.as_deref(), Some("b3916"));
}

#[test]
fn sbml_and_json_of_the_same_model_agree() {
    let (Some(from_sbml), Some(bytes)) = (open("models/mini_cobra.xml"), shared("models/mini.json")) else { return };
    let (a, b) = (from_sbml.model, json::read(&bytes).unwrap().model);
    assert_eq!((a.reactions.len(), a.metabolites.len(), a.genes.len()), (b.reactions.len(), b.metabolites.len(), b.genes.len()));
    for one in &a.reactions {
        let two = &b.reactions[b.reaction_named(&one.id).unwrap()];
        assert_eq!((one.lower, one.upper), (two.lower, two.upper), "{}", one.id);
        let named = |m: &Model, r: &toji_flux::model::Reaction| {
            let mut terms: Vec<_> = r.stoichiometry.iter().map(|t| (m.metabolites[t.0].id.clone(), t.1)).collect();
            terms.sort_by(|x, y| x.0.cmp(&y.0));
            terms
        };
        assert_eq!(named(&a, one), named(&b, two));
        let genes = |m: &Model, r: &toji_flux::model::Reaction| {
            let complexes = r.gpr.as_ref().map(|g| g.complexes(1000).unwrap()).unwrap_or_default();
            let mut names: Vec<Vec<String>> = complexes
                .iter()
                .map(|c| {
                    let mut names: Vec<String> = c.iter().map(|i| m.genes[*i].id.clone()).collect();
                    names.sort();
                    names
                })
                .collect();
            names.sort();
            names
        };
        assert_eq!(genes(&a, one), genes(&b, two));
    }
}

/// A small document with texts put in at places; what is found, in English, by code and line.
fn check(changes: &[(&str, &str)], expected: &[(&str, Option<u64>, &str)]) -> Option<Model> {
    let mut text = SMALL.to_owned();
    for (find, put) in changes {
        assert!(text.contains(find), "{find}");
        text = text.replacen(find, put, 1);
    }
    let (model, findings) = match read(text.as_bytes(), &Options::default()) {
        Ok(reading) => (Some(reading.model), reading.findings),
        Err(error) if error.fault().diagnostics.is_empty() => {
            let fault = error.fault();
            assert_eq!(&[(fault.code, fault.place.as_ref().and_then(|p| p.line), fault.message.en.as_str())], expected);
            assert!(fault.hint.is_some());
            return None;
        }
        Err(error) => (None, error.fault().diagnostics.clone()),
    };
    let found: Vec<_> = findings.iter().map(|d| (d.code.as_str(), d.place.line, d.message.en.as_str())).collect();
    assert_eq!(found, expected, "{changes:?}");
    model
}

const SMALL: &str = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version3" level="3" version="2" fbc:required="false">
<model id="m" fbc:strict="true">
<listOfCompartments><compartment id="c" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="M_a" compartment="c" boundaryCondition="false" fbc:charge="-0.5"/>
<species id="M_b" compartment="c" boundaryCondition="true"/></listOfSpecies>
<listOfParameters><parameter id="lo" value="-10" constant="true"/><parameter id="hi" value="1e3" constant="true"/>
<parameter id="k" value="2" constant="true"/><parameter id="q" constant="false"/></listOfParameters>
<listOfReactions>
<reaction id="R_x" reversible="true" fbc:lowerFluxBound="lo" fbc:upperFluxBound="hi">
<listOfReactants><speciesReference id="s" species="M_a" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="M_b" stoichiometry="2" constant="true"/></listOfProducts>
<fbc:geneProductAssociation><fbc:or><fbc:geneProductRef fbc:geneProduct="G_g1"/><fbc:geneProductRef fbc:geneProduct="G_g2"/></fbc:or></fbc:geneProductAssociation>
</reaction></listOfReactions>
<fbc:listOfObjectives fbc:activeObjective="o"><fbc:objective fbc:id="o" fbc:type="maximize"><fbc:listOfFluxObjectives>
<fbc:fluxObjective fbc:reaction="R_x" fbc:coefficient="1" fbc:variableType="linear"/></fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>
<fbc:listOfGeneProducts><fbc:geneProduct fbc:id="G_g1" fbc:label="g1"/><fbc:geneProduct fbc:id="G_g2" fbc:label="g2"/></fbc:listOfGeneProducts>
</model>
</sbml>"#;

const MATH: &str = "<math xmlns=\"http://www.w3.org/1998/Math/MathML\">";

#[test]
fn bounds_and_stoichiometry_may_be_formulas() {
    let initial = format!(
        "<listOfInitialAssignments><initialAssignment symbol=\"s\">{MATH}<apply><times/><ci>k</ci><cn>3</cn></apply></math></initialAssignment>\
         <initialAssignment symbol=\"hi\">{MATH}<infinity/></math></initialAssignment></listOfInitialAssignments>\
         <listOfRules><assignmentRule variable=\"lo\">{MATH}<apply><minus/><ci>s</ci></apply></math></assignmentRule></listOfRules>"
    );
    let model = check(&[("<listOfReactions>", &format!("{initial}<listOfReactions>"))], &[]).unwrap();
    let reaction = &model.reactions[0];
    assert_eq!((reaction.lower, reaction.upper), (-6.0, f64::INFINITY));
    assert_eq!(reaction.stoichiometry, [(0, -6.0), (1, 2.0)]);
    assert_eq!((model.metabolites[0].charge, model.metabolites[1].boundary), (Some(-0.5), true));
    let rate =
        format!("<listOfRules><rateRule variable=\"lo\">{MATH}<cn>1</cn></math></rateRule></listOfRules><listOfReactions>");
    check(
        &[("<listOfReactions>", &rate)],
        &[("E-GEM-003", Some(10), "lo has no value: the rateRule of line 9 changes it, so it is not constant")],
    );
    let circle = format!(
        "<listOfRules><assignmentRule variable=\"lo\">{MATH}<ci>lo</ci></math></assignmentRule></listOfRules><listOfReactions>"
    );
    check(&[("<listOfReactions>", &circle)], &[("E-GEM-003", Some(10), "lo has no value: lo is determined by itself")]);
}

#[test]
fn user_constraints_and_key_value_pairs() {
    let constraint = "<fbc:listOfUserDefinedConstraints><fbc:userDefinedConstraint fbc:id=\"u\" fbc:lowerBound=\"lo\" fbc:upperBound=\"hi\">\
        <fbc:listOfUserDefinedConstraintComponents><fbc:userDefinedConstraintComponent fbc:coefficient=\"k\" fbc:variable=\"R_x\" fbc:variableType=\"linear\"/>\
        <fbc:userDefinedConstraintComponent fbc:coefficient=\"k\" fbc:variable=\"q\" fbc:variableType=\"linear\"/>\
        </fbc:listOfUserDefinedConstraintComponents></fbc:userDefinedConstraint></fbc:listOfUserDefinedConstraints></model>";
    let pairs = "<annotation><fbc:listOfKeyValuePairs xmlns:fbc=\"http://sbml.org/fbc/keyvaluepair\">\
        <fbc:keyValuePair fbc:key=\"kcat\" fbc:value=\"7\"/></fbc:listOfKeyValuePairs></annotation><listOfReactants>";
    let model = check(&[("</model>", constraint), ("<listOfReactants>", pairs)], &[]).unwrap();
    let u = &model.constraints[0];
    assert_eq!((u.id.as_str(), u.lower, u.upper), ("u", -10.0, 1000.0));
    assert_eq!((u.terms[0].coefficient, &u.terms[0].variable), (2.0, &Variable::Flux(0)));
    assert_eq!(u.terms[1].variable, Variable::Free("q".into()));
    assert_eq!(model.reactions[0].notes, [("kcat".to_owned(), "7".to_owned())]);
    let network = model.network().unwrap();
    assert_eq!((network.rows(), network.reactions()), (3, 2));
    let quadratic = check(&[("Type=\"linear\"", "Type=\"quadratic\"")], &[]).unwrap();
    assert_eq!(quadratic.network().unwrap_err().code(), "E-MODEL-011");
}

#[test]
fn every_fault_names_line_and_element() {
    check(&[], &[]);
    check(&[("species=\"M_b\"", "species=\"M_z\"")], &[("E-GEM-003", Some(12), "there is no species M_z")]);
    check(&[("Bound=\"hi\"", "Bound=\"high\"")], &[("E-GEM-003", Some(10), "high has no value: there is nothing called high")]);
    check(&[("Bound=\"hi\"", "Bound=\"q\"")], &[("E-GEM-003", Some(10), "q has no value: no value is given")]);
    check(
        &[("value=\"1e3\"", "value=\"1,000\"")],
        &[
            ("E-GEM-002", Some(7), "value is not a number: \"1,000\""),
            ("E-GEM-003", Some(10), "hi has no value: no value is given"),
        ],
    );
    check(&[("value=\"1e3\"", "value=\"-INF\"")], &[("E-GEM-002", Some(10), "the bounds [-10, -inf] are no range")]);
    check(&[("Product=\"G_g2\"", "Product=\"G_g3\"")], &[("E-GEM-003", Some(13), "there is no gene product G_g3")]);
    check(&[("Objective=\"o\"", "Objective=\"p\"")], &[("E-GEM-003", None, "there is no objective p")]);
    check(&[("\"maximize\"", "\"most\"")], &[("E-GEM-002", Some(15), "unknown direction \"most\" of the objective")]);
    check(
        &[("<speciesReference species=\"M_b\" ", "<speciesReference ")],
        &[("E-GEM-002", Some(12), "<speciesReference> has no species"), ("E-GEM-003", Some(12), "there is no species ")],
    );
    check(
        &[("</model>", "")],
        &[("E-GEM-001", Some(19), "not readable as XML: ill-formed document: expected `</model>`, but `</sbml>` was found")],
    );
    check(
        &[("level3/version2/core", "level1"), ("level=\"3\"", "level=\"1\"")],
        &[("E-GEM-001", Some(1), "this is not SBML of level 2 or 3")],
    );
    check(&[("id=\"R_x\"", "id=\"\"")], &[("E-GEM-003", Some(16), "there is no reaction R_x")]);
    check(
        &[(
            "xmlns:fbc=",
            "xmlns:comp=\"http://www.sbml.org/sbml/level3/version1/comp/version1\" comp:required=\"true\" xmlns:fbc=",
        )],
        &[("E-GEM-005", Some(1), "the package comp of SBML is not supported")],
    );
}

#[test]
fn what_is_assumed_or_left_behind_is_told() {
    check(&[(" stoichiometry=\"2\"", "")], &[("W-GEM-002", Some(12), "a stoichiometry is missing; 1 was assumed")]);
    check(
        &[(" fbc:lowerFluxBound=\"lo\"", "")],
        &[("W-GEM-002", Some(10), "a reaction has no flux bound; reversibility alone (with FBC: nothing) was taken to bound it")],
    );
    check(&[(" fbc:activeObjective=\"o\"", "")], &[("W-GEM-002", None, "no objective is named active; the first was taken")]);
    check(
        &[("</model>", "<listOfEvents><event/></listOfEvents></model>")],
        &[("W-GEM-001", Some(18), "not kept: <listOfEvents>")],
    );
}

#[test]
fn level_two_with_the_notes_of_cobra() {
    let text = r#"<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="old">
<listOfCompartments><compartment id="C_c"/></listOfCompartments>
<listOfSpecies><species id="M_a_c" compartment="C_c" charge="-2"><notes><html:p xmlns:html="http://www.w3.org/1999/xhtml">FORMULA: C3H4O10P2</html:p></notes></species>
<species id="M_a_b" compartment="C_c" boundaryCondition="true"/></listOfSpecies>
<listOfReactions><reaction id="R_EX_a" reversible="false"><notes><body xmlns="http://www.w3.org/1999/xhtml">
<p>GENE_ASSOCIATION: (b0351 and b1241) or <b>b3115</b></p><p>SUBSYSTEM: Exchange</p><p>EC Number: </p><p>Confidence Level: 4</p></body></notes>
<listOfReactants><speciesReference species="M_a_c"/></listOfReactants><listOfProducts><speciesReference species="M_a_b" stoichiometry="1"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>FLUX_VALUE</ci></math><listOfParameters>
<parameter id="LOWER_BOUND" value="-5"/><parameter id="UPPER_BOUND" value="INF"/><parameter id="OBJECTIVE_COEFFICIENT" value="1"/></listOfParameters></kineticLaw></reaction>
<reaction id="R_plain" reversible="false"/></listOfReactions></model></sbml>"#;
    let Reading { model, findings } = read(text.as_bytes(), &Options::default()).unwrap();
    let exchange = &model.reactions[0];
    assert_eq!((exchange.id.as_str(), exchange.lower, exchange.upper), ("EX_a", -5.0, f64::INFINITY));
    assert_eq!(rule(&model, "EX_a"), "(b0351 and b1241) or b3115");
    assert_eq!(exchange.subsystem.as_deref(), Some("Exchange"));
    assert_eq!(exchange.notes, [("Confidence Level".to_owned(), "4".to_owned())]);
    assert_eq!(exchange.stoichiometry, [(0, -1.0), (1, 1.0)]);
    assert_eq!((model.metabolites[0].charge, model.metabolites[0].formula.as_deref()), (Some(-2.0), Some("C3H4O10P2")));
    assert_eq!(model.active_objective().unwrap().terms, [(0, 1.0)]);
    assert_eq!((model.reactions[1].lower, model.reactions[1].upper), (0.0, f64::INFINITY));
    assert_eq!(findings.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["W-GEM-002"]);
    let written = Options { identifiers: Identifiers::AsWritten };
    assert_eq!(read(text.as_bytes(), &written).unwrap().model.reactions[0].id, "R_EX_a");
}

#[test]
fn what_is_written_is_read_the_same() {
    for path in
        ["textbook.xml.gz", "e_coli_core.xml.gz", "iCGB21FR.xml.gz", "mini_cobra.xml", "model_gpr.xml", "model_weak_coupling.xml"]
    {
        let Some(Reading { model, .. }) = open(&format!("models/{path}")) else { return };
        let written = write(&model).unwrap();
        let text = String::from_utf8_lossy(&written.bytes);
        assert_eq!(written.losses, [], "{path}");
        let again = read(&written.bytes[..], &Options::default()).unwrap_or_else(|e| panic!("{path}: {e:?}\n{text}"));
        assert_eq!(again.findings, [], "{path}");
        let sorted = |m: &Model| {
            // Qualifiers are grouped, an SBO term comes first, reactants before products: the order is all that may change.
            let mut parts = m.clone().into_parts();
            parts.annotation.sort();
            parts.groups.iter_mut().for_each(|g| g.annotation.sort());
            parts.compartments.iter_mut().for_each(|c| c.annotation.sort());
            parts.metabolites.iter_mut().for_each(|m| m.annotation.sort());
            parts.genes.iter_mut().for_each(|g| g.annotation.sort());
            parts.reactions.iter_mut().for_each(|r| {
                r.annotation.sort();
                r.stoichiometry.sort_by_key(|t| t.0);
            });
            parts
        };
        let (one, two) = (sorted(&model), sorted(&again.model));
        assert_eq!(one.reactions, two.reactions, "{path}");
        assert_eq!(one.metabolites, two.metabolites, "{path}");
        assert!(one == two, "{path}");
    }
    let Some(bytes) = shared("models/RehMBEL1391.json") else { return };
    let model = json::read(&bytes).unwrap().model;
    let again = read(&write(&model).unwrap().bytes[..], &Options::default()).unwrap().model;
    assert!(model.reactions.iter().all(|r| again.reaction(&r.id).is_some()));
    let (a, b) = (model.network().unwrap(), again.network().unwrap());
    assert_eq!((a.stoichiometry, a.lower, a.upper, a.objective), (b.stoichiometry, b.lower, b.upper, b.objective));
}

#[test]
fn what_has_no_place_in_version_two_is_told() {
    let constraint =
        "<fbc:listOfUserDefinedConstraints><fbc:userDefinedConstraint fbc:id=\"u\"/></fbc:listOfUserDefinedConstraints></model>";
    let model = check(&[("</model>", constraint), ("Type=\"linear\"", "Type=\"quadratic\"")], &[]).unwrap();
    let losses: Vec<_> = write(&model).unwrap().losses.into_iter().map(|l| l.message.en).collect();
    assert_eq!(
        losses,
        [
            "not written: a charge that is not whole",
            "not written: a user-defined constraint",
            "not written: quadratic terms of the objective",
        ]
    );
}

/// A document made as it is read, so that the source itself takes no memory.
struct Endless {
    reactions: usize,
    next: usize,
    buffer: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Endless {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.at = 0;
            let padding = "<p>".to_owned() + &"x".repeat(4000) + "</p>";
            self.buffer = match self.next {
                0 => SMALL.split("<reaction ").next().unwrap().as_bytes().to_vec(),
                n if n <= self.reactions => format!(
                    "<reaction id=\"R_{n}\" reversible=\"true\" fbc:lowerFluxBound=\"lo\" fbc:upperFluxBound=\"hi\"><notes>{padding}</notes>\
                     <listOfReactants><speciesReference species=\"M_a\" stoichiometry=\"1\" constant=\"true\"/></listOfReactants></reaction>\n"
                )
                .into_bytes(),
                n if n == self.reactions + 1 => b"</listOfReactions></model></sbml>".to_vec(),
                _ => Vec::new(),
            };
            self.next += 1;
        }
        Ok(&self.buffer[self.at..])
    }
    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// Kilobytes the process holds at most so far.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().split(' ').next()?.parse().ok()
}

#[test]
fn a_hundred_megabytes_are_read_in_bounded_memory() {
    let before = peak_kib();
    let source = Endless { reactions: 25_000, next: 0, buffer: Vec::new(), at: 0 };
    let model = read(source, &Options::default()).unwrap().model;
    assert_eq!(model.reactions.len(), 25_000);
    match (before, peak_kib()) {
        (Some(before), Some(after)) => assert!(after - before < 60_000, "{} KiB", after - before),
        _ => eprintln!("skipped: this system does not tell its memory"),
    }
}

proptest! {
    #[test]
    fn no_document_panics(at in 0_usize..3000, length in 0_usize..12, put in "\\PC{0,8}|[<>/\"= a-z]{0,12}", bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        let _ = read(&bytes[..], &Options::default());
        let at = at.min(SMALL.len());
        if let (Some(before), Some(after)) = (SMALL.get(..at), SMALL.get((at + length).min(SMALL.len())..)) {
            match read(format!("{before}{put}{after}").as_bytes(), &Options::default()) {
                Ok(reading) => drop(reading.model.network()),
                Err(error) => prop_assert!(error.fault().diagnostics.iter().all(|d| d.remedy.is_some())),
            }
        }
    }
}
