//! Work in fixed pieces over threads: what a piece computes never depends on how many threads there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use toji_core::{Error, Result};

/// Runs `work(piece)` for every piece and answers in their order.
pub(super) fn pieces<T: Send>(count: usize, threads: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    if threads <= 1 || count <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let mut slots: Vec<Option<Result<T>>> = (0..count).map(|_| None).collect();
    let done = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.min(count))
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let piece = next.fetch_add(1, Ordering::Relaxed);
                        if piece >= count {
                            return mine;
                        }
                        mine.push((piece, work(piece)));
                    }
                })
            })
            .collect();
        handles.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for part in done {
        for (piece, result) in part.map_err(|_| Error::bug("E-FLUX-099", "a thread of an analysis panicked"))? {
            slots[piece] = Some(result);
        }
    }
    slots
        .into_iter()
        .map(|slot| slot.unwrap_or_else(|| Err(Error::bug("E-FLUX-099", "a piece of an analysis is missing"))))
        .collect()
}
