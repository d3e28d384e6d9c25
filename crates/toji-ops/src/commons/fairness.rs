//! `commons fairness`: is it fair between large and small members? Figures over groups of members, which obey the rule
//! for aggregates themselves.

use super::seat::{actor, standing};
use super::standing::instant;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_commons::account::{Ledger, Unit as Counted};
use toji_commons::agreement::Role;
use toji_commons::release::Rule;
use toji_core::{Access, Id, Result, Text};

/// Input of `commons fairness`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {}

/// One group of members.
#[derive(Debug, Serialize, JsonSchema)]
struct Group {
    /// Which members: those that gave more than the median member, or not.
    group: Text,
    /// Units given; missing where the rule for aggregates does not let it out.
    given: Option<i64>,
    /// Units taken.
    taken: Option<i64>,
    /// Units of feedback owed.
    owed: Option<i64>,
    /// Mean days from application to decision.
    waiting_days: Option<f64>,
    /// Applications refused.
    refused: Option<i64>,
    /// Why a figure is missing.
    withheld: Option<Text>,
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
                "提供の多い会員と少ない会員の群ごとに、提供・利用・義務・審査の待ち日数・不承認の数を示します。群の集計も公表規則（5者以上、一者25 %以下、占有、p %）に従い、満たさない値は伏せます。",
                "Shows, for members that gave more and that gave less, what they gave, took and owe, how long they waited for a decision, and refusals. Figures of a group obey the rule for aggregates themselves (at least 5, none above 25 %, dominance, p %) and are withheld otherwise.",
            ],
            positional: &[],
            example: "toji commons fairness",
        },
        Effect::Read,
        fairness,
    )]
}

/// What is told of a member within its group.
struct Told {
    given: i64,
    taken: i64,
    owed: i64,
    waited: Option<f64>,
    refused: bool,
}

async fn fairness(context: Context, _input: Input) -> Result<Fairness> {
    let standing = standing(&context).await?;
    let every = [Role::Operator, Role::Auditor, Role::Steward, Role::ContributorAdmin, Role::Scientist];
    actor(&context, &standing, &every, None)?;
    let records = context.session.store.records(&Access::owner(), "membership", None, false).await?;
    let mut told: BTreeMap<Id, Told> = BTreeMap::new();
    for record in &records {
        let fields = &record.fields;
        let balance = standing.ledger.standing(&record.id, None, context.now);
        let (applied, decided) = (instant(fields, "applied_at"), instant(fields, "decided_at"));
        told.insert(
            record.id.clone(),
            Told {
                given: balance.given,
                taken: balance.taken,
                owed: balance.owed,
                waited: applied.zip(decided).map(|(a, d)| (d.0 - a.0) as f64 / 86_400e9),
                refused: text(fields, "state").as_deref() == Some("refused"),
            },
        );
    }
    let mut given: Vec<i64> = told.values().map(|t| t.given).collect();
    given.sort_unstable();
    let median = given.get(given.len() / 2).copied().unwrap_or(0);
    let (more, less): (Vec<&Told>, Vec<&Told>) = told.values().partition(|t| t.given > median);
    let rule = Rule::default();
    let groups = vec![
        group(&rule, Text::new("提供の多い会員", "members that gave more than the median"), &more),
        group(&rule, Text::new("提供の少ない会員", "members that gave the median or less"), &less),
    ];
    Ok(Fairness {
        members: told.len(),
        groups,
        sum_data_sets: sum(&standing.ledger, Counted::DataSets, context.now),
        sum_duties: sum(&standing.ledger, Counted::Duties, context.now),
        rule: rule.version,
    })
}

fn sum(ledger: &Ledger, unit: Counted, at: toji_core::Instant) -> i64 {
    ledger.balances(at).iter().filter(|(account, _)| account.unit() == unit).map(|(_, amount)| amount).sum()
}

/// Figures of a group: each only when the group passes the rule for it.
fn group(rule: &Rule, name: Text, of: &[&Told]) -> Group {
    let mut withheld = false;
    let mut total = |figure: &dyn Fn(&Told) -> i64| {
        let parts: Vec<i128> = of.iter().map(|t| i128::from(figure(t))).collect();
        let fine = rule.concentration(&parts).is_none();
        withheld |= !fine;
        fine.then(|| parts.iter().sum::<i128>()).and_then(|sum| i64::try_from(sum).ok())
    };
    let (given, taken, owed) = (total(&|t| t.given), total(&|t| t.taken), total(&|t| t.owed));
    let refused = total(&|t| i64::from(t.refused));
    // Days are told as a mean over those that were decided on, who are as many as the rule asks for.
    let waited: Vec<f64> = of.iter().filter_map(|t| t.waited).collect();
    let enough = waited.len() >= rule.contributors_min;
    let waiting_days = enough.then(|| waited.iter().sum::<f64>() / waited.len() as f64);
    let reason = Text::new(
        "公表規則を満たさない値は伏せています（該当が少ないか、零か、一者に偏っています）",
        "figures that do not pass the rule are withheld: too few, none, or too much with one member",
    );
    let withheld = (withheld || !enough).then_some(reason);
    Group { group: name, given, taken, owed, waiting_days, refused, withheld }
}
