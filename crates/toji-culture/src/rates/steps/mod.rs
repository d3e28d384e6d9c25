//! The steps of the standard analysis, from a culture to its quantities.

mod balances;
mod breath;
mod grown;
mod heights;

use super::line::{Line, Usable};
use super::report::{Found, Report, joined};
use super::yields::Volume;
use super::{Analysis, Culture, Loop, Named, band};
use balances::yields;
use breath::breath;
use grown::growth;
use heights::levels;
use toji_core::Text;

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
