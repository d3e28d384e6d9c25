//! Yields, by the balance of totals.

use super::heights::{named, product, reported};
use super::{Frame, LIMIT_SHARE_MAX, STRETCHES_MAX, YIELD_MAX_G_PER_G, left_out, text};
use crate::rates::line::Usable;
use crate::rates::report::{Found, Report, joined};
use crate::rates::yields::{self, Volume};
use toji_core::Text;

/// Amounts at the times where all of them are known, in grams.
#[derive(Default)]
struct Amounts {
    t_h: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

pub(super) fn yields(frame: &Frame, report: &mut Report) {
    let biomass = || -> Result<Usable, Text> {
        let (usable, _, unit, _) = reported(frame).ok_or_else(|| text("菌体量の値がありません", "there is no biomass"))?;
        if unit == "g/L" {
            return Ok(usable);
        }
        Err(text(
            format!(
                "菌体量が g/L で分かりません ({unit} のみ)。OD は g/L ではありません: 係数を系列か培養の fields の dry_weight_per_unit_g_per_l に書くか、乾燥菌体重量を測ってください"
            ),
            format!(
                "biomass is not known in g/L (only in {unit}); OD is no g/L: state dry_weight_per_unit_g_per_l in the further facts of channel or run, or weigh dry cells"
            ),
        ))
    };
    let product = || -> Result<Usable, Text> {
        let (usable, name, unit) = product(frame)?;
        if unit == "g/L" {
            return Ok(usable);
        }
        Err(text(
            format!("{} の単位 {unit} は質量濃度ではありません", name.ja),
            format!("the unit {unit} of {} is no mass concentration", name.en),
        ))
    };
    let seed = frame.culture.seed;
    let on_substrate = |made: Result<Usable, Text>, seed: u64| -> Result<(yields::Yield, Text), Text> {
        let made = made?;
        let line = named(&frame.culture.substrate, "基質", "substrate", "substrate")?;
        volume_known(frame)?;
        let fed_g_per_ml = fed(frame)?;
        // Below detection is nearly nothing beside what was used: half the limit stands in where that is sure.
        let (limited, below, limit) = line.with_limits();
        let substrate = limited.usable(frame.from_h, frame.to_h);
        let small = below > 0 && limit <= LIMIT_SHARE_MAX * used_g_per_l(&substrate);
        let substrate = if small { substrate } else { line.usable(frame.from_h, frame.to_h) };
        let halved = match below {
            n if small => text(
                format!("検出限界未満の基質 {n} 点は限界の半分とした (最大値の {:.0} % 以下)。", LIMIT_SHARE_MAX * 100.0),
                format!(
                    "{n} results of the substrate below detection count as half the limit (which is within {:.0} % of the highest).",
                    LIMIT_SHARE_MAX * 100.0
                ),
            ),
            _ => text("", ""),
        };
        let mut amounts = Amounts::default();
        for t in moments(&substrate, &made) {
            let left = yields::amount(&substrate, &frame.volume, &frame.drawn, t);
            let there = yields::amount(&made, &frame.volume, &frame.drawn, t);
            let (Some(left), Some(there)) = (left, there) else { continue };
            let put_in = match (&frame.feed, fed_g_per_ml) {
                (Some(feed), Some(g)) => {
                    (feed.line.near(t).unwrap_or(0.0) - feed.line.spots.first().map_or(0.0, |s| s.value)) * g
                }
                _ => 0.0,
            };
            amounts.t_h.push(t);
            amounts.first.push(put_in - left);
            amounts.second.push(there);
        }
        let words = joined(&[halved, left_out(&substrate), left_out(&made)]);
        Ok((sloped(&amounts, seed)?, words))
    };
    let xs = on_substrate(biomass(), seed).and_then(|(y, words)| {
        if y.value > YIELD_MAX_G_PER_G {
            let v = y.value;
            return Err(text(
                format!("収支が {v:.2} g/g となり、炭素の上限を超えます。記録にない基質が入っています"),
                format!("the balance would give {v:.2} g/g, more than its carbon allows: substrate enters that is not recorded"),
            ));
        }
        Ok((y, words))
    });
    settle_yield(frame, report, "yield-biomass-substrate", xs, ("菌体", "基質"), ("biomass", "substrate used"));
    let ps = on_substrate(product(), seed ^ 1);
    settle_yield(frame, report, "yield-product-substrate", ps, ("生産物", "基質"), ("product", "substrate used"));
    let px = (|| {
        let (made, cells) = (product()?, biomass()?);
        volume_known(frame)?;
        let mut amounts = Amounts::default();
        for t in moments(&made, &cells) {
            let p = yields::amount(&made, &frame.volume, &frame.drawn, t);
            let x = yields::amount(&cells, &frame.volume, &frame.drawn, t);
            if let (Some(p), Some(x)) = (p, x) {
                amounts.t_h.push(t);
                amounts.first.push(x);
                amounts.second.push(p);
            }
        }
        let words = joined(&[left_out(&made), left_out(&cells)]);
        Ok((sloped(&amounts, seed ^ 2)?, words))
    })();
    settle_yield(frame, report, "yield-product-biomass", px, ("生産物", "菌体"), ("product", "biomass"));
}

/// Highest concentration of the substrate: about what the medium held.
fn used_g_per_l(substrate: &Usable) -> f64 {
    substrate.spots.iter().map(|s| s.value).fold(0.0, f64::max)
}

/// Times at which a yield looks: the sampled line's, or stretches when both are logged.
fn moments(a: &Usable, b: &Usable) -> Vec<f64> {
    let sampled = match (a.is_dense(), b.is_dense()) {
        (true, false) => b,
        _ => a,
    };
    let every = sampled.len().div_ceil(STRETCHES_MAX as usize).max(1);
    sampled.spots.iter().step_by(every).map(|s| s.t_h).collect()
}

fn volume_known(frame: &Frame) -> Result<(), Text> {
    if matches!(frame.volume, Volume::Unknown) {
        return Err(text(
            "流加しているのに液量が分かりません (液量・重量・張込み量のいずれかが要ります)",
            "something was fed, but the volume is not known (volume, weight or start volume is needed)",
        ));
    }
    Ok(())
}

/// Grams of substrate in a mL of feed, when something was fed.
fn fed(frame: &Frame) -> Result<Option<f64>, Text> {
    if !frame.feed.as_ref().is_some_and(|f| f.total_ml > 0.0) {
        return Ok(None);
    }
    let known = frame.culture.feed_substrate_g_per_l.filter(|c| c.is_finite() && *c > 0.0);
    known.map(|c| Some(c / 1000.0)).ok_or_else(|| {
        text(
            "流加液の基質濃度が分かりません (培養の fields の feed_substrate_g_per_l)",
            "the substrate concentration of the feed is not known (`feed_substrate_g_per_l` in the run's further facts)",
        )
    })
}

fn sloped(amounts: &Amounts, seed: u64) -> Result<yields::Yield, Text> {
    let n = amounts.t_h.len();
    let too_few = || {
        let least = yields::TIMES_MIN;
        text(
            format!("両方が分かる時点が {n} しかありません ({least} 以上要ります)"),
            format!("both are known at {n} times only ({least} are needed)"),
        )
    };
    let y = yields::slope(&amounts.t_h, &amounts.first, &amounts.second, seed).ok_or_else(too_few)?;
    if y.value <= 0.0 {
        return Err(text("一方が増えても他方は増えていません", "the one does not rise with the other"));
    }
    Ok(y)
}

fn settle_yield(
    frame: &Frame,
    report: &mut Report,
    code: &str,
    outcome: Result<(yields::Yield, Text), Text>,
    ja: (&str, &str),
    en: (&str, &str),
) {
    let drawn = match (&frame.volume, frame.drawn.len()) {
        (Volume::PerLitre, _) => text("", ""),
        (_, 0) => text("採取した量の記録はなく、数えていない。", "No volumes of samples are recorded, and none are counted."),
        (_, n) => text(format!("試料 {n} 本の採取量を数えた。"), format!("The volumes of {n} samples are counted.")),
    };
    let found = outcome.map(|(y, words)| Found {
        value: y.value,
        interval: y.interval,
        unit: "g/g".into(),
        method: joined(&[
            text(
                format!("総量の収支: {} の総量を消費・生成した{}の総量に回帰した傾き (培養全体のみかけの収率)。", ja.0, ja.1),
                format!("Balance of totals: slope of the total {} over the total {} (apparent, of the whole run).", en.0, en.1),
            ),
            match (y.by_resampling, y.interval.is_some()) {
                (true, _) => text(
                    "区間は時点の再標本化 2,000 回 (種つき)。ポンプの誤差は含まない。",
                    "Interval by 2,000 seeded resamples of the times; errors of pumps are not in it.",
                ),
                (false, true) => text(
                    "区間は回帰の t 分布。ポンプの誤差は含まない。",
                    "Interval by t of the regression; errors of pumps are not in it.",
                ),
                (false, false) => text("時点が 3 つなので区間なし。", "No interval from three times."),
            },
            frame.volume_words.clone(),
            drawn,
            words,
        ]),
        n: y.n,
        from_h: Some(y.from_h),
        to_h: Some(y.to_h),
    });
    report.settle(code, found);
}
