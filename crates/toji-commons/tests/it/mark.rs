//! Marks of copies: no value altered, what they survive, and whom they accuse wrongly.

use crate::id;
use crate::scenes::Mix;
use std::collections::BTreeSet;
use toji_commons::mark::{Cell, Finding, LABEL_COLUMN, MarkKey, Marked, Plain, Trail, mark, read_csv, trace};

const HEADER: [&str; 6] = ["id", "title", "strain", "yield", "unit", "note"];

fn header() -> Vec<String> {
    HEADER.map(str::to_owned).to_vec()
}

fn key(n: u8) -> MarkKey {
    MarkKey::new([n; 32])
}

/// Measured values with all their zeros, and texts with all that CSV must quote.
fn table(rows: usize, seed: u64) -> Vec<Vec<String>> {
    let mut mix = Mix(seed);
    (0..rows)
        .map(|i| {
            vec![
                format!("RUN-{i:05}"),
                format!("培養 {}", mix.below(40)),
                mix.one(&["AO-1", "AO-2", "SC-7"]).to_owned(),
                format!("{}.{:02}0", mix.below(90), mix.below(100)),
                "g/L".to_owned(),
                mix.one(&["", "foam, much", "said \"good\"", "-"]).to_owned(),
            ]
        })
        .collect()
}

/// The copy as the file that a member gets, and what is kept of it.
fn handed(key: &MarkKey, copy: &str, rows: &[Vec<String>]) -> (String, Trail) {
    let marked: Marked = mark(key, &id(copy), &header(), rows, &vec![0; rows.len()]);
    let (header, arranged) = marked.arrange(&header(), rows);
    (String::from_utf8(marked.csv(&header, &arranged)).unwrap(), marked.trail)
}

fn without(mut table: Plain, name: &str) -> Plain {
    let at = table.header.iter().position(|h| h == name).unwrap();
    table.header.remove(at);
    table.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    table
}

fn kept(mut table: Plain, percent: u64, seed: u64) -> Plain {
    let mut mix = Mix(seed);
    table.rows.retain(|_| mix.below(100) < percent);
    table
}

/// As another program saves it: no quotes but those needed, numbers by their value, no label.
fn retyped(table: Plain) -> Plain {
    let mut table = without(table, LABEL_COLUMN);
    table.has_quotes = false;
    for cell in table.rows.iter_mut().flatten() {
        let text = cell.text.parse::<f64>().map_or_else(|_| cell.text.clone(), |number| number.to_string());
        *cell = Cell { text, quoted: false };
    }
    table
}

fn sorted(mut table: Plain, column: usize) -> Plain {
    table.rows.sort_by(|a, b| a[column].text.cmp(&b[column].text));
    table
}

fn of<'f>(findings: &'f [Finding], copy: &str) -> &'f Finding {
    findings.iter().find(|f| f.copy == id(copy)).unwrap()
}

fn named(key: &MarkKey, table: &Plain, trails: &[Trail]) -> BTreeSet<String> {
    trace(key, table, trails).findings.iter().filter(|f| f.named).map(|f| f.copy.to_string()).collect()
}

/// Twelve members got the same table; their trails, and the file of one.
fn twelve(rows: usize) -> (MarkKey, String, Vec<Trail>) {
    let (key, table) = (key(1), table(rows, 5));
    let copies: Vec<(String, Trail)> = (0..12).map(|n| handed(&key, &format!("copy-{n}"), &table)).collect();
    (key, copies[7].0.clone(), copies.into_iter().map(|(_, trail)| trail).collect())
}

#[test]
fn no_value_is_altered_and_every_row_is_there_once() {
    let rows = table(300, 3);
    let (file, trail) = handed(&key(1), "copy-1", &rows);
    let read = without(read_csv(&file).unwrap(), LABEL_COLUMN);
    assert_eq!(read.header, header());
    let texts: BTreeSet<Vec<String>> = read.rows.into_iter().map(|row| row.into_iter().map(|c| c.text).collect()).collect();
    assert_eq!(texts, rows.iter().cloned().collect(), "to the last zero");
    assert_eq!((trail.rows, trail.identity), (300, vec!["id".to_owned()]));
    // The same copy is the same bytes; another copy, or another key, is not.
    assert_eq!(handed(&key(1), "copy-1", &rows).0, file);
    assert_ne!(handed(&key(1), "copy-2", &rows).0, file);
    assert_ne!(handed(&key(2), "copy-1", &rows).0, file);
}

#[test]
fn rows_whose_order_means_something_stay_in_it() {
    let rows = table(200, 4);
    let bands: Vec<i64> = (0..200).map(|i| i / 5).collect();
    let marked = mark(&key(1), &id("copy-1"), &header(), &rows, &bands);
    let moved: Vec<i64> = marked.order.iter().map(|i| bands[*i]).collect();
    assert_eq!(moved, bands, "times ascend as before");
    assert!(marked.order.iter().enumerate().any(|(to, from)| to != *from), "rows of one time change places");
    let fixed = mark(&key(1), &id("copy-1"), &header(), &rows, &(0..200).collect::<Vec<_>>());
    assert_eq!(fixed.order, (0..200).collect::<Vec<_>>());
}

/// Figures of the guide: how much of a table of 400 rows names the copy it was made from, and nobody else. The numbers are
/// those of `tests/it/data/mark.py`, which does the same in Python 3 with its own HMAC and binomial tails.
#[test]
fn the_copy_is_named_after_leaving_out_sorting_and_retyping() {
    let (key, file, trails) = twelve(400);
    let read = || read_csv(&file).unwrap();
    let one = BTreeSet::from(["copy-7".to_owned()]);
    let cases: Vec<(&str, f64, Plain)> = vec![
        ("as it came", -3851.6, read()),
        ("2 % of the rows, with labels", -75.5, kept(read(), 2, 1)),
        ("sorted, with labels, retyped", -3851.6, {
            let mut table = sorted(read(), 3);
            table.has_quotes = false;
            table
        }),
        ("no label, 25 % of the rows", -103.8, kept(without(read(), LABEL_COLUMN), 25, 1)),
        ("no label, sorted by lines", -510.2, sorted(without(read(), LABEL_COLUMN), 3)),
        ("no label, sorted by lines, 10 % of the rows", -55.6, kept(sorted(without(read(), LABEL_COLUMN), 3), 10, 2)),
        ("retyped, no label", -58.6, retyped(read())),
        ("retyped, no label, 25 % of the rows", -15.3, kept(retyped(read()), 25, 3)),
        ("retyped, no label, only the identifiers, renamed", -58.6, {
            let mut table = retyped(read());
            table.header = vec!["番号".into()];
            table.rows.iter_mut().for_each(|row| row.truncate(1));
            table
        }),
        ("retyped, no label, a fifth of other rows mixed in", -19.9, {
            let mut table = retyped(read());
            for i in 0..100 {
                let row = vec![Cell { text: format!("X-{i}"), quoted: false }; 6];
                table.rows.insert(i * 5, row);
            }
            table
        }),
    ];
    for (what, log10, table) in cases {
        let found = trace(&key, &table, &trails);
        let told = of(&found.findings, "copy-7");
        println!("{what}: {} rows, 1 in 10^{:.0}", table.rows.len(), -told.chance_log10);
        assert_eq!(named(&key, &table, &trails), one, "{what}: {told:?}");
        assert!((told.chance_log10 - log10).abs() < 0.06, "{what}: {} and not {log10}", told.chance_log10);
        assert_eq!(found.findings[0].copy, id("copy-7"), "those named come first");
    }
}

/// What the guide says is lost.
#[test]
fn sorting_and_retyping_without_the_label_leaves_only_who_held_the_rows() {
    let (key, file, trails) = twelve(400);
    let table = sorted(retyped(read_csv(&file).unwrap()), 0);
    let found = trace(&key, &table, &trails);
    assert!(found.findings.iter().all(|f| !f.named && f.held == Some(1.0)), "all twelve held them: {:?}", found.findings);
    // Too few rows say nothing either: eight pairs agree by chance once in 256, times the tests.
    let few = Plain { rows: retyped(read_csv(&file).unwrap()).rows[..16].to_vec(), ..retyped(read_csv(&file).unwrap()) };
    assert!(named(&key, &few, &trails).is_empty());
    // Of another key nothing is seen, and the sample holds nothing.
    let other = trace(&self::key(9), &read_csv(&file).unwrap(), &trails);
    assert!(other.findings.iter().all(|f| !f.named && f.held == Some(0.0)));
}

#[test]
fn held_rows_tell_who_could_have_given_them() {
    let key = key(1);
    let rows = table(3000, 8);
    let half = handed(&key, "copy-half", &rows[..1500]).1;
    let all = handed(&key, "copy-all", &rows).1;
    let none = handed(&key, "copy-none", &table(3000, 9)[..0]).1;
    let leaked = Plain::of_texts(header(), rows[750..2250].to_vec());
    let found = trace(&key, &leaked, &[half, all, none]).findings;
    assert_eq!(of(&found, "copy-all").held, Some(1.0));
    let told = of(&found, "copy-half");
    // Of about 256 rows half: 0.5 ± 0.03 (one sigma).
    assert!(told.held_of > 150 && (told.held.unwrap() - 0.5).abs() < 0.1, "{told:?}");
    assert_eq!(of(&found, "copy-none").held, Some(0.0));
    assert!(found.iter().all(|f| !f.named));
}

#[test]
fn a_label_of_another_row_is_no_label() {
    let (key, file, trails) = twelve(60);
    let mut table = sorted(read_csv(&file).unwrap(), 0);
    table.has_quotes = false;
    let at = HEADER.len();
    let labels: Vec<Cell> = table.rows.iter().map(|row| row[at].clone()).collect();
    table.rows.iter_mut().zip(labels.iter().cycle().skip(1)).for_each(|(row, label)| row[at] = label.clone());
    let found = trace(&key, &table, &trails);
    let told = of(&found.findings, "copy-7");
    assert_eq!((told.labels.agree, told.labels.of, told.named), (0, 60, false), "moved by one row");
}

#[test]
fn two_copies_stitched_together_name_both() {
    let key = key(1);
    let rows = table(400, 5);
    let (a, of_a) = handed(&key, "copy-a", &rows);
    let (b, of_b) = handed(&key, "copy-b", &rows);
    let (_, of_c) = handed(&key, "copy-c", &rows);
    let mut both = retyped(read_csv(&a).unwrap());
    // Of each the rows that the other does not give.
    both.rows.retain(|row| row[0].text.as_str() < "RUN-00200");
    both.rows.extend(retyped(read_csv(&b).unwrap()).rows.into_iter().filter(|row| row[0].text.as_str() >= "RUN-00200"));
    let told = named(&key, &both, &[of_a, of_b, of_c]);
    assert_eq!(told, BTreeSet::from(["copy-a".to_owned(), "copy-b".to_owned()]));
}

/// 3,000 tables that were not made from the copy, of many orders and ways of quoting, each with a key of its own: at every
/// level no more are beyond it than the level says (three sigma), and none is named.
#[test]
fn innocent_tables_agree_as_often_as_coins() {
    let (levels, mut beyond, tries) = ([0.1_f64, 0.01, 0.001], [0_u32; 3], 3000_u64);
    for seed in 0..tries {
        let mut mix = Mix(seed + 77);
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let key = MarkKey::new(bytes);
        let rows = table(64, 5);
        let trail = handed(&key, "copy-1", &rows).1;
        let mut table = Plain::of_texts(header(), rows);
        table.has_quotes = mix.below(2) == 0;
        let all = mix.below(3);
        for row in &mut table.rows {
            row.iter_mut().for_each(|cell| cell.quoted = all == 0 || (all == 1 && mix.below(2) == 0));
        }
        match mix.below(3) {
            0 => table = sorted(table, 3),
            1 => table.rows.reverse(),
            _ => (0..63).for_each(|i| table.rows.swap(i, i + mix.below(64 - i as u64) as usize)),
        }
        let told = trace(&key, &table, &[trail]).findings[0].clone();
        assert!(!told.named, "{told:?}");
        for (count, level) in beyond.iter_mut().zip(levels) {
            *count += u32::from(told.chance_log10 <= level.log10());
        }
    }
    println!("of {tries} innocent tables beyond 0.1, 0.01, 0.001: {beyond:?}");
    assert_eq!(beyond, [122, 8, 1], "as tests/it/data/mark.py counts");
    for (count, level) in beyond.iter().zip(levels) {
        let expected = level * tries as f64;
        assert!(f64::from(*count) <= expected + 3.0 * expected.sqrt(), "{beyond:?}");
    }
    assert!(beyond[0] > 0, "the levels are reached at all");
}
