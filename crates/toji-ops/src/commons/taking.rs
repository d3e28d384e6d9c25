//! What is handed back for what was taken: feedback, dispute, patents, and the account of it all.

use super::seat::{Actor, actor, standing};
use super::standing::Standing;
use super::write::{id_in, out_of_order, said, wanted, with, write, write_all};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_commons::account::{Balance, Cause, OpenDuty, Transaction, Unit};
use toji_commons::agreement::{Agreement, Patents, Purpose, Role};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Digest, Error, Id, Instant, Place, Result, Text};
use toji_store::Put;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Input of `commons feedback`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FeedbackInput {
    /// Duty.
    ///
    /// 還元義務。
    duty: String,
    /// Data set of one's own that is handed back.
    ///
    /// 還元する自社のデータセット。
    given: String,
    /// Units.
    ///
    /// 単位数。
    units: u32,
    /// What was learned, in a line.
    ///
    /// 得られたことの一行の説明。
    title: String,
}

/// Input of `commons accept`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInput {
    /// Feedback.
    ///
    /// 還元。
    feedback: String,
    /// Send it back instead of accepting it.
    ///
    /// 受理せず差し戻す。
    #[serde(default)]
    send_back: bool,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Output about a feedback.
#[derive(Debug, Serialize, JsonSchema)]
struct FeedbackView {
    /// Feedback.
    feedback: String,
    /// Duty.
    duty: String,
    /// State.
    state: String,
    /// Units.
    units: u32,
    /// What the duty still asks for.
    still_owed: i64,
}

/// Input of `commons dispute`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DisputeInput {
    /// Duty.
    ///
    /// 還元義務。
    duty: String,
    /// Units disputed.
    ///
    /// 異議のある単位数。
    units: u32,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Input of `commons settle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettleInput {
    /// Duty.
    ///
    /// 還元義務。
    duty: String,
    /// Units settled.
    ///
    /// 決着した単位数。
    units: u32,
    /// How it was settled.
    ///
    /// 決着。
    outcome: Outcome,
    /// New due date when the duty stands, RFC 3339.
    ///
    /// 義務が存続するときの新しい期限（RFC 3339）。
    #[serde(default)]
    due: Option<String>,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// How a dispute or a duty ends without feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// The duty stands.
    ///
    /// 義務は存続。
    Upheld,
    /// Nothing was owed.
    ///
    /// 義務なし。
    Dismissed,
    /// Part of a duty that is not disputed is waived.
    ///
    /// 異議のない義務の免除。
    Waived,
}

/// Output about a duty.
#[derive(Debug, Serialize, JsonSchema)]
struct DutyView {
    /// Duty.
    duty: String,
    /// Who owes.
    member: String,
    /// Still owed, in units.
    owed: i64,
    /// Disputed, in units.
    disputed: i64,
    /// By when.
    due: Option<String>,
}

/// Input of `commons patent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PatentInput {
    /// Data set on which it rests.
    ///
    /// 発明の基となったデータセット。
    data_set: String,
    /// Agreement under which it was used.
    ///
    /// 利用した契約。
    agreement: String,
    /// Title of the invention.
    ///
    /// 発明の名称。
    title: String,
    /// Filed when, RFC 3339.
    ///
    /// 出願日（RFC 3339）。
    filed_at: String,
    /// Number of the application.
    ///
    /// 出願番号。
    #[serde(default)]
    application_number: Option<String>,
    /// Organisation that filed; one's own when missing.
    ///
    /// 出願した組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// Output of `commons patent`.
#[derive(Debug, Serialize, JsonSchema)]
struct PatentView {
    /// Notice.
    notice: String,
    /// Owner who is told.
    owner: String,
    /// Was due.
    due: String,
    /// Given too late?
    late: bool,
}

/// Input of `commons account`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    /// Organisation; one's own when missing.
    ///
    /// 組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
    /// From, RFC 3339; the beginning when missing.
    ///
    /// 期間の始め（RFC 3339）。省略時は最初から。
    #[serde(default)]
    from: Option<String>,
    /// Until before, RFC 3339; now when missing.
    ///
    /// 期間の終わり（この時刻の前まで、RFC 3339）。省略時は今。
    #[serde(default)]
    to: Option<String>,
}

/// Output of `commons account`.
#[derive(Debug, Serialize, JsonSchema)]
struct AccountView {
    /// Organisation.
    member: String,
    /// How it stood before.
    opening: Balance,
    /// What happened.
    lines: Vec<LineView>,
    /// How it stands at the end.
    closing: Balance,
    /// Open duties, by due date.
    duties: Vec<DutyLine>,
    /// Open duties of others, who used its data, by due date.
    owed_to: Vec<DutyLine>,
    /// Feedback that waits for acceptance, handed in by or to the organisation.
    feedback: Vec<Json>,
    /// Patent notices given by or to it.
    patents: Vec<Json>,
    /// What all accounts of data sets sum to, over all members.
    sum_data_sets: i64,
    /// What all accounts of duties sum to.
    sum_duties: i64,
    /// Hash of all transactions, as it stands in the log.
    digest: String,
}

/// One transaction.
#[derive(Debug, Serialize, JsonSchema)]
struct LineView {
    /// When.
    at: String,
    /// Transaction.
    transaction: String,
    /// What happened.
    what: Text,
    /// What it added.
    change: Balance,
    /// How the member stood after it.
    after: Balance,
}

/// An open duty.
#[derive(Debug, Serialize, JsonSchema)]
struct DutyLine {
    /// Duty.
    duty: String,
    /// Who owes it.
    member: String,
    /// To whom: the owner of the data.
    owner: String,
    /// Agreement.
    agreement: String,
    /// Data set that was taken.
    data_set: String,
    /// Still owed, in units.
    owed: i64,
    /// Disputed, in units.
    disputed: i64,
    /// By when.
    due: String,
    /// Has the date passed?
    overdue: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons feedback",
                label: ["還元の提出", "Hand in feedback"],
                about: [
                    "還元義務に対し、自社のデータセットを還元として提出します。データの所有者が受理すると義務から引き落とされます。",
                    "Hands in a data set of one's own for a duty of feedback. It is booked off once the owner of the data accepts it.",
                ],
                positional: &["duty", "given"],
                example: "toji commons feedback duty-1 DS-2 --units 1 --title 45°Cでの培養結果",
            },
            Effect::Write,
            hand_in,
        ),
        Operation::declare(
            Words {
                name: "commons accept",
                label: ["還元の受理", "Accept feedback"],
                about: [
                    "提出された還元を受理して義務から引き落とすか、理由を添えて差し戻します。利用されたデータの所有者が行います。",
                    "Accepts feedback, which books the duty off, or sends it back with the reason. It is for the owner of the data that was used.",
                ],
                positional: &["feedback"],
                example: "toji commons accept feedback-1 --reason 内容を確認",
            },
            Effect::Write,
            accept,
        ),
        Operation::declare(
            Words {
                name: "commons dispute",
                label: ["義務への異議", "Dispute a duty"],
                about: [
                    "還元義務の一部または全部に異議を申し立てます。決着まで凍結され、その分は期限超過になりません。",
                    "Disputes part or all of a duty. It is frozen until settled and is not overdue meanwhile.",
                ],
                positional: &["duty"],
                example: "toji commons dispute duty-1 --units 1 --reason 利用していない",
            },
            Effect::Write,
            dispute,
        ),
        Operation::declare(
            Words {
                name: "commons settle",
                label: ["異議の決着・免除", "Settle a dispute"],
                about: [
                    "異議に決着を付けるか、義務の一部を免除します。データの所有者が行います。免除と決着は根拠の文書とともに帳簿に残ります。",
                    "Settles a dispute, or waives part of a duty. It is for the owner of the data; settlement and waiver stand in the account with their reason.",
                ],
                positional: &["duty"],
                example: "toji commons settle duty-1 --units 1 --outcome dismissed --reason 利用の記録なし",
            },
            Effect::Write,
            settle,
        ),
        Operation::declare(
            Words {
                name: "commons patent",
                label: ["特許出願の通知", "Give notice of a patent"],
                about: [
                    "共有データに基づく特許出願を所有者に通知します。契約の期限を過ぎた通知は期限後として残ります。",
                    "Tells the owner of a patent application that rests on shared data. A notice after the term of the agreement is kept as late.",
                ],
                positional: &["data_set"],
                example: "toji commons patent DS-1 --agreement AG-1 --title 変異株 --filed-at 2026-10-01T00:00:00Z",
            },
            Effect::Write,
            patent,
        ),
        Operation::declare(
            Words {
                name: "commons account",
                label: ["提供と利用の勘定", "Account of given and taken"],
                about: [
                    "組織の提供・利用・還元義務の明細、その組織が負う義務と、そのデータを使った他社が負う義務、期限、特許の通知を示します。全会員の勘定の合計は常に零です。",
                    "Shows what an organisation gave, took and owes, its open duties and those that others owe for its data, with their dates, and patent notices. Over all members the accounts sum to zero at any time.",
                ],
                positional: &["organisation"],
                example: "toji commons account",
            },
            Effect::Read,
            account,
        ),
    ]
}

/// One transaction as a record, with the purpose that was named for a use.
fn entry(actor: &Actor, standing: &Standing, member: &Id, transaction: &Transaction, purpose: Option<Purpose>) -> Result<Put> {
    let json = serde_json::to_value(transaction).map_err(|e| Error::bug("E-COMMONS-024", e))?;
    let cause = json.get("cause").cloned().unwrap_or_default();
    // Whose data was taken knows of it.
    let data_set = json.get("data_set").and_then(Json::as_str).and_then(|id| Id::parse(id).ok());
    let owner = data_set.and_then(|id| standing.commons.known_data_set(&id)).map(|d| d.owner.to_string());
    let fields = with(
        FieldMap::new(),
        [
            ("cause", cause),
            ("member", json!(member.as_str())),
            ("owner", json!(owner)),
            ("at", json!(transaction.at.to_string())),
            ("purpose", json!(purpose)),
            ("transaction", json),
            ("booked_by", json!(actor.id)),
        ],
    );
    Ok(Put { if_version: Some(0), ..Put::new("account-entry", transaction.id.clone(), fields) })
}

/// Books transactions: the ledger judges them before anything is kept.
pub(super) async fn book(
    context: &Context,
    actor: &Actor,
    standing: &Standing,
    (operation, purpose): (&str, Option<Purpose>),
    booked: Vec<(Id, Transaction)>,
    mut more: Vec<Put>,
) -> Result<()> {
    let mut ledger = standing.ledger.clone();
    for (member, transaction) in &booked {
        ledger.post(transaction.clone())?;
        more.push(entry(actor, standing, member, transaction, purpose)?);
    }
    write_all(context, actor, operation, None, more).await
}

pub(super) fn derived(prefix: &str, parts: &[&str]) -> Id {
    Id::derive(prefix, parts)
}

/// The taking that brought a duty: who owes, what was taken.
fn taking_of(standing: &Standing, duty: &str) -> Result<(Id, Id)> {
    let found = standing.ledger.journal().into_iter().find_map(|p| match &p.transaction.cause {
        Cause::Taking { member, data_set, duty: Some(terms), .. } if terms.duty.as_str() == duty => {
            Some((member.clone(), data_set.clone()))
        }
        _ => None,
    });
    found.ok_or_else(|| {
        Error::not_found("E-COMMONS-026", format!("還元義務「{duty}」はありません"), format!("there is no duty \"{duty}\""))
            .at(Place::field("duty"))
            .hint("`toji commons account` で義務を確かめてください", "see the duties with `toji commons account`")
    })
}

async fn hand_in(context: Context, input: FeedbackInput) -> Result<FeedbackView> {
    let standing = standing(&context).await?;
    let (member, data_set) = taking_of(&standing, &input.duty)?;
    let roles = [Role::ContributorAdmin, Role::Steward, Role::Scientist];
    let actor = actor(&context, &standing, &roles, Some(member.as_str()))?;
    let given = wanted(&context, "data-set", &input.given, "given").await?;
    if text(&given.fields, "owner").as_deref() != Some(member.as_str()) {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-027",
            "自社のデータセットだけを還元できます",
            "only a data set of your own is handed back",
        )
        .at(Place::field("given"))
        .hint("`toji commons share` で還元するデータセットを作ってください", "make the data set with `toji commons share`"));
    }
    let owner = standing.commons.known_data_set(&data_set).map(|d| d.owner.to_string()).unwrap_or_default();
    let open = open_duty(&standing, &member, &input.duty, context.now).map_or(0, |d| d.0);
    if i64::from(input.units) > open || input.units == 0 {
        return Err(out_of_order(
            "units",
            format!("義務に残るのは {open} 単位です"),
            format!("{open} units are left of the duty"),
            ["残る単位数の範囲で提出してください", "hand in at most what is left"],
        ));
    }
    let id = derived("feedback", &[&input.duty, &input.given]);
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(said("title", &input.title)?)),
            ("duty", json!(input.duty)),
            ("member", json!(member.as_str())),
            ("data_set", json!(data_set.as_str())),
            ("owner", json!(owner)),
            ("given", json!(input.given)),
            ("units", json!(input.units)),
            ("state", json!("handed-in")),
            ("handed_in_at", json!(context.now.to_string())),
        ],
    );
    write(&context, &actor, "commons feedback", None, Put::new("feedback", id.clone(), fields)).await?;
    feedback_view(&context, id.as_str()).await
}

fn open_duty(standing: &Standing, member: &Id, duty: &str, now: Instant) -> Option<(i64, i64, Instant)> {
    let open = standing.ledger.open_duties(member, now);
    open.into_iter().find(|d| d.duty.as_str() == duty).map(|d| (d.owed, d.disputed, d.due))
}

async fn feedback_view(context: &Context, id: &str) -> Result<FeedbackView> {
    let standing = standing(context).await?;
    let record = wanted(context, "feedback", id, "feedback").await?;
    let duty = text(&record.fields, "duty").unwrap_or_default();
    let (member, _) = taking_of(&standing, &duty)?;
    Ok(FeedbackView {
        feedback: record.id.to_string(),
        state: text(&record.fields, "state").unwrap_or_default(),
        units: record.fields.get("units").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        still_owed: open_duty(&standing, &member, &duty, context.now).map_or(0, |d| d.0),
        duty,
    })
}

async fn accept(context: Context, input: AcceptInput) -> Result<FeedbackView> {
    let standing = standing(&context).await?;
    let record = wanted(&context, "feedback", &input.feedback, "feedback").await?;
    let owner = text(&record.fields, "owner").unwrap_or_default();
    let actor = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward], Some(&owner))?;
    if text(&record.fields, "state").as_deref() != Some("handed-in") {
        return Err(out_of_order(
            "feedback",
            "この還元は判断済みです".into(),
            "this feedback was decided already".into(),
            ["`toji commons account` で状態を確かめてください", "see how it stands with `toji commons account`"],
        ));
    }
    let reason = said("reason", &input.reason)?.to_owned();
    let fields = with(
        record.fields.clone(),
        [
            ("state", json!(if input.send_back { "sent-back" } else { "accepted" })),
            ("decided_at", json!(context.now.to_string())),
            ("decided_by", json!(actor.id)),
            ("decision", json!(reason)),
        ],
    );
    let put = Put::new("feedback", record.id.clone(), fields);
    if input.send_back {
        write(&context, &actor, "commons accept", Some(reason), put).await?;
    } else {
        let duty = id_in("duty", &text(&record.fields, "duty").unwrap_or_default())?;
        let units = record.fields.get("units").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        let evidence = Digest::of(toji_core::canonical::to_canonical(&put.fields)?.as_bytes());
        let cause = Cause::Feedback { duty, units, evidence };
        let (member, _) = taking_of(&standing, &text(&record.fields, "duty").unwrap_or_default())?;
        let transaction = Transaction { id: derived("booked", &[record.id.as_str()]), at: context.now, cause };
        book(&context, &actor, &standing, ("commons accept", None), vec![(member, transaction)], vec![put]).await?;
    }
    feedback_view(&context, &input.feedback).await
}

async fn dispute(context: Context, input: DisputeInput) -> Result<DutyView> {
    let standing = standing(&context).await?;
    let (member, _) = taking_of(&standing, &input.duty)?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward], Some(member.as_str()))?;
    let reason = said("reason", &input.reason)?;
    let cause = Cause::Dispute { duty: id_in("duty", &input.duty)?, units: input.units };
    let id = derived("dispute", &[&input.duty, &context.now.to_string(), reason]);
    let transaction = Transaction { id, at: context.now, cause };
    book(&context, &actor, &standing, ("commons dispute", None), vec![(member.clone(), transaction)], Vec::new()).await?;
    duty_view(&context, &member, &input.duty).await
}

async fn settle(context: Context, input: SettleInput) -> Result<DutyView> {
    let standing = standing(&context).await?;
    let (member, data_set) = taking_of(&standing, &input.duty)?;
    let owner = standing.commons.known_data_set(&data_set).map(|d| d.owner.to_string());
    let actor = actor(&context, &standing, &[Role::ContributorAdmin], owner.as_deref())?;
    let reason = said("reason", &input.reason)?;
    let duty = id_in("duty", &input.duty)?;
    let evidence = Digest::of(format!("{}\n{}\n{reason}\n{}", input.duty, input.units, actor.id).as_bytes());
    let units = input.units;
    let cause = match input.outcome {
        Outcome::Dismissed => Cause::Dismissed { duty, units, evidence },
        Outcome::Waived => Cause::Waiver { duty, units, evidence },
        Outcome::Upheld => {
            let due = input.due.as_deref().ok_or_else(|| {
                Error::input("E-COMMONS-028", "存続する義務には新しい期限が要ります", "a duty that stands needs a new due date")
                    .at(Place::field("due"))
                    .hint("--due に RFC 3339 の時刻を指定してください", "give --due as RFC 3339")
            })?;
            Cause::Upheld { duty, units, due: Instant::parse(due).map_err(|e| e.at(Place::field("due")))?, evidence }
        }
    };
    let id = derived("settled", &[&input.duty, &context.now.to_string(), reason]);
    let transaction = Transaction { id, at: context.now, cause };
    book(&context, &actor, &standing, ("commons settle", None), vec![(member.clone(), transaction)], Vec::new()).await?;
    duty_view(&context, &member, &input.duty).await
}

async fn duty_view(context: &Context, member: &Id, duty: &str) -> Result<DutyView> {
    let standing = standing(context).await?;
    let open = open_duty(&standing, member, duty, context.now);
    Ok(DutyView {
        duty: duty.to_owned(),
        member: member.to_string(),
        owed: open.map_or(0, |d| d.0),
        disputed: open.map_or(0, |d| d.1),
        due: open.map(|d| d.2.to_string()),
    })
}

async fn patent(context: Context, input: PatentInput) -> Result<PatentView> {
    let standing = standing(&context).await?;
    let roles = [Role::ContributorAdmin, Role::Steward, Role::Scientist];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let agreement: &Agreement = standing.commons.known_agreement(&id_in("agreement", &input.agreement)?).ok_or_else(|| {
        Error::not_found(
            "E-COMMONS-029",
            format!("効力のある契約「{}」はありません", input.agreement),
            format!("no agreement \"{}\" counts", input.agreement),
        )
        .at(Place::field("agreement"))
        .hint("`toji commons agreement` で確かめてください", "see `toji commons agreement`")
    })?;
    let data_set = id_in("data_set", &input.data_set)?;
    let filed = Instant::parse(&input.filed_at).map_err(|e| e.at(Place::field("filed_at")))?;
    if !agreement.data_sets.contains(&data_set) || !agreement.parties.contains(&actor.organisation) {
        return Err(out_of_order(
            "data_set",
            format!("契約「{}」はこの組織とデータセットに及びません", input.agreement),
            format!("agreement \"{}\" does not reach this organisation and data set", input.agreement),
            ["契約とデータセットを確かめてください", "check the agreement and the data set"],
        ));
    }
    let days = match agreement.terms.patents {
        Patents::None => {
            return Err(Error::new(
                Category::Denied,
                "E-COMMONS-030",
                "この契約はデータに基づく特許を認めていません",
                "the agreement lets no patent rest on the data",
            )
            .at(Place::field("agreement"))
            .hint("所有者と契約の変更を相談してください", "ask the owner for another agreement"));
        }
        Patents::Free => 0,
        Patents::Notice { within_days } => within_days,
    };
    let free = agreement.terms.patents == Patents::Free;
    let due = filed.plus_ns(i64::from(days).saturating_mul(DAY_NS)).unwrap_or(Instant(i64::MAX));
    let late = !free && context.now > due;
    let owner = standing.commons.known_data_set(&data_set).map(|d| d.owner.to_string()).unwrap_or_default();
    let id = derived("patent", &[actor.organisation.as_str(), data_set.as_str(), &input.title, &filed.to_string()]);
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(said("title", &input.title)?)),
            ("member", json!(actor.organisation.as_str())),
            ("agreement", json!(input.agreement)),
            ("data_set", json!(input.data_set)),
            ("owner", json!(owner)),
            ("application_number", json!(input.application_number)),
            ("filed_at", json!(filed.to_string())),
            ("due", json!(due.to_string())),
            ("noticed_at", json!(context.now.to_string())),
            ("late", json!(late)),
        ],
    );
    write(&context, &actor, "commons patent", None, Put::new("patent-notice", id.clone(), fields)).await?;
    Ok(PatentView { notice: id.to_string(), owner, due: due.to_string(), late })
}

async fn account(context: Context, input: AccountInput) -> Result<AccountView> {
    let standing = standing(&context).await?;
    let member = standing.account_of(&context, input.organisation.as_deref())?;
    let at = |field: &str, text: &Option<String>, or: Instant| {
        text.as_deref().map_or(Ok(or), |t| Instant::parse(t).map_err(|e| e.at(Place::field(field))))
    };
    let (from, to) =
        (at("from", &input.from, Instant(i64::MIN))?, at("to", &input.to, context.now.plus_ns(1).unwrap_or(context.now))?);
    let statement = standing.ledger.statement(&member, None, from, to);
    let balances = standing.ledger.balances(context.now);
    let owner_of = |set: &Id| standing.commons.known_data_set(set).map(|d| &d.owner);
    let line = |d: &OpenDuty| DutyLine {
        duty: d.duty.to_string(),
        member: d.member.to_string(),
        owner: owner_of(&d.data_set).map(ToString::to_string).unwrap_or_default(),
        agreement: d.agreement.to_string(),
        data_set: d.data_set.to_string(),
        owed: d.owed,
        disputed: d.disputed,
        due: d.due.to_string(),
        overdue: d.is_overdue(context.now),
    };
    let sum = |unit: Unit| balances.iter().filter(|(account, _)| account.unit() == unit).map(|(_, amount)| amount).sum();
    Ok(AccountView {
        member: member.to_string(),
        opening: statement.opening,
        lines: statement
            .lines
            .into_iter()
            .map(|l| LineView {
                at: l.at.to_string(),
                transaction: l.transaction.to_string(),
                what: l.what,
                change: l.change,
                after: l.after,
            })
            .collect(),
        closing: statement.closing,
        duties: statement.duties.iter().map(line).collect(),
        owed_to: standing.ledger.duties_toward(|set| owner_of(set) == Some(&member), context.now).iter().map(line).collect(),
        feedback: listed(&context, "feedback", member.as_str()).await?,
        patents: listed(&context, "patent-notice", member.as_str()).await?,
        sum_data_sets: sum(Unit::DataSets),
        sum_duties: sum(Unit::Duties),
        digest: standing.ledger.digest()?.to_string(),
    })
}

/// Records that concern an organisation, with their fields.
async fn listed(context: &Context, kind: &str, member: &str) -> Result<Vec<Json>> {
    let records = context.session.store.records(&Access::owner(), kind, None, false).await?;
    let concerns = |fields: &FieldMap| ["member", "owner"].iter().any(|name| text(fields, name).as_deref() == Some(member));
    Ok(records
        .into_iter()
        .filter(|r| concerns(&r.fields))
        .map(|r| Json::Object(with(r.fields, [("id", json!(r.id.as_str()))])))
        .collect())
}
