//! Factorising a basis afresh: peel singletons, then Markowitz elimination of the rest.

use super::{DROP, Factor, Singular};

/// A pivot must be at least this fraction of the largest entry of its column.
const THRESHOLD: f64 = 0.1;
/// A pivot below this is none.
const SMALLEST: f64 = 1e-9;

/// Buffers kept between factorisations.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
    row_starts: Vec<usize>,
    row_columns: Vec<u32>,
    column_count: Vec<u32>,
    row_count: Vec<u32>,
    row_done: Vec<bool>,
    place: Vec<u32>,
    active: Vec<Vec<(u32, f64)>>,
    pattern: Vec<Vec<u32>>,
    stack: Vec<(bool, u32)>,
    settled: Vec<Vec<(u32, f64)>>,
    columns: Lengths,
    rows: Lengths,
}

/// Columns (or rows) by length. What has changed its length since is still where it was, and is passed over.
#[derive(Debug, Clone, Default)]
struct Lengths {
    lists: Vec<Vec<u32>>,
    /// Nothing is shorter.
    least: usize,
}

impl Lengths {
    fn clear(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
        self.least = usize::MAX;
    }

    fn put(&mut self, length: usize, which: u32) {
        if length > 0 {
            if self.lists.len() <= length {
                self.lists.resize(length + 1, Vec::new());
            }
            self.lists[length].push(which);
            self.least = self.least.min(length);
        }
    }

    /// Up to four of the shortest; `now` tells the length of each, zero when it is done.
    fn shortest(&mut self, now: impl Fn(u32) -> usize) -> ([u32; 4], usize) {
        let (mut found, mut count) = ([NONE; 4], 0);
        while self.least < self.lists.len() {
            let list = &mut self.lists[self.least];
            let mut at = list.len();
            while at > 0 && count < found.len() {
                at -= 1;
                let which = list[at];
                if now(which) != self.least || found[..count].contains(&which) {
                    list.swap_remove(at);
                } else {
                    found[count] = which;
                    count += 1;
                }
            }
            if count > 0 {
                break;
            }
            self.least += 1;
        }
        (found, count)
    }
}

const NONE: u32 = u32::MAX;

impl Factor {
    /// Factorises the basis whose `k`-th column `column(k, sink)` writes; answers the pivot row of each column.
    ///
    /// # Errors
    /// The columns and rows without a pivot when the basis is singular to working precision.
    pub(crate) fn factorise(
        &mut self,
        m: usize,
        mut column: impl FnMut(usize, &mut Vec<(u32, f64)>),
    ) -> Result<Vec<usize>, Singular> {
        self.reset(m);
        let mut s = std::mem::take(&mut self.scratch);
        s.load(m, &mut column);
        self.entries = s.entries.len();
        self.peel(&mut s);
        self.nucleus(&mut s);
        let result = self.finish(&s);
        // Factors that fill in are not worn for that: fresh ones would fill in as much.
        self.entries = self.entries.max(self.lower.values.len() + self.upper_entries);
        self.scratch = s;
        result
    }

    fn reset(&mut self, m: usize) {
        self.m = m;
        self.lower.clear();
        self.rows.clear();
        self.diagonal.clear();
        self.diagonal.resize(m, 1.0);
        self.upper_columns.resize(m, Vec::new());
        self.upper_rows.resize(m, Vec::new());
        self.upper_columns.iter_mut().for_each(Vec::clear);
        self.upper_rows.iter_mut().for_each(Vec::clear);
        self.order.clear();
        self.spot.clear();
        self.spot.resize(m, 0);
        self.work.clear();
        self.work.resize(m, 0.0);
        self.updates = 0;
    }

    /// Pivots that need no arithmetic on other columns: columns with one open row, rows with one open column.
    fn peel(&mut self, s: &mut Scratch) {
        s.stack.clear();
        for k in (0..self.m).rev() {
            if s.row_count[k] == 1 {
                s.stack.push((false, k as u32));
            }
        }
        for k in (0..self.m).rev() {
            if s.column_count[k] == 1 {
                s.stack.push((true, k as u32));
            }
        }
        while let Some((is_column, which)) = s.stack.pop() {
            if is_column {
                self.peel_column(s, which as usize);
            } else {
                self.peel_row(s, which as usize);
            }
        }
    }

    fn peel_column(&mut self, s: &mut Scratch, k: usize) {
        if s.place[k] != NONE || s.column_count[k] != 1 {
            return;
        }
        let range = s.starts[k]..s.starts[k + 1];
        let Some(&(row, value)) = s.entries[range.clone()].iter().find(|e| !s.row_done[e.0 as usize]) else { return };
        if value.abs() < SMALLEST {
            return;
        }
        for &(r, v) in &s.entries[range] {
            if r != row {
                self.upper_columns[row as usize].push((r, v));
            }
        }
        self.pivot(s, k, row, value);
        for at in s.row_starts[row as usize]..s.row_starts[row as usize + 1] {
            let j = s.row_columns[at] as usize;
            if s.place[j] == NONE {
                s.column_count[j] -= 1;
                if s.column_count[j] == 1 {
                    s.stack.push((true, j as u32));
                }
            }
        }
    }

    fn peel_row(&mut self, s: &mut Scratch, row: usize) {
        if s.row_done[row] || s.row_count[row] != 1 {
            return;
        }
        let columns = &s.row_columns[s.row_starts[row]..s.row_starts[row + 1]];
        let Some(k) = columns.iter().map(|&k| k as usize).find(|&k| s.place[k] == NONE) else { return };
        let range = s.starts[k]..s.starts[k + 1];
        let (mut value, mut largest) = (0.0_f64, 0.0_f64);
        for &(r, v) in &s.entries[range.clone()] {
            if !s.row_done[r as usize] {
                largest = largest.max(v.abs());
            }
            if r as usize == row {
                value = v;
            }
        }
        if value.abs() < SMALLEST || value.abs() < THRESHOLD * largest {
            return;
        }
        for at in range {
            let (r, v) = s.entries[at];
            if r as usize == row {
                continue;
            }
            if s.row_done[r as usize] {
                self.upper_columns[row].push((r, v));
            } else {
                self.lower.push(r, v / value);
                s.row_count[r as usize] -= 1;
                if s.row_count[r as usize] == 1 {
                    s.stack.push((false, r));
                }
            }
        }
        self.lower.close(row as u32);
        self.pivot(s, k, row as u32, value);
    }

    fn pivot(&mut self, s: &mut Scratch, k: usize, row: u32, value: f64) {
        s.place[k] = row;
        s.row_done[row as usize] = true;
        self.diagonal[row as usize] = value;
        self.spot[row as usize] = self.order.len() as u32;
        self.order.push(row);
    }

    /// Markowitz elimination of what the peeling left.
    fn nucleus(&mut self, s: &mut Scratch) {
        if s.place.iter().all(|&p| p != NONE) {
            return;
        }
        let mut settled = std::mem::take(&mut s.settled);
        settled.resize(self.m, Vec::new());
        for r in (0..self.m).filter(|&r| !s.row_done[r]) {
            s.pattern[r].clear();
        }
        // Entries in rows that are done belong to U already; they wait in `settled` until the column finds its pivot.
        for k in (0..self.m).filter(|&k| s.place[k] == NONE) {
            let list = &mut s.active[k];
            list.clear();
            settled[k].clear();
            for &(r, v) in &s.entries[s.starts[k]..s.starts[k + 1]] {
                if s.row_done[r as usize] {
                    settled[k].push((r, v));
                } else {
                    list.push((r, v));
                    s.pattern[r as usize].push(k as u32);
                }
            }
        }
        s.columns.clear();
        s.rows.clear();
        for k in 0..self.m {
            if s.place[k] == NONE {
                s.columns.put(s.active[k].len(), k as u32);
            }
            if !s.row_done[k] {
                s.rows.put(s.pattern[k].len(), k as u32);
            }
        }
        while let Some((k, row, value)) = choose(s) {
            self.eliminate(s, &mut settled, k, row, value);
        }
        s.settled = settled;
    }

    fn eliminate(&mut self, s: &mut Scratch, settled: &mut [Vec<(u32, f64)>], k: usize, row: u32, value: f64) {
        let mut pivot_column = std::mem::take(&mut s.active[k]);
        let first = self.lower.indices.len();
        for &(r, v) in &pivot_column {
            drop_column(&mut s.pattern[r as usize], k as u32);
            if r != row {
                self.lower.push(r, v / value);
            }
        }
        let last = self.lower.indices.len();
        let mut others = std::mem::take(&mut s.pattern[row as usize]);
        for &j in &others {
            let column = &mut s.active[j as usize];
            let Some(at) = column.iter().position(|e| e.0 == row) else { continue };
            let u = column.swap_remove(at).1;
            settled[j as usize].push((row, u));
            for e in column.iter() {
                self.work[e.0 as usize] = e.1;
            }
            for at in first..last {
                let r = self.lower.indices[at];
                let change = self.lower.values[at] * u;
                if self.work[r as usize] == 0.0 {
                    column.push((r, -change));
                    s.pattern[r as usize].push(j);
                } else if let Some(e) = column.iter_mut().find(|e| e.0 == r) {
                    e.1 -= change;
                }
            }
            let pattern = &mut s.pattern;
            let work = &mut self.work;
            column.retain(|e| {
                work[e.0 as usize] = 0.0;
                let keep = e.1.abs() > DROP;
                if !keep {
                    drop_column(&mut pattern[e.0 as usize], j);
                }
                keep
            });
        }
        self.lower.close(row);
        self.upper_columns[row as usize].append(&mut settled[k]);
        self.pivot(s, k, row, value);
        for &j in others.iter().filter(|&&j| j as usize != k) {
            s.columns.put(s.active[j as usize].len(), j);
        }
        for &(r, _) in pivot_column.iter().filter(|e| e.0 != row) {
            s.rows.put(s.pattern[r as usize].len(), r);
        }
        pivot_column.clear();
        s.active[k] = pivot_column;
        others.clear();
        s.pattern[row as usize] = others;
    }

    fn finish(&mut self, s: &Scratch) -> Result<Vec<usize>, Singular> {
        let columns: Vec<usize> = (0..self.m).filter(|&k| s.place[k] == NONE).collect();
        if !columns.is_empty() {
            return Err(Singular { columns, rows: (0..self.m).filter(|&r| !s.row_done[r]).collect() });
        }
        self.upper_entries = 0;
        for at in 0..self.order.len() {
            let p = self.order[at];
            self.upper_entries += self.upper_columns[p as usize].len();
            for &(r, v) in &self.upper_columns[p as usize] {
                self.upper_rows[r as usize].push((p, v));
            }
        }
        Ok(s.place.iter().map(|&p| p as usize).collect())
    }
}

impl Scratch {
    fn load(&mut self, m: usize, column: &mut impl FnMut(usize, &mut Vec<(u32, f64)>)) {
        self.starts.clear();
        self.starts.push(0);
        self.entries.clear();
        self.row_count.clear();
        self.row_count.resize(m, 0);
        self.column_count.clear();
        for k in 0..m {
            let before = self.entries.len();
            column(k, &mut self.entries);
            self.starts.push(self.entries.len());
            self.column_count.push((self.entries.len() - before) as u32);
        }
        for e in &self.entries {
            self.row_count[e.0 as usize] += 1;
        }
        self.row_starts.clear();
        self.row_starts.push(0);
        let mut sum = 0;
        for &count in &self.row_count {
            sum += count as usize;
            self.row_starts.push(sum);
        }
        self.row_columns.clear();
        self.row_columns.resize(sum, 0);
        let mut next: Vec<usize> = self.row_starts[..m].to_vec();
        for k in 0..m {
            for e in &self.entries[self.starts[k]..self.starts[k + 1]] {
                self.row_columns[next[e.0 as usize]] = k as u32;
                next[e.0 as usize] += 1;
            }
        }
        self.row_done.clear();
        self.row_done.resize(m, false);
        self.place.clear();
        self.place.resize(m, NONE);
        self.active.resize(m, Vec::new());
        self.pattern.resize(m, Vec::new());
    }
}

/// A pivot and the fill it may cause.
#[derive(Clone, Copy)]
struct Choice {
    fill: usize,
    column: usize,
    row: u32,
    value: f64,
}

/// The pivot of least fill among the shortest columns and the shortest rows, as far as they are stable; among all when
/// those hold none.
fn choose(s: &mut Scratch) -> Option<(usize, u32, f64)> {
    let mut best: Option<Choice> = None;
    let (active, place, pattern, row_done) = (&s.active, &s.place, &s.pattern, &s.row_done);
    let length = |k: u32| if place[k as usize] == NONE { active[k as usize].len() } else { 0 };
    let (columns, count) = s.columns.shortest(length);
    let (rows, row_count) = s.rows.shortest(|r| if row_done[r as usize] { 0 } else { pattern[r as usize].len() });
    if count == 0 {
        return None;
    }
    for &k in &columns[..count] {
        consider_column(s, k as usize, None, &mut best);
    }
    for &row in &rows[..row_count] {
        for &k in &s.pattern[row as usize] {
            consider_column(s, k as usize, Some(row), &mut best);
        }
    }
    if best.is_none() {
        for k in (0..s.place.len()).filter(|&k| s.place[k] == NONE) {
            consider_column(s, k, None, &mut best);
        }
    }
    best.map(|c| (c.column, c.row, c.value))
}

fn consider_column(s: &Scratch, k: usize, only: Option<u32>, best: &mut Option<Choice>) {
    let column = &s.active[k];
    let largest = column.iter().map(|e| e.1.abs()).fold(0.0, f64::max);
    for &(row, value) in column {
        if only.is_some_and(|r| r != row) || value.abs() < SMALLEST || value.abs() < THRESHOLD * largest {
            continue;
        }
        let fill = (column.len() - 1) * (s.pattern[row as usize].len() - 1);
        if best.is_none_or(|b| fill < b.fill || (fill == b.fill && value.abs() > b.value.abs())) {
            *best = Some(Choice { fill, column: k, row, value });
        }
    }
}

fn drop_column(list: &mut Vec<u32>, k: u32) {
    if let Some(at) = list.iter().position(|&c| c == k) {
        list.swap_remove(at);
    }
}
