//! What an agreement allows to be lost, what was charged to it, and what is left.

use super::amount::Nano;
use super::loss::{delta_of, epsilon_of, rho_of_pure};
use super::question::{Answer, Protected, Question, Row};
use super::sample::Mechanism;
use super::stream::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Id, Instant, Place, Result, Text};

/// Most charges of a budget.
const CHARGES_MAX: usize = 100_000;

/// What is promised to each protected unit over all answers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "promise", rename_all = "kebab-case")]
pub enum Promise {
    /// ε-differential privacy. Gaussian noise cannot give it at any cost.
    Pure {
        /// ε.
        epsilon: Nano,
    },
    /// ρ-zero-concentrated differential privacy.
    Concentrated {
        /// ρ.
        rho: Nano,
    },
    /// (ε, δ)-differential privacy, accounted as zCDP.
    Approximate {
        /// ε.
        epsilon: Nano,
        /// δ.
        delta: Nano,
    },
}

impl Promise {
    /// The tighter of two promises, for data that both are made for; none where they are of different kinds, or of
    /// different δ.
    #[must_use]
    pub fn tighter(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Pure { epsilon: a }, Self::Pure { epsilon: b }) => Some(Self::Pure { epsilon: a.min(b) }),
            (Self::Concentrated { rho: a }, Self::Concentrated { rho: b }) => Some(Self::Concentrated { rho: a.min(b) }),
            (Self::Approximate { epsilon: a, delta }, Self::Approximate { epsilon: b, delta: other }) => {
                (delta == other).then(|| Self::Approximate { epsilon: a.min(b), delta })
            }
            _ => None,
        }
    }
}

/// What one answer loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "loss", rename_all = "kebab-case")]
pub enum Loss {
    /// ε, by discrete Laplace noise.
    Pure {
        /// ε.
        epsilon: Nano,
    },
    /// ρ, by discrete Gaussian noise.
    Concentrated {
        /// ρ.
        rho: Nano,
    },
}

impl Loss {
    /// In zCDP.
    #[must_use]
    pub fn rho(self) -> Nano {
        match self {
            Self::Pure { epsilon } => rho_of_pure(epsilon),
            Self::Concentrated { rho } => rho,
        }
    }

    fn amount(self) -> Nano {
        match self {
            Self::Pure { epsilon } => epsilon,
            Self::Concentrated { rho } => rho,
        }
    }
}

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Identifier of the question; the same one is charged once.
    pub id: Id,
    /// The question in words.
    pub question: Text,
    /// Noise that was added to each figure of the answer.
    pub mechanisms: Vec<Mechanism>,
    /// What it cost.
    pub loss: Loss,
    /// Who asked.
    pub member: Id,
    /// When.
    pub at: Instant,
}

/// What is spent and left, in the measure of the promise (ε, or ρ).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// Spent.
    pub spent: Nano,
    /// Left.
    pub left: Nano,
}

/// A charge with what stood after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Charge.
    pub charge: Charge,
    /// After it.
    pub standing: Standing,
}

/// The budget of one agreement. Charges are never taken back: what was told stays told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    agreement: Id,
    promise: Promise,
    protected: Protected,
    charges: Vec<Charge>,
}

impl Budget {
    /// A budget of which nothing is spent.
    ///
    /// # Errors
    /// A promise of nothing, or a δ that is none: it must be above 0 and below 1.
    pub fn new(agreement: Id, promise: Promise, protected: Protected) -> Result<Self> {
        let fine = match promise {
            Promise::Pure { epsilon: amount } | Promise::Concentrated { rho: amount } => amount.0 > 0,
            Promise::Approximate { epsilon, delta } => epsilon.0 > 0 && (1..super::NANO).contains(&delta.0),
        };
        if fine {
            return Ok(Self { agreement, promise, protected, charges: Vec::new() });
        }
        Err(Error::input(
            "E-PRIVACY-004",
            "予算の ε・ρ は正、δ は 0 と 1 の間でなければなりません",
            "epsilon and rho of a budget are positive, delta lies between 0 and 1",
        )
        .at(Place::field("promise"))
        .hint("例: ε = 1、δ = 0.000001", "example: epsilon = 1, delta = 0.000001"))
    }

    /// The same with its charges so far, in their order.
    ///
    /// # Errors
    /// As [`Budget::new`] and [`Budget::charge`].
    pub fn resume(agreement: Id, promise: Promise, protected: Protected, charges: Vec<Charge>) -> Result<Self> {
        let mut budget = Self::new(agreement, promise, protected)?;
        for charge in charges {
            budget.charge(charge)?;
        }
        Ok(budget)
    }

    /// Takes in a charge that was accepted before, without judging it: how a budget is made again from what was kept.
    /// One that was tightened since may have spent more than it now allows, and has nothing left.
    pub fn remember(&mut self, charge: Charge) {
        if self.charges.iter().all(|known| known.id != charge.id) {
            self.charges.push(charge);
        }
    }

    /// Every charge, in its order.
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// The agreement.
    #[must_use]
    pub fn agreement(&self) -> &Id {
        &self.agreement
    }

    /// What is promised.
    #[must_use]
    pub fn promise(&self) -> Promise {
        self.promise
    }

    /// To whom.
    #[must_use]
    pub fn protected(&self) -> Protected {
        self.protected
    }

    /// What is spent and left.
    ///
    /// # Errors
    /// Never for charges that were accepted.
    pub fn standing(&self) -> Result<Standing> {
        self.after(&self.charges)
    }

    /// Every charge, with what stood after it: what the owner of the data sees.
    ///
    /// # Errors
    /// Never for charges that were accepted.
    pub fn statement(&self) -> Result<Vec<Line>> {
        let line =
            |(i, charge): (usize, &Charge)| Ok(Line { charge: charge.clone(), standing: self.after(&self.charges[..=i])? });
        self.charges.iter().enumerate().map(line).collect()
    }

    /// Charges, if it can be afforded. The same charge a second time changes nothing.
    ///
    /// # Errors
    /// It would pass the budget, costs nothing, is Gaussian where pure ε was promised, or its identifier stands for
    /// another question. Nothing is then charged.
    pub fn charge(&mut self, charge: Charge) -> Result<Standing> {
        if let Some(known) = self.charges.iter().find(|c| c.id == charge.id) {
            return if *known == charge { self.standing() } else { Err(another(&charge.id)) };
        }
        if charge.loss.amount().0 == 0 || charge.mechanisms.is_empty() || self.charges.len() == CHARGES_MAX {
            return Err(self.refused(&charge));
        }
        if matches!((self.promise, charge.loss), (Promise::Pure { .. }, Loss::Concentrated { .. })) {
            return Err(Error::new(
                Category::Denied,
                "E-PRIVACY-005",
                "純粋な ε の予算では、ガウス雑音の回答は出せません",
                "a budget of pure epsilon allows no answer with Gaussian noise",
            )
            .at(Place::field("loss"))
            .hint("ラプラス雑音(ε)で問い合わせてください", "ask with Laplace noise (epsilon)"));
        }
        self.charges.push(charge);
        match self.affordable() {
            Ok(true) => self.standing(),
            judged => {
                let charge = self.charges.pop();
                judged?;
                Err(charge.map_or_else(|| Error::bug("E-PRIVACY-006", "a charge vanished"), |c| self.refused(&c)))
            }
        }
    }

    /// Answers a question and charges it, the charge first. Asked again under the same identifier it is refused,
    /// since a second draw would tell more: the caller keeps answers.
    ///
    /// # Errors
    /// As [`Budget::charge`]; bounds that are none; another unit than the protected one; noise beyond what can be
    /// drawn; the identifier was used.
    pub fn answer(&mut self, asked: Charged<'_>, rows: &[Row], bytes: &mut impl Bytes) -> Result<Answer> {
        let Charged { id, member, question, loss, at } = asked;
        if self.charges.iter().any(|c| c.id == *id) {
            return Err(another(id));
        }
        if question.protected != self.protected {
            return Err(Error::input(
                "E-PRIVACY-007",
                "問い合わせの保護単位が予算のものと違います",
                "the question protects another unit than the budget",
            )
            .at(Place::field("protected"))
            .hint("契約の予算の保護単位に合わせてください", "use the protected unit of the budget"));
        }
        let mechanisms = question.mechanisms(loss)?;
        let words = question.words();
        let (id, member) = (id.clone(), member.clone());
        self.charge(Charge { id, question: words, mechanisms: mechanisms.clone(), loss, member, at })?;
        question.answer(rows, &mechanisms, bytes)
    }

    fn affordable(&self) -> Result<bool> {
        let rho = total(&self.charges, Loss::rho);
        Ok(match self.promise {
            Promise::Pure { epsilon } => total(&self.charges, Loss::amount) <= epsilon,
            Promise::Concentrated { rho: most } => rho <= most,
            Promise::Approximate { epsilon, delta } => {
                // Pure answers alone may also be summed as they are.
                let pure = self.charges.iter().all(|c| matches!(c.loss, Loss::Pure { .. }));
                pure && total(&self.charges, Loss::amount) <= epsilon || delta_of(rho.value(), epsilon.value()) <= delta.value()
            }
        })
    }

    fn after(&self, charges: &[Charge]) -> Result<Standing> {
        let rho = total(charges, Loss::rho);
        let (spent, most) = match self.promise {
            Promise::Pure { epsilon } => (total(charges, Loss::amount), epsilon),
            Promise::Concentrated { rho: most } => (rho, most),
            Promise::Approximate { epsilon, delta } => {
                let concentrated = epsilon_of(rho.value(), delta.value())?;
                let pure = charges.iter().all(|c| matches!(c.loss, Loss::Pure { .. }));
                let spent = if pure { concentrated.min(total(charges, Loss::amount)) } else { concentrated };
                (spent.min(epsilon), epsilon)
            }
        };
        Ok(Standing { spent, left: most.less(spent) })
    }

    fn refused(&self, charge: &Charge) -> Error {
        let left = self.standing().map(|s| s.left).unwrap_or_default();
        let cost = charge.loss.amount();
        Error::new(
            Category::Denied,
            "E-PRIVACY-008",
            format!("契約「{}」のプライバシー予算に収まりません(費用 {cost}、残り {left})", self.agreement),
            format!("this does not fit the privacy budget of agreement \"{}\" (cost {cost}, left {left})", self.agreement),
        )
        .at(Place::field("loss"))
        .hint(
            "費用を正で残り以下に下げるか、以前の回答を使うか、当事者と予算を改めてください",
            "ask at a positive cost within what is left, use an earlier answer, or agree on another budget",
        )
    }
}

/// Who asks what at which cost.
#[derive(Debug, Clone, Copy)]
pub struct Charged<'a> {
    /// Identifier of the question.
    pub id: &'a Id,
    /// Who asks.
    pub member: &'a Id,
    /// What.
    pub question: &'a Question,
    /// At which cost.
    pub loss: Loss,
    /// When.
    pub at: Instant,
}

fn total(charges: &[Charge], of: impl Fn(Loss) -> Nano) -> Nano {
    charges.iter().fold(Nano(0), |sum, charge| sum.plus(of(charge.loss)))
}

fn another(id: &Id) -> Error {
    Error::new(
        Category::Conflict,
        "E-PRIVACY-009",
        format!("問い合わせ「{id}」は既に課金されています"),
        format!("question \"{id}\" was charged already"),
    )
    .at(Place::field("id"))
    .hint("以前の回答を使うか、新しい識別子で問い合わせてください", "use the earlier answer, or ask under a new identifier")
}
