//! Growth rate, doubling time and lag.

use super::{Frame, LN_2, left_out, text};
use crate::rates::Growth;
use crate::rates::growth::{self, Basis, Biomass, Window};
use crate::rates::line::Usable;
use crate::rates::report::{Found, Report, joined};
use crate::rates::yields::Volume;
use toji_core::Text;

/// Growth rate, doubling time, lag and the rate over time.
pub(super) fn growth(frame: &Frame, report: &mut Report) -> Option<Growth> {
    let codes = ["growth-rate-max", "doubling-time", "lag-time"];
    let known = !matches!(frame.volume, Volume::Unknown);
    let volume = |t: f64| if known { frame.volume.at(t) } else { Some(1.0) };
    let mut signals: Vec<&Biomass> = frame.culture.biomass.iter().collect();
    signals.sort_by(|a, b| (a.basis, &a.line.name.en, a.line.points.len()).cmp(&(b.basis, &b.line.name.en, b.line.points.len())));
    let tried: Vec<(&Biomass, Usable, growth::Logarithm)> = signals
        .into_iter()
        .map(|b| {
            let usable = b.line.usable(frame.from_h, frame.to_h);
            let log = growth::logarithm(&usable, volume);
            (b, usable, log)
        })
        .filter(|(.., log)| !log.y.is_empty())
        .collect();
    if tried.is_empty() {
        for code in codes {
            report.lacks(code, "菌体量の系列も分析値もありません", "there is no biomass signal or result");
        }
        return None;
    }
    // Mass, counts and turbidity first; scattered light and capacitance only where those give nothing.
    let direct = |b: &Biomass| matches!(b.basis, Basis::DryWeight | Basis::CellDensity | Basis::OpticalDensity);
    let best = [true, false].into_iter().find_map(|wanted| {
        let windows = tried.iter().filter(|(b, ..)| direct(b) == wanted).filter_map(|t| Some((t, t.2.window()?)));
        let width = |w: &Window| w.fit.half_width() / w.fit.slope;
        windows.min_by(|(_, a), (_, b)| width(a).total_cmp(&width(b)))
    });
    let shown = best.as_ref().map_or_else(|| tried.first(), |(t, _)| Some(*t));
    let curve = shown.map(|(.., log)| {
        let (t_s, rate_per_h) = log.rate().into_iter().map(|(t, r)| (t * 3600.0, r)).unzip();
        Growth { t_s, rate_per_h }
    });
    let Some(((signal, usable, log), window)) = best else {
        for code in codes {
            report.lacks(
                code,
                "菌体量が 2 倍以上に直線的 (対数軸、R² ≥ 0.95) に増える区間がありません",
                "in no stretch does the biomass at least double on a straight line (log axis, R² ≥ 0.95)",
            );
        }
        return curve;
    };
    let method = growth_words(signal, usable, log, &window, known, &frame.volume_words);
    let (slope, half) = (window.fit.slope, window.fit.half_width());
    let found = |value: f64, interval: (f64, f64), unit: &str, method: Text| Found {
        value,
        interval: Some(interval),
        unit: unit.into(),
        method,
        n: window.fit.n,
        from_h: Some(window.from_h),
        to_h: Some(window.to_h),
    };
    report.put("growth-rate-max", found(slope, (slope - half, slope + half), "/h", method));
    let doubling = text("ln 2 ÷ 最大比増殖速度。区間も同じ変換。", "ln 2 over the largest growth rate; the interval likewise.");
    report.put("doubling-time", found(LN_2 / slope, (LN_2 / (slope + half), LN_2 / (slope - half)), "h", doubling));
    report.settle("lag-time", lag(frame, &window, usable, volume));
    curve
}

fn growth_words(b: &Biomass, u: &Usable, log: &growth::Logarithm, w: &Window, volume: bool, volume_words: &Text) -> Text {
    let name = &b.line.name;
    let signal = if volume { text(format!("{} × 液量", name.ja), format!("{} × volume", name.en)) } else { name.clone() };
    let averaged = log.averaged_h.map_or_else(
        || text("", ""),
        |h| {
            let minutes = h * 60.0;
            text(format!("{minutes:.1} 分ごとに平均した。"), format!("Averaged over {minutes:.1} min."))
        },
    );
    let weighted = if w.weighted {
        text("各点の不確かさで重み付けした。", "Weighted by the stated uncertainties.")
    } else {
        text("", "")
    };
    let background = if b.basis == Basis::Backscatter {
        text(
            "背景は差し引いていない (背景があると小さく出る)。",
            "No background was subtracted; one would make the rate too small.",
        )
    } else {
        text("", "")
    };
    let not_positive = match log.not_positive {
        0 => text("", ""),
        n => text(format!("正でない値 {n} 点を除いた。"), format!("{n} values that are not positive were left out.")),
    };
    let diluted = if volume {
        volume_words.clone()
    } else {
        text(
            "液量が不明なため、流加による希釈は補正していない。",
            "Dilution by feed is not counted, since the volume is not known.",
        )
    };
    joined(&[
        text(
            format!(
                "ln({}) の時間に対する直線回帰。2 倍以上に増え R² ≥ 0.95 の区間のうち、傾き − 6 標準誤差が最大のもの。",
                signal.ja
            ),
            format!(
                "Line through ln({}) over time, in the stretch with at least one doubling and R² ≥ 0.95 whose slope less six standard errors is highest.",
                signal.en
            ),
        ),
        text(
            "区間は t 分布 (n−2)、通常の標準誤差と自己相関を許すもの (Newey–West 1987) の大きい方。",
            "Interval by Student's t (n−2) with the larger of the ordinary standard error and the one that allows for autocorrelation (Newey and West 1987).",
        ),
        averaged,
        weighted,
        background,
        diluted,
        left_out(u),
        not_positive,
    ])
}

fn lag(frame: &Frame, window: &Window, usable: &Usable, volume: impl Fn(f64) -> Option<f64>) -> Result<Found, Text> {
    let inoculated = frame.inoculated_h.ok_or_else(|| text("植菌時刻が分かりません", "the time of inoculation is not known"))?;
    let lag = growth::lag(window, usable, volume, inoculated).ok_or_else(|| {
        text("植菌から 30 分以内の菌体量がありません", "there is no biomass within 30 minutes of the inoculation")
    })?;
    Ok(Found {
        value: lag.lag_h,
        interval: Some((lag.lag_h - lag.half_h, lag.lag_h + lag.half_h)),
        unit: "h".into(),
        method: text(
            "接線法: 最大増殖区間の回帰直線が植菌直後の水準と交わる時刻 (Zwietering ほか 1990)。誤差伝播による区間。負の値は誘導期なしを意味する。",
            "Tangent method: where the line of fastest growth meets the level right after inoculation (Zwietering and co-workers 1990). Interval by propagation of errors; a negative value means no lag.",
        ),
        n: window.fit.n + lag.first,
        from_h: Some(inoculated),
        to_h: Some(window.to_h),
    })
}
