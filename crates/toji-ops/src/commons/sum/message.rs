//! What members and aggregators hand each other: signed notes, each bound to its question.

use super::question::Question;
use crate::commons::seat::Actor;
use crate::commons::standing::texts;
use crate::commons::write::{present, with, write_all};
use crate::operation::Context;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use toji_commons::aggregate::{Blob, HalfSum, Opening};
use toji_commons::log::{Note, SigningKey, VerifierKey};
use toji_core::canonical::to_canonical;
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Digest, Error, Id, Instant, Place, Result, Text};
use toji_store::Put;

/// Days within which the same sum is not answered twice without noise.
const DAYS_BETWEEN: i64 = 90;
/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// What a message is, and the first line of its note.
pub(super) trait Message: Serialize + DeserializeOwned {
    /// First line.
    const HEADING: &'static str;
}

/// One share of a member's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// Hash of the question.
    pub(super) question: Digest,
    /// Aggregator that it is for.
    pub(super) to: Id,
    /// Member.
    pub(super) from: Id,
    /// Number used once.
    pub(super) nonce: Blob,
    /// What both aggregators get.
    pub(super) public: Blob,
    /// The share.
    pub(super) share: Blob,
}

impl Message for Part {
    const HEADING: &'static str = "toji-commons sum report v1";
}

/// What the house says of the proofs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Opened {
    /// Hash of the question.
    pub(super) question: Digest,
    /// Key of both aggregators, which no member knows.
    pub(super) key: Blob,
    /// Its part of each check.
    pub(super) openings: Vec<Opening>,
}

impl Message for Opened {
    const HEADING: &'static str = "toji-commons sum opened v1";
}

/// What the second aggregator answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answered {
    /// Hash of the question.
    pub(super) question: Digest,
    /// Its part of each check.
    pub(super) openings: Vec<Opening>,
    /// Its half.
    pub(super) half: HalfSum,
    /// Reports it left out.
    pub(super) left_out: Vec<LeftOut>,
}

impl Message for Answered {
    const HEADING: &'static str = "toji-commons sum answer v1";
}

/// A report that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SumLeftOut")]
pub(super) struct LeftOut {
    /// Whose; missing where that cannot be told.
    pub(super) member: Option<String>,
    /// Code of the fault.
    pub(super) refusal_code: String,
    /// Why.
    pub(super) reason: Text,
}

impl LeftOut {
    pub(super) fn of(member: Option<&Id>, error: &Error) -> Self {
        let reason = error.fault().message.clone();
        Self { member: member.map(ToString::to_string), refusal_code: error.code().to_owned(), reason }
    }
}

/// Signs a message.
pub(super) fn signed<T: Message>(content: &T, key: &SigningKey) -> Result<String> {
    let mut note = Note::new(format!("{}\n{}\n", T::HEADING, to_canonical(content)?))?;
    note.add(key.sign(note.text())?);
    Ok(note.to_string())
}

/// Reads a message without believing it yet.
fn parsed<T: Message>(field: &str, text: &str) -> Result<(Note, T)> {
    let unreadable = || {
        Error::input("E-COMMONS-095", format!("«{}» ではありません", T::HEADING), format!("this is not a \"{}\"", T::HEADING))
            .at(Place::field(field))
            .hint("前の段階の出力をそのまま渡してください", "pass what the step before printed, unchanged")
    };
    let note = Note::parse(text).map_err(|_| unreadable())?;
    let body = note.text().strip_prefix(T::HEADING).and_then(|t| t.strip_prefix('\n')).ok_or_else(unreadable)?;
    let content = serde_json::from_str(body).map_err(|_| unreadable())?;
    Ok((note, content))
}

/// Reads what an aggregator says.
///
/// # Errors
/// `E-COMMONS-095` it is none; the signature does not hold; `E-COMMONS-098` it is of another question.
pub(super) fn opened<T: Message>(
    field: &str,
    text: &str,
    key: &VerifierKey,
    question: impl Fn(&T) -> Digest,
    of: &Question,
) -> Result<T> {
    let (note, content) = parsed::<T>(field, text)?;
    note.verified(std::slice::from_ref(key)).map_err(|e| e.at(Place::field(field)))?;
    if question(&content) != of.digest()? {
        return Err(elsewhere(field));
    }
    Ok(content)
}

fn elsewhere(field: &str) -> Error {
    Error::input(
        "E-COMMONS-098",
        "別の問いへの、または別の集計者あての報告です",
        "this belongs to another question, or to the other aggregator",
    )
    .at(Place::field(field))
    .hint("問いの文書と宛先を確かめてください", "check the document of the question and whom it is for")
}

/// Reports that were handed to an aggregator: those that may be looked at, one a member, and those left out.
pub(super) fn reports(question: &Question, to: &Id, texts: &[String]) -> Result<(Vec<Part>, Vec<LeftOut>)> {
    let digest = question.digest()?;
    let (mut parts, mut left_out) = (Vec::<Part>::new(), Vec::new());
    for text in texts {
        let (note, part) = match parsed::<Part>("reports", text) {
            Ok(read) => read,
            Err(error) => {
                left_out.push(LeftOut::of(None, &error));
                continue;
            }
        };
        let judged = question.key(&part.from, "reports").and_then(|key| {
            note.verified(std::slice::from_ref(&key))?;
            let asked = question.members.contains(&part.from);
            if asked && part.question == digest && part.to == *to { Ok(()) } else { Err(elsewhere("reports")) }
        });
        match judged {
            // The first one of a member counts.
            Ok(()) if parts.iter().any(|p| p.from == part.from) => {}
            Ok(()) => parts.push(part),
            // Whoever did not sign it is not blamed for it.
            Err(error) => left_out.push(LeftOut::of(None, &error)),
        }
    }
    Ok((parts, left_out))
}

/// A step that an aggregator takes once for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Opened,
    Answered,
    Totalled,
}

impl Step {
    fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Answered => "answered",
            Self::Totalled => "totalled",
        }
    }
    fn id(self, question: &Question) -> Result<Id> {
        Ok(Id::derive("sum-half", &[&question.digest()?.to_string(), self.code()]))
    }

    /// What was kept of this step, if it was taken.
    pub(super) async fn kept<T: DeserializeOwned>(self, context: &Context, question: &Question) -> Result<Option<T>> {
        let Some(record) = present(context, "sum-half", self.id(question)?.as_str()).await? else { return Ok(None) };
        let content = record.fields.get("content").cloned().unwrap_or_default();
        serde_json::from_value(content).map(Some).map_err(|e| Error::bug("E-COMMONS-100", e))
    }

    /// Keeps what is handed on, before it is, with other records as one step; whoever is second, in another process too,
    /// is refused.
    pub(super) async fn keep<T: Serialize>(
        self,
        context: &Context,
        question: &Question,
        content: &T,
        mut more: Vec<Put>,
    ) -> Result<()> {
        let content = serde_json::to_value(content).map_err(|e| Error::bug("E-COMMONS-100", e))?;
        let fields = with(
            FieldMap::new(),
            [
                ("sum", json!(question.sum.as_str())),
                ("step", json!(self.code())),
                ("asks", json!(question.asks().as_str())),
                ("members", json!(question.members)),
                ("exact", json!(question.noise.is_none())),
                ("content", content),
                ("at", json!(context.now.to_string())),
            ],
        );
        more.push(Put { if_version: Some(0), ..Put::new("sum-half", self.id(question)?, fields) });
        let operation = match self {
            Self::Opened => "commons sum-open",
            Self::Answered => "commons sum-check",
            Self::Totalled => "commons sum-total",
        };
        write_all(context, &Actor::house(context), operation, None, more).await
    }
}

/// Was the same of any of these members answered here a short while ago, without noise? Two such totals might differ by
/// one of them. Under which agreement does not matter: who asks could name another.
///
/// # Errors
/// `E-COMMONS-099` it was.
pub(super) async fn not_too_soon(context: &Context, question: &Question) -> Result<()> {
    if question.noise.is_some() {
        return Ok(());
    }
    let asks = question.asks();
    let own = [Step::Opened, Step::Answered, Step::Totalled].map(|step| step.id(question).ok());
    let since = Instant(context.now.0.saturating_sub(DAYS_BETWEEN * DAY_NS));
    for record in context.session.store.records(&Access::owner(), "sum-half", None, false).await? {
        let of = |name: &str| record.fields.get(name).and_then(Json::as_str);
        let same = of("asks") == Some(asks.as_str()) && record.fields.get("exact") == Some(&json!(true));
        let overlaps = texts(&record.fields, "members").iter().any(|m| question.members.iter().any(|n| n.as_str() == m));
        let recent = of("at").and_then(|t| Instant::parse(t).ok()).is_none_or(|at| at > since);
        if same && overlaps && recent && !own.contains(&Some(record.id.clone())) {
            return Err(Error::new(
                Category::Denied,
                "E-COMMONS-099",
                format!("同じ会員についての同じ和を {DAYS_BETWEEN} 日以内に答えました。差から一者の値が分かるおそれがあります"),
                format!(
                    "the same sum of the same members was answered within {DAYS_BETWEEN} days: their difference might tell of one"
                ),
            )
            .at(Place::field("measure"))
            .hint(
                "期間をおくか、雑音付き（--epsilon か --rho）で問うてください",
                "wait, or ask with noise (--epsilon or --rho)",
            ));
        }
    }
    Ok(())
}

/// Too few are left for anything to be told.
pub(super) fn enough(members: &BTreeSet<Id>, question: &Question) -> Result<()> {
    if members.len() >= question.fewest {
        return Ok(());
    }
    let (n, fewest) = (members.len(), question.fewest);
    Err(Error::new(
        Category::Denied,
        "E-COMMONS-101",
        format!("数えられる報告が {n} 者分で、必要な {fewest} 者に足りません。何も明かしません"),
        format!("reports of {n} members count, and {fewest} are needed: nothing is told"),
    )
    .at(Place::field("reports"))
    .hint("報告を集めてから、もう一度行ってください", "gather more reports and do it again"))
}
