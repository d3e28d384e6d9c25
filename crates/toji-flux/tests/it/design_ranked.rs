//! A ranking that learns, judged on products that it has not seen (iJO1366, published edits of nineteen products).

use super::model;
use std::collections::BTreeMap;
use toji_flux::design::Screening;
use toji_flux::design::rank::{EditKind, KnownEdit, ProductCase, RankTask, Ranking, published, rank, report};
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

#[test]
fn edits_of_products_not_seen_are_found_better_than_by_chance_and_by_a_simple_rule() {
    let Some(model) = host() else { return };
    let start = std::time::Instant::now();
    let mut scenario = Scenario::new(&model);
    scenario.set_bounds("EX_o2_e", -20.0, 1000.0).unwrap();
    // Formate hydrogen lyase, which the model keeps closed, works without oxygen.
    let without: BTreeMap<String, (f64, f64)> = [("EX_o2_e".to_owned(), (0.0, 1000.0)), ("FHL".to_owned(), (0.0, 1000.0))].into();
    let mut cases = PRODUCTS.iter().map(|&(name, product, oxygen)| ProductCase {
        name: name.into(),
        product: product.into(),
        bounds: if oxygen { BTreeMap::new() } else { without.clone() },
    });
    let task = RankTask {
        growth: "BIOMASS_Ec_iJO1366_core_53p95M".into(),
        feed: "EX_glc__D_e".into(),
        aim: cases.next().unwrap(),
        learn_from: cases.collect(),
        outcomes: Vec::new(),
        published: true,
        top: 30,
    };
    let known = published().unwrap();
    assert!(known.len() > 150 && known.iter().all(|k| model.gene(&k.gene).is_some()), "{}", known.len());
    let report = report(&scenario, &task, 1_000, 17, 2).unwrap();
    for trial in [report.removal.unwrap(), report.raise.unwrap()] {
        let kind = trial.kind;
        for p in &trial.products {
            eprintln!(
                "{kind:?} {}: {} of {}; area {:.3} rule {:.3}; first {:.3} {:.3}; in 30 {:.2} {:.2}",
                p.product,
                p.good,
                p.candidates,
                p.ranked.area,
                p.rule.area,
                p.ranked.first,
                p.rule.first,
                p.ranked.recall,
                p.rule.recall
            );
        }
        let (ranked, rule, counts) = (trial.ranked, trial.rule, trial.counts);
        eprintln!("{kind:?}: ranked {ranked:?}");
        eprintln!("{kind:?}: rule {rule:?}");
        eprintln!("{kind:?}: counts {counts:?}");
        eprintln!(
            "{kind:?}: best feature {:?}; random {:.3} p {:.4}; expected {:.1} came {}; {:?}",
            trial.best_feature,
            trial.random_area,
            trial.p_value,
            trial.expected,
            trial.came,
            start.elapsed()
        );
        assert!(trial.products.len() >= 6 && (trial.random_area - 0.5).abs() < 0.01 && trial.p_value < 0.002);
        assert!(ranked.area > rule.area && ranked.recall > rule.recall && ranked.first > rule.first);
        // Nor do counts alone, or any single feature of the network taken as a rule, do as well.
        assert!(ranked.area > counts.area && ranked.recall > counts.recall && ranked.area > trial.best_feature.1.area);
        // Probabilities add up to what came true within a factor of two.
        assert!(trial.expected > 0.5 * trial.came as f64 && trial.expected < 2.0 * trial.came as f64);
    }
    // Every proposal has evidence and a verdict.
    let ranking = rank(&scenario, &RankTask { learn_from: Vec::new(), top: 10_000, ..task }, 2).unwrap();
    assert!(ranking.candidates > 2_000 && ranking.proposals.len() == ranking.candidates);
    for proposal in ranking.proposals {
        assert!(proposal.evidence.len() >= 2 && proposal.evidence.iter().all(|t| !t.ja.is_empty() && !t.en.is_empty()));
        assert_eq!(proposal.screening == Screening::NothingAdded, proposal.kind == EditKind::Delete);
        assert!(proposal.chance.lower <= proposal.chance.mean && proposal.chance.mean <= proposal.chance.upper);
    }
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
