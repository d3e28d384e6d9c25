//! Agreements: drafted by one party, signed by all, and only then counted.

use super::seat::{Actor, actor, standing};
use super::standing::{Standing, texts};
use super::write::{id_in, out_of_order, present, wanted, with, write_all};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use toji_commons::agreement::{Agreement, Feedback, Granted, IndustrialUse, Patents, Purpose, Role, Terms, sign, to_odrl};
use toji_commons::log::{KeyKind, Note, SigningKey, VerifierKey};
use toji_core::record::FieldMap;
use toji_core::{Category, Digest, Error, Id, Instant, Place, Record, Result};
use toji_store::Put;

/// Input of `commons make-key`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeKeyInput {
    /// Organisation that signs with it.
    ///
    /// 署名する組織。
    organisation: String,
}

/// Output of `commons make-key`.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeKey {
    /// Organisation.
    organisation: String,
    /// Public key, to be registered.
    key: String,
    /// What the file holds.
    note: toji_core::Text,
}

/// Input of `commons draft`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DraftInput {
    /// Identifier; an agreement that is there gets a new version, to be signed anew.
    ///
    /// 識別子。既にある契約は新しい版となり、署名し直す。
    id: String,
    /// Its text and terms, as JSON or `@file`.
    ///
    /// 条文と条件。JSON または `@ファイル`。
    terms: Draft,
}

/// Text and terms of a draft.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// Title.
    ///
    /// 標題。
    title: String,
    /// The text that people read and sign.
    ///
    /// 人が読み、署名する条文。
    text: String,
    /// Organisations.
    ///
    /// 当事者。
    parties: Vec<String>,
    /// Data sets it covers; `organisation:cooperative` names all that an organisation placed in that area.
    ///
    /// 対象データセット。`組織:cooperative` はその組織がその領域に置いたすべて。
    data_sets: Vec<String>,
    /// In force from, RFC 3339.
    ///
    /// 始期（RFC 3339）。
    from: String,
    /// In force until before, RFC 3339.
    ///
    /// 終期（この時刻の前まで、RFC 3339）。
    until: String,
    /// Purposes.
    ///
    /// 目的。
    purposes: Vec<Purpose>,
    /// What is granted.
    ///
    /// 許諾する行為。
    grants: Vec<Granted>,
    /// May the data serve production?
    ///
    /// 産業利用を認めるか。
    #[serde(default)]
    industrial_use: bool,
    /// Notice of patent applications within so many days; 0 when no patent may rest on the data; missing when free.
    ///
    /// 特許出願を何日以内に通知するか。0 は出願の禁止、省略時は定めなし。
    #[serde(default)]
    patent_notice_days: Option<u32>,
    /// Parties that do not wait for an embargo to end.
    ///
    /// 公開猶予を待たない当事者（先行提供）。
    #[serde(default)]
    early_access: Vec<String>,
    /// Countries it reaches; all when missing.
    ///
    /// 対象国。省略時は限定なし。
    #[serde(default)]
    countries: Vec<String>,
    /// Units of feedback owed for each data set taken; none when missing.
    ///
    /// 利用した一データセットごとの還元の単位数。省略時は義務なし。
    #[serde(default)]
    feedback_units: Option<u32>,
    /// Within how many days after the use was registered.
    ///
    /// 利用登録から何日以内に還元するか。
    #[serde(default)]
    feedback_days: Option<u32>,
}

/// Input of `commons sign`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignInput {
    /// Agreement.
    ///
    /// 契約。
    id: String,
    /// Organisation that signs.
    ///
    /// 署名する組織。
    organisation: String,
    /// Its key file, on this machine.
    ///
    /// この機械にある鍵のファイル。
    #[serde(default)]
    key_file: Option<String>,
    /// The document with the signature added elsewhere, instead of a key file.
    ///
    /// 鍵のファイルの代わりに、別の機械で署名を加えた文書。
    #[serde(default)]
    signed: Option<String>,
}

/// Input of `commons agreement`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowInput {
    /// One agreement; all of one's own when missing.
    ///
    /// 契約。省略時は自社の契約すべて。
    #[serde(default)]
    id: Option<String>,
    /// Also as ODRL, for connectors of other data spaces.
    ///
    /// ほかのデータスペースのために ODRL でも示す。
    #[serde(default)]
    odrl: bool,
}

/// An agreement.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View {
    /// Agreement.
    id: String,
    /// Title.
    title: String,
    /// State.
    state: String,
    /// Version.
    version: u32,
    /// Does it count now: signed by all with their present keys, and in force?
    in_force: bool,
    /// Parties.
    parties: Vec<String>,
    /// Who signed.
    signed_by: Vec<String>,
    /// Who has not.
    missing: Vec<String>,
    /// Data sets.
    data_sets: Vec<String>,
    /// From.
    from: String,
    /// Until before.
    until: String,
    /// Purposes.
    purposes: Vec<Purpose>,
    /// Granted.
    grants: Vec<Granted>,
    /// May it serve production?
    industrial_use: bool,
    /// Patents on what is found: free, told of within some days, or none at all.
    patent_terms: PatentTerms,
    /// Within how many days the owner is told of a patent application.
    #[serde(skip_serializing_if = "Option::is_none")]
    patent_notice_days: Option<u32>,
    /// Early access.
    early_access: Vec<String>,
    /// Countries; none for all.
    countries: Vec<String>,
    /// Units of feedback owed for each data set.
    feedback_units: Option<u32>,
    /// Within days.
    feedback_days: Option<u32>,
    /// Codes of the Data Use Ontology that say part of it.
    duo: Vec<String>,
    /// The document that is signed.
    note: String,
    /// Hash of what is signed.
    digest: String,
    /// As ODRL, one policy for each owner and data set.
    odrl: Vec<Json>,
}

/// What an agreement says of patents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PatentTerms {
    /// Nothing is asked.
    Free,
    /// The owner is told of an application.
    Notice,
    /// No patent may rest on the data.
    None,
}

impl PatentTerms {
    pub(super) fn of(patents: Patents) -> (Self, Option<u32>) {
        match patents {
            Patents::Free => (Self::Free, None),
            Patents::Notice { within_days } => (Self::Notice, Some(within_days)),
            Patents::None => (Self::None, None),
        }
    }
}

/// Output of `commons agreement`.
#[derive(Debug, Serialize, JsonSchema)]
struct Agreements {
    /// Agreements.
    agreements: Vec<View>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare_filed(
            Words {
                name: "commons make-key",
                label: ["署名鍵の作成", "Make a signing key"],
                about: [
                    "組織が契約に署名する鍵を作ります。ファイルは秘密鍵で、保存先には残りません。表示される公開鍵を `toji commons key` で登録してください。",
                    "Makes the key with which an organisation signs agreements. The file is the private key and stays nowhere in the store; register the public key shown with `toji commons key`.",
                ],
                positional: &["organisation"],
                example: "toji commons make-key ORG-A --out org-a.key",
            },
            Effect::Read,
            make_key,
        ),
        Operation::declare(
            Words {
                name: "commons draft",
                label: ["契約の起案", "Draft an agreement"],
                about: [
                    "契約を起案します。目的・許諾・公開猶予・先行提供・還元義務・特許・期間は機械が守る条件となり、全当事者が署名して初めて効力を持ちます。当事者の提供管理者が行います。",
                    "Drafts an agreement. Purposes, grants, embargo, early access, feedback, patents and term are terms that a machine holds to; it counts once every party has signed. It is for the contributor administrator of a party.",
                ],
                positional: &["id"],
                example: "toji commons draft AG-1 --terms @agreement.json",
            },
            Effect::Write,
            draft,
        ),
        Operation::declare(
            Words {
                name: "commons sign",
                label: ["契約への署名", "Sign an agreement"],
                about: [
                    "契約の最新の版に署名します。署名はほかの機械で加えた文書を渡すこともできます。全当事者がそろうと効力を持ちます。",
                    "Signs the newest version of an agreement; the document may also be signed elsewhere and passed in. When all parties have signed it counts.",
                ],
                positional: &["id"],
                example: "toji commons sign AG-1 --organisation ORG-A --key-file org-a.key",
            },
            Effect::Write,
            sign_it,
        ),
        Operation::declare(
            Words {
                name: "commons agreement",
                label: ["契約の一覧", "Agreements"],
                about: [
                    "自社が当事者である契約の条件と署名の状態を示します。基盤運営者と監査人はすべてを見られます。",
                    "Shows the agreements one's own organisation is a party to, with their terms and signatures. Operators and auditors see all.",
                ],
                positional: &["id"],
                example: "toji commons agreement AG-1 --odrl",
            },
            Effect::Read,
            show,
        ),
    ]
}

async fn make_key(context: Context, input: MakeKeyInput) -> Result<Answer<MadeKey>> {
    if !context.local_files {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-014",
            "鍵は画面や API では作れません",
            "keys are not made over the network",
        )
        .hint(
            "署名する機械で `toji commons make-key` を実行してください",
            "run `toji commons make-key` on the machine that signs",
        ));
    }
    let id = id_in("organisation", &input.organisation)?;
    let mut seed = [0u8; 32];
    crate::random::fill(&mut seed)?;
    let key = SigningKey::from_seed(id.as_str(), KeyKind::Log, &seed)?;
    let public = key.verifier().to_string();
    let bytes = key_file(id.as_str(), &seed).into_bytes();
    let note = toji_core::Text::new(
        "秘密鍵。人に渡さず、予備を安全な場所に保管してください",
        "the private key: give it to nobody and keep a copy in a safe place",
    );
    let attachment = Attachment { name: format!("{id}.key"), media_type: "text/plain", bytes };
    Ok(Answer { output: MadeKey { organisation: id.to_string(), key: public, note }, attachment: Some(attachment) })
}

/// The private key as a line: what it is, whose, and the seed in hexadecimal.
pub(super) fn key_file(name: &str, seed: &[u8; 32]) -> String {
    let hex: String = seed.iter().map(|b| format!("{b:02x}")).collect();
    format!("toji-signing-key-v1 {name} {hex}\n")
}

/// Reads a private key.
///
/// # Errors
/// `E-COMMONS-015` it is none; the content is not told.
pub(super) fn read_key(content: &str, kind: KeyKind) -> Result<SigningKey> {
    let unreadable = || {
        Error::input("E-COMMONS-015", "署名鍵のファイルではありません", "not the file of a signing key")
            .at(Place::field("key_file"))
            .hint("`toji commons make-key` が作ったファイルを指定してください", "give the file that `toji commons make-key` made")
    };
    let words: Vec<&str> = content.split_whitespace().collect();
    let ["toji-signing-key-v1", name, hex] = words.as_slice() else { return Err(unreadable()) };
    let mut seed = [0u8; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(unreadable());
    }
    for (i, byte) in seed.iter_mut().enumerate() {
        *byte = hex.get(2 * i..2 * i + 2).and_then(|h| u8::from_str_radix(h, 16).ok()).ok_or_else(unreadable)?;
    }
    SigningKey::from_seed(name, kind, &seed)
}

/// Reads a key file of this machine.
pub(super) fn key_from(context: &Context, path: &str, kind: KeyKind) -> Result<SigningKey> {
    if !context.local_files {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-014",
            "鍵のファイルはこの機械のものだけを読みます",
            "key files are read on this machine only",
        )
        .at(Place::field("key_file"))
        .hint("コマンドで署名してください", "sign on the command line"));
    }
    let content = std::fs::read_to_string(path).map_err(|e| {
        Error::input("E-COMMONS-016", format!("鍵のファイルを読めません: {e}"), format!("the key file cannot be read: {e}"))
            .at(Place { file: Some(path.to_owned()), ..Place::field("key_file") })
            .hint("場所と権限を確かめてください", "check its path and permissions")
    })?;
    read_key(&content, kind)
}

/// What a draft says, wherever it comes from.
pub(super) struct Offered {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) parties: BTreeSet<Id>,
    pub(super) data_sets: BTreeSet<Id>,
    pub(super) terms: Terms,
}

/// A draft that may be kept.
pub(super) struct Drafted {
    actor: Actor,
    offered: Offered,
    pub(super) agreement: Agreement,
    before: Option<Record>,
}

async fn draft(context: Context, input: DraftInput) -> Result<View> {
    let drafted = drafted(&context, &input.id, input.terms.offered()?).await?;
    keep(&context, "commons draft", drafted).await
}

impl Draft {
    /// What it says, read.
    ///
    /// # Errors
    /// What cannot be read, by its field.
    pub(super) fn offered(self) -> Result<Offered> {
        let ids = |field: &str, names: &[String]| names.iter().map(|n| id_in(field, n)).collect::<Result<BTreeSet<Id>>>();
        let feedback = match (self.feedback_units, self.feedback_days) {
            (Some(units), Some(within_days)) => Some(Feedback { units, within_days }),
            (None, None) => None,
            _ => {
                return Err(Error::input(
                    "E-COMMONS-019",
                    "還元の単位数と日数はともに要ります",
                    "feedback needs both units and days",
                )
                .at(Place::field("feedback_days"))
                .hint("両方を指定するか、どちらも省いてください", "give both, or neither"));
            }
        };
        let at = |field: &str, text: &str| Instant::parse(text).map_err(|e| e.at(Place::field(field)));
        let terms = Terms {
            from: at("from", &self.from)?,
            until: at("until", &self.until)?,
            purposes: self.purposes.iter().copied().collect(),
            grants: self.grants.iter().copied().collect(),
            industrial_use: if self.industrial_use { IndustrialUse::Permitted } else { IndustrialUse::Forbidden },
            patents: match self.patent_notice_days {
                None => Patents::Free,
                Some(0) => Patents::None,
                Some(within_days) => Patents::Notice { within_days },
            },
            early_access: ids("early_access", &self.early_access)?,
            countries: (!self.countries.is_empty()).then(|| self.countries.iter().cloned().collect()),
            feedback,
        };
        let (parties, data_sets) = (ids("parties", &self.parties)?, ids("data_sets", &self.data_sets)?);
        Ok(Offered { title: self.title, text: self.text, parties, data_sets, terms })
    }
}

/// Judges a draft: parties are members, data sets theirs, terms without contradiction; one's own organisation is a party.
pub(super) async fn drafted(context: &Context, name: &str, offered: Offered) -> Result<Drafted> {
    let standing = standing(context).await?;
    let actor = actor(context, &standing, &[Role::ContributorAdmin], None)?;
    if !context.access.sees_all() {
        own_party(&actor, &offered)?;
    }
    let before = present(context, "agreement", name).await?;
    if let Some(before) = &before {
        theirs(context, &standing, &actor, before, &offered)?;
    }
    let version = before.as_ref().and_then(|r| r.fields.get("number")).and_then(Json::as_u64).unwrap_or(0) + 1;
    let agreement = judged(context, &standing, &id_in("id", name)?, version, &offered).await?;
    Ok(Drafted { actor, offered, agreement, before })
}

/// Nobody drafts for others alone.
///
/// # Errors
/// `E-COMMONS-017` one's own organisation is no party.
pub(super) fn own_party(actor: &Actor, offered: &Offered) -> Result<()> {
    if offered.parties.contains(&actor.organisation) {
        return Ok(());
    }
    Err(Error::new(
        Category::Denied,
        "E-COMMONS-017",
        "自社が当事者でない契約は起案できません",
        "your organisation is no party to it",
    )
    .at(Place::field("parties"))
    .hint("自社を当事者に加えてください", "add your organisation to the parties"))
}

/// A new version takes the place of the one before once it is signed. So it is drafted by one of its parties, and no party
/// of what counts is left out: nobody ends the agreement of others.
///
/// # Errors
/// `E-COMMONS-112` it is of others, or leaves a party out.
fn theirs(context: &Context, standing: &Standing, actor: &Actor, before: &Record, offered: &Offered) -> Result<()> {
    let own = context.access.sees_all() || texts(&before.fields, "parties").contains(&actor.organisation.to_string());
    let counts = standing.commons.known_agreement(&before.id);
    let left_out: Vec<&str> =
        counts.iter().flat_map(|a| &a.parties).filter(|p| !offered.parties.contains(*p)).map(Id::as_str).collect();
    if own && left_out.is_empty() {
        return Ok(());
    }
    let [ja, en] = if own {
        let names = left_out.join(", ");
        [
            format!("効力のある版の当事者 {names} が抜けています"),
            format!("it leaves out parties of the version that counts: {names}"),
        ]
    } else {
        [format!("「{}」はほかの組織の契約です", before.id), format!("\"{}\" is an agreement of others", before.id)]
    };
    Err(Error::new(Category::Denied, "E-COMMONS-112", ja, en)
        .at(Place::field(if own { "parties" } else { "id" }))
        .hint("別の識別子で新しい契約を起案してください", "draft a new agreement under another identifier"))
}

/// The agreement that would be kept: parties are members, data sets theirs, terms without contradiction.
pub(super) async fn judged(
    context: &Context,
    standing: &Standing,
    id: &Id,
    version: u64,
    offered: &Offered,
) -> Result<Agreement> {
    for party in &offered.parties {
        wanted(context, "membership", party.as_str(), "parties").await?;
    }
    for set in &offered.data_sets {
        let known = standing.commons.known_data_set(set).filter(|d| offered.parties.contains(&d.owner));
        if known.is_none() {
            return Err(Error::not_found(
                "E-COMMONS-018",
                format!("当事者のデータセット「{set}」はありません"),
                format!("no party has a data set \"{set}\""),
            )
            .at(Place::field("data_sets"))
            .hint("`toji commons catalogue` で確かめてください", "see `toji commons catalogue`"));
        }
    }
    let agreement = Agreement {
        id: id.clone(),
        version: u32::try_from(version).unwrap_or(u32::MAX),
        text: Digest::of(offered.text.as_bytes()),
        parties: offered.parties.clone(),
        data_sets: offered.data_sets.clone(),
        terms: offered.terms.clone(),
    };
    let faults = agreement.faults();
    if faults.is_empty() {
        return Ok(agreement);
    }
    Err(Error::input("E-AGREEMENT-001", "契約の条件が互いに矛盾しています", "the terms contradict themselves")
        .hint("挙げた項目を直してください", "correct the fields named")
        .with(faults))
}

/// Keeps a draft as the newest version.
pub(super) async fn keep(context: &Context, operation: &str, drafted: Drafted) -> Result<View> {
    let Drafted { actor, offered, agreement, before } = drafted;
    let names = |ids: &BTreeSet<Id>| json!(ids.iter().map(Id::as_str).collect::<Vec<_>>());
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(offered.title)),
            ("state", json!("draft")),
            ("number", json!(agreement.version)),
            ("parties", names(&agreement.parties)),
            ("data_sets", names(&agreement.data_sets)),
            ("from", json!(agreement.terms.from.to_string())),
            ("until", json!(agreement.terms.until.to_string())),
            ("note", json!(agreement.note()?.text())),
            ("text", json!(offered.text)),
            ("drafted_at", json!(context.now.to_string())),
            ("drafted_by", json!(actor.id)),
        ],
    );
    // The version in force stays in force, under its own name, until the new one is signed.
    let mut puts = Vec::new();
    if let Some(old) = before.filter(|r| text(&r.fields, "state").as_deref() == Some("signed")) {
        puts.push(Put::new("agreement", id_in("id", &format!("{}.v{}", agreement.id, agreement.version - 1))?, old.fields));
    }
    puts.push(Put::new("agreement", agreement.id.clone(), fields));
    write_all(context, &actor, operation, None, puts).await?;
    view(context, &wanted(context, "agreement", agreement.id.as_str(), "id").await?, false).await
}

async fn sign_it(context: Context, input: SignInput) -> Result<View> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin], Some(&input.organisation))?;
    let record = wanted(&context, "agreement", &input.id, "id").await?;
    if !texts(&record.fields, "parties").contains(&input.organisation) {
        return Err(out_of_order(
            "organisation",
            format!("「{}」は契約「{}」の当事者ではありません", input.organisation, input.id),
            format!("\"{}\" is no party to agreement \"{}\"", input.organisation, input.id),
            ["当事者を確かめてください", "check the parties"],
        ));
    }
    let unregistered = || {
        Error::not_found(
            "E-COMMONS-020",
            format!("「{}」の公開鍵が登録されていません", input.organisation),
            format!("no public key of \"{}\" is registered", input.organisation),
        )
        .at(Place::field("organisation"))
        .hint("`toji commons key` で登録してください", "register it with `toji commons key`")
    };
    let public: &VerifierKey = standing.keys.get(&actor.organisation).ok_or_else(unregistered)?;
    let mut note = note_of(&record.fields)?;
    match (&input.key_file, &input.signed) {
        (Some(path), None) => sign(&mut note, &key_from(&context, path, KeyKind::Log)?)?,
        (None, Some(signed)) => {
            let signed = Note::parse(signed).map_err(|e| e.at(Place::field("signed")))?;
            if signed.text() != note.text() {
                return Err(Error::input(
                    "E-COMMONS-021",
                    "署名した文書が契約の最新の版と違います",
                    "what was signed is not the newest version",
                )
                .at(Place::field("signed"))
                .hint(
                    "`toji commons agreement` の note に署名してください",
                    "sign the note that `toji commons agreement` shows",
                ));
            }
            signed.signatures().iter().for_each(|signature| note.add(signature.clone()));
        }
        _ => {
            return Err(Error::input(
                "E-COMMONS-022",
                "鍵のファイルか署名した文書の一方を指定してください",
                "give either a key file or the signed document",
            )
            .at(Place::field("key_file"))
            .hint("--key-file か --signed を付けてください", "add --key-file or --signed"));
        }
    }
    note.verified(std::slice::from_ref(public)).map_err(|e| e.at(Place::field("organisation")))?;
    let mut signed_by: BTreeSet<String> = texts(&record.fields, "signed_by").into_iter().collect();
    signed_by.insert(input.organisation.clone());
    let all = texts(&record.fields, "parties").iter().all(|p| signed_by.contains(p));
    let fields = with(
        record.fields.clone(),
        [
            ("note", json!(note.to_string())),
            ("signed_by", json!(signed_by)),
            ("state", json!(if all { "signed" } else { "draft" })),
        ],
    );
    let mut puts = vec![Put::new("agreement", record.id.clone(), fields)];
    if all {
        // The version before has been replaced.
        let number = record.fields.get("number").and_then(Json::as_u64).unwrap_or(1);
        if let Some(old) = present(&context, "agreement", &format!("{}.v{}", input.id, number.saturating_sub(1))).await? {
            puts.push(Put { retired: true, ..Put::new("agreement", old.id, with(old.fields, [("state", json!("replaced"))])) });
        }
    }
    write_all(&context, &actor, "commons sign", None, puts).await?;
    view(&context, &wanted(&context, "agreement", &input.id, "id").await?, false).await
}

async fn show(context: Context, input: ShowInput) -> Result<Agreements> {
    standing(&context).await?;
    let store = &context.session.store;
    let records = match &input.id {
        Some(id) => vec![store.record(&context.access, "agreement", id, None).await?],
        None => store.records(&context.access, "agreement", None, false).await?,
    };
    let mut agreements = Vec::new();
    for record in &records {
        agreements.push(view(&context, record, input.odrl).await?);
    }
    Ok(Agreements { agreements })
}

/// The document of an agreement; before anybody signed, it is its text alone.
pub(super) fn note_of(fields: &FieldMap) -> Result<Note> {
    let document = text(fields, "note").unwrap_or_default();
    if texts(fields, "signed_by").is_empty() { Note::new(document) } else { Note::parse(&document) }
}

/// The agreement of a record, whoever signed it.
pub(super) fn terms_of(record: &Record) -> Option<Agreement> {
    let note = note_of(&record.fields).ok()?;
    let json = note.text().split_once('\n')?.1;
    serde_json::from_str(json).ok()
}

async fn view(context: &Context, record: &Record, odrl: bool) -> Result<View> {
    let standing = standing(context).await?;
    let agreement = terms_of(record).ok_or_else(|| Error::bug("E-COMMONS-023", "an agreement whose document is not readable"))?;
    let terms = &agreement.terms;
    let counts = standing.commons.known_agreement(&agreement.id).is_some_and(|a| *a == agreement);
    let signed_by = texts(&record.fields, "signed_by");
    let parties: Vec<String> = agreement.parties.iter().map(Id::to_string).collect();
    let embargoed = |id: &Id| standing.commons.known_data_set(id).is_some_and(|d| d.is_embargoed(context.now));
    let (patent_terms, patent_notice_days) = PatentTerms::of(terms.patents);
    let mut policies = Vec::new();
    if odrl {
        for id in &agreement.data_sets {
            if let Some(data_set) = standing.commons.known_data_set(id) {
                policies.push(to_odrl(&agreement, &data_set.owner, id, embargoed(id))?);
            }
        }
    }
    Ok(View {
        id: record.id.to_string(),
        title: text(&record.fields, "title").unwrap_or_default(),
        state: text(&record.fields, "state").unwrap_or_default(),
        version: agreement.version,
        in_force: counts && terms.from <= context.now && context.now < terms.until,
        missing: parties.iter().filter(|p| !signed_by.contains(p)).cloned().collect(),
        parties,
        signed_by,
        data_sets: agreement.data_sets.iter().map(Id::to_string).collect(),
        from: terms.from.to_string(),
        until: terms.until.to_string(),
        purposes: terms.purposes.iter().copied().collect(),
        grants: terms.grants.iter().copied().collect(),
        industrial_use: terms.industrial_use == IndustrialUse::Permitted,
        patent_terms,
        patent_notice_days,
        early_access: terms.early_access.iter().map(Id::to_string).collect(),
        countries: terms.countries.iter().flatten().cloned().collect(),
        feedback_units: terms.feedback.map(|f| f.units),
        feedback_days: terms.feedback.map(|f| f.within_days),
        duo: terms.duo(agreement.data_sets.iter().any(embargoed)).into_iter().map(str::to_owned).collect(),
        note: text(&record.fields, "note").unwrap_or_default(),
        digest: agreement.digest()?.to_string(),
        odrl: policies,
    })
}
