//! Models of the COBRA Toolbox. The files were written by SciPy 1.17.1 (`scipy.io.savemat`), packed and not.

use super::{open, shared};
use proptest::prelude::*;
use toji_flux::io::{any, json, mat, sbml};
use toji_flux::model::{Compartment, Gene, Gpr, Metabolite, Model, Objective, Parts, Reaction, Sense};

const PACKED: &[u8] = include_bytes!("../golden/toy_packed.mat");
const PLAIN: &[u8] = include_bytes!("../golden/toy_plain.mat");

#[test]
fn a_model_is_read_from_packed_and_plain_files() {
    for bytes in [PACKED, PLAIN] {
        let reading = mat::read(bytes).unwrap();
        let model = &reading.model;
        assert_eq!(model.id, "toy");
        let metabolites: Vec<_> = model.metabolites.iter().map(|m| (m.id.as_str(), m.compartment.as_deref(), m.charge)).collect();
        assert_eq!(metabolites, [("a[c]", Some("c"), Some(-1.0)), ("b[c]", Some("c"), Some(0.0)), ("c_é[e]", Some("e"), None)]);
        assert_eq!((model.metabolites[0].formula.as_deref(), model.metabolites[1].name.as_deref()), (Some("CHO2"), None));
        let [r1, r2, exchange] = model.reactions.as_slice() else { panic!() };
        assert_eq!((r1.id.as_str(), r1.name.as_deref(), r1.subsystem.as_deref()), ("r1", Some("one"), Some("Glycolysis")));
        assert_eq!((r1.lower, r1.upper, &r1.stoichiometry[..]), (0.0, 1000.0, &[(0, -1.0), (1, 2.0)][..]));
        assert_eq!(r2.stoichiometry, [(1, -1.5), (2, 0.25)]);
        assert_eq!((exchange.lower, exchange.upper), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(r1.gpr.as_ref().unwrap().text(&|g| model.genes[g].id.clone()), "g1 and g2");
        assert!(r2.gpr.is_none());
        let objective = model.active_objective().unwrap();
        assert_eq!((objective.sense, &objective.terms[..]), (Sense::Maximize, &[(1, 1.0)][..]));
        let lost: Vec<_> = reading.findings.iter().map(|f| f.message.en.as_str()).collect();
        assert_eq!(lost, ["not kept: field rxnConfidenceScores"]);
        assert!(any::read(bytes, &sbml::Options::default()).unwrap().model == *model);
    }
}

#[test]
fn what_is_cut_off_or_no_model_is_refused() {
    assert_eq!(mat::read(&PLAIN[..2000]).unwrap_err().code(), "E-GEM-001");
    assert_eq!(mat::read(&PACKED[..600]).unwrap_err().code(), "E-GEM-001");
    assert_eq!(mat::read(&PLAIN[..128]).unwrap_err().code(), "E-GEM-001");
    let renamed = PLAIN.to_vec();
    let at = renamed.windows(4).position(|w| w == b"rxns").unwrap();
    let renamed = [&renamed[..at], b"rxnz", &renamed[at + 4..]].concat();
    assert_eq!(mat::read(&renamed).unwrap_err().code(), "E-GEM-001");
}

proptest! {
    #[test]
    fn no_bytes_panic(at in 128_usize..3100, put in prop::collection::vec(any::<u8>(), 1..9), whole in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = PLAIN.to_vec();
        for (slot, byte) in bytes.iter_mut().skip(at).zip(put) {
            *slot = byte;
        }
        let _ = mat::read(&bytes);
        let _ = mat::read(&[&PLAIN[..128], &whole[..]].concat());
    }
}

/// A model without what the format has no place for.
fn carried(model: &Model) -> Model {
    let mut parts = model.clone().into_parts();
    (parts.notes, parts.annotation, parts.groups, parts.constraints) = Default::default();
    parts.compartments.iter_mut().for_each(|c| c.annotation.clear());
    for metabolite in &mut parts.metabolites {
        (metabolite.notes, metabolite.annotation) = Default::default();
    }
    for reaction in &mut parts.reactions {
        (reaction.notes, reaction.annotation) = Default::default();
        reaction.stoichiometry.sort_by_key(|t| t.0);
    }
    for gene in &mut parts.genes {
        (gene.notes, gene.annotation) = Default::default();
    }
    for objective in &mut parts.objectives {
        (objective.id, objective.name) = ("obj".into(), None);
    }
    Model::new(parts).unwrap()
}

#[test]
fn genome_scale_models_are_written_and_read_the_same() {
    let json = shared("models/RehMBEL1391.json").map(|bytes| json::read(&bytes).unwrap().model);
    let sbml = open("models/iJO1366.xml.gz").map(|reading| reading.model);
    for model in json.into_iter().chain(sbml) {
        let written = mat::write(&model).unwrap();
        let lost: Vec<_> = written.losses.iter().map(|d| d.message.en.split(" (").next().unwrap().to_owned()).collect();
        assert!(!lost.is_empty() && lost.iter().all(|l| l.starts_with("not written: ")), "{lost:?}");
        let again = mat::read(&written.bytes).unwrap();
        assert_eq!(again.findings, []);
        let (have, want) = (again.model, carried(&model));
        assert_eq!(have.reactions.len(), want.reactions.len());
        for (have, want) in have.reactions.iter().zip(&want.reactions) {
            assert_eq!(have, want);
        }
        assert_eq!(have.metabolites, want.metabolites);
        assert!(have == want, "{:?} {:?}", have.objectives, want.objectives);
        assert_eq!(mat::write(&have).unwrap().losses, []);
    }
}

#[test]
fn what_has_no_place_is_told() {
    let mut parts = carried(&mat::read(PLAIN).unwrap().model).into_parts();
    parts.name = Some("\u{1F9EA} flask".into());
    parts.metabolites[0].boundary = true;
    parts.genes[0].notes.push(("key".into(), "value".into()));
    parts.objectives.push(Objective { id: "other".into(), ..Objective::default() });
    let written = mat::write(&Model::new(parts).unwrap()).unwrap();
    let mut told: Vec<_> = written.losses.iter().map(|d| (d.place.field.as_deref(), d.message.en.as_str())).collect();
    told.sort_unstable();
    let expected = [
        (Some(""), "not written: characters beyond 16 bits (U+FFFD stands for them)"),
        (Some("a[c]"), "not written: that a metabolite is at the boundary (it will be balanced)"),
        (Some("g1"), "not written: notes"),
        (Some("other"), "not written: an objective that is not active"),
    ];
    assert_eq!(told, expected);
    assert_eq!(mat::read(&written.bytes).unwrap().model.name.as_deref(), Some("\u{FFFD} flask"));
}

/// Text that a trimmed cell keeps.
fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[ -~\u{C0}-\u{17F}\u{3041}-\u{3096}]{0,11}[!-~\u{4E00}-\u{4E20}]")
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![(-20_i32..20).prop_map(f64::from), -1e7..1e7, Just(1e-300), Just(4.9e-324)]
}

/// Models of everything the format has a place for.
fn model() -> impl Strategy<Value = Model> {
    let sizes = (1_usize..4, 1_usize..6, 1_usize..6, 1_usize..5);
    sizes.prop_flat_map(|(c, m, n, g)| {
        let compartments = prop::collection::vec(text(), c);
        let metabolites = prop::collection::vec((text(), text(), prop::option::of(-4.0..4.0), 0..c), m);
        let rule = prop::option::of(prop::collection::btree_set(0..g, 1..=g));
        let column = prop::collection::btree_map(0..m, number().prop_filter("an entry", |v| *v != 0.0), 0..=m);
        let bounds = (prop_oneof![Just(f64::NEG_INFINITY), number()], prop_oneof![Just(f64::INFINITY), number()]);
        let reactions = prop::collection::vec((text(), text(), column, bounds, rule, any::<bool>()), n);
        let genes = prop::collection::vec(text(), g);
        let objective = (any::<bool>(), prop::collection::btree_map(0..n, number().prop_filter("a term", |v| *v != 0.0), 0..=n));
        (compartments, metabolites, reactions, genes, objective, text()).prop_map(
            |(compartments, metabolites, reactions, genes, (least, terms), name)| {
                let mut parts = Parts { id: "model_1".into(), name, ..Parts::default() };
                for (k, name) in compartments.into_iter().enumerate() {
                    parts.compartments.push(Compartment { id: format!("c{k}"), name, ..Compartment::default() });
                }
                for (k, (name, formula, charge, at)) in metabolites.into_iter().enumerate() {
                    let compartment = Some(format!("c{at}"));
                    parts.metabolites.push(Metabolite {
                        id: format!("m{k}[c{at}]"),
                        name,
                        compartment,
                        formula,
                        charge,
                        ..Metabolite::default()
                    });
                }
                for (k, name) in genes.into_iter().enumerate() {
                    parts.genes.push(Gene { id: format!("g.{k}"), name, ..Gene::default() });
                }
                for (k, (name, subsystem, column, (lower, upper), rule, all)) in reactions.into_iter().enumerate() {
                    let gpr = rule.map(|genes| {
                        let mut genes: Vec<Gpr> = genes.into_iter().map(Gpr::Gene).collect();
                        if genes.len() == 1 {
                            genes.remove(0)
                        } else if all {
                            Gpr::And(genes)
                        } else {
                            Gpr::Or(genes)
                        }
                    });
                    let stoichiometry = column.into_iter().collect();
                    parts.reactions.push(Reaction {
                        id: format!("r{k}"),
                        name,
                        stoichiometry,
                        lower,
                        upper,
                        gpr,
                        subsystem,
                        ..Reaction::default()
                    });
                }
                if !terms.is_empty() {
                    let sense = if least { Sense::Minimize } else { Sense::Maximize };
                    parts.objectives.push(Objective {
                        id: "obj".into(),
                        sense,
                        terms: terms.into_iter().collect(),
                        ..Objective::default()
                    });
                    parts.active = Some(0);
                }
                Model::new(parts).unwrap()
            },
        )
    })
}

proptest! {
    #[test]
    fn a_model_is_written_and_read_the_same(model in model()) {
        let written = mat::write(&model).unwrap();
        prop_assert_eq!(&written.losses, &vec![]);
        let again = mat::read(&written.bytes).unwrap();
        prop_assert_eq!(&again.findings, &vec![]);
        prop_assert!(again.model == model, "{:#?}\n{:#?}", *again.model, *model);
        prop_assert_eq!(mat::write(&again.model).unwrap().bytes, written.bytes);
    }
}
