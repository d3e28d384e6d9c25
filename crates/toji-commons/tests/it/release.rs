//! The rule for aggregates: published examples by hand, the attacks it is there for, and a reconstruction
//! attack on whatever it lets out.

use crate::{day, id};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::release::{Answer, Cell, Clause, Contribution, Field, Published, Register, Rule, VALUE_MAX};
use toji_core::{Error, Unit};

fn cell(sources: &[(&str, &str, i64)]) -> Cell {
    let contributions = sources
        .iter()
        .map(|(source, member, value)| Contribution { source: id(source), member: id(member), value: *value, at: day(0) })
        .collect();
    Cell { table: id("titre"), field: Field::Process, unit: Unit::parse("g/L").unwrap(), decimals: 2, contributions }
}
/// One source for each member, named alike.
fn of(members: &str, value: impl Fn(char) -> i64) -> Cell {
    let names: Vec<(String, i64)> = members.chars().map(|m| (m.to_string(), value(m))).collect();
    let sources: Vec<(&str, &str, i64)> = names.iter().map(|(m, v)| (m.as_str(), m.as_str(), *v)).collect();
    cell(&sources)
}
fn even(members: &str) -> Cell {
    of(members, |_| 1000)
}
fn ask(register: &mut Register, cell: Cell) -> Result<Published, Clause> {
    register.release(cell, day(400)).unwrap().map_err(|refusal| {
        assert!(!refusal.reason.ja.is_empty() && refusal.reason.ja != refusal.reason.en && !refusal.remedy.ja.is_empty());
        refusal.clause
    })
}

/// Hundepool et al., Handbook on Statistical Disclosure Control, ch. 4.2, examples 1 and 2.
#[test]
fn examples_of_the_handbook() {
    let rule = |n, k, p| Rule {
        contributors_min: 3,
        top_share_percent_max: 100,
        dominance_n: n,
        dominance_percent_max: k,
        p_percent: p,
        ..Rule::default()
    };
    // Example 1: X = 100,000, x1 = 50,000, x2 = 49,000. Safe by (1, 90), though the second estimates the
    // first within 2 %: the p % rule refuses at any p above 2.
    let example = [50_000, 49_000, 600, 400];
    assert_eq!(rule(1, 90, 2).concentration(&example), None);
    assert_eq!(rule(1, 90, 3).concentration(&example), Some(Clause::Nearness));
    // Example 2: X = 110,000, x1 = 52,000, x2 = 50,000. The second overestimates the first by 15.4 %, so it is
    // safe by the p % rule at p = 10 (and 15, not 16), but not by (2, 90.9).
    let example = [52_000, 50_000, 5_000, 3_000];
    assert_eq!(rule(2, 100, 10).concentration(&example), None);
    assert_eq!(rule(2, 100, 15).concentration(&example), None);
    assert_eq!(rule(2, 100, 16).concentration(&example), Some(Clause::Nearness));
    assert_eq!(rule(2, 90, 10).concentration(&example), Some(Clause::Dominance));
    assert_eq!(rule(2, 91, 10).concentration(&example), Some(Clause::Dominance));
    assert_eq!(rule(2, 93, 10).concentration(&example), None);
}

#[test]
fn limits_of_the_default_rule() {
    let rule = Rule::default();
    assert_eq!(rule.concentration(&[20, 20, 20, 20, 20]), None);
    assert_eq!(rule.concentration(&[25, 25, 25, 25]), Some(Clause::Contributors));
    assert_eq!(rule.concentration(&[25, 25, 20, 20, 10]), None);
    assert_eq!(rule.concentration(&[26, 24, 20, 20, 10]), Some(Clause::TopShare));
    assert_eq!(rule.concentration(&[0, 0, 0, 0, 0]), Some(Clause::Nearness));
    assert_eq!(rule.concentration(&[]), Some(Clause::Contributors));
}

#[test]
fn never_list_and_age() {
    let mut register = Register::default();
    let with = |field| Cell { field, ..even("abcdef") };
    let at = |register: &mut Register, field, days| register.release(with(field), day(days)).unwrap().map_err(|r| r.clause);
    assert_eq!(at(&mut register, Field::Never, 4000), Err(Clause::NeverList));
    assert_eq!(at(&mut register, Field::Aged, 89), Err(Clause::Age));
    assert!(at(&mut register, Field::Aged, 90).is_ok());
}

#[test]
fn what_is_published_is_rounded_and_has_its_unit() {
    let mut register = Register::default();
    let told = ask(&mut register, of("abcde", |m| 1230 + i64::from(u32::from(m)))).unwrap();
    // 5 × 12.30 g/L + 97 … 101 hundredths = 66.45 g/L, to three digits.
    assert_eq!((told.total.value, told.total.unit.code(), told.contributors), (66.5, "g/L", 5));
    assert_eq!(told.rule, Rule::default().version);
    // The same question again is the same answer and no further release.
    assert_eq!(ask(&mut register, of("abcde", |m| 1230 + i64::from(u32::from(m)))).unwrap(), told);
    assert_eq!(register.released(&id("titre")), 1);
}

#[test]
fn cells_that_make_no_sense_are_errors_with_place_and_remedy() {
    let mut register = Register::default();
    ask(&mut register, even("abcdef")).unwrap();
    for (wrong, code) in [
        (of("abcde", |_| -1), "E-RELEASE-002"),
        (of("abcde", |_| VALUE_MAX + 1), "E-RELEASE-002"),
        (even("aabcde"), "E-RELEASE-002"),
        (Cell { decimals: 16, ..even("abcde") }, "E-RELEASE-002"),
        (of("abcdef", |_| 1001), "E-RELEASE-003"),
        (cell(&[("a", "b", 1000)]), "E-RELEASE-003"),
    ] {
        let error = register.judge(&wrong, day(400)).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.fault().place.is_some() && error.fault().hint.is_some());
    }
    let refusal = register.judge(&even("xyz"), day(400)).unwrap().unwrap_err();
    let error = Error::from(refusal);
    assert_eq!(error.code(), "E-RELEASE-001");
    assert!(error.to_string().contains("R3") && error.fault().hint.is_some());
}

/// Two totals that differ by one company tell that company's figure.
#[test]
fn the_difference_of_two_totals() {
    let mut register = Register::default();
    ask(&mut register, even("abcdef")).unwrap();
    assert_eq!(ask(&mut register, even("abcdefg")), Err(Clause::FewDerivable));
    assert_eq!(ask(&mut register, even("bcdefg")), Err(Clause::FewDerivable));
    assert_eq!(ask(&mut register, even("abcdefghij")), Err(Clause::FewDerivable));
    // Another table does not know these figures.
    assert!(ask(&mut register, Cell { table: id("yield"), ..even("abcdefg") }).is_ok());
    // Five more, of like size, may join.
    ask(&mut register, even("abcdefghijk")).unwrap();
    // Five more of which one dominates may not.
    let with_giant = of("abcdefghijklmnop", |m| if m == 'p' { 1400 } else { 1000 });
    assert_eq!(ask(&mut register, with_giant), Err(Clause::DerivedTotal));
    assert!(ask(&mut register, of("abcdefghijklmnop", |m| if m == 'p' { 1300 } else { 1000 })).is_ok());
}

/// A whole and all its parts but one tell the last part; three releases are needed to see it.
#[test]
fn the_last_part_of_a_whole() {
    let mut register = Register::default();
    ask(&mut register, even("abcdefghijklmno")).unwrap();
    ask(&mut register, even("abcdef")).unwrap();
    assert_eq!(ask(&mut register, even("ghijkl")), Err(Clause::FewDerivable));
    ask(&mut register, even("ghijklmno")).unwrap();
}

/// A chain of overlapping totals, no two of which differ by few, alternately added and taken away.
#[test]
fn an_alternating_chain() {
    let mut register = Register::default();
    for half in ["abcdefgh", "cdefghijkl"] {
        let told = ask(&mut register, even(half));
        // a and b against i to l: six members, yet the difference has both signs, so it bounds nobody nearly.
        assert!(told.is_ok(), "{half}: {told:?}");
    }
    // The third closes the chain: first − second + third = twice a, b and the common rest's difference.
    assert_eq!(ask(&mut register, even("abijkl")), Err(Clause::FewDerivable));
}

/// One member corrects its figure: to total again would tell by how much.
#[test]
fn a_correction_is_not_told_by_difference() {
    let mut register = Register::default();
    ask(&mut register, even("abcdef")).unwrap();
    let names = ["a", "b", "c", "d", "e"];
    let mut sources: Vec<(&str, &str, i64)> = names.iter().map(|m| (*m, *m, 1000)).collect();
    sources.push(("f:v2", "f", 1200));
    assert_eq!(ask(&mut register, cell(&sources)), Err(Clause::FewDerivable));
}

/// Many runs of few companies are few contributors.
#[test]
fn runs_are_not_contributors() {
    let sources: Vec<(String, String)> = (0..40).map(|i| (format!("run-{i}"), format!("m{}", i % 4))).collect();
    let named: Vec<(&str, &str, i64)> = sources.iter().map(|(s, m)| (s.as_str(), m.as_str(), 1000)).collect();
    assert_eq!(ask(&mut Register::default(), cell(&named)), Err(Clause::Contributors));
}

/// Places of a Latin square: the source at (r, c) is of member r + c modulo n.
fn square(n: usize, places: impl Iterator<Item = (usize, usize)>) -> Cell {
    let name = |(r, c): (usize, usize)| (format!("r{r}c{c}"), format!("m{}", (r + c) % n), 1000 + (r * 7 + c * 3) as i64);
    let named: Vec<(String, String, i64)> = places.map(name).collect();
    cell(&named.iter().map(|(s, m, v)| (s.as_str(), m.as_str(), *v)).collect::<Vec<_>>())
}

/// Margins of a two-way table whose every inner cell is one company's: row totals and column totals leave each
/// figure wide open, because it can be moved around a rectangle; one inner cell more would not.
#[test]
fn margins_of_a_table_with_single_companies_inside() {
    let n = 7;
    let mut register = Register::default();
    for r in 0..n {
        ask(&mut register, square(n, (0..n).map(|c| (r, c)))).unwrap();
    }
    for c in 0..n {
        let told = ask(&mut register, square(n, (0..n).map(|r| (r, c))));
        assert!(told.is_ok(), "column {c}: {told:?}");
    }
    let most_of_a_row = square(n, (0..n - 1).map(|c| (0, c)));
    assert_eq!(ask(&mut register, most_of_a_row), Err(Clause::FewDerivable));
}

/// What cannot be checked within bounds is refused, not waved through.
#[test]
fn too_intricate_is_refused() {
    let (n, mut register) = (23, Register::default());
    for r in 0..n {
        ask(&mut register, square(n, (0..n).map(|c| (r, c)))).unwrap();
    }
    let columns: Vec<_> = (0..12).map(|c| ask(&mut register, square(n, (0..n).map(|r| (r, c)))).map(|_| ())).collect();
    let first = columns.iter().position(|told| told.is_err()).unwrap();
    assert!(first > 3, "refused at column {first}");
    assert!(columns[first..].iter().all(|told| *told == Err(Clause::TooIntricate)), "{columns:?}");
}

#[test]
fn counts_are_safe() {
    let mut register = Register::default();
    let records = |members: &str, each: usize| {
        let names: Vec<(String, String)> =
            members.chars().flat_map(|m| (0..each).map(move |i| (format!("{m}{i}"), m.to_string()))).collect();
        let named: Vec<(&str, &str, i64)> = names.iter().map(|(s, m)| (s.as_str(), m.as_str(), 1)).collect();
        Cell { table: id("strains-with-gene"), ..cell(&named) }
    };
    let answer = |register: &mut Register, cell| register.count(cell, day(400)).unwrap();
    // None and few are one answer.
    let none = answer(&mut register, records("", 1));
    let few = answer(&mut register, records("abcd", 9));
    assert_eq!(none, few);
    assert!(matches!(&none, Answer::Withheld { reason } if !reason.ja.is_empty() && !reason.en.is_empty()));
    assert_eq!(answer(&mut register, records("abcdef", 3)), Answer::AtLeast { count: 15 });
    // One member more would be told by difference; that answer is withheld in the same words.
    assert_eq!(answer(&mut register, records("abcdefg", 3)), none);
}

/// A simple generator, so that every world can be told by its number.
struct Mix(u64);
impl Mix {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Worlds of 5 to 8 companies with up to two sources each and up to five totals asked for at random, under a
/// rule loose enough that many are let out. Whatever was let out is attacked:
///
/// * every member, knowing its own figures and every total without rounding, bounds every figure of every other
///   by all vertices of what is possible (an exhaustive linear programme): no bound may come within p %;
/// * all combinations of totals with factors −3 to 3: none concerns fewer members than the rule asks.
#[test]
fn no_reconstruction_comes_near_what_was_let_out() {
    let rule =
        Rule { contributors_min: 3, top_share_percent_max: 70, dominance_percent_max: 95, p_percent: 20, ..Rule::default() };
    let (mut let_out, mut bounds, mut refused) = (0, 0, BTreeMap::new());
    for world in 0..400 {
        let mut mix = Mix(world * 7919 + 1);
        let members = 5 + mix.below(4);
        let mut sources = Vec::new();
        for m in 0..members {
            for s in 0..1 + mix.below(2) {
                sources.push((format!("s{m}-{s}"), format!("m{m}"), 1 + mix.below(40) as i64));
            }
        }
        let mut register = Register::new(rule.clone());
        let mut cells: Vec<Vec<usize>> = Vec::new();
        for _ in 0..5 {
            let few = mix.below(3);
            let chosen: Vec<usize> = (0..sources.len()).filter(|_| mix.below(4) >= few).collect();
            let named: Vec<(&str, &str, i64)> =
                chosen.iter().map(|&i| (sources[i].0.as_str(), sources[i].1.as_str(), sources[i].2)).collect();
            match ask(&mut register, cell(&named)) {
                Ok(_) => {
                    let_out += 1;
                    if !cells.contains(&chosen) {
                        cells.push(chosen);
                    }
                }
                Err(clause) => *refused.entry(clause).or_insert(0) += 1,
            }
        }
        combinations(world, &sources, &cells, rule.contributors_min);
        bounds += attack(world, &sources, &cells, 0.2);
    }
    assert!(let_out > 400, "{let_out} let out, refused {refused:?}");
    assert!(bounds > 10_000, "{bounds} bounds");
    for clause in [Clause::FewDerivable, Clause::DerivedTotal, Clause::Estimate] {
        assert!(refused.get(&clause).is_some_and(|n| *n > 0), "{clause:?} never refused: {refused:?}");
    }
}

fn combinations(world: u64, sources: &[(String, String, i64)], cells: &[Vec<usize>], contributors_min: usize) {
    for code in 1..7usize.pow(cells.len() as u32) {
        let mut vector = vec![0i64; sources.len()];
        let mut rest = code;
        for cell in cells {
            let factor = (rest % 7) as i64 - 3;
            rest /= 7;
            cell.iter().for_each(|&i| vector[i] += factor);
        }
        let touched: BTreeSet<&str> =
            vector.iter().zip(sources).filter(|(v, _)| **v != 0).map(|(_, (_, m, _))| m.as_str()).collect();
        assert!(touched.is_empty() || touched.len() >= contributors_min, "world {world}: {vector:?} tells of {touched:?}");
    }
}

/// All bounds a member can find; panics when one is nearer than p. Gives their number.
fn attack(world: u64, sources: &[(String, String, i64)], cells: &[Vec<usize>], p: f64) -> usize {
    // Sources in the same cells cannot be told apart: the unknowns are members' parts of such classes.
    let mut unknowns: BTreeMap<(Vec<bool>, &str), f64> = BTreeMap::new();
    for (i, (_, member, value)) in sources.iter().enumerate() {
        let pattern: Vec<bool> = cells.iter().map(|c| c.contains(&i)).collect();
        if pattern.iter().any(|b| *b) {
            *unknowns.entry((pattern, member.as_str())).or_default() += *value as f64;
        }
    }
    let keys: Vec<&(Vec<bool>, &str)> = unknowns.keys().collect();
    let truth: Vec<f64> = unknowns.values().copied().collect();
    let lookers: BTreeSet<&str> = keys.iter().map(|(_, m)| *m).collect();
    let mut bounds = 0;
    for looker in lookers {
        let open: Vec<usize> = (0..keys.len()).filter(|&i| keys[i].1 != looker).collect();
        let rows: Vec<(Vec<f64>, f64)> = (0..cells.len())
            .map(|r| {
                let row: Vec<f64> = open.iter().map(|&i| f64::from(u8::from(keys[i].0[r]))).collect();
                let total = row.iter().zip(&open).map(|(a, &i)| a * truth[i]).sum();
                (row, total)
            })
            .collect();
        let vertices = vertices(&rows, open.len());
        // Objectives: each unknown, and each member's part of each cell.
        let mut objectives: Vec<(String, Vec<usize>)> = (0..open.len()).map(|k| (keys[open[k]].1.to_owned(), vec![k])).collect();
        for r in 0..cells.len() {
            let mut parts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for (k, &i) in open.iter().enumerate().filter(|(_, i)| keys[**i].0[r]) {
                parts.entry(keys[i].1).or_default().push(k);
            }
            objectives.extend(parts.into_iter().map(|(m, part)| (m.to_owned(), part)));
        }
        for (target, part) in objectives {
            let value: f64 = part.iter().map(|&k| truth[open[k]]).sum();
            let sums = vertices.iter().map(|v| part.iter().map(|&k| v[k]).sum::<f64>());
            let (low, high) = sums.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), s| (l.min(s), h.max(s)));
            assert!(
                low <= value * (1.0 - p) + 1e-6 && high >= value * (1.0 + p) - 1e-6,
                "world {world}: {looker} bounds {value} of {target} by {low} to {high}"
            );
            bounds += 1;
        }
    }
    bounds
}

/// All basic feasible solutions of rows · x = totals, x ≥ 0.
fn vertices(rows: &[(Vec<f64>, f64)], n: usize) -> Vec<Vec<f64>> {
    // Independent rows.
    let mut kept: Vec<(Vec<f64>, f64)> = Vec::new();
    for (row, total) in rows {
        let (mut r, mut t) = (row.clone(), *total);
        for (k, kt) in &kept {
            let lead = k.iter().position(|v| v.abs() > 1e-9).unwrap();
            let factor = r[lead] / k[lead];
            r.iter_mut().zip(k).for_each(|(a, b)| *a -= factor * b);
            t -= factor * kt;
        }
        if r.iter().any(|v| v.abs() > 1e-9) {
            kept.push((r, t));
        }
    }
    let rank = kept.len();
    let mut found = Vec::new();
    let mut basis: Vec<usize> = (0..rank).collect();
    loop {
        if let Some(part) = solve(&kept, &basis)
            && part.iter().all(|v| *v >= -1e-9)
        {
            let mut x = vec![0.0; n];
            basis.iter().zip(part).for_each(|(&c, v)| x[c] = v);
            found.push(x);
        }
        // The next combination.
        let Some(i) = (0..rank).rev().find(|&i| basis[i] < n - rank + i) else { return found };
        basis[i] += 1;
        for j in i + 1..rank {
            basis[j] = basis[j - 1] + 1;
        }
    }
}

/// Gauss with pivoting on the chosen columns.
fn solve(rows: &[(Vec<f64>, f64)], columns: &[usize]) -> Option<Vec<f64>> {
    let n = rows.len();
    let mut a: Vec<Vec<f64>> =
        rows.iter().map(|(row, total)| columns.iter().map(|&c| row[c]).chain(std::iter::once(*total)).collect()).collect();
    for i in 0..n {
        let best = (i..n).max_by(|&x, &y| a[x][i].abs().total_cmp(&a[y][i].abs()))?;
        if a[best][i].abs() < 1e-9 {
            return None;
        }
        a.swap(i, best);
        let pivot = a[i].clone();
        for (_, row) in a.iter_mut().enumerate().filter(|(r, _)| *r != i) {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
        }
    }
    Some((0..n).map(|i| a[i][n] / a[i][i]).collect())
}
