//! Two-player games with differentiable utilities.

use crate::scalar::Scalar;

/// A game that two players play by moving real vectors, the first player's coordinates before the second's.
///
/// ```text
/// F(z) = ( −∇_θ U_1(θ, φ), −∇_φ U_2(θ, φ) ),   z = (θ, φ)
/// ```
///
/// In APRM the first player is the generator, the second the verifier.
///
/// # For implementors
/// Utilities are maximised; the sign flips in [`Game::pseudo_gradient`] and nowhere else.
/// Scratch memory comes from the caller, who asks for its length once.
///
/// # For callers
/// All methods panic if a slice is shorter or longer than the game says; a workspace may be longer.
pub trait Game {
    /// The number type of the coordinates.
    type Scalar: Scalar;

    /// How many coordinates each player moves; a profile has the sum of both.
    fn dimensions(&self) -> [usize; 2];

    /// How many elements of scratch memory the other methods need; their content does not matter.
    fn workspace_len(&self) -> usize;

    /// Writes F(z) for the profile z.
    fn pseudo_gradient(
        &self,
        profile: &[Self::Scalar],
        workspace: &mut [Self::Scalar],
        pseudo_gradient: &mut [Self::Scalar],
    );

    /// Moves a profile to the nearest feasible one; where every vector is feasible there is nothing to do.
    fn project(&self, _profile: &mut [Self::Scalar]) {}

    /// What both players could gain together, each by a best response to the other; zero at an equilibrium alone.
    ///
    /// ```text
    /// NashConv(z) = max_θ' U_1(θ', φ) − U_1(θ, φ) + max_φ' U_2(θ, φ') − U_2(θ, φ)
    /// ```
    fn nash_conv(&self, profile: &[Self::Scalar], workspace: &mut [Self::Scalar]) -> Self::Scalar;

    /// Writes the strategies that a profile stands for; the profile itself, but where it holds logits.
    fn strategies(&self, profile: &[Self::Scalar], strategies: &mut [Self::Scalar]) {
        strategies.copy_from_slice(profile);
    }
}
