//! Members: found the commons, apply, be screened, be approved, leave. Who screens does not decide.

use super::seat::{Actor, actor, standing};
use super::standing::{HOME, Standing};
use super::write::{id_in, out_of_order, present, said, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_commons::agreement::{Listing, Role};
use toji_commons::log::{KeyKind, VerifierKey};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Place, Principal, Record, Result};
use toji_store::Put;

/// Input of `commons found`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FoundInput {
    /// Organisation the house belongs to: what is there already is its own.
    ///
    /// この保存先の持ち主となる組織。すでにある記録はこの組織のものとなる。
    organisation: String,
    /// Its country, ISO 3166-1 alpha-2.
    ///
    /// その国（ISO 3166-1 の2文字）。
    country: String,
}

/// Input of `commons apply`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApplyInput {
    /// Organisation that applies.
    ///
    /// 申請する組織。
    organisation: String,
    /// Its country, ISO 3166-1 alpha-2.
    ///
    /// その国（ISO 3166-1 の2文字）。
    country: String,
    /// What for: purpose and plan.
    ///
    /// 利用の目的と計画。
    reason: String,
}

/// Input of `commons screen`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScreenInput {
    /// Organisation.
    ///
    /// 組織。
    organisation: String,
    /// Standing on lists of export control and the like.
    ///
    /// 輸出管理等のリストとの照合結果。
    listing: Listing,
    /// Is it a covered person of rules on human-derived data?
    ///
    /// ヒト由来データの規則の対象者か。
    #[serde(default)]
    covered: bool,
    /// On what the result rests.
    ///
    /// 審査の根拠。
    evidence: String,
}

/// Input of `commons decide`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecideInput {
    /// Organisation.
    ///
    /// 組織。
    organisation: String,
    /// Approve; otherwise the application is refused.
    ///
    /// 承認する。付けなければ不承認。
    #[serde(default)]
    approve: bool,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Input of `commons leave`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LeaveInput {
    /// Organisation that leaves.
    ///
    /// 退会する組織。
    organisation: String,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Input of `commons key`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyInput {
    /// Organisation whose signatures the key verifies.
    ///
    /// 署名を検証する組織。
    organisation: String,
    /// Its public key, as `toji commons make-key` prints it.
    ///
    /// 公開鍵。`toji commons make-key` が出す形式。
    key: String,
}

/// Input of `commons member`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberInput {
    /// One organisation; all when missing.
    ///
    /// 組織。省略時はすべて。
    #[serde(default)]
    organisation: Option<String>,
}

/// A member as others see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Member {
    /// Organisation.
    organisation: String,
    /// Its name.
    name: Option<String>,
    /// State.
    state: String,
    /// Country.
    country: String,
    /// Standing on lists; `none` before it was screened.
    listing: String,
    /// Member from.
    joined: Option<String>,
    /// Member until.
    left: Option<String>,
    /// May it take part at this moment?
    active: bool,
    /// Is its public key registered?
    key: bool,
}

/// Output of `commons member`.
#[derive(Debug, Serialize, JsonSchema)]
struct Members {
    /// Organisation the house belongs to.
    home: String,
    /// Members, former members and applicants.
    members: Vec<Member>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons found",
                label: ["共有基盤の開始", "Found the commons"],
                about: [
                    "この保存先を共有基盤にします。以後、記録は入力した組織のものとなり、閲覧はすべて契約と役割で判断されます。すでにある記録は指定した組織のものとなります。",
                    "Makes this store a commons: from now on a record belongs to the organisation of whoever enters it, and every read is decided by agreements and roles. What is there already belongs to the organisation named.",
                ],
                positional: &["organisation"],
                example: "toji commons found ORG-NITE --country JP",
            },
            Effect::Write,
            found,
        ),
        Operation::declare(
            Words {
                name: "commons apply",
                label: ["入会の申請", "Apply for membership"],
                about: [
                    "組織の入会を申請します。承認までは公開領域と自社のデータしか利用できません。",
                    "Applies for membership. Before it is approved only public data and one's own are reached.",
                ],
                positional: &["organisation"],
                example: "toji commons apply ORG-A --country JP --reason 麹菌の育種研究",
            },
            Effect::Write,
            apply,
        ),
        Operation::declare(
            Words {
                name: "commons screen",
                label: ["申請の審査", "Screen an applicant"],
                about: [
                    "申請した組織または会員をリストと照合し、結果と根拠を記録します。輸出管理責任者が行います。該当や確認中の間、その組織は他社のデータを利用できません。",
                    "Records how an applicant or member stands on lists, and on what that rests. It is the export-control officer's. While a hit is reviewed or blocks, the organisation reaches no data of others.",
                ],
                positional: &["organisation"],
                example: "toji commons screen ORG-A --listing clear --evidence 外国ユーザーリスト照合済み",
            },
            Effect::Write,
            screen,
        ),
        Operation::declare(
            Words {
                name: "commons decide",
                label: ["入会の承認", "Decide on an application"],
                about: [
                    "審査の済んだ申請を承認または不承認とします。基盤運営者が行い、審査した人は決定できません。",
                    "Approves or refuses an application that was screened. It is the operator's; who screened it does not decide.",
                ],
                positional: &["organisation"],
                example: "toji commons decide ORG-A --approve --reason 要件を満たす",
            },
            Effect::Write,
            decide,
        ),
        Operation::declare(
            Words {
                name: "commons leave",
                label: ["退会", "Leave the commons"],
                about: [
                    "組織の退会を記録します。以後、他社のデータは利用できません。自社のデータは自社のもののままで、未履行の還元義務は帳簿に残ります。",
                    "Records the exit of a member. From then on it reaches no data of others; its own stays its own, and duties not yet met stay in the account.",
                ],
                positional: &["organisation"],
                example: "toji commons leave ORG-A --reason 事業終了",
            },
            Effect::Write,
            leave,
        ),
        Operation::declare(
            Words {
                name: "commons key",
                label: ["公開鍵の登録", "Register a public key"],
                about: [
                    "組織の署名を検証する公開鍵を登録します。替えると、以前の鍵で署名した契約は署名し直すまで効力を失います。",
                    "Registers the public key that verifies what an organisation signs. When it is replaced, agreements signed with the former key do not count until they are signed anew.",
                ],
                positional: &["organisation"],
                example: "toji commons key ORG-A --key ORG-A+1f2e3d4c+AZ…",
            },
            Effect::Write,
            register_key,
        ),
        Operation::declare(
            Words {
                name: "commons member",
                label: ["会員の一覧", "Members"],
                about: [
                    "会員・申請者・退会者と、その状態を示します。",
                    "Shows members, applicants and former members, and how they stand.",
                ],
                positional: &["organisation"],
                example: "toji commons member",
            },
            Effect::Read,
            member,
        ),
    ]
}

async fn found(context: Context, input: FoundInput) -> Result<Member> {
    let store = &context.session.store;
    if !context.access.sees_all() {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-008",
            "保存先の持ち主だけが始められます",
            "only the owner of the store founds it",
        )
        .hint("保存先のある機械で `toji commons found` を実行してください", "run `toji commons found` where the store lies"));
    }
    if let Some(home) = store.setting(HOME).await?
        && home != input.organisation
    {
        return Err(out_of_order(
            "organisation",
            format!("共有基盤は「{home}」ですでに始まっています"),
            format!("the commons was founded already, by \"{home}\""),
            ["保存先ごとに持ち主は一つです", "a store has one owner"],
        ));
    }
    let organisation = id_in("organisation", &input.organisation)?;
    store.record(&context.access, "organisation", organisation.as_str(), None).await?;
    let who = Principal { id: context.access.who.id.clone(), organisation: Some(organisation.to_string()) };
    let owner =
        Actor { id: who.id.clone(), organisation: organisation.clone(), office: Access { who, ..context.access.clone() } };
    let now = context.now.to_string();
    let before = present(&context, "membership", organisation.as_str()).await?;
    if before.is_none() {
        let fields = with(
            FieldMap::new(),
            [
                ("organisation", json!(organisation.as_str())),
                ("state", json!("approved")),
                ("country", json!(country(&input.country)?)),
                ("reason", json!("共有基盤の開設 / founded the commons")),
                ("applied_at", json!(now)),
                ("applied_by", json!(owner.id)),
                ("listing", json!("clear")),
                ("decided_at", json!(now)),
                ("decided_by", json!(owner.id)),
                ("joined", json!(now)),
            ],
        );
        write(&context, &owner, "commons found", None, Put::new("membership", organisation.clone(), fields)).await?;
    }
    store.set_setting(HOME, organisation.as_str()).await?;
    shown(&context, organisation.as_str()).await
}

/// Two capital letters.
fn country(text: &str) -> Result<&str> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(Error::input(
        "E-COMMONS-009",
        format!("国「{text}」は2文字の記号ではありません"),
        format!("\"{text}\" is no country of two letters"),
    )
    .at(Place::field("country"))
    .hint("ISO 3166-1 の2文字で指定してください。例: JP", "give two letters of ISO 3166-1, for example JP"))
}

async fn apply(context: Context, input: ApplyInput) -> Result<Member> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin], Some(&input.organisation))?;
    wanted(&context, "organisation", &input.organisation, "organisation").await?;
    if let Some(record) = present(&context, "membership", &input.organisation).await?
        && matches!(state(&record).as_str(), "applied" | "screened" | "approved")
    {
        return Err(out_of_order(
            "organisation",
            format!("「{}」はすでに申請中か会員です", input.organisation),
            format!("\"{}\" has applied or is a member already", input.organisation),
            ["`toji commons member` で状態を確かめてください", "see how it stands with `toji commons member`"],
        ));
    }
    let fields = with(
        FieldMap::new(),
        [
            ("organisation", json!(input.organisation)),
            ("state", json!("applied")),
            ("country", json!(country(&input.country)?)),
            ("reason", json!(said("reason", &input.reason)?)),
            ("applied_at", json!(context.now.to_string())),
            ("applied_by", json!(actor.id)),
        ],
    );
    let id = id_in("organisation", &input.organisation)?;
    write(&context, &actor, "commons apply", Some(input.reason.clone()), Put::new("membership", id, fields)).await?;
    shown(&context, &input.organisation).await
}

async fn screen(context: Context, input: ScreenInput) -> Result<Member> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ExportControlOfficer], None)?;
    let record = wanted(&context, "membership", &input.organisation, "organisation").await?;
    let next = if state(&record) == "applied" { "screened".to_owned() } else { state(&record) };
    let fields = with(
        record.fields.clone(),
        [
            ("state", json!(next)),
            ("listing", json!(input.listing)),
            ("covered", json!(input.covered)),
            ("screened_at", json!(context.now.to_string())),
            ("screened_by", json!(actor.id)),
            ("evidence", json!(said("evidence", &input.evidence)?)),
        ],
    );
    write(&context, &actor, "commons screen", Some(input.evidence.clone()), Put::new("membership", record.id, fields)).await?;
    shown(&context, &input.organisation).await
}

async fn decide(context: Context, input: DecideInput) -> Result<Member> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::Operator], None)?;
    let record = wanted(&context, "membership", &input.organisation, "organisation").await?;
    if state(&record) != "screened" {
        return Err(out_of_order(
            "organisation",
            format!("「{}」は審査済みの申請ではありません（状態: {}）", input.organisation, state(&record)),
            format!("\"{}\" is no application that was screened (state: {})", input.organisation, state(&record)),
            ["先に `toji commons screen` で審査してください", "screen it first with `toji commons screen`"],
        ));
    }
    if text(&record.fields, "screened_by").as_deref() == Some(actor.id.as_str()) && !context.access.sees_all() {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-010",
            "審査した人は承認できません（職務分離）",
            "who screened it does not decide (separation of duties)",
        )
        .hint("別の基盤運営者が決定してください", "let another operator decide"));
    }
    let listing = text(&record.fields, "listing").unwrap_or_default();
    if input.approve && listing != "clear" {
        return Err(out_of_order(
            "approve",
            format!("リスト照合が済んでいません（{listing}）"),
            format!("its standing on lists is not clear ({listing})"),
            ["`toji commons screen` の結果を待つか、不承認としてください", "wait for the screening, or refuse it"],
        ));
    }
    let now = json!(context.now.to_string());
    let fields = with(
        record.fields.clone(),
        [
            ("state", json!(if input.approve { "approved" } else { "refused" })),
            ("decided_at", now.clone()),
            ("decided_by", json!(actor.id)),
            ("decision", json!(said("reason", &input.reason)?)),
            ("joined", if input.approve { now } else { Json::Null }),
        ],
    );
    write(&context, &actor, "commons decide", Some(input.reason.clone()), Put::new("membership", record.id, fields)).await?;
    shown(&context, &input.organisation).await
}

async fn leave(context: Context, input: LeaveInput) -> Result<Member> {
    let standing = standing(&context).await?;
    let own = actor(&context, &standing, &[Role::ContributorAdmin], Some(&input.organisation));
    let actor = match own {
        Ok(actor) => actor,
        Err(_) => actor(&context, &standing, &[Role::Operator], None)?,
    };
    let record = wanted(&context, "membership", &input.organisation, "organisation").await?;
    if state(&record) != "approved" {
        return Err(out_of_order(
            "organisation",
            format!("「{}」は会員ではありません", input.organisation),
            format!("\"{}\" is no member", input.organisation),
            ["`toji commons member` で状態を確かめてください", "see how it stands with `toji commons member`"],
        ));
    }
    let fields = with(record.fields.clone(), [("state", json!("left")), ("left", json!(context.now.to_string()))]);
    let reason = said("reason", &input.reason)?.to_owned();
    write(&context, &actor, "commons leave", Some(reason), Put::new("membership", record.id, fields)).await?;
    shown(&context, &input.organisation).await
}

async fn register_key(context: Context, input: KeyInput) -> Result<Member> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin], Some(&input.organisation))?;
    let key = VerifierKey::parse(&input.key).map_err(|e| e.at(Place::field("key")))?;
    if key.name() != input.organisation || key.kind() != KeyKind::Log {
        return Err(Error::input(
            "E-COMMONS-011",
            "鍵の名前が組織と合わないか、契約に署名する鍵ではありません",
            "the key is named otherwise than the organisation, or does not sign agreements",
        )
        .at(Place::field("key"))
        .hint("`toji commons make-key 組織` で作ってください", "make it with `toji commons make-key ORGANISATION`"));
    }
    let record = wanted(&context, "membership", &input.organisation, "organisation").await?;
    let fields = with(record.fields.clone(), [("key", json!(input.key.trim()))]);
    write(&context, &actor, "commons key", None, Put::new("membership", record.id, fields)).await?;
    shown(&context, &input.organisation).await
}

async fn member(context: Context, input: MemberInput) -> Result<Members> {
    let standing = standing(&context).await?;
    let store = &context.session.store;
    let records = store.records(&context.access, "membership", None, false).await?;
    let mut members = Vec::new();
    for record in records.iter().filter(|r| input.organisation.as_ref().is_none_or(|o| *o == r.id.as_str())) {
        members.push(view(&context, &standing, record).await?);
    }
    Ok(Members { home: standing.home.to_string(), members })
}

fn state(record: &Record) -> String {
    text(&record.fields, "state").unwrap_or_default()
}

async fn shown(context: &Context, organisation: &str) -> Result<Member> {
    let standing = standing(context).await?;
    let record = wanted(context, "membership", organisation, "organisation").await?;
    view(context, &standing, &record).await
}

async fn view(context: &Context, standing: &Standing, record: &Record) -> Result<Member> {
    let fields = &record.fields;
    let organisation = present(context, "organisation", record.id.as_str()).await?;
    let known = standing.commons.known_organisation(&record.id);
    let screened = fields.contains_key("listing");
    Ok(Member {
        organisation: record.id.to_string(),
        name: organisation.and_then(|r| text(&r.fields, "name")),
        state: state(record),
        country: text(fields, "country").unwrap_or_default(),
        listing: if screened { text(fields, "listing").unwrap_or_default() } else { "none".into() },
        joined: text(fields, "joined"),
        left: text(fields, "left"),
        active: known.is_some_and(|o| o.is_member(context.now) && o.listing == Listing::Clear),
        key: standing.keys.contains_key(&record.id),
    })
}
