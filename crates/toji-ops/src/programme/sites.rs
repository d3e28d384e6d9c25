//! `site register`: the dual-use sites, one line a site, with readiness and due date.
//!
//! The papers count sites by class and name few of them. A site that was entered (`record put site`)
//! stands with its own readiness; for the others the line says that the source states none.

use super::table::{Evidence, Row, not_stated, rows, rows_or_none, spoken};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Error, Kind, Place, Result, Text};

/// Input of `site register`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Programme, by its shared identifier.
    ///
    /// 事業の共通識別子。
    #[serde(default = "dual_use")]
    programme: String,
}

fn dual_use() -> String {
    "DUALUSE".into()
}

/// A class of sites.
#[derive(Debug, Serialize, JsonSchema)]
struct Class {
    /// Record.
    id: String,
    /// Class.
    class: Text,
    /// Sites, as printed.
    sites: i64,
    /// Sites entered one by one.
    entered: usize,
    /// Of them, those whose readiness is known.
    readiness_known: usize,
    /// Where the number stands.
    evidence: Evidence,
}

/// One site.
#[derive(Debug, Serialize, JsonSchema)]
struct Site {
    /// Class it belongs to.
    class: String,
    /// Number within the class.
    number: i64,
    /// Record, when the site was entered.
    id: Option<String>,
    /// Name, or class and number.
    name: Text,
    /// Operator, or "not stated".
    operator: Text,
    /// Readiness, or "not stated".
    readiness: Text,
    /// Does anybody state the readiness?
    readiness_stated: bool,
    /// Due date, as far as it is stated.
    due: Option<String>,
    /// Record the due date was read from: the site, its class, or the row of the total.
    due_from: Option<String>,
    /// What the readiness rests on.
    evidence: Option<String>,
}

/// A named facility of the programme that the classes do not count separately.
#[derive(Debug, Serialize, JsonSchema)]
struct Named {
    /// Record.
    id: String,
    /// Name.
    name: Text,
    /// Operator.
    operator: Option<String>,
    /// Start of work, as printed.
    start: Option<String>,
    /// Where it stands.
    evidence: Evidence,
}

/// Output of `site register`.
#[derive(Debug, Serialize, JsonSchema)]
struct Register {
    /// Programme.
    programme: String,
    /// Unit of the numbers.
    unit: Text,
    /// Sum of the classes.
    total: i64,
    /// The total as printed.
    total_printed: Option<i64>,
    /// Classes.
    classes: Vec<Class>,
    /// Sites, one line each.
    sites: Vec<Site>,
    /// Facilities of the programme that the papers name; their class is not stated.
    named: Vec<Named>,
    /// What does not fit together.
    warnings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "site register",
            label: ["デュアルユース拠点の台帳", "Dual-use site register"],
            about: [
                "拠点を区分ごとの数と一件一行の台帳で示し、整備状況と期限を添えます。資料に個別の記載がない拠点は「記載なし」とし、`record put site` で登録したものはその状況を示します。",
                "Shows sites by class and one line a site, with readiness and due date. Where the papers state none the line says so; sites entered with `record put site` show their own.",
            ],
            positional: &["programme"],
            example: "toji site register",
        },
        Effect::Read,
        register,
    )
}

async fn register(context: Context, input: Input) -> Result<Register> {
    let kind = context.session.store.kinds().get("site")?;
    let of_programme = |r: &Row| r.list("programme_id").contains(&input.programme);
    let all: Vec<Row> = rows(&context, "facility").await?.into_iter().filter(of_programme).collect();
    let sort = |r: &Row, word: &str| r.text("kind").is_some_and(|k| k == word);
    let groups: Vec<&Row> = all.iter().filter(|r| sort(r, "dual-use site")).collect();
    if groups.is_empty() {
        return Err(Error::not_found(
            "E-SITE-001",
            "この事業の拠点の行はありません",
            "there are no rows of sites for this programme",
        )
        .at(Place::field("programme"))
        .hint(
            "`toji record list facility` で事業の識別子を確認してください",
            "see the programme identifiers with `toji record list facility`",
        ));
    }
    let printed = all.iter().find(|r| sort(r, "dual-use total"));
    let entered = rows_or_none(&context, "site").await?;
    let (mut classes, mut sites, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for group in &groups {
        let own: Vec<&Row> = entered.iter().filter(|s| s.text("facility").as_ref() == Some(&group.id)).collect();
        let count = group.whole("count").unwrap_or_default();
        if own.len() as i64 > count {
            warnings.push(too_many(group, count, own.len()));
        }
        classes.push(Class {
            id: group.id.clone(),
            class: group.words("name"),
            sites: count,
            entered: own.len(),
            readiness_known: own.iter().filter(|s| s.text("readiness").is_some()).count(),
            evidence: group.evidence(),
        });
        let lines = count.max(own.len() as i64);
        sites.extend(
            (0..lines)
                .map(|i| site(kind, group, usize::try_from(i).ok().and_then(|i| own.get(i)).copied(), (i + 1, count), printed)),
        );
    }
    let total = classes.iter().map(|c| c.sites).sum();
    let total_printed = printed.and_then(|r| r.whole("count"));
    if let (Some(row), Some(stated)) = (printed, total_printed.filter(|t| *t != total)) {
        warnings.push(Diagnostic::warning(
            "W-SUM-001",
            Place::field(&row.id),
            format!("合計 {stated} と区分の和 {total} が合いません"),
            format!("the total is {stated}, but the classes sum to {total}"),
        ));
    }
    let named = all.iter().filter(|r| sort(r, "CDMO")).map(named).collect();
    Ok(Register {
        programme: input.programme,
        unit: Text::new("拠点", "sites"),
        total,
        total_printed,
        classes,
        sites,
        named,
        warnings,
    })
}

fn too_many(group: &Row, count: i64, entered: usize) -> Diagnostic {
    let name = group.words("name");
    Diagnostic::warning(
        "W-SITE-001",
        Place::field(&group.id),
        format!("{}: 登録 {entered} 件が資料の数 {count} を超えています", name.ja),
        format!("{}: {entered} sites are entered, the paper counts {count}", name.en),
    )
    .remedy("区分の誤りや重複がないか確認してください", "look for a wrong class or a site entered twice")
}

fn site(kind: &Kind, group: &Row, own: Option<&Row>, (number, count): (i64, i64), printed: Option<&Row>) -> Site {
    let class = group.words("name");
    let place = |row: &Row| row.text("due").map(|due| (due, row.id.clone()));
    let due = own.and_then(place).or_else(|| place(group)).or_else(|| printed.and_then(place));
    let (due, due_from) = due.unzip();
    let readiness = own.and_then(|r| r.text("readiness"));
    Site {
        class: group.id.clone(),
        number,
        id: own.map(|r| r.id.clone()),
        name: own.map_or_else(
            || Text::new(format!("{} {number}/{count}", class.ja), format!("{} {number}/{count}", class.en)),
            |r| r.words("name"),
        ),
        operator: own.and_then(|r| r.text("operator")).map_or_else(not_stated, Text::same),
        readiness_stated: readiness.is_some(),
        readiness: readiness.map_or_else(not_stated, |code| spoken(kind, "readiness", &code)),
        due,
        due_from,
        evidence: own.and_then(|r| r.text("evidence")),
    }
}

fn named(row: &Row) -> Named {
    Named {
        id: row.id.clone(),
        name: row.words("name"),
        operator: row.text("operator"),
        start: row.text("start"),
        evidence: row.evidence(),
    }
}
