use aprm_core::backend::{Backend, PolicyGradients, PolicyStatistics, VocabDims};
use num_traits::float::FloatCore;

use super::Rig;
use super::operands::{Operand, Operands};
use super::rig::{reference, rounded};
use crate::Failure;
use crate::naive::policy;

/// Rows, vocabulary, the scale of logits, and whether there is a reference.
fn cases() -> impl Iterator<Item = (VocabDims, f64, bool)> {
    let shapes = [(0, 3), (3, 2), (1, 1), (31, 17), (65, 2), (17, 65), (33, 64), (2, 1000), (9, 257)];
    let cases = shapes.into_iter().flat_map(|(rows, vocab)| {
        [(3.0, true), (3.0, false), (300.0, true)].map(|(scale, with_ref)| (VocabDims { rows, vocab }, scale, with_ref))
    });
    cases.chain([(VocabDims { rows: 5, vocab: 7 }, 1e4, false)])
}

struct Rows<T> {
    logits: Operand<T>,
    ref_logits: Operand<T>,
    targets: Operand<u32>,
}

impl<B: Backend> Rig<B> {
    /// Logits of which some are masked, but never the target; every other mask is the reference's too.
    fn policy_rows(&mut self, dims: VocabDims, scale: f64) -> Rows<B::Scalar> {
        let VocabDims { rows, vocab } = dims;
        let mut logits = self.numbers(rows * vocab, scale);
        let mut ref_logits = self.numbers(rows * vocab, scale);
        let targets = self.indices(rows, vocab);
        for i in (0..rows * vocab).filter(|i| i % 5 == 2 && i % vocab != targets[i / vocab] as usize) {
            logits[i] = B::Scalar::neg_infinity();
            if i % 2 == 0 {
                ref_logits[i] = B::Scalar::neg_infinity();
            }
        }
        Rows {
            logits: Operand::rows(vocab, logits),
            ref_logits: Operand::rows(vocab, ref_logits),
            targets: Operand::rows(1, targets),
        }
    }
}

pub(crate) fn policy_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, scale, with_ref) in cases() {
        rig.at((dims, scale, with_ref));
        let VocabDims { rows, vocab } = dims;
        let Rows { logits, mut ref_logits, targets } = rig.policy_rows(dims, scale);
        if vocab > 2 && scale < 10.0 {
            // A target that the reference excludes: the divergence is infinite.
            for (row, &target) in targets.data.iter().enumerate().skip(3).step_by(4) {
                ref_logits.data[row * vocab + target as usize] = B::Scalar::neg_infinity();
            }
        }
        let mut outputs = [(); 5].map(|()| Operand::overwritten(rows, 1));
        if !with_ref {
            outputs[4] = Operand::rows(1, rig.numbers(rows, 1.0));
        }
        rig.check(
            rows,
            Operands { inputs: [logits, ref_logits], indices: [targets], outputs },
            |backend, rows, [logits, ref_logits], [targets], [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp]| {
                let mut statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
                let ref_logits = with_ref.then_some(&ref_logits);
                backend.policy_forward(VocabDims { rows, vocab }, &logits, ref_logits, &targets, &mut statistics)?;
                let PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp } = statistics;
                Ok([log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp])
            },
            |rows, [logits, ref_logits], [targets], [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp]| {
                let mut statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
                let ref_logits = with_ref.then_some(ref_logits);
                policy::forward(VocabDims { rows, vocab }, logits, ref_logits, targets, &mut statistics);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn policy_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, scale, with_ref) in cases() {
        rig.at((dims, scale, with_ref));
        let VocabDims { rows, vocab } = dims;
        let Rows { logits, ref_logits, targets } = rig.policy_rows(dims, scale);
        let forward = Operands {
            inputs: [logits.clone(), ref_logits.clone()],
            indices: [targets.clone()],
            outputs: [(); 5].map(|()| Operand::overwritten(rows, 1)),
        };
        let statistics = reference(&forward, |[logits, ref_logits], [targets], outputs| {
            let [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp] = outputs;
            let mut statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
            policy::forward(dims, logits, with_ref.then_some(ref_logits), targets, &mut statistics);
        });
        let [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp] =
            statistics.map(|statistic| Operand::rows(1, rounded(&statistic)));
        let [a, b, c] = [(); 3].map(|()| Operand::rows(1, rig.numbers(rows, 1.0)));
        rig.check(
            rows,
            Operands {
                inputs: [ref_logits, log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp, a, b, c],
                indices: [targets],
                outputs: [logits],
            },
            |backend, rows, inputs, [targets], [mut logits]| {
                let [ref_logits, log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp, a, b, c] = inputs;
                let statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
                let gradients = PolicyGradients { log_prob: a, entropy: b, kl: c };
                let (dims, ref_logits) = (VocabDims { rows, vocab }, with_ref.then_some(&ref_logits));
                backend.policy_backward(dims, ref_logits, &targets, &statistics, &gradients, &mut logits)?;
                Ok([logits])
            },
            |rows, inputs, [targets], [logits]| {
                let [ref_logits, log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp, a, b, c] = inputs;
                let statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
                let gradients = PolicyGradients { log_prob: a, entropy: b, kl: c };
                let (dims, ref_logits) = (VocabDims { rows, vocab }, with_ref.then_some(ref_logits));
                policy::backward(dims, ref_logits, targets, &statistics, &gradients, logits);
            },
        )?;
    }
    Ok(())
}
