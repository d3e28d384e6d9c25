//! `commons budget` and `commons set-budget`: what the data under an agreement may lose to answers with noise, what was
//! spent by whom for which answer, and what is left.

use super::privacy::{Measure, Purse, Stated, advantage_percent, amount, measure, mechanism_words, state};
use super::seat::{Actor, actor, standing};
use super::standing::Standing;
use super::write::{id_in, wanted};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_commons::agreement::{Agreement, Role};
use toji_commons::privacy::{Loss, Nano, Promise, Protected};
use toji_core::{Category, Error, Id, Place, Result, Text};

/// Largest ε of a budget. Beyond it the promise is hardly one: a guess may be right e^10 times as often.
const EPSILON_MAX: f64 = 10.0;
/// Largest ρ: what ε = 10 comes to in answers with Laplace noise.
const RHO_MAX: f64 = 50.0;
/// Largest δ.
const DELTA_MAX: f64 = 1e-3;

/// Input of `commons budget`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowInput {
    /// Agreement; all of one's own when missing.
    ///
    /// 契約。省略時は自社の契約すべて。
    #[serde(default)]
    agreement: Option<String>,
    /// Organisation; one's own when missing.
    ///
    /// 組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// Whose presence nobody shall be able to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Protects {
    /// A member, with all it has.
    ///
    /// 会員（その全データ）。
    Member,
    /// A run.
    ///
    /// 一つの培養。
    Run,
}

impl From<Protects> for Protected {
    fn from(protects: Protects) -> Self {
        match protects {
            Protects::Member => Self::Member,
            Protects::Run => Self::Run,
        }
    }
}

impl From<Protected> for Protects {
    fn from(protected: Protected) -> Self {
        match protected {
            Protected::Member => Self::Member,
            Protected::Run => Self::Run,
        }
    }
}

/// Input of `commons set-budget`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetInput {
    /// Agreement.
    ///
    /// 契約。
    agreement: String,
    /// ε that all answers together may cost: pure, or with delta approximate differential privacy.
    ///
    /// 全回答の ε の合計の上限。delta を付けると近似差分プライバシー。
    #[serde(default)]
    epsilon: Option<f64>,
    /// δ of approximate differential privacy, e.g. 0.000001.
    ///
    /// 近似差分プライバシーの δ（例 0.000001）。
    #[serde(default)]
    delta: Option<f64>,
    /// ρ of zero-concentrated differential privacy, instead of epsilon.
    ///
    /// ε の代わりに、集中差分プライバシーの ρ。
    #[serde(default)]
    rho: Option<f64>,
    /// Whose presence nobody shall be able to tell: a member with all it has, or a run; a member when missing.
    ///
    /// 存在を知られない単位：会員の全データ（member）か一培養（run）。省略時は会員。
    #[serde(default)]
    protects: Option<Protects>,
    /// Owner whose data it is; one's own organisation when missing.
    ///
    /// データの所有者。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// Output of `commons budget`.
#[derive(Debug, Serialize, JsonSchema)]
struct Budgets {
    /// Budgets of agreements.
    budgets: Vec<BudgetView>,
}

/// A budget.
#[derive(Debug, Serialize, JsonSchema)]
struct BudgetView {
    /// Agreement.
    agreement: String,
    /// Title.
    title: String,
    /// Does it hold: did all owners state theirs, in one kind?
    in_effect: bool,
    /// Owners that have not stated theirs.
    not_stated: Vec<String>,
    /// Whose presence nobody can tell.
    protects: Option<Protects>,
    /// In what it is counted.
    counted_in: Option<Measure>,
    /// What all answers together may cost: the least of what the owners stated.
    allowed: Option<f64>,
    /// δ, where the promise has one.
    delta: Option<f64>,
    /// Spent.
    spent: Option<f64>,
    /// Left.
    remaining: Option<f64>,
    /// When all is spent: how much better than by chance, at most, anybody can tell whether a protected unit is in the data.
    advantage_percent_max: Option<f64>,
    /// What each owner stated last.
    statements: Vec<StatedView>,
    /// What was spent, in its order: for owners of the data and those who check the platform; others see their own.
    charges: Vec<ChargeView>,
}

/// What an owner stated.
#[derive(Debug, Serialize, JsonSchema)]
struct StatedView {
    /// Owner.
    owner: String,
    /// In what it is counted.
    counted_in: Measure,
    /// What it allows.
    allowed: f64,
    /// δ.
    delta: Option<f64>,
    /// Whose presence nobody can tell.
    protects: Protects,
    /// When.
    at: String,
    /// Who said so.
    stated_by: String,
}

/// What an answer cost.
#[derive(Debug, Serialize, JsonSchema)]
struct ChargeView {
    /// Entry.
    charge: String,
    /// When.
    at: String,
    /// Who asked.
    member: String,
    /// For which answer.
    question: Text,
    /// Noise on each of its figures.
    noise: Vec<String>,
    /// ε it cost, where its noise is Laplace's.
    epsilon_paid: Option<f64>,
    /// ρ it cost, where its noise is Gaussian.
    rho_paid: Option<f64>,
    /// Spent of the budget after it.
    spent: Option<f64>,
    /// Left after it.
    remaining: Option<f64>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons budget",
                label: ["プライバシー予算", "Privacy budget"],
                about: [
                    "契約のプライバシー予算（差分プライバシーの ε または ρ）と、誰がどの回答に使い、いくら残るかを示します。支出の明細はデータの所有者と基盤運営者・監査人に示し、ほかの当事者には自社の分だけを示します。",
                    "Shows the privacy budget of an agreement (ε or ρ of differential privacy): what was spent by whom for which answer, and what is left. Owners of the data, operators and auditors see every charge; other parties see their own.",
                ],
                positional: &["agreement"],
                example: "toji commons budget AG-1",
            },
            Effect::Read,
            show,
        ),
        Operation::declare(
            Words {
                name: "commons set-budget",
                label: ["プライバシー予算の設定", "Set a privacy budget"],
                about: [
                    "契約の対象データの所有者が、雑音付きの回答で自社のデータから失われてよい量を定めます。全所有者が定めて初めて有効になり、その最小が予算です。自社だけで減らすことはいつでもでき、増えるのは全所有者が増やしたときだけです。支出は戻りません。",
                    "An owner of data under an agreement states what its data may lose to answers with noise. It holds once all owners stated theirs, and the least of them is the budget: an owner alone may tighten it at any time, and it widens only when all do. What was spent is never given back.",
                ],
                positional: &["agreement"],
                example: "toji commons set-budget AG-1 --epsilon 1 --protects member",
            },
            Effect::Write,
            set,
        ),
    ]
}

async fn show(context: Context, input: ShowInput) -> Result<Budgets> {
    let standing = standing(&context).await?;
    let every = [Role::Operator, Role::Auditor, Role::Steward, Role::ContributorAdmin, Role::Scientist, Role::AiService];
    let actor = actor(&context, &standing, &every, input.organisation.as_deref())?;
    let watches = watches(&context, &standing, &actor);
    let party = |a: &&Agreement| watches || a.parties.contains(&actor.organisation);
    let agreements: Vec<&Agreement> = match &input.agreement {
        Some(id) => {
            let id = id_in("agreement", id)?;
            wanted(&context, "agreement", id.as_str(), "agreement").await?;
            standing.commons.known_agreement(&id).filter(party).into_iter().collect()
        }
        None => standing.commons.agreements().filter(party).collect(),
    };
    let mut budgets = Vec::new();
    for agreement in agreements {
        let purse = Purse::of(&context, &standing, agreement).await?;
        // Of many agreements those without any budget say nothing.
        if input.agreement.is_some() || !purse.stated.is_empty() {
            budgets.push(view(&context, &purse, agreement, &actor, watches).await?);
        }
    }
    Ok(Budgets { budgets })
}

/// Those who run or check the platform, and the owner of the store.
fn watches(context: &Context, standing: &Standing, actor: &Actor) -> bool {
    let known = Id::parse(&actor.id).ok().and_then(|id| standing.commons.known_person(&id).cloned());
    context.access.sees_all() || known.is_some_and(|p| p.roles.iter().any(|r| matches!(r, Role::Operator | Role::Auditor)))
}

async fn view(context: &Context, purse: &Purse, agreement: &Agreement, actor: &Actor, watches: bool) -> Result<BudgetView> {
    let record = super::write::present(context, "agreement", agreement.id.as_str()).await?;
    let title = record.and_then(|r| crate::run::text(&r.fields, "title")).unwrap_or_else(|| agreement.id.to_string());
    let holds = purse.holds();
    let budget = holds.map(|_| purse.budget()).transpose()?;
    let standing = budget.as_ref().map(toji_commons::privacy::Budget::standing).transpose()?;
    let lines = match &budget {
        Some(budget) => budget.statement()?.into_iter().map(|line| (line.charge, Some(line.standing))).collect(),
        None => purse.spent.iter().map(|s| (s.charge.clone(), None)).collect::<Vec<_>>(),
    };
    let all = watches || purse.owners.contains(&actor.organisation);
    let charges = lines
        .into_iter()
        .filter(|(charge, _)| all || charge.member == actor.organisation)
        .map(|(charge, after)| {
            let (epsilon, rho) = match charge.loss {
                Loss::Pure { epsilon } => (Some(epsilon.value()), None),
                Loss::Concentrated { rho } => (None, Some(rho.value())),
            };
            ChargeView {
                charge: charge.id.to_string(),
                at: charge.at.to_string(),
                member: charge.member.to_string(),
                noise: charge.mechanisms.iter().map(mechanism_words).collect(),
                question: charge.question,
                epsilon_paid: epsilon,
                rho_paid: rho,
                spent: after.map(|s| s.spent.value()),
                remaining: after.map(|s| s.left.value()),
            }
        })
        .collect();
    let statements = purse
        .stated
        .values()
        .map(|s| {
            let (allowed, delta) = amount(s.promise);
            StatedView {
                owner: s.owner.to_string(),
                counted_in: measure(s.promise),
                allowed,
                delta,
                protects: s.protected.into(),
                at: s.at.to_string(),
                stated_by: s.by.clone(),
            }
        })
        .collect();
    Ok(BudgetView {
        agreement: agreement.id.to_string(),
        title,
        in_effect: holds.is_some(),
        not_stated: purse.missing().into_iter().map(ToString::to_string).collect(),
        protects: holds.map(|(_, protected)| protected.into()),
        counted_in: holds.map(|(promise, _)| measure(promise)),
        allowed: holds.map(|(promise, _)| amount(promise).0),
        delta: holds.and_then(|(promise, _)| amount(promise).1),
        spent: standing.map(|s| s.spent.value()),
        remaining: standing.map(|s| s.left.value()),
        advantage_percent_max: holds.map(|(promise, _)| advantage_percent(promise)),
        statements,
        charges,
    })
}

async fn set(context: Context, input: SetInput) -> Result<BudgetView> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin], input.organisation.as_deref())?;
    let id = id_in("agreement", &input.agreement)?;
    wanted(&context, "agreement", id.as_str(), "agreement").await?;
    let agreement = standing.commons.known_agreement(&id).ok_or_else(|| {
        Error::new(
            Category::Conflict,
            "E-COMMONS-062",
            format!("契約「{id}」は全当事者の署名がそろっていません"),
            format!("agreement \"{id}\" is not signed by all its parties"),
        )
        .at(Place::field("agreement"))
        .hint("先に `toji commons sign` で署名してください", "have it signed first (`toji commons sign`)")
    })?;
    let stated = Stated {
        owner: actor.organisation.clone(),
        promise: promise(&input)?,
        protected: input.protects.unwrap_or(Protects::Member).into(),
        by: actor.id.clone(),
        at: context.now,
    };
    let purse = state(&context, &standing, agreement, stated, &allowed).await?;
    view(&context, &purse, agreement, &actor, false).await
}

/// What is promised, from the options.
fn promise(input: &SetInput) -> Result<Promise> {
    let fault = |field: &str, ja: String, en: String| {
        Error::input("E-COMMONS-063", ja, en).at(Place::field(field)).hint(
            "例: --epsilon 1、--epsilon 1 --delta 0.000001、--rho 0.1",
            "examples: --epsilon 1; --epsilon 1 --delta 0.000001; --rho 0.1",
        )
    };
    let within = |field: &str, value: f64, most: f64| {
        if value > 0.0 && value <= most {
            return Nano::at_least(value).map_err(|e| e.at(Place::field(field)));
        }
        Err(fault(
            field,
            format!("{field} は 0 より大きく {most} 以下です。それより緩い約束は約束になりません"),
            format!("{field} is above 0 and at most {most}: a wider promise is none"),
        ))
    };
    match (input.epsilon, input.delta, input.rho) {
        (Some(epsilon), None, None) => Ok(Promise::Pure { epsilon: within("epsilon", epsilon, EPSILON_MAX)? }),
        (Some(epsilon), Some(delta), None) => Ok(Promise::Approximate {
            epsilon: within("epsilon", epsilon, EPSILON_MAX)?,
            delta: within("delta", delta, DELTA_MAX)?,
        }),
        (None, None, Some(rho)) => Ok(Promise::Concentrated { rho: within("rho", rho, RHO_MAX)? }),
        _ => Err(fault(
            "epsilon",
            "予算は epsilon（と delta）か rho のどちらかで定めます".into(),
            "a budget is stated as epsilon, with or without delta, or as rho".into(),
        )),
    }
}

/// What stands against a statement.
fn allowed(purse: &Purse, stated: &Stated) -> Result<()> {
    if !purse.owners.contains(&stated.owner) {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-062",
            format!("契約の対象に「{}」のデータはありません", stated.owner),
            format!("the agreement covers no data of \"{}\"", stated.owner),
        )
        .at(Place::field("organisation"))
        .hint("予算は対象データの所有者が定めます", "a budget is stated by owners of the data it covers"));
    }
    purse.enough_owners(stated.protected)?;
    // What was told under one kind of promise cannot be counted in another.
    let kind = |p: Promise| (std::mem::discriminant(&p), amount(p).1.map(f64::to_bits));
    let before = purse.stated.values().find(|s| kind(s.promise) != kind(stated.promise) || s.protected != stated.protected);
    if let Some(before) = before.filter(|_| !purse.spent.is_empty()) {
        return Err(Error::new(
            Category::Conflict,
            "E-COMMONS-062",
            format!("支出があるため、予算の種類と保護単位は「{}」の定めと同じでなければなりません", before.owner),
            format!("something was spent, so kind and protected unit stay as \"{}\" stated them", before.owner),
        )
        .at(Place::field("protects"))
        .hint("`toji commons budget` で今の定めを確かめてください", "see what stands with `toji commons budget`"));
    }
    Ok(())
}
