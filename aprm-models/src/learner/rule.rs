use aprm_core::optimizer::{Adam, GradientDescent, MomentSpace, Ogda, OptimisticAdam, Optimizer};
use aprm_core::scalar::Scalar;

/// Which update rule a learner follows, and its coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleConfig<T> {
    /// [`GradientDescent`].
    GradientDescent,
    /// [`Ogda`].
    Ogda {
        /// β.
        optimism: T,
    },
    /// [`Adam`].
    Adam(AdamCoefficients<T>),
    /// [`OptimisticAdam`].
    OptimisticAdam {
        /// The coefficients of the moments, and the weight decay.
        adam: AdamCoefficients<T>,
        /// β.
        optimism: T,
    },
}

/// The coefficients of [`Adam`], whose defaults they share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamCoefficients<T> {
    /// β₁; 0.9 by default.
    pub beta1: T,
    /// β₂; 0.999 by default.
    pub beta2: T,
    /// ε; 1e-8 by default.
    pub epsilon: T,
    /// λ; 0 by default, and AdamW otherwise.
    pub weight_decay: T,
}

impl<T: Scalar> Default for AdamCoefficients<T> {
    fn default() -> Self {
        let Adam { beta1, beta2, epsilon, weight_decay, .. } = Adam::<(), T>::new((), (), ());
        Self { beta1, beta2, epsilon, weight_decay }
    }
}

/// An update rule chosen at run time, whose state a checkpoint can reach.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule<V, T> {
    /// Has no state.
    GradientDescent,
    /// Keeps the previous gradient.
    Ogda(Ogda<V, T>),
    /// Keeps two moments.
    Adam(Adam<V, T>),
    /// Keeps two moments and the previous direction.
    OptimisticAdam(OptimisticAdam<V, T>),
}

impl<V, T: Scalar> Rule<V, T> {
    /// A rule before its first step, over vectors of zeros.
    ///
    /// # Errors
    /// Whatever `zeros` reports.
    pub fn new<E>(config: RuleConfig<T>, mut zeros: impl FnMut() -> Result<V, E>) -> Result<Self, E> {
        Ok(match config {
            RuleConfig::GradientDescent => Self::GradientDescent,
            RuleConfig::Ogda { optimism } => Self::Ogda(ogda(optimism, zeros()?)),
            RuleConfig::Adam(coefficients) => Self::Adam(adam(coefficients, &mut zeros)?),
            RuleConfig::OptimisticAdam { adam: coefficients, optimism } => Self::OptimisticAdam(OptimisticAdam {
                adam: adam(coefficients, &mut zeros)?,
                ogda: ogda(optimism, zeros()?),
            }),
        })
    }

    /// What a checkpoint calls the rule.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GradientDescent => "gradient_descent",
            Self::Ogda(_) => "ogda",
            Self::Adam(_) => "adam",
            Self::OptimisticAdam(_) => "optimistic_adam",
        }
    }

    /// The number of steps that the rule counts itself: of which moments are corrected, and whether a previous gradient is
    /// there. Zero for a rule that does not count.
    pub fn steps(&self) -> u64 {
        match self {
            Self::GradientDescent => 0,
            Self::Ogda(ogda) => ogda.steps,
            Self::Adam(adam) => adam.steps,
            Self::OptimisticAdam(optimistic) => optimistic.adam.steps,
        }
    }

    /// Continues from so many steps; vectors are those of [`Rule::vectors_mut`].
    pub fn set_steps(&mut self, steps: u64) {
        match self {
            Self::GradientDescent => {}
            Self::Ogda(ogda) => ogda.steps = steps,
            Self::Adam(adam) => adam.steps = steps,
            Self::OptimisticAdam(optimistic) => {
                optimistic.adam.steps = steps;
                optimistic.ogda.steps = steps;
            }
        }
    }

    /// The vectors that the next step depends on, by name; scratch memory is none of them.
    pub fn vectors(&self) -> Vec<(&'static str, &V)> {
        match self {
            Self::GradientDescent => vec![],
            Self::Ogda(ogda) => vec![("previous_gradient", &ogda.previous_gradient)],
            Self::Adam(adam) => vec![("first_moment", &adam.first_moment), ("second_moment", &adam.second_moment)],
            Self::OptimisticAdam(OptimisticAdam { adam, ogda }) => vec![
                ("first_moment", &adam.first_moment),
                ("second_moment", &adam.second_moment),
                ("previous_direction", &ogda.previous_gradient),
            ],
        }
    }

    /// The same, to be overwritten by a checkpoint's.
    pub fn vectors_mut(&mut self) -> Vec<(&'static str, &mut V)> {
        match self {
            Self::GradientDescent => vec![],
            Self::Ogda(ogda) => vec![("previous_gradient", &mut ogda.previous_gradient)],
            Self::Adam(adam) => {
                vec![("first_moment", &mut adam.first_moment), ("second_moment", &mut adam.second_moment)]
            }
            Self::OptimisticAdam(OptimisticAdam { adam, ogda }) => vec![
                ("first_moment", &mut adam.first_moment),
                ("second_moment", &mut adam.second_moment),
                ("previous_direction", &mut ogda.previous_gradient),
            ],
        }
    }
}

fn ogda<V, T: Scalar>(optimism: T, previous_gradient: V) -> Ogda<V, T> {
    Ogda { optimism, ..Ogda::new(previous_gradient) }
}

fn adam<V, T: Scalar, E>(
    coefficients: AdamCoefficients<T>,
    zeros: &mut impl FnMut() -> Result<V, E>,
) -> Result<Adam<V, T>, E> {
    let AdamCoefficients { beta1, beta2, epsilon, weight_decay } = coefficients;
    Ok(Adam { beta1, beta2, epsilon, weight_decay, ..Adam::new(zeros()?, zeros()?, zeros()?) })
}

impl<S: MomentSpace<Vector: Sized>> Optimizer<S> for Rule<S::Vector, S::Scalar> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        match self {
            Self::GradientDescent => GradientDescent.step(space, learning_rate, gradient, parameters),
            Self::Ogda(ogda) => ogda.step(space, learning_rate, gradient, parameters),
            Self::Adam(adam) => adam.step(space, learning_rate, gradient, parameters),
            Self::OptimisticAdam(optimistic) => optimistic.step(space, learning_rate, gradient, parameters),
        }
    }
}
