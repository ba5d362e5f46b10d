//! Judging a reward model, and the health of its training.
//!
//! | question | look in |
//! |---|---|
//! | does it find the first wrong step? | [`processbench`] |
//! | does it rank right steps above wrong ones? | [`auc`] |
//! | do its probabilities mean what they say? | [`calibration`] |
//! | how often is it fooled? | [`fooling_rate`] |
//! | has the generator collapsed onto a few rewrites? | [`distinct_n`] |
//! | do the players circle each other? | [`oscillation`] |
//! | does the critic know anything of the returns? | [`explained_variance`] |
//! | how sure is any of this? | [`bootstrap`] |
//!
//! A metric that is not defined for what it is given, such as no example, one class alone or a NaN, is `None` and never
//! NaN.
//! A ratio of counts is an `f64`; whatever is computed from the caller's numbers is of their type.

pub mod auc;
pub mod bootstrap;
pub mod calibration;
pub mod distinct_n;
pub mod explained_variance;
pub mod fooling_rate;
pub mod oscillation;
pub mod processbench;

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
