//! The one way out for figures over competitors: each is judged over all that left before, and kept as one step with the
//! answer, so that no other process and no later life of this one judges without it.

use super::seat::Actor;
use super::write::{with, write_all};
use crate::operation::Context;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use toji_commons::release::{Cell, Published, Refusal, Register, Rule};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Instant, Result, Text, Unit};
use toji_store::Put;

/// A refusal.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RefusedView {
    /// Clause, R1 to R10.
    pub(super) clause: String,
    /// Why.
    pub(super) reason: Text,
    /// What to do.
    pub(super) remedy: Text,
}

/// How many members stand behind a cell.
pub(super) fn cell_members(cell: &Cell) -> u64 {
    cell.contributions.iter().map(|c| &c.member).collect::<BTreeSet<_>>().len() as u64
}

/// What a release tells, with what is kept to judge later ones.
pub(super) struct Told {
    /// The total as it is told.
    pub(super) total: f64,
    /// Members behind it.
    pub(super) contributors: u64,
    /// What it is made of.
    pub(super) cell: Cell,
}

/// Asks the register for an answer, with what is to be kept when it may leave.
pub(super) type Judge<'a, T> = dyn FnMut(&mut Register, Instant) -> Result<(T, Option<Told>)> + Send + 'a;

/// Judges and keeps a release as one step: nobody else judges meanwhile, in this process or another.
pub(super) async fn releasing<T>(
    context: &Context,
    title: Text,
    question: Json,
    judge: &mut Judge<'_, T>,
) -> Result<(T, Option<Id>)> {
    let store = &context.session.store;
    let _turn = context.session.releasing.lock().await;
    loop {
        let kept = store.records(&Access::owner(), "aggregate-cell", None, false).await?;
        let mut register = Register::new(Rule::default());
        for record in &kept {
            // What left before was judged then; it is only remembered now. One that cannot be read must not be taken for
            // none: what it lets be derived would not be counted.
            let cell = record.fields.get("cell").and_then(read_cell).ok_or_else(|| unreadable(record.id.as_str()))?;
            register.remember(cell);
        }
        let rule = register.rule().version.clone();
        let (answer, told) = judge(&mut register, context.now)?;
        let Some(told) = told else { return Ok((answer, None)) };
        let content = cell_json(&told.cell);
        // The same question again is the same release.
        if let Some(same) = kept.iter().find(|r| r.fields.get("cell") == Some(&content)) {
            return Ok((answer, Some(same.id.clone())));
        }
        let id = Id::parse(&format!("release-{}", kept.len() + 1))?;
        let now = json!(context.now.to_string());
        let public = with(
            FieldMap::new(),
            [
                ("title", json!(format!("{} / {}", title.ja, title.en))),
                ("table", json!(told.cell.table.as_str())),
                ("total", json!(told.total)),
                ("unit", json!(told.cell.unit.to_string())),
                ("contributors", json!(told.contributors)),
                ("rule", json!(rule)),
                ("question", question.clone()),
                ("released_at", now.clone()),
                ("asked_by", json!(context.access.who.organisation)),
            ],
        );
        let parts = with(FieldMap::new(), [("table", json!(told.cell.table.as_str())), ("cell", content), ("released_at", now)]);
        let puts = vec![
            Put { if_version: Some(0), ..Put::new("aggregate-cell", id.clone(), parts) },
            Put { if_version: Some(0), ..Put::new("aggregate-release", id.clone(), public) },
        ];
        match write_all(context, &Actor::house(context), "commons release", None, puts).await {
            Ok(()) => return Ok((answer, Some(id))),
            // Another process released meanwhile: judge again with what it released.
            Err(error) if unsettled(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Did another process keep something first under the same number?
pub(super) fn unsettled(error: &Error) -> bool {
    error.category() == Category::Conflict
}

fn unreadable(id: &str) -> Error {
    Error::storage(
        "E-COMMONS-060",
        format!("公表済みの集計の内訳「{id}」を読めないため、次の公表を判定できません"),
        format!("the parts of the released total \"{id}\" are not readable, so nothing further can be judged"),
    )
    .hint(
        "`toji verify` で確かめ、より新しい Toji で開いてください",
        "check it with `toji verify`, and open it with a newer Toji",
    )
}

fn cell_json(cell: &Cell) -> Json {
    json!({
        "table": cell.table.as_str(), "field": cell.field, "unit": cell.unit.to_string(), "decimals": cell.decimals,
        "contributions": cell.contributions,
    })
}

fn read_cell(json: &Json) -> Option<Cell> {
    Some(Cell {
        table: Id::parse(json.get("table")?.as_str()?).ok()?,
        field: serde_json::from_value(json.get("field")?.clone()).ok()?,
        unit: Unit::parse(json.get("unit")?.as_str()?).ok()?,
        decimals: u32::try_from(json.get("decimals")?.as_u64()?).ok()?,
        contributions: serde_json::from_value(json.get("contributions")?.clone()).ok()?,
    })
}

/// What may leave of a cell.
pub(super) async fn released(
    context: &Context,
    title: Text,
    question: Json,
    cell: Cell,
) -> Result<(std::result::Result<Published, Refusal>, Option<Id>)> {
    releasing(context, title, question, &mut |register, now| {
        let judged = register.release(cell.clone(), now)?;
        let told =
            judged.as_ref().ok().map(|p| Told { total: p.total.value, contributors: p.contributors as u64, cell: cell.clone() });
        Ok((judged, told))
    })
    .await
}

pub(super) fn refused_view(refusal: &Refusal) -> RefusedView {
    RefusedView { clause: refusal.clause.number().into(), reason: refusal.reason.clone(), remedy: refusal.remedy.clone() }
}
