//! The exact corruption game: its payoffs, its condition for one equilibrium, and who gets there.

use aprm_core::equilibrium::{
    Corruption, CorruptionBoard, LogitGradient, Logits, Regularized, SimplexGame, monotonicity_margin,
};
use aprm_core::game::Game;
use aprm_core::optimizer::{GradientDescent, Host, Optimizer};
use aprm_core::oracle::Verdict::{self, Correct, Incorrect};
use aprm_core::player::Label;
use aprm_core::reward::{PayoffTable, Reward, ZeroSum};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::equilibrium::{
    assert_nash_conv_is_what_best_responses_gain, assert_pseudo_gradient_is_minus_gradient_of_utilities, nash_conv,
    normalised, ogda, play,
};

type ArithmeticGame<R> = Regularized<'static, Corruption<'static, f64, R>>;

fn arithmetic<R: Reward<(Verdict, Label), Scalar = f64>>(reward: R, kl: f64, entropy: f64) -> ArithmeticGame<R> {
    let game = Corruption { board: CorruptionBoard::ARITHMETIC, reward, gold_share: 0.5 };
    Regularized::new(game, [kl; 2], [entropy; 2], None).unwrap()
}

/// NashConv along a run over natural logits, and the strategies at its end.
fn play_logits<R: Reward<(Verdict, Label), Scalar = f64>, O: Optimizer<Host<f64>>>(
    game: &ArithmeticGame<R>,
    new: impl Fn(usize) -> O,
    rate: f64,
    start: &[f64],
    iterations: usize,
) -> (Vec<f64>, Vec<f64>) {
    let logits = Logits { game, gradient: LogitGradient::Natural };
    let mut profile = start.to_vec();
    let history = play(&logits, new, rate, &mut profile, iterations);
    let mut strategies = vec![0.0; profile.len()];
    logits.strategies(&profile, &mut strategies);
    (history, strategies)
}

/// One item, one right and one wrong rewrite that look alike: every expectation by hand.
#[test]
fn corruption_expectations_by_hand() {
    let board = CorruptionBoard {
        item_weights: &[1.0],
        gold_features: &[0],
        verdicts: &[Correct, Incorrect],
        candidate_features: &[0, 0],
        features: 1,
    };
    let game = Corruption { board, reward: PayoffTable::default(), gold_share: 0.25 };
    let (x, y) = ([0.3, 0.7], [0.6, 0.4]);
    let (mut generator, mut verifier) = ([f64::NAN; 2], [f64::NAN; 2]);
    game.action_values(0, &y, &mut generator);
    game.action_values(1, &x, &mut verifier);
    // In three rounds of four the generator acts: a copy pays −1, a corruption 1 when it is called correct.
    assert!((generator[0] - -0.75).abs() < 1e-15 && (generator[1] - 0.75 * 0.6).abs() < 1e-15);
    // "Correct" is right about the copy and about gold, "incorrect" about the corruption.
    assert!((verifier[0] - (0.75 * 0.3 + 0.25)).abs() < 1e-15 && (verifier[1] - 0.75 * 0.7).abs() < 1e-15);
    assert!((game.weight(0, 0) - 0.75).abs() < 1e-15 && (game.weight(1, 0) - 1.0).abs() < 1e-15);
}

#[test]
fn arithmetic_board_is_consistent() {
    let board = CorruptionBoard::ARITHMETIC;
    assert!((board.item_weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    assert_eq!(board.verdicts.len(), board.candidate_features.len());
    assert_eq!(board.gold_features.len(), board.item_weights.len());
    let game = arithmetic(PayoffTable::default(), 0.0, 0.0);
    let weights: f64 = (0..board.features).map(|feature| game.game().weight(1, feature)).sum();
    assert!((weights - 1.0).abs() < 1e-12, "the verifier sees one feature per round");
}

/// Any κ > 0 makes the zero-sum twin strongly monotone; the general-sum game needs κ > σ / 4.
#[test]
fn margin_of_the_zero_sum_twin_is_twice_kappa() {
    for (kl, entropy) in [(0.0, 0.01), (0.05, 0.0), (0.3, 0.2)] {
        let margin = monotonicity_margin(&arithmetic(ZeroSum::new(), kl, entropy));
        assert!((margin - 2.0 * (kl + entropy)).abs() < 1e-12);
        assert!(monotonicity_margin(&arithmetic(PayoffTable::default(), kl, entropy)) < margin);
    }
    assert!(monotonicity_margin(&arithmetic(PayoffTable::default(), 0.1, 0.06)) < 0.0);
    assert!(monotonicity_margin(&arithmetic(PayoffTable::default(), 0.1, 0.08)) > 0.0);
}

/// κ above the threshold: NashConv below 1e-8, at a linear rate, from any start, and always the same equilibrium.
#[test]
fn regularised_ogda_converges_linearly_from_any_start() {
    let game = arithmetic(PayoffTable::default(), 0.15, 0.05);
    assert!(monotonicity_margin(&game) > 0.0);
    let equilibrium = play_logits(&game, ogda, 0.05, &[0.0; 35], 4_000).1;
    let mut runner = TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    let starts = prop::collection::vec(-20.0..20.0_f64, 35);
    runner
        .run(&starts, |start| {
            let (history, strategies) = play_logits(&game, ogda, 0.05, &start, 6_000);
            let reached = history.iter().position(|&n| n < 1e-8);
            prop_assert!(reached.is_some_and(|t| t < 4_000), "{reached:?}");
            // Linear: on its way down, NashConv gains a digit in a bounded number of iterations.
            let digits = [1e-4, 1e-6, 1e-8, 1e-10].map(|n| history.iter().position(|&h| h < n).unwrap());
            for pair in digits.windows(2) {
                prop_assert!(pair[1] - pair[0] < 800, "{digits:?}");
            }
            for (a, b) in strategies.iter().zip(&equilibrium) {
                prop_assert!((a - b).abs() < 1e-6);
            }
            Ok(())
        })
        .unwrap();
}

/// The same over the probabilities themselves, from corners: every distribution on one choice.
#[test]
fn regularised_ogda_converges_over_probabilities_from_corners() {
    let game = arithmetic(PayoffTable::default(), 0.3, 0.2);
    for corner in 0..7 {
        let generator = (0..3).flat_map(|_| (0..7).map(|j| f64::from(u8::from(j == corner))));
        let verifier = (0..7).flat_map(|f| if f % 2 == corner % 2 { [1.0, 0.0] } else { [0.0, 1.0] });
        let mut profile: Vec<f64> = generator.chain(verifier).collect();
        game.project(&mut profile);
        let history = play(&game, ogda, 0.02, &mut profile, 20_000);
        assert!(history[20_000] < 1e-8, "from corner {corner}: {}", history[20_000]);
    }
}

/// Without τ and c simultaneous GDA cycles, over probabilities as over logits, while OGDA still converges.
#[test]
fn unregularised_gda_cycles_where_ogda_converges() {
    let game = arithmetic(PayoffTable::default(), 0.0, 0.0);
    let start = [1.0 / 7.0; 21].into_iter().chain([0.6, 0.4].repeat(7)).collect::<Vec<_>>();
    let descent = |_| GradientDescent;

    let tail = |history: Vec<f64>| history[20_000..].iter().copied().fold(f64::INFINITY, f64::min);
    assert!(tail(play(&game, descent, 0.1, &mut start.clone(), 40_000)) > 0.05);
    let logits: Vec<f64> = start.iter().map(|p| p.ln()).collect();
    assert!(tail(play_logits(&game, descent, 0.05, &logits, 40_000).0) > 0.05);

    let history = play(&game, ogda, 0.1, &mut start.clone(), 60_000);
    assert!(history[60_000] < 1e-6, "{}", history[60_000]);
}

proptest! {
    #[test]
    fn corruption_pseudo_gradient_and_nash_conv_follow_from_the_utilities(
        weights in prop::collection::vec(0.1..1.0_f64, 35), kl in 0.0..0.5_f64, entropy in 0.0..0.5_f64,
    ) {
        let general = arithmetic(PayoffTable::default(), kl, entropy);
        let profile = normalised(&weights, general.game());
        assert_pseudo_gradient_is_minus_gradient_of_utilities(&general, &profile);
        assert_nash_conv_is_what_best_responses_gain(&general, &profile);
        let zero_sum = arithmetic(ZeroSum::new(), kl, entropy);
        assert_pseudo_gradient_is_minus_gradient_of_utilities(&zero_sum, &profile);
        assert_nash_conv_is_what_best_responses_gain(&zero_sum, &profile);
        prop_assert!(nash_conv(&general, &profile) >= 0.0);
    }

    /// The verifier's strategy responds best where it says "correct" exactly as often as the posterior's softmax.
    #[test]
    fn best_response_of_the_verifier_is_the_softmax_of_the_posterior(x in 0.05..0.95_f64, kappa in 0.05..1.0_f64) {
        let board = CorruptionBoard {
            item_weights: &[1.0], gold_features: &[0], verdicts: &[Correct, Incorrect], candidate_features: &[0, 0], features: 1,
        };
        let game = Corruption { board, reward: PayoffTable::default(), gold_share: 0.5 };
        let game = Regularized::new(game, [kappa; 2], [0.0; 2], None).unwrap();
        let mut response = [f64::NAN; 2];
        game.best_response(1, &[1.0 - x, x], &mut response);
        let (right, wrong) = (0.5 + 0.5 * (1.0 - x), 0.5 * x);
        let expected = 1.0 / (1.0 + ((wrong - right) / kappa).exp());
        prop_assert!((response[0] - expected).abs() < 1e-12);
    }
}
