//! A person at the tank: comes by, smells, looks, and acts by a rule that is hidden in the records and known
//! here, so that whoever learns the rule back can be marked.
//!
//! Strength of an odour rises with the concentration and saturates (a hyperbola: Chastrette, Thomas-Danguin
//! and Rallet, Chem. Senses 23:181, 1998); the observer adds a bias and, each time anew, scatter.

use crate::control::Command;
use crate::happening::{Decision, Sensed};
use crate::random::Random;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Who comes by, how well that person smells, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorConfig {
    /// Pseudonym.
    ///
    /// 仮名。
    pub name: String,
    /// Mean time between visits, h; each comes up to a quarter of an hour early or late.
    ///
    /// 見回りの平均間隔（h）。毎回 15 分以内の早い遅いがある。
    pub every_h: f64,
    /// Steps this observer gives too much (or too little) for odours.
    ///
    /// この観察者が香りに付ける過大（過小）な段階数。
    pub bias: f64,
    /// Standard deviation of repeated judgements, steps.
    ///
    /// 繰返し評価の標準偏差（段階）。
    pub scatter: f64,
    /// Share of visits with a blind sample served twice.
    ///
    /// 同じ目隠し試料を二度出す見回りの割合。
    pub blind_share: f64,
    /// Does the person act, or only note?
    ///
    /// 手を打つか。`false` なら記録するだけ。
    pub acts: bool,
}

impl Default for OperatorConfig {
    fn default() -> Self {
        Self { name: "O-1".to_owned(), every_h: 1.0, bias: 0.0, scatter: 0.3, blind_share: 0.15, acts: true }
    }
}

impl OperatorConfig {
    pub(crate) fn check(&self) -> Result<()> {
        let fits = (0.1..=1000.0).contains(&self.every_h)
            && self.bias.abs() <= 5.0
            && (0.0..=5.0).contains(&self.scatter)
            && (0.0..=1.0).contains(&self.blind_share);
        if fits && !self.name.is_empty() {
            return Ok(());
        }
        Err(Error::input("E-PLANT-006", "操作者の設定が範囲の外です", "the operator's settings are outside their ranges")
            .at(Place::field("operator"))
            .hint(
                "every_h は 0.1 以上、bias は ±5、scatter は 0〜5、blind_share は 0〜1、name は空でないこと",
                "every_h is at least 0.1, bias within 5, scatter 0 to 5, blind_share 0 to 1, and there is a name",
            ))
    }
}

/// The rule: what the person does at what was sensed, from the top; the first line that holds decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Craft {
    /// While feeding: acid odour from this step on lowers the feed.
    pub acid_less_feed: u8,
    /// By this factor.
    pub less_feed_factor: f64,
    /// Foam from this step on gets antifoam.
    pub foam_antifoam: u8,
    /// Antifoam, mL per litre.
    pub antifoam_ml_per_l: f64,
    /// While feeding less than planned: acid odour up to this step lets the feed be raised again …
    pub acid_more_feed: u8,
    /// … if the oxygen probe shows at least this, %.
    pub oxygen_more_feed_percent: f64,
    /// By this factor, at most to the plan.
    pub more_feed_factor: f64,
    /// Oxygen below this, %, is answered by cooling.
    pub oxygen_cool_percent: f64,
    /// By this, K, not below 30 °C.
    pub cool_kelvin: f64,
}

/// The one rule all simulated operators follow.
pub const CRAFT: Craft = Craft {
    acid_less_feed: 2,
    less_feed_factor: 0.5,
    foam_antifoam: 3,
    antifoam_ml_per_l: 0.05,
    acid_more_feed: 0,
    oxygen_more_feed_percent: 20.0,
    more_feed_factor: 1.2,
    oxygen_cool_percent: 12.0,
    cool_kelvin: 2.0,
};

/// What there is to sense, and what the displays show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) now_h: f64,
    /// Acetate, or the esters and acids that go with ethanol, g/L.
    pub(crate) overflow_g_per_l: f64,
    pub(crate) biomass_g_per_l: f64,
    pub(crate) foam_percent: f64,
    pub(crate) volume_l: f64,
    pub(crate) oxygen_shown_percent: f64,
    pub(crate) temperature_set_c: f64,
    pub(crate) feeding: bool,
    pub(crate) feed_share: f64,
}

/// What a visit brings.
#[derive(Debug, Default)]
pub(crate) struct Visit {
    pub(crate) sensed: Vec<Sensed>,
    pub(crate) decision: Option<Decision>,
    pub(crate) command: Option<Command>,
}

/// The person.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    config: OperatorConfig,
    next_h: f64,
    blinds: u32,
    random: Random,
}

/// Strength of an odour, 0 to 5, of a concentration and that at half of the scale.
fn strength(concentration: f64, half: f64) -> f64 {
    5.0 * concentration / (concentration + half)
}

impl Operator {
    pub(crate) fn new(config: OperatorConfig, mut random: Random) -> Self {
        let next_h = config.every_h * random.between(0.5, 1.0);
        Self { config, next_h, blinds: 0, random }
    }
    fn judge(&mut self, strength: f64) -> u8 {
        let felt = strength + self.config.bias + self.config.scatter * self.random.normal();
        // Rounded into 0..=5, so the cast holds.
        felt.round().clamp(0.0, 5.0) as u8
    }
    /// Comes by when it is time.
    pub(crate) fn visit(&mut self, scene: &Scene) -> Option<Visit> {
        if scene.now_h < self.next_h {
            return None;
        }
        self.next_h = scene.now_h + self.config.every_h + self.random.between(-0.25, 0.25).max(-0.5 * self.config.every_h);
        let acid = self.judge(strength(scene.overflow_g_per_l, 2.0));
        let yeasty = self.judge(strength(scene.biomass_g_per_l, 25.0));
        let foam = (scene.foam_percent / 20.0 + 0.2 * self.random.normal()).round().clamp(0.0, 5.0) as u8;
        let colour =
            (1.0 + strength(scene.biomass_g_per_l, 20.0) * 0.8 + 0.15 * self.random.normal()).round().clamp(1.0, 5.0) as u8;
        let mut visit = Visit::default();
        let observer = self.config.name.clone();
        let one = |attribute, term, level, note| Sensed {
            attribute,
            term,
            level,
            observer: observer.clone(),
            note,
            blind_sample: None,
        };
        visit.sensed.push(one("odour", Some("sake:830"), acid, acid_words(acid)));
        visit.sensed.push(one(
            "odour",
            Some("sake:610"),
            yeasty,
            if yeasty > 2 { "菌体の匂いがはっきりする" } else { "菌体の匂いは弱い" },
        ));
        visit.sensed.push(one("colour", None, colour, if colour > 3 { "褐色が濃い" } else { "うすい褐色" }));
        visit.sensed.push(one("foam", None, foam, if foam > 2 { "泡が盛り上がっている" } else { "泡は落ち着いている" }));
        if self.random.unit() < self.config.blind_share {
            self.blinds += 1;
            let sample = format!("{}-B{:02}", self.config.name, self.blinds);
            for _ in 0..2 {
                let level = self.judge(strength(scene.overflow_g_per_l, 2.0));
                let again = one("odour", Some("sake:830"), level, acid_words(level));
                visit.sensed.push(Sensed { blind_sample: Some(sample.clone()), ..again });
            }
        }
        if self.config.acts {
            let (decision, command) = self.decide(scene, acid, foam);
            visit.decision = Some(decision);
            visit.command = command;
        }
        Some(visit)
    }
    fn decide(&mut self, s: &Scene, acid: u8, foam: u8) -> (Decision, Option<Command>) {
        let seen = format!("酸臭 {acid}、泡 {foam}、DO {:.0} %", s.oxygen_shown_percent);
        let say =
            |action, done: String, why: &str, rejected: Option<&str>, expected: &str, within_h: f64, confidence: f64| Decision {
                action,
                seen: seen.clone(),
                done,
                why: why.to_owned(),
                rejected: rejected.map(str::to_owned),
                confidence,
                expected: expected.to_owned(),
                expected_by_h: s.now_h + within_h,
                author: self.config.name.clone(),
            };
        let c = CRAFT;
        if s.feeding && acid >= c.acid_less_feed {
            let share = s.feed_share * c.less_feed_factor;
            let done = format!("流加を計画の {:.0} % に下げた", share * 100.0);
            let why = "酢酸の匂いがする。糖が多すぎる";
            let decision = say("feed-less", done, why, Some("流加を止める: 菌が飢える"), "一時間で酸臭が弱まる", 1.0, 0.8);
            return (decision, Some(Command::FeedShare { share }));
        }
        if foam >= c.foam_antifoam {
            let ml = c.antifoam_ml_per_l * s.volume_l;
            let done = format!("消泡剤を {ml:.2} mL 入れた");
            let decision = say("antifoam", done, "泡が上がってきた", Some("様子を見る: 溢れる"), "十分で泡が下がる", 0.2, 0.9);
            return (decision, Some(Command::Antifoam { ml }));
        }
        if s.feeding && s.oxygen_shown_percent < c.oxygen_cool_percent && s.temperature_set_c - c.cool_kelvin >= 30.0 {
            let value = s.temperature_set_c - c.cool_kelvin;
            let decision = say(
                "cool",
                format!("温度を {value:.0} °C に下げた"),
                "DO が落ちた。冷やして菌の息を緩める",
                Some("流加を止める"),
                "三十分で DO が戻る",
                0.5,
                0.7,
            );
            return (decision, Some(Command::SetPoint { of: crate::control::Loop::Temperature, value }));
        }
        if s.feeding && s.feed_share < 1.0 && acid <= c.acid_more_feed && s.oxygen_shown_percent >= c.oxygen_more_feed_percent {
            let share = (s.feed_share * c.more_feed_factor).min(1.0);
            let done = format!("流加を計画の {:.0} % に戻した", share * 100.0);
            let decision = say("feed", done, "酸臭が消え、DO に余裕がある", None, "酸臭が出ないまま伸びる", 1.0, 0.7);
            return (decision, Some(Command::FeedShare { share }));
        }
        (say("hold", "見守る".to_owned(), "変わりない", None, "このまま進む", 1.0, 0.6), None)
    }
}

fn acid_words(level: u8) -> &'static str {
    match level {
        0 => "酸臭なし",
        1 => "かすかに酸臭",
        2 => "弱い酸臭",
        3 => "酸臭がはっきりする",
        _ => "鼻を突く酸臭",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(overflow_g_per_l: f64, feeding: bool) -> Scene {
        Scene {
            now_h: 10.0,
            overflow_g_per_l,
            biomass_g_per_l: 10.0,
            foam_percent: 10.0,
            volume_l: 1.0,
            oxygen_shown_percent: 30.0,
            temperature_set_c: 37.0,
            feeding,
            feed_share: 1.0,
        }
    }

    #[test]
    fn the_nose_decides_and_the_reason_is_written() {
        let config = OperatorConfig { scatter: 0.0, ..OperatorConfig::default() };
        let mut operator = Operator::new(config, Random::new(1, "O"));
        let visit = operator.visit(&scene(3.0, true)).unwrap();
        assert_eq!(visit.sensed[0].level, 3);
        assert_eq!(visit.command, Some(Command::FeedShare { share: 0.5 }));
        assert!(visit.decision.unwrap().why.contains("酢酸"));
        // Not again until the next round; nothing to smell, nothing to do.
        assert!(operator.visit(&scene(3.0, true)).is_none());
        let later = Scene { now_h: 20.0, ..scene(0.1, true) };
        assert_eq!(operator.visit(&later).unwrap().command, None);
    }

    #[test]
    fn bias_and_scatter_are_those_of_the_observer() {
        let config = OperatorConfig { bias: 1.0, scatter: 0.6, blind_share: 1.0, ..OperatorConfig::default() };
        let mut operator = Operator::new(config, Random::new(2, "O"));
        let mut blinds = Vec::new();
        for i in 0..2000 {
            let visit = operator.visit(&Scene { now_h: f64::from(i) * 10.0 + 10.0, ..scene(1.0, false) }).unwrap();
            let pair: Vec<f64> = visit.sensed.iter().filter(|s| s.blind_sample.is_some()).map(|s| f64::from(s.level)).collect();
            blinds.push((pair[0], pair[1]));
        }
        // True strength is 5/3; rounding adds 1/12 to the variance.
        let mean = blinds.iter().map(|p| (p.0 + p.1) / 2.0).sum::<f64>() / 2000.0;
        assert!((mean - (5.0 / 3.0 + 1.0)).abs() < 0.05, "{mean}");
        let variance = blinds.iter().map(|p| (p.0 - p.1).powi(2)).sum::<f64>() / 4000.0;
        assert!((variance - (0.36 + 1.0 / 12.0)).abs() < 0.04, "{variance}");
    }
}
