//! The allocator, and how soon it gives memory back.
//!
//! What long work frees goes back to the system: the allocator of glibc keeps it for each thread that once held it, and a
//! server in which 48 long runs had ended kept four times what one of them needs. mimalloc waits for a second before it
//! gives pages back, and a server that is asked all the time never comes to it: after bursts of 60 requests at once it
//! held 407 MiB, with a hundredth of a second 283, for a tenth more CPU.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, in milliseconds.
const PURGE_DELAY: c_int = 15;

// SAFETY: as `mimalloc.h` declares them; both take any option that exists, at any time and from any thread, and PURGE_DELAY
// does (the test sees its usual value).
#[allow(unsafe_code, reason = "mimalloc has no safe way to set an option")]
unsafe extern "C" {
    safe fn mi_option_set_default(option: c_int, value: c_long);
    #[cfg(test)]
    safe fn mi_option_get(option: c_int) -> c_long;
}

/// Gives pages back after 10 ms, unless `MIMALLOC_PURGE_DELAY` says otherwise.
pub(crate) fn give_back_soon() {
    mi_option_set_default(PURGE_DELAY, 10);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_after_a_hundredth_of_a_second() {
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            assert_eq!(mi_option_get(PURGE_DELAY), 1000, "the option that is usually a second");
            give_back_soon();
            assert_eq!(mi_option_get(PURGE_DELAY), 10);
        }
    }
}
