//! The corruption game by samples: both players learn by PPO and OGDA from rounds they play, and NashConv of the exact
//! game says how far they have come, beside the same learning from exact gradients.

use aprm::core::advantage::leave_one_out;
use aprm::core::dynamics::{Dynamics, UpdateOrder};
use aprm::core::equilibrium::{
    Corruption, CorruptionBoard, LogitGradient, Logits, Regularized, SimplexGame, Simplices,
};
use aprm::core::game::Game;
use aprm::core::optimizer::{Host, Ogda, Optimizer};
use aprm::core::oracle::Verdict;
use aprm::core::player::Label;
use aprm::core::policy::{Sampler, kl_divergence_backward_p, log_softmax_backward, log_softmax_forward};
use aprm::core::ppo::{ClipRange, mean_clipped_surrogate};
use aprm::core::reward::{PayoffTable, Reward};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const BOARD: CorruptionBoard<'static, f64> = CorruptionBoard::ARITHMETIC;
const GOLD_SHARE: f64 = 0.5;
const TAU: f64 = 0.1;
const LEARNING_RATE: f64 = 0.5;
const ITEMS: usize = 64;
/// Rounds of one item, each paid against the others.
const GROUP: usize = 4;
const UPDATES: usize = 4000;

/// A player's logits, and what it did in the rounds of one update.
struct Learner {
    simplices: Simplices,
    logits: Vec<f64>,
    log_probs: Vec<f64>,
    ogda: Ogda<Vec<f64>, f64>,
    drawn: Vec<(usize, f64)>,
    rewards: Vec<f64>,
}

impl Learner {
    fn new(simplices: Simplices) -> Self {
        let zeros = vec![0.0; simplices.dimension()];
        Self {
            simplices,
            logits: zeros.clone(),
            log_probs: zeros.clone(),
            ogda: Ogda::new(zeros),
            drawn: Vec::new(),
            rewards: Vec::new(),
        }
    }

    fn refresh(&mut self) {
        let choices = self.simplices.choices;
        for (logits, log_probs) in self.logits.chunks(choices).zip(self.log_probs.chunks_mut(choices)) {
            log_softmax_forward(logits, log_probs);
        }
        (self.drawn, self.rewards) = (Vec::new(), Vec::new());
    }

    fn draw(&mut self, distribution: usize, rng: &mut ChaCha8Rng) -> usize {
        let choices = self.simplices.choices;
        let log_probs = &self.log_probs[distribution * choices..][..choices];
        let mut scratch = vec![(0.0, 0); choices];
        let (choice, log_prob) = Sampler::default().sample(log_probs, &mut scratch, rng).expect("finite logits");
        self.drawn.push((distribution * choices + choice, log_prob));
        choice
    }

    /// One step down the clipped surrogate of the drawn actions plus τ KL to uniform, the latter exactly.
    fn learn(&mut self, weight: impl Fn(usize) -> f64) {
        let mut advantages = vec![0.0; self.rewards.len()];
        leave_one_out(&self.rewards, GROUP, &mut advantages);
        let (actions, old_log_probs): (Vec<usize>, Vec<f64>) = self.drawn.iter().copied().unzip();
        let current: Vec<f64> = actions.iter().map(|&action| self.log_probs[action]).collect();
        let (mask, clip_range) = (vec![true; current.len()], ClipRange { low: 0.2, high: 0.2 });
        let mut grad_actions = vec![0.0; current.len()];
        mean_clipped_surrogate(&current, &old_log_probs, &advantages, &mask, clip_range, &mut grad_actions);

        // The mean is over this player's rounds; the game's expectation is over all.
        let share = self.drawn.len() as f64 / (ITEMS * GROUP) as f64;
        let mut grad_log_probs = vec![0.0; self.logits.len()];
        for (action, gradient) in actions.into_iter().zip(grad_actions) {
            grad_log_probs[action] += share * gradient;
        }
        let choices = self.simplices.choices;
        let uniform = vec![-(choices as f64).ln(); choices];
        let mut gradient = Vec::new();
        for (k, log_probs) in self.log_probs.chunks(choices).enumerate() {
            let (mut of_surrogate, mut of_kl) = (vec![0.0; choices], vec![0.0; choices]);
            log_softmax_backward(log_probs, &grad_log_probs[k * choices..][..choices], &mut of_surrogate);
            kl_divergence_backward_p(log_probs, &uniform, TAU * weight(k), &mut of_kl);
            gradient.extend(of_surrogate.iter().zip(of_kl).map(|(surrogate, kl)| surrogate + kl));
        }
        let Ok(()) = self.ogda.step(&mut Host::new(), LEARNING_RATE, &gradient, &mut self.logits);
    }
}

/// Plays the rounds of one update.
fn play(generator: &mut Learner, verifier: &mut Learner, rng: &mut ChaCha8Rng) {
    let (labels, table) = ([Label::Correct, Label::Incorrect], PayoffTable::default());
    for _ in 0..ITEMS {
        let roll: f64 = rng.random();
        let item = usize::from(roll >= BOARD.item_weights[0]) + usize::from(roll >= 1.0 - BOARD.item_weights[2]);
        let is_gold = rng.random_bool(GOLD_SHARE);
        for _ in 0..GROUP {
            let (verdict, feature) = if is_gold {
                (Verdict::Correct, BOARD.gold_features[item])
            } else {
                let rewrite = item * generator.simplices.choices + generator.draw(item, rng);
                (BOARD.verdicts[rewrite], BOARD.candidate_features[rewrite])
            };
            let payoff = table.payoff(&(verdict, labels[verifier.draw(feature, rng)]));
            verifier.rewards.push(payoff.verifier);
            if !is_gold {
                generator.rewards.push(payoff.generator);
            }
        }
    }
}

fn main() {
    let game = Corruption { board: BOARD, reward: PayoffTable::default(), gold_share: GOLD_SHARE };
    let game = Regularized::new(game, [TAU; 2], [0.0; 2], None).unwrap();
    let in_logits = Logits { game: &game, gradient: LogitGradient::Vanilla };
    let mut workspace = vec![0.0; in_logits.workspace_len()];
    let [of_generator, of_verifier] = game.game().simplices();

    let mut dynamics = Dynamics {
        order: UpdateOrder::Simultaneous,
        optimizers: in_logits.dimensions().map(|dimension| Ogda::new(vec![0.0; dimension])),
        pseudo_gradient: vec![0.0; of_generator.dimension() + of_verifier.dimension()],
        workspace: workspace.clone(),
    };
    let mut exact = vec![0.0; of_generator.dimension() + of_verifier.dimension()];
    let (mut generator, mut verifier) = (Learner::new(of_generator), Learner::new(of_verifier));
    let mut average = vec![0.0; exact.len()];
    let mut rng = ChaCha8Rng::seed_from_u64(0);

    println!("NashConv     exact gradients   by samples: last   average");
    for update in 0..=UPDATES {
        let sampled = [&generator.logits[..], &verifier.logits].concat();
        for (average, logit) in average.iter_mut().zip(&sampled) {
            *average += 0.005 * (logit - *average);
        }
        if update % 500 == 0 {
            let mut nash_conv = |logits: &[f64]| in_logits.nash_conv(logits, &mut workspace);
            println!(
                "{update:>8} {:>19.5} {:>18.5} {:>9.5}",
                nash_conv(&exact),
                nash_conv(&sampled),
                nash_conv(&average)
            );
        }
        dynamics.iterate(&in_logits, LEARNING_RATE, &mut exact);
        generator.refresh();
        verifier.refresh();
        play(&mut generator, &mut verifier, &mut rng);
        generator.learn(|k| game.game().weight(0, k));
        verifier.learn(|k| game.game().weight(1, k));
    }
}
