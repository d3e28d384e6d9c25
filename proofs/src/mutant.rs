//! Altered rules. A property that stands whatever the rules say would prove nothing; each of these must fall.

use crate::text::Edit::{self, Drop, Replace};

/// An alteration and the property that it must break.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// Property.
    pub breaks: &'static str,
    /// Rule.
    pub rule: &'static str,
    /// Alteration.
    pub edit: Edit,
}

const fn mutant(breaks: &'static str, rule: &'static str, edit: Edit) -> Mutant {
    Mutant { breaks, rule, edit }
}

/// Conditions dropped or reversed, thresholds moved, actions added.
pub const MUTANTS: &[Mutant] = &[
    mutant("P1", "agreement-take", Replace(r#"Agreement::"any".dataSets.contains(resource) &&"#, "")),
    mutant("P1", "agreement-take", Replace(r#"Agreement::"any".parties.contains(principal.organisation) &&"#, "")),
    mutant("P1", "agreement-take", Replace(r#"Agreement::"any".parties.contains(resource.owner) &&"#, "")),
    mutant(
        "P1",
        "agreement-take",
        Replace(r#"context.now < Agreement::"any".until"#, r#"context.now <= Agreement::"any".until"#),
    ),
    mutant("P1", "agreement-take", Replace(r#"Grant::"train""#, r#"Grant::"read""#)),
    mutant("P1", "catalogue", Replace(r#"resource.area == Area::"cooperative""#, r#"resource.area != Area::"clean-room""#)),
    mutant(
        "P1",
        "own",
        Replace("resource.owner == principal.organisation", "resource.owner.country == principal.organisation.country"),
    ),
    mutant("P2", "covered-person", Drop),
    mutant("P2", "covered-person-unknown", Drop),
    mutant("P2", "covered-person", Replace(r#"[Action::"use", Action::"write"]"#, r#"Action::"take""#)),
    mutant("P2", "covered-person", Replace("resource.humanDerived && principal", "resource.humanDerived && !principal")),
    mutant(
        "P3",
        "agreement-take",
        Replace("context.now < resource.embargo", "context.now < resource.embargo - 2592000000000000"),
    ),
    mutant("P3", "agreement-take", Replace("earlyAccess.contains", "parties.contains")),
    mutant("P3", "agreement-take", Replace("context.now < resource.embargo", "resource.embargo < context.now")),
    mutant("P3", "open", Replace("!(resource has embargo && context.now < resource.embargo)", "true")),
    mutant("P4", "never-exported", Drop),
    mutant("P4", "never-exported", Replace(r#"Area::"cooperative""#, r#"Area::"competitive""#)),
    mutant("P4", "never-exported", Replace(r#"Action::"export""#, r#"Action::"train""#)),
    mutant("P4", "never-exported", Replace("unless {", r#"unless { principal.roles.contains(Role::"steward") ||"#)),
    mutant("P5", "release", Replace("context.contributors >= 5", "context.contributors >= 4")),
    mutant("P5", "release", Replace("context.contributors >= 5", "context.contributors <= 5")),
    mutant("P5", "release", Replace("context.topSharePercent <= 25", "context.topSharePercent <= 26")),
    mutant("P5", "release", Replace("context.topSharePercent <= 25 &&", "")),
    mutant("P5", "release", Replace("when {", r#"when { context.field == Field::"process" ||"#)),
    mutant("P6", "feedback-overdue", Drop),
    mutant("P6", "feedback-overdue", Replace("firstDue < context.now", "firstDue > context.now")),
    mutant("P6", "feedback-overdue", Replace(r#"action in Action::"take""#, r#"action == Action::"read""#)),
    mutant("P7", "feedback-overdue", Replace("unless { resource.owner == principal.organisation }", "")),
    mutant("P7", "listed", Replace("resource.owner == principal.organisation ||", "")),
    mutant("P7", "membership", Replace("resource.owner == principal.organisation ||", "")),
    mutant("P8", "clean-room", Drop),
    mutant("P8", "clean-room", Replace(r#", Action::"train""#, "")),
    mutant("P9", "separation-of-duties", Drop),
    mutant("P9", "separation-of-duties", Replace("containsAny", "containsAll")),
    mutant("P9", "separation-of-duties-write", Drop),
    mutant("P10", "listed", Drop),
    mutant("P10", "listing-review", Replace(r#"Action::"use""#, r#"Action::"take""#)),
];
