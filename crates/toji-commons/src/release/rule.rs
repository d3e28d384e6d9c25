//! The rule as data, and its refusals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Place, Text};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// What kind of field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// How cultures run: titre, yield, rates, failures.
    Process,
    /// Cost, capacity, volume: only when old enough.
    Aged,
    /// Customers, prices, future plans: never.
    Never,
}

/// The parameters of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Version, recorded with each release.
    pub version: String,
    /// R3: fewest contributors.
    pub contributors_min: usize,
    /// R4: largest share of one contributor, in %.
    pub top_share_percent_max: u32,
    /// R5: how many of the largest count together.
    pub dominance_n: usize,
    /// R5: their largest share, in %.
    pub dominance_percent_max: u32,
    /// R6 and R9: how near an estimate may come, in % of the true value.
    pub p_percent: u32,
    /// R2: age of the newest figure of an aged field, in days.
    pub age_days_min: u32,
    /// Significant digits of a published total.
    pub digits: u32,
    /// Counts are told as multiples of this, rounded down.
    pub count_base: u32,
}

impl Default for Rule {
    /// The careful default: 5 contributors, 25 %, (2, 85 %), 20 %, 90 days, 3 digits, counts in fives. A
    /// (2, 85 %) dominance rule corresponds to p = 17.6 % (handbook, ch. 4.2), so p = 20 % is the stricter.
    fn default() -> Self {
        Self {
            version: "commons-release-1".into(),
            contributors_min: 5,
            top_share_percent_max: 25,
            dominance_n: 2,
            dominance_percent_max: 85,
            p_percent: 20,
            age_days_min: 90,
            digits: 3,
            count_base: 5,
        }
    }
}

impl Rule {
    /// R2 in nanoseconds.
    pub(super) fn age_ns_min(&self) -> i64 {
        i64::from(self.age_days_min) * DAY_NS
    }

    /// R3 to R6 on what each contributor gives to a total, all of them non-negative: the first clause broken.
    #[must_use]
    pub fn concentration(&self, contributions: &[i128]) -> Option<Clause> {
        let mut sorted = contributions.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let total: i128 = sorted.iter().sum();
        if sorted.len() < self.contributors_min {
            return Some(Clause::Contributors);
        }
        let largest = sorted.first().copied().unwrap_or(0);
        if 100 * largest > i128::from(self.top_share_percent_max) * total {
            return Some(Clause::TopShare);
        }
        if 100 * sorted.iter().take(self.dominance_n).sum::<i128>() > i128::from(self.dominance_percent_max) * total {
            return Some(Clause::Dominance);
        }
        let second = sorted.get(1).copied().unwrap_or(0);
        // A total of nothing tells each figure exactly.
        if total == 0 || 100 * (total - largest - second) < i128::from(self.p_percent) * largest {
            return Some(Clause::Nearness);
        }
        None
    }

    /// A refusal by a clause, with its limit in words.
    pub(super) fn refuse(&self, clause: Clause) -> Refusal {
        Refusal { clause, reason: clause.reason(self), remedy: clause.remedy() }
    }
}

/// A clause of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clause {
    /// R1.
    NeverList,
    /// R2.
    Age,
    /// R3.
    Contributors,
    /// R4.
    TopShare,
    /// R5.
    Dominance,
    /// R6.
    Nearness,
    /// R7.
    FewDerivable,
    /// R8.
    DerivedTotal,
    /// R9.
    Estimate,
    /// R10.
    TooIntricate,
}

impl Clause {
    /// `R1` to `R10`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::NeverList => "R1",
            Self::Age => "R2",
            Self::Contributors => "R3",
            Self::TopShare => "R4",
            Self::Dominance => "R5",
            Self::Nearness => "R6",
            Self::FewDerivable => "R7",
            Self::DerivedTotal => "R8",
            Self::Estimate => "R9",
            Self::TooIntricate => "R10",
        }
    }

    fn reason(self, rule: &Rule) -> Text {
        let (n, share, p) = (rule.contributors_min, rule.top_share_percent_max, rule.p_percent);
        let (dn, dk, age) = (rule.dominance_n, rule.dominance_percent_max, rule.age_days_min);
        match self {
            Self::NeverList => {
                Text::new("公表禁止項目(顧客・価格・将来計画)です", "the field is on the never-list (customers, prices, plans)")
            }
            Self::Age => Text::new(
                format!("最新の値が {age} 日より新しいため公表できません"),
                format!("the newest figure is younger than {age} days"),
            ),
            Self::Contributors => Text::new(format!("提供者が {n} 者に足りません"), format!("fewer than {n} contributors")),
            Self::TopShare => {
                Text::new(format!("一者の割合が {share} % を超えます"), format!("one contributor holds more than {share} %"))
            }
            Self::Dominance => Text::new(
                format!("上位 {dn} 者の割合が {dk} % を超えます(占有規則)"),
                format!("the {dn} largest hold more than {dk} % (dominance rule)"),
            ),
            Self::Nearness => Text::new(
                format!("第二位の者が第一位の値を {p} % 以内で推定できます(p % 規則)"),
                format!("the second largest could estimate the largest within {p} % (p % rule)"),
            ),
            Self::FewDerivable => Text::new(
                format!("既公表の集計との和・差から、{n} 者未満の値が求まります"),
                format!("with earlier releases, a figure of fewer than {n} contributors could be derived"),
            ),
            Self::DerivedTotal => Text::new(
                "既公表の集計から導かれる合計が、提供者数・割合・p % の規則を満たしません",
                "a total that follows from earlier releases breaks the rules of number, share or p %",
            ),
            Self::Estimate => Text::new(
                format!("既公表の集計と合わせると、ある者の値が {p} % 以内で推定されないことを証明できません"),
                format!("with earlier releases, it cannot be proved that no contributor is estimated within {p} %"),
            ),
            Self::TooIntricate => Text::new(
                "既公表の集計との関係が複雑で、厳密に検査できません",
                "its relation to earlier releases is too intricate to be checked exactly",
            ),
        }
    }

    fn remedy(self) -> Text {
        match self {
            Self::NeverList => Text::new("この項目は申請できません", "this field cannot be asked for"),
            Self::Age => Text::new("対象期間を過去に移してください", "move the period further back"),
            Self::Contributors | Self::TopShare | Self::Dominance | Self::Nearness => {
                Text::new("対象をより広い区分・期間にまとめてください", "take a wider class or a longer period")
            }
            Self::FewDerivable | Self::DerivedTotal | Self::Estimate | Self::TooIntricate => Text::new(
                "既に公表された区分・期間と同じ切り方で求めてください",
                "ask along the same classes and periods as earlier releases",
            ),
        }
    }
}

/// Why a release is refused. Names the clause and its limit, never a measured figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Clause.
    pub clause: Clause,
    /// Why.
    pub reason: Text,
    /// What the asker can do.
    pub remedy: Text,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let number = refusal.clause.number();
        Self::new(
            Category::Denied,
            "E-RELEASE-001",
            format!("公表できません({number}): {}", refusal.reason.ja),
            format!("not released ({number}): {}", refusal.reason.en),
        )
        .at(Place::field(number))
        .hint(refusal.remedy.ja, refusal.remedy.en)
    }
}
