//! `commons classify` and `commons import-default`: taking a proposal of an area, another one than proposed, or taking
//! that back.

use super::classify::{Classified, DEFAULT, proposed};
use super::seat::{actor, standing};
use super::write::{id_in, out_of_order, said, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_commons::agreement::{Area, Role};
use toji_commons::classify::strictness;
use toji_core::{Error, Place, Record, Result, Text};
use toji_store::{Commit, Put};

/// Under which operation areas are moved, and known again.
const MOVES: &str = "commons classify";
/// How the reason of a move begins that took another one back.
const UNDONE: &str = "undo: ";

/// Input of `commons classify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Kind of the record.
    ///
    /// 記録の種別。
    kind: String,
    /// The record.
    ///
    /// 記録。
    id: String,
    /// Take the proposal: the record moves into that area. It never becomes more open by this.
    ///
    /// 提案のとおりの領域に移す。これで今より開かれることはない。
    #[serde(default)]
    accept: bool,
    /// Move it into this area instead of the one proposed; it never becomes more open than now.
    ///
    /// 提案ではなくこの領域に移す。今より開かれることはない。
    #[serde(default)]
    area: Option<Area>,
    /// Why, where the area is less strict than the one proposed.
    ///
    /// 提案より緩い領域を選ぶときの理由。
    #[serde(default)]
    reason: Option<String>,
    /// Take the last move by this operation back, as long as nobody changed the area since.
    ///
    /// この操作による最後の移動を取り消す。その後に領域が変えられていないときに限る。
    #[serde(default)]
    undo: bool,
}

/// Output of `commons classify`.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The proposal.
    #[serde(flatten)]
    proposal: Classified,
    /// Was the record moved?
    changed: bool,
    /// Area it stands in after this.
    area_then: Area,
    /// Can the move be taken back?
    can_undo: bool,
}

/// Input of `commons import-default`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefaultInput {
    /// Area proposed for what the organisation takes in when nothing asks for a stricter one.
    ///
    /// より厳しい領域を求めるものがないときに、取り込んだデータに提案する領域。
    area: Area,
    /// Organisation; one's own when missing.
    ///
    /// 組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// Output of `commons import-default`.
#[derive(Debug, Serialize, JsonSchema)]
struct DefaultOutput {
    /// Organisation.
    organisation: String,
    /// Area proposed.
    area: Area,
    /// What that means.
    note: Text,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons classify",
                label: ["分類の提案", "Propose a classification"],
                about: [
                    "記録をどの領域に置き、どの保護を求めるべきかを、根拠とともに提案します。秘密の表示、秘匿性の高い項目、元になった株や手順のデータセットと契約、自社の既定のうち、最も厳しいものを採ります。--accept で提案の領域に、--area で別の領域に移しますが、今より開くことはありません。--undo で取り消せます。提供管理者かデータ管理責任者が行います。",
                    "Proposes in which area a record should stand and which protection it should have, with the evidence: marks of secrecy, sensitive fields, data sets and agreements of the strains and protocols it comes from, the organisation's default; the strictest wins. --accept moves it there, --area elsewhere, and neither opens it; --undo takes that back. For the contributor administrator or data steward.",
                ],
                positional: &["kind", "id"],
                example: "toji commons classify run run-0a1b2c3d4e5f --accept",
            },
            Effect::Write,
            classify,
        ),
        Operation::declare(
            Words {
                name: "commons import-default",
                label: ["取込時の既定の領域", "Default area of imports"],
                about: [
                    "自社が取り込むデータに提案する既定の領域を定めます。提案だけであり、データの置き場所は変わりません。提供管理者かデータ管理責任者が行います。",
                    "Sets the area that is proposed for what one's organisation takes in. It is a proposal: no data move by it. For the contributor administrator or data steward.",
                ],
                positional: &["area"],
                example: "toji commons import-default cooperative",
            },
            Effect::Write,
            set_default,
        ),
    ]
}

async fn classify(context: Context, input: Input) -> Result<Output> {
    let standing = standing(&context).await?;
    let record = context.session.store.record(&context.access, &input.kind, &input.id, None).await?;
    let owner = record.owner.clone().unwrap_or_else(|| standing.home.to_string());
    actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward], Some(&owner))?;
    if [input.accept, input.area.is_some(), input.undo].into_iter().filter(|asked| *asked).count() > 1 {
        return Err(Error::input(
            "E-COMMONS-113",
            "accept・area・undo は一つだけ指定できます",
            "give one of accept, area and undo",
        )
        .at(Place::field("accept"))
        .hint("一つを選んでください", "choose one"));
    }
    let proposal = proposed(&context, &standing, &record, &owner).await?;
    let kind = context.session.store.kinds().get(&input.kind)?;
    let in_set = standing.data_set_of(&record.kind, record.id.as_str()).is_some();
    let field = kind.area_field.clone().filter(|_| !in_set);
    let Some((value, reason)) = wish(&context, &input, &record, &proposal, field.as_deref()).await? else {
        let can_undo = match &field {
            Some(field) => before_move(&context, &record, field).await?.is_some(),
            None => false,
        };
        return Ok(Output { changed: false, area_then: proposal.area_now, can_undo, proposal });
    };
    let Some(field) = field else { return Err(elsewhere()) };
    let mut fields = record.fields.clone();
    match value {
        Json::Null => fields.remove(&field),
        value => fields.insert(field.clone(), value),
    };
    let commit = Commit {
        operation: MOVES.into(),
        reason,
        puts: vec![Put::new(&record.kind, record.id.clone(), fields)],
        ..Commit::default()
    };
    let changed = context.session.store.commit(&context.access, context.now, commit).await?.seq.is_some();
    let record = context.session.store.record(&context.access, &input.kind, &input.id, None).await?;
    let can_undo = before_move(&context, &record, &field).await?.is_some();
    Ok(Output { changed, area_then: area_in(&record, &field), can_undo, proposal })
}

/// What the field of the area shall hold, and why; nothing where nothing is to be done.
async fn wish(
    context: &Context,
    input: &Input,
    record: &Record,
    proposal: &Classified,
    field: Option<&str>,
) -> Result<Option<(Json, Option<String>)>> {
    if input.undo {
        let Some(field) = field else { return Err(elsewhere()) };
        let found = before_move(context, record, field).await?;
        return found.map(|(value, version)| Some((value, Some(format!("{UNDONE}{version}"))))).ok_or_else(|| {
            out_of_order(
                "undo",
                "取り消せる移動がありません".into(),
                "there is no move to take back".into(),
                [
                    "その後に変えられた領域は `toji record put` で改めてください",
                    "what was changed since is changed by `toji record put`",
                ],
            )
        });
    }
    let to = match input.area {
        Some(area) => area,
        None if input.accept => proposal.area,
        None => return Ok(None),
    };
    if to == proposal.area_now {
        return Ok(None);
    }
    if strictness(to) < strictness(proposal.area_now) {
        let [ja, en] = if input.accept {
            ["提案は今より開かれた領域です", "the proposal is more open than how it stands"]
        } else {
            ["今より開かれた領域です", "that area is more open than how it stands"]
        };
        return Err(out_of_order(
            if input.accept { "accept" } else { "area" },
            ja.into(),
            en.into(),
            [
                "開くには `toji commons share` でデータセットに入れてください",
                "to open it, put it into a data set with `toji commons share`",
            ],
        ));
    }
    let less = strictness(to) < strictness(proposal.area);
    let reason = match input.reason.as_deref() {
        Some(reason) => Some(said("reason", reason)?.to_owned()),
        None if less => Some(said("reason", "")?.to_owned()),
        None => None,
    };
    Ok(Some((json!(to.code()), reason)))
}

fn elsewhere() -> Error {
    out_of_order(
        "accept",
        "領域はデータセットか培養で定まります".into(),
        "its area is that of its data set or run".into(),
        ["そちらの領域を改めてください", "change the area there"],
    )
}

/// The area that a record says; what says none is its owner's own.
fn area_in(record: &Record, field: &str) -> Area {
    record.fields.get(field).and_then(Json::as_str).and_then(Area::from_code).unwrap_or(Area::Competitive)
}

/// What the field of the area held before the last move by this operation, and the version that moved it; nothing where
/// the area was changed otherwise since, or that move took another back.
async fn before_move(context: &Context, record: &Record, field: &str) -> Result<Option<(Json, u64)>> {
    let history = context.session.store.history(&context.access, &record.kind, record.id.as_str()).await?;
    let value = |r: &Record| r.fields.get(field).cloned().unwrap_or_default();
    let changed = history.windows(2).rev().find_map(|pair| match pair {
        [before, after] if value(&before.record) != value(&after.record) => Some((before, after)),
        _ => None,
    });
    let found = changed.filter(|(_, after)| {
        after.operation == MOVES && !after.reason.as_deref().is_some_and(|reason| reason.starts_with(UNDONE))
    });
    Ok(found.map(|(before, after)| (value(&before.record), after.record.version)))
}

async fn set_default(context: Context, input: DefaultInput) -> Result<DefaultOutput> {
    let standing = standing(&context).await?;
    let roles = [Role::ContributorAdmin, Role::Steward];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let membership = wanted(&context, "membership", actor.organisation.as_str(), "organisation").await?;
    let fields = with(membership.fields, [(DEFAULT, json!(input.area.code()))]);
    let id = id_in("organisation", actor.organisation.as_str())?;
    write(&context, &actor, "commons import-default", None, Put::new("membership", id, fields)).await?;
    Ok(DefaultOutput {
        organisation: actor.organisation.to_string(),
        area: input.area,
        note: Text::new(
            "取込の報告で提案するだけです。置き場所は変わりません",
            "it is proposed in the reports of imports; nothing moves by it",
        ),
    })
}
