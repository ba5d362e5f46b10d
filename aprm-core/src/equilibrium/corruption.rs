use super::{SimplexGame, Simplices};
use crate::oracle::Verdict::{self, Correct, Incorrect, Undecidable};
use crate::player::Label;
use crate::reward::{Payoff, Reward};
use crate::scalar::Scalar;

/// What is on the table in a corruption game: the items, how each may be rewritten, and what a verifier sees of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorruptionBoard<'a, T> {
    /// How often each item is dealt; sums to 1.
    pub item_weights: &'a [T],
    /// What the verifier sees of each item's gold step: a number below `features`.
    pub gold_features: &'a [usize],
    /// The oracle's verdict on each candidate rewrite, item by item.
    pub verdicts: &'a [Verdict],
    /// What the verifier sees of each candidate rewrite, item by item.
    pub candidate_features: &'a [usize],
    /// How many different things a verifier can see.
    pub features: usize,
}

impl CorruptionBoard<'static, f64> {
    /// Three sums (+, × and −, dealt .5, .3 and .2 of the time) that a weak verifier must check.
    ///
    /// It sees the operation and whether the last digits agree, or that the step does not parse: 7 features.
    /// Each item may be rewritten as: a copy and a restatement (correct), a slipped carry (last digits agree), an
    /// off-by-one (they do not), the other two operations carried out rightly (they agree), or something malformed.
    /// The verifier cannot tell a slipped carry or a wrong operation from gold, so the generator hides where gold is
    /// frequent and the verifier distrusts where it hides.
    pub const ARITHMETIC: Self = Self {
        item_weights: &[0.5, 0.3, 0.2],
        gold_features: &[0, 1, 2],
        verdicts: &[
            Correct,
            Correct,
            Incorrect,
            Incorrect,
            Incorrect,
            Incorrect,
            Undecidable, //
            Correct,
            Correct,
            Incorrect,
            Incorrect,
            Incorrect,
            Incorrect,
            Undecidable, //
            Correct,
            Correct,
            Incorrect,
            Incorrect,
            Incorrect,
            Incorrect,
            Undecidable,
        ],
        candidate_features: &[0, 0, 0, 3, 1, 2, 6, 1, 1, 1, 4, 0, 2, 6, 2, 2, 2, 5, 0, 1, 6],
        features: 7,
    };
}

/// APRM's game with exact expectations: the generator's strategy is a distribution over the candidate rewrites of each
/// item, the verifier's a distribution over the labels (correct, incorrect) of each feature.
///
/// ```text
/// E[r_G] = (1 − ρ) Σ_i p_i Σ_j x_ij Σ_ℓ y_{f(i,j)}(ℓ) r_G(o_ij, ℓ)
/// E[r_R] = (1 − ρ) Σ_i p_i Σ_j x_ij Σ_ℓ y_{f(i,j)}(ℓ) r_R(o_ij, ℓ) + ρ Σ_i p_i Σ_ℓ y_{f(i)}(ℓ) r_R(correct, ℓ)
/// ```
///
/// i runs over items, j over candidates, o is the oracle's verdict, f what the verifier sees, ρ the share of gold
/// steps among those it is shown, without which it learns that everything is wrong.
/// In a gold round the generator neither acts nor is paid.
///
/// The regularisers are weighted by how often a distribution is drawn from: (1 − ρ) p_i for the generator; for the
/// verifier how often it sees the feature while the generator rewrites uniformly (the exact frequency would depend on
/// the generator's strategy and couple the regularisers; this choice is ours).
///
/// ```
/// use aprm_core::equilibrium::{Corruption, CorruptionBoard, SimplexGame};
/// use aprm_core::reward::PayoffTable;
///
/// let game = Corruption { board: CorruptionBoard::ARITHMETIC, reward: PayoffTable::default(), gold_share: 0.5 };
/// let trusting = [1.0, 0.0].repeat(7);
/// let mut values = [0.0; 21];
/// game.action_values(0, &trusting, &mut values);
/// assert_eq!(values[..7], [-0.25, -0.25, 0.25, 0.25, 0.25, 0.25, -0.25]); // times how often the item is rewritten
/// ```
///
/// # Reference
/// APRM, 2025, arXiv 2511.22888, for the payoffs; the finite game is this library's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corruption<'a, T, R> {
    /// The items and their rewrites.
    pub board: CorruptionBoard<'a, T>,
    /// What verdicts and labels pay.
    pub reward: R,
    /// ρ.
    pub gold_share: T,
}

const LABELS: [Label; 2] = [Label::Correct, Label::Incorrect];

impl<T: Scalar, R: Reward<(Verdict, Label), Scalar = T>> Corruption<'_, T, R> {
    /// The number of candidates of each item.
    fn candidates(&self) -> usize {
        self.board.verdicts.len() / self.board.item_weights.len()
    }

    /// Each candidate's item, verdict and feature.
    fn rewrites(&self) -> impl Iterator<Item = (usize, Verdict, usize)> {
        let candidates = self.candidates();
        let pairs = self.board.verdicts.iter().zip(self.board.candidate_features).enumerate();
        pairs.map(move |(index, (&verdict, &feature))| (index / candidates, verdict, feature))
    }

    /// How often the verifier sees a feature, given how much of an item's rewriting goes to the candidates, so many in
    /// number, that show it.
    fn frequency(&self, feature: usize, share: impl Fn(usize) -> T) -> T {
        let items = self.board.candidate_features.chunks_exact(self.candidates()).zip(self.board.gold_features);
        let frequencies = items.zip(self.board.item_weights).map(|((seen, &gold), &weight)| {
            let rewritten = share(seen.iter().filter(|&&seen| seen == feature).count());
            let gold = if gold == feature { self.gold_share } else { T::zero() };
            weight * ((T::one() - self.gold_share) * rewritten + gold)
        });
        frequencies.sum()
    }

    fn payoffs(&self, verdict: Verdict) -> [Payoff<T>; 2] {
        LABELS.map(|label| self.reward.payoff(&(verdict, label)))
    }
}

impl<T: Scalar, R: Reward<(Verdict, Label), Scalar = T>> SimplexGame for Corruption<'_, T, R> {
    type Scalar = T;

    fn simplices(&self) -> [Simplices; 2] {
        [
            Simplices { count: self.board.item_weights.len(), choices: self.candidates() },
            Simplices { count: self.board.features, choices: LABELS.len() },
        ]
    }

    fn action_values(&self, player: usize, opponent: &[T], values: &mut [T]) {
        if player == 0 {
            for ((item, verdict, feature), value) in self.rewrites().zip(values) {
                let labels = &opponent[feature * LABELS.len()..][..LABELS.len()];
                let expected: T =
                    labels.iter().zip(self.payoffs(verdict)).map(|(&y, payoff)| y * payoff.generator).sum();
                *value = self.weight(0, item) * expected;
            }
        } else {
            values.fill(T::zero());
            let mut see = |feature: usize, verdict, frequency: T| {
                for (value, payoff) in values[feature * LABELS.len()..].iter_mut().zip(self.payoffs(verdict)) {
                    *value += frequency * payoff.verifier;
                }
            };
            for ((item, verdict, feature), &x) in self.rewrites().zip(opponent) {
                see(feature, verdict, self.weight(0, item) * x);
            }
            for (&feature, &weight) in self.board.gold_features.iter().zip(self.board.item_weights) {
                see(feature, Verdict::Correct, self.gold_share * weight);
            }
        }
    }

    fn weight(&self, player: usize, simplex: usize) -> T {
        if player == 0 {
            return (T::one() - self.gold_share) * self.board.item_weights[simplex];
        }
        let candidates = T::of_usize(self.candidates());
        self.frequency(simplex, |count| T::of_usize(count) / candidates)
    }

    fn value_spread(&self, player: usize) -> T {
        let payoffs = [Correct, Incorrect, Undecidable].map(|verdict| self.payoffs(verdict));
        if player == 0 {
            let generator = payoffs.as_flattened().iter().map(|payoff| payoff.generator);
            return generator.clone().fold(T::neg_infinity(), T::max) - generator.fold(T::infinity(), T::min);
        }
        let gaps = payoffs.iter().map(|[correct, incorrect]| (correct.verifier - incorrect.verifier).abs());
        let largest_gap = gaps.fold(T::zero(), T::max);
        // A generator that always shows a feature shows it more often than the weight says.
        let always = |count| if count > 0 { T::one() } else { T::zero() };
        let features = (0..self.board.features).filter(|&feature| self.weight(1, feature) > T::zero());
        let excess = features.map(|feature| self.frequency(feature, always) / self.weight(1, feature));
        largest_gap * excess.fold(T::zero(), T::max)
    }
}
