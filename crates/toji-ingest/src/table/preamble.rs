//! The lines above a table: `Batch: B-17`, `TimezoneBias;-60`, titles, remarks.

use super::Role;
use super::grid::{Field, text_at};
use super::header;
use super::words::{self, Fit};
use crate::format::says_simulated;

/// What the lines above the header say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Preamble {
    /// (row, key, value) of lines that have both.
    pub(super) facts: Vec<(u64, String, String)>,
    /// (row, text) of other lines.
    pub(super) lines: Vec<(u64, String)>,
    /// Name of the run.
    pub(super) run: Option<String>,
    /// Vessel.
    pub(super) vessel: Option<String>,
    /// Strain.
    pub(super) strain: Option<String>,
    /// Zone of the clock, as a name or offset.
    pub(super) zone: Option<String>,
    /// The file itself says that it is simulated.
    pub(super) simulated: bool,
}

/// Reads the rows above the header.
pub(super) fn read(rows: &[(u64, Vec<Field<'_>>)]) -> Preamble {
    let mut out = Preamble::default();
    for (number, row) in rows {
        let cells: Vec<String> = (0..row.len()).map(|i| text_at(row, i).into_owned()).filter(|t| !t.is_empty()).collect();
        let Some(first) = cells.first() else { continue };
        let first = first.trim_start_matches('#').trim();
        out.simulated |= cells.iter().any(|c| says_simulated(c));
        if first.starts_with("sep=") {
            continue;
        }
        let split = first.split_once([':', '：']).map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
        let pair = match (split, cells.get(1)) {
            (Some((key, value)), None) if !key.is_empty() && !value.is_empty() && key.chars().count() <= 40 => Some((key, value)),
            (_, Some(second)) if cells.len() <= 4 => {
                let value = cells.get(1..).map(|rest| rest.join(" ")).unwrap_or_else(|| second.clone());
                Some((first.trim_end_matches([':', '：']).to_owned(), value))
            }
            _ => None,
        };
        match pair {
            Some((key, value)) => {
                out.note(&key, &value);
                out.facts.push((*number, key, value));
            }
            None => out.lines.push((*number, cells.join(" | "))),
        }
    }
    out
}

impl Preamble {
    fn note(&mut self, key: &str, value: &str) {
        let name = words::plain(key).replace(' ', "");
        if name == "timezonebias" {
            // Minutes to add to the file's clock to reach UTC.
            self.zone = value.parse::<i32>().ok().map(|bias| {
                let (sign, east) = if bias > 0 { ('-', bias) } else { ('+', bias.saturating_neg()) };
                format!("{sign}{:02}:{:02}", east / 60, east % 60)
            });
        } else if ["timezone", "tz", "タイムゾーン", "時間帯", "utcoffset"].contains(&name.as_str()) {
            self.zone = header::zone(value);
        } else if is_whole(Role::RunKey, key) {
            if is_vessel(key) {
                self.vessel.get_or_insert_with(|| value.to_owned());
            } else {
                self.run.get_or_insert_with(|| value.to_owned());
            }
        } else if is_strain(key) {
            self.strain.get_or_insert_with(|| value.to_owned());
        }
    }
}

fn is_whole(role: Role, key: &str) -> bool {
    matches!(words::fit(role, key), Some((Fit::Whole, _)))
}

/// Does the header name a vessel?
pub(super) fn is_vessel(key: &str) -> bool {
    let plain = words::plain(key);
    ["vessel", "reactor", "bioreactor", "fermenter", "fermentor", "tank", "タンク", "槽", "unit no"]
        .iter()
        .any(|w| plain.contains(w))
}

/// Does the header name a strain?
pub(super) fn is_strain(key: &str) -> bool {
    matches!(
        words::plain(key).as_str(),
        "strain" | "host" | "strain name" | "strain id" | "clone" | "菌株" | "株" | "株名" | "酵母"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_above_a_table() {
        let rows: Vec<(u64, Vec<Field<'_>>)> = [
            vec!["Batch: B-17"],
            vec!["TimezoneBias", "-540"],
            vec!["Hand-written"],
            vec!["株", "K701"],
            vec!["備考", "模擬データ"],
        ]
        .iter()
        .enumerate()
        .map(|(i, row)| (i as u64 + 1, row.iter().map(|t| Field::Text((*t).into())).collect()))
        .collect();
        let read = read(&rows);
        assert_eq!(
            (read.run.as_deref(), read.zone.as_deref(), read.strain.as_deref()),
            (Some("B-17"), Some("+09:00"), Some("K701"))
        );
        assert_eq!(read.lines, vec![(3, "Hand-written".to_owned())]);
        assert!(read.simulated);
    }
}
