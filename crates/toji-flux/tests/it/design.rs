//! Strain design against the results of `StrainDesign` 1.19.1 with SCIP, as the reference files name them.

use super::{model, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use toji_flux::analyse::{Growth, Pairs, Removal, double_genes, pairs};
use toji_flux::design::{CutSets, CutTask, Edit, Intervention, KnockTask, Limit, Region, certify, couple, knock, minimal_cuts};
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
    let start = std::time::Instant::now();
    let found = minimal_cuts(&model, &network, &task).unwrap();
    eprintln!(
        "{} sets, {} programmes, {} candidates, {:?}",
        found.sets.len(),
        found.programmes,
        found.candidates,
        start.elapsed()
    );
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

/// Minimal lethal sets of one and two of what is removed: what deletions, one by one and in pairs, leave below the limit.
fn by_deletion(deleted: &Pairs, limit: f64, forced: &dyn Fn(usize) -> bool) -> BTreeSet<Vec<usize>> {
    let n = deleted.single.results.len();
    let dies = |growth: Growth| growth.value().is_none_or(|value| value < limit);
    // The removal of what is forced to run leaves nothing feasible.
    let alone: Vec<bool> = (0..n).map(|a| forced(a) || dies(deleted.single.results[a])).collect();
    let mut sets: BTreeSet<Vec<usize>> = (0..n).filter(|&a| alone[a]).map(|a| vec![a]).collect();
    for a in (0..n).filter(|&a| !alone[a]) {
        for b in (a + 1..n).filter(|&b| !alone[b]) {
            if deleted.get(a, b).is_some_and(dies) {
                sets.insert(vec![a, b]);
            }
        }
    }
    sets
}

#[test]
fn cut_sets_of_a_genome_scale_model_are_what_its_deletions_say() {
    let (Some(model), Some(want)) = (model("iJO1366.xml.gz"), reference("iJO1366_fba_fva_deletions.json")) else { return };
    let network = model.network().unwrap();
    let target = Region::of(vec![at_least(&model, &[("BIOMASS_Ec_iJO1366_core_53p95M", 1.0)], 0.001)]);
    let how = Removal { threads: 2, compress: true };
    let genes: Vec<usize> = (0..model.genes.len()).collect();
    let of_genes = CutTask { max_size: 2, ..task(vec![target.clone()], Vec::new(), Intervention::remove_genes(0..genes.len())) };
    let found = minimal_cuts(&model, &network, &of_genes).unwrap();
    let have: BTreeSet<Vec<usize>> = found.sets.iter().map(|set| set.interventions.clone()).collect();
    assert!(found.complete && have.len() == found.sets.len());
    let deleted = double_genes(&model, &network, &genes, &how).unwrap().unwrap();
    assert_eq!(have, by_deletion(&deleted, 0.001, &|_| false));
    // The single ones are those of GLPK.
    let essential: BTreeSet<&str> =
        want["essential_genes_lt1pct"].as_array().unwrap().iter().map(|g| g.as_str().unwrap()).collect();
    let single: BTreeSet<&str> = have.iter().filter(|set| set.len() == 1).map(|set| model.genes[set[0]].id.as_str()).collect();
    assert_eq!(single, essential);
    // The same of reactions. Maintenance is forced to run.
    let reactions = network.reactions();
    let interventions = Intervention::remove_reactions(0..reactions);
    let of_reactions = CutTask { max_size: 2, ..task(vec![target], Vec::new(), interventions) };
    let found = minimal_cuts(&model, &network, &of_reactions).unwrap();
    let have: BTreeSet<Vec<usize>> = found.sets.iter().map(|set| set.interventions.clone()).collect();
    assert!(found.complete && have.len() == found.sets.len());
    let each: Vec<Vec<usize>> = (0..reactions).map(|j| vec![j]).collect();
    let deleted = pairs(&network, &each, &std::collections::HashMap::new(), &how).unwrap().unwrap();
    assert_eq!(have, by_deletion(&deleted, 0.001, &|j| network.lower[j] > 0.0 || network.upper[j] < 0.0));
}

/// Interventions of the toy models by name: removals and additions of reactions or genes with their costs.
fn toy(
    model: &Model,
    out: &[(&str, f64)],
    genes: &[(&str, f64)],
    into: &[(&str, f64)],
    hold: Option<(&str, Limit)>,
) -> (Vec<Intervention>, Vec<String>) {
    let reaction = |id: &str| model.reaction(id).unwrap_or_else(|| panic!("no {id}"));
    let mut list: Vec<(Edit, f64, String)> = Vec::new();
    list.extend(out.iter().map(|&(id, cost)| (Edit::RemoveReaction(reaction(id)), cost, format!("-{id}"))));
    list.extend(genes.iter().map(|&(id, cost)| (Edit::RemoveGene(model.gene(id).unwrap()), cost, format!("-{id}"))));
    list.extend(into.iter().map(|&(id, cost)| {
        (model.gene(id).map_or_else(|| Edit::AddReaction(reaction(id)), Edit::AddGene), cost, format!("+{id}"))
    }));
    list.extend(hold.map(|(name, limit)| (Edit::Hold(limit), 1.2, format!("+{name}"))));
    let names = list.iter().map(|entry| entry.2.clone()).collect();
    (list.into_iter().map(|(edit, cost, _)| Intervention { edit, cost }).collect(), names)
}

/// The designs of a reference case, as signed names.
fn expected(case: &str, kind: &str) -> Option<Names> {
    let file = reference("straindesign_toy.json")?;
    let designs = file["cases"][case][kind].as_array().unwrap().clone();
    let signed = |(id, sign): (&String, &Value)| format!("{}{id}", if sign.as_f64().unwrap() > 0.0 { '+' } else { '-' });
    Some(designs.iter().map(|design| design.as_object().unwrap().iter().map(signed).collect()).collect())
}

#[test]
fn two_targets_a_protected_region_and_an_insertion() {
    let (Some(model), Some(want)) = (model("model_small_example.xml"), expected("mcs_small", "reaction_designs")) else { return };
    let network = model.network().unwrap();
    let out: Vec<(&str, f64)> = model.reactions.iter().map(|r| (r.id.as_str(), 1.0)).filter(|r| r.0 != "R2").collect();
    let (interventions, names) = toy(&model, &out, &[], &[("R2", 1.0)], None);
    let wasteful = Region::of(vec![
        at_most(&model, &[("R3", 1.0), ("R1", -0.5)], 0.0),
        at_most(&model, &[("R2", 1.0)], 0.0),
        at_least(&model, &[("R1", 1.0)], 0.1),
    ]);
    let fed = Region::of(vec![
        at_most(&model, &[("R3", 1.0), ("R1", -0.5), ("R2", -0.5)], 0.0),
        at_least(&model, &[("R2", 1.0)], 0.0),
        at_least(&model, &[("R1", 1.0)], 0.1),
    ]);
    let task = task(vec![wasteful, fed], vec![Region::of(vec![at_least(&model, &[("R3", 1.0)], 1.0)])], interventions);
    let found = minimal_cuts(&model, &network, &task).unwrap();
    assert_eq!(named(&found, &|at| names[at].clone()), want);
    for set in &found.sets {
        assert!(certify(&model, &network, &task, &set.interventions).unwrap().is_some(), "{set:?}");
    }
}

/// Whether weights of the rows, the last that of the limit `growth ≥ least`, contradict the bounds, in exact arithmetic.
fn contradicts(network: &toji_flux::Network, resting: &[bool], growth: usize, least: f64, ray: &[f64]) -> bool {
    use num_rational::BigRational;
    use num_traits::Zero;
    let exact = |value: f64| BigRational::from_float(value).unwrap();
    let row = network.rows();
    assert_eq!(ray.len(), row + 1);
    // Least and greatest of the weighted sum of the rows over the box, less their sides; `None` without end.
    let mut ends = [Some(BigRational::zero()), Some(BigRational::zero())];
    let mut add = |weight: &BigRational, lower: f64, upper: f64| {
        for (end, up) in ends.iter_mut().zip([false, true]) {
            if !weight.is_zero() {
                let bound = if (*weight > BigRational::zero()) == up { upper } else { lower };
                *end = end.take().filter(|_| bound.is_finite()).map(|sum| sum + weight * exact(bound));
            }
        }
    };
    for (j, &rests) in resting.iter().enumerate().take(network.reactions()) {
        let mut weight: BigRational = network.stoichiometry.iter(j).map(|(i, a)| exact(a) * exact(ray[i])).sum();
        if j == growth {
            weight += exact(ray[row]);
        }
        let (lower, upper) = if rests { (0.0, 0.0) } else { (network.lower[j], network.upper[j]) };
        add(&weight, lower, upper);
    }
    for (i, &weight) in ray.iter().enumerate().take(row) {
        add(&-exact(weight), network.row_lower[i], network.row_upper[i]);
    }
    add(&-exact(ray[row]), least, f64::INFINITY);
    let [low, high] = ends;
    low.is_some_and(|low| low > BigRational::zero()) || high.is_some_and(|high| high < BigRational::zero())
}

#[test]
fn what_growth_needs_very_little_of_is_proved_to_be_needed() {
    // Biomass of iJO1366 holds 2e-6 of biotin: all that is proved without the genes of its way is 2e-9, beside flux bounds of a
    // thousand. These ten were E-FLUX-012.
    let Some(model) = model("iJO1366.xml.gz") else { return };
    let network = model.network().unwrap();
    let growth = model.reaction("BIOMASS_Ec_iJO1366_core_53p95M").unwrap();
    let target = Region::of(vec![at_least(&model, &[("BIOMASS_Ec_iJO1366_core_53p95M", 1.0)], 0.001)]);
    let task = task(vec![target], Vec::new(), Intervention::remove_genes(0..model.genes.len()));
    let way = ["b0180", "b0774", "b0775", "b0776", "b0777", "b0778", "b1091", "b1288", "b2323", "b3412"];
    // Beside them one that is needed for much, and one that is not needed.
    for name in way.into_iter().chain(["b0720"]) {
        let gene = model.genes.iter().position(|g| g.id == name).unwrap();
        let proof = certify(&model, &network, &task, &[gene]).unwrap().unwrap_or_else(|| panic!("{name} is not proved"));
        let resting: Vec<bool> =
            model.reactions.iter().map(|r| r.gpr.as_ref().is_some_and(|gpr| !gpr.holds(&|g| g != gene))).collect();
        let ray = &proof.stopped[0].ray;
        assert!(contradicts(&network, &resting, growth, 0.001, ray), "{name}");
        assert!(!contradicts(&network, &vec![false; resting.len()], growth, 0.001, ray), "{name}: the wild type grows");
        let (region, fluxes) = proof.needed[0].as_ref().unwrap();
        assert!(*region == 0 && fluxes[growth] >= 0.001 - 1e-9);
    }
    let spare = model.genes.iter().position(|g| g.id == "b0114").unwrap();
    assert!(certify(&model, &network, &task, &[spare]).unwrap().is_none());
}

#[test]
fn a_set_is_found_exactly_when_the_whole_network_proves_it() {
    for (file, aim, keep) in [("model_small_example.xml", "R3", "R9"), ("model_weak_coupling.xml", "r_P", "r_BM")] {
        let Some(model) = model(file) else { return };
        let network = model.network().unwrap();
        // All removals, one insertion and one limit, every set of up to three of them judged by itself.
        let n = network.reactions();
        let mut interventions = Intervention::remove_reactions((0..n).filter(|&j| network.lower[j] <= 0.0));
        interventions.push(Intervention { edit: Edit::Hold(at_most(&model, &[(aim, 1.0)], 2.0)), cost: 1.5 });
        interventions.push(Intervention { edit: Edit::AddReaction(n / 2), cost: 0.5 });
        let target = Region::of(vec![at_least(&model, &[(aim, 1.0)], 2.5)]);
        let protected = Region::of(vec![at_least(&model, &[(keep, 1.0)], 0.5)]);
        let task = CutTask { max_size: 3, ..task(vec![target], vec![protected], interventions) };
        let count = task.interventions.len();
        let mut want: Vec<Vec<usize>> = Vec::new();
        for bits in 0..1_usize << count {
            let set: Vec<usize> = (0..count).filter(|at| bits >> at & 1 == 1).collect();
            if set.len() <= 3 && certify(&model, &network, &task, &set).unwrap().is_some() {
                want.push(set);
            }
        }
        let mut have: Vec<Vec<usize>> =
            minimal_cuts(&model, &network, &task).unwrap().sets.into_iter().map(|set| set.interventions).collect();
        have.sort();
        want.sort();
        assert!(!want.is_empty(), "{file}");
        assert_eq!(have, want, "{file}");
    }
}

const WEAK_OUT: [(&str, f64); 8] =
    [("r1", 1.0), ("r4", 1.1), ("r5", 0.75), ("r7", 0.8), ("r8", 1.0), ("r9", 1.0), ("r_P", 1.0), ("r_Q", 1.5)];

fn weak(model: &Model) -> (Vec<Intervention>, Vec<String>) {
    let hold = ("r6 >= 4.5", at_least(model, &[("r6", 1.0)], 4.5));
    toy(model, &WEAK_OUT, &[], &[("r3", 0.6), ("r6", 1.0)], Some(hold))
}

#[test]
fn targets_at_the_best_growth_with_insertions_and_regulation() {
    let (Some(model), Some(want)) = (model("model_weak_coupling.xml"), expected("mcs_nested_wgcp", "reaction_designs")) else {
        return;
    };
    let network = model.network().unwrap();
    let (interventions, names) = weak(&model);
    let poor = Region {
        limits: vec![at_most(&model, &[("r_P", 1.0), ("r_S", -0.4)], 0.0), at_least(&model, &[("r_S", 1.0)], 0.1)],
        inner: Some(terms(&model, &[("r_BM", 1.0)])),
    };
    let grows = Region::of(vec![at_least(&model, &[("r_BM", 1.0)], 0.2)]);
    let task = CutTask { max_cost: 4.0, ..task(vec![poor], vec![grows], interventions) };
    let found = minimal_cuts(&model, &network, &task).unwrap();
    assert_eq!(named(&found, &|at| names[at].clone()), want);
}

#[test]
fn genes_reactions_insertions_and_regulation_at_once() {
    let (Some(model), Some(want)) = (model("model_gpr.xml"), expected("mcs_gpr", "gene_designs")) else { return };
    let network = model.network().unwrap();
    let out = [("rs_up", 1.0), ("rd_ex", 1.0), ("rp_ex", 1.1), ("r_bm", 0.75)];
    let genes = [("g4", 3.0), ("g5", 2.0), ("g6", 1.0), ("g7", 1.0), ("g8", 1.0), ("g9", 1.0)];
    // Gene g4 is needed by r6 alone (g1 and g4); r2 and r4 have an alternative without it that no intervention removes by
    // itself. Its use is therefore the flux of r6.
    let hold = ("g4 <= 0.4", at_most(&model, &[("r6", 1.0)], 0.4));
    let target = || Region::of(vec![at_least(&model, &[("rd_ex", 1.0)], 1.0)]);
    let grows = || Region::of(vec![at_least(&model, &[("r_bm", 1.0)], 1.0)]);
    // The reference's designs are those with g3 at hand: it lists the removal of g8 alone. Where g3 must be inserted first,
    // r3 (g8, or g6 and g3), without which nothing grows, needs the insertion when g8 is gone.
    let inserted = |want: Names| -> Names {
        let gene = |name: &str| BTreeSet::from([name.to_owned()]);
        want.into_iter().map(|set| if set == gene("-g8") { &set | &gene("+g3") } else { set }).collect()
    };
    for (into, want) in [(&[][..], want.clone()), (&[("g3", 1.0)][..], inserted(want))] {
        let (interventions, names) = toy(&model, &out, &genes, into, Some(hold.clone()));
        let task = CutTask { max_cost: 2.0, ..task(vec![target()], vec![grows()], interventions) };
        let found = minimal_cuts(&model, &network, &task).unwrap();
        assert_eq!(named(&found, &|at| names[at].clone()), want);
        for set in &found.sets {
            assert!(certify(&model, &network, &task, &set.interventions).unwrap().is_some(), "{set:?}");
        }
        let g8 = names.iter().position(|name| name == "-g8").unwrap();
        assert_eq!(certify(&model, &network, &task, &[g8]).unwrap().is_some(), into.is_empty());
    }
}

#[test]
fn bad_tasks_are_answered_with_typed_errors() {
    let Some(model) = model("model_small_example.xml") else { return };
    let network = model.network().unwrap();
    let target = || Region::of(vec![at_least(&model, &[("R3", 1.0)], 1.0)]);
    let code = |task: &CutTask| minimal_cuts(&model, &network, task).unwrap_err().code().to_owned();
    assert_eq!(code(&task(vec![target()], vec![], Intervention::remove_reactions([99]))), "E-FLUX-070");
    assert_eq!(code(&task(vec![target()], vec![], Intervention::remove_genes([99]))), "E-FLUX-070");
    assert_eq!(code(&task(vec![Region::of(vec![Limit::at_least(&[(0, 1.0)], f64::NAN)])], vec![], vec![])), "E-FLUX-071");
    let free = Intervention { edit: Edit::RemoveReaction(0), cost: 0.0 };
    assert_eq!(code(&task(vec![target()], vec![], vec![free])), "E-FLUX-072");
    assert_eq!(code(&task(vec![], vec![], vec![])), "E-FLUX-074");
    let capped =
        CutTask { max_candidates: 1, ..task(vec![target()], vec![], Intervention::remove_reactions(0..network.reactions())) };
    assert!(!minimal_cuts(&model, &network, &capped).unwrap().complete);
}

/// Every reference design does what the reference says, and what the search finds is as good as the best of them.
fn against_exhaustion(file: &str, product: &str, anaerobic: bool, sizes: usize) {
    let (Some(model), Some(want)) = (model("e_coli_core.xml.gz"), reference(file)) else { return };
    let mut network = model.network().unwrap();
    if anaerobic {
        network.lower[model.reaction("EX_o2_e").unwrap()] = 0.0;
    }
    // Every set of coupled reactions counts as one removal in the reference: the first of them stands for it.
    let removable: Vec<usize> = (0..network.reactions()).filter(|&j| model.reactions[j].gpr.is_some()).collect();
    for size in 1..=sizes {
        for (robust, kind) in [(false, "optknock"), (true, "robustknock")] {
            let task = KnockTask {
                growth: terms(&model, &[("BIOMASS_Ecoli_core_w_GAM", 1.0)]),
                product: terms(&model, &[(product, 1.0)]),
                min_growth: 0.05,
                robust,
                interventions: Intervention::remove_reactions(removable.iter().copied()),
                max_size: size,
                max_cost: 1e9,
                designs: 1,
                max_candidates: 1_000_000,
            };
            let rows = want["results"][format!("k{size}_{kind}_top15")].as_array().unwrap();
            for row in rows {
                let first = |id: &Value| model.reaction(id.as_str().unwrap().split('|').next().unwrap()).unwrap();
                let place = |j: usize| removable.iter().position(|&r| r == j).unwrap();
                let set: Vec<usize> = row["kos"].as_array().unwrap().iter().map(|id| place(first(id))).collect();
                let have = couple(&model, &network, &task, &set).unwrap().unwrap();
                for (have, key) in [(have.growth, "growth"), (have.min, "min"), (have.max, "max")] {
                    assert!((have - row[key].as_f64().unwrap()).abs() < 1e-5, "{row}: {key} {have}");
                }
            }
            let best = rows[0][if robust { "min" } else { "max" }].as_f64().unwrap();
            let found = knock(&model, &network, &task).unwrap();
            let have = &found.designs[0];
            eprintln!("{product} {size} {kind}: {} programmes, {} candidates", found.programmes, found.candidates);
            assert!((have.value - best).abs() < 1e-5 * (1.0 + best), "{size} {kind}: {have:?} but {best}");
            let alone = couple(&model, &network, &task, &have.interventions).unwrap().unwrap();
            assert!(((if robust { alone.min } else { alone.max }) - have.value).abs() < 1e-5 && alone.growth > 0.05 - 1e-6);
        }
    }
}

#[test]
fn succinate_without_oxygen_is_coupled_as_exhaustion_says() {
    against_exhaustion("optknock_EX_succ_e.json", "EX_succ_e", true, 3);
}

#[test]
fn acetate_with_oxygen_is_coupled_as_exhaustion_says() {
    against_exhaustion("optknock_aerobic_EX_ac_e.json", "EX_ac_e", false, 2);
}

#[test]
fn best_designs_of_the_weakly_coupled_model() {
    let Some(model) = model("model_weak_coupling.xml") else { return };
    let network = model.network().unwrap();
    let (interventions, names) = weak(&model);
    for (case, robust) in [("optknock_weak", false), ("robustknock_weak", true)] {
        let Some(want) = expected(case, "reaction_designs") else { return };
        let task = KnockTask {
            growth: terms(&model, &[("r_BM", 1.0)]),
            product: terms(&model, &[("r_P", 1.0)]),
            min_growth: 1.0,
            robust,
            interventions: interventions.clone(),
            max_size: 8,
            max_cost: 4.0,
            designs: 3,
            max_candidates: 1_000_000,
        };
        let found = knock(&model, &network, &task).unwrap();
        let have: Vec<(BTreeSet<String>, f64)> =
            found.designs.iter().map(|d| (d.interventions.iter().map(|&at| names[at].clone()).collect(), d.value)).collect();
        // The reference holds the best designs, ties in no order: each does as well as what is found at its rank.
        let mut values: Vec<f64> = want
            .iter()
            .map(|set| {
                let set: Vec<usize> = (0..names.len()).filter(|&at| set.contains(&names[at])).collect();
                let have = couple(&model, &network, &task, &set).unwrap().unwrap();
                if robust { have.min } else { have.max }
            })
            .collect();
        values.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(have.len(), values.len());
        for ((_, value), want) in have.iter().zip(&values) {
            assert!((value - want).abs() < 1e-6 * (1.0 + want.abs()), "{case}: {have:?} but {values:?}, {want}");
        }
    }
}
