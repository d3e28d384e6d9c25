//! `culture gas-safety`: a mixture of hydrogen and oxygen, or the whole path of a plan, against the safety envelope.

use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Category, Error, Id, Place, Record, Result, Text};
use toji_culture::envelope::{Entry, Fault, Mixture, Plan, Rule, Rules, Spot, Standing, caution, check, judge};
use toji_store::{Commit, Put};

/// Input of `culture gas-safety`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// A dry gas to judge, mol/mol.
    ///
    /// 判定する乾燥ガスの組成、mol/mol。
    #[serde(default)]
    mixture: Option<Mixture>,
    /// A plan whose whole path is checked: head space, phases, faults.
    ///
    /// 経路全体を確かめる計画: ヘッドスペース、工程、故障。
    #[serde(default)]
    plan: Option<Plan>,
    /// Stores the shared rules as public records of kind `safety-rule`.
    ///
    /// 共有の規則を、種別 `safety-rule` の公開の記録として登録する。
    #[serde(default)]
    publish: bool,
}

/// A rule that was applied.
#[derive(Debug, Serialize, JsonSchema)]
struct Applied {
    /// Rule.
    id: String,
    /// Label.
    label: Text,
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
    /// Version of it.
    version: u32,
    /// Where it comes from.
    source: String,
    /// What to mind.
    note: Text,
}

/// A time and place where a path comes in.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    /// Phase, and its number from 1.
    phase: String,
    /// Number of the phase.
    number: usize,
    /// What had failed, if anything.
    failed: Option<Text>,
    /// Phase after the trip, if it comes about there.
    after_trip: Option<String>,
    /// Where.
    spot: Spot,
    /// How far in.
    standing: Standing,
    /// Minutes from the beginning: the earliest possible.
    minutes: f64,
    /// Is that the very instant?
    exact: bool,
    /// H2 there, %.
    hydrogen_percent: f64,
    /// O2 there, %.
    oxygen_percent: f64,
    /// In words.
    reason: Text,
}

/// Output of `culture gas-safety`.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    /// Is it permitted? Null when only rules were published.
    permitted: Option<bool>,
    /// Where the mixture stands.
    standing: Option<Standing>,
    /// Why, or the first entry of the path.
    reason: Option<Text>,
    /// A mixture that would do, with the least nitrogen added.
    safe: Option<Mixture>,
    /// Nitrogen to add for it, mol per mol.
    nitrogen_to_add: Option<f64>,
    /// Entries of the path, the earliest first.
    entries: Vec<Found>,
    /// Rules that were applied, with their versions and sources.
    rules: Vec<Applied>,
    /// What a verdict does not replace.
    caution: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture gas-safety",
            label: ["ガス発酵の安全", "Safety of gas fermentation"],
            about: [
                "水素・酸素・二酸化炭素・窒素の混合気、または計画の経路全体（置換、立上げ、撹拌停止、供給停止、緊急停止）が爆発範囲と余裕に入らないかを、版と出典を持つ規則で判定します。禁止することしかできず、有資格者による NFPA 69 と法令の確認の代わりにはなりません。",
                "Judges a mixture of hydrogen, oxygen, carbon dioxide and nitrogen, or the whole path of a plan (purge, start-up, loss of agitation or of a supply, trip), by versioned rules with sources. It can only forbid, and replaces no check of NFPA 69 and local law by a qualified person.",
            ],
            positional: &[],
            example: "toji culture gas-safety --mixture '{\"hydrogen\":0.7,\"oxygen\":0.2,\"carbon_dioxide\":0.1}'",
        },
        Effect::Write,
        gas_safety,
    )
}

/// The shared rules, made stricter by records of the house where there are some.
pub(super) async fn rules(context: &Context) -> Result<Rules> {
    let mut rules = Rules::standard();
    for rule in rules.rules.clone() {
        match context.session.store.record(&context.access, "safety-rule", &rule.id, None).await {
            Ok(record) => {
                rules.tighten(of_record(&record, rule));
            }
            // Neither there nor one's own to see: what another house keeps to itself binds that house.
            Err(error) if matches!(error.category(), Category::NotFound | Category::Denied) => {}
            Err(error) => return Err(error),
        }
    }
    rules.check()?;
    Ok(rules)
}

fn of_record(record: &Record, standard: Rule) -> Rule {
    let number = |name: &str| record.fields.get(name).and_then(Json::as_f64);
    let words = |name: &str| text(&record.fields, name);
    // A rule counted in another unit cannot be compared, and the shared one holds.
    if words("unit").as_deref() != Some(standard.unit.as_str()) {
        return standard;
    }
    Rule {
        version: number("number").map_or(standard.version, |v| v as u32),
        value: number("amount").unwrap_or(standard.value),
        source: words("source").unwrap_or(standard.source),
        note: Text::new(words("note_ja").unwrap_or(standard.note.ja), words("note").unwrap_or(standard.note.en)),
        ..standard
    }
}

/// Public records of the shared rules. A house's own stricter value stays.
async fn publish(context: &Context) -> Result<()> {
    let (store, standard) = (&context.session.store, Rules::standard());
    let mut puts = Vec::new();
    for rule in &standard.rules {
        match store.record(&context.access, "safety-rule", &rule.id, None).await {
            Ok(_) => continue,
            Err(error) if error.code() == "E-RECORD-004" => {}
            Err(error) => return Err(error),
        }
        let mut fields = FieldMap::new();
        for (field, value) in [
            ("name", json!(rule.label.en)),
            ("name_ja", json!(rule.label.ja)),
            ("rules", json!(standard.id)),
            ("number", json!(rule.version)),
            ("amount", json!(rule.value)),
            ("unit", json!(rule.unit)),
            ("source", json!(rule.source)),
            ("note", json!(rule.note.en)),
            ("note_ja", json!(rule.note.ja)),
            ("area", json!("public")),
        ] {
            fields.insert(field.to_owned(), value);
        }
        puts.push(Put::new("safety-rule", Id::parse(&rule.id)?, fields));
    }
    if puts.is_empty() {
        return Ok(());
    }
    let commit = Commit { operation: "culture gas-safety".into(), puts, ..Commit::default() };
    store.commit(&context.access, context.now, commit).await?;
    Ok(())
}

fn found(entry: Entry) -> Found {
    let failed = entry.fault.map(|fault| match fault {
        Fault::Agitation => Text::new("撹拌", "agitation"),
        Fault::Supply(name) => Text::new(format!("{name} の供給"), format!("supply of {name}")),
    });
    Found {
        phase: entry.phase,
        number: entry.number,
        failed,
        after_trip: entry.after_trip,
        spot: entry.spot,
        standing: entry.standing,
        minutes: entry.minutes,
        exact: entry.exact,
        hydrogen_percent: entry.hydrogen * 100.0,
        oxygen_percent: entry.oxygen * 100.0,
        reason: entry.reason,
    }
}

async fn gas_safety(context: Context, input: Input) -> Result<Judged> {
    if input.mixture.is_some() == input.plan.is_some() && (input.mixture.is_some() || !input.publish) {
        return Err(Error::input(
            "E-GAS-020",
            "組成（mixture）か計画（plan）のどちらか一つを与えてください",
            "give either a mixture or a plan",
        )
        .at(Place::field("mixture"))
        .hint("規則の登録だけなら --publish を使います", "to store the rules alone, use --publish"));
    }
    if input.publish {
        publish(&context).await?;
    }
    let rules = rules(&context).await?;
    let mut out = Judged {
        permitted: None,
        standing: None,
        reason: None,
        safe: None,
        nitrogen_to_add: None,
        entries: Vec::new(),
        rules: Vec::new(),
        caution: caution(),
    };
    if let Some(mixture) = input.mixture {
        let verdict = judge(&mixture, &rules)?;
        out.permitted = Some(verdict.permitted);
        out.standing = Some(verdict.standing);
        out.reason = Some(verdict.reason);
        out.nitrogen_to_add = verdict.safe.map(|_| verdict.nitrogen_to_add);
        out.safe = verdict.safe;
    }
    if let Some(plan) = input.plan {
        let outcome = check(&plan, &rules)?;
        out.permitted = Some(outcome.permitted);
        out.reason = outcome.first.map(|first| first.reason);
        out.entries = outcome.entries.into_iter().map(found).collect();
    }
    out.rules = rules
        .rules
        .into_iter()
        .map(|r| Applied {
            id: r.id,
            label: r.label,
            value: r.value,
            unit: r.unit,
            version: r.version,
            source: r.source,
            note: r.note,
        })
        .collect();
    Ok(out)
}
