//! Ranking that learns: which gene to remove or to express more strongly for a product, from what the network says and from
//! what the same edits did for other products.
//!
//! A [`Background`] looks at a host in its medium once, a [`Profile`] at one product; a [`Ranker`] learns from
//! [`KnownEdit`]s by two logistic models ([`Learner`]), one for removals and one for over-expressions, and proposes edits
//! with a probability, its interval, evidence, and where the proposal stands with screening. An edit that nobody reported is
//! learnt as one that does not help, so that probabilities are those of being reported as useful: low, and comparable.
//! [`held_out`] says how well that does on products it has not seen.

mod ask;
mod known;
mod learn;
mod paths;
mod score;
mod trial;
mod view;

pub use ask::{ProductCase, RankTask, Ranking, Report, rank, report};
pub use known::{EditKind, KnownEdit, published, table};
pub use learn::{Chance, Learner};
pub use score::{Found, against_chance, found};
pub use trial::{HeldOut, Trial, held_out};
pub use view::{Aim, Background, Profile, RAISE, REMOVAL};

use super::strain::{Screening, Strain};
use crate::model::Model;
use std::collections::BTreeMap;
use toji_core::{Result, Text};

/// What the weights of features are taken to vary by before any outcome.
const DEVIATION: f64 = 2.0;
/// What an outcome of another gene of the same reaction counts.
const AKIN: f64 = 0.5;

/// A proposed edit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Proposal {
    /// Gene by identifier.
    pub gene: String,
    /// Removal or over-expression.
    pub kind: EditKind,
    /// Chance of being useful, with its interval.
    pub chance: Chance,
    /// What each feature adds to the logarithm of the odds, by its name in [`REMOVAL`] or [`RAISE`], most first.
    pub reasons: Vec<(String, f64)>,
    /// What speaks for and against it, in words.
    pub evidence: Vec<Text>,
    /// Outcomes of the same edit for other products.
    pub outcomes: Vec<KnownEdit>,
    /// Where it stands with screening.
    pub screening: Screening,
}

/// Products looked at, outcomes known, and what was learnt of them.
#[derive(Debug, Clone)]
pub struct Ranker<'a> {
    model: &'a Model,
    profiles: &'a [Profile],
    known: Vec<KnownEdit>,
    removal: Learner,
    raise: Learner,
}

impl<'a> Ranker<'a> {
    /// Learns from the outcomes for these products; outcomes for other products and of other genes count for nothing.
    ///
    /// # Errors
    /// `E-FLUX-122` when a profile is of another model.
    pub fn learn(model: &'a Model, profiles: &'a [Profile], known: &[KnownEdit]) -> Result<Self> {
        let mut ranker = Self::unlearnt(model, profiles, known);
        for kind in [EditKind::Delete, EditKind::Amplify] {
            let mut rows = Vec::new();
            for profile in profiles.iter().filter(|p| known.iter().any(|k| k.product == p.name && k.kind == kind)) {
                for (gene, row) in ranker.rows(profile, kind).into_iter().enumerate() {
                    if let Some(row) = row {
                        rows.push((row, ranker.helped(&profile.name, gene, kind)));
                    }
                }
            }
            match kind {
                EditKind::Delete => ranker.removal.learn(rows)?,
                EditKind::Amplify => ranker.raise.learn(rows)?,
            }
        }
        Ok(ranker)
    }

    /// Outcomes known, nothing learnt.
    fn unlearnt(model: &'a Model, profiles: &'a [Profile], known: &[KnownEdit]) -> Self {
        let (removal, raise) = (Learner::new(REMOVAL.len(), DEVIATION), Learner::new(RAISE.len(), DEVIATION));
        Self { model, profiles, known: known.to_vec(), removal, raise }
    }

    /// What was learnt of removals or of over-expressions.
    #[must_use]
    pub fn learner(&self, kind: EditKind) -> &Learner {
        match kind {
            EditKind::Delete => &self.removal,
            EditKind::Amplify => &self.raise,
        }
    }

    /// Whether more outcomes say that the edit helped the product than that it did not.
    #[must_use]
    pub fn helped(&self, product: &str, gene: usize, kind: EditKind) -> bool {
        let Some(gene) = self.model.genes.get(gene) else { return false };
        let same = |k: &&KnownEdit| k.kind == kind && k.product == product && k.gene == gene.id;
        self.known.iter().filter(same).map(|k| if k.helped { 1 } else { -1 }).sum::<i32>() > 0
    }

    /// The features of every gene's edit, those from outcomes for other products among them; nothing for what is no candidate.
    #[must_use]
    pub fn rows(&self, profile: &Profile, kind: EditKind) -> Vec<Option<Vec<f64>>> {
        let own = match kind {
            EditKind::Delete => &profile.removal,
            EditKind::Amplify => &profile.raise,
        };
        let others: Vec<(f64, Vec<f64>)> = self
            .profiles
            .iter()
            .filter(|other| other.name != profile.name)
            .filter_map(|other| self.told(&other.name, kind).map(|told| (cosine(&profile.path, &other.path), told)))
            .collect();
        let weights: f64 = others.iter().map(|o| o.0).sum();
        let with = |(gene, own): (usize, &Option<Vec<f64>>)| {
            let mut row = own.clone()?;
            let sum = |alike: bool| others.iter().map(|(w, told)| if alike { w * told[gene] } else { told[gene] }).sum::<f64>();
            row.extend([sum(true) / (weights + 0.5), sum(false) / (others.len() as f64 + 1.0)]);
            Some(row)
        };
        own.iter().take(self.model.genes.len()).enumerate().map(with).collect()
    }

    /// What outcomes for one product say of each gene: 1 it helped, −1 it did not, their mean where they differ; without any
    /// of its own, half of what is said of another gene of the same reaction. Nothing when there are no outcomes.
    fn told(&self, product: &str, kind: EditKind) -> Option<Vec<f64>> {
        let mut own: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for k in self.known.iter().filter(|k| k.kind == kind && k.product == product) {
            if let Some(gene) = self.model.gene(&k.gene) {
                let (sum, count) = own.entry(gene).or_default();
                *sum += if k.helped { 1.0 } else { -1.0 };
                *count += 1.0;
            }
        }
        let mut told = vec![0.0_f64; self.model.genes.len()];
        for (&gene, &(sum, count)) in &own {
            let rules = self.model.reactions_of_gene(gene).iter().filter_map(|&j| self.model.reactions[j].gpr.as_ref());
            for other in rules.flat_map(crate::model::Gpr::genes) {
                let value = AKIN * sum / count;
                if value.abs() > told[other].abs() {
                    told[other] = value;
                }
            }
        }
        own.iter().for_each(|(&gene, &(sum, count))| told[gene] = sum / count);
        (!own.is_empty()).then_some(told)
    }

    /// All candidates for a product, best first. The product's own outcomes count for nothing here; they are in what was
    /// learnt when its profile is among those learnt from.
    #[must_use]
    pub fn rank(&self, profile: &Profile) -> Vec<Proposal> {
        let mut list = Vec::new();
        for kind in [EditKind::Delete, EditKind::Amplify] {
            for (gene, row) in self.rows(profile, kind).into_iter().enumerate() {
                if let Some(row) = row {
                    list.push(self.proposal(profile, gene, kind, &row));
                }
            }
        }
        list.sort_by(|a, b| {
            let order = b.chance.mean.total_cmp(&a.chance.mean);
            order.then_with(|| a.kind.cmp(&b.kind)).then_with(|| a.gene.cmp(&b.gene))
        });
        list
    }

    fn proposal(&self, profile: &Profile, gene: usize, kind: EditKind, row: &[f64]) -> Proposal {
        let learner = self.learner(kind);
        let names: &[&str] = match kind {
            EditKind::Delete => &REMOVAL,
            EditKind::Amplify => &RAISE,
        };
        let mut reasons: Vec<(String, f64)> = names
            .iter()
            .zip(row.iter().zip(learner.weights()))
            .map(|(name, (x, w))| ((*name).to_owned(), x * w))
            .filter(|reason| reason.1.abs() > 1e-6)
            .collect();
        reasons.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        let id = self.model.genes[gene].id.clone();
        let same = |k: &&KnownEdit| k.kind == kind && k.gene == id && k.product != profile.name;
        let outcomes: Vec<KnownEdit> = self.known.iter().filter(same).cloned().collect();
        let chance = learner.chance(row);
        let strain = match kind {
            EditKind::Delete => Strain { genes_out: vec![id.clone()], ..Strain::default() },
            EditKind::Amplify => Strain { amplified: vec![id.clone()], ..Strain::default() },
        };
        let screening = strain.screening();
        let evidence = self.words(gene, kind, chance, &reasons, &outcomes, &screening);
        Proposal { gene: id, kind, chance, reasons, evidence, outcomes, screening }
    }

    fn words(
        &self,
        gene: usize,
        kind: EditKind,
        chance: Chance,
        reasons: &[(String, f64)],
        outcomes: &[KnownEdit],
        screening: &Screening,
    ) -> Vec<Text> {
        let info = &self.model.genes[gene];
        let name = info.name.as_deref().unwrap_or(&info.id);
        let reactions: Vec<&str> =
            self.model.reactions_of_gene(gene).iter().take(4).map(|&j| self.model.reactions[j].id.as_str()).collect();
        let reactions = reactions.join(", ");
        let (ja, en) = match kind {
            EditKind::Delete => ("の欠失", "Removal of"),
            EditKind::Amplify => ("の発現強化", "Over-expression of"),
        };
        let (p, low, high) = (100.0 * chance.mean, 100.0 * chance.lower, 100.0 * chance.upper);
        let mut list = vec![Text::new(
            format!("{name}({}){ja}。反応 {reactions}。有用と報告される確率 {p:.1} %(95 % 区間 {low:.1}~{high:.1} %)。", info.id),
            format!(
                "{en} {name} ({}): {reactions}. Chance of being reported useful {p:.1} % (95 % interval {low:.1} to {high:.1} %).",
                info.id
            ),
        )];
        for (reason, share) in reasons.iter().take(3) {
            let (ja, en) = if *share > 0.0 { ("利点", "For") } else { ("難点", "Against") };
            list.push(Text::new(
                format!("{ja}:{}(対数オッズ {share:+.2})。", view::japanese(reason)),
                format!("{en}: {reason} (log odds {share:+.2})."),
            ));
        }
        for k in outcomes.iter().take(3) {
            let (ja, en) = if k.helped { ("増えた", "raised") } else { ("増えなかった", "did not raise") };
            list.push(Text::new(
                format!("同じ変更で {} が{ja}:{}。", k.product, k.citation),
                format!("The same edit {en} {}: {}.", k.product, k.citation),
            ));
        }
        list.push(match screening {
            Screening::NothingAdded => {
                Text::new("加える配列がなく、照合対象はありません。", "No sequence is added: nothing to screen.")
            }
            Screening::Pending { sequences } => Text::new(
                format!("配列の照合がまだです:{}。", sequences.join(", ")),
                format!("Not screened yet: {}.", sequences.join(", ")),
            ),
        });
        list
    }
}

/// Cosine of two vectors of no negative numbers; zero when either has no length. Entries beyond 3 for each unit count as 3.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let (mut dot, mut left, mut right) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x.min(3.0), y.min(3.0));
        dot += x * y;
        left += x * x;
        right += y * y;
    }
    if left > 0.0 && right > 0.0 { dot / (left * right).sqrt() } else { 0.0 }
}
