//! `commons fairness`: is it fair between large and small members? Figures over groups of members, each released as any
//! other total over competitors: judged over all earlier figures, so that the difference of two of them, before and after
//! one member acted, does not tell of that member.
//!
//! The sources of a figure are the bookings behind it (one deposit, one use, one feedback), not the balance of a member:
//! so what came in between two figures is a total of its own, and must pass the rule itself. A member that has nothing
//! of a figure is no contributor to it.

use super::release::released;
use super::seat::{actor, standing};
use super::standing::instant;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::account::{Cause, Ledger, Unit as Counted};
use toji_commons::agreement::Role;
use toji_commons::release::{Cell, Contribution, Field, Refusal, Rule};
use toji_core::{Access, Id, Instant, Record, Result, Text, Unit};

/// Decimals of days.
const DECIMALS: u32 = 3;
/// Nanoseconds of the smallest part of a day that is told apart.
const PART_NS: i64 = 86_400_000_000;

/// Input of `commons fairness`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// One group of members.
#[derive(Debug, Serialize, JsonSchema)]
struct Group {
    /// Which members: those that gave more than the median member, or not.
    group: Text,
    /// Units given, to three digits; missing where the rule for aggregates does not let it out.
    given: Option<i64>,
    /// Units taken.
    taken: Option<i64>,
    /// Units of feedback that was asked for with what was taken, from the beginning.
    owed: Option<i64>,
    /// Units of it that were handed back and accepted, waived or dismissed.
    returned: Option<i64>,
    /// Mean days from application to decision.
    waiting_days: Option<f64>,
    /// Applications refused.
    refused: Option<i64>,
    /// Why a figure is missing.
    withheld: Vec<Withheld>,
}

/// A figure that does not leave.
#[derive(Debug, Serialize, JsonSchema)]
struct Withheld {
    /// Which figure of the group.
    figure: &'static str,
    /// Clause, R1 to R10.
    clause: String,
    /// Why.
    reason: Text,
}

/// Output of `commons fairness`.
#[derive(Debug, Serialize, JsonSchema)]
struct Fairness {
    /// Members and former members.
    members: usize,
    /// Groups by what they gave.
    groups: Vec<Group>,
    /// What all accounts of data sets sum to.
    sum_data_sets: i64,
    /// What all accounts of duties sum to.
    sum_duties: i64,
    /// Version of the rule for aggregates.
    rule: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "commons fairness",
            label: ["公平性", "Fairness"],
            about: [
                "提供の多い会員と少ない会員の群ごとに、提供・利用・義務・還元・審査の待ち日数・不承認の数を示します。どの値も公表規則（5者以上、一者25 %以下、占有、p %、既公表との差の検査）に従い、以前の値との差から一者の動きが分かる値は伏せ、条項を示します。",
                "Shows, for members that gave more and that gave less, what they gave, took, owed and returned, how long they waited for a decision, and refusals. Each figure obeys the rule for aggregates itself, over all earlier figures: what would tell of one member by its difference from an earlier one is withheld, with the clause.",
            ],
            positional: &[],
            example: "toji commons fairness",
        },
        Effect::Write,
        fairness,
    )]
}

/// What the members did, booking by booking.
#[derive(Default)]
struct Booked {
    given: Vec<Contribution>,
    taken: Vec<Contribution>,
    owed: Vec<Contribution>,
    returned: Vec<Contribution>,
    refused: Vec<Contribution>,
    waited: Vec<Contribution>,
}

impl Booked {
    /// All bookings until now that were not taken back.
    fn of(ledger: &Ledger, now: Instant) -> Self {
        let mut booked = Self::default();
        let journal = || ledger.journal().into_iter().map(|p| &p.transaction).filter(move |t| t.at <= now);
        let reversed: BTreeSet<&Id> = journal()
            .filter_map(|t| match &t.cause {
                Cause::Reversal { of, .. } => Some(of),
                _ => None,
            })
            .collect();
        // A duty may be met at the very time it is booked.
        let owes: BTreeMap<&Id, &Id> = journal()
            .filter_map(|t| match &t.cause {
                Cause::Taking { member, duty: Some(terms), .. } => Some((&terms.duty, member)),
                _ => None,
            })
            .collect();
        for transaction in journal().filter(|t| !reversed.contains(&t.id)) {
            let part = |figure: &str, member: &Id, units: u32| Contribution {
                source: Id::derive(figure, &[transaction.id.as_str()]),
                member: member.clone(),
                value: i64::from(units),
                at: transaction.at,
            };
            match &transaction.cause {
                Cause::Deposit { member, units, .. } => booked.given.push(part("given", member, *units)),
                Cause::Taking { member, units, duty, .. } => {
                    booked.taken.push(part("taken", member, *units));
                    if let Some(terms) = duty {
                        booked.owed.push(part("owed", member, terms.units));
                    }
                }
                Cause::Feedback { duty, units, .. }
                | Cause::Waiver { duty, units, .. }
                | Cause::Dismissed { duty, units, .. } => {
                    if let Some(member) = owes.get(duty) {
                        booked.returned.push(part("returned", member, *units));
                    }
                }
                Cause::Dispute { .. } | Cause::Upheld { .. } | Cause::Reversal { .. } => {}
            }
        }
        booked
    }

    /// What became of an application. One that is decided on anew is another source.
    fn decided(&mut self, membership: &Record) {
        let fields = &membership.fields;
        let Some((applied, decided)) = instant(fields, "applied_at").zip(instant(fields, "decided_at")) else { return };
        let value = decided.0.saturating_sub(applied.0).max(0) / PART_NS;
        let part = |figure: &str, value: i64| Contribution {
            source: Id::derive(figure, &[membership.id.as_str(), &decided.to_string(), &value.to_string()]),
            member: membership.id.clone(),
            value,
            at: decided,
        };
        self.waited.push(part("waited", value));
        if text(fields, "state").as_deref() == Some("refused") {
            self.refused.push(part("refused", 1));
        }
    }
}

async fn fairness(context: Context, _input: Input) -> Result<Fairness> {
    let standing = standing(&context).await?;
    let every = [Role::Operator, Role::Auditor, Role::Steward, Role::ContributorAdmin, Role::Scientist];
    actor(&context, &standing, &every, None)?;
    let records = context.session.store.records(&Access::owner(), "membership", None, false).await?;
    let mut booked = Booked::of(&standing.ledger, context.now);
    let mut given: BTreeMap<&Id, i64> = records.iter().map(|r| (&r.id, 0)).collect();
    for record in &records {
        booked.decided(record);
    }
    for part in &booked.given {
        // The house itself may give without being a member.
        if let Some(sum) = given.get_mut(&part.member) {
            *sum += part.value;
        }
    }
    let mut sorted: Vec<i64> = given.values().copied().collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let (more, less): (BTreeSet<&Id>, BTreeSet<&Id>) =
        given.keys().copied().partition(|id| given.get(id).is_some_and(|g| *g > median));
    let groups = vec![
        group(&context, Text::new("提供の多い会員", "members that gave more than the median"), &more, &booked).await?,
        group(&context, Text::new("提供の少ない会員", "members that gave the median or less"), &less, &booked).await?,
    ];
    Ok(Fairness {
        members: records.len(),
        groups,
        sum_data_sets: sum(&standing.ledger, Counted::DataSets, context.now),
        sum_duties: sum(&standing.ledger, Counted::Duties, context.now),
        rule: Rule::default().version,
    })
}

fn sum(ledger: &Ledger, unit: Counted, at: Instant) -> i64 {
    ledger.balances(at).iter().filter(|(account, _)| account.unit() == unit).map(|(_, amount)| amount).sum()
}

/// Figures of a group, each as it may leave.
async fn group(context: &Context, name: Text, of: &BTreeSet<&Id>, booked: &Booked) -> Result<Group> {
    let mut group = Group {
        group: name.clone(),
        given: None,
        taken: None,
        owed: None,
        returned: None,
        waiting_days: None,
        refused: None,
        withheld: Vec::new(),
    };
    let counted = [
        ("given", &booked.given, &mut group.given),
        ("taken", &booked.taken, &mut group.taken),
        ("owed", &booked.owed, &mut group.owed),
        ("returned", &booked.returned, &mut group.returned),
        ("refused", &booked.refused, &mut group.refused),
    ];
    for (figure, parts, place) in counted {
        match figure_of(context, &name, figure, "1", 0, of, parts).await? {
            Ok((total, _)) => *place = Some(total.round() as i64),
            Err(refusal) => group.withheld.push(withheld(figure, refusal)),
        }
    }
    // Days are told as a mean over those that were decided on.
    match figure_of(context, &name, "waiting_days", "d", DECIMALS, of, &booked.waited).await? {
        Ok((total, contributors)) => group.waiting_days = Some(total / contributors as f64),
        Err(refusal) => group.withheld.push(withheld("waiting_days", refusal)),
    }
    Ok(group)
}

fn withheld(figure: &'static str, refusal: Refusal) -> Withheld {
    Withheld { figure, clause: refusal.clause.number().into(), reason: refusal.reason }
}

/// One figure of a group: its total with how many stand behind it. Both groups are of one table, so that a member that
/// changes over is seen.
async fn figure_of(
    context: &Context,
    group: &Text,
    figure: &str,
    unit: &str,
    decimals: u32,
    of: &BTreeSet<&Id>,
    parts: &[Contribution],
) -> Result<std::result::Result<(f64, usize), Refusal>> {
    let cell = Cell {
        table: Id::derive("fairness", &[figure]),
        field: Field::Process,
        unit: Unit::parse(unit)?,
        decimals,
        contributions: parts.iter().filter(|p| of.contains(&p.member)).cloned().collect(),
    };
    let title = Text::new(format!("公平性：{}の {figure}", group.ja), format!("fairness: {figure} of {}", group.en));
    let question = json!({ "figure": figure, "group": group.en });
    let (judged, _) = released(context, title, question, cell).await?;
    Ok(judged.map(|published| (published.total.value, published.contributors)))
}
