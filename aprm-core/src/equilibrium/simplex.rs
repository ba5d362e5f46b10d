use crate::scalar::Scalar;

/// How a player's strategy splits into distributions: one after the other, all over equally many choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simplices {
    /// How many distributions there are.
    pub count: usize,
    /// How many choices each has.
    pub choices: usize,
}

impl Simplices {
    /// The number of probabilities.
    pub const fn dimension(&self) -> usize {
        self.count * self.choices
    }
}

/// A game in which both players choose distributions and each one's expected payoff is linear in its own.
///
/// ```text
/// E[r_p] = Σ_i x_i v_i(y)
/// ```
///
/// x is the player's strategy, y the opponent's, and v the player's action values.
pub trait SimplexGame {
    /// The number type of payoffs and probabilities.
    type Scalar: Scalar;

    /// The shape of each player's strategy.
    fn simplices(&self) -> [Simplices; 2];

    /// Writes what each of a player's choices is worth against the opponent's strategy; affine in the latter.
    fn action_values(&self, player: usize, opponent: &[Self::Scalar], values: &mut [Self::Scalar]);

    /// How often a player draws from one of its distributions; scales the regularisers there.
    fn weight(&self, _player: usize, _simplex: usize) -> Self::Scalar {
        num_traits::One::one()
    }

    /// An upper bound, over opponents and distributions, on how far apart the values of two choices of one
    /// distribution can lie, divided by the distribution's weight.
    fn value_spread(&self, player: usize) -> Self::Scalar;
}

/// Moves a vector to the nearest distribution that gives every choice at least `floor`.
///
/// ```text
/// argmin_x ‖x − z‖²  subject to  Σ_i x_i = 1,  x_i ≥ floor
/// ```
///
/// # Panics
/// If the vector is empty or `floor` times its length exceeds 1.
///
/// ```
/// let mut strategy = [1.5, 0.5, -3.0];
/// aprm_core::equilibrium::project_onto_simplex(&mut strategy, 0.0);
/// assert_eq!(strategy, [1.0, 0.0, 0.0]);
/// ```
///
/// # Reference
/// Michelot 1986: coordinates that would fall below the floor are dropped, and the rest shifted anew.
pub fn project_onto_simplex<T: Scalar>(z: &mut [T], floor: T) {
    let free_mass = T::one() - T::of_usize(z.len()) * floor;
    assert!(!z.is_empty() && free_mass >= T::zero(), "no distribution over {} choices has floor {floor}", z.len());
    // The shift is that of the coordinates still above it; it only rises as coordinates drop out.
    let mut shift = T::neg_infinity();
    let mut active = z.len() + 1;
    loop {
        let above = z.iter().filter(|&&z| z - floor > shift);
        let (sum, count) = above.fold((T::zero(), 0), |(sum, count), &z| (sum + (z - floor), count + 1));
        // The count only falls, but for a coordinate that rounding puts now above and now below the shift; NaN leaves no
        // active coordinate and passes through below.
        if count >= active || count == 0 {
            break;
        }
        active = count;
        shift = (sum - free_mass) / T::of_usize(count);
    }
    for z in z {
        let above_floor = *z - floor - shift;
        *z = if above_floor < T::zero() { floor } else { floor + above_floor };
    }
}
