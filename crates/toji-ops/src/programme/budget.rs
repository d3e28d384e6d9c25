//! `budget track`: the requests of a fiscal year, summed without counting anything twice.
//!
//! One programme stands in the table several times: rounded in the headline list, exactly on its detail
//! sheet, and by its components. Only headlines are added; where a detail sheet exists, the difference
//! that rounding makes is shown. Item requests (事項要求) have no amount and never get one.

use super::table::{Evidence, Row, distinct, not_stated, rows, spoken, tidy};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Error, Kind, Place, Result, Text};

/// Input of `budget track`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Fiscal year, e.g. `FY2026`; the newest with requests when missing.
    ///
    /// 年度。例：`FY2026`。省略時は概算要求のある最新の年度。
    #[serde(default)]
    fiscal_year: Option<String>,
}

/// What the amount of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Asked for without an amount.
    ItemRequest,
    /// Rounded, of the headline list.
    Headline,
    /// Exact, of the detail sheet.
    Detail,
    /// Part of another row.
    Component,
    /// Funds, supplementary budgets, totals at a date and the like.
    Other,
}

fn sort(row: &Row) -> Sort {
    let kind = row.text("amount_kind").unwrap_or_default();
    let starts = |word: &str| kind.starts_with(word);
    if starts("item request") {
        Sort::ItemRequest
    } else if starts("budget request (headline") {
        Sort::Headline
    } else if starts("budget request (detail") {
        Sort::Detail
    } else if starts("component") || kind.contains("part of") {
        Sort::Component
    } else {
        Sort::Other
    }
}

/// What a programme asks for.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Programme.
    programme: String,
    /// Name.
    name: Text,
    /// Ministry.
    ministry: String,
    /// Asked for as an item without an amount; all amounts are then empty.
    item_request: bool,
    /// In words: the amount, or that there is none.
    amount: Text,
    /// Headline, rounded, in 10^8 yen.
    headline_oku_yen: Option<f64>,
    /// Detail sheet, in 10^8 yen.
    detail_oku_yen: Option<f64>,
    /// Headline less detail, in 10^8 yen.
    rounding_difference_oku_yen: Option<f64>,
    /// The year before, in 10^8 yen.
    previous_oku_yen: Option<f64>,
    /// New or continuing.
    new: Option<Text>,
    /// Where it stands.
    evidence: Vec<Evidence>,
}

/// Sums over lines.
#[derive(Debug, Serialize, JsonSchema)]
struct Sum {
    /// Ministry; "all" for the sum over all.
    ministry: Text,
    /// Lines with an amount.
    lines: usize,
    /// Lines without an amount; they are in no sum.
    item_requests: usize,
    /// Sum of the headlines, in 10^8 yen.
    headline_oku_yen: f64,
    /// The same with the detail sheet instead of the headline where there is one, in 10^8 yen.
    exact_oku_yen: f64,
    /// Headline sum less exact sum, in 10^8 yen.
    rounding_difference_oku_yen: f64,
}

/// A row that is in no sum.
#[derive(Debug, Serialize, JsonSchema)]
struct Excluded {
    /// Programme.
    programme: String,
    /// Name.
    name: Text,
    /// Amount, in 10^8 yen.
    amount_oku_yen: Option<f64>,
    /// What the amount is, as the table says.
    amount_kind: String,
    /// Why it is in no sum.
    reason: Text,
    /// Where it stands.
    evidence: Evidence,
}

/// Components of one row.
#[derive(Debug, Serialize, JsonSchema)]
struct Components {
    /// The programme they are part of, when it can be told from ministry and amount.
    parent: Option<String>,
    /// Amount of the whole, in 10^8 yen.
    parent_oku_yen: f64,
    /// Components listed.
    components: usize,
    /// Their sum, in 10^8 yen.
    sum_oku_yen: f64,
    /// The whole less the sum, in 10^8 yen: what the table does not list.
    remainder_oku_yen: f64,
}

/// Output of `budget track`.
#[derive(Debug, Serialize, JsonSchema)]
struct Budget {
    /// Fiscal year.
    fiscal_year: String,
    /// Unit of money.
    unit: Text,
    /// How the sums are made.
    rule: Text,
    /// One line a programme.
    requests: Vec<Line>,
    /// By ministry.
    sums: Vec<Sum>,
    /// Over all ministries.
    total: Sum,
    /// Sub-components, in no sum.
    excluded: Vec<Excluded>,
    /// Do the components make up their whole?
    components: Vec<Components>,
    /// Funds, supplementary budgets and other money; of other years and sorts, in no sum.
    others: Vec<Excluded>,
    /// Item requests that carry an amount all the same.
    warnings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "budget track",
            label: ["予算・概算要求の追跡", "Track budget requests"],
            about: [
                "概算要求を事業・府省ごとに集計します。事項要求は金額なしのまま示し、内訳は合計に入れず、丸めによる差を示します。",
                "Sums budget requests by programme and ministry. Item requests stay without a number, sub-components are in no sum, and the difference made by rounding is shown.",
            ],
            positional: &["fiscal_year"],
            example: "toji budget track FY2026",
        },
        Effect::Read,
        track,
    )
}

async fn track(context: Context, input: Input) -> Result<Budget> {
    let kind = context.session.store.kinds().get("programme")?;
    let all = rows(&context, "programme").await?;
    let is_request = |r: &&Row| matches!(sort(r), Sort::ItemRequest | Sort::Headline | Sort::Detail);
    let mut years = distinct(all.iter().filter(is_request).filter_map(|r| r.text("fiscal_year")));
    years.sort();
    let year = match input.fiscal_year {
        Some(year) if years.contains(&year) => year,
        None if !years.is_empty() => years.pop().unwrap_or_default(),
        _ => {
            let known = years.join(", ");
            return Err(Error::not_found(
                "E-BUDGET-001",
                "この年度の概算要求はありません",
                "there are no budget requests of this fiscal year",
            )
            .at(Place::field("fiscal_year"))
            .hint(format!("年度: {known}"), format!("fiscal years: {known}")));
        }
    };
    let (of_year, elsewhere): (Vec<&Row>, Vec<&Row>) = all.iter().partition(|r| r.text("fiscal_year").as_ref() == Some(&year));
    let asking: Vec<&Row> = of_year.iter().copied().filter(|r| is_request(r)).collect();
    let programmes = distinct(asking.iter().filter_map(|r| r.text("programme_id")));
    let requests: Vec<Line> = programmes.iter().map(|p| line(kind, p, &asking)).collect();
    let ministries = distinct(requests.iter().map(|l| l.ministry.clone()));
    let parts: Vec<&Row> = of_year.iter().copied().filter(|r| sort(r) == Sort::Component).collect();
    let others = of_year
        .iter()
        .filter(|r| sort(r) == Sort::Other)
        .chain(elsewhere.iter())
        .filter(|r| r.number("amount_oku_yen").is_some());
    Ok(Budget {
        unit: Text::new("億円", "10^8 yen (oku yen)"),
        rule: Text::new(
            "合計 = 主要事項の金額の和。事項要求 (金額なし) と内訳・内数は入れません。丸めの差 = 主要事項の和 − 個票がある事業を個票の金額に替えた和",
            "total = sum of the headline amounts, without item requests (no amount) and without components and parts of other amounts. Rounding difference = headline sum less the sum with detail sheets where there are any",
        ),
        sums: ministries
            .iter()
            .map(|m| sum(Text::same(m), &requests.iter().filter(|l| l.ministry == *m).collect::<Vec<_>>()))
            .collect(),
        total: sum(Text::new("全府省", "all"), &requests.iter().collect::<Vec<_>>()),
        excluded: parts.iter().map(|r| excluded(r, &Text::new("他の行の内訳・内数", "part of another row"))).collect(),
        components: components(&parts, &requests),
        others: others
            .map(|r| {
                excluded(
                    r,
                    &Text::new(
                        "概算要求でない (基金・補正・時点の総額など) か、他の年度",
                        "not a request (fund, supplementary budget, total at a date), or of another year",
                    ),
                )
            })
            .collect(),
        warnings: asking
            .iter()
            .filter(|r| sort(r) == Sort::ItemRequest && r.number("amount_oku_yen").is_some())
            .map(|r| numbered(r))
            .collect(),
        requests,
        fiscal_year: year,
    })
}

fn numbered(row: &Row) -> Diagnostic {
    Diagnostic::warning(
        "W-BUDGET-001",
        Place::field(format!("programme/{}/amount_oku_yen", row.id)),
        "事項要求に金額が入っています。合計には入れていません",
        "an item request carries an amount; it is in no sum",
    )
    .remedy("金額を消すか、金額の性格を直してください", "clear the amount, or correct what the amount is")
}

fn line(kind: &Kind, programme: &str, rows: &[&Row]) -> Line {
    let of: Vec<&&Row> = rows.iter().filter(|r| r.text("programme_id").as_deref() == Some(programme)).collect();
    let amount = |wanted: Sort| of.iter().find(|r| sort(r) == wanted).and_then(|r| r.number("amount_oku_yen"));
    let item_request = of.iter().any(|r| sort(r) == Sort::ItemRequest);
    let headline = amount(Sort::Headline);
    let detail = amount(Sort::Detail);
    let words = match headline.or(detail) {
        Some(number) => Text::new(format!("{number} 億円"), format!("{number} x 10^8 yen")),
        None if item_request => Text::new("事項要求（金額なし）", "item request, no amount"),
        None => not_stated(),
    };
    let previous = of.iter().find(|r| sort(r) == Sort::Detail).or_else(|| of.first()).and_then(|r| r.number("previous_amount"));
    Line {
        programme: programme.to_owned(),
        name: of.first().map(|r| r.words("name")).unwrap_or_else(not_stated),
        ministry: of.iter().find_map(|r| r.text("ministry")).unwrap_or_default(),
        item_request,
        amount: words,
        headline_oku_yen: headline,
        detail_oku_yen: detail,
        rounding_difference_oku_yen: headline.zip(detail).map(|(h, d)| tidy(h - d)),
        previous_oku_yen: previous,
        new: of.iter().find_map(|r| r.text("new_flag")).map(|f| spoken(kind, "new_flag", &f)),
        evidence: of.iter().map(|r| r.evidence()).collect(),
    }
}

fn sum(ministry: Text, lines: &[&Line]) -> Sum {
    let headline = tidy(lines.iter().filter_map(|l| l.headline_oku_yen.or(l.detail_oku_yen)).sum());
    let exact = tidy(lines.iter().filter_map(|l| l.detail_oku_yen.or(l.headline_oku_yen)).sum());
    Sum {
        ministry,
        lines: lines.iter().filter(|l| l.headline_oku_yen.or(l.detail_oku_yen).is_some()).count(),
        item_requests: lines.iter().filter(|l| l.item_request).count(),
        headline_oku_yen: headline,
        exact_oku_yen: exact,
        rounding_difference_oku_yen: tidy(headline - exact),
    }
}

fn excluded(row: &Row, reason: &Text) -> Excluded {
    Excluded {
        programme: row.text("programme_id").unwrap_or_default(),
        name: row.words("name"),
        amount_oku_yen: row.number("amount_oku_yen"),
        amount_kind: row.text("amount_kind").unwrap_or_default(),
        reason: reason.clone(),
        evidence: row.evidence(),
    }
}

/// `component of 93`: the components of 93 in the same ministry, against the row of 93.
fn components(parts: &[&Row], requests: &[Line]) -> Vec<Components> {
    let whole =
        |r: &Row| r.text("amount_kind").and_then(|k| k.strip_prefix("component of ").and_then(|n| n.trim().parse::<f64>().ok()));
    let keys = distinct(parts.iter().filter_map(|r| whole(r).map(|w| (w, r.text("ministry").unwrap_or_default()))));
    let one = |(amount, ministry): (f64, String)| {
        let of: Vec<f64> = parts
            .iter()
            .filter(|r| whole(r) == Some(amount) && r.text("ministry").as_ref() == Some(&ministry))
            .filter_map(|r| r.number("amount_oku_yen"))
            .collect();
        let mut parents = requests.iter().filter(|l| l.ministry == ministry && l.headline_oku_yen == Some(amount));
        // Two requests of one amount cannot be told apart.
        let parent = parents.next().filter(|_| parents.next().is_none()).map(|l| l.programme.clone());
        let sum = tidy(of.iter().sum());
        Components {
            parent,
            parent_oku_yen: amount,
            components: of.len(),
            sum_oku_yen: sum,
            remainder_oku_yen: tidy(amount - sum),
        }
    };
    keys.into_iter().map(one).collect()
}
