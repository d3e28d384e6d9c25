//! Uses: what a use under an agreement brings, registering it, and all that were registered, by whom they were made and
//! of whose data.

use super::seat::{Actor, actor, judged, purpose_of, standing};
use super::standing::Standing;
use super::taking::{book, derived};
use super::write::{id_in, out_of_order, present};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::account::{Cause, DutyTerms, Transaction};
use toji_commons::agreement::{Purpose, Role};
use toji_commons::decide::{Action, Commons, Decision, Obligation, Request};
use toji_core::{Access, Error, Id, Instant, Place, Result};

/// What a use may be: reading is what brings the duty; an agreement that grants computing or training only may be used
/// all the same.
pub(super) const USE: [Action; 3] = [Action::Read, Action::Compute, Action::Train];

/// Input of `commons use`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseInput {
    /// Data set.
    ///
    /// データセット。
    data_set: String,
    /// For what purpose, by its code.
    ///
    /// 利用目的の記号。
    purpose: String,
    /// Agreement under which it is used, where several permit it; the first of them by identifier when missing.
    ///
    /// どの契約による利用か。複数の契約が許すときに指定し、省略時は識別子順で最初の契約。
    #[serde(default)]
    agreement: Option<String>,
    /// Organisation that uses it; one's own when missing.
    ///
    /// 利用する組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
    /// Only say what would be booked.
    ///
    /// 何が帳簿に載るかを示すだけ。
    #[serde(default)]
    dry_run: bool,
}

/// Output of `commons use`.
#[derive(Debug, Serialize, JsonSchema)]
struct Used {
    /// Data set.
    data_set: String,
    /// Agreement that permits it.
    agreement: String,
    /// Nothing was booked.
    dry_run: bool,
    /// Was it registered before?
    known: bool,
    /// What is booked for given and taken, in units of the data set; nothing when it was registered before.
    booked_units: u32,
    /// Whose data it is, and who stands to the good by it.
    owner: String,
    /// Duty of feedback it brings.
    duty: Option<String>,
    /// Units of feedback owed.
    units: Option<u32>,
    /// By when.
    due: Option<String>,
    /// Within how many days a patent application is noticed.
    patent_notice_days: Option<u32>,
    /// May a patent rest on it?
    patent_allowed: bool,
    /// Use ends.
    ends: Option<String>,
}

/// Input of `commons uses`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsesInput {
    /// Organisation; one's own when missing.
    ///
    /// 組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
    /// Only uses under this agreement.
    ///
    /// この契約による利用だけ。
    #[serde(default)]
    agreement: Option<String>,
}

/// Output of `commons uses`.
#[derive(Debug, Serialize, JsonSchema)]
struct Uses {
    /// Organisation.
    organisation: String,
    /// What it used of others, the newest first.
    used: Vec<UseLine>,
    /// What others used of it, the newest first.
    used_by_others: Vec<UseLine>,
}

/// A registered use.
#[derive(Debug, Serialize, JsonSchema)]
struct UseLine {
    /// When it was registered.
    at: String,
    /// Who uses it.
    member: String,
    /// Data set.
    data_set: String,
    /// What the data set is called.
    title: String,
    /// Whose data it is.
    owner: String,
    /// Agreement under which it is used.
    agreement: String,
    /// For what purpose; not known of uses that were registered before purposes were kept.
    purpose: Option<Purpose>,
    /// What it counts, in units of the data set.
    booked_units: u32,
    /// Is the agreement in force now?
    in_force: bool,
    /// When the use ends.
    ends: Option<String>,
    /// The duty of feedback it brought.
    duty: Option<String>,
    /// Units of feedback it asked for.
    units: Option<u32>,
    /// Units still owed.
    owed: i64,
    /// Units in dispute.
    disputed: i64,
    /// By when.
    due: Option<String>,
    /// Has the date passed with something owed?
    overdue: bool,
}

/// An agreement under which a data set may be used, and what that brings.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Under {
    /// Agreement.
    agreement: String,
    /// Is the use registered under it?
    registered: bool,
    /// Units of feedback owed once it is registered.
    units: Option<u32>,
    /// By when, if it is registered now.
    due: Option<String>,
    /// Within how many days a patent application is noticed.
    patent_notice_days: Option<u32>,
    /// May a patent rest on it?
    patent_allowed: bool,
    /// Use ends.
    ends: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons use",
                label: ["利用の登録", "Register a use"],
                about: [
                    "データセットの利用を登録し、還元義務・特許の通知・終わりの時刻を示します。還元義務のあるデータは、登録して初めて閲覧できます。複数の契約が許すときは --agreement でどの契約によるかを選べます。同じ利用の再登録は何も変えません。--dry-run は書かずに示すだけです。",
                    "Registers the use of a data set and tells what it obliges to: feedback with its due date, patent notices, the end of use. Data that brings a duty is read only once its use is registered. Where several agreements permit it, --agreement says under which. Doing it again changes nothing; --dry-run only tells.",
                ],
                positional: &["data_set"],
                example: "toji commons use DS-1 --purpose research --agreement AG-1",
            },
            Effect::Write,
            register,
        ),
        Operation::declare(
            Words {
                name: "commons uses",
                label: ["登録した利用", "Registered uses"],
                about: [
                    "組織が他社のデータをどの契約で、いつ、何のために使い、どの義務が生じたかと、他社が自社のデータを使った記録を、新しい順に示します。",
                    "Shows what an organisation used of others, under which agreement, when, for what and which duty came of it, and what others used of its data, the newest first.",
                ],
                positional: &["organisation"],
                example: "toji commons uses --agreement AG-1",
            },
            Effect::Read,
            uses,
        ),
    ]
}

/// What comes with a use, from the obligations of a decision.
#[derive(Default)]
struct Brings {
    feedback: Option<(u32, Instant)>,
    patent_notice_days: Option<u32>,
    no_patent: bool,
    ends: Option<Instant>,
}

impl Brings {
    fn of(decision: &Decision) -> Self {
        let mut brings = Self::default();
        for obligation in &decision.obligations {
            match obligation {
                Obligation::Feedback { units, due } => brings.feedback = Some((*units, *due)),
                Obligation::PatentNotice { within_days } => brings.patent_notice_days = Some(*within_days),
                Obligation::NoPatent => brings.no_patent = true,
                Obligation::UseEnds { at } => brings.ends = Some(*at),
            }
        }
        brings
    }
}

/// Whoever wants to use a data set, for what.
pub(super) struct Wish<'a> {
    pub(super) who: &'a Id,
    pub(super) purpose: Purpose,
    pub(super) now: Instant,
}

impl Wish<'_> {
    /// The first way of using it that is permitted, under one agreement if it is named; else why the first is not.
    fn decision(&self, commons: &Commons, data_set: &Id, agreement: Option<&Id>) -> Result<Decision> {
        let mut first = None;
        for action in USE {
            let request = Request { who: self.who, action, data_set, purpose: self.purpose, now: self.now };
            let decision = agreement.map_or_else(|| commons.decide(&request), |id| commons.decide_under(&request, id));
            if decision.allow() {
                return Ok(decision);
            }
            first.get_or_insert(decision);
        }
        first.ok_or_else(|| Error::bug("E-COMMONS-025", "no decision"))
    }

    /// Agreements under which they may use a data set of others.
    pub(super) fn under(&self, commons: &Commons, standing: &Standing, data_set: &Id) -> Result<Vec<Under>> {
        let Some(member) = commons.known_person(self.who).map(|p| &p.organisation) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for agreement in commons.covering(data_set).filter(|a| a.parties.contains(member)) {
            let decision = self.decision(commons, data_set, Some(&agreement.id))?;
            if !decision.allow() || decision.agreement.is_none() {
                continue;
            }
            let brings = Brings::of(&decision);
            found.push(Under {
                agreement: agreement.id.to_string(),
                registered: standing.has_taken(member, data_set, &agreement.id),
                units: brings.feedback.map(|(units, _)| units),
                due: brings.feedback.map(|(_, due)| due.to_string()),
                patent_notice_days: brings.patent_notice_days,
                patent_allowed: !brings.no_patent,
                ends: brings.ends.map(|at| at.to_string()),
            });
        }
        Ok(found)
    }
}

/// An agreement that counts and that the organisation is a party to.
fn party_to(standing: &Standing, actor: &Actor, name: &str) -> Result<Id> {
    let id = id_in("agreement", name)?;
    let known = standing.commons.known_agreement(&id).filter(|a| a.parties.contains(&actor.organisation));
    known.map(|a| a.id.clone()).ok_or_else(|| {
        Error::not_found(
            "E-COMMONS-029",
            format!("「{}」が当事者である効力のある契約「{name}」はありません", actor.organisation),
            format!("no agreement \"{name}\" counts to which \"{}\" is a party", actor.organisation),
        )
        .at(Place::field("agreement"))
        .hint("`toji commons agreement` で確かめてください", "see `toji commons agreement`")
    })
}

async fn register(context: Context, input: UseInput) -> Result<Used> {
    let standing = standing(&context).await?;
    let roles = [Role::ContributorAdmin, Role::Steward, Role::Scientist, Role::CdmoOperator];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let data_set = id_in("data_set", &input.data_set)?;
    let purpose = purpose_of(&input.purpose)?;
    let named = input.agreement.as_deref().map(|name| party_to(&standing, &actor, name)).transpose()?;
    let who = id_in("user", &actor.id)?;
    let judged = judged(&context, &standing, &actor)?;
    let wish = Wish { who: &who, purpose, now: context.now };
    let decision = wish.decision(&judged, &data_set, named.as_ref())?;
    decision.demand().map_err(|e| e.at(Place::field("data_set")))?;
    let Some(agreement) = &decision.agreement else {
        return Err(out_of_order(
            "data_set",
            format!("「{data_set}」の利用に登録は要りません"),
            format!("the use of \"{data_set}\" needs no registration"),
            ["自社のデータか公開データです", "it is your own, or public"],
        ));
    };
    let units = match present(&context, "data-set", data_set.as_str()).await? {
        Some(record) => record.fields.get("units").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        None => 1,
    };
    let key = [actor.organisation.as_str(), data_set.as_str(), agreement.as_str()];
    let (taking, duty) = (derived("taking", &key), derived("duty", &key));
    let brings = Brings::of(&decision);
    let terms = brings.feedback.map(|(units, due)| DutyTerms { duty, units, due });
    let known = standing.ledger.journal().into_iter().find(|p| p.transaction.id == taking).map(|p| p.transaction.cause.clone());
    let duty_of = match &known {
        Some(Cause::Taking { duty, .. }) => duty.clone(),
        _ => terms,
    };
    let owner = standing.commons.known_data_set(&data_set).map(|d| d.owner.clone()).unwrap_or_else(|| standing.home.clone());
    if known.is_none() {
        let owner = owner.clone();
        let cause = Cause::Taking {
            member: actor.organisation.clone(),
            agreement: agreement.clone(),
            data_set: data_set.clone(),
            units,
            duty: duty_of.clone(),
        };
        // The owner stands to the good from the first use on: what nobody takes counts for nobody.
        let given = Cause::Deposit { member: owner.clone(), agreement: agreement.clone(), data_set: data_set.clone(), units };
        let deposit = Transaction { id: derived("given", &key), at: context.now, cause: given };
        let taking = Transaction { id: taking, at: context.now, cause };
        let booked = vec![(owner, deposit), (actor.organisation.clone(), taking)];
        if input.dry_run {
            // The ledger judges what would be booked.
            let mut ledger = standing.ledger.clone();
            booked.into_iter().try_for_each(|(_, transaction)| ledger.post(transaction))?;
        } else {
            book(&context, &actor, &standing, ("commons use", Some(purpose)), booked, Vec::new()).await?;
        }
    }
    Ok(Used {
        data_set: data_set.to_string(),
        agreement: agreement.to_string(),
        dry_run: input.dry_run,
        booked_units: if known.is_some() { 0 } else { units },
        owner: owner.to_string(),
        known: known.is_some(),
        duty: duty_of.as_ref().map(|d| d.duty.to_string()),
        units: duty_of.as_ref().map(|d| d.units),
        due: duty_of.as_ref().map(|d| d.due.to_string()),
        patent_notice_days: brings.patent_notice_days,
        patent_allowed: !brings.no_patent,
        ends: brings.ends.map(|at| at.to_string()),
    })
}

async fn uses(context: Context, input: UsesInput) -> Result<Uses> {
    let standing = standing(&context).await?;
    let member = standing.account_of(&context, input.organisation.as_deref())?;
    let only = input.agreement.as_deref().map(|name| id_in("agreement", name)).transpose()?;
    let titles = named(&context, "data-set", "title").await?;
    let purposes = named(&context, "account-entry", "purpose").await?;
    let owner_of = |set: &Id| standing.commons.known_data_set(set).map(|d| d.owner.clone());
    let journal = standing.ledger.journal();
    let reversed: BTreeSet<&Id> = journal
        .iter()
        .filter_map(|p| match &p.transaction.cause {
            Cause::Reversal { of, .. } => Some(of),
            _ => None,
        })
        .collect();
    let open: BTreeMap<Id, _> =
        standing.ledger.duties_toward(|_| true, context.now).into_iter().map(|d| (d.duty.clone(), d)).collect();
    let mut found = Uses { organisation: member.to_string(), used: Vec::new(), used_by_others: Vec::new() };
    for posted in journal.iter().rev().filter(|p| !reversed.contains(&p.transaction.id)) {
        let Cause::Taking { member: taker, agreement, data_set, units, duty } = &posted.transaction.cause else { continue };
        let owner = owner_of(data_set);
        let (mine, of_mine) = (*taker == member, owner.as_ref() == Some(&member));
        if !(mine || of_mine) || only.as_ref().is_some_and(|only| only != agreement) {
            continue;
        }
        let terms = standing.commons.known_agreement(agreement).map(|a| &a.terms);
        let left = duty.as_ref().and_then(|terms| open.get(&terms.duty));
        let line = UseLine {
            at: posted.transaction.at.to_string(),
            member: taker.to_string(),
            title: titles.get(data_set).cloned().unwrap_or_else(|| data_set.to_string()),
            data_set: data_set.to_string(),
            owner: owner.map(|o| o.to_string()).unwrap_or_default(),
            agreement: agreement.to_string(),
            purpose: purposes.get(&posted.transaction.id).and_then(|code| purpose_of(code).ok()),
            booked_units: *units,
            in_force: terms.is_some_and(|t| t.from <= context.now && context.now < t.until),
            ends: terms.map(|t| t.until.to_string()),
            duty: duty.as_ref().map(|d| d.duty.to_string()),
            units: duty.as_ref().map(|d| d.units),
            owed: left.map_or(0, |d| d.owed),
            disputed: left.map_or(0, |d| d.disputed),
            due: left.map(|d| d.due).or_else(|| duty.as_ref().map(|d| d.due)).map(|at| at.to_string()),
            overdue: left.is_some_and(|d| d.is_overdue(context.now)),
        };
        if mine { found.used.push(line) } else { found.used_by_others.push(line) }
    }
    Ok(found)
}

/// One text of every record of a kind.
async fn named(context: &Context, kind: &str, field: &str) -> Result<BTreeMap<Id, String>> {
    let records = context.session.store.records(&Access::owner(), kind, None, true).await?;
    Ok(records.into_iter().filter_map(|r| Some((r.id, text(&r.fields, field)?))).collect())
}
