//! The plain network that the analyses take: stoichiometry, bounds and objective by number, names left behind.

use crate::sparse::Matrix;
use toji_core::{Error, Result};

/// Whether the objective is made as large or as small as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sense {
    /// As large as can be.
    #[default]
    Maximize,
    /// As small as can be.
    Minimize,
}

impl Sense {
    /// `+1` to maximise, `-1` to minimise.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Maximize => 1.0,
            Self::Minimize => -1.0,
        }
    }
}

/// One reaction of a [`Network`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column<'a> {
    /// Metabolite index and coefficient (negative: consumed). Entries of one metabolite are summed.
    pub stoichiometry: &'a [(usize, f64)],
    /// Lower flux bound, `-∞` allowed.
    pub lower: f64,
    /// Upper flux bound, `+∞` allowed.
    pub upper: f64,
    /// Coefficient in the objective.
    pub objective: f64,
}

/// A metabolic network at steady state: `row_lower ≤ S v ≤ row_upper`, `lower ≤ v ≤ upper`, and a linear objective in `v`.
///
/// Rows are metabolites (balance: both sides zero, the default) and, after them, any linear constraints the model adds.
/// Fluxes, bounds and objective are in the model's own units, as a rule mmol per gram of dry weight and hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Stoichiometry, a row for each metabolite (or added constraint), a column for each reaction.
    pub stoichiometry: Matrix,
    /// Lower flux bounds, one for each reaction.
    pub lower: Vec<f64>,
    /// Upper flux bounds, one for each reaction.
    pub upper: Vec<f64>,
    /// Objective coefficients, one for each reaction.
    pub objective: Vec<f64>,
    /// Direction of the objective.
    pub sense: Sense,
    /// Lower side of each row; zero for a balanced metabolite.
    pub row_lower: Vec<f64>,
    /// Upper side of each row; zero for a balanced metabolite.
    pub row_upper: Vec<f64>,
}

impl Network {
    /// A network of `metabolites` balanced metabolites and the reactions given.
    ///
    /// # Errors
    /// `E-FLUX-001` when a metabolite index is out of range, `E-FLUX-002` when a coefficient or bound is not a number.
    /// Bounds that cross are no error here: such a network is infeasible, and solving it says so.
    pub fn new<'a>(metabolites: usize, sense: Sense, columns: impl IntoIterator<Item = Column<'a>>) -> Result<Self> {
        let (mut lower, mut upper, mut objective, mut parts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, column) in columns.into_iter().enumerate() {
            let finite = column.objective.is_finite() && column.stoichiometry.iter().all(|entry| entry.1.is_finite());
            let bounds = !column.lower.is_nan() && !column.upper.is_nan();
            if !finite || !bounds || column.lower == f64::INFINITY || column.upper == f64::NEG_INFINITY {
                return Err(Error::input(
                    "E-FLUX-002",
                    format!("反応 {index}(0 始まり)の係数または境界が有限の数ではありません"),
                    format!("a coefficient or bound of reaction {index} (from 0) is not a finite number"),
                )
                .hint(
                    "係数は有限の数、境界は数または ±∞ にしてください",
                    "coefficients must be finite; bounds may be ±infinity",
                ));
            }
            lower.push(column.lower);
            upper.push(column.upper);
            objective.push(column.objective);
            parts.push(column.stoichiometry);
        }
        let stoichiometry = Matrix::from_columns(metabolites, parts).ok_or_else(|| {
            Error::input(
                "E-FLUX-001",
                format!("代謝物の番号が範囲外です(代謝物は {metabolites} 個)"),
                format!("a metabolite index is out of range (there are {metabolites} metabolites)"),
            )
        })?;
        let (row_lower, row_upper) = (vec![0.0; metabolites], vec![0.0; metabolites]);
        Ok(Self { stoichiometry, lower, upper, objective, sense, row_lower, row_upper })
    }

    /// Number of metabolites and added constraints.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.stoichiometry.rows()
    }

    /// Number of reactions.
    #[must_use]
    pub fn reactions(&self) -> usize {
        self.stoichiometry.columns()
    }
}
