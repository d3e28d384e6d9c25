//! Where new data should stand: a proposal with its evidence, the strictest of what speaks.
//!
//! Each rule is declared once in [`RULES`]: what it looks for, and the least strict area and protection it leaves. A
//! proposal never opens anything: nobody's data become more open by it, and who may change an area still has to say so.
//! Protection is that of the Unfair Competition Prevention Act of Japan, article 2(6) (営業秘密) and 2(7) (限定提供データ);
//! whether its requirements are met is asked apart.

use crate::agreement::Area;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Id, Text};
use unicode_normalization::UnicodeNormalization as _;

/// Protection that an owner seeks; the strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// None.
    ///
    /// なし。
    Open,
    /// Data for limited provision.
    ///
    /// 限定提供データ。
    Limited,
    /// Trade secret.
    ///
    /// 営業秘密。
    Secret,
}

impl Protection {
    /// Reads a code; what is not known is none.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "secret" => Self::Secret,
            "limited" => Self::Limited,
            _ => Self::Open,
        }
    }
}

/// How strict an area is: the higher, the less others get.
#[must_use]
pub fn strictness(area: Area) -> u8 {
    match area {
        Area::Public => 0,
        Area::Cooperative => 1,
        Area::Competitive => 2,
        Area::CleanRoom => 3,
    }
}

/// What was found about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The organisation's own default.
    Default(Area),
    /// A text says that it is secret.
    Mark {
        /// What the field or name that it stands in is called.
        label: Text,
        /// The words.
        words: String,
    },
    /// A field that its kind declares sensitive holds something.
    Sensitive {
        /// Field.
        field: String,
        /// Its label.
        label: Text,
    },
    /// It is in a data set, or made from something that is.
    DataSet {
        /// Data set.
        id: Id,
        /// Its area.
        area: Area,
        /// Protection its owner seeks.
        protection: Protection,
        /// What it is in the data set by: itself, or the strain, protocol or run it comes from.
        by: String,
    },
    /// It is made from something another organisation owns.
    Origin {
        /// Owner and the agreement it was had under; without one in force the owner is not named.
        under: Option<(Id, Id)>,
        /// What it comes from.
        by: String,
        /// Area that has at the owner.
        area: Area,
    },
    /// Derived from humans.
    Human {
        /// Where that is said.
        by: String,
    },
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AreaRule")]
pub enum Rule {
    /// The organisation's own default.
    HouseDefault,
    /// Marked as secret.
    SecretMark,
    /// A field that its kind declares sensitive.
    SensitiveField,
    /// In a data set, or made from something in one.
    DataSet,
    /// Made from what another organisation owns.
    OriginOfOthers,
    /// Derived from humans.
    HumanDerived,
}

/// Each rule and the least it asks for, beyond what its fact says itself.
pub const RULES: [(Rule, Area, Protection); 6] = [
    (Rule::HouseDefault, Area::Public, Protection::Open),
    (Rule::SecretMark, Area::Competitive, Protection::Secret),
    (Rule::SensitiveField, Area::Competitive, Protection::Open),
    (Rule::DataSet, Area::Public, Protection::Open),
    (Rule::OriginOfOthers, Area::Competitive, Protection::Limited),
    (Rule::HumanDerived, Area::CleanRoom, Protection::Open),
];

/// What one rule asks for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AreaEvidence")]
pub struct Evidence {
    /// Rule.
    pub rule: Rule,
    /// Area it asks for.
    pub area: Area,
    /// Protection it asks for.
    #[serde(rename = "protection_sought")]
    pub protection: Protection,
    /// On what it rests.
    pub because: Text,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proposal {
    /// Area: the strictest.
    pub area: Area,
    /// Protection: the strictest.
    #[serde(rename = "protection_sought")]
    pub protection: Protection,
    /// What asks for it, the strictest first.
    pub evidence: Vec<Evidence>,
}

/// Proposes from what was found. Where nothing speaks it is what a record that says nothing is: the owner's own.
#[must_use]
pub fn propose(facts: &[Fact]) -> Proposal {
    let mut evidence: Vec<Evidence> = facts.iter().map(weigh).collect();
    evidence.sort_by_key(|e| std::cmp::Reverse((strictness(e.area), e.protection)));
    let area = evidence.iter().map(|e| e.area).max_by_key(|a| strictness(*a)).unwrap_or(Area::Competitive);
    let protection = evidence.iter().map(|e| e.protection).max().unwrap_or(Protection::Open);
    Proposal { area, protection, evidence }
}

fn stricter(one: Area, other: Area) -> Area {
    if strictness(one) >= strictness(other) { one } else { other }
}

fn weigh(fact: &Fact) -> Evidence {
    let (rule, area, protection, because) = match fact {
        Fact::Default(area) => (
            Rule::HouseDefault,
            *area,
            Protection::Open,
            Text::new("自社の取込時の既定です", "the organisation's own default for what is taken in"),
        ),
        Fact::Mark { label, words } => (
            Rule::SecretMark,
            Area::Public,
            Protection::Open,
            Text::new(format!("「{}」に「{words}」とあります", label.ja), format!("\"{}\" says \"{words}\"", label.en)),
        ),
        Fact::Sensitive { field, label } => (
            Rule::SensitiveField,
            Area::Public,
            Protection::Open,
            Text::new(
                format!("秘匿性の高い項目「{}」（{field}）に値があります", label.ja),
                format!("the sensitive field \"{}\" ({field}) is filled in", label.en),
            ),
        ),
        Fact::DataSet { id, area, protection, by } => (
            Rule::DataSet,
            *area,
            *protection,
            Text::new(format!("{by} がデータセット {id} にあります"), format!("{by} is in data set {id}")),
        ),
        Fact::Origin { under, by, area } => {
            let because = match under {
                Some((owner, agreement)) => Text::new(
                    format!("{by} は {owner} のもので、契約 {agreement} によります"),
                    format!("{by} belongs to {owner} and was had under agreement {agreement}"),
                ),
                None => Text::new(
                    format!("{by} は他の組織のもので、効力のある契約は見当たりません"),
                    format!("{by} belongs to another organisation; no agreement in force is known"),
                ),
            };
            (Rule::OriginOfOthers, *area, Protection::Open, because)
        }
        Fact::Human { by } => (
            Rule::HumanDerived,
            Area::Public,
            Protection::Open,
            Text::new(format!("{by} はヒト由来です"), format!("{by} is derived from humans")),
        ),
    };
    let (floor, least) = RULES
        .iter()
        .find(|(known, _, _)| *known == rule)
        .map_or((Area::CleanRoom, Protection::Secret), |(_, area, protection)| (*area, *protection));
    Evidence { rule, area: stricter(area, floor), protection: protection.max(least), because }
}

/// Words by which people mark what is secret, as they stand after compatible letters and lower case; those of the
/// guidelines for trade secrets of METI (営業秘密管理指針) first.
const MARKS: [&str; 14] = [
    "マル秘",
    "極秘",
    "社外秘",
    "部外秘",
    "厳秘",
    "秘密情報",
    "営業秘密",
    "取扱注意",
    "関係者限り",
    "持出禁止",
    "confidential",
    "trade secret",
    "internal use only",
    "do not distribute",
];
/// Signs that are marks themselves: ㊙ and 【秘】.
const SIGNS: [&str; 3] = ["㊙", "【秘】", "[秘]"];
/// Words before or after which a mark says the opposite.
const DENIED: [&str; 5] = ["non-confidential", "not confidential", "nonconfidential", "秘密情報を含まない", "秘密情報なし"];

/// The words in a text that mark it as secret.
#[must_use]
pub fn secret_mark(text: &str) -> Option<&'static str> {
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.contains(*sign)) {
        return Some(sign);
    }
    let plain: String = text.nfkc().collect::<String>().to_lowercase();
    let plain = DENIED.iter().fold(plain, |text, denied| text.replace(denied, " "));
    MARKS.into_iter().find(|mark| plain.contains(*mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn set(area: Area, protection: Protection) -> Fact {
        Fact::DataSet { id: id("DS-1"), area, protection, by: "strain ST-1".into() }
    }

    #[test]
    fn the_strictest_wins_in_any_order() {
        let facts = [
            Fact::Default(Area::Cooperative),
            set(Area::Public, Protection::Open),
            Fact::Mark { label: Text::new("備考", "Notes"), words: "社外秘".into() },
            Fact::Sensitive { field: "medium".into(), label: Text::same("medium".to_owned()) },
            Fact::Human { by: "DS-1".into() },
        ];
        // Every subset, forward and backward: no less strict than any of its parts, and what all parts say together.
        for some in 0_u32..32 {
            let chosen: Vec<Fact> =
                facts.iter().enumerate().filter(|(i, _)| (some >> i) & 1 == 1).map(|(_, f)| f.clone()).collect();
            let backward: Vec<Fact> = chosen.iter().rev().cloned().collect();
            let (one, other) = (propose(&chosen), propose(&backward));
            assert_eq!((one.area, one.protection), (other.area, other.protection));
            for fact in &chosen {
                let alone = propose(std::slice::from_ref(fact));
                assert!(strictness(one.area) >= strictness(alone.area) && one.protection >= alone.protection, "{fact:?}");
            }
            assert_eq!(one.evidence.len(), chosen.len(), "nothing that speaks is left out");
        }
    }

    #[test]
    fn each_rule_asks_for_what_it_declares() {
        let told = |fact: Fact| {
            let proposal = propose(&[fact]);
            (proposal.area, proposal.protection)
        };
        assert_eq!((propose(&[]).area, propose(&[]).protection), (Area::Competitive, Protection::Open), "one's own");
        assert_eq!(told(Fact::Default(Area::Cooperative)), (Area::Cooperative, Protection::Open));
        assert_eq!(told(Fact::Mark { label: Text::same("t"), words: "極秘".into() }), (Area::Competitive, Protection::Secret));
        assert_eq!(told(set(Area::CleanRoom, Protection::Limited)), (Area::CleanRoom, Protection::Limited));
        assert_eq!(told(set(Area::Public, Protection::Open)), (Area::Public, Protection::Open));
        assert_eq!(told(Fact::Human { by: "x".into() }), (Area::CleanRoom, Protection::Open));
        for (area, told_area) in [(Area::Public, Area::Competitive), (Area::CleanRoom, Area::CleanRoom)] {
            let origin = Fact::Origin { under: None, by: "strain".into(), area };
            assert_eq!(told(origin), (told_area, Protection::Limited));
        }
    }

    #[test]
    fn marks_are_read_as_people_write_them() {
        for text in
            ["【社外秘】培養記録", "CONFIDENTIAL - batch 7", "ＣＯＮＦＩＤＥＮＴＩＡＬ", "㊙ 菌株", "[秘]", "Trade  secret"]
        {
            let expected = !text.contains("  ");
            assert_eq!(secret_mark(text).is_some(), expected, "{text}");
        }
        for text in ["秘書の記録", "non-confidential summary", "秘密情報を含まない要約", "secretion of protease", "培養 1"]
        {
            assert_eq!(secret_mark(text), None, "{text}");
        }
        // What is denied in one place and said in another is said.
        assert_eq!(secret_mark("non-confidential part; rest CONFIDENTIAL"), Some("confidential"));
    }
}
