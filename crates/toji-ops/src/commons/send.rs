//! `commons send`: before data go to a service, what the law and prudence say; and what was sent, in the ledger.

use super::seat::{actor, standing};
use super::standing::{coded, flag};
use super::write::{said, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_commons::agreement::{Listing, Role};
use toji_commons::transfer::{Content, Note, Parcel, Recipient, Weight, notes};
use toji_core::record::FieldMap;
use toji_core::{Action, Category, Diagnostic, Error, Id, Place, Record, Result};
use toji_store::Put;

/// Input of `commons send`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Kind of the record that is sent: genome, strain, run or file.
    ///
    /// 送る記録の種別：genome、strain、run、file。
    kind: String,
    /// The record.
    ///
    /// 送る記録。
    id: String,
    /// Organisation it goes to; its record says its country.
    ///
    /// 送り先の組織。国はその記録による。
    recipient: String,
    /// What for.
    ///
    /// 目的。
    reason: String,
    /// Does the recipient keep what is sent?
    ///
    /// 送り先に蓄積されるか。
    #[serde(default = "yes")]
    kept_there: bool,
    /// The notes were read and are settled; without it nothing is sent.
    ///
    /// 注意事項を確認し、対処した。付けなければ送付は記録されない。
    #[serde(default)]
    notes_settled: bool,
}

fn yes() -> bool {
    true
}

/// Output of `commons send`.
#[derive(Debug, Serialize, JsonSchema)]
struct Sent {
    /// Transfer.
    transfer: String,
    /// Recipient.
    recipient: String,
    /// Its country.
    country: String,
    /// What was to be minded.
    notes: Vec<Note>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "commons send",
            label: ["外部への送付", "Send to a service"],
            about: [
                "株・ゲノム・培養のデータを外部の解析機関などに送る前に、送り先の国とリスト、データの性質に応じた法令・リスクの注意事項を示します。注意があるときは確認を求め、送付とその試みを台帳に残します。データそのものは送りません。",
                "Before data of strains, genomes or cultures go to a service, shows what law and prudence say for that recipient and data, asks for confirmation where there is something to mind, and keeps the transfer and every attempt in the ledger. It does not send the data itself.",
            ],
            positional: &["kind", "id"],
            example: "toji commons send genome GEN-1 --recipient ORG-LAB --reason 解析の委託",
        },
        Effect::Write,
        send,
    )]
}

async fn send(context: Context, input: Input) -> Result<Sent> {
    let standing = standing(&context).await?;
    let roles = [Role::ContributorAdmin, Role::Steward, Role::Scientist, Role::CdmoOperator];
    let store = &context.session.store;
    let record = store.record(&context.access, &input.kind, &input.id, None).await?;
    let owner = record.owner.clone().unwrap_or_else(|| standing.home.to_string());
    let actor = actor(&context, &standing, &roles, Some(&owner))?;
    let recipient = wanted(&context, "organisation", &input.recipient, "recipient").await?;
    let country = text(&recipient.fields, "country").filter(|c| c.len() == 2).ok_or_else(|| {
        Error::input("E-COMMONS-041", "送り先の国が記録されていません", "the country of the recipient is not recorded")
            .at(Place::field("recipient/country"))
            .hint("組織の記録に国（2文字）を入れてください", "enter the country (two letters) in the record of the organisation")
    })?;
    let home = standing.commons.known_organisation(&actor.organisation).map(|o| o.country.clone()).filter(|c| !c.is_empty());
    let membership = super::write::present(&context, "membership", &input.recipient).await?;
    // Whoever was never screened is not known to be on a list; what is known is said.
    let listing = membership.and_then(|m| text(&m.fields, "listing")).and_then(|t| coded(&t)).unwrap_or(Listing::Clear);
    let parcel = parcel_of(&context, &standing, &record).await?;
    let to = Recipient { country: country.clone(), listing, keeps: input.kept_there };
    let found = notes(&parcel, &to, home.as_deref().unwrap_or("JP"));
    let blocked = found.iter().any(|n| n.weight == Weight::Blocks);
    let settled = !blocked && (found.is_empty() || input.notes_settled);
    if settled {
        // A secret needs its approval here as everywhere.
        store.allow_records(&context.access, Action::Export, &[&record]).await?;
    }
    let reason = said("reason", &input.reason)?.to_owned();
    let id = Id::derive("transfer", &[&input.kind, &input.id, &input.recipient, &context.now.to_string()]);
    let fields = with(
        FieldMap::new(),
        [
            ("what", json!(format!("{} {}", input.kind, input.id))),
            ("owner", json!(owner)),
            ("recipient", json!(input.recipient)),
            ("country", json!(country)),
            ("reason", json!(reason)),
            (
                "state",
                json!(if settled {
                    "sent"
                } else if blocked {
                    "blocked"
                } else {
                    "warned"
                }),
            ),
            ("notes", json!(found)),
            ("sent_by", json!(actor.id)),
            ("at", json!(context.now.to_string())),
        ],
    );
    write(&context, &actor, "commons send", Some(reason), Put::new("transfer", id.clone(), fields)).await?;
    if !settled {
        return Err(refusal(&found, blocked));
    }
    Ok(Sent { transfer: id.to_string(), recipient: input.recipient, country, notes: found })
}

/// The notes as located findings; the attempt stands in the ledger.
fn refusal(found: &[Note], blocked: bool) -> Error {
    let findings: Vec<Diagnostic> = found
        .iter()
        .map(|n| {
            let (ja, en) = (
                format!("{}（{}）: {}", n.ground.ja, n.clause, n.note.ja),
                format!("{} ({}): {}", n.ground.en, n.clause, n.note.en),
            );
            let make = if n.weight == Weight::Blocks { Diagnostic::error } else { Diagnostic::warning };
            make("W-COMMONS-001", Place::field("recipient"), ja, en).remedy(n.remedy.ja.clone(), n.remedy.en.clone())
        })
        .collect();
    let error = if blocked {
        Error::new(Category::Denied, "E-COMMONS-042", "送付できません", "it may not be sent")
            .hint("輸出管理責任者に照会してください", "ask the export-control officer")
    } else {
        Error::new(
            Category::Conflict,
            "E-COMMONS-043",
            "送付の前に確認すべき事項があります",
            "there are things to settle before it is sent",
        )
        .hint(
            "挙げた事項に対処し、--notes-settled を付けて実行してください。試みは台帳に残りました",
            "settle what is named and run it again with --notes-settled; the attempt stands in the ledger",
        )
    };
    error.with(findings)
}

async fn parcel_of(context: &Context, standing: &super::Standing, record: &Record) -> Result<Parcel> {
    let strain_id = match record.kind.as_str() {
        "strain" => Some(record.id.to_string()),
        _ => text(&record.fields, "strain"),
    };
    let strain = match strain_id {
        Some(id) => super::write::present(context, "strain", &id).await?,
        None => None,
    };
    let of_strain = |name: &str| strain.as_ref().and_then(|s| text(&s.fields, name));
    let set = match standing.data_set_of(&record.kind, record.id.as_str()) {
        Some(set) => super::write::present(context, "data-set", set.as_str()).await?,
        None => None,
    };
    let of_set = |name: &str| set.as_ref().and_then(|s| text(&s.fields, name));
    let area = of_set("area").or_else(|| text(&record.fields, "area"));
    Ok(Parcel {
        content: match record.kind.as_str() {
            "genome" => Content::Genome,
            "strain" => Content::Strain,
            "run" => Content::Culture,
            _ => Content::Other,
        },
        human_derived: set.as_ref().is_some_and(|s| flag(&s.fields, "human_derived")),
        modified: of_strain("lmo_class").is_some_and(|class| class != "not-lmo"),
        origin: of_strain("origin_country"),
        protected: matches!(of_set("secrecy").as_deref(), Some("limited" | "secret")),
        public: area.as_deref() == Some("public"),
    })
}
