//! Strain design against the results of `StrainDesign` 1.19.1 with SCIP, as the reference files name them.

use super::{model, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use toji_flux::design::{CutSets, CutTask, Edit, Intervention, Limit, Region, certify, minimal_cuts};
use toji_flux::model::Model;

type Names = BTreeSet<BTreeSet<String>>;

fn reference(path: &str) -> Option<Value> {
    shared(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn terms(model: &Model, list: &[(&str, f64)]) -> Vec<(usize, f64)> {
    list.iter().map(|&(id, a)| (model.reaction(id).unwrap_or_else(|| panic!("no {id}")), a)).collect()
}

fn at_least(model: &Model, list: &[(&str, f64)], value: f64) -> Limit {
    Limit::at_least(&terms(model, list), value)
}

fn at_most(model: &Model, list: &[(&str, f64)], value: f64) -> Limit {
    Limit::at_most(&terms(model, list), value)
}

fn task(targets: Vec<Region>, protected: Vec<Region>, interventions: Vec<Intervention>) -> CutTask {
    CutTask { targets, protected, interventions, max_size: 8, max_cost: 1e9, max_candidates: 1_000_000 }
}

fn gene_name(model: &Model, id: usize) -> String {
    model.genes[id].id.clone()
}

fn named(found: &CutSets, name: &dyn Fn(usize) -> String) -> Names {
    found.sets.iter().map(|set| set.interventions.iter().map(|&at| name(at)).collect()).collect()
}

fn lethal(model: &Model, max_size: usize) -> CutTask {
    let target = Region::of(vec![at_least(model, &[("BIOMASS_Ecoli_core_w_GAM", 1.0)], 0.001)]);
    let interventions = Intervention::remove_genes(0..model.genes.len());
    CutTask { max_size, ..task(vec![target], Vec::new(), interventions) }
}

#[test]
fn all_455_cut_sets_of_the_core_model_are_found() {
    let (Some(model), Some(want)) = (model("e_coli_core.xml.gz"), reference("mcs_e_coli_core_455.json")) else { return };
    let network = model.network().unwrap();
    let task = lethal(&model, 3);
    let found = minimal_cuts(&model, &network, &task).unwrap();
    let want: Names = want["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| set.as_array().unwrap().iter().map(|g| g.as_str().unwrap().to_owned()).collect())
        .collect();
    let have = named(&found, &|at| gene_name(&model, at));
    assert!(found.complete);
    assert_eq!((have.difference(&want).collect::<Vec<_>>(), want.difference(&have).collect::<Vec<_>>()), (vec![], vec![]));
    let sizes = [1, 2, 3].map(|k| found.sets.iter().filter(|set| set.interventions.len() == k).count());
    assert_eq!((found.sets.len(), sizes), (455, [7, 53, 395]));
    assert!(found.programmes < 2_000, "{}", found.programmes);
    // Each is proved anew on the whole network: a Farkas ray for the set, a growing flux vector without each gene.
    for set in &found.sets {
        let proof = certify(&model, &network, &task, &set.interventions).unwrap().expect("proved");
        assert_eq!((proof.stopped.len(), proof.needed.len()), (1, set.interventions.len()));
        assert!(proof.needed.iter().all(Option::is_some));
    }
    let mut more = found.sets[0].interventions.clone();
    more.push((0..model.genes.len()).find(|g| !more.contains(g)).unwrap());
    assert!(certify(&model, &network, &task, &more).unwrap().is_none(), "a superset is not minimal");
}
