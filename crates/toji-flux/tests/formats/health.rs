//! Health of real models, and of models made ill on purpose.

use super::{open, reference};
use toji_flux::io::sbml::{Options, read};
use toji_flux::model::Model;
use toji_flux::model::health::{consistency, structure};

/// The model with a change of its parts.
fn changed(model: &Model, change: impl FnOnce(&mut toji_flux::model::Parts)) -> Model {
    let mut parts = model.clone().into_parts();
    change(&mut parts);
    Model::new(parts).unwrap()
}

#[test]
fn a_good_model_is_found_good() {
    let (Some(reading), Some(expected)) = (open("models/textbook.xml.gz"), reference("textbook.json")) else { return };
    let model = reading.model;
    let shape = structure(&model);
    assert_eq!((shape.size, shape.exchanges), ([95, 72, 137], 20));
    // 95 reactions less 20 exchanges and the biomass reaction.
    assert_eq!((shape.balance.reactions, shape.balance.mass_balanced, shape.balance.charge_balanced), (74, 74, 74));
    assert!(shape.balance.imbalanced.is_empty() && shape.balance.mass_unknown.is_empty());
    assert!(shape.unused_metabolites.is_empty() && shape.unused_genes.is_empty());
    // Their exchanges are closed inwards, and their transport runs inwards only.
    assert_eq!(shape.only_consumed, ["fru_e", "fum_e", "gln__L_e", "mal__L_e"]);
    assert_eq!(shape.only_produced, Vec::<String>::new());
    assert_eq!(shape.duplicates.iter().map(|d| d.reactions.join(" ")).collect::<Vec<_>>(), ["FRD7 SUCDi"]);
    assert_eq!(shape.coverage.metabolites.collections["bigg.metabolite"], 72);
    let deep = consistency(&model, 1).unwrap();
    assert_eq!((deep.unconserved.len(), &deep.leak, deep.energy_cycles.len()), (0, &None, 0));
    let blocked: Vec<&str> = expected["blocked"].as_array().unwrap().iter().map(|b| b.as_str().unwrap()).collect();
    let mut found = deep.blocked.clone();
    found.sort();
    assert_eq!(found, blocked);
    assert_eq!(expected["blocked_open_exchanges"].as_array().unwrap().len(), deep.blocked_open.len());
}

#[test]
fn a_model_made_ill_is_told_where() {
    let Some(reading) = open("models/textbook.xml.gz") else { return };
    let model = reading.model;
    let pgi = model.reaction_named("PGI").unwrap();
    let doubled = changed(&model, |parts| {
        let made = parts.reactions[pgi].stoichiometry.iter_mut().find(|t| t.1 > 0.0).unwrap();
        made.1 = 2.0;
    });
    let balance = structure(&doubled).balance;
    assert_eq!(balance.imbalanced.len(), 1);
    assert_eq!((balance.imbalanced[0].reaction.as_str(), balance.imbalanced[0].atoms["C"]), ("PGI", 6.0));
    assert_eq!(balance.imbalanced[0].charge, Some(-2.0));
    let deep = consistency(&doubled, 2).unwrap();
    assert!(deep.unconserved.iter().any(|m| m == "g6p_c") && !deep.unconserved.is_empty(), "{:?}", deep.unconserved);
    let leak = deep.leak.unwrap();
    assert!(leak.reactions.iter().any(|r| r.0 == "PGI"), "{leak:?}");
    // ATP synthase that takes the proton ATP's hydrolysis gives, and none from outside to drive it.
    let synthase = model.reaction_named("ATPS4r").unwrap();
    let (outside, inside) = (model.metabolite_named("h_e").unwrap(), model.metabolite_named("h_c").unwrap());
    let free = changed(&model, |parts| {
        let terms = &mut parts.reactions[synthase].stoichiometry;
        terms.retain(|t| t.0 != outside && t.0 != inside);
        terms.push((inside, -1.0));
    });
    let cycles = consistency(&free, 1).unwrap().energy_cycles;
    let atp = cycles.iter().find(|c| c.carrier == "ATP").unwrap();
    assert!(atp.rate > 1.0 && atp.reactions.iter().any(|r| r.0 == "ATPS4r"), "{atp:?}");
}

#[test]
fn ends_duplicates_and_unused_parts_are_found() {
    let text = r#"<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" level="3" version="1"><model fbc:strict="false">
<listOfCompartments><compartment id="c" constant="true"/></listOfCompartments><listOfSpecies>
<species id="M_a" compartment="c" fbc:chemicalFormula="CH4R" fbc:charge="1"/><species id="M_b" compartment="c" fbc:chemicalFormula="C2H8R2"/>
<species id="M_c" compartment="c" fbc:chemicalFormula="what?"/><species id="M_d" compartment="c"/></listOfSpecies>
<listOfParameters><parameter id="lo" value="0" constant="true"/><parameter id="hi" value="10" constant="true"/></listOfParameters>
<listOfReactions>
<reaction id="R_one" fbc:lowerFluxBound="lo" fbc:upperFluxBound="hi"><listOfReactants><speciesReference species="M_a" stoichiometry="2"/></listOfReactants><listOfProducts><speciesReference species="M_b" stoichiometry="1"/></listOfProducts></reaction>
<reaction id="R_two" fbc:lowerFluxBound="lo" fbc:upperFluxBound="hi"><listOfReactants><speciesReference species="M_b" stoichiometry="3"/></listOfReactants><listOfProducts><speciesReference species="M_a" stoichiometry="6"/></listOfProducts></reaction>
<reaction id="R_three" fbc:lowerFluxBound="lo" fbc:upperFluxBound="hi"><listOfReactants><speciesReference species="M_a" stoichiometry="1"/></listOfReactants><listOfProducts><speciesReference species="M_c" stoichiometry="1"/></listOfProducts></reaction>
<reaction id="R_shut" fbc:lowerFluxBound="lo" fbc:upperFluxBound="lo"/>
</listOfReactions><fbc:listOfGeneProducts><fbc:geneProduct fbc:id="G_g" fbc:label="g"/></fbc:listOfGeneProducts></model></sbml>"#;
    let model = read(text.as_bytes(), &Options::default()).unwrap().model;
    let shape = structure(&model);
    assert_eq!(shape.duplicates[0].reactions, ["one", "two"]);
    assert_eq!((shape.only_produced, shape.only_consumed), (vec!["c".to_owned()], vec![]));
    assert_eq!((shape.unused_metabolites, shape.unused_genes), (vec!["d".to_owned()], vec!["g".to_owned()]));
    assert_eq!((shape.closed, shape.empty_reactions), (vec!["shut".to_owned()], vec!["shut".to_owned()]));
    assert_eq!((shape.balance.mass_balanced, shape.balance.mass_unknown), (2, vec!["three".to_owned()]));
    assert_eq!(shape.balance.charge_unknown.len(), 3);
    assert_eq!((shape.balance.unreadable_formula.len(), shape.balance.generic_formula), (1, 2));
    assert_eq!(consistency(&model, 1).unwrap().blocked, ["three", "shut"]);
}
