//! The same numbers, to the last bit, on any number of threads.

use super::model;
use toji_flux::analyse::{Removal, Variability, fva, single_genes};

#[test]
fn threads_change_nothing() {
    let Some(model) = model("RehMBEL1391.json") else { return };
    let network = model.network().unwrap();
    let ranges = |threads| fva(&network, &Variability { fraction: 0.9, threads, compress: true }).unwrap().unwrap();
    let one = ranges(1);
    for threads in [2, 5] {
        assert_eq!(ranges(threads), one);
    }
    let genes: Vec<usize> = (0..model.genes.len()).collect();
    let removed = |threads| single_genes(&model, &network, &genes, &Removal { threads, compress: true }).unwrap().unwrap();
    assert_eq!(removed(3), removed(1));
}
