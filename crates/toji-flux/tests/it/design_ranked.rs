//! A ranking that learns, judged on products that it has not seen (iJO1366, published edits of nineteen products).

use super::model;
use std::collections::BTreeMap;
use toji_flux::design::Screening;
use toji_flux::design::rank::{
    Aim, Background, EditKind, Found, KnownEdit, ProductCase, Profile, RankTask, Ranker, Ranking, against_chance, found,
    published, rank,
};
use toji_flux::model::{Metabolite, Model, Reaction, Scenario};

/// Pathways that the host lacks: reactions of Yim et al. (2011), Atsumi et al. (2008) and Alper et al. (2005).
const FOREIGN: [(&str, &[(&str, f64)]); 13] = [
    ("SUCD", &[("succoa_c", -1.0), ("nadph_c", -1.0), ("h_c", -1.0), ("sucsal_c", 1.0), ("nadp_c", 1.0), ("coa_c", 1.0)]),
    ("4HBD", &[("sucsal_c", -1.0), ("nadh_c", -1.0), ("h_c", -1.0), ("ghb_c", 1.0), ("nad_c", 1.0)]),
    ("CAT2", &[("ghb_c", -1.0), ("accoa_c", -1.0), ("ghbcoa_c", 1.0), ("ac_c", 1.0)]),
    ("ALD", &[("ghbcoa_c", -1.0), ("nadh_c", -1.0), ("h_c", -1.0), ("ghbald_c", 1.0), ("nad_c", 1.0), ("coa_c", 1.0)]),
    ("BDOH", &[("ghbald_c", -1.0), ("nadh_c", -1.0), ("h_c", -1.0), ("bdo_c", 1.0), ("nad_c", 1.0)]),
    ("DM_bdo", &[("bdo_c", -1.0)]),
    ("KIVD", &[("3mob_c", -1.0), ("h_c", -1.0), ("ibald_c", 1.0), ("co2_c", 1.0)]),
    ("IBDH", &[("ibald_c", -1.0), ("nadh_c", -1.0), ("h_c", -1.0), ("ibutoh_c", 1.0), ("nad_c", 1.0)]),
    ("DM_ibutoh", &[("ibutoh_c", -1.0)]),
    // The model takes fumarate up but has no way out for it.
    ("DM_fum", &[("fum_c", -1.0)]),
    ("CRTE", &[("frdp_c", -1.0), ("ipdp_c", -1.0), ("ggdp_c", 1.0), ("ppi_c", 1.0)]),
    ("CRTBI", &[("ggdp_c", -2.0), ("fad_c", -4.0), ("lycop_c", 1.0), ("ppi_c", 2.0), ("fadh2_c", 4.0)]),
    ("DM_lycop", &[("lycop_c", -1.0)]),
];

/// Product, its exchange, and whether the published strains had oxygen.
const PRODUCTS: [(&str, &str, bool); 19] = [
    ("succinate", "EX_succ_e", false),
    ("lactate", "EX_lac__D_e", false),
    ("ethanol", "EX_etoh_e", false),
    ("acetate", "EX_ac_e", true),
    ("pyruvate", "EX_pyr_e", true),
    ("malate", "EX_mal__L_e", false),
    ("fumarate", "DM_fum", true),
    ("alanine", "EX_ala__L_e", false),
    ("valine", "EX_val__L_e", true),
    ("threonine", "EX_thr__L_e", true),
    ("tryptophan", "EX_trp__L_e", true),
    ("phenylalanine", "EX_phe__L_e", true),
    ("tyrosine", "EX_tyr__L_e", true),
    ("putrescine", "EX_ptrc_e", true),
    ("cadaverine", "EX_15dap_e", true),
    ("butanediol", "DM_bdo", false),
    ("lycopene", "DM_lycop", true),
    ("isobutanol", "DM_ibutoh", true),
    ("hydrogen", "EX_h2_e", false),
];

fn host() -> Option<Model> {
    let mut parts = model("iJO1366.xml.gz")?.into_parts();
    let mut place: BTreeMap<String, usize> = parts.metabolites.iter().enumerate().map(|(i, m)| (m.id.clone(), i)).collect();
    for (id, terms) in FOREIGN {
        let mut stoichiometry = Vec::new();
        for &(name, coefficient) in terms {
            let at = *place.entry(name.to_owned()).or_insert_with(|| {
                parts.metabolites.push(Metabolite { id: name.into(), compartment: Some("c".into()), ..Metabolite::default() });
                parts.metabolites.len() - 1
            });
            stoichiometry.push((at, coefficient));
        }
        parts.reactions.push(Reaction { id: id.into(), stoichiometry, lower: 0.0, upper: 1000.0, ..Reaction::default() });
    }
    Some(Model::new(parts).unwrap())
}

fn profiles(model: &Model) -> Vec<Profile> {
    let flux = |id: &str| model.reaction(id).unwrap_or_else(|| panic!("no {id}"));
    let (growth, feed) = (flux("BIOMASS_Ec_iJO1366_core_53p95M"), flux("EX_glc__D_e"));
    let backgrounds = [false, true].map(|oxygen| {
        let mut network = model.network().unwrap();
        network.lower[feed] = -10.0;
        network.lower[flux("EX_o2_e")] = if oxygen { -20.0 } else { 0.0 };
        // Formate hydrogen lyase, which the model keeps closed, works without oxygen.
        network.upper[flux("FHL")] = if oxygen { 0.0 } else { 1000.0 };
        Background::new(model, &network, growth, feed, 2).unwrap()
    });
    PRODUCTS
        .iter()
        .map(|&(name, exchange, oxygen)| {
            let aim = Aim { name: name.into(), growth, product: flux(exchange), feed };
            backgrounds[usize::from(oxygen)].profile(model, &aim).unwrap_or_else(|e| panic!("{name}: {e:?}"))
        })
        .collect()
}

/// Scores of the candidates of a kind for a product, and which of them are known to help.
struct Trial {
    good: Vec<bool>,
    ranked: Vec<f64>,
    rule: Vec<f64>,
    counts: Vec<f64>,
    rows: Vec<Vec<f64>>,
    sum: f64,
}

/// Ranks the candidates of a product by what was learnt from all the others.
fn held_out(model: &Model, profiles: &[Profile], known: &[KnownEdit], at: usize, kind: EditKind) -> Option<Trial> {
    let profile = &profiles[at];
    let mut others: Vec<Profile> = profiles.to_vec();
    others.remove(at);
    let rest: Vec<KnownEdit> = known.iter().filter(|k| k.product != profile.name).cloned().collect();
    let ranker = Ranker::learn(model, &others, &rest).unwrap();
    let truth = Ranker::learn(model, &[], known).unwrap();
    let mut trial = Trial { good: vec![], ranked: vec![], rule: vec![], counts: vec![], rows: vec![], sum: 0.0 };
    for (gene, row) in ranker.rows(profile, kind).into_iter().enumerate() {
        let Some(row) = row else { continue };
        let chance = ranker.learner(kind).chance(&row);
        trial.good.push(truth.helped(&profile.name, gene, kind));
        trial.ranked.push(chance.mean);
        trial.sum += chance.mean;
        trial.counts.push(*row.last().unwrap());
        trial.rows.push(row.clone());
        // The simple rules: remove what carries by-product flux, raise what rises with the product.
        trial.rule.push(if kind == EditKind::Delete { profile.competing[gene] } else { row[0] });
    }
    trial.good.contains(&true).then_some(trial)
}

fn mean(list: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = list.fold((0.0, 0.0), |(s, n), x| (s + x, n + 1.0));
    sum / count
}

#[test]
fn edits_of_products_not_seen_are_found_better_than_by_chance_and_by_a_simple_rule() {
    let Some(model) = host() else { return };
    let start = std::time::Instant::now();
    let profiles = profiles(&model);
    let known = published().unwrap();
    assert!(known.len() > 150 && known.iter().all(|k| model.gene(&k.gene).is_some()), "{}", known.len());
    eprintln!("{} products, {} outcomes, {:?}", profiles.len(), known.len(), start.elapsed());
    for (kind, orders) in [(EditKind::Delete, 1_000), (EditKind::Amplify, 1_000)] {
        let trials: Vec<(&str, Trial)> = (0..profiles.len())
            .filter_map(|at| held_out(&model, &profiles, &known, at, kind).map(|t| (profiles[at].name.as_str(), t)))
            .collect();
        let judge = |scores: &dyn Fn(&Trial) -> Vec<f64>| -> Vec<Found> {
            trials.iter().map(|(_, t)| found(&scores(t), &t.good, 30).unwrap()).collect()
        };
        let (ranked, rule) = (judge(&|t| t.ranked.clone()), judge(&|t| t.rule.clone()));
        let counts = judge(&|t| t.counts.clone());
        for ((name, trial), (a, b)) in trials.iter().zip(ranked.iter().zip(&rule)) {
            eprintln!(
                "{kind:?} {name}: {} of {}; area {:.3} rule {:.3}; first {:.3} {:.3}; in 30 {:.2} {:.2}",
                trial.good.iter().filter(|g| **g).count(),
                trial.good.len(),
                a.area,
                b.area,
                a.first,
                b.first,
                a.recall,
                b.recall
            );
        }
        let of = |list: &[Found], f: fn(&Found) -> f64| mean(list.iter().map(f));
        let area = of(&ranked, |f| f.area);
        let groups: Vec<Vec<bool>> = trials.iter().map(|(_, t)| t.good.clone()).collect();
        let (p, random) = against_chance(&groups, area, orders, 17);
        let expected: f64 = trials.iter().map(|(_, t)| t.sum).sum();
        let came: usize = groups.iter().flatten().filter(|g| **g).count();
        eprintln!(
            "{kind:?}: area {area:.3}, rule {:.3}, counts alone {:.3}, random {random:.3} (p {p:.4}); first {:.3} {:.3} {:.3}; in 30 {:.3} {:.3} {:.3}; expected {expected:.1} came {came}",
            of(&rule, |f| f.area),
            of(&counts, |f| f.area),
            of(&ranked, |f| f.first),
            of(&rule, |f| f.first),
            of(&counts, |f| f.first),
            of(&ranked, |f| f.recall),
            of(&rule, |f| f.recall),
            of(&counts, |f| f.recall),
        );
        assert!(p < 0.01 && area > of(&rule, |f| f.area) && of(&ranked, |f| f.recall) > of(&rule, |f| f.recall));
        assert!(of(&ranked, |f| f.first) > of(&rule, |f| f.first));
        // Nor does any single feature of the network, taken as a rule, find as many.
        for at in 0..trials[0].1.rows[0].len() - 2 {
            let alone = judge(&|t| t.rows.iter().map(|row| row[at]).collect());
            assert!(of(&alone, |f| f.area) < area && of(&alone, |f| f.recall) < of(&ranked, |f| f.recall), "feature {at}");
        }
        // Probabilities add up to what came true within a factor of two.
        assert!(expected > 0.5 * came as f64 && expected < 2.0 * came as f64, "{expected} {came}");
    }
    // Every proposal has evidence and a verdict.
    let ranker = Ranker::learn(&model, &profiles, &known).unwrap();
    for proposal in ranker.rank(&profiles[0]) {
        assert!(proposal.evidence.len() >= 2 && !proposal.evidence[0].ja.is_empty());
        assert_eq!(proposal.screening == Screening::NothingAdded, proposal.kind == EditKind::Delete);
        assert!(proposal.chance.lower <= proposal.chance.mean && proposal.chance.mean <= proposal.chance.upper);
    }
    eprintln!("{:?}", start.elapsed());
}

#[test]
fn a_ranking_asked_by_names_learns_from_ones_own_outcomes() {
    let Some(model) = model("e_coli_core.xml.gz") else { return };
    let scenario = Scenario::new(&model);
    let case = |name: &str, product: &str| ProductCase {
        name: name.into(),
        product: product.into(),
        bounds: [("EX_o2_e".to_owned(), (0.0, 1000.0))].into(),
    };
    let task = RankTask {
        growth: "BIOMASS_Ecoli_core_w_GAM".into(),
        feed: "EX_glc__D_e".into(),
        aim: case("succinate", "EX_succ_e"),
        learn_from: vec![case("lactate", "EX_lac__D_e"), case("acetate", "EX_ac_e"), case("pyruvate", "EX_pyr_e")],
        outcomes: Vec::new(),
        published: true,
        top: 1_000,
    };
    let before = rank(&scenario, &task, 1).unwrap();
    assert!(before.candidates == before.proposals.len() && before.candidates > 200 && before.outcomes > 20);
    assert!(before.proposals.windows(2).all(|w| w[0].chance.mean >= w[1].chance.mean));
    assert_eq!(rank(&scenario, &task, 2).unwrap(), before, "any number of threads");
    let place = |ranking: &Ranking, gene: &str| {
        ranking.proposals.iter().position(|p| p.gene == gene && p.kind == EditKind::Delete).unwrap()
    };
    // adhE helped each of the three in the table; three failures in one's own hands take it down.
    let failed = |product: &str| KnownEdit {
        product: product.into(),
        kind: EditKind::Delete,
        gene: "b1241".into(),
        symbol: "adhE".into(),
        helped: false,
        citation: "run 12".into(),
        doi: None,
    };
    let own =
        RankTask { outcomes: ["lactate", "acetate", "pyruvate"].repeat(2).into_iter().map(failed).collect(), ..task.clone() };
    let after = rank(&scenario, &own, 1).unwrap();
    eprintln!("adhE stands at {} of {}, then at {}", place(&before, "b1241"), before.candidates, place(&after, "b1241"));
    assert!(place(&before, "b1241") < 15 && place(&after, "b1241") > place(&before, "b1241"));
    let told = &after.proposals[place(&after, "b1241")];
    assert!(told.outcomes.len() == 9 && told.evidence.iter().any(|line| line.en.contains("did not raise")));
}
