//! Plots: what is drawn from the roll-ups is what the points themselves would draw, and no flag is lost.

use crate::home::*;
use std::path::PathBuf;
use toji_core::culture::{Numbers, Points};
use toji_store::{Series, Store, column_width_ns};

/// A sequence that is the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A walk with jitter, gaps, spikes, flags, points without a number, and several points at one time.
fn walk(dice: &mut Dice, from: i64, n: usize, scaled: bool) -> Points {
    let (mut t, mut m) = (from, 3000i64);
    let mut mantissa = Vec::new();
    let mut out = Points::default();
    for _ in 0..n {
        t += match dice.below(400) {
            0 => 0,
            1 => 600_000_000_000,
            _ => 1_000_000_000 + 1000 * dice.below(900) as i64,
        };
        m += dice.below(11) as i64 - 5;
        let spike = if dice.below(3000) == 0 { 5000 } else { 0 };
        out.t_ns.push(t);
        mantissa.push(if dice.below(900) == 0 { Points::NO_NUMBER } else { m + spike });
        out.quality.push(if dice.below(5000) == 0 { 0x0021 + dice.below(3) as u16 } else { 0 });
    }
    out.numbers = if scaled {
        Numbers::Scaled { scale: 2, mantissa }
    } else {
        Numbers::Float(mantissa.iter().map(|m| if *m == Points::NO_NUMBER { f64::NAN } else { *m as f64 / 7.0 }).collect())
    };
    out
}

/// The rule, point by point, with no roll-up and no shared code: (time, number's bits, quality).
fn by_the_rule(series: &Series, pixels: usize) -> Vec<(i64, u64, u16)> {
    let n = series.len();
    let told = |i: usize| {
        (series.t_ns[i], if series.value[i].is_nan() { u64::MAX } else { series.value[i].to_bits() }, series.quality[i])
    };
    if n <= (4 * pixels).max(8) || series.t_ns[0] == series.t_ns[n - 1] {
        return (0..n).map(told).collect();
    }
    let width = column_width_ns(series.t_ns[0], series.t_ns[n - 1], pixels);
    let mut out = Vec::new();
    let mut i = 0;
    while i < n {
        let cell = series.t_ns[i].div_euclid(width);
        let column: Vec<usize> = (i..n).take_while(|k| series.t_ns[*k].div_euclid(width) == cell).collect();
        let number = |k: &&usize| !series.value[**k].is_nan();
        let low = column.iter().filter(number).min_by(|a, b| series.value[**a].total_cmp(&series.value[**b]).then(a.cmp(b)));
        let high = column.iter().filter(number).max_by(|a, b| series.value[**a].total_cmp(&series.value[**b]).then(b.cmp(a)));
        let mark = column.iter().find(|k| series.quality[**k] != 0);
        let mut kept: Vec<usize> = [column.first(), low, high, mark, column.last()].into_iter().flatten().copied().collect();
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept.into_iter().map(told));
        i += column.len();
    }
    out
}

async fn assert_the_same_picture(store: &Store, run: &str, from: i64, to: i64, pixels: usize) -> usize {
    let channel = id(&format!("{run}.c"));
    let raw = store.series(&me(), &id(run), std::slice::from_ref(&channel), from, to).await.unwrap();
    let plot = store.plot(&me(), &id(run), std::slice::from_ref(&channel), from, to, pixels).await.unwrap();
    let Some((_, base, raw)) = raw.into_iter().next().filter(|r| !r.2.is_empty()) else {
        assert!(plot.iter().all(|p| p.total == 0 && p.shown.is_empty()));
        return 0;
    };
    assert_eq!((plot.len(), plot[0].total, plot[0].base), (1, raw.len(), base));
    let shown = &plot[0].shown;
    let seen: Vec<(i64, u64, u16)> = (0..shown.len())
        .map(|i| (shown.t_ns[i], if shown.value[i].is_nan() { u64::MAX } else { shown.value[i].to_bits() }, shown.quality[i]))
        .collect();
    let wanted = by_the_rule(&raw, pixels);
    assert!(seen == wanted, "{run} {from}..{to} at {pixels}: {} shown, {} wanted", seen.len(), wanted.len());
    raw.len()
}

fn rollups(home: &Home) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for run in std::fs::read_dir(home.folder().join("series")).unwrap() {
        found.extend(std::fs::read_dir(run.unwrap().path()).unwrap().map(|f| f.unwrap().path()));
    }
    found.retain(|p| p.extension().is_some_and(|e| e == "rollup"));
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plot_from_roll_ups_is_the_plot_of_the_points() {
    let home = Home::embedded().await;
    let mut dice = Dice(7);
    let mut stretches = 0;
    for case in 0..10u64 {
        let name = format!("r{case}");
        // Several imports: apart, back to back, and over one another; long ones, short ones, both forms.
        let mut from = -3_000_000_000_000;
        for part in 0..4 {
            let n = if dice.below(4) == 0 { 300 } else { 9000 + dice.below(30_000) as usize };
            let points = walk(&mut dice, from, n, (case + part) % 2 == 0);
            let (first, last) = (points.t_ns[0], points.t_ns[n - 1]);
            commit(&home.store, part as i64, import(&name, "c", points)).await.unwrap();
            from = if case % 3 == 2 {
                first + (last - first) / 3 * dice.below(4) as i64
            } else {
                last + 1_000_000 * dice.below(5000) as i64
            };
        }
        let whole = read(&home.store, &name, "c").await;
        let (first, last) = (whole.t_ns[0], *whole.t_ns.last().unwrap());
        for pixels in [1, 3, 50, 333, 1400] {
            assert_the_same_picture(&home.store, &name, i64::MIN, i64::MAX, pixels).await;
        }
        for _ in 0..20 {
            let a = first + (last - first) / 1000 * dice.below(1000) as i64;
            let b = a + (last - first) / 1000 * (1 + dice.below(1000) as i64);
            assert_the_same_picture(&home.store, &name, a, b, 1 + dice.below(900) as usize).await;
            stretches += 1;
        }
        // A stretch that ends at a point and begins at one: both ends count as they do for the points.
        assert_the_same_picture(&home.store, &name, whole.t_ns[17], last, 40).await;
        assert_the_same_picture(&home.store, &name, first, last + 1, 40).await;
    }
    assert!(rollups(&home).len() > 15, "the plots were drawn from roll-ups: {}", rollups(&home).len());
    assert_sound(&home.store).await;
    println!("{stretches} stretches, all drawn alike");
    home.close().await;
}

/// What makes roll-ups worth having, counted rather than timed: the whole of a long channel is drawn
/// without a single part being opened.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_of_a_long_channel_is_drawn_without_opening_its_part() {
    let home = Home::embedded().await;
    let mut points = walk(&mut Dice(3), 0, 1_300_000, true);
    points.quality.fill(0);
    points.quality[777_777] = 0x0032;
    let lonely = points.t_ns[777_777];
    // What the walk says twice at one time is left out.
    let n = commit(&home.store, 0, import("r1", "c", points)).await.unwrap().points_new as usize;
    let part = std::fs::read_dir(home.folder().join("series/run=r1")).unwrap().map(|f| f.unwrap().path());
    let part = part.filter(|p| p.extension().is_some_and(|e| e == "parquet")).last().unwrap();
    let (bytes, rolled) = (std::fs::metadata(&part).unwrap().len(), std::fs::metadata(&rollups(&home)[0]).unwrap().len());
    println!("{n} points: part {bytes} bytes, roll-up {rolled} bytes, {:.2} bytes a point", rolled as f64 / n as f64);
    assert!(rolled * 10 < bytes, "{rolled} of {bytes}");
    let hidden = part.with_extension("aside");
    std::fs::rename(&part, &hidden).unwrap();
    let store = home.again().await;
    for pixels in [200, 800] {
        let plot = store.plot(&me(), &id("r1"), &[], i64::MIN, i64::MAX, pixels).await.unwrap();
        let shown = &plot[0].shown;
        assert_eq!(plot[0].total, n);
        assert!((pixels..pixels * 9).contains(&shown.len()), "{}", shown.len());
        let at = shown.t_ns.iter().position(|t| *t == lonely).expect("the flagged point is shown");
        assert_eq!(shown.quality[at], 0x0032);
    }
    assert!(store.series(&me(), &id("r1"), &[], 0, 1_000_000_000_000).await.is_err(), "the part really is away");
    std::fs::rename(&hidden, &part).unwrap();
    assert_the_same_picture(&store, "r1", i64::MIN, i64::MAX, 800).await;
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_missing_roll_up_changes_no_picture_and_is_made_again() {
    let home = Home::embedded().await;
    commit(&home.store, 0, import("r1", "c", walk(&mut Dice(5), 0, 40_000, false))).await.unwrap();
    let file = rollups(&home).remove(0);
    let good = std::fs::read(&file).unwrap();
    let verified = async |store: &Store| store.verify(true, |_, _| Ok(())).await.unwrap();
    assert_eq!(verified(&home.store).await.0.rollups, 1);
    for i in (0..good.len()).step_by(good.len() / 60 + 1) {
        let mut bad = good.clone();
        bad[i] ^= 0x10;
        std::fs::write(&file, &bad).unwrap();
        let store = home.again().await;
        assert_the_same_picture(&store, "r1", i64::MIN, i64::MAX, 100).await;
        assert_eq!(verified(&store).await.1.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["E-VERIFY-005"], "byte {i}");
    }
    // One that is whole but belongs to another part.
    let other = Home::embedded().await;
    commit(&other.store, 0, import("r1", "c", walk(&mut Dice(6), 0, 40_000, false))).await.unwrap();
    std::fs::copy(rollups(&other).remove(0), &file).unwrap();
    let store = home.again().await;
    assert_the_same_picture(&store, "r1", i64::MIN, i64::MAX, 100).await;
    assert_eq!(verified(&store).await.1.len(), 1);
    std::fs::remove_file(&file).unwrap();
    let store = home.again().await;
    let (checked, found) = verified(&store).await;
    assert_eq!((checked.rollups, checked.rollups_missing, found), (0, 1, vec![]));
    assert_the_same_picture(&store, "r1", i64::MIN, i64::MAX, 100).await;
    let rebuilt = store.rebuild_rollups(&me(), None, |_, _| Ok(())).await.unwrap();
    assert_eq!((rebuilt.parts, rebuilt.sound, rebuilt.written), (1, 0, 1));
    assert_eq!(std::fs::read(&file).unwrap(), good, "byte for byte");
    let rebuilt = store.rebuild_rollups(&me(), Some(&id("r1")), |_, _| Ok(())).await.unwrap();
    assert_eq!((rebuilt.sound, rebuilt.written), (1, 0));
    assert_sound(&store).await;
    other.close().await;
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_no_event_names_are_counted_and_named_but_are_no_fault() {
    let home = Home::embedded().await;
    commit(&home.store, 0, import("r1", "c", walk(&mut Dice(5), 0, 9000, true))).await.unwrap();
    let (stray, _) = home.store.keep(b"never committed".to_vec()).await.unwrap();
    let dir = home.folder().join("series/run=r1");
    let zeros = "0".repeat(64);
    std::fs::write(dir.join(format!("{zeros}.parquet")), b"half").unwrap();
    std::fs::write(dir.join(format!("{zeros}.rollup")), b"half").unwrap();
    std::fs::write(dir.join(".tmpAbC123"), b"h").unwrap();
    let (checked, found) = home.store.verify(true, |_, _| Ok(())).await.unwrap();
    assert_eq!(found, vec![]);
    assert_eq!(
        (checked.orphans, checked.orphan_parts, checked.orphan_rollups, checked.temporary_files, checked.parts, checked.rollups),
        (1, 1, 1, 1, 1, 1)
    );
    assert_eq!(checked.orphan_names.len(), 4);
    assert!(checked.orphan_names[0].contains(&stray.hex()) && checked.orphan_names[1].ends_with(".parquet"));
    home.close().await;
}
