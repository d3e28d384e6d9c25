//! The privacy budget of an agreement as it stands in the store: what its owners stated, and what was spent.
//!
//! Both stand in one row of entries, numbered for each agreement. An answer with noise is drawn, and becomes known to
//! anybody only once the entry with its cost is durable under the next number; whoever is second to that number, in this
//! process or another, judges again with what the first one spent. So no crash and no race spends twice, and a kept
//! answer is given again without a second draw.
//!
//! **Who decides.** Each owner of data that the agreement covers states what its data may lose; the least of what all
//! stated holds, and nothing before all did. So an owner alone may tighten at any time, and what holds widens only when
//! nobody states less any more, which is the consent of all. Kind, δ and protected unit are one for all, and stay once
//! something was spent: what was told under one cannot be counted in another.

use super::release::unsettled;
use super::seat::Actor;
use super::standing::Standing;
use super::write::{with, write};
use crate::operation::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::agreement::Agreement;
use toji_commons::privacy::{
    Budget, Charge, Loss, Mechanism, Nano, Promise, Protected, Stream, advantage_max, advantage_max_of_rho,
};
use toji_commons::release::Rule;
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Instant, Place, Result};
use toji_store::Put;

/// What an owner allows for its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stated {
    /// Whose data.
    pub(super) owner: Id,
    /// What is promised.
    pub(super) promise: Promise,
    /// To whom.
    pub(super) protected: Protected,
    /// Who said so.
    pub(super) by: String,
    /// When.
    pub(super) at: Instant,
}

/// What was spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    /// The question, by what was asked; one that is asked again is known by it.
    pub(super) asked: Id,
    /// The charge.
    pub(super) charge: Charge,
    /// The answer as it was given; nothing for work that keeps its result elsewhere.
    pub(super) answer: Json,
}

/// One entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "sort", rename_all = "kebab-case")]
enum Entry {
    Stated(Stated),
    Spent(Spent),
}

/// The budget of an agreement with all its entries.
#[derive(Debug)]
pub(super) struct Purse {
    agreement: Id,
    /// Owners of the data sets it covers.
    pub(super) owners: BTreeSet<Id>,
    /// What each of them stated last.
    pub(super) stated: BTreeMap<Id, Stated>,
    /// What was spent, in its order.
    pub(super) spent: Vec<Spent>,
    /// Number of the newest entry.
    newest: u64,
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "PrivacyMeasure")]
pub(super) enum Measure {
    /// ε of differential privacy.
    Epsilon,
    /// ρ of zero-concentrated differential privacy.
    Rho,
}

/// What an answer cost and what is left.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Payment {
    /// Agreement whose budget paid.
    pub(super) agreement: String,
    /// Entry of the charge.
    pub(super) charge: String,
    /// In what the budget is counted.
    pub(super) counted_in: Measure,
    /// What the answer cost, in ε (Laplace noise) or ρ (Gaussian noise).
    pub(super) paid: f64,
    /// Spent of the budget until now.
    pub(super) spent: f64,
    /// Left of it.
    pub(super) remaining: f64,
    /// Was it answered before, at no further cost?
    pub(super) answered_before: bool,
}

impl Purse {
    /// Reads the entries of an agreement.
    ///
    /// # Errors
    /// `E-COMMONS-064` an entry that cannot be read: it may be a charge.
    pub(super) async fn of(context: &Context, standing: &Standing, agreement: &Agreement) -> Result<Self> {
        let kept = context.session.store.records(&Access::owner(), "privacy-entry", None, false).await?;
        let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
        for record in kept {
            if record.fields.get("agreement").and_then(Json::as_str) != Some(agreement.id.as_str()) {
                continue;
            }
            let entry = record.fields.get("entry").and_then(|e| serde_json::from_value(e.clone()).ok());
            let number = record.fields.get("number").and_then(Json::as_u64);
            let (number, entry) = number.zip(entry).ok_or_else(|| unreadable(record.id.as_str()))?;
            entries.insert(number, entry);
        }
        let owners: BTreeSet<Id> =
            agreement.data_sets.iter().filter_map(|d| standing.commons.known_data_set(d)).map(|d| d.owner.clone()).collect();
        let newest = entries.keys().last().copied().unwrap_or(0);
        let (mut stated, mut spent) = (BTreeMap::new(), Vec::new());
        for entry in entries.into_values() {
            match entry {
                Entry::Stated(one) => {
                    stated.insert(one.owner.clone(), one);
                }
                Entry::Spent(one) => spent.push(one),
            }
        }
        Ok(Self { agreement: agreement.id.clone(), owners, stated, spent, newest })
    }

    /// Owners that have not stated anything yet.
    pub(super) fn missing(&self) -> Vec<&Id> {
        self.owners.iter().filter(|owner| !self.stated.contains_key(*owner)).collect()
    }

    /// What holds: the least of what all owners stated; none before all did, and in one kind.
    pub(super) fn holds(&self) -> Option<(Promise, Protected)> {
        self.agreed().filter(|(_, protected)| self.enough_owners(*protected).is_ok())
    }

    fn agreed(&self) -> Option<(Promise, Protected)> {
        let mut all = self.owners.iter().map(|owner| self.stated.get(owner));
        let first = all.next()??;
        let mut promise = first.promise;
        for one in all {
            let one = one?;
            promise = promise.tighter(one.promise)?;
            if one.protected != first.protected {
                return None;
            }
        }
        Some((promise, first.protected))
    }

    /// The budget with all that was spent.
    ///
    /// # Errors
    /// `E-COMMONS-061` none holds yet; `E-COMMONS-062` it protects runs of too few owners.
    pub(super) fn budget(&self) -> Result<Budget> {
        let Some((promise, protected)) = self.agreed() else { return Err(self.none_holds()) };
        self.enough_owners(protected)?;
        let mut budget = Budget::new(self.agreement.clone(), promise, protected)?;
        self.spent.iter().for_each(|spent| budget.remember(spent.charge.clone()));
        Ok(budget)
    }

    /// Of few owners, a figure over runs tells what one of them has, however well each run is hidden in it.
    pub(super) fn enough_owners(&self, protected: Protected) -> Result<()> {
        let fewest = Rule::default().contributors_min;
        if protected == Protected::Member || self.owners.len() >= fewest {
            return Ok(());
        }
        Err(Error::new(
            Category::Denied,
            "E-COMMONS-062",
            format!("培養を保護単位とするには、所有者が {fewest} 者以上要ります。少ないと一者の平均がそのまま分かります"),
            format!("protecting single runs takes data of at least {fewest} owners: of fewer, the mean of one would be told"),
        )
        .at(Place::field("protects"))
        .hint("会員を保護単位としてください（--protects member）", "protect members (--protects member)"))
    }

    fn none_holds(&self) -> Error {
        let names = |ids: Vec<&Id>| ids.into_iter().map(Id::as_str).collect::<Vec<_>>().join(", ");
        let missing = names(self.missing());
        let (ja, en) = if missing.is_empty() {
            (
                "所有者の定めの種類（ε・ρ・δ・保護単位）がそろっていません".to_owned(),
                "its owners stated budgets of different kinds".into(),
            )
        } else {
            (format!("まだ定めていない所有者: {missing}"), format!("owners that have not stated one: {missing}"))
        };
        Error::new(
            Category::Denied,
            "E-COMMONS-061",
            format!("契約「{}」にはプライバシー予算がありません。{ja}", self.agreement),
            format!("agreement \"{}\" has no privacy budget: {en}", self.agreement),
        )
        .at(Place::field("agreement"))
        .hint(
            "対象データの所有者が `toji commons set-budget` で定めると使えます",
            "the owners of the data it covers state it with `toji commons set-budget`",
        )
    }

    /// What a charge cost and what stands now.
    pub(super) fn cost(&self, charge: &Charge, known: bool) -> Result<Payment> {
        let budget = self.budget()?;
        let standing = budget.standing()?;
        Ok(Payment {
            agreement: self.agreement.to_string(),
            charge: charge.id.to_string(),
            counted_in: measure(budget.promise()),
            paid: cost_of(charge.loss),
            spent: standing.spent.value(),
            remaining: standing.left.value(),
            answered_before: known,
        })
    }
}

/// In what a promise is counted.
pub(super) fn measure(promise: Promise) -> Measure {
    match promise {
        Promise::Pure { .. } | Promise::Approximate { .. } => Measure::Epsilon,
        Promise::Concentrated { .. } => Measure::Rho,
    }
}

/// The amount of a promise, and its δ where it has one.
pub(super) fn amount(promise: Promise) -> (f64, Option<f64>) {
    match promise {
        Promise::Pure { epsilon } => (epsilon.value(), None),
        Promise::Concentrated { rho } => (rho.value(), None),
        Promise::Approximate { epsilon, delta } => (epsilon.value(), Some(delta.value())),
    }
}

/// The most by which anybody could tell better than by chance whether a protected unit is in the data, in %.
pub(super) fn advantage_percent(promise: Promise) -> f64 {
    100.0
        * match promise {
            Promise::Pure { epsilon } => advantage_max(epsilon.value(), 0.0),
            Promise::Approximate { epsilon, delta } => advantage_max(epsilon.value(), delta.value()),
            Promise::Concentrated { rho } => advantage_max_of_rho(rho.value()),
        }
}

fn cost_of(loss: Loss) -> f64 {
    match loss {
        Loss::Pure { epsilon } => epsilon.value(),
        Loss::Concentrated { rho } => rho.value(),
    }
}

/// What an answer may lose, from the options of an operation.
///
/// # Errors
/// `E-COMMONS-065` neither or both.
pub(super) fn loss_of(epsilon: Option<f64>, rho: Option<f64>) -> Result<Loss> {
    let at = |field: &str, value: f64| Nano::at_least(value).map_err(|e| e.at(Place::field(field)));
    match (epsilon, rho) {
        (Some(epsilon), None) => Ok(Loss::Pure { epsilon: at("epsilon", epsilon)? }),
        (None, Some(rho)) => Ok(Loss::Concentrated { rho: at("rho", rho)? }),
        _ => Err(Error::input(
            "E-COMMONS-065",
            "雑音を加えるには、費用を ε か ρ のどちらか一方で指定します",
            "an answer with noise is asked at a cost of either epsilon or rho",
        )
        .at(Place::field("epsilon"))
        .hint("例: --agreement AG-1 --epsilon 0.1", "example: --agreement AG-1 --epsilon 0.1")),
    }
}

/// The agreement that pays, in force now.
///
/// # Errors
/// `E-COMMONS-066` it is not in force, or the asker's organisation is no party.
pub(super) fn paying<'a>(context: &Context, standing: &'a Standing, id: &str, member: &Id) -> Result<&'a Agreement> {
    let id = super::write::id_in("agreement", id)?;
    let agreement = in_force(context, standing, &id)?;
    if context.access.sees_all() || agreement.parties.contains(member) { Ok(agreement) } else { Err(not_in_force(&id)) }
}

/// An agreement that all signed and that is in force now.
///
/// # Errors
/// `E-COMMONS-066` it is not.
pub(super) fn in_force<'a>(context: &Context, standing: &'a Standing, id: &Id) -> Result<&'a Agreement> {
    let now = context.now;
    let known = standing.commons.known_agreement(id).filter(|a| a.terms.from <= now && now < a.terms.until);
    known.ok_or_else(|| not_in_force(id))
}

fn not_in_force(id: &Id) -> Error {
    Error::new(
        Category::Denied,
        "E-COMMONS-066",
        format!("契約「{id}」は有効でないか、自社が当事者ではありません"),
        format!("agreement \"{id}\" is not in force, or your organisation is no party to it"),
    )
    .at(Place::field("agreement"))
    .hint("`toji commons agreement` で確かめてください", "see `toji commons agreement`")
}

/// Draws an answer and charges it to a budget in memory: what is told once the charge is kept.
pub(super) type Draw<'a> = dyn FnMut(&mut Budget, &Id) -> Result<Json> + Send + 'a;

/// A question that is paid for.
pub(super) struct Paid<'a> {
    /// Agreement that pays.
    pub(super) agreement: &'a Agreement,
    /// The question, by what was asked.
    pub(super) asked: &'a Id,
    /// Draw again though it was answered before.
    pub(super) again: bool,
}

/// Draws, charges and keeps an answer as one step; or gives the kept one again.
///
/// # Errors
/// `E-COMMONS-061` no budget holds; `E-PRIVACY-008` it does not fit what is left.
pub(super) async fn paid(
    context: &Context,
    standing: &Standing,
    paid: &Paid<'_>,
    draw: &mut Draw<'_>,
) -> Result<(Json, Payment)> {
    let _turn = context.session.releasing.lock().await;
    loop {
        let mut purse = Purse::of(context, standing, paid.agreement).await?;
        let known = purse.spent.iter().rev().find(|s| s.asked == *paid.asked).filter(|_| !paid.again);
        if let Some(known) = known {
            return Ok((known.answer.clone(), purse.cost(&known.charge, true)?));
        }
        let mut budget = purse.budget()?;
        let id = entry_id(&purse);
        let answer = draw(&mut budget, &id)?;
        let charge = budget.charges().last().filter(|c| c.id == id).cloned();
        let charge = charge.ok_or_else(|| Error::bug("E-COMMONS-067", "an answer without its charge"))?;
        let spent = Spent { asked: paid.asked.clone(), charge: charge.clone(), answer: answer.clone() };
        if keep(context, &purse, Entry::Spent(spent.clone()), charge.at).await? {
            purse.spent.push(spent);
            let cost = purse.cost(&charge, false)?;
            return Ok((answer, cost));
        }
    }
}

/// States what an owner's data may lose, unless something stands against it.
pub(super) async fn state(
    context: &Context,
    standing: &Standing,
    agreement: &Agreement,
    stated: Stated,
    judge: &(dyn Fn(&Purse, &Stated) -> Result<()> + Sync),
) -> Result<Purse> {
    let _turn = context.session.releasing.lock().await;
    loop {
        let mut purse = Purse::of(context, standing, agreement).await?;
        let same = |s: &Stated| s.promise == stated.promise && s.protected == stated.protected;
        if purse.stated.get(&stated.owner).is_some_and(same) {
            return Ok(purse);
        }
        judge(&purse, &stated)?;
        if keep(context, &purse, Entry::Stated(stated.clone()), stated.at).await? {
            purse.stated.insert(stated.owner.clone(), stated);
            return Ok(purse);
        }
    }
}

fn entry_id(purse: &Purse) -> Id {
    Id::derive("privacy", &[purse.agreement.as_str(), &(purse.newest + 1).to_string()])
}

/// Keeps the next entry; false when another process was there before.
async fn keep(context: &Context, purse: &Purse, entry: Entry, at: Instant) -> Result<bool> {
    let entry = serde_json::to_value(entry).map_err(|e| Error::bug("E-COMMONS-067", e))?;
    let fields = with(
        FieldMap::new(),
        [
            ("agreement", json!(purse.agreement.as_str())),
            ("number", json!(purse.newest + 1)),
            ("entry", entry),
            ("entered_at", json!(at.to_string())),
        ],
    );
    let put = Put { if_version: Some(0), ..Put::new("privacy-entry", entry_id(purse), fields) };
    match write(context, &Actor::house(context), "commons privacy", None, put).await {
        Ok(()) => Ok(true),
        Err(error) if unsettled(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes for noise, from the operating system, used once.
pub(super) fn noise_bytes() -> Result<Stream> {
    let mut key = [0u8; 32];
    crate::random::fill(&mut key)?;
    Ok(Stream::new(&key))
}

/// Noise in words of the statement: its name and width.
pub(super) fn mechanism_words(mechanism: &Mechanism) -> String {
    match mechanism {
        Mechanism::DiscreteLaplace { scale } => format!("discrete Laplace, scale {:.6}", scale.value()),
        Mechanism::DiscreteGaussian { variance } => format!("discrete Gaussian, sd {:.6}", variance.value().sqrt()),
    }
}

fn unreadable(id: &str) -> Error {
    Error::storage(
        "E-COMMONS-064",
        format!("プライバシー予算の記載「{id}」を読めません"),
        format!("the entry \"{id}\" of a privacy budget is not readable"),
    )
    .hint(
        "`toji verify` で確かめ、より新しい Toji で開いてください",
        "check it with `toji verify`, and open it with a newer Toji",
    )
}
