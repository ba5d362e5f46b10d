//! `f32` and `f64` in vector registers.

use aprm_core::scalar::Scalar;
use pulp::Simd;

/// A number that fills the lanes of a vector register.
pub(crate) trait Real: Scalar {
    /// A register of them.
    type Lanes<S: Simd>: Copy;

    /// The same number in all lanes.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Lanes<S>;

    /// `a b + c`, rounded once where the processor can.
    fn mul_add<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>, c: Self::Lanes<S>) -> Self::Lanes<S>;

    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;

    /// The whole registers of a slice; what is left of it is left out.
    fn lanes<S: Simd>(entries: &[Self]) -> &[Self::Lanes<S>];

    /// The same, to write to.
    fn lanes_mut<S: Simd>(entries: &mut [Self]) -> &mut [Self::Lanes<S>];

    /// A register whose first lanes are a slice's entries, which are no more than its lanes.
    fn load<S: Simd>(simd: S, entries: &[Self]) -> Self::Lanes<S>;

    /// Writes the first lanes of a register to a slice.
    fn store<S: Simd>(simd: S, entries: &mut [Self], lanes: Self::Lanes<S>);

    /// Lanes of a register.
    #[inline(always)]
    fn count<S: Simd>() -> usize {
        size_of::<Self::Lanes<S>>() / size_of::<Self>()
    }
}

macro_rules! real {
    ($real:ident, $lanes:ident, $splat:ident, $mul_add:ident, $add:ident, $as_lanes:ident, $as_lanes_mut:ident, $load:ident, $store:ident) => {
        impl Real for $real {
            type Lanes<S: Simd> = S::$lanes;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$lanes {
                simd.$splat(x)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$lanes, b: S::$lanes, c: S::$lanes) -> S::$lanes {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn lanes<S: Simd>(entries: &[Self]) -> &[S::$lanes] {
                S::$as_lanes(entries).0
            }

            #[inline(always)]
            fn lanes_mut<S: Simd>(entries: &mut [Self]) -> &mut [S::$lanes] {
                S::$as_lanes_mut(entries).0
            }

            #[inline(always)]
            fn load<S: Simd>(simd: S, entries: &[Self]) -> S::$lanes {
                simd.$load(entries)
            }

            #[inline(always)]
            fn store<S: Simd>(simd: S, entries: &mut [Self], lanes: S::$lanes) {
                simd.$store(entries, lanes);
            }
        }
    };
}

real!(
    f32,
    f32s,
    splat_f32s,
    mul_add_e_f32s,
    add_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
real!(
    f64,
    f64s,
    splat_f64s,
    mul_add_e_f64s,
    add_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);
