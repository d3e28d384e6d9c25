//! Work for a processor or a disk inside an asynchronous call.

/// Runs the work where it stands, and lets the runtime's other tasks move to other threads meanwhile. A
/// runtime of one thread has none to move to: there the work simply runs.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::CurrentThread) => work(),
        _ => tokio::task::block_in_place(work),
    }
}
