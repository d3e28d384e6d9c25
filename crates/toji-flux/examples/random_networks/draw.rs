//! Random networks of a seed, of kinds that linear programming finds hard; the same everywhere.

use toji_flux::Sense;
use toji_flux::lp::Problem;
use toji_flux::sparse::Matrix;

/// Kinds of network, in turn.
const KINDS: [&str; 12] =
    ["plain", "loops", "degenerate", "forced", "open", "scaled", "sides", "genome", "wild", "empty", "free", "switched"];

/// Vigna's splitmix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    fn happens(&mut self, chance: f64) -> bool {
        self.part() < chance
    }
    fn pick(&mut self, from: &[f64]) -> f64 {
        self.choose(from)
    }
    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A network while it grows.
struct Draft {
    rows: usize,
    columns: Vec<Vec<(usize, f64)>>,
    bounds: Vec<(f64, f64)>,
    cost: Vec<f64>,
    sides: Vec<(f64, f64)>,
}

impl Draft {
    fn add(&mut self, column: Vec<(usize, f64)>, bounds: (f64, f64)) {
        self.columns.push(column);
        self.bounds.push(bounds);
        self.cost.push(0.0);
    }

    fn problem(self, sense: Sense) -> Option<Problem> {
        Some(Problem {
            matrix: Matrix::from_columns(self.rows, self.columns.iter().map(Vec::as_slice))?,
            lower: self.bounds.iter().map(|b| b.0).collect(),
            upper: self.bounds.iter().map(|b| b.1).collect(),
            cost: self.cost,
            sense,
            row_lower: self.sides.iter().map(|s| s.0).collect(),
            row_upper: self.sides.iter().map(|s| s.1).collect(),
        })
    }
}

/// The network of a seed and number, and its kind.
pub(crate) fn network(seed: u64, number: u64) -> Option<(&'static str, Problem)> {
    let kind = KINDS[(number % KINDS.len() as u64) as usize];
    let mut chance = Chance(seed.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ number);
    Some((kind, draw(&mut chance, kind)?))
}

fn draw(chance: &mut Chance, kind: &str) -> Option<Problem> {
    let rows = if kind == "genome" { 30 + chance.below(40) } else { 2 + chance.below(20) };
    let mut draft = Draft { rows, columns: Vec::new(), bounds: Vec::new(), cost: Vec::new(), sides: vec![(0.0, 0.0); rows] };
    let sizes: &[f64] = match kind {
        "degenerate" | "loops" => &[1.0, 1.0, 1.0, 2.0],
        "scaled" => &[1e-4, 3e-3, 0.05, 1.0, 1.0, 7.5, 120.0, 4e3],
        "genome" => &[1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 0.000_223, 0.054_154, 0.488_0, 53.95],
        "wild" => &[1e-6, 3.7e-5, 1e-3, 0.11, 1.0, 1.0, 1.0, 13.0, 2.9e3, 1e5, 1e6],
        _ => &[1.0, 1.0, 1.0, 2.0, 3.0, 0.5, 0.25],
    };
    let caps: &[f64] = match kind {
        "open" => &[f64::INFINITY, f64::INFINITY, 10.0],
        "scaled" => &[1e-3, 1.0, 1000.0, 1e5],
        "degenerate" => &[10.0],
        "wild" => &[1e-6, 1e-3, 1.0, 1000.0, 1e6],
        "free" => &[f64::INFINITY, f64::INFINITY, f64::INFINITY, 1000.0, 0.0],
        _ => &[1000.0, 1000.0, 10.0, 8.39],
    };
    let exchanges = 2 + chance.below(rows.min(8));
    for _ in 0..exchanges {
        let (row, cap) = (chance.below(rows), chance.pick(caps));
        let lower = if chance.happens(0.4) { -chance.pick(caps) } else { 0.0 };
        draft.add(vec![(row, -1.0)], (lower, cap));
    }
    for _ in 0..rows + chance.below(2 * rows) {
        let many = chance.happens(0.1);
        let parts = 2 + chance.below(if many { 6 } else { 3 });
        let mut column: Vec<(usize, f64)> = Vec::new();
        for at in 0..parts {
            let row = chance.below(rows);
            let size = chance.pick(sizes);
            if column.iter().all(|e| e.0 != row) {
                column.push((row, if at % 2 == 0 { -size } else { size }));
            }
        }
        let cap = chance.pick(caps);
        let lower = if chance.happens(0.35) { -cap } else { 0.0 };
        draft.add(column, (lower, cap));
    }
    match kind {
        "loops" => {
            // Rings of reversible reactions that run without anything from outside.
            for _ in 0..1 + chance.below(3) {
                let (start, length) = (chance.below(rows), 2 + chance.below(3));
                for step in 0..length {
                    let (a, b) = ((start + step) % rows, (start + (step + 1) % length) % rows);
                    if a != b {
                        draft.add(vec![(a, -1.0), (b, 1.0)], (if chance.happens(0.5) { -1000.0 } else { 0.0 }, 1000.0));
                    }
                }
            }
        }
        "degenerate" => {
            // The same reactions and the same balances again.
            for _ in 0..1 + chance.below(4) {
                let again = chance.below(draft.columns.len());
                draft.add(draft.columns[again].clone(), draft.bounds[again]);
            }
            for _ in 0..1 + chance.below(3) {
                let (of, factor) = (chance.below(rows), chance.pick(&[1.0, -1.0, 2.0]));
                let row = draft.rows;
                for column in &mut draft.columns {
                    let entry = column.iter().find(|e| e.0 == of).map(|e| e.1 * factor);
                    column.extend(entry.map(|value| (row, value)));
                }
                draft.rows += 1;
                draft.sides.push((0.0, 0.0));
            }
        }
        "forced" => {
            for _ in 0..1 + chance.below(3) {
                let column = chance.below(draft.columns.len());
                let least = chance.pick(&[0.1, 1.0, 3.15, 10.0]);
                draft.bounds[column].0 = least;
                // Now and then the bounds cross.
                draft.bounds[column].1 = if chance.happens(0.03) { least - 0.05 } else { draft.bounds[column].1.max(least) };
            }
        }
        "sides" => {
            for _ in 0..1 + chance.below(4) {
                let row = draft.rows;
                for column in &mut draft.columns {
                    if chance.happens(0.3) {
                        column.push((row, chance.pick(&[1.0, -1.0, 0.5, 2.0])));
                    }
                }
                draft.rows += 1;
                let least = chance.pick(&[f64::NEG_INFINITY, -5.0, 0.0, 1.0]);
                let most = if chance.happens(0.3) { f64::INFINITY } else { least.max(-20.0) + chance.pick(&[0.0, 1.0, 30.0]) };
                draft.sides.push((least, most));
            }
        }
        "empty" => {
            // Rows without entries, now and then with sides that nothing can meet; columns without entries, held columns, and
            // columns that are others times a number.
            for _ in 0..1 + chance.below(3) {
                draft.rows += 1;
                draft.sides.push(chance.choose(&[(0.0, 0.0), (0.0, 0.0), (-1.0, 2.0), (f64::NEG_INFINITY, 5.0), (1.0, 2.0)]));
            }
            for _ in 0..1 + chance.below(3) {
                draft.add(Vec::new(), chance.choose(&[(0.0, 10.0), (-3.0, 3.0), (4.0, 4.0), (0.0, f64::INFINITY)]));
                let held = chance.below(draft.columns.len());
                let at = chance.pick(&[0.0, 0.0, 0.5, 1.0]);
                draft.bounds[held] = (at, at);
                let (of, factor) = (chance.below(draft.columns.len()), chance.pick(&[1.0, -1.0, 3.0, 0.1]));
                let column = draft.columns[of].iter().map(|e| (e.0, e.1 * factor)).collect();
                draft.add(column, draft.bounds[of]);
            }
        }
        "switched" => {
            // A large number times a switch between zero and one lets a reaction run, as designs and communities have it, and
            // every switch costs a little.
            for _ in 0..2 + chance.below(6) {
                let (column, large) = (chance.below(draft.columns.len()), chance.pick(&[1e3, 1e5, 1e6]));
                let (row, switch) = (draft.rows, draft.columns.len());
                draft.columns[column].push((row, 1.0));
                draft.add(vec![(row, -large)], (0.0, 1.0));
                draft.cost[switch] = chance.pick(&[0.0, -1e-4, -1.0]);
                draft.rows += 1;
                draft.sides.push((f64::NEG_INFINITY, 0.0));
            }
            let aim = chance.below(exchanges);
            draft.cost[aim] = 1.0;
        }
        "genome" => {
            // A reaction that draws on many, forced to some degree or aimed at.
            let mut column: Vec<(usize, f64)> = Vec::new();
            for row in (0..rows).filter(|_| chance.happens(0.3)).collect::<Vec<_>>() {
                column.push((row, -chance.pick(sizes)));
            }
            draft.add(column, (0.0, 1000.0));
            let last = draft.cost.len() - 1;
            draft.cost[last] = 1.0;
        }
        _ => {}
    }
    if draft.cost.iter().all(|c| *c == 0.0) {
        let many = chance.happens(0.2);
        for _ in 0..1 + chance.below(if many { 6 } else { 2 }) {
            let column = chance.below(draft.columns.len());
            draft.cost[column] = chance.pick(&[1.0, 1.0, -1.0, 0.3, 5.0]);
        }
    }
    draft.problem(if chance.happens(0.7) { Sense::Maximize } else { Sense::Minimize })
}
