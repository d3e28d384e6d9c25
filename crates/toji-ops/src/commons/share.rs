//! Data sets: what an owner shares on one set of terms, and the catalogue of all that one may know of.

use super::node::Row;
use super::seat::{actor, judged, purpose_of, standing};
use super::standing::{PARTS, Standing, flag, instant, texts};
use super::uses::{USE, Under, Wish};
use super::write::{id_in, out_of_order, present, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use toji_commons::agreement::{Area, Purpose, Role};
use toji_commons::decide::{Action, Seat};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Instant, Place, Record, Result, Text};
use toji_store::Put;

/// Input of `commons share`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShareInput {
    /// Identifier of the data set; an existing one is changed.
    ///
    /// データセットの識別子。既にあるものは改める。
    id: String,
    /// Organisation that shares it; one's own when missing.
    ///
    /// 共有する組織。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
    /// Title.
    ///
    /// 標題。
    #[serde(default)]
    title: Option<String>,
    /// Area of sharing.
    ///
    /// 共有領域。
    #[serde(default)]
    area: Option<Area>,
    /// What is in it.
    ///
    /// 内容。
    #[serde(default)]
    about: Option<String>,
    /// Cooperative topic it belongs to.
    ///
    /// 協調テーマ。
    #[serde(default)]
    topic: Option<String>,
    /// Until when only the owner and early access have it, RFC 3339; `none` ends the embargo.
    ///
    /// 公開猶予の終わり（RFC 3339）。`none` で猶予を終える。
    #[serde(default)]
    embargo_until: Option<String>,
    /// Derived from humans.
    ///
    /// ヒト由来か。
    #[serde(default)]
    human_derived: Option<bool>,
    /// Runs in it.
    ///
    /// 含める培養。
    #[serde(default)]
    runs: Option<Vec<String>>,
    /// Strains in it.
    ///
    /// 含める株。
    #[serde(default)]
    strains: Option<Vec<String>>,
    /// Genomes in it.
    ///
    /// 含めるゲノム。
    #[serde(default)]
    genomes: Option<Vec<String>>,
    /// Deposits in it.
    ///
    /// 含める寄託。
    #[serde(default)]
    deposits: Option<Vec<String>>,
    /// Dataset releases in it.
    ///
    /// 含めるデータ公開版。
    #[serde(default)]
    releases: Option<Vec<String>>,
    /// Protocols in it.
    ///
    /// 含める手順。
    #[serde(default)]
    protocols: Option<Vec<String>>,
    /// How many units it counts in the account of given and taken.
    ///
    /// 提供・利用の勘定で何単位と数えるか。
    #[serde(default)]
    units: Option<u32>,
    /// Protection sought under the Unfair Competition Prevention Act of Japan.
    ///
    /// 受けようとする保護（不正競争防止法）。
    #[serde(default)]
    secrecy: Option<Secrecy>,
    /// To whom it is provided (data for limited provision).
    ///
    /// 提供先の範囲（限定提供データ）。
    #[serde(default)]
    provided_to: Option<String>,
    /// Is a significant amount accumulated (data for limited provision)?
    ///
    /// 相当量の蓄積があるか（限定提供データ）。
    #[serde(default)]
    accumulated: Option<bool>,
    /// Is access controlled by electronic means such as identifiers and passwords?
    ///
    /// ID・パスワード等の電磁的方法で管理しているか。
    #[serde(default)]
    access_controlled: Option<bool>,
    /// Is it marked as secret (trade secret)?
    ///
    /// 秘密である旨の表示があるか（営業秘密）。
    #[serde(default)]
    marked_secret: Option<bool>,
    /// Why it is useful for the business (trade secret).
    ///
    /// 事業活動に有用な理由（営業秘密）。
    #[serde(default)]
    useful: Option<String>,
    /// Why it is not publicly known (trade secret).
    ///
    /// 公然と知られていない理由（営業秘密）。
    #[serde(default)]
    not_public: Option<String>,
    /// Share it no longer.
    ///
    /// 共有をやめる。
    #[serde(default)]
    retire: bool,
}

/// Protection that an owner seeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Secrecy {
    /// None.
    ///
    /// なし。
    Open,
    /// Data for limited provision.
    ///
    /// 限定提供データ。
    Limited,
    /// Trade secret.
    ///
    /// 営業秘密。
    Secret,
}

/// Input of `commons catalogue`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CatalogueInput {
    /// For what purpose, by its code; research when missing.
    ///
    /// 利用目的の記号。省略時は research。
    #[serde(default)]
    purpose: Option<String>,
    /// Organisation whose steward the owner of the store looks as; that of the house when missing.
    ///
    /// 保存先の持ち主が、どの組織のデータ管理責任者として見るか。省略時は基盤の持ち主。
    #[serde(default)]
    organisation: Option<String>,
    /// Of whom: a user, whose view is shown; only for the owner of the store, operators and auditors.
    ///
    /// 誰から見た目録か（利用者）。保存先の持ち主・基盤運営者・監査人のみ。
    #[serde(default)]
    user: Option<String>,
}

/// A data set as the asker may know it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listed {
    /// Data set.
    id: String,
    /// Title.
    title: String,
    /// Owner.
    owner: String,
    /// Area of sharing.
    area: Area,
    /// The area in words.
    area_label: Text,
    /// Cooperative topic.
    topic: Option<String>,
    /// End of the embargo.
    embargo_until: Option<String>,
    /// Is it under embargo now?
    embargoed: bool,
    /// How many records it has, by kind.
    records: BTreeMap<String, usize>,
    /// Is it the asker's own?
    own: bool,
    /// May the asker read it, compute upon it or train on it now, without a further step?
    usable: bool,
    /// Agreements under which the asker may use it, what each brings, and whether that use is registered.
    under: Vec<Under>,
    /// What the asker may do with it, and why or why not.
    may: Vec<May>,
}

/// One action.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct May {
    /// Action.
    action: Action,
    /// Allowed?
    allowed: bool,
    /// Code of the clause that decides.
    clause: String,
    /// Why.
    reason: Text,
    /// What to do about a no.
    remedy: Option<Text>,
}

/// Output of `commons catalogue`.
#[derive(Debug, Serialize, JsonSchema)]
struct Catalogue {
    /// Seen by.
    user: String,
    /// For the purpose.
    purpose: Purpose,
    /// Data sets, by identifier.
    data_sets: Vec<Listed>,
}

/// Output of `commons share`.
#[derive(Debug, Serialize, JsonSchema)]
struct Shared {
    /// Data set.
    id: String,
    /// Owner.
    owner: String,
    /// Area of sharing.
    area: String,
    /// Records by kind.
    records: BTreeMap<String, usize>,
    /// What the protection asks for that is not met.
    protection: Vec<Requirement>,
}

/// Input of `commons protection`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProtectionInput {
    /// Data set.
    ///
    /// データセット。
    id: String,
}

/// Output of `commons protection`.
#[derive(Debug, Serialize, JsonSchema)]
struct Protection {
    /// Data set.
    id: String,
    /// Protection that its owner seeks.
    secrecy: String,
    /// Are all requirements met, as its owner states them?
    met: bool,
    /// Requirements.
    requirements: Vec<Requirement>,
}

/// A requirement of the law.
#[derive(Debug, Serialize, JsonSchema)]
struct Requirement {
    /// Requirement.
    name: Text,
    /// Clause of the Unfair Competition Prevention Act.
    clause: String,
    /// Met, as stated?
    met: bool,
    /// On what it rests, or what is missing.
    basis: Text,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons share",
                label: ["データセットの共有", "Share a data set"],
                about: [
                    "自社の培養・株・寄託などを一つのデータセットにまとめ、共有領域と条件を定めます。記録は一つのデータセットにだけ属し、他社の記録は入れられません。提供管理者かデータ管理責任者が行います。",
                    "Gathers runs, strains, deposits and the like of one's own organisation into a data set with an area of sharing and terms. A record is in one data set at most, and records of others cannot be put in. It is for the contributor administrator or data steward.",
                ],
                positional: &["id"],
                example: "toji commons share DS-1 --title 麹菌の培養 --area cooperative --runs RUN-1",
            },
            Effect::Write,
            share,
        ),
        Operation::declare(
            Words {
                name: "commons catalogue",
                label: ["データセットの目録", "Catalogue of data sets"],
                about: [
                    "存在を知ることのできるデータセットと、それぞれについて自社のものか、今使えるか、どの契約で使えて何を伴うか、何ができ、なぜできないか、どうすればよいかを示します。",
                    "Shows the data sets one may know of, and for each whether it is one's own, whether it may be used now, under which agreements and what that brings, what one may do, why not, and what to do about it.",
                ],
                positional: &[],
                example: "toji commons catalogue --purpose research",
            },
            Effect::Read,
            catalogue,
        ),
        Operation::declare(
            Words {
                name: "commons protection",
                label: ["保護要件の点検", "Check of legal protection"],
                about: [
                    "データセットが限定提供データまたは営業秘密として保護されるための要件を、所有者の申告に基づいて点検します。法的な判断ではありません。",
                    "Checks, by what the owner states, the requirements for protection of a data set as data for limited provision or as a trade secret. It is no legal opinion.",
                ],
                positional: &["id"],
                example: "toji commons protection DS-1",
            },
            Effect::Read,
            protection,
        ),
    ]
}

async fn share(context: Context, input: ShareInput) -> Result<Shared> {
    let standing = standing(&context).await?;
    let id = id_in("id", &input.id)?;
    let before = present(&context, "data-set", id.as_str()).await?;
    let for_whom = before.as_ref().and_then(|r| text(&r.fields, "owner")).or(input.organisation);
    let actor = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward], for_whom.as_deref())?;
    if id.as_str().contains(':') {
        return Err(Error::input("E-COMMONS-012", "識別子に「:」は使えません", "the identifier may not hold \":\"")
            .at(Place::field("id"))
            .hint(
                "「組織:領域」は、その組織がその領域に置いたすべてを指します",
                "\"organisation:area\" names all that it placed there",
            ));
    }
    let base = before.map_or_else(
        || with(FieldMap::new(), [("owner", json!(actor.organisation.as_str())), ("shared_at", json!(context.now.to_string()))]),
        |record| record.fields,
    );
    let embargo = match input.embargo_until.as_deref() {
        Some("none") => Some(serde_json::Value::Null),
        Some(text) => Some(json!(Instant::parse(text).map_err(|e| e.at(Place::field("embargo_until")))?.to_string())),
        None => None,
    };
    let given = [
        ("title", input.title.map(|t| json!(t))),
        ("area", input.area.map(|a| json!(a))),
        ("about", input.about.map(|t| json!(t))),
        ("topic", input.topic.map(|t| json!(t))),
        ("embargo_until", embargo),
        ("human_derived", input.human_derived.map(|b| json!(b))),
        ("runs", input.runs.map(|ids| json!(ids))),
        ("strains", input.strains.map(|ids| json!(ids))),
        ("genomes", input.genomes.map(|ids| json!(ids))),
        ("deposits", input.deposits.map(|ids| json!(ids))),
        ("releases", input.releases.map(|ids| json!(ids))),
        ("protocols", input.protocols.map(|ids| json!(ids))),
        ("units", input.units.map(|n| json!(n))),
        ("secrecy", input.secrecy.map(|s| json!(s))),
        ("provided_to", input.provided_to.map(|t| json!(t))),
        ("accumulated", input.accumulated.map(|b| json!(b))),
        ("access_controlled", input.access_controlled.map(|b| json!(b))),
        ("marked_secret", input.marked_secret.map(|b| json!(b))),
        ("useful", input.useful.map(|t| json!(t))),
        ("not_public", input.not_public.map(|t| json!(t))),
        ("retired_at", input.retire.then(|| json!(context.now.to_string()))),
    ];
    let fields = with(base, given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    own_and_nowhere_else(&context, &standing, &id, &fields).await?;
    write(&context, &actor, "commons share", None, Put::new("data-set", id.clone(), fields.clone())).await?;
    Ok(Shared {
        id: id.to_string(),
        owner: text(&fields, "owner").unwrap_or_default(),
        area: text(&fields, "area").unwrap_or_default(),
        records: counted(&fields),
        protection: requirements(&fields).into_iter().filter(|r| !r.met).collect(),
    })
}

fn counted(fields: &FieldMap) -> BTreeMap<String, usize> {
    PARTS.iter().map(|(field, kind)| ((*kind).to_owned(), texts(fields, field).len())).filter(|(_, n)| *n > 0).collect()
}

/// Every record is there, belongs to the owner, and is in no other data set.
pub(super) async fn own_and_nowhere_else(context: &Context, standing: &Standing, id: &Id, fields: &FieldMap) -> Result<()> {
    let owner = text(fields, "owner").unwrap_or_default();
    for (field, kind) in PARTS {
        for part in texts(fields, field) {
            let record = wanted(context, kind, &part, field).await?;
            let of = record.owner.unwrap_or_else(|| standing.home.to_string());
            if of != owner {
                return Err(Error::new(
                    Category::Denied,
                    "E-COMMONS-013",
                    format!("{part} は「{owner}」のものではありません"),
                    format!("{part} does not belong to \"{owner}\""),
                )
                .at(Place::field(field))
                .hint("自社の記録だけを挙げてください", "name records of your own organisation only"));
            }
            if let Some(other) = standing.data_set_of(kind, &part).filter(|other| *other != id) {
                return Err(out_of_order(
                    field,
                    format!("{part} はデータセット「{other}」にあります"),
                    format!("{part} is in data set \"{other}\""),
                    [
                        "記録は一つのデータセットにだけ属します。先にそちらから外してください",
                        "a record is in one data set at most; take it out of the other first",
                    ],
                ));
            }
        }
    }
    Ok(())
}

async fn catalogue(context: Context, input: CatalogueInput) -> Result<Catalogue> {
    let standing = standing(&context).await?;
    let purpose = input.purpose.as_deref().map_or(Ok(Purpose::Research), purpose_of)?;
    let who = seen_by(&context, &standing, input.user.as_deref())?;
    let commons = match &input.user {
        Some(_) => standing.commons.clone(),
        None if context.access.sees_all() => {
            judged(&context, &standing, &actor(&context, &standing, &[], input.organisation.as_deref())?)?
        }
        None => standing.commons.clone(),
    };
    let seat = Seat::new(commons.clone(), standing.clone(), purpose, context.now);
    let wish = Wish { who: &who, purpose, now: context.now };
    let mut data_sets = Vec::new();
    for record in context.session.store.records(&Access::owner(), "data-set", None, false).await? {
        if record.fields.contains_key("retired_at") {
            continue;
        }
        let may = |action| {
            let (ruled, decision) = seat.rule_on_set(&who, action, &record.id);
            May { action, allowed: decision.allow, clause: ruled.code(), reason: decision.reason, remedy: decision.remedy }
        };
        let may: Vec<May> = Action::ALL.into_iter().map(may).collect();
        if may.iter().any(|m| m.allowed && m.action == Action::Describe) {
            let own = commons.known_person(&who).map(|p| p.organisation.to_string()) == text(&record.fields, "owner");
            let under = wish.under(&commons, &standing, &record.id)?;
            data_sets.extend(listed(&record, own, under, may, context.now));
        }
    }
    Ok(Catalogue { user: who.to_string(), purpose, data_sets })
}

/// The data sets one may know of, for a purpose.
pub(super) async fn listed_for(context: &Context, standing: &std::sync::Arc<Standing>, purpose: Purpose) -> Result<Vec<Row>> {
    let who = seen_by(context, standing, None)?;
    let commons = if context.access.sees_all() {
        judged(context, standing, &actor(context, standing, &[], None)?)?
    } else {
        standing.commons.clone()
    };
    let seat = Seat::new(commons, standing.clone(), purpose, context.now);
    let mut rows = Vec::new();
    for record in context.session.store.records(&Access::owner(), "data-set", None, false).await? {
        let known = !record.fields.contains_key("retired_at") && seat.decide_set(&who, Action::Describe, &record.id).allow;
        let area = text(&record.fields, "area").and_then(|a| Area::from_code(&a));
        let owner = text(&record.fields, "owner").and_then(|o| Id::parse(&o).ok());
        if let (true, Some(area), Some(owner)) = (known, area, owner) {
            rows.push((record.id, owner, area, text(&record.fields, "title").unwrap_or_default()));
        }
    }
    Ok(rows)
}

/// Whose view is shown: one's own, or that of a user for those who answer for the platform.
pub(super) fn seen_by(context: &Context, standing: &Standing, user: Option<&str>) -> Result<Id> {
    match user {
        Some(user) => {
            actor(context, standing, &[Role::Operator, Role::Auditor], None)?;
            id_in("user", user)
        }
        None => id_in("user", &context.access.who.id),
    }
}

fn listed(record: &Record, own: bool, under: Vec<Under>, may: Vec<May>, now: Instant) -> Option<Listed> {
    let fields = &record.fields;
    let area = Area::from_code(&text(fields, "area")?)?;
    let embargo = instant(fields, "embargo_until");
    Some(Listed {
        id: record.id.to_string(),
        title: text(fields, "title").unwrap_or_default(),
        owner: text(fields, "owner").unwrap_or_default(),
        area,
        area_label: area.label(),
        topic: text(fields, "topic"),
        embargo_until: embargo.map(|at| at.to_string()),
        embargoed: embargo.is_some_and(|end| now < end),
        records: counted(fields),
        own,
        usable: may.iter().any(|m| m.allowed && USE.contains(&m.action)),
        under,
        may,
    })
}

async fn protection(context: Context, input: ProtectionInput) -> Result<Protection> {
    let standing = standing(&context).await?;
    let record = wanted(&context, "data-set", &input.id, "id").await?;
    let owner = text(&record.fields, "owner").unwrap_or_default();
    actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward, Role::Scientist], Some(&owner))?;
    let requirements = requirements(&record.fields);
    Ok(Protection {
        id: record.id.to_string(),
        secrecy: text(&record.fields, "secrecy").unwrap_or_else(|| "open".into()),
        met: requirements.iter().all(|r| r.met),
        requirements,
    })
}

/// What the protection that is sought asks for and is not stated.
pub(super) fn unmet(fields: &FieldMap) -> Vec<Text> {
    requirements(fields).into_iter().filter(|r| !r.met).map(|r| r.basis).collect()
}

/// What the Unfair Competition Prevention Act (平成5年法律第47号) asks for: article 2(7) for data for limited provision,
/// article 2(6) for trade secrets. Nothing for data that is open.
fn requirements(fields: &FieldMap) -> Vec<Requirement> {
    let words = |name: &str| text(fields, name).filter(|t| !t.trim().is_empty());
    let of_text = |name: Text, clause: &str, field: &str, missing: Text| {
        let stated = words(field);
        Requirement { name, clause: clause.into(), met: stated.is_some(), basis: stated.map_or(missing, Text::same) }
    };
    let of_flag = |name: Text, clause: &str, field: &str, stated: Text, missing: Text| {
        let met = flag(fields, field);
        Requirement { name, clause: clause.into(), met, basis: if met { stated } else { missing } }
    };
    match words("secrecy").as_deref() {
        Some("limited") => vec![
            of_text(
                Text::new("限定提供性", "provided to certain persons as a business"),
                "2(7)",
                "provided_to",
                Text::new("提供先の範囲が書かれていません", "it is not said to whom it is provided"),
            ),
            of_flag(
                Text::new("相当蓄積性", "accumulated to a significant amount"),
                "2(7)",
                "accumulated",
                Text::new("相当量の蓄積があると申告", "stated to be accumulated to a significant amount"),
                Text::new("相当量の蓄積が申告されていません", "accumulation to a significant amount is not stated"),
            ),
            of_flag(
                Text::new("電磁的管理性", "managed by electronic means"),
                "2(7)",
                "access_controlled",
                Text::new("アクセス制御ありと申告", "access control is stated"),
                Text::new("アクセス制御が申告されていません", "access control is not stated"),
            ),
            Requirement {
                name: Text::new("秘密として管理されるものでないこと", "not kept secret"),
                clause: "2(7)".into(),
                met: !flag(fields, "marked_secret"),
                basis: if flag(fields, "marked_secret") {
                    Text::new(
                        "秘密表示があります。営業秘密としての管理を検討してください",
                        "it is marked as secret: consider a trade secret instead",
                    )
                } else {
                    Text::new("秘密表示はありません", "it is not marked as secret")
                },
            },
        ],
        Some("secret") => {
            let managed = flag(fields, "marked_secret") && flag(fields, "access_controlled");
            vec![
                Requirement {
                    name: Text::new("秘密管理性", "kept secret"),
                    clause: "2(6)".into(),
                    met: managed,
                    basis: if managed {
                        Text::new("秘密表示とアクセス制御ありと申告", "marked as secret and access controlled, as stated")
                    } else {
                        Text::new("秘密表示とアクセス制御の両方が要ります", "both the mark and access control are needed")
                    },
                },
                of_text(
                    Text::new("有用性", "useful for business activity"),
                    "2(6)",
                    "useful",
                    Text::new("有用性の説明がありません", "it is not said why it is useful"),
                ),
                of_text(
                    Text::new("非公知性", "not publicly known"),
                    "2(6)",
                    "not_public",
                    Text::new("非公知性の説明がありません", "it is not said why it is not publicly known"),
                ),
            ]
        }
        _ => Vec::new(),
    }
}
