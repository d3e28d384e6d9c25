//! The steps of the standard analysis, from a culture to its quantities.

use super::gas::{self, Breath, Reference};
use super::growth::{self, Basis, Biomass, Window};
use super::line::{Level, Line, Usable, level};
use super::report::{Found, Report, joined};
use super::yields::{self, Volume};
use super::{Analysis, Culture, Growth, Loop, Named, band, resample};
use toji_core::Text;
use toji_core::special::t_quantile_975;

const LN_2: f64 = std::f64::consts::LN_2;
/// Width of the stretches for rates and levels of logged signals, h.
const STRETCH_H: f64 = 1.0 / 6.0;
/// Most stretches of a run.
const STRETCHES_MAX: f64 = 300.0;
/// A detection limit within this share of the highest concentration is nearly nothing.
const LIMIT_SHARE_MAX: f64 = 0.02;
/// More biomass than this from a gram of substrate needs carbon from elsewhere.
const YIELD_MAX_G_PER_G: f64 = 1.2;

fn text(ja: impl Into<String>, en: impl Into<String>) -> Text {
    Text::new(ja, en)
}

/// Everything the steps share.
struct Frame<'a> {
    culture: &'a Culture,
    /// From inoculation (or whatever is first) to the end, h.
    from_h: f64,
    to_h: f64,
    inoculated_h: Option<f64>,
    volume: Volume,
    volume_words: Text,
    feed: Option<Counter>,
    base: Option<Counter>,
    /// Samples: time h, L.
    drawn: Vec<(f64, f64)>,
}

/// A pump's total, with what was lost to resets added back.
struct Counter {
    line: Usable,
    resets: usize,
    total_ml: f64,
}

/// All steps.
pub(super) fn all(culture: &Culture) -> Analysis {
    let mut report = Report::default();
    let frame = frame(culture);
    times(&frame, &mut report);
    let growth = growth(&frame, &mut report);
    levels(&frame, &mut report);
    yields(&frame, &mut report);
    breath(&frame, &mut report);
    totals(&frame, &mut report);
    for (code, of, unit, name) in [
        ("time-in-band-ph", &culture.ph, "", ("pH", "pH")),
        ("time-in-band-temperature", &culture.temperature, " °C", ("温度", "temperature")),
        ("time-in-band-do", &culture.oxygen, " %", ("溶存酸素", "dissolved oxygen")),
    ] {
        report.settle(code, in_band(&frame, of, unit, name));
    }
    report.close(growth)
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite() && v.abs() < 1e10)
}

fn frame(culture: &Culture) -> Frame<'_> {
    let inoculated_h = finite(culture.inoculated_s).map(|s| s / 3600.0);
    let ended_h = finite(culture.ended_s).map(|s| s / 3600.0);
    let from_h = inoculated_h.unwrap_or(f64::NEG_INFINITY);
    let to_h = ended_h.filter(|e| *e > from_h).unwrap_or(f64::INFINITY);
    let usable = |line: &Option<Line>| line.as_ref().map(|l| l.usable(from_h, to_h)).filter(|u| u.len() > 0);
    let counter = |line: &Option<Line>| usable(line).map(|u| continued(&u));
    let (feed, base, acid) = (counter(&culture.feed), counter(&culture.base), counter(&culture.acid));
    let mut drawn: Vec<(f64, f64)> = culture
        .drawn
        .iter()
        .filter(|(t, l)| t.is_finite() && l.is_finite() && *l > 0.0 && *l < 1e6)
        .map(|(t, l)| (t / 3600.0, *l))
        .filter(|(t, _)| (from_h..=to_h).contains(t))
        .collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let litres = |c: &Counter| {
        let mut line = c.line.clone();
        line.spots.iter_mut().for_each(|s| s.value /= 1000.0);
        line
    };
    let start_l = culture.start_l.filter(|v| v.is_finite() && *v > 0.0);
    let fed = feed.as_ref().is_some_and(|f| f.total_ml > 0.0);
    // A weight that does not fit the start volume is tared, or another vessel's.
    let weight = usable(&culture.weight)
        .filter(|w| start_l.is_none_or(|v| w.spots.first().is_some_and(|s| (s.value / v - 1.0).abs() < 0.3)));
    let (volume, volume_words) = if let Some(line) = usable(&culture.volume) {
        (Volume::Measured(line), text("液量は測定値。", "Volume as measured."))
    } else if let Some(weight) = weight {
        let density = culture.feed_density_kg_per_l.filter(|d| (0.5..=2.0).contains(d));
        let volume =
            Volume::Weighed { weight, feed: feed.as_ref().map(litres), feed_extra_kg_per_l: density.unwrap_or(1.0) - 1.0 };
        let words = match density {
            Some(d) => text(
                format!("液量は重量から (培養液 1 kg/L、流加液 {d} kg/L)。"),
                format!("Volume from the weight (broth 1 kg/L, feed {d} kg/L)."),
            ),
            None => text("液量は重量から (すべて 1 kg/L とする)。", "Volume from the weight (everything at 1 kg/L)."),
        };
        (volume, words)
    } else if let Some(start_l) = start_l {
        let added = [&feed, &base, &acid].into_iter().flatten().map(litres).collect();
        let volume = Volume::Summed { start_l, added, drawn: drawn.clone() };
        (volume, text("液量は張込み量と添加量の和。", "Volume from the start volume and what was added."))
    } else if fed {
        (Volume::Unknown, text("液量は不明。", "Volume not known."))
    } else {
        (
            Volume::PerLitre,
            text("流加の記録がないので液量は一定とする。", "No feed is recorded, so the volume counts as constant."),
        )
    };
    Frame { culture, from_h, to_h, inoculated_h, volume, volume_words, feed, base, drawn }
}

/// A counter that falls to near nothing was set back: it goes on from where it was.
fn continued(line: &Usable) -> Counter {
    let mut out = line.clone();
    let (mut offset, mut before, mut resets) = (0.0, f64::NEG_INFINITY, 0);
    for spot in &mut out.spots {
        if before > 0.0 && spot.value < 0.1 * before {
            offset += before;
            resets += 1;
        }
        before = spot.value;
        spot.value += offset;
    }
    let total_ml = out.spots.last().map_or(0.0, |l| l.value) - out.spots.first().map_or(0.0, |f| f.value);
    Counter { line: out, resets, total_ml }
}

fn left_out(u: &Usable) -> Text {
    match (u.censored, u.flagged) {
        (0, 0) => text("", ""),
        (c, f) => text(
            format!("打切り値 {c} 点と印付き {f} 点を除いた。"),
            format!("{c} censored and {f} flagged points were left out."),
        ),
    }
}

fn times(frame: &Frame, report: &mut Report) {
    let culture = frame.culture;
    match frame.inoculated_h {
        Some(at) => report.put(
            "inoculated-at",
            Found {
                value: at,
                interval: None,
                unit: "h".into(),
                method: text("培養の零時刻から植菌まで。", "From the run's zero to the inoculation."),
                n: 1,
                from_h: Some(at),
                to_h: Some(at),
            },
        ),
        None => report.lacks(
            "inoculated-at",
            "植菌の事象がなく、零時刻も植菌ではありません",
            "there is no inoculation event, and the run's zero is not the inoculation",
        ),
    }
    let lines = every_line(culture);
    let known = |h: &f64| h.is_finite();
    let times = || lines.iter().flat_map(|l| &l.points).map(|p| p.t_s / 3600.0).filter(|t| t.is_finite() && t.abs() < 3e6);
    let ends = Some(frame.to_h).filter(known).or_else(|| times().reduce(f64::max));
    let begins = frame.inoculated_h.or_else(|| times().reduce(f64::min));
    let (Some(begins), Some(ends)) = (begins, ends.filter(|e| begins.is_some_and(|b| *e > b))) else {
        return report.lacks("duration", "点がありません", "there are no points");
    };
    let method = match (frame.inoculated_h, culture.ended_s) {
        (Some(_), Some(_)) => text("植菌から終了まで。", "From inoculation to the end."),
        (Some(_), None) => text("植菌から最後の測定点まで。", "From inoculation to the last point."),
        (None, _) => {
            text("最初の測定点から最後まで (植菌時刻は不明)。", "From the first point to the end (inoculation not known).")
        }
    };
    let found = Found {
        value: ends - begins,
        interval: None,
        unit: "h".into(),
        method,
        n: times().count(),
        from_h: Some(begins),
        to_h: Some(ends),
    };
    report.put("duration", found);
}

fn every_line(c: &Culture) -> Vec<&Line> {
    let mut out: Vec<&Line> = c.biomass.iter().map(|b| &b.line).collect();
    for one in [&c.substrate, &c.product] {
        if let Named::Known(line) = one {
            out.push(line);
        }
    }
    out.extend(&c.overflow);
    let options = [
        &c.gas.flow,
        &c.gas.exit_oxygen,
        &c.gas.exit_co2,
        &c.gas.our,
        &c.gas.cer,
        &c.volume,
        &c.weight,
        &c.feed,
        &c.base,
        &c.acid,
        &c.ph.measured,
        &c.temperature.measured,
        &c.oxygen.measured,
    ];
    out.extend(options.into_iter().flatten());
    out
}

/// Growth rate, doubling time, lag and the rate over time.
fn growth(frame: &Frame, report: &mut Report) -> Option<Growth> {
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

/// A level for the report.
struct Height {
    value: f64,
    interval: Option<(f64, f64)>,
    n: usize,
    from_h: f64,
    to_h: f64,
    logged: bool,
}

fn height(l: &Level) -> Height {
    let half = l.error.map(|e| e * t_quantile_975(l.freedom.max(1.0)));
    let interval = half.map(|h| (l.mean - h, l.mean + h));
    Height { value: l.mean, interval, n: l.n, from_h: l.t_h, to_h: l.t_h, logged: true }
}

fn single(s: &super::line::Spot) -> Height {
    let interval = s.sigma.map(|e| (s.value - 1.96 * e, s.value + 1.96 * e));
    Height { value: s.value, interval, n: 1, from_h: s.t_h, to_h: s.t_h, logged: false }
}

fn last(u: &Usable) -> Option<Height> {
    let end = u.spots.last()?;
    if u.is_dense() { level(u.between(end.t_h - STRETCH_H, f64::INFINITY)).map(|l| height(&l)) } else { Some(single(end)) }
}

fn highest(u: &Usable) -> Option<Height> {
    if u.is_dense() {
        let (first, end) = (u.spots.first()?.t_h, u.spots.last()?.t_h);
        let count = ((end - first) / STRETCH_H).floor().clamp(1.0, STRETCHES_MAX);
        let levels = u.bins(first, (end - first) / count, count as usize);
        return levels.iter().filter(|l| l.n >= 3).max_by(|a, b| a.mean.total_cmp(&b.mean)).map(height);
    }
    u.spots.iter().max_by(|a, b| a.value.total_cmp(&b.value)).map(single)
}

fn height_words(h: &Height, name: &Text, ja: &str, en: &str) -> Text {
    let (ja, en) = (format!("{} の{ja}", name.ja), format!("{en} of {}", name.en));
    if h.logged {
        text(
            format!("{ja} (約 10 分の平均。区間は自己相関を数えた t 分布)。"),
            format!("{en} (mean of about 10 min; interval by t, autocorrelation counted)."),
        )
    } else if h.interval.is_some() {
        text(format!("{ja} (試料。区間は分析値の不確かさ)。"), format!("{en} (sample; interval by the stated uncertainty)."))
    } else {
        text(
            format!("{ja} (試料。不確かさの記載がなく区間なし)。"),
            format!("{en} (sample; no uncertainty is stated, hence no interval)."),
        )
    }
}

impl Height {
    fn found(self, unit: &str, method: Text) -> Found {
        let Self { value, interval, n, from_h, to_h, .. } = self;
        Found { value, interval, unit: unit.to_owned(), method, n, from_h: Some(from_h), to_h: Some(to_h) }
    }
}

/// The biomass signal that says most, in g/L where that is known, with words on what it is.
fn reported(frame: &Frame) -> Option<(Usable, Text, String, Text)> {
    let mut signals: Vec<&Biomass> = frame.culture.biomass.iter().collect();
    let factor = |b: &Biomass| b.g_per_l.filter(|f| f.is_finite() && *f > 0.0);
    let rank = |b: &Biomass| (b.basis != Basis::DryWeight, factor(b).is_none(), b.basis);
    signals.sort_by(|a, b| (rank(a), &a.line.name.en, a.line.points.len()).cmp(&(rank(b), &b.line.name.en, b.line.points.len())));
    signals.into_iter().find_map(|b| {
        let mut usable = b.line.usable(frame.from_h, frame.to_h);
        if usable.len() == 0 {
            return None;
        }
        let name = b.line.name.clone();
        let (unit, words) = match (b.basis, factor(b)) {
            (Basis::DryWeight, _) => ("g/L".to_owned(), text("", "")),
            (_, Some(factor)) => {
                for spot in &mut usable.spots {
                    spot.value *= factor;
                    spot.sigma = spot.sigma.map(|s| s * factor);
                }
                let words = text(
                    format!("記載の換算係数 {factor} g/L を掛けた (係数の不確かさは含まない)。"),
                    format!("Times the stated factor {factor} g/L (its own uncertainty not counted)."),
                );
                ("g/L".to_owned(), words)
            }
            (_, None) => {
                let unit = b.line.unit.clone();
                let words = text(
                    "乾燥菌体への換算係数の記載がないため、もとの単位のまま。",
                    "In its own unit, since no factor to dry mass is stated.",
                );
                (unit, words)
            }
        };
        let words = joined(&[words, left_out(&usable)]);
        Some((usable, name, unit, words))
    })
}

fn levels(frame: &Frame, report: &mut Report) {
    match reported(frame) {
        None => {
            for code in ["biomass-final", "biomass-max"] {
                report.lacks(code, "菌体量の系列も分析値もありません", "there is no biomass signal or result");
            }
        }
        Some((usable, name, unit, words)) => {
            for (code, of, ja, en) in [
                ("biomass-final", last(&usable), "終了時の値", "Last level"),
                ("biomass-max", highest(&usable), "最大値", "Highest level"),
            ] {
                match of {
                    Some(h) => {
                        let method = joined(&[height_words(&h, &name, ja, en), words.clone()]);
                        report.put(code, h.found(&unit, method));
                    }
                    None => report.lacks(code, "点が足りません", "there are too few points"),
                }
            }
        }
    }
    titre(frame, report);
    report.settle("overflow-max", overflow(frame));
}

fn named<'a>(named: &'a Named, ja: &str, en: &str, field: &str) -> Result<&'a Line, Text> {
    match named {
        Named::Known(line) => Ok(line),
        Named::Missing => Err(text(format!("{ja}の分析値がありません"), format!("there is no result of a {en}"))),
        Named::Ambiguous(names) => Err(text(
            format!("{ja}の候補が複数あります ({})。培養の fields の {field} に書いてください", names.join("、")),
            format!("several could be the {en} ({}): state `{field}` in the run's further facts", names.join(", ")),
        )),
    }
}

fn product(frame: &Frame) -> Result<(Usable, Text, String), Text> {
    let line = named(&frame.culture.product, "生産物", "product", "product")?;
    let usable = line.usable(frame.from_h, frame.to_h);
    if usable.len() == 0 {
        let (c, f) = (usable.censored, usable.flagged);
        return Err(text(
            format!("{} の使える値がありません (打切り {c}、印付き {f})", line.name.ja),
            format!("{} has no usable value ({c} censored, {f} flagged)", line.name.en),
        ));
    }
    Ok((usable, line.name.clone(), line.unit.clone()))
}

fn titre(frame: &Frame, report: &mut Report) {
    let (usable, name, unit) = match product(frame) {
        Ok(found) => found,
        Err(why) => {
            report.settle("titre-final", Err(why.clone()));
            return report.settle("productivity", Err(why));
        }
    };
    let Some(h) = last(&usable) else {
        for code in ["titre-final", "productivity"] {
            report.lacks(code, "点が足りません", "there are too few points");
        }
        return;
    };
    let method = joined(&[height_words(&h, &name, "終了時の値", "Last level"), left_out(&usable)]);
    let (value, interval, at, n) = (h.value, h.interval, h.to_h, h.n);
    report.put("titre-final", h.found(&unit, method));
    let made = match frame.inoculated_h {
        None => Err(text("植菌時刻が分かりません", "the time of inoculation is not known")),
        Some(from) if at - from <= 0.0 => Err(text("植菌後の値がありません", "there is no value after the inoculation")),
        Some(_) if unit != "g/L" => Err(text(
            format!("力価の単位 {unit} は質量濃度ではありません"),
            format!("the titre's unit {unit} is not a mass concentration"),
        )),
        Some(from) => Ok(Found {
            value: value / (at - from),
            interval: interval.map(|(l, h)| (l / (at - from), h / (at - from))),
            unit: "g/L/h".into(),
            method: text(
                format!("終了時の {} ÷ 植菌からの時間。区間は力価のものから。", name.ja),
                format!("{} at the end over the time since inoculation; interval from that of the titre.", name.en),
            ),
            n,
            from_h: Some(from),
            to_h: Some(at),
        }),
    };
    report.settle("productivity", made);
}

fn overflow(frame: &Frame) -> Result<Found, Text> {
    let mut lines: Vec<&Line> = frame.culture.overflow.iter().collect();
    lines.sort_by(|a, b| a.name.en.cmp(&b.name.en));
    if lines.is_empty() {
        return Err(text(
            "副生物 (酢酸・エタノール・乳酸) の値がありません",
            "there is no value of an overflow metabolite (acetate, ethanol, lactate)",
        ));
    }
    let mut best: Option<(Height, &Text, Text)> = None;
    let (mut censored, mut flagged) = (0, 0);
    for line in lines {
        let usable = line.usable(frame.from_h, frame.to_h);
        censored += usable.censored;
        flagged += usable.flagged;
        let Some(h) = highest(&usable) else { continue };
        if best.as_ref().is_none_or(|(b, ..)| h.value > b.value) {
            best = Some((h, &line.name, left_out(&usable)));
        }
    }
    let (h, name, words) = best.ok_or_else(|| {
        text(
            format!("副生物の値がすべて打切りか印付きです (打切り {censored}、印付き {flagged})"),
            format!("every value of an overflow metabolite is censored or flagged ({censored} and {flagged})"),
        )
    })?;
    let method = joined(&[height_words(&h, name, "最大値", "Highest level"), words]);
    Ok(h.found("g/L", method))
}

/// Amounts at the times where all of them are known, in grams.
#[derive(Default)]
struct Amounts {
    t_h: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

fn yields(frame: &Frame, report: &mut Report) {
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

/// Gas exchange.
fn breath(frame: &Frame, report: &mut Report) {
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

fn totals(frame: &Frame, report: &mut Report) {
    for (code, counter, ja, en) in
        [("feed-total", &frame.feed, "流加", "feed"), ("base-total", &frame.base, "アルカリ添加", "base")]
    {
        let Some(counter) = counter else {
            report.lacks(code, format!("{ja}の積算がありません"), format!("there is no total of {en}"));
            continue;
        };
        let resets = match counter.resets {
            0 => text("", ""),
            n => text(
                format!("積算計が {n} 回戻ったので足し合わせた。"),
                format!("The counter was set back {n} times; the parts are added."),
            ),
        };
        let method = joined(&[
            text(
                format!("{ja}積算の終わり − 始め (ポンプの指示)。"),
                format!("Last less first total of {en}, as the pump counts."),
            ),
            resets,
            left_out(&counter.line),
        ]);
        let spots = &counter.line.spots;
        let found = Found {
            value: counter.total_ml,
            interval: None,
            unit: "mL".into(),
            method,
            n: spots.len(),
            from_h: spots.first().map(|s| s.t_h),
            to_h: spots.last().map(|s| s.t_h),
        };
        report.put(code, found);
    }
}

/// The longest stretch outside the band, s.
pub(super) fn longest_outside(culture: &Culture, of: &Loop) -> Option<(f64, f64)> {
    let frame = frame(culture);
    let measured = of.measured.as_ref()?.usable(frame.from_h, frame.to_h);
    let wanted = of.wanted.as_ref()?.usable(f64::NEG_INFINITY, frame.to_h);
    let (from, to) = band::held(&measured, &wanted, of.band)?.worst_h?;
    Some((from * 3600.0, to * 3600.0))
}

fn in_band(frame: &Frame, of: &Loop, unit: &str, name: (&str, &str)) -> Result<Found, Text> {
    let usable = |line: &Option<Line>, from: f64| line.as_ref().map(|l| l.usable(from, frame.to_h)).filter(|u| u.len() > 0);
    let measured = usable(&of.measured, frame.from_h)
        .ok_or_else(|| text(format!("{}の測定値がありません", name.0), format!("there is no measured {}", name.1)))?;
    // A set-point from before the inoculation still stands.
    let wanted = usable(&of.wanted, f64::NEG_INFINITY)
        .ok_or_else(|| text(format!("{}の設定値がありません", name.0), format!("there is no set-point of {}", name.1)))?;
    let held = band::held(&measured, &wanted, of.band)
        .ok_or_else(|| text("設定値のある時間の点が足りません", "too few points lie where a set-point is known"))?;
    let b = of.band;
    Ok(Found {
        value: held.share * 100.0,
        interval: None,
        unit: "%".into(),
        method: joined(&[
            text(
                format!("{}が設定値 ±{b}{unit} にあった時間の割合 (全数なので区間なし。欠測の間は数えない)。", name.0),
                format!(
                    "Share of the time with {} within ±{b}{unit} of its set-point (all of it, hence no interval; gaps are not counted).",
                    name.1
                ),
            ),
            left_out(&measured),
        ]),
        n: held.n,
        from_h: Some(held.from_h),
        to_h: Some(held.to_h),
    })
}
