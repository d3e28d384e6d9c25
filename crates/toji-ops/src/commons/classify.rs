//! Where what is taken in should stand: a proposal with its evidence, for every report of an import and by itself.

use super::share::unmet;
use super::standing::{Standing, texts};
use super::write::{present, with};
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_commons::agreement::Area;
use toji_commons::classify::{Evidence, Fact, Proposal, Protection, Rule, propose, secret_mark, strictness};
use toji_commons::decide::{Place as Stands, Places as _};
use toji_core::record::FieldMap;
use toji_core::{Belongs, Diagnostic, Id, Kind, Place, Record, Resource, Result, Text};

/// Most examples of one proposal.
const EXAMPLES: usize = 5;
/// Field of a membership that holds the organisation's default.
pub(super) const DEFAULT: &str = "import_area";

/// Something that is taken in, or would be.
pub(crate) struct Candidate {
    /// Kind.
    pub(crate) kind: String,
    /// Identifier.
    pub(crate) id: Id,
    /// What it says.
    pub(crate) fields: FieldMap,
    /// Name of the file it came in.
    pub(crate) file: Option<String>,
}

/// Where records should stand, by what evidence.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Classified {
    /// Kind.
    kind: String,
    /// Records that this is proposed for.
    records: usize,
    /// Some of them.
    examples: Vec<String>,
    /// All of them.
    ids: Vec<String>,
    /// Area proposed.
    pub(super) area: Area,
    /// The area in words.
    area_label: Text,
    /// Protection proposed.
    #[serde(rename = "protection_sought")]
    protection: Protection,
    /// Area they stand in.
    pub(super) area_now: Area,
    /// Is the proposal stricter than that?
    pub(super) stricter: bool,
    /// What speaks for it, the strictest first.
    evidence: Vec<Evidence>,
    /// What the protection asks for that is not stated yet.
    #[serde(rename = "requirements_missing")]
    missing: Vec<Text>,
    /// What to do.
    #[serde(rename = "next_step")]
    next: Text,
}

impl Classified {
    /// A warning where the proposal is stricter than how the records stand.
    pub(crate) fn warning(&self) -> Option<Diagnostic> {
        self.stricter.then(|| {
            let named = self.examples.join(", ");
            Diagnostic::warning(
                "W-CLASSIFY-001",
                Place::field("area"),
                format!("{named} は「{}」が提案されますが、今は「{}」です", self.area_label.ja, self.area_now.label().ja),
                format!("{named}: proposed is \"{}\", but it stands in \"{}\"", self.area_label.en, self.area_now.label().en),
            )
            .remedy(self.next.ja.clone(), self.next.en.clone())
        })
    }
}

/// Proposals for what is taken in, alike ones together; nothing where no commons was founded.
pub(crate) async fn classified(context: &Context, candidates: &[Candidate]) -> Result<Vec<Classified>> {
    let Some(standing) = Standing::of(&context.session, context.now).await? else { return Ok(Vec::new()) };
    let owner = context.access.who.organisation.clone().unwrap_or_else(|| standing.home.to_string());
    let default = default_of(context, &owner).await?;
    let mut known: BTreeMap<(String, String), Option<Record>> = BTreeMap::new();
    let mut alike: Vec<Classified> = Vec::new();
    for candidate in candidates {
        let kind = context.session.store.kinds().get(&candidate.kind)?;
        let facts = facts(context, &standing, (kind, candidate), &owner, default, &mut known).await?;
        let one = told(&standing, candidate, &owner, propose(&facts));
        let same = |other: &&mut Classified| {
            let apart = |c: &Classified| Classified {
                records: 0,
                examples: Vec::new(),
                ids: Vec::new(),
                next: Text::same(String::new()),
                ..c.clone()
            };
            apart(other) == apart(&one)
        };
        match alike.iter_mut().find(same) {
            Some(group) => {
                group.records += 1;
                if group.examples.len() < EXAMPLES {
                    group.examples.extend(one.examples);
                }
                group.ids.extend(one.ids);
            }
            None => alike.push(one),
        }
    }
    Ok(alike)
}

/// The proposal for a record as it stands.
pub(super) async fn proposed(context: &Context, standing: &Standing, record: &Record, owner: &str) -> Result<Classified> {
    let kind = context.session.store.kinds().get(&record.kind)?;
    let default = default_of(context, owner).await?;
    let candidate = Candidate { kind: record.kind.clone(), id: record.id.clone(), fields: record.fields.clone(), file: None };
    let facts = facts(context, standing, (kind, &candidate), owner, default, &mut BTreeMap::new()).await?;
    Ok(told(standing, &candidate, owner, propose(&facts)))
}

async fn default_of(context: &Context, organisation: &str) -> Result<Option<Area>> {
    let membership = present(context, "membership", organisation).await?;
    Ok(membership.and_then(|m| text(&m.fields, DEFAULT)).and_then(|code| Area::from_code(&code)))
}

async fn facts(
    context: &Context,
    standing: &Standing,
    (kind, candidate): (&Kind, &Candidate),
    owner: &str,
    default: Option<Area>,
    known: &mut BTreeMap<(String, String), Option<Record>>,
) -> Result<Vec<Fact>> {
    let mut facts: Vec<Fact> = default.map(Fact::Default).into_iter().collect();
    let file = candidate.file.as_ref().map(|name| (Text::new("ファイル名", "the file name"), name.clone()));
    let label = |name: &str| kind.fields.iter().find(|f| f.name == name).map_or_else(|| Text::same(name), |f| f.label.clone());
    let said = candidate.fields.iter().map(|(name, value)| match value {
        Json::String(text) => (label(name), text.clone()),
        other => (label(name), other.to_string()),
    });
    for (label, text) in said.chain(file) {
        if let Some(words) = secret_mark(&text) {
            facts.push(Fact::Mark { label, words: words.to_owned() });
        }
    }
    for field in kind.fields.iter().filter(|f| f.sensitive && candidate.fields.get(&f.name).is_some_and(filled)) {
        facts.push(Fact::Sensitive { field: field.name.clone(), label: field.label.clone() });
    }
    let own = (candidate.kind.clone(), candidate.id.to_string());
    let sources = kind.fields.iter().filter_map(|f| Some((f.target.clone()?, f))).flat_map(|(target, f)| {
        let one = candidate.fields.get(&f.name).and_then(Json::as_str).map(str::to_owned);
        one.into_iter().chain(texts(&candidate.fields, &f.name)).map(move |id| (target.clone(), id))
    });
    for (kind, id) in std::iter::once(own).chain(sources) {
        // What an organisation is, or who works there, is no source of data.
        if matches!(kind.as_str(), "organisation" | "user" | "file") {
            continue;
        }
        let by = format!("{kind} {id}");
        let of = match known.get(&(kind.clone(), id.clone())) {
            Some(found) => found.clone(),
            None => {
                let found = present(context, &kind, &id).await?;
                known.insert((kind.clone(), id.clone()), found.clone());
                found
            }
        };
        let Some(record) = of else { continue };
        let Some(set) = set_of(standing, &record) else { continue };
        let Some(data_set) = standing.commons.known_data_set(&set) else { continue };
        if data_set.owner.as_str() != owner {
            if data_set.area != Area::Public {
                let under = under(standing, context, owner, &set).map(|agreement| (data_set.owner.clone(), agreement));
                facts.push(Fact::Origin { under, by: by.clone(), area: data_set.area });
            }
        } else if standing.data_set_of(&record.kind, record.id.as_str()).is_some() {
            let secrecy = present(context, "data-set", set.as_str()).await?.and_then(|r| text(&r.fields, "secrecy"));
            let protection = Protection::from_code(secrecy.as_deref().unwrap_or_default());
            facts.push(Fact::DataSet { id: set.clone(), area: data_set.area, protection, by: by.clone() });
        }
        if data_set.human_derived {
            facts.push(Fact::Human { by });
        }
    }
    Ok(facts)
}

fn filled(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::String(text) => !text.trim().is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// The data set a record stands in, its own or that of its owner and area.
fn set_of(standing: &Standing, record: &Record) -> Option<Id> {
    let of = |name: &str| record.fields.get(name).and_then(Json::as_str);
    let belongs = Belongs { area: of("area"), owner: record.owner.as_deref(), run: of("run") };
    match standing.place(Resource::Record { kind: &record.kind, id: record.id.as_str(), of: belongs }) {
        Stands::DataSet(set) => Some(set),
        _ => None,
    }
}

/// An agreement in force under which an organisation has a data set of another.
fn under(standing: &Standing, context: &Context, owner: &str, set: &Id) -> Option<Id> {
    let in_force = |a: &&toji_commons::agreement::Agreement| {
        a.data_sets.contains(set)
            && a.parties.iter().any(|p| p.as_str() == owner)
            && a.terms.from <= context.now
            && context.now < a.terms.until
    };
    standing.commons.agreements().find(in_force).map(|a| a.id.clone())
}

/// The area something stands in, or will when it is kept: that of its data set, or what it says, or its owner's own.
fn area_now(standing: &Standing, candidate: &Candidate) -> Area {
    let set = standing.data_set_of(&candidate.kind, candidate.id.as_str());
    let of_set = set.and_then(|set| standing.commons.known_data_set(set)).map(|set| set.area);
    let said = text(&candidate.fields, "area").and_then(|code| Area::from_code(&code));
    of_set.or(said).unwrap_or(Area::Competitive)
}

fn told(standing: &Standing, candidate: &Candidate, owner: &str, proposal: Proposal) -> Classified {
    let Proposal { area, protection, evidence } = proposal;
    let area_now = area_now(standing, candidate);
    let set = standing.data_set_of(&candidate.kind, candidate.id.as_str());
    let marked = evidence.iter().any(|e| e.rule == Rule::SecretMark);
    let stated = with(
        FieldMap::new(),
        [
            ("secrecy", serde_json::to_value(protection).unwrap_or_default()),
            ("marked_secret", json!(marked && protection == Protection::Secret)),
            // Whoever reads is known to the commons by an account.
            ("access_controlled", json!(true)),
        ],
    );
    let stricter = strictness(area) > strictness(area_now);
    let (kind, id) = (&candidate.kind, &candidate.id);
    let next = match set {
        Some(set) => Text::new(
            format!("`toji commons share {set} --area {}` で改めます", area.code()),
            format!("change it with `toji commons share {set} --area {}`", area.code()),
        ),
        None if stricter => Text::new(
            format!("`toji commons classify {kind} {id} --accept` で提案のとおりにします"),
            format!("take the proposal with `toji commons classify {kind} {id} --accept`"),
        ),
        None => Text::new(
            format!("今のまま {owner} だけが扱えます。共有は `toji commons share` で始めます"),
            format!("it stays with {owner} as it is; sharing begins with `toji commons share`"),
        ),
    };
    Classified {
        kind: kind.clone(),
        records: 1,
        examples: vec![id.to_string()],
        ids: vec![id.to_string()],
        area,
        area_label: area.label(),
        protection,
        area_now,
        stricter,
        evidence,
        missing: unmet(&stated),
        next,
    }
}
