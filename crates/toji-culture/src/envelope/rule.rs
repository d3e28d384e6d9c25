//! The rules, as data: each with its version, its value and where that comes from.

use super::polygon::Half;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text, flammable as table};

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// Version of the value.
    pub version: u32,
    /// Label.
    pub label: Text,
    /// Value.
    pub value: f64,
    /// Unit, UCUM.
    pub unit: String,
    /// Where it comes from.
    pub source: String,
    /// What to mind.
    pub note: Text,
}

/// A set of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rules {
    /// Identifier of the set.
    pub id: String,
    /// Version of the set.
    pub version: u32,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// Lower flammability limit of hydrogen in air.
pub const LFL: &str = "h2-lfl-air";
/// Upper flammability limit of hydrogen in air.
pub const UFL: &str = "h2-ufl-air";
/// Upper flammability limit of hydrogen in oxygen.
pub const UFL_OXYGEN: &str = "h2-ufl-oxygen";
/// Limiting oxygen concentration of hydrogen.
pub const LOC: &str = "h2-loc";
/// Share of the lower limit that hydrogen may reach.
pub const MARGIN_FUEL: &str = "margin-fuel";
/// Share of the limiting oxygen concentration that oxygen may reach.
pub const MARGIN_OXYGEN: &str = "margin-oxygen";

/// The limits as edges in the plane of hydrogen and oxygen (mol/mol).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edges {
    pub(crate) lfl: f64,
    pub(crate) ufl: f64,
    pub(crate) loc: f64,
    pub(crate) fuel: f64,
    pub(crate) oxygen: f64,
    /// What could burn.
    pub(crate) inside: [Half; 3],
    /// That and the margins around it.
    pub(crate) near: [Half; 2],
}

impl Rules {
    /// The rules Toji comes with.
    #[must_use]
    pub fn standard() -> Self {
        let rule = |id: &str, [ja, en]: [&str; 2], is: table::Sourced, unit: &str, [note_ja, note_en]: [&str; 2]| Rule {
            id: id.into(),
            version: 1,
            label: Text::new(ja, en),
            value: is.value,
            unit: unit.into(),
            source: is.source.into(),
            note: Text::new(note_ja, note_en),
        };
        let qualified = [
            "有資格者が NFPA 69 の現行版と法令で確認すること",
            "a qualified person must check this in the edition of NFPA 69 in force and in local law",
        ];
        let monitored = [
            "有資格者が NFPA 69 の現行版と法令で確認すること。0.60 は限界酸素濃度が 5 % 未満で、酸素を連続監視してインターロックする場合の値と言われる。監視しない場合は 0.40 と言われ、この規則を 0.40 に改めること",
            "a qualified person must check this in the edition of NFPA 69 in force and in local law; 0.60 is told for limits below 5 % with oxygen monitored continuously and interlocked; without, 0.40 is told: tighten this rule to it",
        ];
        Self {
            id: "hydrogen-oxygen".into(),
            version: 1,
            rules: vec![
                rule(
                    LFL,
                    ["水素の爆発下限（空気中）", "Lower flammability limit of hydrogen in air"],
                    table::LOWER,
                    "%",
                    [
                        "25 °C・1 気圧。酸素中でもほぼ同じ。温度が上がると下がる",
                        "at 25 °C and 1 atm; nearly the same in oxygen; lower when warmer",
                    ],
                ),
                rule(
                    UFL,
                    ["水素の爆発上限（空気中）", "Upper flammability limit of hydrogen in air"],
                    table::UPPER_IN_AIR,
                    "%",
                    [
                        "濃い側の境界を引くためだけに使う。濃い側を安全の根拠にはしない",
                        "only draws the rich edge; being rich is never taken as a margin",
                    ],
                ),
                rule(
                    UFL_OXYGEN,
                    ["水素の爆発上限（酸素中）", "Upper flammability limit of hydrogen in oxygen"],
                    table::UPPER_IN_OXYGEN,
                    "%",
                    ["文献の孫引き。濃い側の境界を引くためだけに使う", "as retold by handbooks; only draws the rich edge"],
                ),
                rule(
                    LOC,
                    ["水素の限界酸素濃度", "Limiting oxygen concentration of hydrogen"],
                    table::LIMITING_OXYGEN,
                    "%",
                    [
                        "便覧の 5.0 %（N2）・5.2 %（CO2）は直径 5 cm の管によるもので高すぎる（同規格 注 2）。大きい容器の低い値を採る",
                        "handbooks' 5.0 % (N2) and 5.2 % (CO2) come from tubes of 5 cm, which are too small (note 2 of the standard); the lower value of the larger vessel is taken",
                    ],
                ),
                rule(
                    MARGIN_FUEL,
                    ["燃料側の余裕: 下限に対する割合", "Margin on fuel: share of the lower limit"],
                    table::MARGIN_FUEL,
                    "1",
                    qualified,
                ),
                rule(
                    MARGIN_OXYGEN,
                    ["酸素側の余裕: 限界酸素濃度に対する割合", "Margin on oxygen: share of the limiting concentration"],
                    table::MARGIN_OXYGEN,
                    "1",
                    monitored,
                ),
            ],
        }
    }

    /// Takes a rule of the house in place of its own where that forbids more; a laxer one is left aside. Was it taken?
    pub fn tighten(&mut self, rule: Rule) -> bool {
        let rises = [UFL, UFL_OXYGEN].contains(&rule.id.as_str());
        let Some(own) = self.rules.iter_mut().find(|own| own.id == rule.id) else { return false };
        let stricter = rule.value.is_finite() && if rises { rule.value > own.value } else { rule.value < own.value };
        if stricter {
            *own = rule;
        }
        stricter
    }

    fn value(&self, id: &str) -> Result<f64> {
        self.rules.iter().find(|r| r.id == id).map(|r| r.value).ok_or_else(|| {
            Error::input("E-GAS-010", format!("規則 {id} がありません"), format!("the rule {id} is missing"))
                .at(Place::field("rules"))
                .hint("標準の規則から始めて値を改めてください", "begin from the standard rules and change values")
        })
    }

    /// Looks the rules through.
    ///
    /// # Errors
    /// A rule that is missing, or values that contradict each other.
    pub fn check(&self) -> Result<()> {
        self.edges().map(|_| ())
    }

    pub(crate) fn edges(&self) -> Result<Edges> {
        let percent = |id: &str| self.value(id).map(|v| v / 100.0);
        let (lfl, ufl, ufl_oxygen, loc) = (percent(LFL)?, percent(UFL)?, percent(UFL_OXYGEN)?, percent(LOC)?);
        let (fuel, oxygen) = (self.value(MARGIN_FUEL)?, self.value(MARGIN_OXYGEN)?);
        let share = |v: f64| v > 0.0 && v <= 1.0;
        let air = (1.0 - ufl) * table::OXYGEN_OF_AIR;
        let slope = ((1.0 - ufl_oxygen) - air) / (ufl_oxygen - ufl);
        let offset = air - slope * ufl;
        // The rich edge must leave room below for air at the limit, and thinning must not lead into what could burn.
        let sound = share(lfl) && lfl < ufl && ufl < ufl_oxygen && ufl_oxygen < 1.0 && share(loc) && loc < table::OXYGEN_OF_AIR;
        if !sound || !share(fuel) || !share(oxygen) || !slope.is_finite() || offset < 0.0 {
            return Err(Error::input(
                "E-GAS-011",
                "規則の値が互いに矛盾しています（下限 < 上限 < 酸素中上限 < 100 %、余裕は 0 より大きく 1 以下）",
                "the values of the rules contradict each other (lower < upper < upper in oxygen < 100 %, margins above 0 and at most 1)",
            )
            .at(Place::field("rules"))
            .hint("標準の規則と見比べてください", "compare them with the standard rules"));
        }
        let (fuel, oxygen) = (fuel * lfl, oxygen * loc);
        Ok(Edges {
            lfl,
            ufl,
            loc,
            fuel,
            oxygen,
            inside: [Half::new(1.0, 0.0, lfl), Half::new(0.0, 1.0, loc), Half::new(-slope, 1.0, offset)],
            near: [Half::new(1.0, 0.0, fuel), Half::new(0.0, 1.0, oxygen)],
        })
    }

    /// Set and version, as verdicts name them.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} v{}", self.id, self.version)
    }
}
