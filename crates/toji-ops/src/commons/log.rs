//! The witnessed log: heads of the ledger and noted decisions in a Merkle tree that the house signs, members mirror,
//! verify offline and cosign. Persons stand in it as salted commitments and can be forgotten.

use super::agreement::key_from;
use super::seat::{Actor, actor, standing};
use super::standing::{Standing, texts};
use super::trail::{Fresh, compare, name_all};
use super::write::{id_in, out_of_order, wanted, with, write};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::agreement::Role;
use toji_commons::log::{Checkpoint, Entry, KeyKind, Log, Note, Seen, VerifierKey, Witness};
use toji_core::record::FieldMap;
use toji_core::{Access, Error, Instant, Place, Record, Result};
use toji_store::{Put, Trail};

/// Events read at one time.
const BATCH: i64 = 10_000;
/// Setting in which a member's own node remembers what it saw of a log, by the log's name.
const SEEN: &str = "witness";

/// Input of `commons checkpoint`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckpointInput {
    /// Key file of the organisation the house belongs to, on this machine.
    ///
    /// この機械にある、保存先の持ち主の組織の鍵のファイル。
    key_file: String,
}

/// Input of `commons log`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogInput {
    /// Newest entries shown, at most.
    ///
    /// 示す新しい項目の上限。
    #[serde(default = "usual_entries")]
    limit: usize,
}

fn usual_entries() -> usize {
    20
}

/// Input of `commons mirror`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MirrorInput {}

/// Input of `commons verify-log` and part of `commons cosign`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyInput {
    /// The mirror, as `toji commons mirror` made it.
    ///
    /// `toji commons mirror` の写し。
    mirror: String,
    /// Public key of the log, when it is known from elsewhere; that in the mirror otherwise.
    ///
    /// 別に知っている台帳の公開鍵。省略時は写しの中の鍵。
    #[serde(default)]
    key: Option<String>,
    /// Public keys of witnesses.
    ///
    /// 証人の公開鍵。
    #[serde(default)]
    witnesses: Vec<String>,
    /// How many of them must have cosigned.
    ///
    /// 必要な副署の数。
    #[serde(default)]
    quorum: usize,
    /// Compare the rows of this store, too: for operators and auditors of the house.
    ///
    /// この保存先の行も照合する（基盤運営者と監査人）。
    #[serde(default)]
    rows: bool,
}

/// Input of `commons cosign`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CosignInput {
    /// The mirror, as `toji commons mirror` made it.
    ///
    /// `toji commons mirror` の写し。
    mirror: String,
    /// Key file of one's own organisation, on this machine.
    ///
    /// この機械にある自社の鍵のファイル。
    key_file: String,
}

/// Input of `commons cosigned`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CosignedInput {
    /// Organisation that cosigned.
    ///
    /// 副署した組織。
    organisation: String,
    /// The signature line that its node gave.
    ///
    /// その節点が出した署名の行。
    signature: String,
}

/// Input of `commons forget`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ForgetInput {
    /// Pseudonym of the person.
    ///
    /// 忘れる人の仮名。
    person: String,
    /// Why: the request it follows.
    ///
    /// 理由（本人の請求など）。
    reason: String,
}

/// Output about the head of the log.
#[derive(Debug, Serialize, JsonSchema)]
struct Head {
    /// Name of the log.
    origin: String,
    /// Entries.
    size: u64,
    /// Root of the tree.
    root: String,
    /// When it was signed.
    at: Option<String>,
    /// Signed note with its cosignatures.
    note: Option<String>,
    /// Who cosigned it.
    cosigned_by: Vec<String>,
    /// Newest entries, newest first.
    entries: Vec<Json>,
}

/// Output of `commons mirror`.
#[derive(Debug, Serialize, JsonSchema)]
struct Mirrored {
    /// Name of the log.
    origin: String,
    /// Entries.
    size: u64,
    /// Root of the tree.
    root: String,
}

/// Output of `commons verify-log`.
#[derive(Debug, Serialize, JsonSchema)]
struct VerifiedLog {
    /// Name of the log.
    origin: String,
    /// Entries, all of which fit the signed root.
    size: u64,
    /// Root of the tree.
    root: String,
    /// Who cosigned it, of the witnesses named.
    witnesses: Vec<String>,
    /// Entries by kind.
    entries: BTreeMap<String, u64>,
    /// Rows of this store that are those that were signed, where they were compared.
    rows_checked: Option<u64>,
}

/// Output of `commons cosign`.
#[derive(Debug, Serialize, JsonSchema)]
struct CosignedLog {
    /// Name of the log.
    origin: String,
    /// Size that was seen before.
    before: u64,
    /// Size now.
    size: u64,
    /// Signature line, to be handed to the house.
    signature: String,
    /// Public key that verifies it.
    key: String,
}

/// Output of `commons forget`.
#[derive(Debug, Serialize, JsonSchema)]
struct Forgotten {
    /// Commitments that can no longer be opened.
    commitments: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons checkpoint",
                label: ["台帳の署名", "Sign the log"],
                about: [
                    "前回からの台帳の先頭と、判断（拒否・持出し・学習）と毎時の閲覧数の束を木に加え、その根に署名します。会員はこれを検証し副署します。誰が何を求めたかは束からは分かりません。",
                    "Adds the heads of the ledger and batches of decisions (refusals, exports, training) and of hourly counts of reads since the last time to the tree and signs its root, for members to verify and cosign. A batch does not tell who asked for what.",
                ],
                positional: &[],
                example: "toji commons checkpoint --key-file home.key",
            },
            Effect::Write,
            checkpoint,
        ),
        Operation::declare(
            Words {
                name: "commons log",
                label: ["台帳の状態", "The witnessed log"],
                about: [
                    "署名された台帳の大きさ・根・副署と、新しい項目を示します。",
                    "Shows size, root and cosignatures of the signed log, and its newest entries.",
                ],
                positional: &[],
                example: "toji commons log",
            },
            Effect::Read,
            log,
        ),
        Operation::declare_filed(
            Words {
                name: "commons mirror",
                label: ["台帳の写し", "Mirror the log"],
                about: [
                    "台帳の全項目と署名をファイルに写します。写しはこの保存先なしに検証できます。",
                    "Copies all entries of the log with its signatures to a file that is verified without this store.",
                ],
                positional: &[],
                example: "toji commons mirror --out log.json",
            },
            Effect::Read,
            mirror,
        ),
        Operation::declare(
            Words {
                name: "commons verify-log",
                label: ["台帳の検証", "Verify a mirror"],
                about: [
                    "写しの全項目が署名された根と合い、必要な数の証人が副署しているかを検証します。ネットワークも元の保存先も要りません。--rows を付けると、この保存先の判断と閲覧数の記録が署名された束と同じかを確かめ、違う範囲を示します。",
                    "Verifies that all entries of a mirror fit the signed root and that enough witnesses cosigned it. It needs neither network nor the store it came from. With --rows the decisions and counts of reads of this store are compared with the batches that were signed, and ranges that differ are named.",
                ],
                positional: &["mirror"],
                example: "toji commons verify-log \"$(cat log.json)\"",
            },
            Effect::Read,
            verify_log,
        ),
        Operation::declare(
            Words {
                name: "commons cosign",
                label: ["台帳の副署", "Cosign the log"],
                about: [
                    "会員自身の保存先で実行します。写しが前に見た台帳の続きであるときだけ副署し、見た先頭を覚えます。分岐した台帳は断ります。",
                    "Run in a member's own store: cosigns only when the mirror continues what was seen before, and remembers its head. A fork is refused.",
                ],
                positional: &["mirror"],
                example: "toji commons cosign \"$(cat log.json)\" --key-file org-a.key",
            },
            Effect::Write,
            cosign,
        ),
        Operation::declare(
            Words {
                name: "commons cosigned",
                label: ["副署の受け取り", "Take in a cosignature"],
                about: [
                    "会員の副署を検証し、最新の署名に加えます。",
                    "Verifies the cosignature of a member and adds it to the newest checkpoint.",
                ],
                positional: &["organisation"],
                example: "toji commons cosigned ORG-A --signature '— ORG-A …'",
            },
            Effect::Write,
            cosigned,
        ),
        Operation::declare(
            Words {
                name: "commons forget",
                label: ["本人の請求による消去", "Forget a person"],
                about: [
                    "人の仮名への約束を開くための鍵を壊し、判断と閲覧数の記録から仮名を消します。台帳は検証できるままです。",
                    "Destroys what opens the commitments to a person's pseudonym and takes it out of the records of decisions and reads. The log stays verifiable.",
                ],
                positional: &["person"],
                example: "toji commons forget taro-7 --reason 本人の請求",
            },
            Effect::Write,
            forget,
        ),
    ]
}

/// What members mirror.
#[derive(Debug, Serialize, Deserialize)]
struct Mirror {
    /// Name of the log.
    origin: String,
    /// Its public key.
    key: String,
    /// Signed note.
    note: String,
    /// Entries as they were hashed.
    leaves: Vec<String>,
}

/// The log as it was signed last.
struct Kept {
    records: Vec<Record>,
    leaves: Vec<String>,
}

impl Kept {
    async fn of(context: &Context) -> Result<Self> {
        let mut records = context.session.store.records(&Access::owner(), "log-checkpoint", None, false).await?;
        records.sort_by_key(|r| r.fields.get("size").and_then(Json::as_u64));
        let leaves = records.iter().flat_map(|r| texts(&r.fields, "leaves")).collect();
        Ok(Self { records, leaves })
    }
    fn number(&self, name: &str) -> i64 {
        self.records.last().and_then(|r| r.fields.get(name)).and_then(Json::as_i64).unwrap_or(0)
    }
    fn log(&self, origin: &str) -> Log {
        let mut log = Log::new(origin);
        self.leaves.iter().for_each(|leaf| {
            log.append_bytes(leaf.clone().into_bytes());
        });
        log
    }
}

async fn checkpoint(context: Context, input: CheckpointInput) -> Result<Head> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::Operator], None)?;
    let key = key_from(&context, &input.key_file, KeyKind::Log)?;
    let registered = standing.keys.get(&standing.home).filter(|k| *k == key.verifier());
    if registered.is_none() {
        return Err(out_of_order(
            "key_file",
            "保存先の持ち主の登録された鍵ではありません".into(),
            "not the registered key of the organisation the house belongs to".into(),
            ["`toji commons key` で登録した鍵を指定してください", "give the key that was registered with `toji commons key`"],
        ));
    }
    let origin = standing.home.to_string();
    let kept = Kept::of(&context).await?;
    let mut seq = kept.number("ledger_seq");
    let store = &context.session.store;
    let (mut leaves, mut log) = (Vec::new(), kept.log(&origin));
    let mut add = |entry: &Entry| -> Result<()> {
        log.append(entry)?;
        leaves.push(String::from_utf8(entry.bytes()?).map_err(|e| Error::bug("E-COMMONS-036", e))?);
        Ok(())
    };
    let (inner, mut heads_n) = (Access::owner(), 0);
    loop {
        let heads = store.heads_after(&inner, seq, BATCH).await?;
        for (at_seq, at, hash) in &heads {
            let facts = BTreeMap::from([("seq".into(), at_seq.to_string()), ("hash".into(), hash.to_string())]);
            add(&Entry { at: Instant::parse(at)?, kind: "ledger-head".into(), facts, personal: BTreeMap::new() })?;
            seq = *at_seq;
        }
        heads_n += heads.len();
        if heads.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            break;
        }
    }
    let mut decisions = Fresh::after(&context, Trail::Decisions, kept.number("decision_n")).await?;
    let mut reads = Fresh::after(&context, Trail::Reads, kept.number("read_n")).await?;
    // The event of the last checkpoint alone is no news.
    if heads_n <= usize::from(!kept.records.is_empty()) && !decisions.is_news() && !reads.is_news() {
        return head(&context, &standing, 0).await;
    }
    for fresh in [&mut decisions, &mut reads] {
        fresh.name(&context).await?;
        fresh.leaves(context.now)?.iter().try_for_each(&mut add)?;
    }
    let note = log.checkpoint(&key)?;
    let (size, root) = (log.tree().size(), log.tree().root());
    let fields = with(
        FieldMap::new(),
        [
            ("size", json!(size)),
            ("root", json!(root.to_string())),
            ("note", json!(note.to_string())),
            ("leaves", json!(leaves)),
            ("ledger_seq", json!(seq)),
            ("decision_n", json!(decisions.last().unwrap_or(kept.number("decision_n")))),
            ("read_n", json!(reads.last().unwrap_or(kept.number("read_n")))),
            ("at", json!(context.now.to_string())),
        ],
    );
    let put = Put { if_version: Some(0), ..Put::new("log-checkpoint", id_in("size", &format!("checkpoint-{size}"))?, fields) };
    write(&context, &actor, "commons checkpoint", None, put).await?;
    head(&context, &standing, 0).await
}

async fn head(context: &Context, standing: &Standing, limit: usize) -> Result<Head> {
    let kept = Kept::of(context).await?;
    let last = kept.records.last();
    let of = |name: &str| last.and_then(|r| text(&r.fields, name));
    Ok(Head {
        origin: standing.home.to_string(),
        size: last.and_then(|r| r.fields.get("size")).and_then(Json::as_u64).unwrap_or(0),
        root: of("root").unwrap_or_else(|| toji_commons::log::empty_root().to_string()),
        at: of("at"),
        note: of("note"),
        cosigned_by: last.map(|r| texts(&r.fields, "cosigned_by")).unwrap_or_default(),
        entries: kept.leaves.iter().rev().take(limit).filter_map(|leaf| serde_json::from_str(leaf).ok()).collect(),
    })
}

async fn log(context: Context, input: LogInput) -> Result<Head> {
    let standing = standing(&context).await?;
    // Members may know it; the gate says who is one.
    let seen = context.session.store.records(&context.access, "log-checkpoint", None, false).await?;
    if seen.is_empty() {
        return Ok(Head {
            origin: standing.home.to_string(),
            size: 0,
            root: toji_commons::log::empty_root().to_string(),
            at: None,
            note: None,
            cosigned_by: Vec::new(),
            entries: Vec::new(),
        });
    }
    head(&context, &standing, input.limit).await
}

async fn mirror(context: Context, _input: MirrorInput) -> Result<Answer<Mirrored>> {
    let standing = standing(&context).await?;
    let seen = context.session.store.records(&context.access, "log-checkpoint", None, false).await?;
    let kept = Kept::of(&context).await?;
    let last = kept.records.last().filter(|_| !seen.is_empty()).ok_or_else(|| {
        Error::not_found("E-COMMONS-037", "署名された台帳がありません", "there is no signed log")
            .hint("`toji commons checkpoint` で署名してください", "sign it with `toji commons checkpoint`")
    })?;
    let key = standing.keys.get(&standing.home).map(ToString::to_string).unwrap_or_default();
    let mirror = Mirror {
        origin: standing.home.to_string(),
        key,
        note: text(&last.fields, "note").unwrap_or_default(),
        leaves: kept.leaves.clone(),
    };
    let bytes = serde_json::to_vec_pretty(&mirror).map_err(|e| Error::bug("E-COMMONS-036", e))?;
    let output =
        Mirrored { origin: mirror.origin, size: kept.leaves.len() as u64, root: text(&last.fields, "root").unwrap_or_default() };
    Ok(Answer { output, attachment: Some(Attachment { name: "commons-log.json".into(), media_type: "application/json", bytes }) })
}

/// Reads and checks a mirror; answers the log, the note and the key it was checked with.
fn checked(mirror: &str, key: Option<&str>) -> Result<(Log, Note, VerifierKey, Checkpoint)> {
    let mirror: Mirror = serde_json::from_str(mirror).map_err(|e| {
        Error::input("E-COMMONS-038", format!("台帳の写しではありません: {e}"), format!("not a mirror of a log: {e}"))
            .at(Place { line: Some(e.line() as u64), column: Some(e.column() as u64), ..Place::field("mirror") })
            .hint(
                "`toji commons mirror` のファイルの内容をそのまま渡してください",
                "pass the content of the file that `toji commons mirror` made",
            )
    })?;
    let key = VerifierKey::parse(key.unwrap_or(&mirror.key)).map_err(|e| e.at(Place::field("key")))?;
    let note = Note::parse(&mirror.note)?;
    let checkpoint = Checkpoint::open(&note, &key, &[], 0)?.checkpoint;
    let log = Log::mirror(mirror.leaves.into_iter().map(String::into_bytes).collect(), &checkpoint)?;
    Ok((log, note, key, checkpoint))
}

async fn verify_log(context: Context, input: VerifyInput) -> Result<VerifiedLog> {
    let (log, note, key, checkpoint) = checked(&input.mirror, input.key.as_deref())?;
    let witnesses: Vec<VerifierKey> = input
        .witnesses
        .iter()
        .map(|w| VerifierKey::parse(w).map_err(|e| e.at(Place::field("witnesses"))))
        .collect::<Result<_>>()?;
    let cosigned = Checkpoint::open(&note, &key, &witnesses, input.quorum)?;
    let mut entries = BTreeMap::new();
    for leaf in log.entries() {
        let kind = serde_json::from_slice::<Entry>(leaf).map_or_else(|_| "unreadable".to_owned(), |e| e.kind);
        *entries.entry(kind).or_insert(0) += 1;
    }
    let rows_checked = if input.rows {
        let standing = standing(&context).await?;
        if standing.keys.get(&standing.home) != Some(&key) {
            return Err(Error::input(
                "E-COMMONS-111",
                "この保存先の台帳の写しではありません",
                "this is no mirror of the log of this store",
            )
            .at(Place::field("mirror"))
            .hint("`toji commons mirror` で写しを作ってください", "make one with `toji commons mirror`"));
        }
        Some(compare(&context, &standing, log.entries()).await?)
    } else {
        None
    };
    Ok(VerifiedLog {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        witnesses: cosigned.witnesses.into_iter().map(|(name, _)| name).collect(),
        entries,
        rows_checked,
    })
}

async fn cosign(context: Context, input: CosignInput) -> Result<CosignedLog> {
    if !context.access.sees_all() {
        return Err(Error::new(
            toji_core::Category::Denied,
            "E-COMMONS-039",
            "副署は会員自身の保存先で行います",
            "cosigning is done in a member's own store",
        )
        .hint("自社の機械で `toji commons cosign` を実行してください", "run `toji commons cosign` on your own machine"));
    }
    let store = &context.session.store;
    let (log, note, key, checkpoint) = checked(&input.mirror, None)?;
    let setting = format!("{SEEN}:{}", checkpoint.origin);
    // What was seen, and under which key: the first time it is trusted, later it must be the same.
    let known = store.setting(&setting).await?;
    let (pinned, seen): (String, Seen) = match known {
        Some(text) => serde_json::from_str(&text).map_err(|e| Error::bug("E-COMMONS-040", e))?,
        None => (key.to_string(), Seen::default()),
    };
    if pinned != key.to_string() {
        return Err(out_of_order(
            "mirror",
            "台帳の鍵が前に見たものと違います".into(),
            "the log's key differs from the one seen before".into(),
            ["運営者に確かめ、ほかの証人に知らせてください", "ask the operator, and tell the other witnesses"],
        ));
    }
    let own = key_from(&context, &input.key_file, KeyKind::Cosigner)?;
    let own_key = own.verifier().to_string();
    let before = seen.size;
    let proof = if before <= checkpoint.size { log.tree().consistency(before, checkpoint.size)? } else { Vec::new() };
    let mut witness = Witness::new(own, key, checkpoint.origin.clone(), seen);
    let seconds = u64::try_from(context.now.0 / 1_000_000_000).unwrap_or(0);
    let signature = witness.consider(&note, &proof, seconds)?;
    // Durable before it is handed on.
    let text = serde_json::to_string(&(pinned, witness.seen())).map_err(|e| Error::bug("E-COMMONS-040", e))?;
    store.set_setting(&setting, &text).await?;
    Ok(CosignedLog { origin: checkpoint.origin, before, size: checkpoint.size, signature: signature.to_string(), key: own_key })
}

async fn cosigned(context: Context, input: CosignedInput) -> Result<Head> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::ContributorAdmin, Role::Steward, Role::Auditor], Some(&input.organisation))?;
    let organisation = id_in("organisation", &input.organisation)?;
    let key = standing.keys.get(&organisation).ok_or_else(|| {
        out_of_order(
            "organisation",
            "その組織の公開鍵が登録されていません".into(),
            "no public key of that organisation is registered".into(),
            ["`toji commons key` で登録してください", "register it with `toji commons key`"],
        )
    })?;
    let key = key.as_kind(KeyKind::Cosigner)?;
    let kept = Kept::of(&context).await?;
    let last = kept.records.last().cloned().ok_or_else(|| {
        Error::not_found("E-COMMONS-037", "署名された台帳がありません", "there is no signed log")
            .hint("`toji commons checkpoint` で署名してください", "sign it with `toji commons checkpoint`")
    })?;
    let note = format!("{}{}\n", text(&last.fields, "note").unwrap_or_default(), input.signature.trim_end());
    let note = Note::parse(&note).map_err(|e| e.at(Place::field("signature")))?;
    note.verified(std::slice::from_ref(&key)).map_err(|e| e.at(Place::field("signature")))?;
    let mut names: BTreeSet<String> = texts(&last.fields, "cosigned_by").into_iter().collect();
    names.insert(organisation.to_string());
    let fields = with(last.fields.clone(), [("note", json!(note.to_string())), ("cosigned_by", json!(names))]);
    write(&context, &actor, "commons cosigned", None, Put::new("log-checkpoint", last.id, fields)).await?;
    head(&context, &standing, 0).await
}

async fn forget(context: Context, input: ForgetInput) -> Result<Forgotten> {
    let standing = standing(&context).await?;
    // The person themself, or the operator for them.
    if context.access.who.id != input.person {
        let _: Actor = actor(&context, &standing, &[Role::Operator], None)?;
    }
    super::write::said("reason", &input.reason)?;
    wanted(&context, "user", &input.person, "person").await?;
    name_all(&context).await?;
    let commitments = context.session.store.forget_value(&input.person).await?;
    Ok(Forgotten { commitments })
}
