//! What to mind before data leave the country: legal and risk notes for a parcel and its recipient.
//!
//! The notes name the statute and clause they rest on and say what to do; they are no legal opinion. Statutes of Japan
//! by their numbers at e-Gov: Foreign Exchange and Foreign Trade Act (昭和24年法律第228号), Act on the Protection of
//! Personal Information (平成15年法律第57号), Cartagena Act (平成15年法律第97号), Unfair Competition Prevention Act
//! (平成5年法律第47号); Nagoya Protocol (CBD, 2010).

use crate::agreement::Listing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Text;

/// What a parcel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Sequences: a genome, a design.
    Genome,
    /// Records of a strain.
    Strain,
    /// Records and series of cultures.
    Culture,
    /// Anything else.
    Other,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// What it holds.
    pub content: Content,
    /// Derived from humans.
    pub human_derived: bool,
    /// Of a living modified organism.
    pub modified: bool,
    /// Country the organism was taken from, ISO 3166-1 alpha-2, when it is known.
    pub origin: Option<String>,
    /// A trade secret or data for limited provision.
    pub protected: bool,
    /// Public already.
    pub public: bool,
}

/// To whom it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Standing on lists.
    pub listing: Listing,
    /// Is what is sent analysed and kept there by a service?
    pub keeps: bool,
}

/// How much a note weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It is not sent.
    Blocks,
    /// To be settled before.
    Warns,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Weight.
    pub weight: Weight,
    /// Law or risk.
    pub ground: Text,
    /// Clause.
    pub clause: String,
    /// What it says of this parcel.
    pub note: Text,
    /// What to do.
    pub remedy: Text,
}

/// All notes on sending a parcel from `home`; those that block come first. None for what stays in the country and is
/// not protected, and for what is public.
#[must_use]
pub fn notes(parcel: &Parcel, recipient: &Recipient, home: &str) -> Vec<Note> {
    let mut notes = Vec::new();
    let abroad = recipient.country != home;
    let mut add = |weight, ground: [&str; 2], clause: &str, note: [&str; 2], remedy: [&str; 2]| {
        notes.push(Note {
            weight,
            ground: Text::new(ground[0], ground[1]),
            clause: clause.to_owned(),
            note: Text::new(note[0], note[1]),
            remedy: Text::new(remedy[0], remedy[1]),
        });
    };
    match recipient.listing {
        Listing::Blocked => add(
            Weight::Blocks,
            ["輸出管理", "Export control"],
            "外国ユーザーリスト等 / end-user lists",
            ["相手先がリストに該当します", "the recipient is on a list"],
            ["送らず、輸出管理責任者に照会してください", "do not send it; ask the export-control officer"],
        ),
        Listing::Review => add(
            Weight::Blocks,
            ["輸出管理", "Export control"],
            "外国ユーザーリスト等 / end-user lists",
            ["相手先の照合が済んでいません", "the recipient has not been screened"],
            ["輸出管理責任者の照合を待ってください", "wait until the export-control officer has screened it"],
        ),
        Listing::Clear => {}
    }
    if parcel.public {
        return notes;
    }
    if abroad {
        add(
            Weight::Warns,
            ["外国為替及び外国貿易法", "Foreign Exchange and Foreign Trade Act"],
            "25(1)",
            [
                "非居住者への技術の提供に当たり得ます。該非判定が要ります",
                "it may be a provision of technology to a non-resident, which must be classified",
            ],
            [
                "該非判定の結果を記録し、該当すれば許可を得てください",
                "record the classification, and get a licence where it applies",
            ],
        );
    }
    if abroad && parcel.human_derived {
        add(
            Weight::Warns,
            ["個人情報の保護に関する法律", "Act on the Protection of Personal Information"],
            "28",
            [
                "ヒト由来のゲノムは個人識別符号に当たり得、外国にある第三者への提供には本人の同意等が要ります",
                "a human genome may identify a person; giving it to a third party abroad needs consent or an equivalent",
            ],
            ["同意の範囲と相手国の制度を確認してください", "check the consent and the rules of the country"],
        );
    }
    if abroad && parcel.modified && parcel.content == Content::Strain {
        add(
            Weight::Warns,
            ["カルタヘナ法", "Cartagena Act"],
            "27",
            [
                "生きた遺伝子組換え生物の輸出には相手国への通告が要り得ます",
                "exporting the living modified organism itself may need a notification",
            ],
            ["株そのものを送る場合は通告の要否を確認してください", "where the strain itself goes, check whether to notify"],
        );
    }
    if abroad && parcel.origin.as_deref().is_some_and(|origin| origin != home && !origin.is_empty()) {
        add(
            Weight::Warns,
            ["名古屋議定書 (ABS)", "Nagoya Protocol (ABS)"],
            "6, 15",
            [
                "採取国の許可 (PIC/MAT) が第三者への提供を認めているか確認が要ります",
                "the permit of the country of origin must allow giving it to third parties",
            ],
            ["許可証の条件を確認してください", "check the terms of the permit"],
        );
    }
    if parcel.protected {
        add(
            Weight::Warns,
            ["不正競争防止法", "Unfair Competition Prevention Act"],
            "2(6), 2(7)",
            [
                "秘密保持や管理の取決めなく渡すと、営業秘密・限定提供データの保護を失い得ます",
                "without an agreement on secrecy and control, the protection as a trade secret or data for limited provision may be lost",
            ],
            [
                "秘密保持契約とアクセス管理を確かめてから送ってください",
                "send it only under an agreement on secrecy and with access control",
            ],
        );
    }
    if abroad && recipient.keeps {
        let what = match parcel.content {
            Content::Genome => ["ゲノムや設計の情報", "genome and design information"],
            _ => ["株や培養の情報", "information on strains and cultures"],
        };
        let note = [
            format!("{}が外国で解析・蓄積され、用途が管理できなくなります", what[0]),
            format!("{} is analysed and kept abroad, beyond control of its use", what[1]),
        ];
        add(
            Weight::Warns,
            ["設計情報の流出", "Leakage of design information"],
            "経済安全保障 / economic security",
            [&note[0], &note[1]],
            [
                "国内の解析機関、または自社内での解析を検討してください",
                "consider a service in the country, or analysis of your own",
            ],
        );
    }
    notes.sort_by_key(|n| n.weight);
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel() -> Parcel {
        Parcel { content: Content::Genome, human_derived: false, modified: true, origin: None, protected: true, public: false }
    }
    fn to(country: &str) -> Recipient {
        Recipient { country: country.into(), listing: Listing::Clear, keeps: true }
    }
    fn clauses(parcel: &Parcel, recipient: &Recipient) -> Vec<String> {
        notes(parcel, recipient, "JP").into_iter().map(|n| n.clause).collect()
    }

    #[test]
    fn a_genome_sent_abroad_is_warned_of_and_one_at_home_less() {
        let abroad = clauses(&parcel(), &to("US"));
        assert_eq!(abroad, ["25(1)", "2(6), 2(7)", "経済安全保障 / economic security"]);
        assert_eq!(clauses(&parcel(), &to("JP")), ["2(6), 2(7)"]);
        assert_eq!(clauses(&Parcel { protected: false, ..parcel() }, &to("JP")), [] as [&str; 0]);
        assert_eq!(clauses(&Parcel { public: true, ..parcel() }, &to("US")), [] as [&str; 0]);
        let human = Parcel { human_derived: true, origin: Some("ID".into()), ..parcel() };
        let told = clauses(&human, &to("US"));
        assert!(told.contains(&"28".to_owned()) && told.contains(&"6, 15".to_owned()), "{told:?}");
        let strain = Parcel { content: Content::Strain, ..parcel() };
        assert!(clauses(&strain, &to("US")).contains(&"27".to_owned()));
    }

    #[test]
    fn a_listed_recipient_blocks_whatever_is_sent() {
        for listing in [Listing::Blocked, Listing::Review] {
            let recipient = Recipient { listing, ..to("US") };
            for parcel in [parcel(), Parcel { public: true, ..parcel() }] {
                let first = notes(&parcel, &recipient, "JP").into_iter().next().unwrap();
                assert_eq!(first.weight, Weight::Blocks);
            }
        }
        for note in notes(&Parcel { human_derived: true, origin: Some("ID".into()), ..parcel() }, &to("US"), "JP") {
            for text in [&note.ground, &note.note, &note.remedy] {
                assert!(!text.ja.is_empty() && text.ja != text.en && !text.ja.is_ascii(), "{note:?}");
            }
        }
    }
}
