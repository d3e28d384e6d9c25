//! Ranks: Spearman's correlation (also with a third quantity taken out), the area under the ROC curve, and
//! the correction for many questions.

/// Ranks from 1, equal values sharing the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..].iter().take_while(|i| values[**i] == values[order[start]]).count().max(1);
        let shared = start as f64 + (same as f64 + 1.0) / 2.0;
        order[start..start + same].iter().for_each(|i| out[*i] = shared);
        start += same;
    }
    out
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len().min(b.len());
    if n < 3 {
        return None;
    }
    let (ma, mb) = (a[..n].iter().sum::<f64>() / n as f64, b[..n].iter().sum::<f64>() / n as f64);
    let (mut sab, mut saa, mut sbb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        sab += (x - ma) * (y - mb);
        saa += (x - ma) * (x - ma);
        sbb += (y - mb) * (y - mb);
    }
    let r = sab / (saa * sbb).sqrt();
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation; `None` below three pairs or when one side does not vary.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    pearson(&ranks(a), &ranks(b))
}

/// Rank correlation of `a` and `b` with `c` taken out (partial correlation of ranks).
#[must_use]
pub fn spearman_given(a: &[f64], b: &[f64], c: &[f64]) -> Option<f64> {
    let (ab, ac, bc) = (spearman(a, b)?, spearman(a, c), spearman(b, c));
    // What does not vary explains nothing.
    let (ac, bc) = (ac.unwrap_or(0.0), bc.unwrap_or(0.0));
    let rest = ((1.0 - ac * ac) * (1.0 - bc * bc)).sqrt();
    (rest > 1e-9).then(|| ((ab - ac * bc) / rest).clamp(-1.0, 1.0))
}

/// Area under the ROC curve: the chance that a value where the thing was perceived exceeds one where it was
/// not; ties count half. `None` when one side is empty.
#[must_use]
pub fn auc(values: &[f64], perceived: &[bool]) -> Option<f64> {
    let positive = perceived.iter().filter(|p| **p).count() as f64;
    let negative = perceived.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 || values.len() != perceived.len() {
        return None;
    }
    let sum: f64 = ranks(values).iter().zip(perceived).filter(|(_, p)| **p).map(|(r, _)| r).sum();
    Some((sum - positive * (positive + 1.0) / 2.0) / (positive * negative))
}

/// Levels after Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995, 289-300): the share of false finds one
/// accepts by calling this and all smaller ones found.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let m = p.len() as f64;
    let mut least: f64 = 1.0;
    let mut out = vec![1.0; p.len()];
    for (down, i) in order.into_iter().enumerate() {
        least = least.min(p[i] * m / (m - down as f64));
        out[i] = least;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_correlations_and_areas_by_hand() {
        assert_eq!(ranks(&[10.0, 20.0, 20.0, 5.0]), [2.0, 3.5, 3.5, 1.0]);
        // IQ and hours of television, the textbook example: ρ = −29/165.
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!((spearman(&iq, &hours).unwrap() + 29.0 / 165.0).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(auc(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]), Some(1.0));
        assert_eq!(auc(&[1.0, 2.0, 2.0, 3.0], &[false, true, false, true]), Some(0.875));
        assert_eq!(auc(&[1.0], &[true]), None);
        // Both follow c and nothing else.
        let c: Vec<f64> = (0..20).map(f64::from).collect();
        let a: Vec<f64> = c.iter().map(|v| v + f64::from((*v as i32 * 7) % 3)).collect();
        let b: Vec<f64> = c.iter().map(|v| v + f64::from((*v as i32 * 5) % 4)).collect();
        assert!(spearman(&a, &b).unwrap() > 0.95 && spearman_given(&a, &b, &c).unwrap().abs() < 0.45);
    }

    #[test]
    fn the_example_of_benjamini_and_hochberg() {
        // The fifteen levels of the paper's example: the four smallest are found at 0.05.
        let p =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        let q = benjamini_hochberg(&p);
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
        assert!((q[3] - 0.035_625).abs() < 1e-9);
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
