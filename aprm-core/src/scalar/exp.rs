//! `e^x` and `e^x − 1` without a branch, a table or a fused multiply-add, so that a loop over a slice becomes vector
//! instructions on every target, and the bits are the same on all of them.
//!
//! ```text
//! x = n ln 2 + r,   n = round(x / ln 2),   |r| ≤ ln 2 / 2
//! e^x     = 2^n (1 + r + r² P(r))
//! e^x − 1 = 2^n (1 − 2^−n + r + r² P(r))
//! ```
//!
//! P is the polynomial that makes the largest relative error of `1 + r + r² P(r)` least, with P(0) = 1/2.
//! r is kept as a head, which is exact, and a tail, and the sum of the large terms is compensated for what it rounds away.
//!
//! # Reference
//! Cody and Waite 1980, "Software manual for the elementary functions", chapter 6.

macro_rules! exponential {
    ($float:ident, $bits:ident, $LN_2:expr, $RANGE:expr, $P:expr) => {
        pub(super) mod $float {
            /// ln 2 in bits so few that `n LN_2[0]` is exact, and the rest of it.
            const LN_2: [$float; 2] = $LN_2;
            /// Below it `e^x` rounds to zero, above it to infinity.
            const RANGE: [$float; 2] = $RANGE;
            /// The coefficients of P, that of the highest power first.
            const P: &[$float] = &$P;
            const FRACTION_BITS: u32 = $float::MANTISSA_DIGITS - 1;
            /// Added to a small number, it leaves the nearest integer in the lowest bits of the sum.
            const ROUND: $float = ((3 as $bits) << (FRACTION_BITS - 1)) as $float;

            /// `(1 + head + tail) 2^n`, where n is the sum of two exponents, since one may not hold it.
            struct Split {
                head: $float,
                tail: $float,
                exponents: [$bits; 2],
            }

            #[inline(always)]
            fn split(x: $float) -> Split {
                // Unlike `max` and `min`, these keep a NaN.
                let x = if x < RANGE[0] { RANGE[0] } else { x };
                let x = if x > RANGE[1] { RANGE[1] } else { x };
                let shifted = x * core::$float::consts::LOG2_E + ROUND;
                let n = shifted - ROUND;
                let (head, rest) = (x - n * LN_2[0], n * LN_2[1]);
                let r = head - rest;
                let p = P[1..].iter().fold(P[0], |sum, coefficient| sum * r + coefficient);
                // The upper bits of `shifted` are no part of n, and `power` shifts them out.
                let n = shifted.to_bits();
                Split { head, tail: r * r * p - rest, exponents: [n >> 1, n - (n >> 1)] }
            }

            /// `2^exponent`, whatever the upper bits.
            #[inline(always)]
            fn power(exponent: $bits) -> $float {
                $float::from_bits((exponent << FRACTION_BITS).wrapping_add((1.0 as $float).to_bits()))
            }

            /// The sum of three numbers, the last of which is small, rounded once; the first is the largest, or zero.
            #[inline(always)]
            fn add(large: $float, small: $float, tail: $float) -> $float {
                let sum = large + small;
                sum + ((small - (sum - large)) + tail)
            }

            #[inline]
            pub(in crate::scalar) fn exp(x: $float) -> $float {
                let Split { head, tail, exponents: [a, b] } = split(x);
                add(1.0, head, tail) * power(a) * power(b)
            }

            #[inline]
            pub(in crate::scalar) fn exp_m1(x: $float) -> $float {
                let Split { head, tail, exponents: [a, b] } = split(x);
                let sum = add(power(a) - power(b.wrapping_neg()), power(a) * head, power(a) * tail);
                // Of the two zeros, the right one.
                if x == 0.0 { x } else { sum * power(b) }
            }
        }
    };
}

exponential!(
    f32,
    u32,
    [0.693_145_75, 1.428_606_8e-6],
    [-104.0, 89.0],
    [1.381_459_9e-3, 8.368_717e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1]
);

exponential!(
    f64,
    u64,
    [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14],
    [-746.0, 710.0],
    [
        2.510_708_456_758_252_5e-8,
        2.763_235_264_325_396_6e-7,
        2.755_725_103_725_777_5e-6,
        2.480_148_821_385_927e-5,
        1.984_126_987_778_158e-4,
        1.388_888_894_692_392_9e-3,
        8.333_333_333_325_73e-3,
        4.166_666_666_652_557e-2,
        1.666_666_666_666_667e-1,
        5.000_000_000_000_01e-1,
    ]
);
