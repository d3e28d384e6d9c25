//! A designed strain by names, ready to be written down, and what must be screened before it is built.

use crate::model::{Addition, Scenario};
use std::collections::BTreeMap;
use toji_core::Result;

/// A reaction brought in from elsewhere.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insertion {
    /// Identifier, not taken in the model.
    ///
    /// 識別子。モデルにないもの。
    pub id: String,
    /// Metabolite by identifier and coefficient: negative is consumed. What the model lacks is added.
    ///
    /// 代謝物の識別子と係数。負は消費。モデルにない代謝物は加わる。
    pub stoichiometry: Vec<(String, f64)>,
    /// Least flux, mmol/g/h.
    ///
    /// 流束の下限（mmol/g/h）。
    pub lower: f64,
    /// Greatest flux, mmol/g/h.
    ///
    /// 流束の上限（mmol/g/h）。
    pub upper: f64,
    /// The gene or enzyme that is to be brought in, where one is known.
    ///
    /// 導入する遺伝子または酵素。分かっていれば。
    #[serde(default)]
    pub enzyme: Option<String>,
}

/// Edits of a strain by the identifiers of the model.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Strain {
    /// Genes removed.
    ///
    /// 欠失させる遺伝子。
    pub genes_out: Vec<String>,
    /// Reactions removed, by whichever of their genes.
    ///
    /// 止める反応。担う遺伝子のどれかを欠失させる。
    pub reactions_out: Vec<String>,
    /// Reactions brought in.
    ///
    /// 導入する反応。
    pub insertions: Vec<Insertion>,
    /// Native genes expressed more strongly. They change no bound of the model.
    ///
    /// 発現を強める自前の遺伝子。モデルの上下限は変えない。
    pub amplified: Vec<String>,
    /// Bounds held by regulation, mmol/g/h: reaction, lower and upper.
    ///
    /// 発現の調節で保つ流束の上下限（mmol/g/h）。反応と下限、上限。
    pub held: BTreeMap<String, (f64, f64)>,
}

impl Strain {
    /// The strain over what a scenario says already.
    ///
    /// # Errors
    /// Those of the edits of [`Scenario`]: `E-MODEL-010` for what does not exist, `E-MODEL-012` for what is no range.
    pub fn over<'m>(&self, scenario: &Scenario<'m>) -> Result<Scenario<'m>> {
        let mut made = scenario.clone();
        for insertion in &self.insertions {
            made.add_reaction(&Addition {
                id: insertion.id.clone(),
                name: insertion.enzyme.clone(),
                stoichiometry: insertion.stoichiometry.clone(),
                lower: insertion.lower,
                upper: insertion.upper,
            })?;
        }
        for gene in &self.genes_out {
            made.knock_out_gene(gene)?;
        }
        for gene in &self.amplified {
            made.model().gene_named(gene)?;
        }
        for reaction in &self.reactions_out {
            made.knock_out_reaction(reaction)?;
        }
        for (reaction, (lower, upper)) in &self.held {
            made.set_bounds(reaction, *lower, *upper)?;
        }
        Ok(made)
    }

    /// How many changes the strain has.
    #[must_use]
    pub fn edits(&self) -> usize {
        self.genes_out.len() + self.reactions_out.len() + self.insertions.len() + self.amplified.len() + self.held.len()
    }

    /// What screening has to say about the strain, before anything was screened.
    #[must_use]
    pub fn screening(&self) -> Screening {
        let foreign = self.insertions.iter().map(|i| i.enzyme.clone().unwrap_or_else(|| i.id.clone()));
        let native = self.amplified.iter().chain(self.held.keys()).cloned();
        let sequences: Vec<String> = foreign.chain(native).collect();
        if sequences.is_empty() { Screening::NothingAdded } else { Screening::Pending { sequences } }
    }
}

/// Where a proposal stands with biosecurity screening. Nothing that adds a sequence may be ordered or built while it pends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Screening {
    /// Nothing to screen: the proposal takes sequences away and adds none.
    ///
    /// 配列を除くだけで加えないため、照合する配列がない。
    NothingAdded,
    /// Not screened yet.
    ///
    /// まだ照合していない。
    Pending {
        /// What must be screened, by gene, enzyme or reaction.
        ///
        /// 照合すべきもの。遺伝子、酵素または反応。
        sequences: Vec<String>,
    },
}
