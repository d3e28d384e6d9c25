//! Marks of tables that are handed out, and `commons trace`, which reads them back.
//!
//! Marked is what others own and is not public, once it leaves as a file; and whatever is given to an organisation by
//! name. What the mark is, and what it means, stands in [`toji_commons::mark`].

use super::seat::{Actor, actor, standing};
use super::standing::{Standing, texts};
use super::write::{id_in, with, write};
use crate::attach;
use crate::operation::{Attachment, Context, Effect, Operation, Words};
use crate::run::{fetch, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_commons::agreement::{Area, Role};
use toji_commons::decide::{Place as Stands, Places as _};
use toji_commons::mark::{
    ACCUSES_BELOW_LOG10, Agreeing, Finding, LABEL_COLUMN, MarkKey, Marked, Plain, Trail, mark, read_csv, trace,
};
use toji_core::record::FieldMap;
use toji_core::{Access, Belongs, Category, Error, Id, Instant, Place, Record, Resource, Result, Text};
use toji_ingest::Source;
use toji_store::Put;

/// Under whom the key is kept: no account can have this name.
const KEEPER: &str = "commons marks";
const SORT: &str = "key";
/// Most rows of a marked table: its texts are held in memory.
const ROWS_MAX: usize = 2_000_000;
/// Most copies that are told of.
const SHOWN: usize = 20;

/// What is in a table that leaves.
#[derive(Clone, Copy)]
pub(crate) enum Content<'r> {
    /// These records.
    Records(&'r [&'r Record]),
    /// Whatever a question found.
    Anything,
}

/// A table that is about to be handed out with a mark.
pub(crate) struct Handing {
    key: MarkKey,
    copy: Id,
    what: String,
    recipient: Id,
    owners: BTreeSet<String>,
}

/// That a file carries a mark.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CopyView {
    /// The copy.
    copy: String,
    /// Organisation it was handed to.
    recipient: String,
    /// What its holder should know.
    notice: Text,
}

/// Does a table get a mark, and which? `given` names the organisation it is given to; without it, it is handed to whoever
/// asks, and only marked if something in it belongs to others and is not public.
///
/// # Errors
/// `given` where no commons was founded, or by somebody who is nobody in it; storage faults.
pub(crate) async fn handing(
    context: &Context,
    what: String,
    given: Option<&str>,
    content: Content<'_>,
) -> Result<Option<Handing>> {
    let standing = match Standing::of(&context.session, context.now).await? {
        Some(standing) => standing,
        None if given.is_none() => return Ok(None),
        None => super::seat::standing(context).await?,
    };
    let own = context.access.who.organisation.as_deref().filter(|_| !context.access.sees_all());
    let recipient = match (given, own) {
        (Some(given), own) => {
            if own.is_none() && !context.access.sees_all() {
                return Err(Error::new(
                    Category::Denied,
                    "E-COMMONS-080",
                    "渡し先を指定できるのは会員です",
                    "members name a recipient",
                )
                .at(Place::field("recipient"))
                .hint("ログインしてください", "log in"));
            }
            let recipient = id_in("recipient", given)?;
            super::write::wanted(context, "organisation", recipient.as_str(), "recipient").await?;
            recipient
        }
        (None, Some(own)) => id_in("organisation", own)?,
        // The owner of the store's files, to nobody by name; or a guest, who has only what is public.
        (None, None) => return Ok(None),
    };
    let owners = match content {
        Content::Records(records) => owners(&standing, records, &recipient, context.now),
        Content::Anything => BTreeSet::new(),
    };
    if given.is_none() && owners.is_empty() && matches!(content, Content::Records(_)) {
        return Ok(None);
    }
    let key = key(context).await?;
    let copy = Id::derive("copy", &[&context.access.who.id, recipient.as_str(), &what, &context.now.to_string()]);
    Ok(Some(Handing { key, copy, what, recipient, owners }))
}

/// Who else owns something of this that is not public.
fn owners(standing: &Standing, records: &[&Record], recipient: &Id, now: Instant) -> BTreeSet<String> {
    let mut owners = BTreeSet::new();
    for record in records {
        let of = |name: &str| record.fields.get(name).and_then(Json::as_str);
        let belongs = Belongs { area: of("area"), owner: record.owner.as_deref(), run: of("run") };
        let what = Resource::Record { kind: &record.kind, id: record.id.as_str(), of: belongs };
        let set = match standing.place(what) {
            Stands::DataSet(set) => standing.commons.known_data_set(&set),
            _ => None,
        };
        if let Some(set) = set.filter(|set| set.owner != *recipient && (set.area != Area::Public || set.is_embargoed(now))) {
            owners.insert(set.owner.to_string());
        }
    }
    owners
}

/// The key of the house: made when it is first needed, and kept with the secrets of the store.
async fn key(context: &Context) -> Result<MarkKey> {
    let store = &context.session.store;
    if let Some(hex) = store.secret(KEEPER, SORT).await? {
        return MarkKey::parse(&hex);
    }
    let mut bytes = [0_u8; 32];
    crate::random::fill(&mut bytes)?;
    store.swap_secret(KEEPER, SORT, None, &MarkKey::new(bytes).hex(), context.now).await?;
    // Of two that made one at the same moment, the first counts.
    let kept =
        store.secret(KEEPER, SORT).await?.ok_or_else(|| Error::bug("E-COMMONS-081", "the key of the marks was not kept"))?;
    MarkKey::parse(&kept)
}

impl Handing {
    /// Marks a table, as [`mark`] does.
    pub(crate) fn mark(&self, header: &[String], rows: &[Vec<String>], bands: &[i64]) -> Result<Marked> {
        if rows.len() > ROWS_MAX {
            return Err(Error::new(
                Category::Limit,
                "E-COMMONS-082",
                format!("{} 行の表は透かしを入れて渡せません（上限 {ROWS_MAX} 行）", rows.len()),
                format!("a table of {} rows is not handed out with a mark (at most {ROWS_MAX})", rows.len()),
            )
            .hint("期間や列を絞って分けてください", "take it in parts"));
        }
        Ok(mark(&self.key, &self.copy, header, rows, bands))
    }

    /// Notes in the ledger what was handed to whom: without it the mark could not be read back.
    pub(crate) async fn keep(self, context: &Context, marked: &Marked) -> Result<CopyView> {
        let trail = serde_json::to_value(&marked.trail).map_err(|e| Error::bug("E-COMMONS-083", e))?;
        let fields = with(
            FieldMap::new(),
            [
                ("what", json!(self.what)),
                ("recipient", json!(self.recipient.as_str())),
                ("person", json!(context.access.who.id)),
                ("owners", if self.owners.is_empty() { Json::Null } else { json!(self.owners) }),
                ("rows", json!(marked.trail.rows)),
                ("trail", trail),
                ("at", json!(context.now.to_string())),
            ],
        );
        write(context, &Actor::house(context), "commons mark", None, Put::new("marked-copy", self.copy.clone(), fields)).await?;
        Ok(CopyView {
            copy: self.copy.to_string(),
            recipient: self.recipient.to_string(),
            notice: Text::new(
                format!(
                    "この複製には渡し先が分かる透かしがあります。値は変えていません。列 {LABEL_COLUMN}、行の並び、CSV の引用符が担います"
                ),
                format!(
                    "this copy carries a mark that tells to whom it was handed. No value is altered; the column {LABEL_COLUMN}, the order of rows and the quotes of CSV carry it"
                ),
            ),
        })
    }
}

/// A table as a file, with a mark where it gets one. `bands` says which rows may change places: those of the same band.
///
/// # Errors
/// As [`Handing::mark`]; storage faults.
pub(crate) async fn hand_out(
    context: &Context,
    handing: Option<Handing>,
    (name, format): (&str, &str),
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    bands: &[i64],
) -> Result<(Attachment, Option<CopyView>)> {
    let Some(handing) = handing else { return Ok((attach::table(name, format, &header, &rows)?, None)) };
    let marked = handing.mark(&header, &rows, bands)?;
    let (header, rows) = marked.arrange(&header, &rows);
    let file = match format {
        "csv" => {
            Attachment { name: format!("{name}.csv"), media_type: "text/csv; charset=utf-8", bytes: marked.csv(&header, &rows) }
        }
        _ => attach::table(name, format, &header, &rows)?,
    };
    Ok((file, Some(handing.keep(context, &marked).await?)))
}

/// Input of `commons trace`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Table found elsewhere: CSV, XLSX or JSON, or address (`sha256:…`) of an uploaded file.
    ///
    /// 外で見つかった表：CSV・XLSX・JSON のファイル、または送信済みファイルのアドレス（`sha256:…`）。
    path: String,
    /// Organisation one acts for; one's own when missing.
    ///
    /// どの組織として調べるか。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// What a table tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "CopyVerdict")]
enum Verdict {
    /// Made from one copy.
    One,
    /// Made from several copies together.
    Several,
    /// No mark that more than chance explains.
    None,
}

/// How many choices agree.
#[derive(Debug, Serialize, JsonSchema)]
struct Agreement {
    /// So many agree.
    agreeing: u64,
    /// Of so many.
    looked_at: u64,
}

/// A copy and what speaks for it.
#[derive(Debug, Serialize, JsonSchema)]
struct CopyFound {
    /// Copy.
    copy: String,
    /// Was the table made from it, beyond chance?
    traced: bool,
    /// Organisation it was handed to.
    recipient: String,
    /// Who took it out.
    person: String,
    /// What it is a copy of.
    what: String,
    /// Whose data it holds.
    owners: Vec<String>,
    /// When it was handed out.
    at: String,
    /// How likely a table that was not made from it agrees so well: 10 to this power, over all tests made.
    chance_log10: f64,
    /// Labels of rows that name it, by whether their tag is right.
    row_labels: Agreement,
    /// Neighbouring rows in its order.
    row_order: Agreement,
    /// Cells whose quotes are those of the copy.
    cell_quotes: Agreement,
    /// Share of the table's rows that it held, by a sample, in per cent. No proof: others may have held them too.
    held_percent: Option<f64>,
    /// Rows this share rests on.
    held_of: usize,
}

/// Output of `commons trace`.
#[derive(Debug, Serialize, JsonSchema)]
struct Traced {
    /// File.
    name: String,
    /// Rows looked at.
    rows: usize,
    /// Verdict.
    verdict: Verdict,
    /// The verdict in words.
    verdict_text: Text,
    /// Copies it was held against.
    copies_examined: usize,
    /// Tests made; every chance is multiplied by them.
    tests_made: u64,
    /// A copy is named when the chance is below 10 to this power.
    traced_below_log10: f64,
    /// Copies: those named, then those that held its rows.
    copies: Vec<CopyFound>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons trace",
                label: ["透かしの読取り", "Trace a leaked table"],
                about: [
                    "外で見つかった表が、どの渡し先へのどの複製から作られたかを透かしから調べ、無関係な表を誤って名指しする確率とともに示します。表の行を含んでいた複製も示しますが、それは証拠ではありません。自社データの複製だけを調べられます。基盤運営者と監査人はすべてを調べます。",
                    "Tells from its mark of which copy, handed to whom, a table found elsewhere was made, with the chance of naming one wrongly. Also shows which copies held its rows, which proves nothing. One traces copies of one's own data; operators and auditors trace all.",
                ],
                positional: &["path"],
                example: "toji commons trace leaked.csv",
            },
            Effect::Read,
            find,
        )
        .long(),
    ]
}

async fn find(context: Context, input: Input) -> Result<Traced> {
    let standing = standing(&context).await?;
    let roles = [Role::Operator, Role::Auditor, Role::ContributorAdmin, Role::Steward];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let all = sees_all_copies(&context, &standing);
    let (name, bytes) = fetch(&context, &input.path).await?;
    let records = context.session.store.records(&Access::owner(), "marked-copy", None, false).await?;
    let mine = |record: &&Record| all || texts(&record.fields, "owners").iter().any(|o| o == actor.organisation.as_str());
    let mut known: BTreeMap<Id, Record> = BTreeMap::new();
    let mut trails: Vec<Trail> = Vec::new();
    for record in records.iter().filter(mine) {
        let trail = record.fields.get("trail").cloned().unwrap_or_default();
        trails.push(serde_json::from_value(trail).map_err(|e| Error::bug("E-COMMONS-084", e))?);
        known.insert(record.id.clone(), record.clone());
    }
    let key = key(&context).await?;
    context.progress.step(0, None, "透かしを調べています", "reading the mark")?;
    let (file, examined) = (name.clone(), trails.len());
    let found = tokio::task::spawn_blocking(move || Ok::<_, Error>(trace(&key, &table(&file, &bytes)?, &trails)))
        .await
        .map_err(|e| Error::bug("E-COMMONS-085", e))??;
    let named: Vec<&Finding> = found.findings.iter().filter(|f| f.named).collect();
    let verdict = match named.len() {
        0 => Verdict::None,
        1 => Verdict::One,
        _ => Verdict::Several,
    };
    let told = |f: &&Finding| f.named || f.held.is_some_and(|share| share > 0.0);
    let copies =
        found.findings.iter().filter(told).take(SHOWN.max(named.len())).filter_map(|f| view(f, known.get(&f.copy)?)).collect();
    Ok(Traced {
        name,
        rows: found.rows,
        verdict,
        verdict_text: words(verdict),
        copies_examined: examined,
        tests_made: found.tests,
        traced_below_log10: ACCUSES_BELOW_LOG10,
        copies,
    })
}

/// Operators, auditors and the owner of the store look at all copies, others at those of their own data.
fn sees_all_copies(context: &Context, standing: &Arc<Standing>) -> bool {
    let person = Id::parse(&context.access.who.id).ok().and_then(|id| standing.commons.known_person(&id).cloned());
    let runs = |role: &Role| matches!(role, Role::Operator | Role::Auditor);
    context.access.sees_all() || person.is_some_and(|p| p.roles.iter().any(runs))
}

fn words(verdict: Verdict) -> Text {
    match verdict {
        Verdict::One => Text::new(
            "示した複製から作られた表です。誰が外に出したかまでは分かりません",
            "the table was made from the copy shown; who let it out is not told by it",
        ),
        Verdict::Several => {
            Text::new("示した複数の複製を合わせて作られた表です", "the table was made from the copies shown, put together")
        }
        Verdict::None => Text::new(
            "偶然を超える透かしはありません。並べ替えて保存し直した表や、数十行に満たない表では読み取れません",
            "no mark beyond chance; none is left in a table that was sorted and saved anew, nor in one of few rows",
        ),
    }
}

fn view(finding: &Finding, record: &Record) -> Option<CopyFound> {
    let of = |name: &str| text(&record.fields, name).unwrap_or_default();
    let agreement = |a: Agreeing| Agreement { agreeing: a.agree, looked_at: a.of };
    Some(CopyFound {
        copy: finding.copy.to_string(),
        traced: finding.named,
        recipient: of("recipient"),
        person: of("person"),
        what: of("what"),
        owners: texts(&record.fields, "owners"),
        at: of("at"),
        chance_log10: (finding.chance_log10 * 10.0).round() / 10.0,
        row_labels: agreement(finding.labels),
        row_order: agreement(finding.order),
        cell_quotes: agreement(finding.quotes),
        held_percent: finding.held.map(|share| (share * 1000.0).round() / 10.0),
        held_of: finding.held_of,
    })
}

/// A table of any of the forms that tables leave in.
fn table(name: &str, bytes: &[u8]) -> Result<Plain> {
    let source = Source::new(name, bytes)?;
    if source.is_workbook() {
        let sheet = source.sheets()?.iter().find(|s| !s.rows.is_empty());
        let mut rows = sheet.into_iter().flat_map(|sheet| {
            (0..sheet.rows.len()).map(move |r| (0..sheet.rows.get(r).map_or(0, Vec::len)).map(|c| sheet.text(r, c)).collect())
        });
        let header = rows.next().unwrap_or_default();
        return Ok(Plain::of_texts(header, rows.collect()));
    }
    let text = source.text();
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Array(objects)) => Ok(of_objects(&objects)),
        Ok(Json::Object(mut whole)) => match (whole.remove("columns"), whole.remove("rows"), whole.remove("records")) {
            (Some(Json::Array(columns)), Some(Json::Array(rows)), _) => {
                let cells = |row: &Json| row.as_array().into_iter().flatten().map(cell).collect();
                Ok(Plain::of_texts(columns.iter().map(column).collect(), rows.iter().map(cells).collect()))
            }
            (_, _, Some(Json::Array(objects))) => Ok(of_objects(&objects)),
            _ => read_csv(text),
        },
        _ => read_csv(text),
    }
}

/// A column is told by its name, or by an object that has one.
fn column(json: &Json) -> String {
    cell(json.get("name").unwrap_or(json))
}

fn of_objects(objects: &[Json]) -> Plain {
    let names: BTreeSet<&String> = objects.iter().filter_map(Json::as_object).flat_map(|o| o.keys()).collect();
    let row = |object: &Json| names.iter().map(|name| object.get(name.as_str()).map_or_else(String::new, cell)).collect();
    Plain::of_texts(names.iter().map(|n| (*n).clone()).collect(), objects.iter().map(row).collect())
}

fn cell(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
