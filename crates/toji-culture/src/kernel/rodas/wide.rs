//! The two long calculations of a step, in the widest instructions that the processor has.
//!
//! AVX2 does the same operations on more numbers at once, each rounded as ever (nothing is fused), so every processor
//! gives the same bits. What they call is inlined into them: code that stays a call of its own would be narrow.

use super::{Rodas, Slopes};
use crate::kernel::number::Number;

/// [`Rodas::look`].
#[allow(unsafe_code, reason = "the processor is asked first")]
pub(super) fn begin<N: Number>(steps: &mut Rodas<N>, model: &mut impl Slopes<N>, t: N, y: &[N]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { with_avx2::begin(steps, model, t, y) };
    }
    steps.look(model, t, y);
}

/// [`Rodas::advance`].
#[allow(unsafe_code, reason = "the processor is asked first")]
pub(super) fn advance<N: Number>(steps: &mut Rodas<N>, model: &mut impl Slopes<N>, at: (N, N, N)) -> N {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { with_avx2::advance(steps, model, at) };
    }
    steps.advance(model, at)
}

#[cfg(target_arch = "x86_64")]
mod with_avx2 {
    use super::{Number, Rodas, Slopes};

    #[target_feature(enable = "avx2")]
    pub(super) fn begin<N: Number>(steps: &mut Rodas<N>, model: &mut impl Slopes<N>, t: N, y: &[N]) {
        steps.look(model, t, y);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn advance<N: Number>(steps: &mut Rodas<N>, model: &mut impl Slopes<N>, at: (N, N, N)) -> N {
        steps.advance(model, at)
    }
}
