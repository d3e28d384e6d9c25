//! The rules of readiness, over the content of a data set: pure, in order of their numbers.
//!
//! Each rule names the places it looked at and what it found there, as a compiler would: code, place,
//! message, remedy. What the findings cost is `score.rs`'s business.

use super::content::{Channel, Content, Run, simulated, text};
use super::score::{Account, Found, Rule};
use super::split::{Dealt, LeakBy, Part, duplicates, leaks};
use super::{ready_assays, ready_set};
use serde_json::Value as Json;
use toji_core::{Record, Text, variable};

/// The account of a data set.
pub(super) fn judge(content: &Content, dealt: &[Dealt]) -> Account {
    let mut account = Account::default();
    of_runs(content, &mut account);
    of_channels(content, &mut account);
    ready_assays::judge(content, &mut account);
    of_sensors(content, &mut account);
    of_values(content, &mut account);
    of_split(content, dealt, &mut account);
    ready_set::judge(content, &mut account);
    account.rules.sort_by(|a, b| a.rule.cmp(&b.rule));
    account.findings.sort_by(|a, b| {
        let key = |f: &super::score::Finding| {
            (f.diagnostic.code.get(2..).unwrap_or_default().to_owned(), f.diagnostic.place.field.clone())
        };
        key(a).cmp(&key(b))
    });
    account
}

/// A finding about a field of a run.
pub(super) fn at_run(run: &Record, field: &str, percent: u64, message: [String; 2], remedy: [String; 2]) -> Found {
    let id = run.id.to_string();
    Found { percent, run: Some(id.clone()), at: ("run", id, field.to_owned()), message: pair(message), remedy: pair(remedy) }
}

/// A finding about a field of a channel.
pub(super) fn at_channel(
    run: &Run,
    channel: &Channel,
    field: &str,
    percent: u64,
    message: [String; 2],
    remedy: [String; 2],
) -> Found {
    Found {
        percent,
        run: Some(run.record.id.to_string()),
        at: ("channel", channel.record.id.to_string(), field.to_owned()),
        message: pair(message),
        remedy: pair(remedy),
    }
}

pub(super) fn pair([ja, en]: [String; 2]) -> Text {
    Text::new(ja, en)
}

fn edit(run: &Record, field: &str) -> [String; 2] {
    let call = format!("toji record put run {} --fields {field}=…", run.id);
    [format!("培養の記録に入れてください: `{call}`"), format!("enter it on the run: `{call}`")]
}

fn of_runs(content: &Content, account: &mut Account) {
    let n = content.runs.len();
    let look =
        |judge: &dyn Fn(&Record) -> Option<Found>| content.runs.iter().filter_map(|r| judge(&r.record)).collect::<Vec<_>>();
    let rule = Rule { number: 1, weight: 9_000, error: true, label: ["株が特定されている", "the strain is identified"] };
    account.add(
        &rule,
        n,
        look(&|run| {
            let title = Content::title(run);
            match (text(&run.fields, "strain"), text(&run.fields, "strain_name")) {
                (Some(_), _) => None,
                (None, Some(name)) => Some(at_run(
                    run,
                    "strain",
                    50,
                    [
                        format!("{title}: 株は名前「{name}」だけで、株の記録と結ばれていません"),
                        format!("{title}: the strain is only a name, \"{name}\", without a record"),
                    ],
                    edit(run, "strain"),
                )),
                (None, None) => Some(at_run(
                    run,
                    "strain",
                    100,
                    [format!("{title}: 株が記録されていません"), format!("{title}: no strain is recorded")],
                    edit(run, "strain"),
                )),
            }
        }),
    );
    let rule =
        Rule {
            number: 2, weight: 7_000, error: true, label: ["植菌時刻が分かっている", "the time of inoculation is known"]
        };
    account.add(
        &rule,
        n,
        look(&|run| {
            let title = Content::title(run);
            let is = text(&run.fields, "zero_is").unwrap_or("elapsed-only");
            (is != "inoculation").then(|| {
                at_run(
                    run,
                    "zero_is",
                    if is == "elapsed-only" { 100 } else { 50 },
                    [
                        format!("{title}: 経過時間の零点は植菌ではありません ({is})"),
                        format!("{title}: the zero of elapsed time is not the inoculation ({is})"),
                    ],
                    [
                        "植菌時刻を started に入れ、zero_is を inoculation にしてください".into(),
                        "set started to the time of inoculation and zero_is to inoculation".into(),
                    ],
                )
            })
        }),
    );
    let rule =
        Rule { number: 3, weight: 5_000, error: false, label: ["培地が記録されている", "the medium is recorded"] };
    account.add(
        &rule,
        n,
        look(&|run| {
            let title = Content::title(run);
            text(&run.fields, "medium").is_none().then(|| {
                at_run(
                    run,
                    "medium",
                    100,
                    [format!("{title}: 培地が記録されていません"), format!("{title}: no medium is recorded")],
                    edit(run, "medium"),
                )
            })
        }),
    );
    let rule =
        Rule {
            number: 4, weight: 7_000, error: true, label: ["時計の時間帯に根拠がある", "the clock's time zone has evidence"]
        };
    account.add(
        &rule,
        n,
        look(&|run| {
            let title = Content::title(run);
            let evidence = text(&run.fields, "zone_evidence").unwrap_or("none");
            let percent = match evidence {
                "file" => return None,
                "site-default" => 25,
                _ => 100,
            };
            Some(at_run(
                run,
                "zone_evidence",
                percent,
                [
                    format!("{title}: 時間帯の根拠は {evidence} です"),
                    format!("{title}: the evidence for the time zone is {evidence}"),
                ],
                [
                    "時間帯を書き出す設定で装置から出し直すか、`run import --zone` で指定してください".into(),
                    "export from the instrument with its zone, or give it with `run import --zone`".into(),
                ],
            ))
        }),
    );
    let rule = Rule {
        number: 11, weight: 4_000, error: false, label: ["槽と規模が分かっている", "vessel and scale are known"]
    };
    account.add(
        &rule,
        n,
        look(&|run| {
            let title = Content::title(run);
            let volume = content.vessel(run).and_then(|v| v.fields.get("volume_working_l")).is_some();
            let scale = run.fields.get("scale_l").and_then(Json::as_f64).is_some() || volume;
            let vessel = text(&run.fields, "vessel").is_some();
            (!scale || !vessel).then(|| {
                at_run(
                    run,
                    if scale { "vessel" } else { "scale_l" },
                    if scale || vessel { 50 } else { 100 },
                    [format!("{title}: 槽または規模が分かりません"), format!("{title}: vessel or scale is not known")],
                    [
                        "槽の記録を作って培養と結び、張込み容量を入れてください".into(),
                        "make a vessel record with its working volume and link the run to it".into(),
                    ],
                )
            })
        }),
    );
}

fn of_channels(content: &Content, account: &mut Account) {
    let all = || content.runs.iter().flat_map(|r| r.channels.iter().map(move |c| (r, c)));
    let numeric = |c: &Channel| c.series.value.iter().any(|v| !v.is_nan());
    let key = |c: &Channel| text(&c.record.fields, "key").unwrap_or_default().to_owned();
    let rule =
        Rule {
            number: 5, weight: 8_000, error: true, label: ["系列の単位が確かめられている", "units of channels are verified"]
        };
    let found = all().filter(|(_, c)| numeric(c)).filter_map(|(run, c)| {
        let (unit, raw) = (text(&c.record.fields, "unit"), text(&c.record.fields, "raw_unit"));
        let key = key(c);
        match (unit, raw) {
            (Some(_), Some(_)) => None,
            (Some(unit), None) => Some(at_channel(
                run,
                c,
                "raw_unit",
                50,
                [
                    format!("系列 {key}: 単位 {unit} は取込元に書かれておらず、変数からの仮定です"),
                    format!("channel {key}: the unit {unit} is assumed, the source states none"),
                ],
                [
                    "装置の単位を確かめ、対応づけに書いてください".into(),
                    "check the unit on the instrument and state it in the mapping".into(),
                ],
            )),
            (None, raw) => Some(at_channel(
                run,
                c,
                "unit",
                100,
                [
                    format!("系列 {key}: 単位がありません{}", raw.map(|r| format!(" (原文「{r}」)")).unwrap_or_default()),
                    format!("channel {key}: no unit{}", raw.map(|r| format!(" (written: \"{r}\")")).unwrap_or_default()),
                ],
                ["単位を対応づけに書いて取り込み直してください".into(), "state the unit in the mapping and import again".into()],
            )),
        }
    });
    let found = found.collect();
    account.add(&rule, all().filter(|(_, c)| numeric(c)).count(), found);
    let rule = Rule {
        number: 6,
        weight: 5_000,
        error: false,
        label: ["系列が何を測るか分かっている", "what channels measure is known"],
    };
    let found = all().filter(|(_, c)| text(&c.record.fields, "variable").is_none()).map(|(run, c)| {
        let key = key(c);
        at_channel(
            run,
            c,
            "variable",
            100,
            [format!("系列 {key}: 変数が特定されていません"), format!("channel {key}: it is not known which variable it is")],
            ["対応づけで変数を選んでください".into(), "choose its variable in the mapping".into()],
        )
    });
    let found = found.collect();
    account.add(&rule, all().count(), found);
}

/// Days after which a calibration is old.
const CALIBRATION_DAYS_MAX: i64 = 180;

fn of_sensors(content: &Content, account: &mut Account) {
    let rule =
        Rule {
            number: 12, weight: 4_000, error: true, label: ["DO (%) に校正の条件がある", "DO in % states its calibration"]
        };
    let dissolved = |c: &Channel| {
        text(&c.record.fields, "variable") == Some("dissolved-oxygen")
            && text(&c.record.fields, "unit") == Some("%")
            && !matches!(text(&c.record.fields, "origin"), Some("setpoint" | "actuator"))
    };
    let all: Vec<(&Run, &Channel)> =
        content.runs.iter().flat_map(|r| r.channels.iter().map(move |c| (r, c))).filter(|(_, c)| dissolved(c)).collect();
    let stated = |c: &Channel| {
        let more = c.record.fields.get("fields").and_then(Json::as_object);
        more.is_some_and(|m| m.keys().any(|k| k.to_lowercase().contains("calibration_temperature") || k.contains("校正温度")))
    };
    let found = all.iter().filter(|(_, c)| !stated(c)).map(|(run, c)| {
        let key = text(&c.record.fields, "key").unwrap_or_default();
        at_channel(
            run,
            c,
            "fields/calibration_temperature_c",
            100,
            [
                format!("系列 {key}: DO が % ですが、校正温度がありません (100 % の濃度が決まりません)"),
                format!("channel {key}: DO in % without calibration temperature, so that 100 % is no concentration"),
            ],
            [
                "系列の fields に calibration_temperature_c を入れてください".into(),
                "enter calibration_temperature_c in the channel's further facts".into(),
            ],
        )
    });
    let found = found.collect();
    account.add(&rule, all.len(), found);
    let rule = Rule { number: 13, weight: 3_000, error: false, label: ["校正が古くない", "the calibration is not old"] };
    let found = content.runs.iter().filter_map(|r| {
        let run = &r.record;
        let title = Content::title(run);
        let calibrated = content.vessel(run).and_then(|v| text(&v.fields, "calibrated"));
        let age = calibrated.zip(text(&run.fields, "started")).and_then(|(c, s)| days_between(c, s));
        let message = match (calibrated, age) {
            (_, Some(days)) if (0..=CALIBRATION_DAYS_MAX).contains(&days) => return None,
            (_, Some(days)) => [
                format!("{title}: 校正から {days} 日の培養です"),
                format!("{title}: the calibration lies {days} days before the run"),
            ],
            _ => [format!("{title}: 校正日が分かりません"), format!("{title}: the date of calibration is not known")],
        };
        Some(at_run(
            run,
            "vessel",
            100,
            message,
            ["槽の記録に calibrated (校正日) を入れてください".into(), "enter the date of calibration on the vessel".into()],
        ))
    });
    let found = found.collect();
    account.add(&rule, content.runs.len(), found);
}

/// Whole days from a date to an instant.
fn days_between(date: &str, instant: &str) -> Option<i64> {
    let from: jiff::civil::Date = date.parse().ok()?;
    let to: jiff::civil::Date = instant.get(..10)?.parse().ok()?;
    from.until(to).ok().map(|span| i64::from(span.get_days()))
}

/// Share of bad points from which a channel is named.
const BAD_SHARE_MAX: f64 = 0.05;

fn of_values(content: &Content, account: &mut Account) {
    let all = || content.runs.iter().flat_map(|r| r.channels.iter().map(move |c| (r, c)));
    let key = |c: &Channel| text(&c.record.fields, "key").unwrap_or_default().to_owned();
    let limits = |c: &Channel| {
        let known = text(&c.record.fields, "variable").and_then(variable::get)?;
        let same = text(&c.record.fields, "unit") == Some(known.unit.as_str());
        (same && (known.low.is_some() || known.high.is_some())).then_some((known.low, known.high))
    };
    let rule =
        Rule {
            number: 14, weight: 4_000, error: true, label: ["ありえない値に印がある", "impossible values are flagged"]
        };
    let found = all().filter_map(|(run, c)| {
        let (low, high) = limits(c)?;
        let outside = |v: f64| low.is_some_and(|l| v < l) || high.is_some_and(|h| v > h);
        let n =
            (0..c.series.len()).filter(|i| c.series.is_good(*i) && c.series.value.get(*i).is_some_and(|v| outside(*v))).count();
        let key = key(c);
        (n > 0).then(|| {
            at_channel(
                run,
                c,
                "series",
                100,
                [
                    format!("系列 {key}: 物理的にありえない値が {n} 点、良好のまま残っています"),
                    format!("channel {key}: {n} physically impossible values stand as good"),
                ],
                ["単位を確かめ、誤りの点に印を付けてください".into(), "check the unit, and flag the wrong points".into()],
            )
        })
    });
    let found = found.collect();
    account.add(&rule, all().filter(|(_, c)| limits(c).is_some()).count(), found);
    let rule = Rule { number: 15, weight: 2_000, error: false, label: ["不良な点が少ない", "few points are bad"] };
    let found = all().filter_map(|(run, c)| {
        let n = c.series.len();
        let bad = c.series.quality.iter().filter(|q| **q & 0xf == 2).count();
        let key = key(c);
        (n > 0 && bad as f64 > n as f64 * BAD_SHARE_MAX).then(|| {
            at_channel(
                run,
                c,
                "series",
                100,
                [format!("系列 {key}: {n} 点のうち {bad} 点が不良です"), format!("channel {key}: {bad} of {n} points are bad")],
                [
                    "センサと通信を確かめるか、この系列を外してください".into(),
                    "check sensor and connection, or leave the channel out".into(),
                ],
            )
        })
    });
    let found = found.collect();
    account.add(&rule, all().count(), found);
}

fn of_split(content: &Content, dealt: &[Dealt], account: &mut Account) {
    let record = |id: &str| content.get("run", id);
    let twice = duplicates(content);
    let rule = Rule {
        number: 17, weight: 4_000, error: true, label: ["同じ系列が二度入っていない", "no points stand twice"]
    };
    let found = twice.iter().filter_map(|(run, other, key)| {
        let run = record(run)?;
        Some(at_run(
            run,
            "series",
            100,
            [
                format!("{}: 系列 {key} は {other} の系列と全点が同じです", Content::title(run)),
                format!("{}: channel {key} equals one of {other}, point for point", Content::title(run)),
            ],
            ["片方の培養を外してください".into(), "leave one of the runs out".into()],
        ))
    });
    let found: Vec<Found> = found.collect();
    account.add(&rule, content.runs.iter().map(|r| r.channels.len()).sum(), found);
    let rule = Rule {
        number: 18,
        weight: 3_000,
        error: true,
        label: ["模擬と実測が混ざっていない", "simulated and real runs are not mixed"],
    };
    let made: Vec<&Record> = content.runs.iter().map(|r| &r.record).filter(|r| simulated(r)).collect();
    let mixed = !made.is_empty() && made.len() < content.runs.len();
    let percent = if mixed { 100 } else { 0 };
    let found = made.iter().take(if mixed { usize::MAX } else { 1 }).map(|run| {
        let message = if mixed {
            [
                format!("{}: 実測に混ざった模擬の培養です", Content::title(run)),
                format!("{}: a simulated run among real ones", Content::title(run)),
            ]
        } else {
            ["すべて模擬の培養です".to_owned(), "all runs are simulated".to_owned()]
        };
        at_run(
            run,
            "simulated",
            percent,
            message,
            ["`select` の simulated で分けてください".into(), "keep them apart with `simulated` of `select`".into()],
        )
    });
    let found = found.collect();
    account.add(&rule, content.runs.len(), found);
    let rule = Rule {
        number: 19,
        weight: 4_000,
        error: true,
        label: ["分割から漏れがない", "nothing leaks between the parts of the split"],
    };
    let found = leaks(content, dealt, &twice).into_iter().filter_map(|leak| {
        let run = record(&leak.run)?;
        let (percent, ja, en) = match leak.by {
            LeakBy::Points => (100, "同じ測定点", "the same points"),
            LeakBy::StrainLot => (50, "同じ株・同じ種菌", "the same strain and inoculum"),
            LeakBy::File => (50, "同じファイル (同じ実験)", "the same file, hence experiment"),
            LeakBy::Strain => (25, "同じ株", "the same strain"),
        };
        let (title, part, other) = (Content::title(run), leak.part.as_str(), leak.other);
        Some(at_run(
            run,
            "split",
            percent,
            [
                format!("{title} ({part}): 学習側の {other} と{ja}です"),
                format!("{title} ({part}): it shares {en} with {other} of the training part"),
            ],
            [
                "`split.unit` を strain・strain-lot・site にして分けてください".into(),
                "split by strain, strain-lot or site with `split.unit`".into(),
            ],
        ))
    });
    let found = found.collect();
    account.add(&rule, dealt.iter().filter(|d| d.part != Part::Train).count(), found);
}
