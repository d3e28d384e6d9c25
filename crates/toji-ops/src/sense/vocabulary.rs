//! `sense vocabulary` and `sense card`: the declared terms with their scales and standards, and the card to print.

use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::vocabulary::{self, Vocabulary};
use toji_core::{Place, Result};
use toji_sense::colour::card::{self, Card};

/// Input of `sense vocabulary`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// One vocabulary; all when missing.
    ///
    /// この用語集のみ。省略時はすべて。
    #[serde(default)]
    vocabulary: Option<String>,
}

/// Output of `sense vocabulary`.
#[derive(Debug, Serialize, JsonSchema)]
struct Vocabularies {
    /// Vocabularies, by name. A stored code is `prefix:code`.
    vocabularies: Vec<Vocabulary>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense vocabulary",
            label: ["官能用語集", "Vocabularies of the senses"],
            about: [
                "香り・色・外観・泡・音と処置の用語集を、公表された番号、尺度、標準物質とともに返します。",
                "Returns the vocabularies of odour, colour, appearance, foam, sound and action with the published codes, scales and standards.",
            ],
            positional: &["vocabulary"],
            example: "toji sense vocabulary sake-wheel --json",
        },
        Effect::Read,
        |_context: Context, input: Input| async move {
            let vocabularies = match input.vocabulary {
                Some(name) => vec![vocabulary::get(&name).map_err(|e| e.at(Place::field("vocabulary")))?.clone()],
                None => vocabulary::all()?.to_vec(),
            };
            Ok(Vocabularies { vocabularies })
        },
    )
}

/// Input of `sense card`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CardInput {
    /// Card.
    ///
    /// 色票。
    #[serde(default = "default_card")]
    card: String,
}

pub(super) fn default_card() -> String {
    "toji-24".into()
}

pub(super) fn card_operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "sense card",
            label: ["色票", "Colour card"],
            about: [
                "写真の色を較正する色票の宣言を返し、印刷用の SVG を渡します。",
                "Returns the declaration of the card that calibrates photos, and hands out an SVG to print.",
            ],
            positional: &["card"],
            example: "toji sense card toji-24 --out card.svg",
        },
        Effect::Read,
        |_context: Context, input: CardInput| async move {
            let found: &Card = card::get(&input.card).map_err(|e| e.at(Place::field("card")))?;
            let name = format!("{}.svg", found.card);
            let attachment = Attachment { name, media_type: "image/svg+xml", bytes: found.svg().into_bytes() };
            Ok(Answer { output: found.clone(), attachment: Some(attachment) }) as Result<Answer<Card>>
        },
    )
}
