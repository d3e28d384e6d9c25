//! The safety filter: it stands outside the optimiser, knows no model, and can only make a command safer.
//!
//! Every rule allows an interval of commands, and a command is the less safe by a rule the farther it lies outside. Rules
//! are ranked: limits, then interlocks, then rates. What all rules allow is found from the first rank down; where a later
//! rule contradicts the earlier ones, the value it likes best among what these allow remains. The command asked for is
//! moved to the nearest value of that set, so that
//!
//! * no command is less safe than the one asked for, in the order of the ranks;
//! * filtering twice is filtering once, since the set does not depend on what was asked for.

use toji_core::{Error, Place, Result, Text};

/// What an interlock does while its condition holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// The command may not rise above what it is.
    MayNotRise,
    /// It may not fall below what it is.
    MayNotFall,
    /// It is at most this.
    AtMost(f64),
    /// It is at least this.
    AtLeast(f64),
}

/// A rule for one command.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The command stays within limits.
    Within {
        /// Least.
        low: f64,
        /// Greatest.
        high: f64,
    },
    /// While a quantity is below or above a limit, or is not known.
    Interlock {
        /// Name of the quantity.
        quantity: String,
        /// Holds while it is below this.
        below: Option<f64>,
        /// Holds while it is above this.
        above: Option<f64>,
        /// What it does.
        effect: Effect,
    },
    /// The command changes no faster than this per unit of time.
    Rate {
        /// Upwards.
        rise: Option<f64>,
        /// Downwards.
        fall: Option<f64>,
    },
}

/// What is known when a command is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The command that holds.
    pub previous: f64,
    /// Time since it was given.
    pub elapsed: f64,
    /// Measured quantities, none where the sensor does not say.
    pub measured: Vec<(String, Option<f64>)>,
}

/// Why a command was moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The rule, by its place.
    pub rule: usize,
    /// In words.
    pub text: Text,
}

/// A command filtered.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    /// As asked for.
    pub asked: f64,
    /// As it may be given.
    pub given: f64,
    /// Rules that the command asked for broke.
    pub reasons: Vec<Reason>,
}

/// The rules of one command.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    command: String,
    rules: Vec<Rule>,
}

/// Values that a rule allows.
type Interval = (f64, f64);

impl Guard {
    /// The rules of a command; the first of them are limits, of which there must be some.
    ///
    /// # Errors
    /// No limits, limits that are none, a rate or an interlock without a number: at the field `rules.COMMAND`.
    pub fn new(command: &str, mut rules: Vec<Rule>) -> Result<Self> {
        let wrong =
            |ja: String, en: String| Err(Error::input("E-CONTROL-002", ja, en).at(Place::field(format!("rules.{command}"))));
        for rule in &rules {
            let sound = match rule {
                Rule::Within { low, high } => low.is_finite() && high.is_finite() && low <= high,
                Rule::Interlock { below, above, effect, .. } => {
                    let number = match effect {
                        Effect::AtMost(v) | Effect::AtLeast(v) => v.is_finite(),
                        Effect::MayNotRise | Effect::MayNotFall => true,
                    };
                    number && (below.is_some() || above.is_some()) && below.iter().chain(above).all(|v| v.is_finite())
                }
                Rule::Rate { rise, fall } => rise.iter().chain(fall).all(|r| r.is_finite() && *r >= 0.0),
            };
            if !sound {
                return wrong(
                    format!("«{command}» の規則に数が足りないか、下限が上限を超えています: {rule:?}"),
                    format!("a rule of «{command}» lacks a number, or its limits are in the wrong order: {rule:?}"),
                );
            }
        }
        rules.sort_by_key(rank);
        if !matches!(rules.first(), Some(Rule::Within { .. })) {
            return wrong(format!("«{command}» には限界値の規則が必要です"), format!("«{command}» needs a rule of limits"));
        }
        Ok(Self { command: command.to_owned(), rules })
    }

    /// The rules in their order of rank.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How far a command lies outside of what each rule allows: the order of safety, first rule first.
    #[must_use]
    pub fn risk(&self, command: f64, context: &Context) -> Vec<f64> {
        self.rules.iter().map(|rule| outside(command, allows(rule, context))).collect()
    }

    /// Moves a command to the nearest one that may be given.
    #[must_use]
    pub fn filter(&self, asked: f64, context: &Context) -> Filtered {
        let mut allowed: Interval = (f64::NEG_INFINITY, f64::INFINITY);
        for rule in &self.rules {
            let this = allows(rule, context);
            let both = (allowed.0.max(this.0), allowed.1.min(this.1));
            allowed = if both.0 <= both.1 {
                both
            } else if this.0 > allowed.1 {
                (allowed.1, allowed.1)
            } else {
                (allowed.0, allowed.0)
            };
        }
        // No number at all is taken for what held.
        let wish = if asked.is_nan() { context.previous } else { asked };
        let wish = if wish.is_nan() { allowed.0 } else { wish };
        let given = wish.max(allowed.0).min(allowed.1);
        let reasons = if asked.is_nan() {
            vec![Reason {
                rule: 0,
                text: Text::new(
                    format!("«{}» への指令が数ではありません。直前の値を保ちます", self.command),
                    format!("the command «{}» is no number; the value before is kept", self.command),
                ),
            }]
        } else {
            let broken = self.rules.iter().enumerate().filter(|(_, rule)| outside(asked, allows(rule, context)) > 0.0);
            broken.map(|(rule, it)| Reason { rule, text: self.say(it, context) }).collect()
        };
        Filtered { asked, given, reasons }
    }

    fn say(&self, rule: &Rule, context: &Context) -> Text {
        let name = &self.command;
        match rule {
            Rule::Within { low, high } => {
                Text::new(format!("«{name}» は {low} から {high} までです"), format!("«{name}» stays between {low} and {high}"))
            }
            Rule::Rate { .. } => Text::new(format!("«{name}» の変化が速すぎます"), format!("«{name}» would change too fast")),
            Rule::Interlock { quantity, below, above, effect } => {
                let (what_ja, what_en) = match effect {
                    Effect::MayNotRise => ("上げられません".to_owned(), "may not rise".to_owned()),
                    Effect::MayNotFall => ("下げられません".to_owned(), "may not fall".to_owned()),
                    Effect::AtMost(v) => (format!("{v} 以下です"), format!("is at most {v}")),
                    Effect::AtLeast(v) => (format!("{v} 以上です"), format!("is at least {v}")),
                };
                match measured(quantity, context) {
                    None => Text::new(
                        format!("«{quantity}» が分からないため、«{name}» は{what_ja}"),
                        format!("«{quantity}» is not known, so «{name}» {what_en}"),
                    ),
                    Some(value) => {
                        let limit = below.filter(|b| value < *b).or(*above).unwrap_or(f64::NAN);
                        Text::new(
                            format!("«{quantity}» が {value}（限界 {limit}）のため、«{name}» は{what_ja}"),
                            format!("«{quantity}» is {value} (limit {limit}), so «{name}» {what_en}"),
                        )
                    }
                }
            }
        }
    }
}

fn rank(rule: &Rule) -> u8 {
    match rule {
        Rule::Within { .. } => 0,
        Rule::Interlock { .. } => 1,
        Rule::Rate { .. } => 2,
    }
}

fn measured(quantity: &str, context: &Context) -> Option<f64> {
    context.measured.iter().find(|(name, _)| name == quantity).and_then(|(_, value)| *value).filter(|v| !v.is_nan())
}

/// The commands that a rule allows.
fn allows(rule: &Rule, context: &Context) -> Interval {
    let all = (f64::NEG_INFINITY, f64::INFINITY);
    match rule {
        Rule::Within { low, high } => (*low, *high),
        Rule::Rate { rise, fall } => {
            let elapsed = context.elapsed.max(0.0);
            let low = fall.map_or(all.0, |fall| context.previous - fall * elapsed);
            let high = rise.map_or(all.1, |rise| context.previous + rise * elapsed);
            if context.previous.is_finite() && elapsed.is_finite() { (low, high) } else { all }
        }
        Rule::Interlock { quantity, below, above, effect } => {
            let holds = match measured(quantity, context) {
                // What is not known may be anything.
                None => true,
                Some(value) => below.is_some_and(|b| value < b) || above.is_some_and(|a| value > a),
            };
            let held = if context.previous.is_finite() { context.previous } else { 0.0 };
            match effect {
                _ if !holds => all,
                Effect::MayNotRise => (all.0, held),
                Effect::MayNotFall => (held, all.1),
                Effect::AtMost(v) => (all.0, *v),
                Effect::AtLeast(v) => (*v, all.1),
            }
        }
    }
}

fn outside(command: f64, (low, high): Interval) -> f64 {
    if command.is_nan() { f64::INFINITY } else { (low - command).max(command - high).max(0.0) }
}
