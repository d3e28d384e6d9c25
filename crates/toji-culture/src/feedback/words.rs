//! The sentences of the feedback: what was seen, what it means, what to try.

use super::facts::{Facts, OXYGEN_LOW_PERCENT};
use super::{Compared, Point, Verdict};
use crate::rates::Quantity;
use toji_core::{Text, Unit};

/// Feed starts this close to the rise of oxygen are on time, min before and after.
const EARLY_MIN: f64 = 10.0;
const LATE_MIN: f64 = 15.0;
/// Overflow product that cells bear well, and from which growth suffers, g/L (acetate: Luli and Strohl, Appl.
/// Environ. Microbiol. 56:1004, 1990).
const OVERFLOW_LOW: f64 = 1.0;
const OVERFLOW_HIGH: f64 = 3.0;

/// Elapsed time for people: `8 時間 20 分`, `8 h 20 min`.
fn at(s: f64) -> Text {
    let minutes = (s / 60.0).round();
    let (h, m) = ((minutes / 60.0).trunc(), (minutes % 60.0).abs());
    Text::new(format!("{h:.0} 時間 {m:.0} 分"), format!("{h:.0} h {m:.0} min"))
}

fn point(topic: &str, verdict: Verdict, ja: String, en: String) -> Point {
    let message = Text::new(ja, en);
    let none = None;
    Point { topic: topic.to_owned(), verdict, message, value: none, unit: None, low: None, high: None, from_s: None, to_s: None }
}

/// When the feed began, beside the moment when the substrate ran out.
pub(super) fn feed_start(own: &Facts) -> Option<Point> {
    let (feed, empty) = (own.feed_start_s?, own.depletion_s);
    let when = at(feed);
    let Some(empty) = empty else {
        let p = point(
            "feed-start",
            Verdict::Watch,
            format!(
                "流加は {} に始まりました。その前後に DO の急な上昇 (基質の枯渇) は見えません。残糖を測って、枯渇を待てたか確かめましょう。",
                when.ja
            ),
            format!(
                "The feed began at {}. No steep rise of dissolved oxygen (the substrate running out) is seen: measure what is left of the substrate to see whether it was waited for.",
                when.en
            ),
        );
        return Some(Point { from_s: Some(feed), ..p });
    };
    let late_min = (feed - empty) / 60.0;
    let size = late_min.abs().round();
    let rise = at(empty);
    let p = if late_min < -EARLY_MIN {
        point(
            "feed-start",
            Verdict::Improve,
            format!(
                "流加は {} に、DO の上昇 ({}) より {size:.0} 分早く始まりました。糖が残るうちに流加すると副生物が増えます。次は DO の上昇を待ってみましょう。",
                when.ja, rise.ja
            ),
            format!(
                "The feed began at {}, {size:.0} min before dissolved oxygen rose ({}). Feeding on left-over sugar makes overflow metabolites: next time wait for the rise.",
                when.en, rise.en
            ),
        )
    } else if late_min > LATE_MIN {
        point(
            "feed-start",
            Verdict::Improve,
            format!(
                "DO は {} に上がりましたが、流加は {size:.0} 分後の {} でした。その間、菌は飢えています。上昇を見たら {LATE_MIN:.0} 分以内に始めましょう。",
                rise.ja, when.ja
            ),
            format!(
                "Dissolved oxygen rose at {}, but the feed began {size:.0} min later, at {}. The cells starved meanwhile: start within {LATE_MIN:.0} min of the rise.",
                rise.en, when.en
            ),
        )
    } else {
        point(
            "feed-start",
            Verdict::Good,
            format!("流加は {} に、DO の上昇 ({}) とほぼ同時に始まりました。よい見極めです。", when.ja, rise.ja),
            format!("The feed began at {}, right by the rise of dissolved oxygen ({}). Well judged.", when.en, rise.en),
        )
    };
    Some(Point {
        value: Some(late_min),
        unit: Some("min".into()),
        from_s: Some(feed.min(empty)),
        to_s: Some(feed.max(empty)),
        ..p
    })
}

fn with(p: Point, q: &Quantity) -> Point {
    Point { value: Some(q.value), unit: Some(q.unit.clone()), low: q.low, high: q.high, from_s: q.from_s, to_s: q.to_s, ..p }
}

/// Overflow metabolite.
pub(super) fn overflow(q: &Quantity, class: Option<&Compared>) -> Point {
    let v = q.value;
    let when = at(q.from_s.unwrap_or(0.0));
    let beside = class.map_or_else(
        || Text::new("", ""),
        |c| Text::new(format!(" (クラスの中央値 {:.2} g/L)", c.median), format!(" (median of the class {:.2} g/L)", c.median)),
    );
    let p = if v <= OVERFLOW_LOW {
        point(
            "overflow",
            Verdict::Good,
            format!("副生物は最大 {v:.2} g/L{} に抑えられました。", beside.ja),
            format!("The overflow metabolite stayed at {v:.2} g/L or below{}.", beside.en),
        )
    } else {
        let verdict = if v > OVERFLOW_HIGH { Verdict::Improve } else { Verdict::Watch };
        point(
            "overflow",
            verdict,
            format!(
                "副生物が {} に {v:.2} g/L{} に達しました。{OVERFLOW_LOW:.0} g/L を超えると増殖が鈍ります。流加速度を下げるか、酸素供給を増やしましょう。",
                when.ja, beside.ja
            ),
            format!(
                "The overflow metabolite reached {v:.2} g/L at {}{}. Above {OVERFLOW_LOW:.0} g/L growth slows: feed more slowly, or supply more oxygen.",
                when.en, beside.en
            ),
        )
    };
    with(p, q)
}

/// How a loop held.
pub(super) fn held(topic: &str, q: &Quantity, worst: Option<(f64, f64)>) -> Point {
    let (ja, en) = if topic == "loop-ph" { ("pH", "pH") } else { ("温度", "the temperature") };
    let share = q.value;
    let verdict = if share >= 95.0 {
        Verdict::Good
    } else if share >= 80.0 {
        Verdict::Watch
    } else {
        Verdict::Improve
    };
    let away = worst.filter(|_| verdict != Verdict::Good).map_or_else(
        || Text::new("", ""),
        |(from, to)| {
            let (a, minutes) = (at(from), (to - from) / 60.0);
            Text::new(
                format!(" 最も長く外れたのは {} から {minutes:.0} 分間です。その前後の添加・設定・センサーを確かめましょう。", a.ja),
                format!(" The longest stretch outside began at {} and lasted {minutes:.0} min: look at additions, settings and probe around it.", a.en),
            )
        },
    );
    let p = point(
        topic,
        verdict,
        format!("{ja}は時間の {share:.0} % で設定幅に収まりました。{}", away.ja),
        format!("For {share:.0} % of the time {en} stayed in its band.{}", away.en),
    );
    let p = with(p, q);
    match worst.filter(|_| verdict != Verdict::Good) {
        Some((from, to)) => Point { from_s: Some(from), to_s: Some(to), ..p },
        None => p,
    }
}

/// Was oxygen short?
pub(super) fn oxygen(own: &Facts) -> Option<Point> {
    if !own.oxygen_seen {
        return None;
    }
    let minutes: f64 = own.oxygen_low.iter().map(|(a, b)| (b - a) / 60.0).sum();
    let longest = own.oxygen_low.iter().copied().max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let Some((from, to)) = longest.filter(|_| minutes >= 5.0) else {
        let p = point(
            "oxygen",
            Verdict::Good,
            format!("DO は {OXYGEN_LOW_PERCENT:.0} % を割らず、酸素は足りていました。"),
            format!("Dissolved oxygen did not stay below {OXYGEN_LOW_PERCENT:.0} %: there was enough."),
        );
        return Some(Point { value: Some(minutes), unit: Some("min".into()), ..p });
    };
    let a = at(from);
    let verdict = if minutes > 30.0 { Verdict::Improve } else { Verdict::Watch };
    let p = point(
        "oxygen",
        verdict,
        format!(
            "DO が {OXYGEN_LOW_PERCENT:.0} % 未満の時間が計 {minutes:.0} 分ありました (最長は {} から {:.0} 分)。攪拌・通気を早めに上げるか、流加を抑えましょう。",
            a.ja,
            (to - from) / 60.0
        ),
        format!(
            "Dissolved oxygen was below {OXYGEN_LOW_PERCENT:.0} % for {minutes:.0} min in all (longest from {} for {:.0} min). Raise stirring and gas earlier, or feed less.",
            a.en,
            (to - from) / 60.0
        ),
    );
    Some(Point { value: Some(minutes), unit: Some("min".into()), from_s: Some(from), to_s: Some(to), ..p })
}

/// A result beside the class.
pub(super) fn result(q: &Quantity, c: &Compared, far_below: f64) -> Point {
    let verdict = if c.own >= c.median {
        Verdict::Good
    } else if c.own >= far_below * c.median {
        Verdict::Watch
    } else {
        Verdict::Improve
    };
    let advice = match verdict {
        Verdict::Good => Text::new("", ""),
        _ => Text::new(
            " 流加の開始、副生物、酸素の項目と合わせて、どこで差がついたか見てみましょう。",
            " See the points on feed start, overflow and oxygen for where the difference arose.",
        ),
    };
    let (rank, of, median, best, own) = (c.rank, c.of, c.median, c.best, c.own);
    let unit = Unit::parse(&c.unit).map_or_else(|_| c.unit.clone(), |unit| unit.label());
    let p = point(
        &q.code,
        verdict,
        format!(
            "{}は {own:.3} {unit} で {of} 槽中 {rank} 位でした (中央値 {median:.3}、最良 {best:.3})。{}",
            c.label.ja, advice.ja
        ),
        format!("{}: {own:.3} {unit}, place {rank} of {of} (median {median:.3}, best {best:.3}).{}", c.label.en, advice.en),
    );
    with(p, q)
}

/// Foam.
pub(super) fn foam(own: &Facts) -> Option<Point> {
    let (t, percent) = own.foam?;
    let a = at(t);
    let p = if percent < 60.0 {
        point(
            "foam",
            Verdict::Good,
            format!("泡は最高 {percent:.0} % で、落ち着いていました。"),
            format!("Foam stayed calm: {percent:.0} % at most."),
        )
    } else {
        let verdict = if percent >= 80.0 { Verdict::Improve } else { Verdict::Watch };
        point(
            "foam",
            verdict,
            format!("泡が {} に {percent:.0} % まで上がりました。消泡剤を早めに少しずつ、または攪拌を見直しましょう。", a.ja),
            format!(
                "Foam rose to {percent:.0} % at {}: add antifoam earlier and little by little, or look at the stirring.",
                a.en
            ),
        )
    };
    Some(Point { value: Some(percent), unit: Some("%".into()), from_s: Some(t), to_s: Some(t), ..p })
}

/// Alarms.
pub(super) fn alarms(own: &Facts) -> Option<Point> {
    let first = *own.alarms_s.first()?;
    let (n, a) = (own.alarms_s.len(), at(first));
    let p = point(
        "alarms",
        Verdict::Watch,
        format!("警報が {n} 回ありました (最初は {})。それぞれに、見たことと対応を書き残しましょう。", a.ja),
        format!("There were {n} alarms (the first at {}): note for each what was seen and done.", a.en),
    );
    Some(Point { value: Some(n as f64), unit: Some("1".into()), from_s: Some(first), to_s: own.alarms_s.last().copied(), ..p })
}
