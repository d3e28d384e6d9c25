//! Where a run stands on its plate or system: by its position, or by the well as the formats of plates write it.

use crate::run::text;
use serde_json::Value as Json;
use toji_core::Record;
use toji_culture::plan::{System, position_name, read_position};

/// Rows of a honeycomb plate (Bioscreen C): its hundred wells are numbered down its ten columns.
const HONEYCOMB: usize = 10;

/// Plates as they are sold, rows and columns, smallest first.
const PLATES: [(usize, usize); 7] = [(2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48)];

/// A place: row and column from 0, and the name it goes by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) name: String,
}

impl Spot {
    pub(super) fn at(row: usize, column: usize) -> Self {
        Self { row, column, name: position_name(row, column) }
    }
    fn read(name: &str) -> Option<Self> {
        read_position(name).map(|(row, column)| Self::at(row, column))
    }
}

/// The place of a run: its position, its vessel, or the last word of its title.
pub(super) fn of_run(run: &Record) -> Option<Spot> {
    let field = |name: &str| text(&run.fields, name);
    if let Some(spot) = field("position").and_then(|p| Spot::read(&p)) {
        return Some(spot);
    }
    let vessel = field("vessel_name").unwrap_or_default();
    if field("format").as_deref() == Some("bioscreen-c") {
        return honeycomb(&vessel);
    }
    Spot::read(&vessel).or_else(|| further(&run.fields, "well").and_then(|w| Spot::read(&w))).or_else(|| {
        let title = field("title")?;
        Spot::read(title.split_whitespace().next_back()?)
    })
}

/// The place of a sample that was measured in a well.
pub(super) fn of_sample(sample: &Record) -> Option<Spot> {
    further(&sample.fields, "well").or_else(|| text(&sample.fields, "key")).and_then(|w| Spot::read(&w))
}

/// A further fact that the source stated, as text.
pub(super) fn further(fields: &toji_core::record::FieldMap, name: &str) -> Option<String> {
    match fields.get("fields")?.get(name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Well 101 to 200 of the first plate, 201 to 300 of the second; some exports count from 1 to 200.
fn honeycomb(well: &str) -> Option<Spot> {
    let number: usize = well.trim().trim_start_matches("Well ").parse().ok()?;
    let at = match number {
        101..=300 => number - 101,
        1..=100 => number - 1,
        _ => return None,
    };
    Some(Spot { row: at % HONEYCOMB, column: at / HONEYCOMB, name: number.to_string() })
}

/// The grid that holds these places: as the source states it, else the smallest plate that is sold.
pub(super) fn grid(spots: &[Spot], stated: Option<(usize, usize)>) -> Option<System> {
    let rows = spots.iter().map(|s| s.row + 1).max()?;
    let columns = spots.iter().map(|s| s.column + 1).max()?;
    let holds = |(r, c): (usize, usize)| r >= rows && c >= columns;
    let named = spots.iter().any(|s| read_position(&s.name).is_none());
    let (rows, columns) = match stated.filter(|s| holds(*s)) {
        Some(stated) => stated,
        None if named => (HONEYCOMB.max(rows), columns.div_ceil(HONEYCOMB) * HONEYCOMB),
        None => PLATES.into_iter().find(|p| holds(*p)).unwrap_or((rows, columns)),
    };
    System::new(rows, columns).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use toji_core::Id;

    fn run(fields: Json) -> Record {
        let Json::Object(fields) = fields else { panic!("an object") };
        Record {
            kind: "run".into(),
            id: Id::parse("r").unwrap(),
            version: 1,
            kind_version: 2,
            fields,
            retired: false,
            owner: None,
        }
    }

    #[test]
    fn wells_as_the_formats_write_them() {
        let name = |fields: Json| of_run(&run(fields)).map(|s| (s.row, s.column, s.name));
        assert_eq!(name(json!({ "position": "B3", "vessel_name": "A1" })), Some((1, 2, "B3".into())));
        assert_eq!(name(json!({ "vessel_name": "F08", "format": "biolector-1" })), Some((5, 7, "F8".into())));
        assert_eq!(name(json!({ "vessel_name": "reference", "title": "manos reference" })), None);
        assert_eq!(name(json!({ "title": "plate 7 C04" })), Some((2, 3, "C4".into())));
        assert_eq!(name(json!({ "vessel_name": "112", "format": "bioscreen-c" })), Some((1, 1, "112".into())));
        assert_eq!(name(json!({ "vessel_name": "201", "format": "bioscreen-c" })), Some((0, 10, "201".into())));
        assert_eq!(name(json!({ "vessel_name": "Blank", "format": "bioscreen-c" })), None);
        assert_eq!(of_sample(&run(json!({ "key": "P7_A1", "fields": { "well": "A1" } }))), Some(Spot::at(0, 0)));
    }

    #[test]
    fn the_smallest_plate_that_holds_all() {
        let of = |spots: &[(usize, usize)], stated| {
            let spots: Vec<Spot> = spots.iter().map(|(r, c)| Spot::at(*r, *c)).collect();
            grid(&spots, stated).map(|g| (g.rows, g.columns))
        };
        assert_eq!(of(&[(0, 0), (3, 5)], None), Some((4, 6)));
        assert_eq!(of(&[(0, 0), (1, 7)], None), Some((6, 8)));
        assert_eq!(of(&[(7, 11)], None), Some((8, 12)));
        assert_eq!(of(&[(0, 0)], Some((6, 8))), Some((6, 8)));
        assert_eq!(of(&[(7, 0)], Some((6, 8))), Some((8, 12)));
        assert_eq!(of(&[], None), None);
        let spots = vec![honeycomb("101").unwrap(), honeycomb("300").unwrap()];
        assert_eq!(grid(&spots, None).map(|g| (g.rows, g.columns)), Some((10, 20)));
    }
}
