//! Levels: biomass, titre, overflow metabolite, and the productivity that follows.

use super::{Frame, STRETCH_H, STRETCHES_MAX, left_out, text};
use crate::rates::Named;
use crate::rates::growth::{Basis, Biomass};
use crate::rates::line::{Level, Line, Spot, Usable, level};
use crate::rates::report::{Found, Report, joined};
use toji_core::Text;
use toji_core::special::t_quantile_975;

/// A level for the report.
pub(super) struct Height {
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

fn single(s: &Spot) -> Height {
    let interval = s.sigma.map(|e| (s.value - 1.96 * e, s.value + 1.96 * e));
    Height { value: s.value, interval, n: 1, from_h: s.t_h, to_h: s.t_h, logged: false }
}

fn last(u: &Usable) -> Option<Height> {
    let end = u.spots.last()?;
    if u.is_dense() { level(u.between(end.t_h - STRETCH_H, f64::INFINITY)).map(|l| height(&l)) } else { Some(single(end)) }
}

pub(super) fn highest(u: &Usable) -> Option<Height> {
    if u.is_dense() {
        let (first, end) = (u.spots.first()?.t_h, u.spots.last()?.t_h);
        let count = ((end - first) / STRETCH_H).floor().clamp(1.0, STRETCHES_MAX);
        let levels = u.bins(first, (end - first) / count, count as usize);
        return levels.iter().filter(|l| l.n >= 3).max_by(|a, b| a.mean.total_cmp(&b.mean)).map(height);
    }
    u.spots.iter().max_by(|a, b| a.value.total_cmp(&b.value)).map(single)
}

pub(super) fn height_words(h: &Height, name: &Text, ja: &str, en: &str) -> Text {
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
    pub(super) fn found(self, unit: &str, method: Text) -> Found {
        let Self { value, interval, n, from_h, to_h, .. } = self;
        Found { value, interval, unit: unit.to_owned(), method, n, from_h: Some(from_h), to_h: Some(to_h) }
    }
}

/// The biomass signal that says most, in g/L where that is known, with words on what it is.
pub(super) fn reported(frame: &Frame) -> Option<(Usable, Text, String, Text)> {
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

pub(super) fn levels(frame: &Frame, report: &mut Report) {
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

pub(super) fn named<'a>(named: &'a Named, ja: &str, en: &str, field: &str) -> Result<&'a Line, Text> {
    match named {
        Named::Known(line) => Ok(line),
        Named::Missing => Err(text(format!("{ja}の分析値がありません"), format!("there is no result of a {en}"))),
        Named::Ambiguous(names) => Err(text(
            format!("{ja}の候補が複数あります ({})。培養の fields の {field} に書いてください", names.join("、")),
            format!("several could be the {en} ({}): state `{field}` in the run's further facts", names.join(", ")),
        )),
    }
}

pub(super) fn product(frame: &Frame) -> Result<(Usable, Text, String), Text> {
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
