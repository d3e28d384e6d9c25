//! Who was in the data?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Fewest scores of each kind.
const SCORES_MIN: usize = 20;

/// How well an attack does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Advantage {
    /// Share of members taken for members less share of others taken for members, with the threshold chosen on other
    /// scores: 0 for chance, 1 for certainty.
    pub advantage: f64,
    /// Lower end of its 95 % interval (normal).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Chance that a member's score is above another's: 0.5 for chance.
    pub area: f64,
}

/// The advantage of an attack that takes high scores for members. Every second score of each kind serves to choose the
/// threshold, the others to judge it; so their order must not tell anything.
///
/// # Errors
/// Fewer than 20 scores of a kind, or scores that are no numbers.
pub fn advantage(members: &[f64], others: &[f64]) -> Result<Advantage> {
    let few = members.len().min(others.len()) < SCORES_MIN;
    if few || members.iter().chain(others).any(|s| s.is_nan()) {
        return Err(Error::input(
            "E-ATTACK-001",
            format!("点数が各 {SCORES_MIN} 件に足りないか、数でない値があります"),
            format!("fewer than {SCORES_MIN} scores of a kind, or scores that are no numbers"),
        )
        .at(Place::field("scores"))
        .hint("攻撃をより多くの記録で試してください", "try the attack on more records"));
    }
    let half = |scores: &[f64], of: usize| -> Vec<f64> {
        let mut part: Vec<f64> = scores.iter().skip(of).step_by(2).copied().collect();
        part.sort_by(f64::total_cmp);
        part
    };
    let above = |sorted: &[f64], at: f64| (sorted.len() - sorted.partition_point(|s| *s < at)) as f64 / sorted.len() as f64;
    let (chosen_in, chosen_out) = (half(members, 0), half(others, 0));
    let threshold = chosen_in
        .iter()
        .map(|&at| (above(&chosen_in, at) - above(&chosen_out, at), at))
        .fold((f64::NEG_INFINITY, 0.0), |best, one| if one.0 > best.0 { one } else { best })
        .1;
    let (judged_in, judged_out) = (half(members, 1), half(others, 1));
    let (hit, false_alarm) = (above(&judged_in, threshold), above(&judged_out, threshold));
    let variance = hit * (1.0 - hit) / judged_in.len() as f64 + false_alarm * (1.0 - false_alarm) / judged_out.len() as f64;
    let (advantage, margin) = (hit - false_alarm, 1.959_964 * libm::sqrt(variance));
    let mut all = others.to_vec();
    all.sort_by(f64::total_cmp);
    let wins = |s: &f64| {
        let (below, up_to) = (all.partition_point(|o| o < s), all.partition_point(|o| o <= s));
        (below + up_to) as f64 / 2.0
    };
    let area = members.iter().map(wins).sum::<f64>() / (members.len() * others.len()) as f64;
    Ok(Advantage { advantage, low: advantage - margin, high: advantage + margin, area })
}

/// ln of the ratio of the likelihoods of what a model says of a record, by normal laws fitted to what shadow models with
/// and without that record say. None with fewer than two of either, or where they do not vary.
#[must_use]
pub fn likelihood_ratio(said: f64, with: &[f64], without: &[f64]) -> Option<f64> {
    let log = |said: f64, of: &[f64]| {
        let n = of.len() as f64;
        let mean = of.iter().sum::<f64>() / n;
        let variance = of.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        (n >= 2.0 && variance > 0.0).then(|| -0.5 * (said - mean) * (said - mean) / variance - 0.5 * libm::log(variance))
    };
    Some(log(said, with)? - log(said, without)?)
}
