use aprm_core::backend::{Backend, ClassDims, LinearDims};
use aprm_core::scalar::Scalar;

use super::ScoreHead;

/// Labels, weights and losses of rows.
#[derive(Debug)]
pub(super) struct Losses<B: Backend> {
    labels: B::Buffer,
    weights: B::Buffer,
    /// One for each row, or for each pair.
    loss: B::Buffer,
    len: usize,
    /// Present where the head gives one number.
    two_classes: Option<TwoClasses<B>>,
}

/// A number x as the logits (0, x) of two classes: a linear map of one number, with the weights (0, 1).
#[derive(Debug)]
struct TwoClasses<B: Backend> {
    weight: B::Buffer,
    logits: B::Buffer,
    grad_logits: B::Buffer,
}

impl<B: Backend> Losses<B> {
    pub(super) fn new(backend: &mut B, rows: usize, classes: usize) -> Result<Self, B::Error> {
        let two_classes = match classes {
            1 => {
                let mut weight = backend.allocate(2)?;
                backend.write(&[B::Scalar::of(0.0), B::Scalar::of(1.0)], &mut weight, 0)?;
                let (logits, grad_logits) = (backend.allocate(2 * rows)?, backend.allocate(2 * rows)?);
                Some(TwoClasses { weight, logits, grad_logits })
            }
            _ => None,
        };
        Ok(Self {
            labels: backend.allocate(rows * classes.max(2))?,
            weights: backend.allocate(rows)?,
            loss: backend.allocate(rows)?,
            len: 0,
            two_classes,
        })
    }

    fn write(&mut self, backend: &mut B, labels: &[B::Scalar], weights: &[B::Scalar]) -> Result<(), B::Error> {
        self.len = weights.len();
        backend.write(labels, &mut self.labels, 0)?;
        backend.write(weights, &mut self.weights, 0)
    }
}

impl<B: Backend> ScoreHead<B> {
    /// Cross-entropy of each row against soft labels, `[rows, classes]`.
    ///
    /// ```text
    /// L_r = −w_r Σ_c y_rc log softmax(logits_r)_c
    /// ```
    ///
    /// Labels need not sum to one: weights of classes are multiplied into them.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there is not one label for each logit and one weight for each row.
    pub fn cross_entropy(
        &mut self,
        backend: &mut B,
        labels: &[B::Scalar],
        weights: &[B::Scalar],
    ) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, losses, .. } = self;
        assert_eq!((labels.len(), weights.len()), (*rows * *classes, *rows), "labels and weights");
        losses.write(backend, labels, weights)?;
        let dims = ClassDims { rows: *rows, classes: *classes };
        backend.soft_cross_entropy(dims, logits, &losses.labels, &losses.weights, &mut losses.loss, grad_logits)
    }

    /// Cross-entropy of each step against the chance that it is right, `[rows]`.
    ///
    /// ```text
    /// L_r = −w_r (y_r log p_r + (1 − y_r) log(1 − p_r)),   p = softmax(logits)_1 of two classes, σ(x) of one number
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there are more than two classes, or not one label and one weight for each row.
    pub fn step_cross_entropy(
        &mut self,
        backend: &mut B,
        labels: &[B::Scalar],
        weights: &[B::Scalar],
    ) -> Result<(), B::Error> {
        let one = B::Scalar::of(1.0);
        let both: Vec<B::Scalar> = labels.iter().flat_map(|&label| [one - label, label]).collect();
        if self.classes == 2 {
            return self.cross_entropy(backend, &both, weights);
        }
        let Self { rows, logits, grad_logits, losses, .. } = self;
        assert_eq!((labels.len(), weights.len()), (*rows, *rows), "labels and weights");
        losses.write(backend, &both, weights)?;
        let two = losses.two_classes.as_mut().expect("one number or two classes");
        let widen = LinearDims { rows: *rows, inputs: 1, outputs: 2, accumulate: false };
        backend.linear_forward(widen, logits, &two.weight, None, &mut two.logits)?;
        let dims = ClassDims { rows: *rows, classes: 2 };
        let (labels, weights) = (&losses.labels, &losses.weights);
        backend.soft_cross_entropy(dims, &two.logits, labels, weights, &mut losses.loss, &mut two.grad_logits)?;
        backend.linear_backward_input(widen, &two.grad_logits, &two.weight, grad_logits)
    }

    /// Bradley–Terry loss of pairs of rewards: rows 2i and 2i + 1 are what pair i prefers and what it rejects.
    ///
    /// ```text
    /// L_i = −w_i log σ(r_2i − r_2i+1)
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the head does not give one number, or there is not one weight for each two rows.
    ///
    /// # Reference
    /// Bradley and Terry 1952; as a loss of reward models Ouyang et al. 2022, arXiv 2203.02155, equation 1.
    pub fn bradley_terry(&mut self, backend: &mut B, weights: &[B::Scalar]) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, losses, .. } = self;
        assert_eq!((*classes, 2 * weights.len()), (1, *rows), "one number for each row, one weight for each two");
        let labels: Vec<B::Scalar> = weights.iter().flat_map(|_| [1.0, 0.0].map(B::Scalar::of)).collect();
        losses.write(backend, &labels, weights)?;
        let dims = ClassDims { rows: weights.len(), classes: 2 };
        backend.soft_cross_entropy(dims, logits, &losses.labels, &losses.weights, &mut losses.loss, grad_logits)
    }

    /// Squared error of each number against its target.
    ///
    /// ```text
    /// L_r = w_r (x_r − y_r)² / 2
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the head does not give one number, or there is not one target and one weight for each row.
    pub fn squared_error(
        &mut self,
        backend: &mut B,
        targets: &[B::Scalar],
        weights: &[B::Scalar],
    ) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, losses, .. } = self;
        assert_eq!((*classes, targets.len(), weights.len()), (1, *rows, *rows), "numbers, targets and weights");
        losses.write(backend, targets, weights)?;
        backend.squared_error(*rows, logits, &losses.labels, &losses.weights, &mut losses.loss, grad_logits)
    }

    /// Waits for the device: the last loss, of each row or pair.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn read_loss(&self, backend: &mut B) -> Result<Vec<B::Scalar>, B::Error> {
        let mut loss = vec![B::Scalar::default(); self.losses.len];
        backend.read(&self.losses.loss, 0, &mut loss)?;
        Ok(loss)
    }
}
