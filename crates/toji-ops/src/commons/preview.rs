//! `commons preview`: who would gain and who would lose what, before a change is voted on.

use super::agreement::{Draft, Offered, judged, own_party, terms_of};
use super::seat::{Actor, actor, standing};
use super::standing::{Standing, instant};
use super::write::{id_in, present, wanted};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_commons::agreement::{Agreement, Area, Person, Purpose, Role};
use toji_commons::decide::{Action, Changed, Clause, Commons, compare};
use toji_core::{Error, Id, Instant, Place, Record, Result, Text};

/// Input of `commons preview`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Draft of an agreement, looked at as if all had signed it; with terms, the agreement that they would change.
    ///
    /// 全当事者が署名したとみなす契約の案。terms を付けると、その条件に改めるとみなす契約。
    #[serde(default)]
    agreement: Option<String>,
    /// Terms looked at as if all parties had signed them, before anybody drafts them: as JSON or `@file`, as of `commons draft`.
    ///
    /// 起案の前に、全当事者が署名したとみなす条件。`commons draft` と同じ JSON または `@ファイル`。
    #[serde(default)]
    terms: Option<Draft>,
    /// Agreement looked at as if it ended.
    ///
    /// 終わったとみなす契約。
    #[serde(default)]
    without: Option<String>,
    /// Data set that would change.
    ///
    /// 改めるデータセット。
    #[serde(default)]
    data_set: Option<String>,
    /// Its area then.
    ///
    /// 改めた後の共有領域。
    #[serde(default)]
    area: Option<Area>,
    /// End of its embargo then, RFC 3339.
    ///
    /// 改めた後の公開猶予の終わり（RFC 3339）。
    #[serde(default)]
    embargo_until: Option<String>,
    /// Instants to look at, RFC 3339; now and the edges of the terms concerned when missing.
    ///
    /// 見る時刻（RFC 3339）。省略時は今と、関わる期間の前後。
    #[serde(default)]
    at: Vec<String>,
}

/// Output of `commons preview`.
#[derive(Debug, Serialize, JsonSchema)]
struct Preview {
    /// Agreement whose terms were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    /// Instants looked at.
    instants: Vec<String>,
    /// What others do with data of others is left out: the terms reach beyond what their parties agreed on so far.
    own_only: bool,
    /// Is anything decided otherwise?
    changes: bool,
    /// Access lost.
    lost: Vec<ChangeView>,
    /// Access gained.
    gained: Vec<ChangeView>,
}

/// One change, with a case.
#[derive(Debug, Serialize, JsonSchema)]
struct ChangeView {
    /// Organisation; missing for people without an account.
    organisation: Option<String>,
    /// Data set.
    data_set: String,
    /// Action.
    action: Action,
    /// How many cases (person, purpose, instant) change so.
    cases: usize,
    /// A person of the example.
    who: String,
    /// Purpose of the example.
    purpose: Purpose,
    /// Instant of the example.
    at: String,
    /// What decides now.
    before: Clause,
    /// Why now.
    before_reason: Text,
    /// What would decide then.
    after: Clause,
    /// Why then.
    after_reason: Text,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "commons preview",
            label: ["変更の影響", "Preview a change"],
            about: [
                "契約の案、起案前の条件（--terms）、契約の終わり、データセットの領域や公開猶予の変更によって、誰が何をできるようになり、できなくなるかを、実例とともに示します。何も変えません。",
                "Shows who would gain and who would lose what, each with a case, by a draft of an agreement, by terms that nobody drafted yet (--terms), by the end of one, or by another area or embargo of a data set. It changes nothing.",
            ],
            positional: &[],
            example: "toji commons preview --agreement AG-1 --terms @changed.json",
        },
        Effect::Read,
        preview,
    )]
}

async fn preview(context: Context, input: Input) -> Result<Preview> {
    let standing = standing(&context).await?;
    let mut input = input;
    let terms = input.terms.take();
    let asker = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward, Role::Operator, Role::Auditor], None)?;
    // Terms are told to those they concern: the gate is asked for the record itself.
    let changed = match &input.agreement {
        Some(id) if terms.is_some() => present(&context, "agreement", id).await?.is_some(),
        named => named.is_some(),
    };
    for id in input.agreement.iter().filter(|_| changed).chain(&input.without) {
        context.session.store.record(&context.access, "agreement", id, None).await?;
    }
    let mut before = (*standing.commons).clone();
    // An organisation that has nobody here yet is looked at as a steward of it.
    let peopled: BTreeSet<Id> = before.persons().map(|p| p.organisation.clone()).collect();
    let empty: Vec<Id> = before.organisations().map(|o| o.id.clone()).filter(|id| !peopled.contains(id)).collect();
    for organisation in empty {
        let id = Id::parse(&format!("{organisation}:steward"))?;
        before.person(Person { id, organisation, roles: BTreeSet::from([Role::Steward]) })?;
    }
    let before = before;
    let mut after = before.clone();
    let mut edges = vec![context.now];
    let mut reach = Reach::Everything;
    let draft = match (&input.agreement, terms) {
        (Some(id), None) => {
            let record = wanted(&context, "agreement", id, "agreement").await?;
            Some(terms_of(&record).ok_or_else(|| Error::bug("E-COMMONS-023", "an agreement whose document is not readable"))?)
        }
        (named, Some(terms)) => {
            let offered = terms.offered()?;
            let id = named.as_deref().map_or_else(|| Ok(Id::derive("draft", &[&offered.title])), |id| id_in("agreement", id))?;
            let record = if changed { present(&context, "agreement", id.as_str()).await? } else { None };
            reach = reach_of(&context, &standing, &asker, &offered, record.as_ref())?;
            Some(judged(&context, &standing, &id, 1, &offered).await?)
        }
        (None, None) => None,
    };
    let looked_at = draft.as_ref().map(|d| d.id.to_string());
    if let Some(draft) = draft {
        around(&draft, &mut edges);
        if let Some(present) = before.known_agreement(&draft.id) {
            around(present, &mut edges);
        }
        after.without_agreement(&draft.id);
        after.agreement(draft)?;
    }
    if let Some(id) = &input.without {
        let id = id_in("without", id)?;
        if let Some(present) = before.known_agreement(&id) {
            around(present, &mut edges);
        }
        after.without_agreement(&id);
    }
    if let Some(id) = &input.data_set {
        changed_set(&context, &standing, &input, id, &mut after, &mut edges).await?;
    }
    let mut instants: Vec<Instant> = if input.at.is_empty() {
        edges
    } else {
        input.at.iter().map(|t| Instant::parse(t).map_err(|e| e.at(Place::field("at")))).collect::<Result<_>>()?
    };
    instants.sort();
    instants.dedup();
    let told = |c: &Changed| match &reach {
        Reach::Everything => true,
        Reach::Own(own) => {
            c.organisation.as_ref() == Some(own) || before.known_data_set(&c.data_set).is_some_and(|d| d.owner == *own)
        }
    };
    let (gained, lost): (Vec<_>, Vec<_>) = compare(&before, &after, &instants).into_iter().filter(told).partition(|c| c.gained);
    let view = |c: Changed| ChangeView {
        organisation: c.organisation.map(|o| o.to_string()),
        data_set: c.data_set.to_string(),
        action: c.action,
        cases: c.cases,
        who: c.who.to_string(),
        purpose: c.purpose,
        at: c.at.to_string(),
        before: c.before,
        before_reason: c.before.reason(),
        after: c.after,
        after_reason: c.after.reason(),
    };
    Ok(Preview {
        agreement: looked_at,
        own_only: matches!(reach, Reach::Own(_)),
        instants: instants.iter().map(ToString::to_string).collect(),
        changes: !gained.is_empty() || !lost.is_empty(),
        lost: lost.into_iter().map(view).collect(),
        gained: gained.into_iter().map(view).collect(),
    })
}

/// Of what the answer may tell.
enum Reach {
    Everything,
    /// Of what this organisation gains and loses, and of its data.
    Own(Id),
}

/// Terms that nobody drafted are seen by nobody but the asker. So where they name parties or data sets beyond those of an
/// agreement of the asker's, the answer must not tell what these have from each other today.
fn reach_of(context: &Context, standing: &Standing, asker: &Actor, offered: &Offered, record: Option<&Record>) -> Result<Reach> {
    if actor(context, standing, &[Role::Operator, Role::Auditor], None).is_ok() {
        return Ok(Reach::Everything);
    }
    own_party(asker, offered)?;
    let known = record.and_then(terms_of);
    let within = known.is_some_and(|a| offered.parties.is_subset(&a.parties) && offered.data_sets.is_subset(&a.data_sets));
    Ok(if within { Reach::Everything } else { Reach::Own(asker.organisation.clone()) })
}

/// The first and last instant of a term and those just outside.
fn around(agreement: &Agreement, edges: &mut Vec<Instant>) {
    let (from, until) = (agreement.terms.from, agreement.terms.until);
    edges.extend([from.plus_ns(-1), Some(from), until.plus_ns(-1), Some(until)].into_iter().flatten());
}

async fn changed_set(
    context: &Context,
    standing: &Standing,
    input: &Input,
    id: &str,
    after: &mut Commons,
    edges: &mut Vec<Instant>,
) -> Result<()> {
    let record = wanted(context, "data-set", id, "data_set").await?;
    // Who may do what with a data set is told to its owner, and to those who answer for the platform.
    let owner = text(&record.fields, "owner");
    if actor(context, standing, &[Role::Operator, Role::Auditor], None).is_err() {
        actor(context, standing, &[Role::ContributorAdmin, Role::Steward], owner.as_deref())?;
    }
    let Some(mut data_set) = standing.commons.known_data_set(&record.id).cloned() else { return Ok(()) };
    edges.extend(instant(&record.fields, "embargo_until").into_iter().flat_map(|end| [end.plus_ns(-1), Some(end)]).flatten());
    if let Some(area) = input.area {
        data_set.area = area;
    }
    if let Some(end) = &input.embargo_until {
        let end = Instant::parse(end).map_err(|e| e.at(Place::field("embargo_until")))?;
        edges.extend([end.plus_ns(-1), Some(end)].into_iter().flatten());
        data_set.embargo = Some(end);
    }
    after.data_set(data_set)
}
