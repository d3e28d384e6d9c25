//! Colour cards: a grid of patches whose colours are declared, in `cards/*.toml`.
//!
//! The card that ships is our own: its patches are declared as sRGB triples, and [`Card::svg`] draws it for
//! a printer. What a printer makes of it is not what was declared: measure the print once with a reference
//! instrument and declare your own card, or live with the printer's error, which no fit can see.

use super::lab::{Lab, Linear, linear_of_bytes};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::sync::OnceLock;
use toji_core::{Error, Place, Result, Text};

/// Most patches of a card.
const PATCHES_MAX: usize = 200;

/// One patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Name.
    pub name: String,
    /// Its colour as an sRGB triple of 8 bits.
    pub srgb: [u8; 3],
    /// Its measured CIELAB (D65), for a card that was measured; stands before `srgb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<Lab>,
}

impl Patch {
    /// The declared colour.
    #[must_use]
    pub fn lab(&self) -> Lab {
        self.lab.unwrap_or_else(|| Lab::from_bytes(self.srgb))
    }
    /// The declared colour as linear light.
    #[must_use]
    pub fn linear(&self) -> Linear {
        self.lab.map_or_else(|| linear_of_bytes(self.srgb), Lab::to_linear)
    }
}

/// A card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name.
    pub card: String,
    /// Version of the declaration.
    pub version: u32,
    /// Label.
    pub label: Text,
    /// What it is, and how to use it.
    pub about: Text,
    /// Patches side by side.
    pub columns: usize,
    /// Patches, row by row from the top left.
    #[serde(rename = "patch")]
    pub patches: Vec<Patch>,
}

impl Card {
    /// Reads a declaration.
    ///
    /// # Errors
    /// TOML faults; a grid that is not full, has fewer than 12 or more than 200 patches.
    pub fn parse(file: &str, toml_text: &str) -> Result<Self> {
        let card: Self = toml::from_str(toml_text).map_err(|e| {
            let (ja, en) = (
                format!("色票の宣言を読めません: {}", e.message()),
                format!("the card's declaration is not readable: {}", e.message()),
            );
            let line = e.span().map(|s| toml_text[..s.start.min(toml_text.len())].matches('\n').count() as u64 + 1);
            Error::input("E-CARD-001", ja, en)
                .at(Place { file: Some(file.to_owned()), line, ..Place::default() })
                .hint("付属の色票を手本に直してください", "correct it after the card that ships")
        })?;
        let n = card.patches.len();
        if card.columns < 2 || !(12..=PATCHES_MAX).contains(&n) || !n.is_multiple_of(card.columns) {
            return Err(Error::input(
                "E-CARD-002",
                "色票は 2 列以上、12〜200 枚で、すきまのない格子にしてください",
                "a card is a full grid of two or more columns and 12 to 200 patches",
            )
            .at(Place::field("patch").in_file(file)));
        }
        Ok(card)
    }
    /// Patches above one another.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.patches.len() / self.columns.max(1)
    }
    /// The card for a printer: 100 mm wide, patches edge to edge, name and corner mark below.
    #[must_use]
    pub fn svg(&self) -> String {
        let side = 100.0 / self.columns as f64;
        let height = side * self.rows() as f64;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"110mm\" height=\"{0}mm\" viewBox=\"-5 -5 110 {0}\">\
             <rect x=\"-5\" y=\"-5\" width=\"110\" height=\"{0}\" fill=\"#ffffff\"/>",
            height + 16.0
        );
        for (i, patch) in self.patches.iter().enumerate() {
            let (x, y) = ((i % self.columns) as f64 * side, (i / self.columns) as f64 * side);
            let [r, g, b] = patch.srgb;
            let _ = write!(
                out,
                "<rect x=\"{x:.3}\" y=\"{y:.3}\" width=\"{side:.3}\" height=\"{side:.3}\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>"
            );
        }
        let _ = write!(
            out,
            "<text x=\"0\" y=\"{:.2}\" font-size=\"4\" font-family=\"sans-serif\" fill=\"#000000\">Toji {} v{}  ◤</text></svg>",
            height + 6.0,
            self.card,
            self.version
        );
        out
    }
}

/// The cards that ship with Toji.
///
/// # Errors
/// Never for a released build: a test reads every declaration.
pub fn all() -> Result<&'static [Card]> {
    static SET: OnceLock<std::result::Result<Vec<Card>, Error>> = OnceLock::new();
    SET.get_or_init(|| Card::parse("toji-24.toml", include_str!("../../cards/toji-24.toml")).map(|card| vec![card]))
        .as_ref()
        .map(Vec::as_slice)
        .map_err(|e| Error::bug("E-CARD-003", e))
}

/// The card of this name.
///
/// # Errors
/// No such card; names those there are.
pub fn get(name: &str) -> Result<&'static Card> {
    let all = all()?;
    all.iter().find(|c| c.card == name).ok_or_else(|| {
        let names = all.iter().map(|c| c.card.as_str()).collect::<Vec<_>>().join(", ");
        let (ja, en) = (format!("色票「{name}」はありません"), format!("there is no card \"{name}\""));
        Error::not_found("E-CARD-004", ja, en).hint(format!("次から選んでください: {names}"), format!("choose one of: {names}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::delta_e_2000;

    #[test]
    fn the_card_that_ships_is_sound_and_its_patches_differ() {
        let card = get("toji-24").unwrap();
        assert_eq!((card.columns, card.rows()), (6, 4));
        for (i, one) in card.patches.iter().enumerate() {
            for two in &card.patches[i + 1..] {
                assert!(delta_e_2000(one.lab(), two.lab()) > 4.0, "{} and {}", one.name, two.name);
            }
        }
        assert_eq!(card.svg().matches("<rect").count(), 25);
        assert!(get("none").is_err());
    }

    #[test]
    fn a_card_with_a_hole_is_refused() {
        let text = include_str!("../../cards/toji-24.toml");
        let cut = text.rfind("[[patch]]").unwrap();
        assert_eq!(Card::parse("x.toml", &text[..cut]).unwrap_err().code(), "E-CARD-002");
        assert_eq!(Card::parse("x.toml", "card = 3").unwrap_err().code(), "E-CARD-001");
    }
}
