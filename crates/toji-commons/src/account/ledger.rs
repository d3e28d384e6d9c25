//! The ledger: transactions in, balances out.

use super::cause::{Account, Cause, Entry, Transaction, Unit};
use super::duty::{Duty, Move, OpenDuty};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::canonical::to_canonical;
use toji_core::{Category, Digest, Error, Id, Instant, Place, Result};

/// A transaction with the entries that followed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Transaction.
    pub transaction: Transaction,
    /// Entries; they sum to zero in each unit.
    pub entries: Vec<Entry>,
}

/// All transactions so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(super) posted: BTreeMap<Id, Posted>,
    pub(super) duties: BTreeMap<Id, Duty>,
    reversed: BTreeSet<Id>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The ledger of these transactions, in whatever order they arrived. Whether a duty is overdrawn is
    /// judged when all are in, since what happened at one instant counts together.
    ///
    /// # Errors
    /// The first transaction that cannot be booked, or the first duty that is overdrawn.
    pub fn gather(transactions: impl IntoIterator<Item = Transaction>) -> Result<Self> {
        let mut all: Vec<Transaction> = transactions.into_iter().collect();
        all.sort_by(|a, b| (a.at, rank(&a.cause), &a.id).cmp(&(b.at, rank(&b.cause), &b.id)));
        let mut ledger = Self::new();
        for transaction in all {
            ledger.book(transaction, |_| Ok(()))?;
        }
        none_overdrawn(&ledger.duties)?;
        Ok(ledger)
    }

    /// Books a transaction. The same transaction a second time changes nothing.
    ///
    /// # Errors
    /// Units out of range, an identifier already used for something else, a duty that does not exist or
    /// exists already, more booked off than was owed at some instant, or a reversal of what cannot be
    /// reversed. The ledger is then as it was.
    pub fn post(&mut self, transaction: Transaction) -> Result<()> {
        self.book(transaction, none_overdrawn)
    }

    fn book(&mut self, transaction: Transaction, fine: impl Fn(&BTreeMap<Id, Duty>) -> Result<()>) -> Result<()> {
        if let Some(known) = self.posted.get(&transaction.id) {
            return if known.transaction == transaction { Ok(()) } else { Err(taken(&transaction.id)) };
        }
        transaction.check()?;
        let entries = self.entries(&transaction)?;
        balanced(&transaction.id, &entries)?;
        let touched = self.changed_duties(&transaction, &entries)?;
        fine(&touched)?;
        self.duties.extend(touched);
        if let Cause::Reversal { of, .. } = &transaction.cause {
            self.reversed.insert(of.clone());
        }
        self.posted.insert(transaction.id.clone(), Posted { transaction, entries });
        Ok(())
    }

    fn entries(&self, transaction: &Transaction) -> Result<Vec<Entry>> {
        match &transaction.cause {
            Cause::Reversal { of, .. } => {
                let back = self.reversible(transaction, of)?;
                Ok(back.entries.iter().map(|e| Entry { account: e.account.clone(), amount: -e.amount }).collect())
            }
            cause => {
                let claim = cause.duty().map(|id| self.duties.get(id).ok_or_else(|| no_duty(id))).transpose()?;
                Ok(cause.entries(claim.map(|duty| &duty.agreement)))
            }
        }
    }

    fn reversible(&self, transaction: &Transaction, of: &Id) -> Result<&Posted> {
        let fault = |ja: String, en: String| {
            Error::input("E-ACCOUNT-005", ja, en)
                .at(Place::field("of"))
                .hint("取り消す取引の識別子と日付を確かめてください", "check the identifier and date of what is to be taken back")
        };
        let Some(back) = self.posted.get(of) else {
            return Err(fault(format!("取引「{of}」はありません"), format!("there is no transaction \"{of}\"")));
        };
        if matches!(back.transaction.cause, Cause::Reversal { .. }) || self.reversed.contains(of) {
            return Err(fault(
                format!("取引「{of}」は取消し済みか、取消しそのものです"),
                format!("transaction \"{of}\" is a reversal or was taken back already"),
            ));
        }
        if transaction.at < back.transaction.at {
            return Err(fault(
                format!("取引「{of}」より前の日付では取り消せません"),
                format!("transaction \"{of}\" cannot be taken back before its own date"),
            ));
        }
        Ok(back)
    }

    /// Copies of the duties the transaction changes, changed.
    fn changed_duties(&self, transaction: &Transaction, entries: &[Entry]) -> Result<BTreeMap<Id, Duty>> {
        let mut touched: BTreeMap<Id, Duty> = BTreeMap::new();
        if let Cause::Taking { member, agreement, data_set, duty: Some(terms), .. } = &transaction.cause {
            if self.duties.contains_key(&terms.duty) {
                return Err(taken(&terms.duty));
            }
            let mut duty = Duty::new(member.clone(), agreement.clone(), data_set.clone());
            duty.set_due(transaction.at, terms.due);
            touched.insert(terms.duty.clone(), duty);
        }
        for entry in entries {
            let (id, owed, disputed) = match &entry.account {
                Account::Duty { duty } => (duty, -entry.amount, 0),
                Account::Disputed { duty } => (duty, 0, -entry.amount),
                _ => continue,
            };
            let mut duty = match touched.remove(id) {
                Some(duty) => duty,
                None => self.duties.get(id).cloned().ok_or_else(|| no_duty(id))?,
            };
            duty.add(Move { at: transaction.at, owed, disputed });
            touched.insert(id.clone(), duty);
        }
        if let Cause::Upheld { duty, due, .. } = &transaction.cause
            && let Some(duty) = touched.get_mut(duty)
        {
            duty.set_due(transaction.at, *due);
        }
        if let Cause::Reversal { of, .. } = &transaction.cause
            && let Some(Posted { transaction: Transaction { at, cause: Cause::Upheld { duty, due, .. }, .. }, .. }) =
                self.posted.get(of)
            && let Some(duty) = touched.get_mut(duty)
        {
            duty.clear_due(*at, *due);
        }
        Ok(touched)
    }

    /// Transactions by time, then by identifier.
    #[must_use]
    pub fn journal(&self) -> Vec<&Posted> {
        let mut all: Vec<&Posted> = self.posted.values().collect();
        all.sort_by_key(|p| (p.transaction.at, &p.transaction.id));
        all
    }

    /// All accounts that were ever touched, with what stands on them at an instant.
    #[must_use]
    pub fn balances(&self, at: Instant) -> BTreeMap<Account, i64> {
        let mut balances = BTreeMap::new();
        for posted in self.posted.values().filter(|p| p.transaction.at <= at) {
            for entry in &posted.entries {
                *balances.entry(entry.account.clone()).or_insert(0) += entry.amount;
            }
        }
        balances
    }

    /// What stands on one account at an instant.
    #[must_use]
    pub fn balance(&self, account: &Account, at: Instant) -> i64 {
        let counted = self.posted.values().filter(|p| p.transaction.at <= at);
        counted.flat_map(|p| &p.entries).filter(|e| e.account == *account).map(|e| e.amount).sum()
    }

    /// Duties of a member that ask for something at an instant, by due date.
    #[must_use]
    pub fn open_duties(&self, member: &Id, at: Instant) -> Vec<OpenDuty> {
        self.open_where(at, |of, _| of == member)
    }

    /// Duties of all members that ask for something at an instant and came with data sets that are chosen, by due date:
    /// what is owed to whoever owns them.
    #[must_use]
    pub fn duties_toward(&self, owned: impl Fn(&Id) -> bool, at: Instant) -> Vec<OpenDuty> {
        self.open_where(at, |_, data_set| owned(data_set))
    }

    fn open_where(&self, at: Instant, chosen: impl Fn(&Id, &Id) -> bool) -> Vec<OpenDuty> {
        let mut open: Vec<OpenDuty> = self
            .duties
            .iter()
            .filter(|(_, duty)| chosen(&duty.member, &duty.data_set))
            .filter_map(|(id, duty)| {
                let (owed, disputed) = duty.standing(at);
                let due = duty.due(at)?;
                (owed > 0 || disputed > 0).then(|| OpenDuty {
                    duty: id.clone(),
                    member: duty.member.clone(),
                    agreement: duty.agreement.clone(),
                    data_set: duty.data_set.clone(),
                    owed,
                    disputed,
                    due,
                })
            })
            .collect();
        open.sort_by(|a, b| (a.due, &a.duty).cmp(&(b.due, &b.duty)));
        open
    }

    /// The earliest date on which something owed by a member falls or fell due, as things stand at an
    /// instant. A member is overdue when this lies before the instant.
    #[must_use]
    pub fn first_due(&self, member: &Id, at: Instant) -> Option<Instant> {
        self.open_duties(member, at).into_iter().filter(|d| d.owed > 0).map(|d| d.due).min()
    }

    /// Members that gave, took or owe.
    #[must_use]
    pub fn members(&self) -> BTreeSet<&Id> {
        let of_cause = self.posted.values().filter_map(|p| match &p.transaction.cause {
            Cause::Deposit { member, .. } | Cause::Taking { member, .. } => Some(member),
            _ => None,
        });
        of_cause.collect()
    }

    /// The hash of all transactions by time: what goes into the log as the head of the ledger.
    ///
    /// # Errors
    /// Never for transactions that were booked.
    pub fn digest(&self) -> Result<Digest> {
        let journal: Vec<&Transaction> = self.journal().into_iter().map(|p| &p.transaction).collect();
        Ok(Digest::of(to_canonical(&journal)?.as_bytes()))
    }
}

/// At one instant: what brings something into being, what settles it, what takes it back.
fn rank(cause: &Cause) -> u8 {
    match cause {
        Cause::Deposit { .. } | Cause::Taking { .. } => 0,
        Cause::Dispute { .. } => 1,
        Cause::Feedback { .. } | Cause::Waiver { .. } | Cause::Upheld { .. } | Cause::Dismissed { .. } => 2,
        Cause::Reversal { .. } => 3,
    }
}

fn none_overdrawn(duties: &BTreeMap<Id, Duty>) -> Result<()> {
    match duties.iter().find_map(|(id, duty)| duty.overdrawn().map(|at| (id, at))) {
        Some((id, at)) => Err(overdrawn(id, at)),
        None => Ok(()),
    }
}

fn balanced(id: &Id, entries: &[Entry]) -> Result<()> {
    for unit in [Unit::DataSets, Unit::Duties] {
        let sum: i64 = entries.iter().filter(|e| e.account.unit() == unit).map(|e| e.amount).sum();
        if sum != 0 {
            return Err(Error::bug("E-ACCOUNT-006", format!("transaction {id} sums to {sum}")));
        }
    }
    Ok(())
}

fn taken(id: &Id) -> Error {
    Error::new(
        Category::Conflict,
        "E-ACCOUNT-002",
        format!("識別子「{id}」は別の取引または義務に使われています"),
        format!("identifier \"{id}\" already names another transaction or duty"),
    )
    .at(Place::field("id"))
    .hint("新しい識別子で記帳してください", "book it under a new identifier")
}

fn no_duty(id: &Id) -> Error {
    Error::not_found("E-ACCOUNT-003", format!("還元義務「{id}」はありません"), format!("there is no duty \"{id}\""))
        .at(Place::field("duty"))
        .hint("義務の生じた利用を先に記帳してください", "book the taking that brought the duty first")
}

fn overdrawn(id: &Id, at: Instant) -> Error {
    Error::new(
        Category::Conflict,
        "E-ACCOUNT-004",
        format!("還元義務「{id}」から、{at} の時点で残る分を超えて引き落とすことになります"),
        format!("this would book more off duty \"{id}\" than is left of it at {at}"),
    )
    .at(Place::field("units"))
    .hint(
        "勘定明細で残りを確かめ、その範囲で記帳してください。凍結中の分は異議の決着を先に記帳してください",
        "see what is left in the statement and book at most that; settle a dispute before what it froze",
    )
}
