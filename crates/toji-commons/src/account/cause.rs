//! Why something is booked, and the entries that follow from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Digest, Error, Id, Instant, Place, Result, Text};

/// The most units one transaction may move: sums over any real ledger then stay far within 64 bits.
pub const UNITS_MAX: u32 = 1_000_000_000;

/// What an account counts. Sums are taken within one unit only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Data sets, in the units the agreement weighs them by.
    DataSets,
    /// Units of feedback owed.
    Duties,
}

/// An account (勘定). Positive: the member stands to the good; negative: the member took or owes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "book", rename_all = "kebab-case")]
pub enum Account {
    /// Data sets a member gave under an agreement.
    Given {
        /// Member.
        member: Id,
        /// Agreement.
        agreement: Id,
    },
    /// Data sets a member took under an agreement.
    Taken {
        /// Member.
        member: Id,
        /// Agreement.
        agreement: Id,
    },
    /// The other side of what was given and taken.
    Pool {
        /// Agreement.
        agreement: Id,
    },
    /// What a duty still asks for.
    Duty {
        /// Duty.
        duty: Id,
    },
    /// What of a duty is frozen by a dispute.
    Disputed {
        /// Duty.
        duty: Id,
    },
    /// The other side of all duties: what the commons may claim.
    Claim {
        /// Agreement.
        agreement: Id,
    },
}

impl Account {
    /// What the account counts.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Given { .. } | Self::Taken { .. } | Self::Pool { .. } => Unit::DataSets,
            Self::Duty { .. } | Self::Disputed { .. } | Self::Claim { .. } => Unit::Duties,
        }
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Account.
    pub account: Account,
    /// Amount, in the account's unit.
    pub amount: i64,
}

/// The duty that a taking brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyTerms {
    /// Identifier of the duty, unique in the ledger.
    pub duty: Id,
    /// Units of feedback owed.
    pub units: u32,
    /// By when.
    pub due: Instant,
}

/// Why something is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// A member gave a data set.
    Deposit {
        /// Member.
        member: Id,
        /// Agreement.
        agreement: Id,
        /// Data set.
        data_set: Id,
        /// Units.
        units: u32,
    },
    /// A member took a data set; most agreements make a duty of it.
    Taking {
        /// Member.
        member: Id,
        /// Agreement.
        agreement: Id,
        /// Data set.
        data_set: Id,
        /// Units.
        units: u32,
        /// The duty it brings.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        duty: Option<DutyTerms>,
    },
    /// Feedback was accepted.
    Feedback {
        /// Duty.
        duty: Id,
        /// Units accepted.
        units: u32,
        /// The acceptance, as it stands in the log.
        evidence: Digest,
    },
    /// A signed waiver lets part of a duty go.
    Waiver {
        /// Duty.
        duty: Id,
        /// Units waived.
        units: u32,
        /// The signed waiver.
        evidence: Digest,
    },
    /// The member disputes part of a duty: frozen until settled.
    Dispute {
        /// Duty.
        duty: Id,
        /// Units disputed.
        units: u32,
    },
    /// The dispute was settled: the duty stands, with a new due date.
    Upheld {
        /// Duty.
        duty: Id,
        /// Units.
        units: u32,
        /// New due date.
        due: Instant,
        /// The settlement.
        evidence: Digest,
    },
    /// The dispute was settled: nothing was owed.
    Dismissed {
        /// Duty.
        duty: Id,
        /// Units.
        units: u32,
        /// The settlement.
        evidence: Digest,
    },
    /// An earlier transaction was booked in error.
    Reversal {
        /// The transaction taken back.
        of: Id,
        /// Why, in the words of whoever took it back.
        reason: String,
    },
}

impl Cause {
    /// The duty a later cause is about; `None` for deposits, takings and reversals.
    #[must_use]
    pub fn duty(&self) -> Option<&Id> {
        match self {
            Self::Feedback { duty, .. }
            | Self::Waiver { duty, .. }
            | Self::Dispute { duty, .. }
            | Self::Upheld { duty, .. }
            | Self::Dismissed { duty, .. } => Some(duty),
            Self::Deposit { .. } | Self::Taking { .. } | Self::Reversal { .. } => None,
        }
    }

    /// Units moved, each to be judged by [`UNITS_MAX`].
    fn units(&self) -> Vec<u32> {
        match self {
            Self::Deposit { units, .. }
            | Self::Feedback { units, .. }
            | Self::Waiver { units, .. }
            | Self::Dispute { units, .. }
            | Self::Upheld { units, .. }
            | Self::Dismissed { units, .. } => vec![*units],
            Self::Taking { units, duty, .. } => std::iter::once(*units).chain(duty.iter().map(|d| d.units)).collect(),
            Self::Reversal { .. } => Vec::new(),
        }
    }

    /// The entries, except of a reversal, which are those of the transaction it takes back. `claim` is the
    /// agreement of the duty the cause is about.
    pub(super) fn entries(&self, claim: Option<&Id>) -> Vec<Entry> {
        let pair = |to: Account, from: Account, units: u32| {
            let amount = i64::from(units);
            [Entry { account: to, amount }, Entry { account: from, amount: -amount }]
        };
        let owed = |duty: &Id| Account::Duty { duty: duty.clone() };
        let frozen = |duty: &Id| Account::Disputed { duty: duty.clone() };
        let claimed = || claim.map(|agreement| Account::Claim { agreement: agreement.clone() });
        match self {
            Self::Deposit { member, agreement, units, .. } => {
                let given = Account::Given { member: member.clone(), agreement: agreement.clone() };
                pair(given, Account::Pool { agreement: agreement.clone() }, *units).to_vec()
            }
            Self::Taking { member, agreement, units, duty, .. } => {
                let taken = Account::Taken { member: member.clone(), agreement: agreement.clone() };
                let mut entries = pair(Account::Pool { agreement: agreement.clone() }, taken, *units).to_vec();
                if let Some(terms) = duty {
                    let claim = Account::Claim { agreement: agreement.clone() };
                    entries.extend(pair(claim, owed(&terms.duty), terms.units));
                }
                entries
            }
            Self::Feedback { duty, units, .. } | Self::Waiver { duty, units, .. } => {
                claimed().map(|claim| pair(owed(duty), claim, *units).to_vec()).unwrap_or_default()
            }
            Self::Dispute { duty, units } => pair(owed(duty), frozen(duty), *units).to_vec(),
            Self::Upheld { duty, units, .. } => pair(frozen(duty), owed(duty), *units).to_vec(),
            Self::Dismissed { duty, units, .. } => {
                claimed().map(|claim| pair(frozen(duty), claim, *units).to_vec()).unwrap_or_default()
            }
            Self::Reversal { .. } => Vec::new(),
        }
    }

    /// The cause as a line of a statement.
    #[must_use]
    pub fn words(&self) -> Text {
        match self {
            Self::Deposit { data_set, .. } => Text::new(format!("提供: {data_set}"), format!("gave {data_set}")),
            Self::Taking { data_set, .. } => Text::new(format!("利用: {data_set}"), format!("took {data_set}")),
            Self::Feedback { duty, .. } => Text::new(format!("還元の受理: {duty}"), format!("feedback accepted for {duty}")),
            Self::Waiver { duty, .. } => Text::new(format!("還元義務の免除: {duty}"), format!("duty waived: {duty}")),
            Self::Dispute { duty, .. } => Text::new(format!("異議申立て(凍結): {duty}"), format!("disputed, frozen: {duty}")),
            Self::Upheld { duty, .. } => {
                Text::new(format!("異議の棄却(義務は存続): {duty}"), format!("dispute settled, duty stands: {duty}"))
            }
            Self::Dismissed { duty, .. } => {
                Text::new(format!("異議の認容(義務なし): {duty}"), format!("dispute settled, nothing owed: {duty}"))
            }
            Self::Reversal { of, reason } => Text::new(format!("取消し: {of}({reason})"), format!("reversal of {of} ({reason})")),
        }
    }
}

/// One transaction: when, why, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Identifier, unique in the ledger; the same transaction sent twice is booked once.
    pub id: Id,
    /// From when it counts.
    pub at: Instant,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
}

impl Transaction {
    /// What can be judged without a ledger.
    pub(super) fn check(&self) -> Result<()> {
        for units in self.cause.units() {
            if units == 0 || units > UNITS_MAX {
                return Err(Error::input(
                    "E-ACCOUNT-001",
                    format!("取引「{}」の数量 {units} は 1 から {UNITS_MAX} の範囲にありません", self.id),
                    format!("transaction \"{}\" moves {units} units, which is not within 1 to {UNITS_MAX}", self.id),
                )
                .at(Place::field("units"))
                .hint("数量を確かめて、記帳し直してください", "check the units and book it again"));
            }
        }
        Ok(())
    }
}
