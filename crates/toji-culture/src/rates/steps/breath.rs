//! Gas exchange.

use super::heights::{height_words, highest};
use super::{Frame, STRETCH_H, STRETCHES_MAX, left_out, text};
use crate::rates::gas::{self, Breath, Reference};
use crate::rates::line::Line;
use crate::rates::report::{Found, Report, joined};
use crate::rates::resample;
use crate::rates::yields::Volume;
use toji_core::Text;
use toji_core::special::t_quantile_975;

/// Gas exchange.
pub(super) fn breath(frame: &Frame, report: &mut Report) {
    let codes = ["oxygen-uptake-max", "carbon-evolution-max", "respiratory-quotient"];
    let gas = &frame.culture.gas;
    match balance(frame) {
        Ok((breaths, words, spread)) => {
            let our: fn(&Breath) -> (f64, f64) = |b| (b.our, b.our_error);
            let cer: fn(&Breath) -> (f64, f64) = |b| (b.cer, b.cer_error);
            for (code, rate) in [("oxygen-uptake-max", our), ("carbon-evolution-max", cer)] {
                report.settle(code, peak(&breaths, rate, spread, &words));
            }
            report.settle("respiratory-quotient", quotient(&breaths, &words, frame.culture.seed ^ 3));
        }
        Err(why) => {
            // The source's own rates stand in, as what they are.
            for (code, line) in codes.iter().zip([&gas.our, &gas.cer]) {
                let calculated = line.as_ref().map(|l| (l, l.usable(frame.from_h, frame.to_h)));
                let found = calculated.and_then(|(l, u)| Some((l, highest(&u)?, left_out(&u)))).map(|(l, h, words)| {
                    let method = joined(&[
                        text("取込元が計算した値。", "As the source itself calculates it."),
                        height_words(&h, &l.name, "最大値", "Highest level"),
                        words,
                    ]);
                    h.found("mmol/L/h", method)
                });
                report.settle(code, found.ok_or_else(|| why.clone()));
            }
            report.settle("respiratory-quotient", Err(why));
        }
    }
}

type Balanced = (Vec<Breath>, Text, f64);

/// Rates over the run, words on how, and by how much the flow may be less than counted.
fn balance(frame: &Frame) -> Result<Balanced, Text> {
    let gas = &frame.culture.gas;
    let usable = |line: &Option<Line>| line.as_ref().map(|l| l.usable(frame.from_h, frame.to_h)).filter(|u| u.len() > 0);
    let (Some(exit_oxygen), Some(exit_co2)) = (usable(&gas.exit_oxygen), usable(&gas.exit_co2)) else {
        return Err(text("排ガスの O2 と CO2 がそろっていません", "exit gas O2 and CO2 are not both there"));
    };
    let flow = usable(&gas.flow).ok_or_else(|| text("通気量がありません", "there is no gas flow"))?;
    let (inlet_oxygen, inlet_co2) = (usable(&gas.inlet_oxygen), usable(&gas.inlet_co2));
    if gas.mixed && inlet_oxygen.is_none() {
        return Err(text(
            "空気以外のガスも入っていますが、入口の組成が記録されていません",
            "other gas than air flows in, but the composition of the inlet is not recorded",
        ));
    }
    if matches!(frame.volume, Volume::Unknown | Volume::PerLitre) {
        return Err(text(
            "液量が分かりません (重量または張込み量が要ります)",
            "the volume is not known (weight or start volume is needed)",
        ));
    }
    // A litre at T holds 273.15/T of a litre at 0 °C. Where nobody says T, 0 °C is taken and the interval reaches to 25 °C.
    let (scale, spread, reference) = match gas.reference {
        Reference::Stated(c) if (-20.0..=60.0).contains(&c) => {
            (273.15 / (c + 273.15), 1.0, text(format!("通気量の基準は {c} °C。"), format!("Flow counted at {c} °C.")))
        }
        _ => (
            1.0,
            273.15 / 298.15,
            text(
                "通気量の基準温度の記載がないため 0 °C とし、25 °C の場合まで区間に含めた。",
                "The source states no reference of the flow: 0 °C is taken, and the interval reaches to what 25 °C would give.",
            ),
        ),
    };
    let inlet = match (&inlet_oxygen, &inlet_co2) {
        (Some(_), Some(_)) => text("入口の組成は記録どおり。", "Inlet as recorded."),
        (Some(_), None) => text("入口の O2 は記録どおり、CO2 は 0.042 %。", "Inlet oxygen as recorded, carbon dioxide 0.042 %."),
        _ => text("入口は乾燥空気 (O2 20.95 %、CO2 0.042 %) とした。", "Inlet taken as dry air (O2 20.95 %, CO2 0.042 %)."),
    };
    let words = joined(&[
        text(
            "不活性ガス収支 (乾燥ガス)。10 分以上の平均ごと。",
            "Inert-gas balance of dry gas (Heinzle and Dunn 1991), over stretches of ten minutes or more.",
        ),
        inlet,
        reference,
        frame.volume_words.clone(),
        left_out(&exit_oxygen),
    ]);
    let begins = exit_oxygen.spots.first().map_or(0.0, |s| s.t_h);
    let ends = exit_oxygen.spots.last().map_or(0.0, |s| s.t_h);
    let step = exit_oxygen.step_h().unwrap_or(STRETCH_H);
    let width = STRETCH_H.max((ends - begins) / STRETCHES_MAX).max(step);
    let count = ((ends - begins) / width).floor().clamp(1.0, STRETCHES_MAX) as usize;
    let lines = gas::Lines { flow, inlet_oxygen, inlet_co2, exit_oxygen, exit_co2 };
    let breaths = gas::breaths(&lines, scale, begins, width, count, |t| frame.volume.at(t));
    if breaths.is_empty() {
        return Err(text("同じ時刻にそろったガスの値がありません", "flow and exit gas are never known at the same time"));
    }
    Ok((breaths, words, spread))
}

fn peak(breaths: &[Breath], rate: fn(&Breath) -> (f64, f64), spread: f64, words: &Text) -> Result<Found, Text> {
    let top = breaths.iter().max_by(|a, b| rate(a).0.total_cmp(&rate(b).0));
    let top = top.filter(|b| rate(b).0 > 0.0).ok_or_else(|| text("正の速度がありません", "no rate is above zero"))?;
    let (value, error) = rate(top);
    let half = error * t_quantile_975(top.freedom.max(1.0));
    let interval = (top.freedom > 0.0).then_some(((value - half) * spread, value + half));
    Ok(Found {
        value,
        interval,
        unit: "mmol/L/h".into(),
        method: joined(&[
            words.clone(),
            text(
                "最大の平均。区間は排ガス値のばらつきから (分析計の校正誤差は含まない)。",
                "The highest mean; interval by the scatter of the exit gas (calibration of the analyser not counted).",
            ),
        ]),
        n: breaths.len(),
        from_h: Some(top.t_h - 0.5 * top.width_h),
        to_h: Some(top.t_h + 0.5 * top.width_h),
    })
}

fn quotient(breaths: &[Breath], words: &Text, seed: u64) -> Result<Found, Text> {
    let n = breaths.len();
    let ratio = |chosen: &mut dyn Iterator<Item = &Breath>| -> Option<f64> {
        let (o, c) =
            chosen.fold((0.0, 0.0), |(o, c), b| (o + b.our * b.volume_l * b.width_h, c + b.cer * b.volume_l * b.width_h));
        (o > 0.0).then_some(c / o)
    };
    let mean = breaths.iter().map(|b| b.our).sum::<f64>() / n as f64;
    let noise = (breaths.iter().map(|b| b.our_error * b.our_error).sum::<f64>()).sqrt() / n as f64;
    // An uptake that hides in the noise, or in a fifth of a mmol/(L·h), makes a quotient of nothing.
    if mean <= (3.0 * noise).max(0.2) {
        return Err(text("酸素消費が小さく、比になりません", "the uptake of oxygen is too small for a quotient"));
    }
    let value = ratio(&mut breaths.iter()).ok_or_else(|| text("酸素消費がありません", "no oxygen was taken up"))?;
    let block = (n as f64).cbrt().ceil() as usize;
    let interval = (n >= 6)
        .then(|| resample::interval(n, block, seed, |chosen| ratio(&mut chosen.iter().filter_map(|i| breaths.get(*i)))))
        .flatten();
    Ok(Found {
        value,
        interval,
        unit: "1".into(),
        method: joined(&[
            words.clone(),
            text(
                "全期間の CO2 発生量 ÷ O2 消費量。区間は隣り合う時間を束ねた再標本化 2,000 回 (Künsch 1989、種つき)。",
                "All carbon dioxide given off over all oxygen taken up; interval by 2,000 seeded resamples of blocks of neighbours (Künsch 1989).",
            ),
        ]),
        n,
        from_h: breaths.first().map(|b| b.t_h - 0.5 * b.width_h),
        to_h: breaths.last().map(|b| b.t_h + 0.5 * b.width_h),
    })
}
