//! The cheapest set that meets every one of a list of sets.

/// A search for cheapest sets.
pub(super) struct Cover<'a> {
    weights: &'a [f64],
    cuts: &'a [Vec<usize>],
    /// Sets none of whose supersets is wanted.
    barred: &'a [Vec<usize>],
    best: Option<(f64, Vec<usize>)>,
    nodes: usize,
    limit: usize,
}

/// The cheapest set, if there is one, or that the search was cut short.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cheapest {
    Set(Vec<usize>),
    None,
    Limit,
}

/// The cheapest set of elements with at least one of every cut that contains none of the barred sets; branch and bound, each
/// branch on the cut with the fewest elements left, bounded by cuts that share none.
pub(super) fn cheapest(weights: &[f64], cuts: &[Vec<usize>], barred: &[Vec<usize>], limit: usize) -> Cheapest {
    let mut cover = Cover { weights, cuts, barred, best: None, nodes: 0, limit };
    let mut chosen = vec![false; weights.len()];
    let mut out = vec![false; weights.len()];
    if !cover.search(&mut chosen, &mut out, 0.0) {
        return Cheapest::Limit;
    }
    cover.best.map_or(Cheapest::None, |best| Cheapest::Set(best.1))
}

impl Cover<'_> {
    /// Whether the search went to its end.
    fn search(&mut self, chosen: &mut [bool], out: &mut [bool], cost: f64) -> bool {
        self.nodes += 1;
        if self.nodes > self.limit {
            return false;
        }
        if self.barred.iter().any(|set| set.iter().all(|&e| chosen[e])) {
            return true;
        }
        let uncovered: Vec<&Vec<usize>> = self.cuts.iter().filter(|cut| !cut.iter().any(|&e| chosen[e])).collect();
        if uncovered.is_empty() {
            if self.best.as_ref().is_none_or(|best| cost < best.0) {
                self.best = Some((cost, (0..chosen.len()).filter(|&e| chosen[e]).collect()));
            }
            return true;
        }
        let left = |cut: &[usize]| cut.iter().filter(|&&e| !out[e]).count();
        let mut by_size: Vec<&Vec<usize>> = uncovered;
        by_size.sort_by_key(|cut| left(cut));
        // Cuts that share no element each cost their cheapest.
        let (mut bound, mut taken) = (cost, vec![false; chosen.len()]);
        for cut in &by_size {
            if cut.iter().any(|&e| !out[e] && taken[e]) {
                continue;
            }
            let least = cut.iter().filter(|&&e| !out[e]).map(|&e| self.weights[e]).fold(f64::INFINITY, f64::min);
            bound += least;
            cut.iter().for_each(|&e| taken[e] = true);
        }
        if self.best.as_ref().is_some_and(|best| bound >= best.0 - 1e-9 * (1.0 + best.0)) || bound.is_infinite() {
            return true;
        }
        // Of the elements of the smallest cut, the ones that meet most cuts for their weight first.
        let meets = |e: usize| by_size.iter().filter(|cut| cut.contains(&e)).count() as f64;
        let mut branch: Vec<(f64, usize)> =
            by_size[0].iter().copied().filter(|&e| !out[e]).map(|e| (self.weights[e] / meets(e), e)).collect();
        branch.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut whole = true;
        for &(_, e) in &branch {
            chosen[e] = true;
            whole = self.search(chosen, out, cost + self.weights[e]);
            chosen[e] = false;
            if !whole {
                break;
            }
            out[e] = true;
        }
        for &(_, e) in &branch {
            out[e] = false;
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    #[test]
    fn the_cheapest_of_all_sets_is_found() {
        let mut chance = Chance::new(9);
        for _ in 0..60 {
            let n = 9;
            let weights: Vec<f64> = (0..n).map(|_| 1.0 + chance.below(4) as f64).collect();
            let cuts: Vec<Vec<usize>> =
                (0..6).map(|_| (0..n).filter(|_| chance.uniform() < 0.3).collect::<Vec<_>>()).filter(|c| !c.is_empty()).collect();
            let barred = vec![vec![0, 1], vec![3]];
            let cost = |set: usize| (0..n).filter(|e| set >> e & 1 == 1).map(|e| weights[e]).sum::<f64>();
            let fits = |set: usize| {
                cuts.iter().all(|c| c.iter().any(|e| set >> e & 1 == 1))
                    && !barred.iter().any(|b: &Vec<usize>| b.iter().all(|e| set >> e & 1 == 1))
            };
            let want = (0..1_usize << n).filter(|&s| fits(s)).map(cost).fold(f64::INFINITY, f64::min);
            match cheapest(&weights, &cuts, &barred, 100_000) {
                Cheapest::Set(set) => {
                    let bits = set.iter().map(|e| 1 << e).sum();
                    assert!(fits(bits) && (cost(bits) - want).abs() < 1e-12, "{set:?} {want}");
                }
                Cheapest::None => assert!(want.is_infinite()),
                Cheapest::Limit => panic!("limit"),
            }
        }
        assert_eq!(cheapest(&[1.0; 8], &[vec![0, 1], vec![2, 3], vec![4, 5]], &[], 2), Cheapest::Limit);
    }
}
