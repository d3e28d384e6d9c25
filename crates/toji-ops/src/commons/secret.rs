//! Secrets that leave: somebody asks, somebody else approves, and both stand in the ledger.

use super::seat::{actor, standing};
use super::write::{out_of_order, said, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_commons::agreement::Role;
use toji_core::record::FieldMap;
use toji_core::{Category, Error, Id, Instant, Place, Result};
use toji_store::Put;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Input of `commons request-export`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestInput {
    /// Data set that is a trade secret of one's own.
    ///
    /// 自社の営業秘密であるデータセット。
    data_set: String,
    /// To whom it goes.
    ///
    /// 持出し先。
    recipient: String,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Input of `commons approve-export`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApproveInput {
    /// Request.
    ///
    /// 申請。
    request: String,
    /// Refuse it instead.
    ///
    /// 承認せず断る。
    #[serde(default)]
    refuse: bool,
    /// For how many days the approval holds.
    ///
    /// 承認の有効日数。
    #[serde(default = "usual_days")]
    days: u32,
}

fn usual_days() -> u32 {
    7
}

/// Output about a request.
#[derive(Debug, Serialize, JsonSchema)]
struct RequestView {
    /// Request.
    request: String,
    /// Data set.
    data_set: String,
    /// Recipient.
    recipient: String,
    /// State.
    state: String,
    /// Asked by.
    asked_by: String,
    /// Decided by.
    decided_by: Option<String>,
    /// Valid until.
    until: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons request-export",
                label: ["秘密の持出しの申請", "Ask to take a secret out"],
                about: [
                    "営業秘密のデータセットの持出しを申請します。別の人が承認するまで、書出し・配布・図の保存は断られます。",
                    "Asks to take a data set that is a trade secret out. Until somebody else approves, exports, deliveries and saved figures are refused.",
                ],
                positional: &["data_set"],
                example: "toji commons request-export DS-9 --recipient 委託先 --reason 受託製造の立ち上げ",
            },
            Effect::Write,
            request,
        ),
        Operation::declare(
            Words {
                name: "commons approve-export",
                label: ["秘密の持出しの承認", "Approve taking a secret out"],
                about: [
                    "営業秘密の持出しの申請を承認または却下します。提供管理者かデータ管理責任者が行い、申請した本人は承認できません。承認は日数の間だけ、申請した人に対して有効です。",
                    "Approves or refuses a request to take a trade secret out. It is for the contributor administrator or data steward, never for whoever asked; it holds for some days and for the asker alone.",
                ],
                positional: &["request"],
                example: "toji commons approve-export export-1 --days 7",
            },
            Effect::Write,
            approve,
        ),
    ]
}

async fn request(context: Context, input: RequestInput) -> Result<RequestView> {
    let standing = standing(&context).await?;
    let record = wanted(&context, "data-set", &input.data_set, "data_set").await?;
    let owner = text(&record.fields, "owner").unwrap_or_default();
    let roles = [Role::ContributorAdmin, Role::Steward, Role::Scientist, Role::CdmoOperator];
    let actor = actor(&context, &standing, &roles, Some(&owner))?;
    let id = Id::derive("export", &[&input.data_set, &actor.id, &input.recipient, &context.now.to_string()]);
    let fields = with(
        FieldMap::new(),
        [
            ("data_set", json!(input.data_set)),
            ("owner", json!(owner)),
            ("recipient", json!(said("recipient", &input.recipient)?)),
            ("reason", json!(said("reason", &input.reason)?)),
            ("asked_by", json!(actor.id)),
            ("asked_at", json!(context.now.to_string())),
            ("state", json!("asked")),
        ],
    );
    write(&context, &actor, "commons request-export", Some(input.reason), Put::new("export-approval", id.clone(), fields))
        .await?;
    view(&context, id.as_str()).await
}

async fn approve(context: Context, input: ApproveInput) -> Result<RequestView> {
    let standing = standing(&context).await?;
    let record = wanted(&context, "export-approval", &input.request, "request").await?;
    let owner = text(&record.fields, "owner").unwrap_or_default();
    let actor = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward], Some(&owner))?;
    if text(&record.fields, "state").as_deref() != Some("asked") {
        return Err(out_of_order(
            "request",
            "この申請は決定済みです".into(),
            "the request was decided already".into(),
            ["新しく申請してください", "ask anew"],
        ));
    }
    if text(&record.fields, "asked_by").as_deref() == Some(actor.id.as_str()) {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-035",
            "申請した本人は承認できません（職務分離）",
            "whoever asked does not approve (separation of duties)",
        )
        .at(Place::field("request"))
        .hint(
            "別の提供管理者かデータ管理責任者が承認してください",
            "let another contributor administrator or data steward approve",
        ));
    }
    let until: Option<Instant> = context.now.plus_ns(i64::from(input.days).saturating_mul(DAY_NS));
    let fields = with(
        record.fields.clone(),
        [
            ("state", json!(if input.refuse { "refused" } else { "approved" })),
            ("decided_by", json!(actor.id)),
            ("decided_at", json!(context.now.to_string())),
            ("until", json!(until.filter(|_| !input.refuse).map(|t| t.to_string()))),
        ],
    );
    write(&context, &actor, "commons approve-export", None, Put::new("export-approval", record.id.clone(), fields)).await?;
    view(&context, record.id.as_str()).await
}

async fn view(context: &Context, id: &str) -> Result<RequestView> {
    let record = wanted(context, "export-approval", id, "request").await?;
    let of = |name: &str| text(&record.fields, name);
    Ok(RequestView {
        request: record.id.to_string(),
        data_set: of("data_set").unwrap_or_default(),
        recipient: of("recipient").unwrap_or_default(),
        state: of("state").unwrap_or_default(),
        asked_by: of("asked_by").unwrap_or_default(),
        decided_by: of("decided_by"),
        until: of("until"),
    })
}
