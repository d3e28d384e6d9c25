//! Reading: terms from a policy.

use super::json::{is_known_context, items, members, odrl, short, text, texts};
use super::limits::Limits;
use super::{COMMERCIAL, EARLY_ACCESS, PATENT, TOJI};
use crate::agreement::terms::{Granted, IndustrialUse, Patents, Purpose, Terms};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::{Diagnostic, Error, Id, Instant, Place, Result};

/// Most rules of a policy.
const RULES_MAX: usize = 1000;

/// What a reading may rest on besides the policy. Whoever reads vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// When the agreement is concluded: the term begins then if the policy names no beginning.
    pub concluded: Instant,
    /// No term lasts longer, whatever the policy says.
    pub latest_end: Instant,
    /// What purposes of another house permit here, such as `cx.pcf.base:1`. Others are left out.
    pub purposes: BTreeMap<String, BTreeSet<Purpose>>,
    /// What the action `use` grants here. ODRL means every action by it; without an entry it grants nothing.
    pub usage: BTreeSet<Granted>,
    /// Conditions that hold by other means than terms, as left and right operand, such as `FrameworkAgreement` and
    /// `DataExchangeGovernance:1.0`.
    pub met: BTreeSet<(String, String)>,
}

impl Ground {
    /// Nothing but a time and an end.
    #[must_use]
    pub fn new(concluded: Instant, latest_end: Instant) -> Self {
        Self { concluded, latest_end, purposes: BTreeMap::new(), usage: BTreeSet::new(), met: BTreeSet::new() }
    }
}

/// What a policy says in terms of the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Terms.
    pub terms: Terms,
    /// Who permits, as the policy names them.
    pub assigners: BTreeSet<String>,
    /// Who is permitted.
    pub assignees: BTreeSet<String>,
    /// What with.
    pub targets: BTreeSet<String>,
    /// What was left out, and conditions that are vouched for. Nothing of it permits more than the policy does.
    pub left_out: Vec<Diagnostic>,
}

/// Reads a policy, offer or agreement.
///
/// # Errors
/// All that is not understood and limits what is permitted, at once; or terms that a member could not sign: no end, no
/// purpose, nothing granted.
pub fn from_odrl(policy: &Value, ground: &Ground) -> Result<Reading> {
    let mut reader = Reader { ground, faults: Vec::new(), left_out: Vec::new() };
    let reading = reader.policy(policy);
    match reading {
        Some(reading) if reader.faults.is_empty() => Ok(reading),
        _ => {
            let (ja, en) = ("ODRL の条件に、許諾を広げずには読めないものがあります", "not all of the policy can be kept to");
            Err(Error::input("E-AGREEMENT-006", ja, en).with(reader.faults).hint(
                "その条件を満たすことを確かめて前提に加えるか、相手方に書き直しを依頼してください",
                "see that the condition is met and vouch for it, or ask for another policy",
            ))
        }
    }
}

/// A reading as it goes on.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) ground: &'a Ground,
    faults: Vec<Diagnostic>,
    left_out: Vec<Diagnostic>,
}

/// Who, whom and what with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ends {
    assigners: BTreeSet<String>,
    assignees: BTreeSet<String>,
    targets: BTreeSet<String>,
}

/// What prohibitions take away.
#[derive(Debug, Default)]
struct Forbidden {
    industrial: bool,
    patents: bool,
    grants: BTreeSet<Granted>,
}

impl Reader<'_> {
    fn fault(&mut self, place: &str, ja: impl Into<String>, en: impl Into<String>) {
        self.faults.push(Diagnostic::error("E-AGREEMENT-006", Place::field(place), ja, en));
    }

    fn leave_out(&mut self, place: &str, ja: impl Into<String>, en: impl Into<String>) {
        self.left_out.push(Diagnostic::note("N-AGREEMENT-001", Place::field(place), ja, en));
    }

    /// Something that limits and is not understood.
    pub(super) fn not_understood(&mut self, place: &str, what: &Value) {
        let what: String = what.to_string().chars().take(200).collect();
        self.fault(place, format!("理解できない条件です: {what}"), format!("a condition that is not understood: {what}"));
    }

    /// A time, absolute or after the conclusion (`contractAgreement+30d`).
    pub(super) fn moment(&self, text: &str) -> Option<Instant> {
        let Some(after) = text.strip_prefix("contractAgreement+") else { return Instant::parse(text).ok() };
        let seconds = match after.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number: u32 = after[..after.len() - 1].parse().ok()?;
        self.ground.concluded.plus_ns(i64::from(number).checked_mul(seconds)?.checked_mul(1_000_000_000)?)
    }

    /// Purposes that are known, here or by what is vouched for; others are left out.
    pub(super) fn purposes(&mut self, place: &str, names: &[String]) -> BTreeSet<Purpose> {
        let mut found = BTreeSet::new();
        for name in names {
            let own = name.strip_prefix(TOJI).and_then(|n| n.strip_prefix("purpose/"));
            let own = own.and_then(|code| Purpose::ALL.into_iter().find(|p| p.code() == code));
            match (own, self.ground.purposes.get(name)) {
                (Some(purpose), _) => found.extend([purpose]),
                (None, Some(purposes)) => found.extend(purposes),
                (None, None) => {
                    self.leave_out(place, format!("目的「{name}」は除きました"), format!("purpose {name} is left out"))
                }
            }
        }
        found
    }

    /// Is a condition vouched for?
    pub(super) fn is_met(&mut self, place: &str, left: &str, operator: &str, right: &[String]) -> bool {
        let vouched = |value: &String| self.ground.met.contains(&(left.to_owned(), value.clone()));
        let met = match operator {
            "eq" | "isAllOf" => !right.is_empty() && right.iter().all(vouched),
            "isAnyOf" => right.iter().any(vouched),
            _ => false,
        };
        if met {
            let values = right.join(", ");
            self.leave_out(place, format!("前提とした条件: {left} = {values}"), format!("vouched for: {left} = {values}"));
        }
        met
    }

    fn policy(&mut self, policy: &Value) -> Option<Reading> {
        let early_key = format!("{TOJI}{EARLY_ACCESS}");
        let Some(of) = members(policy) else {
            self.fault("policy", "ODRL のポリシーではありません", "not a policy of ODRL");
            return None;
        };
        if !of.get("@context").is_none_or(|c| is_known_context(c)) {
            self.fault("@context", "用語の意味を変えうるコンテキストです", "a context that could give words another meaning");
        }
        let kind = of.get("@type").and_then(|t| text(t)).unwrap_or_default();
        if !["Set", "Offer", "Agreement", "Policy", ""].contains(&short(&kind)) {
            self.fault("@type", format!("ポリシーの種類「{kind}」は読めません"), format!("a policy of type {kind}"));
        }
        let plain = ["@context", "@type", "@id", "uid", "id", "duo", "signed", "profile"];
        let read = ["conflict", "permission", "prohibition", "obligation", "assigner", "assignee", "target", early_key.as_str()];
        for (key, value) in of.iter().filter(|(key, _)| !plain.contains(*key) && !read.contains(*key)) {
            self.not_understood(key, value);
        }
        let conflict = of.get("conflict").and_then(|c| text(c)).unwrap_or_default();
        if !["", "prohibit", "perm", "invalid"].contains(&short(&conflict)) {
            self.fault("conflict", "優先の規則が読めません", "a rule of precedence that is not understood");
        } else if short(&conflict) == "perm" {
            self.leave_out("conflict", "許可の優先は採らず、禁止を優先しました", "permissions do not prevail; prohibitions do");
        }
        let whole = self.ends("policy", &of)?;
        let rules = |key: &str| of.get(key).map(|v| items(v)).unwrap_or_default();
        let (permissions, prohibitions) = (rules("permission"), rules("prohibition"));
        if permissions.len() + prohibitions.len() > RULES_MAX {
            self.fault("permission", format!("規則は {RULES_MAX} 件までです"), format!("more than {RULES_MAX} rules"));
            return None;
        }
        let permitted = self.permissions(&whole, &permissions);
        let forbidden = self.prohibitions(permitted.as_ref().map_or(&whole, |(_, _, ends)| ends), &prohibitions);
        for duty in rules("obligation") {
            self.obligation(duty);
        }
        let (mut grants, limits, ends) = permitted?;
        grants.retain(|g| !forbidden.grants.contains(g));
        let early = of.get(early_key.as_str()).and_then(|v| texts(v)).unwrap_or_default();
        let named: BTreeSet<&String> = ends.assigners.union(&ends.assignees).collect();
        let early = early.iter().filter(|p| named.contains(p)).filter_map(|p| Id::parse(p).ok()).collect();
        let terms = self.terms(grants, limits, &forbidden, early)?;
        let Ends { assigners, assignees, targets } = ends;
        Some(Reading { terms, assigners, assignees, targets, left_out: std::mem::take(&mut self.left_out) })
    }

    /// Parties and targets of a rule or of all of them.
    fn ends(&mut self, place: &str, of: &BTreeMap<&str, &Value>) -> Option<Ends> {
        let mut names = |key: &str| match of.get(key).map_or(Some(Vec::new()), |v| texts(v)) {
            Some(names) => Some(names.into_iter().collect()),
            None => {
                self.fault(&format!("{place}.{key}"), "名前ではありません", "not a name");
                None
            }
        };
        Some(Ends { assigners: names("assigner")?, assignees: names("assignee")?, targets: names("target")? })
    }

    fn permissions(&mut self, whole: &Ends, rules: &[&Value]) -> Option<(BTreeSet<Granted>, Limits, Ends)> {
        let mut grants = BTreeSet::new();
        let mut first: Option<(Limits, Ends)> = None;
        for (n, rule) in rules.iter().enumerate() {
            let place = format!("permission[{n}]");
            let Some(of) = members(rule) else {
                self.not_understood(&place, rule);
                continue;
            };
            let actions = of.get("action").and_then(|a| texts(a)).unwrap_or_default();
            let granted: BTreeSet<Granted> = actions.iter().flat_map(|a| self.granted(a)).collect();
            if granted.is_empty() {
                let what = of.get("action").map(ToString::to_string).unwrap_or_default();
                self.leave_out(
                    &place,
                    format!("操作 {what} の許可は除きました"),
                    format!("the permission for {what} is left out"),
                );
                continue;
            }
            let known = ["action", "constraint", "duty", "assigner", "assignee", "target", "@type", "@id", "uid"];
            for (key, value) in of.iter().filter(|(key, _)| !known.contains(*key)) {
                self.not_understood(&format!("{place}.{key}"), value);
            }
            let mut limits = Limits::default();
            for constraint in of.get("constraint").map(|c| items(c)).unwrap_or_default() {
                limits.constrain(self, &format!("{place}.constraint"), constraint, 0);
            }
            for duty in of.get("duty").map(|d| items(d)).unwrap_or_default() {
                limits.oblige(self, &format!("{place}.duty"), duty);
            }
            let own = self.ends(&place, &of)?;
            let or = |own: BTreeSet<String>, whole: &BTreeSet<String>| if own.is_empty() { whole.clone() } else { own };
            let ends = Ends {
                assigners: or(own.assigners, &whole.assigners),
                assignees: or(own.assignees, &whole.assignees),
                targets: or(own.targets, &whole.targets),
            };
            grants.extend(granted);
            match &first {
                None => first = Some((limits, ends)),
                Some(same) if same.0 == limits && same.1 == ends => {}
                Some(_) => self.fault(
                    &place,
                    "許可ごとに条件が異なります。条件ごとに契約を分けてください",
                    "permissions differ in their conditions: make one agreement of each",
                ),
            }
        }
        let Some((limits, ends)) = first else {
            self.fault("permission", "読める許可がありません", "there is no permission that can be read");
            return None;
        };
        Some((grants, limits, ends))
    }

    fn granted(&self, action: &str) -> BTreeSet<Granted> {
        let own = action.strip_prefix(TOJI).and_then(|a| a.strip_prefix("action/"));
        match (odrl(action), own) {
            ("read", _) => BTreeSet::from([Granted::Read]),
            ("distribute", _) => BTreeSet::from([Granted::Export]),
            (_, Some("compute")) => BTreeSet::from([Granted::Compute]),
            (_, Some("train")) => BTreeSet::from([Granted::Train]),
            ("use", _) => self.ground.usage.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// A prohibition under a condition is taken as one without.
    fn prohibitions(&mut self, permitted: &Ends, rules: &[&Value]) -> Forbidden {
        let mut forbidden = Forbidden::default();
        for (n, rule) in rules.iter().enumerate() {
            let place = format!("prohibition[{n}]");
            let of = members(rule).unwrap_or_default();
            let known = ["action", "constraint", "assigner", "assignee", "target", "@type", "@id", "uid"];
            let actions = of.get("action").and_then(|a| texts(a)).unwrap_or_default();
            if actions.is_empty() || of.keys().any(|k| !known.contains(k)) {
                self.not_understood(&place, rule);
                continue;
            }
            let constraints = of.get("constraint").map(|c| items(c)).unwrap_or_default();
            for action in &actions {
                let grants = if odrl(action) == "use" { BTreeSet::new() } else { self.granted(action) };
                let commercial = action == COMMERCIAL || action == "cc:CommercialUse";
                let patent = action.strip_prefix(TOJI) == Some(PATENT);
                if !grants.is_empty() || commercial || patent {
                    forbidden.industrial |= commercial;
                    forbidden.patents |= patent;
                    forbidden.grants.extend(grants);
                    if !constraints.is_empty() || self.ends(&place, &of).is_some_and(|e| e != Ends::default() && e != *permitted)
                    {
                        self.leave_out(
                            &place,
                            "条件や対象を限った禁止も、全体に適用しました",
                            "applied to all, whatever its conditions",
                        );
                    }
                } else if odrl(action) == "use" && !constraints.is_empty() {
                    // Ways of using: nothing in terms says them, so each must be kept by other means.
                    constraints.iter().for_each(|c| self.kept_otherwise(&place, c, 0));
                } else {
                    self.not_understood(&place, rule);
                }
            }
        }
        forbidden
    }

    /// A condition of a prohibition: only what is vouched for.
    fn kept_otherwise(&mut self, place: &str, constraint: &Value, depth: usize) {
        let of = members(constraint).filter(|_| depth < 8).unwrap_or_default();
        if let (Some(all), 1) = (of.get("and"), of.len()) {
            return items(all).into_iter().for_each(|one| self.kept_otherwise(place, one, depth + 1));
        }
        let word = |key: &str| of.get(key).and_then(|v| text(v)).map(|w| short(&w).to_owned());
        let right = of.get("rightOperand").and_then(|v| texts(v)).unwrap_or_default();
        let met = match (word("leftOperand"), word("operator"), of.len()) {
            // Of a prohibition every value is forbidden, so every one must be kept.
            (Some(left), Some(operator), 3) if ["eq", "isAnyOf", "isAllOf"].contains(&operator.as_str()) => {
                self.is_met(place, &left, "isAllOf", &right)
            }
            _ => false,
        };
        if !met {
            self.not_understood(place, constraint);
        }
    }

    /// An obligation of the policy as a whole. How long the provider provides limits nobody else.
    fn obligation(&mut self, duty: &Value) {
        let provider = |constraint: &Value| {
            let left = members(constraint).and_then(|of| text(of.get("leftOperand")?));
            left.is_some_and(|l| ["DataProvisioningEndDate", "DataProvisioningEndDurationDays"].contains(&short(&l)))
        };
        let of = members(duty).unwrap_or_default();
        let plain = of.len() == 2 && of.get("action").and_then(|a| text(a)).is_some_and(|a| odrl(&a) == "use");
        let inner = of.get("constraint").filter(|_| plain).map(|c| items(c)).unwrap_or_default();
        let inner: Vec<&Value> = inner
            .into_iter()
            .flat_map(|c| match members(c).as_ref().and_then(|of| of.get("and").copied()) {
                Some(all) => items(all),
                None => vec![c],
            })
            .collect();
        if !inner.is_empty() && inner.iter().all(|c| provider(c)) {
            self.leave_out("obligation", "提供者の提供期間は条件に含めません", "how long the provider provides is no term");
        } else {
            self.not_understood("obligation", duty);
        }
    }

    fn terms(&mut self, grants: BTreeSet<Granted>, limits: Limits, forbidden: &Forbidden, early: BTreeSet<Id>) -> Option<Terms> {
        let from = limits.from.unwrap_or(self.ground.concluded);
        let until = limits.until.map_or(self.ground.latest_end, |until| until.min(self.ground.latest_end));
        if limits.until != Some(until) {
            self.leave_out("until", format!("契約の終わりは {until} としました"), format!("the term ends at {until}"));
        }
        let mut purposes = limits.purposes.unwrap_or_default();
        if forbidden.industrial {
            purposes.remove(&Purpose::Production);
        }
        let before = self.faults.len();
        if purposes.is_empty() {
            self.fault("purpose", "目的が示されていないか、読める目的がありません", "no purpose that is known here");
        }
        if grants.is_empty() {
            self.fault("permission", "許諾される操作がありません", "nothing is granted");
        }
        if from >= until {
            self.fault("until", "期間が空です", "the term is empty");
        }
        if self.faults.len() > before {
            return None;
        }
        let notice = limits.patent_notice_days.map_or(Patents::Free, |within_days| Patents::Notice { within_days });
        Some(Terms {
            from,
            until,
            purposes,
            grants,
            industrial_use: if forbidden.industrial { IndustrialUse::Forbidden } else { IndustrialUse::Permitted },
            patents: if forbidden.patents { Patents::None } else { notice },
            early_access: early,
            countries: limits.countries,
            feedback: limits.feedback,
        })
    }
}
