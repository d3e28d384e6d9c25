//! The account of one member over a period (勘定明細).

use super::cause::{Account, Cause};
use super::duty::OpenDuty;
use super::ledger::{Ledger, Posted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;
use toji_core::{Id, Instant, Text};

/// How a member stands. All four are counts, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// Units of data given.
    pub given: i64,
    /// Units of data taken.
    pub taken: i64,
    /// Units of feedback owed.
    pub owed: i64,
    /// Units of feedback in dispute.
    pub disputed: i64,
}

impl AddAssign for Balance {
    fn add_assign(&mut self, other: Self) {
        self.given += other.given;
        self.taken += other.taken;
        self.owed += other.owed;
        self.disputed += other.disputed;
    }
}

/// One transaction as it touched the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// Transaction.
    pub transaction: Id,
    /// What happened.
    pub what: Text,
    /// What it added.
    pub change: Balance,
    /// How the member stood after it.
    pub after: Balance,
}

/// The account of one member from one instant to before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Member.
    pub member: Id,
    /// One agreement, or all.
    pub agreement: Option<Id>,
    /// From, inclusive.
    pub from: Instant,
    /// To, exclusive.
    pub to: Instant,
    /// How the member stood before.
    pub opening: Balance,
    /// What happened, by time.
    pub lines: Vec<Line>,
    /// How the member stood at the end.
    pub closing: Balance,
    /// Duties open at the end, by due date.
    pub duties: Vec<OpenDuty>,
}

impl Ledger {
    /// How a member stands at an instant, under one agreement or all.
    #[must_use]
    pub fn standing(&self, member: &Id, agreement: Option<&Id>, at: Instant) -> Balance {
        let mut balance = Balance::default();
        for posted in self.posted.values().filter(|p| p.transaction.at <= at) {
            balance += self.change(posted, member, agreement);
        }
        balance
    }

    /// The account of a member from `from` to before `to`, under one agreement or all.
    #[must_use]
    pub fn statement(&self, member: &Id, agreement: Option<&Id>, from: Instant, to: Instant) -> Statement {
        let mut opening = Balance::default();
        let mut closing = Balance::default();
        let mut lines = Vec::new();
        for posted in self.journal() {
            let Posted { transaction, .. } = posted;
            let change = self.change(posted, member, agreement);
            if transaction.at >= to || change == Balance::default() && !self.concerns(&transaction.cause, member, agreement) {
                continue;
            }
            closing += change;
            if transaction.at < from {
                opening += change;
                continue;
            }
            lines.push(Line {
                at: transaction.at,
                transaction: transaction.id.clone(),
                what: transaction.cause.words(),
                change,
                after: closing,
            });
        }
        let last = to.plus_ns(-1).unwrap_or(to);
        let mut duties = self.open_duties(member, last);
        duties.retain(|d| agreement.is_none_or(|a| d.agreement == *a));
        Statement { member: member.clone(), agreement: agreement.cloned(), from, to, opening, lines, closing, duties }
    }

    /// What one transaction adds to a member's balance.
    fn change(&self, posted: &Posted, member: &Id, agreement: Option<&Id>) -> Balance {
        let mut change = Balance::default();
        let asked = |m: &Id, a: &Id| m == member && agreement.is_none_or(|wanted| wanted == a);
        let of_duty = |id: &Id| self.duties.get(id).is_some_and(|d| asked(&d.member, &d.agreement));
        for entry in &posted.entries {
            match &entry.account {
                Account::Given { member, agreement } if asked(member, agreement) => change.given += entry.amount,
                Account::Taken { member, agreement } if asked(member, agreement) => change.taken -= entry.amount,
                Account::Duty { duty } if of_duty(duty) => change.owed -= entry.amount,
                Account::Disputed { duty } if of_duty(duty) => change.disputed -= entry.amount,
                _ => {}
            }
        }
        change
    }

    /// Is the cause about the member, also when it adds nothing?
    fn concerns(&self, cause: &Cause, member: &Id, agreement: Option<&Id>) -> bool {
        let duty = cause.duty().and_then(|id| self.duties.get(id));
        duty.is_some_and(|d| d.member == *member && agreement.is_none_or(|a| *a == d.agreement))
    }
}
