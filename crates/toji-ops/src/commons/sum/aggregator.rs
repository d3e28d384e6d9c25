//! The two aggregators: each sees its own shares, and both find the same reports out of range.

use super::message::{Answered, LeftOut, Opened, Part, Step, enough, not_too_soon, opened, reports, signed};
use super::question::Question;
use super::report::at_home;
use crate::commons::agreement::key_from;
use crate::commons::privacy::noise_bytes;
use crate::commons::seat::{actor, standing};
use crate::commons::standing::Standing;
use crate::commons::write::wanted;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::aggregate::{Blob, Half, HalfSum, Opening};
use toji_commons::agreement::Role;
use toji_commons::log::{KeyKind, SigningKey};
use toji_core::{Category, Error, Id, Place, Result, Text};

/// Setting in which a second aggregator remembers whose key it saw, by house and name.
const SEEN: &str = "sum-key";

/// Input of `commons sum-open`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenInput {
    /// The question.
    ///
    /// 問いの識別子。
    sum: String,
    /// What members handed to the first aggregator.
    ///
    /// 会員が第一の集計者に渡したもの（to_first）。
    reports: Vec<String>,
    /// Key file of the organisation the house belongs to, on this machine.
    ///
    /// この機械にある、保存先の持ち主の組織の鍵のファイル。
    key_file: String,
}

/// Input of `commons sum-check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckInput {
    /// Document of the question, as `toji commons sum` made it.
    ///
    /// 問いの文書。`toji commons sum` の document。
    question: String,
    /// What members handed to the second aggregator.
    ///
    /// 会員が第二の集計者に渡したもの（to_second）。
    reports: Vec<String>,
    /// What the house gave, as `toji commons sum-open` made it.
    ///
    /// `toji commons sum-open` が作った、保存先の持ち主の言い分。
    opened: String,
    /// Key file of one's own organisation, on this machine.
    ///
    /// この機械にある自社の鍵のファイル。
    key_file: String,
}

/// Output of `commons sum-open` and `commons sum-check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HandedOn {
    /// The question.
    sum: String,
    /// In words.
    question: Text,
    /// How many reports count so far.
    contributors: u64,
    /// Reports that do not count, and why.
    left_out: Vec<LeftOut>,
    /// What to hand to the other aggregator, and to no member.
    hand_on: String,
}

/// What the house keeps once it opened the reports.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptOpen {
    pub(super) parts: Vec<Part>,
    pub(super) key: Blob,
    pub(super) opened: Opened,
    pub(super) left_out: Vec<LeftOut>,
    note: String,
}

/// What the second aggregator keeps once it answered.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    contributors: u64,
    left_out: Vec<LeftOut>,
    note: String,
}

/// The question of a house.
pub(super) async fn of_house(context: &Context, standing: &Standing, sum: &str) -> Result<Question> {
    let record = wanted(context, "sum-round", sum, "sum").await?;
    let question = Question::parse(&text(&record.fields, "document").unwrap_or_default())?;
    if question.first == standing.home { Ok(question) } else { Err(not_ours(&question.first)) }
}

fn not_ours(aggregator: &Id) -> Error {
    Error::new(
        Category::Denied,
        "E-COMMONS-107",
        format!("この問いの集計者は「{aggregator}」です"),
        format!("the aggregator of this question is \"{aggregator}\""),
    )
    .at(Place::field("key_file"))
    .hint("その組織の登録された鍵で、その保存先から行ってください", "do it with that organisation's registered key, in its store")
}

/// An aggregator's key, which the question names.
fn own_key(context: &Context, question: &Question, aggregator: &Id, file: &str) -> Result<SigningKey> {
    let key = key_from(context, file, KeyKind::Log)?;
    if *key.verifier() == question.key(aggregator, "key_file")? { Ok(key) } else { Err(not_ours(aggregator)) }
}

/// Opens every report; those that are malformed are left out.
pub(super) fn open_all(half: &mut Half, parts: &[Part], left_out: &mut Vec<LeftOut>) -> BTreeMap<Id, Opening> {
    let mut openings = BTreeMap::new();
    for part in parts {
        match half.open(&part.from, &part.nonce, &part.public, &part.share) {
            Ok(opening) => {
                openings.insert(part.from.clone(), opening);
            }
            Err(error) => left_out.push(LeftOut::of(Some(&part.from), &error)),
        }
    }
    openings
}

/// Accepts what both opened and whose proof holds; the others are left out, each with the reason.
pub(super) fn accept_all(
    half: &mut Half,
    [first, second]: [&BTreeMap<Id, Opening>; 2],
    left_out: &mut Vec<LeftOut>,
) -> BTreeSet<Id> {
    let mut accepted = BTreeSet::new();
    for member in first.keys().chain(second.keys()).collect::<BTreeSet<_>>() {
        let judged = match (first.get(member), second.get(member)) {
            (Some(a), Some(b)) => half.accept([a, b]),
            _ => Err(one_sided(member)),
        };
        match judged {
            Ok(()) => {
                accepted.insert(member.clone());
            }
            Err(error) => {
                half.leave_out(member);
                left_out.push(LeftOut::of(Some(member), &error));
            }
        }
    }
    accepted
}

fn one_sided(member: &Id) -> Error {
    Error::input(
        "E-COMMONS-108",
        format!("「{member}」の報告は一方の集計者にしか届いていません"),
        format!("the report of \"{member}\" reached one aggregator only"),
    )
    .at(Place::field("reports"))
    .hint("両方の集計者に渡してください", "hand it to both aggregators")
}

/// One for each member, the first.
pub(super) fn by_member(openings: &[Opening]) -> BTreeMap<Id, Opening> {
    openings.iter().rev().map(|o| (o.of.clone(), o.clone())).collect()
}

/// The key of both aggregators.
pub(super) fn shared(key: &Blob) -> Result<[u8; 32]> {
    key.0.as_slice().try_into().map_err(|_| {
        Error::input("E-COMMONS-095", "集計者の鍵の形式が違います", "the key of the aggregators is malformed")
            .at(Place::field("opened"))
            .hint(
                "`toji commons sum-open` の出力をそのまま渡してください",
                "pass what `toji commons sum-open` printed, unchanged",
            )
    })
}

/// The half of the sum, with this aggregator's noise where there is any.
pub(super) fn half_sum(half: &Half, question: &Question) -> Result<HalfSum> {
    match question.noise {
        Some(mechanism) => half.noised(mechanism, &mut noise_bytes()?),
        None => half.total(),
    }
}

pub(super) async fn open(context: Context, input: OpenInput) -> Result<HandedOn> {
    let standing = standing(&context).await?;
    actor(&context, &standing, &[Role::Operator], None)?;
    let question = of_house(&context, &standing, &input.sum).await?;
    let key = own_key(&context, &question, &question.first, &input.key_file)?;
    let kept = match Step::Opened.kept::<KeptOpen>(&context, &question).await? {
        Some(kept) => kept,
        None => {
            not_too_soon(&context, &question).await?;
            let (parts, mut left_out) = reports(&question, &question.first, &input.reports)?;
            let mut drawn = [0u8; 32];
            crate::random::fill(&mut drawn)?;
            let mut half = Half::new(question.engine()?, false, drawn);
            let openings = open_all(&mut half, &parts, &mut left_out);
            enough(&openings.keys().cloned().collect(), &question)?;
            let shared = Blob(drawn.to_vec());
            let opened = Opened { question: question.digest()?, key: shared.clone(), openings: openings.into_values().collect() };
            let note = signed(&opened, &key)?;
            let kept = KeptOpen { parts, key: shared, opened, left_out, note };
            Step::Opened.keep(&context, &question, &kept, Vec::new()).await?;
            kept
        }
    };
    Ok(HandedOn {
        sum: question.sum.to_string(),
        question: question.words(),
        contributors: kept.opened.openings.len() as u64,
        left_out: kept.left_out,
        hand_on: kept.note,
    })
}

pub(super) async fn check(context: Context, input: CheckInput) -> Result<HandedOn> {
    at_home(&context, "和の検査は第二の集計者自身の保存先で行います", "a sum is checked in the store of the second aggregator")?;
    let question = Question::parse(&input.question)?;
    let key = own_key(&context, &question, &question.second, &input.key_file)?;
    let kept = match Step::Answered.kept::<KeptAnswer>(&context, &question).await? {
        Some(kept) => kept,
        None => {
            known_keys(&context, &question).await?;
            not_too_soon(&context, &question).await?;
            let kept = answer(&question, &input, &key)?;
            Step::Answered.keep(&context, &question, &kept, Vec::new()).await?;
            kept
        }
    };
    Ok(HandedOn {
        sum: question.sum.to_string(),
        question: question.words(),
        contributors: kept.contributors,
        left_out: kept.left_out,
        hand_on: kept.note,
    })
}

fn answer(question: &Question, input: &CheckInput, key: &SigningKey) -> Result<KeptAnswer> {
    let house = question.key(&question.first, "question")?;
    let opened = opened("opened", &input.opened, &house, |o: &Opened| o.question, question)?;
    let (parts, mut left_out) = reports(question, &question.second, &input.reports)?;
    let mut half = Half::new(question.engine()?, true, shared(&opened.key)?);
    let own = open_all(&mut half, &parts, &mut left_out);
    let accepted = accept_all(&mut half, [&by_member(&opened.openings), &own], &mut left_out);
    enough(&accepted, question)?;
    let answered = Answered {
        question: question.digest()?,
        openings: own.into_values().filter(|o| accepted.contains(&o.of)).collect(),
        half: half_sum(&half, question)?,
        left_out: left_out.clone(),
    };
    Ok(KeptAnswer { contributors: accepted.len() as u64, left_out, note: signed(&answered, key)? })
}

/// Members that a house made up would let it tell one true one from the total. So keys are those this store knows: of its
/// own commons where it has one, else as they were seen first.
async fn known_keys(context: &Context, question: &Question) -> Result<()> {
    let store = &context.session.store;
    let standing = Standing::of(&context.session, context.now).await?;
    let mut fresh = Vec::new();
    for (id, key) in &question.keys {
        let setting = format!("{SEEN}:{}:{id}", question.first);
        let own = standing.as_ref().and_then(|s| s.keys.get(id)).map(ToString::to_string);
        let known = match own {
            Some(own) => Some(own),
            None => store.setting(&setting).await?,
        };
        match known {
            Some(known) if known == *key => {}
            Some(_) => {
                return Err(Error::new(
                    Category::Conflict,
                    "E-COMMONS-109",
                    format!("「{id}」の公開鍵が、知っているものと違います"),
                    format!("the public key of \"{id}\" is not the one that is known here"),
                )
                .at(Place::field("question"))
                .hint("その会員に直接確かめてください", "ask that member itself"));
            }
            None => fresh.push((setting, key)),
        }
    }
    for (setting, key) in fresh {
        store.set_setting(&setting, key).await?;
    }
    Ok(())
}
