use core::f64::consts::PI;

use crate::scalar::Scalar;

/// How the learning rate falls after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Decay<T> {
    /// It does not.
    #[default]
    Constant,
    /// On a straight line to `floor` times the peak, `steps` after the warm-up.
    Linear {
        /// How many steps the fall takes.
        steps: u64,
        /// The share of the peak that is left.
        floor: T,
    },
    /// On half a cosine to `floor` times the peak, `steps` after the warm-up.
    Cosine {
        /// How many steps the fall takes.
        steps: u64,
        /// The share of the peak that is left.
        floor: T,
    },
}

/// A learning rate as a function of the step.
///
/// ```text
/// warm-up, t < w:   η_t = η (t + 1) / w
/// constant:         η_t = η
/// linear:           η_t = η (f + (1 − f) (1 − p))
/// cosine:           η_t = η (f + (1 − f) (1 + cos πp) / 2),   p = min(1, (t − w) / steps)
/// ```
///
/// The first step is t = 0 and its rate is not zero.
///
/// ```
/// use aprm_core::optimizer::{Decay, Schedule};
///
/// let schedule = Schedule { peak: 1.0, warmup_steps: 2, decay: Decay::Cosine { steps: 4, floor: 0.1 } };
/// let rates = [0, 1, 2, 4, 6, 100].map(|t| schedule.learning_rate(t));
/// assert_eq!(rates, [0.5, 1.0, 1.0, 0.55, 0.1, 0.1]);
/// ```
///
/// # Reference
/// Cosine: Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule<T> {
    /// η, reached at the end of the warm-up.
    pub peak: T,
    /// w, the number of steps over which the rate rises on a straight line.
    pub warmup_steps: u64,
    /// What happens then.
    pub decay: Decay<T>,
}

impl<T: Scalar> Schedule<T> {
    /// The same rate for every step.
    pub const fn constant(learning_rate: T) -> Self {
        Self { peak: learning_rate, warmup_steps: 0, decay: Decay::Constant }
    }

    /// The learning rate of step `step`, counted from zero.
    pub fn learning_rate(&self, step: u64) -> T {
        if step < self.warmup_steps {
            return self.peak * ratio(step + 1, self.warmup_steps);
        }
        let since_warmup = step - self.warmup_steps;
        let (share_left, floor) = match self.decay {
            Decay::Constant => return self.peak,
            Decay::Linear { steps, floor } => (T::one() - ratio(since_warmup, steps), floor),
            Decay::Cosine { steps, floor } => {
                let angle = T::of(PI) * ratio(since_warmup, steps);
                ((T::one() + angle.cos()) / T::of(2.0), floor)
            }
        };
        self.peak * (floor + (T::one() - floor) * share_left)
    }
}

/// `min(1, part / whole)`, and 1 for an empty whole.
fn ratio<T: Scalar>(part: u64, whole: u64) -> T {
    if part >= whole { T::one() } else { T::of(part as f64 / whole as f64) }
}
