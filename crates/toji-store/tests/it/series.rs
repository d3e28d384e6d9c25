//! Series: what is read back is what was written, bit for bit, and other engines read the same.

use crate::home::*;
use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Float64Type, Int8Type, Int64Type, TimestampNanosecondType, UInt16Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use toji_core::culture::{Numbers, Points};
use toji_core::quality::{Cause, Status};
use toji_core::{Category, Quality};
use toji_store::{Base, Commit, Put, RunSeries, Series, Store};

/// Numbers that are easily bent: signs, extremes, neighbours of round numbers, digits beyond a double's.
const FLOATS: [f64; 12] = [
    0.0,
    -0.0,
    0.1,
    1.0 / 3.0,
    f64::MIN_POSITIVE,
    5e-324,
    f64::MAX,
    f64::MIN,
    1e300,
    -1e-300,
    9_007_199_254_740_993.0,
    f64::EPSILON,
];

fn bad() -> u16 {
    Quality::source(Status::Bad, Cause::NotANumber).pack()
}

on_both! {
    async fn scaled_numbers_texts_and_quality_come_back_exactly(home) {
        let mantissas = [0, 1, -1, 312, -312, i64::MAX, i64::MIN + 1, 9_007_199_254_740_993, 123_456_789_123_456_789, Points::NO_NUMBER];
        for scale in [0u8, 1, 3, 9, 18, 22] {
            let key = format!("s{scale}");
            let mut points = scaled(scale, &mantissas.iter().enumerate().map(|(i, m)| (i as i64 * 1_000_000_007 - 5, *m)).collect::<Vec<_>>());
            points.quality[9] = bad();
            points.quality[2] = 0xffff;
            points.texts.push((9, "< 0.5 ※".into()));
            commit(&home.store, 0, import("r1", &key, points.clone())).await.unwrap();
            assert_same(&read(&home.store, "r1", &key).await, &points);
            // Also those beyond a double's digits are known again.
            assert_eq!(commit(&home.store, 1, import("r1", &key, points)).await.unwrap().seq, None, "scale {scale}");
        }
        assert_sound(&home.store).await;
    }

    async fn floats_come_back_bit_for_bit(home) {
        let n = FLOATS.len();
        let mut points = Points {
            t_ns: (0..n as i64 + 1).map(|i| i64::MIN + 1 + i * (i64::MAX / 16)).collect(),
            numbers: Numbers::Float(FLOATS.iter().copied().chain([f64::NAN]).collect()),
            quality: vec![0; n + 1],
            texts: vec![(n as u32, "n.d.".into())],
        };
        points.quality[n] = bad();
        commit(&home.store, 0, import("r1", "f", points.clone())).await.unwrap();
        assert_same(&read(&home.store, "r1", "f").await, &points);
        assert_eq!(commit(&home.store, 1, import("r1", "f", points)).await.unwrap().seq, None);
        // A zero that changes its sign has changed.
        let signed = Points { t_ns: vec![i64::MIN + 1], numbers: Numbers::Float(vec![-0.0]), quality: vec![0], texts: Vec::new() };
        assert_eq!(commit(&home.store, 2, import("r1", "f", signed)).await.unwrap().points_changed, 1);
        assert_eq!(read(&home.store, "r1", "f").await.value[0].to_bits(), (-0.0f64).to_bits());
        assert_sound(&home.store).await;
    }

    async fn parts_of_an_incremental_export_make_one_series(home) {
        let row = |t: i64| (t * 1000, t * 7 % 101);
        for (second, cut) in [(0..40), (20..60), (55..80), (0..80), (80..100)].into_iter().enumerate() {
            commit(&home.store, second as i64, import("r1", "temp", scaled(1, &cut.map(row).collect::<Vec<_>>()))).await.unwrap();
        }
        let whole: Vec<(i64, f64)> = (0..100).map(row).map(|(t, m)| (t, m as f64 / 10.0)).collect();
        assert_eq!(rows(&read(&home.store, "r1", "temp").await), whole);
        // A stretch is the whole's stretch; its end is excluded.
        let channel = id("r1.temp");
        for (from, to) in [(0, 1), (1000, 1001), (19_000, 61_000), (54_001, 80_000), (99_000, i64::MAX), (200_000, 300_000)] {
            let found = home.store.series(&me(), &id("r1"), std::slice::from_ref(&channel), from, to).await.unwrap();
            let found = found.first().map(|(_, _, s)| rows(s)).unwrap_or_default();
            assert_eq!(found, whole.iter().copied().filter(|r| (from..to).contains(&r.0)).collect::<Vec<_>>(), "{from}..{to}");
        }
        let summary = home.store.summaries(&me(), Some(&id("r1"))).await.unwrap().into_values().next().unwrap();
        assert_eq!((summary.points, summary.t_min, summary.t_max), (100, 0, 99_000));
        assert_eq!(home.store.seq(&me()).await.unwrap(), 4, "the whole once more brought nothing");
    }

    async fn elapsed_times_stay_elapsed_and_do_not_mix_with_clocks(home) {
        let import = |base, rows: &[(i64, i64)]| Commit {
            operation: "run import".into(),
            puts: vec![put("run", "r1", json!({"title": "r1", "key": "r1"})), channel("r1", "temp")],
            series: vec![RunSeries { run: id("r1"), base, channels: vec![(id("r1.temp"), scaled(1, rows))] }],
            ..Commit::default()
        };
        commit(&home.store, 0, import(Base::Elapsed, &[(-1, 1), (0, 2), (3_600_000_000_000, 3)])).await.unwrap();
        let found = home.store.series(&me(), &id("r1"), &[], i64::MIN, i64::MAX).await.unwrap();
        assert_eq!((found[0].1, rows(&found[0].2)), (Base::Elapsed, vec![(-1, 0.1), (0, 0.2), (3_600_000_000_000, 0.3)]));
        // Points that no reading could show are refused, not stored out of sight.
        let error = commit(&home.store, 1, import(Base::Utc, &[(at(0).0, 4)])).await.unwrap_err();
        assert_eq!((error.code(), error.category()), ("E-SERIES-011", Category::Input));
        let mut both = import(Base::Elapsed, &[(5, 1)]);
        both.series[0].run = id("r2");
        let mut clock = both.series[0].clone();
        clock.base = Base::Utc;
        both.series.push(clock);
        assert_eq!(commit(&home.store, 1, both).await.unwrap_err().code(), "E-SERIES-011");
        assert_eq!(home.store.seq(&me()).await.unwrap(), 1);
    }

    async fn a_channel_given_in_pieces_is_one_channel(home) {
        let mut whole = import("r1", "temp", scaled(1, &[(10, 1), (30, 3)]));
        whole.series[0].channels.push((id("r1.temp"), scaled(1, &[(20, 2)])));
        whole.series.push(series("r1", "temp", scaled(2, &[(5, 5), (40, 44)])));
        commit(&home.store, 0, whole).await.unwrap();
        assert_eq!(rows(&read(&home.store, "r1", "temp").await), [(5, 0.05), (10, 0.1), (20, 0.2), (30, 0.3), (40, 0.44)]);
    }

    async fn columns_that_do_not_fit_together_are_refused(home) {
        let good = || scaled(1, &[(1, 1), (2, 2)]);
        let crooked: [fn(&mut Points); 7] = [
            |p| p.quality.truncate(1),
            |p| p.t_ns.push(3),
            |p| p.numbers = Numbers::Float(vec![1.0]),
            |p| p.numbers = Numbers::Scaled { scale: 23, mantissa: vec![1, 2] },
            |p| p.texts = vec![(2, "beyond".into())],
            |p| p.texts = vec![(1, "b".into()), (0, "a".into())],
            |p| p.texts = vec![(1, "b".into()), (1, "a".into())],
        ];
        for (i, bend) in crooked.iter().enumerate() {
            let mut points = good();
            bend(&mut points);
            let error = commit(&home.store, 0, import("r1", "temp", points)).await.unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-SERIES-010", Category::Input), "case {i}");
        }
        assert_eq!(home.store.seq(&me()).await.unwrap(), 0);
    }

    async fn plain_parquet_readers_see_the_same_numbers(home) {
        let mut points = scaled(2, &[(1_764_000_000_000_000_000, 3125), (1_764_000_060_000_000_007, -1), (1_764_000_120_000_000_000, Points::NO_NUMBER)]);
        points.quality[2] = bad();
        points.texts.push((2, "—".into()));
        commit(&home.store, 0, import("r1", "a", points)).await.unwrap();
        let floats = Points { t_ns: vec![1, 2], numbers: Numbers::Float(vec![1.0 / 3.0, f64::NAN]), quality: vec![0, 0], texts: Vec::new() };
        commit(&home.store, 1, import("r1", "b", floats)).await.unwrap();
        let mut seen: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for file in parquet_files(&home.folder()) {
            for (channel, row) in plain_rows(&file) {
                seen.entry(channel).or_default().push(row);
            }
        }
        assert_eq!(seen["r1.a"], [
            Row { t: 1_764_000_000_000_000_000, number: Some(31.25), quality: 0, text: None },
            Row { t: 1_764_000_060_000_000_007, number: Some(-0.01), quality: 0, text: None },
            Row { t: 1_764_000_120_000_000_000, number: None, quality: bad(), text: Some("—".into()) },
        ]);
        assert_eq!(seen["r1.b"].iter().map(|r| (r.t, r.number)).collect::<Vec<_>>(), [(1, Some(1.0 / 3.0)), (2, None)]);
    }
}

/// Bits, not equality: a zero has a sign.
fn assert_same(read: &Series, written: &Points) {
    assert_eq!(read.t_ns, written.t_ns);
    let bits: Vec<Option<u64>> = read.value.iter().map(|v| (!v.is_nan()).then(|| v.to_bits())).collect();
    assert_eq!(bits, (0..written.len()).map(|i| written.number(i).map(f64::to_bits)).collect::<Vec<_>>());
    assert_eq!(read.quality, written.quality);
    assert_eq!(read.texts, written.texts);
}

#[derive(Debug, PartialEq)]
struct Row {
    t: i64,
    number: Option<f64>,
    quality: u16,
    text: Option<String>,
}

pub(crate) fn parquet_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|e| e == "parquet") {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

/// Reads as any other engine would, knowing only the column names: `coalesce(mantissa / 10^scale, value)`.
fn plain_rows(file: &Path) -> Vec<(String, Row)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).unwrap()).unwrap().build().unwrap();
    let mut out = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let column = |name: &str| batch.column_by_name(name).unwrap().clone();
        let channels = arrow::compute::cast(&column("channel"), &arrow::datatypes::DataType::Utf8).unwrap();
        let nanos = arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, Some("UTC".into()));
        let times = arrow::compute::cast(&column("time"), &nanos).unwrap();
        let (mantissa, scale, value, quality, text) =
            (column("mantissa"), column("scale"), column("value"), column("quality"), column("text"));
        for i in 0..batch.num_rows() {
            let scaled = mantissa.is_valid(i).then(|| {
                mantissa.as_primitive::<Int64Type>().value(i) as f64
                    / 10f64.powi(i32::from(scale.as_primitive::<Int8Type>().value(i)))
            });
            let row = Row {
                t: times.as_primitive::<TimestampNanosecondType>().value(i),
                number: scaled.or(value.is_valid(i).then(|| value.as_primitive::<Float64Type>().value(i))),
                quality: quality.as_primitive::<UInt16Type>().value(i),
                text: text.is_valid(i).then(|| text.as_string::<i32>().value(i).to_owned()),
            };
            out.push((channels.as_string::<i32>().value(i).to_owned(), row));
        }
    }
    out
}

/// A point of the slow reference: number's bits, quality, text.
type Said = (Option<u64>, u16, Option<String>);

/// One import of the property test.
#[derive(Debug, Clone)]
struct Given {
    rows: Vec<(i64, Option<i64>, bool)>,
    scale: Option<u8>,
}

impl Given {
    fn points(&self) -> Points {
        let texts =
            self.rows.iter().enumerate().filter(|(_, r)| r.1.is_none()).map(|(i, _)| (i as u32, "n.d.".to_owned())).collect();
        Points {
            t_ns: self.rows.iter().map(|r| r.0).collect(),
            numbers: match self.scale {
                Some(scale) => Numbers::Scaled {
                    scale,
                    mantissa: self
                        .rows
                        .iter()
                        .map(|r| r.1.map_or(Points::NO_NUMBER, |m| m * 10i64.pow(u32::from(scale))))
                        .collect(),
                },
                None => Numbers::Float(self.rows.iter().map(|r| r.1.map_or(f64::NAN, |m| m as f64)).collect()),
            },
            quality: self.rows.iter().map(|r| u16::from(r.2) * 2).collect(),
            texts,
        }
    }
    /// Later imports win, moment by moment; whether anything changed.
    fn tell(&self, known: &mut BTreeMap<i64, Vec<Said>>) -> bool {
        let mut said: BTreeMap<i64, Vec<Said>> = BTreeMap::new();
        for (t, number, flagged) in &self.rows {
            let point =
                (number.map(|m| (m as f64).to_bits()), u16::from(*flagged) * 2, number.is_none().then(|| "n.d.".to_owned()));
            let moment = said.entry(*t).or_default();
            if !moment.contains(&point) {
                moment.push(point);
            }
        }
        let mut changed = false;
        for (t, moment) in said {
            if known.get(&t).is_none_or(|there| !moment.iter().all(|p| there.contains(p))) {
                known.insert(t, moment);
                changed = true;
            }
        }
        changed
    }
}

fn given() -> impl Strategy<Value = Given> {
    let row = (0i64..24, proptest::option::weighted(0.85, -3i64..4), any::<bool>());
    (proptest::collection::vec(row, 0..20), proptest::option::of(0u8..4)).prop_map(|(rows, scale)| Given { rows, scale })
}

#[test]
fn any_imports_with_overlaps_read_back_as_the_last_writer_left_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let home = runtime.block_on(Home::embedded());
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let count = std::cell::Cell::new(0);
    let outcome = runner.run(&proptest::collection::vec(given(), 1..7), |imports| {
        count.set(count.get() + 1);
        let name = format!("case-{}", count.get());
        runtime.block_on(one_case(&home.store, &name, &imports))
    });
    outcome.unwrap();
    runtime.block_on(assert_sound(&home.store));
    runtime.block_on(home.close());
}

async fn one_case(store: &Store, name: &str, imports: &[Given]) -> Result<(), TestCaseError> {
    let mut expected: BTreeMap<i64, Vec<Said>> = BTreeMap::new();
    // The records come first, so that from then on only points can make an event.
    let first: Vec<Put> = vec![run(name), channel(name, "c")];
    commit(store, 0, puts(first)).await.unwrap();
    for given in imports {
        let changed = given.tell(&mut expected);
        let receipt = commit(store, 1, import(name, "c", given.points())).await.unwrap();
        prop_assert_eq!(receipt.seq.is_some(), changed);
        prop_assert_eq!(receipt.points_new + receipt.points_known + receipt.points_changed, given.rows.len() as u64);
    }
    let found = read(store, name, "c").await;
    let text = |i: usize| found.texts.iter().find(|(at, _)| *at as usize == i).map(|(_, t)| t.clone());
    let seen: Vec<(i64, Said)> = (0..found.len())
        .map(|i| (found.t_ns[i], (Some(found.value[i]).filter(|v| !v.is_nan()).map(f64::to_bits), found.quality[i], text(i))))
        .collect();
    let wanted: Vec<(i64, Said)> = expected.into_iter().flat_map(|(t, moment)| moment.into_iter().map(move |p| (t, p))).collect();
    prop_assert_eq!(seen, wanted);
    Ok(())
}
