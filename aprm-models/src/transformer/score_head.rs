//! Class logits of chosen rows, their losses, and the way back: what a process reward model says of a step.

mod actions;
mod losses;
mod regularisation;
mod returns;
mod statistics;

pub use actions::Actions;
pub use regularisation::Regularisation;
pub use returns::Trajectories;

use aprm_core::backend::{Backend, LinearDims, RowDims};
use aprm_core::scalar::Scalar;

use super::{Parameters, Scratch, Transformer};

/// Class logits and losses of a number of rows, with room for them on the device.
///
/// In a model with a score head the classes are the head's. In a language model they are a few named tokens of the
/// vocabulary: [`ScoreHead::over_tokens`].
#[derive(Debug)]
pub struct ScoreHead<B: Backend> {
    capacity: usize,
    rows: usize,
    classes: usize,
    selected: B::Indices,
    /// The input of each linear map, `[rows, hidden]`: chosen rows, then what the ReLU between the maps leaves.
    inputs: Vec<B::Buffer>,
    grad_input: B::Buffer,
    /// The gradient of the input of the map before, where there are two.
    grad_before: Option<B::Buffer>,
    candidates: Option<Candidates<B>>,
    /// `[rows, classes]`.
    logits: B::Buffer,
    /// What the backward pass starts from: the gradient of the loss with respect to the logits, `[rows, classes]`.
    pub grad_logits: B::Buffer,
    losses: losses::Losses<B>,
    statistics: statistics::Statistics<B>,
    action_room: actions::ActionRoom<B>,
    returns: returns::ReturnRoom<B>,
}

/// The rows of a language model's head that belong to the classes.
#[derive(Debug)]
struct Candidates<B: Backend> {
    tokens: B::Indices,
    /// `[classes, hidden]`.
    weight: B::Buffer,
    grad_weight: B::Buffer,
}

impl<B: Backend> ScoreHead<B> {
    /// Room for so many rows at a time.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the model is a language model, which has no classes of its own.
    pub fn new(backend: &mut B, model: &Transformer<B>, rows: usize) -> Result<Self, B::Error> {
        let classes = model.config.head.classes().expect("a model with a score head; a language model has tokens");
        Self::with_classes(backend, model, rows, classes)
    }

    /// Room for so many rows of a language model at a time; class k is the token `tokens[k]`.
    ///
    /// ```text
    /// logits_k = hidden · lm_head[tokens_k]
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the model has a score head, or a token is not in its vocabulary.
    pub fn over_tokens(backend: &mut B, model: &Transformer<B>, rows: usize, tokens: &[u32]) -> Result<Self, B::Error> {
        assert!(model.layout.lm_head.is_some(), "only a language model has logits of tokens");
        assert!(tokens.iter().all(|&token| (token as usize) < model.config.vocab_size), "tokens of the vocabulary");
        let len = tokens.len() * model.config.hidden_size;
        let mut head = Self::with_classes(backend, model, rows, tokens.len())?;
        let mut ids = backend.allocate_indices(tokens.len())?;
        backend.write_indices(tokens, &mut ids)?;
        let (weight, grad_weight) = (backend.allocate(len)?, backend.allocate(len)?);
        head.candidates = Some(Candidates { tokens: ids, weight, grad_weight });
        Ok(head)
    }

    fn with_classes(backend: &mut B, model: &Transformer<B>, rows: usize, classes: usize) -> Result<Self, B::Error> {
        let maps = model.layout.score.len().max(1);
        let mut input = || backend.allocate(rows * model.config.hidden_size);
        Ok(Self {
            capacity: rows,
            rows: 0,
            classes,
            inputs: (0..maps).map(|_| input()).collect::<Result<_, _>>()?,
            grad_input: input()?,
            grad_before: (maps > 1).then(input).transpose()?,
            candidates: None,
            selected: backend.allocate_indices(rows)?,
            logits: backend.allocate(rows * classes)?,
            grad_logits: backend.allocate(rows * classes)?,
            losses: losses::Losses::new(backend, rows, classes)?,
            statistics: statistics::Statistics::new(backend, rows, classes)?,
            action_room: actions::ActionRoom::new(backend, rows, classes)?,
            returns: returns::ReturnRoom::new(backend, rows)?,
        })
    }

    /// How many rows there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Finds the logits of the selected rows of `hidden`, the model's outputs of `hidden_rows` tokens.
    ///
    /// ```text
    /// logits = W₂ max(W₁ h + b₁, 0) + b₂   or   logits = W h + b
    /// ```
    ///
    /// The rows are in ascending order, so that sums over them have a fixed one.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there are more rows than room.
    pub fn forward(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        hidden: &B::Buffer,
        hidden_rows: usize,
        selected: &[u32],
    ) -> Result<(), B::Error> {
        assert!(selected.len() <= self.capacity, "{} rows in room for {}", selected.len(), self.capacity);
        self.rows = selected.len();
        let Parameters(weights) = weights;
        backend.write_indices(selected, &mut self.selected)?;
        let gather = self.row_dims(model, hidden_rows);
        backend.gather_rows_forward(gather, hidden, &self.selected, &mut self.inputs[0])?;
        if let (Some(candidates), Some(lm_head)) = (&mut self.candidates, model.layout.lm_head) {
            let table = candidate_dims(model, self.classes);
            let rows = model.weight(weights, lm_head);
            backend.gather_rows_forward(table, rows, &candidates.tokens, &mut candidates.weight)?;
            let dims = class_dims(model, self.rows, self.classes);
            return backend.linear_forward(dims, &self.inputs[0], &candidates.weight, None, &mut self.logits);
        }
        for (l, map) in model.layout.score.iter().enumerate() {
            let dims = model.linear_dims(self.rows, map.weight);
            let (before, after) = self.inputs.split_at_mut(l + 1);
            let out = after.first_mut().unwrap_or(&mut self.logits);
            let bias = map.bias.map(|bias| &weights[bias]);
            backend.linear_forward(dims, &before[l], &weights[map.weight], bias, out)?;
            if l + 1 < model.layout.score.len() {
                backend.relu_forward(self.rows * dims.outputs, out)?;
            }
        }
        Ok(())
    }

    /// From `self.grad_logits` to the gradients of the head's weights and `scratch.grad_hidden`, which it adds to.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn backward(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        scratch: &mut Scratch<B::Buffer>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let scatter = self.row_dims(model, scratch.rows());
        let (Parameters(weights), Parameters(gradients)) = (weights, gradients);
        let Self { rows, classes, inputs, grad_input, grad_before, candidates, grad_logits, .. } = self;
        if let (Some(candidates), Some(lm_head)) = (candidates, model.layout.lm_head) {
            let (dims, table) = (class_dims(model, *rows, *classes), candidate_dims(model, *classes));
            let Candidates { tokens, weight, grad_weight } = candidates;
            backend.linear_backward_input(dims, grad_logits, weight, grad_input)?;
            if model.learns(lm_head) {
                backend.fill(*classes * model.config.hidden_size, B::Scalar::of(0.0), grad_weight)?;
                backend.linear_backward_weight(dims, &inputs[0], grad_logits, grad_weight, None)?;
                backend.gather_rows_backward(table, grad_weight, tokens, &mut gradients[lm_head])?;
            }
        }
        for (l, map) in model.layout.score.iter().enumerate().rev() {
            let dims = model.linear_dims(*rows, map.weight);
            let is_last = l + 1 == model.layout.score.len();
            let grad_out = if is_last { &*grad_logits } else { grad_before.as_ref().expect("a map before") };
            // The gradients of weight and bias are borrowed at once, from either side of the border between them.
            let (left, right) = gradients.split_at_mut(map.weight + 1);
            let grad_bias = map.bias.map(|bias| &mut right[bias - map.weight - 1]);
            backend.linear_backward_weight(dims, &inputs[l], grad_out, &mut left[map.weight], grad_bias)?;
            if l == 0 {
                backend.linear_backward_input(dims, grad_out, &weights[map.weight], grad_input)?;
            } else {
                let grad_before = grad_before.as_mut().expect("a map before");
                backend.linear_backward_input(dims, grad_logits, &weights[map.weight], grad_before)?;
                backend.relu_backward(*rows * dims.inputs, &inputs[l], grad_before)?;
            }
        }
        backend.gather_rows_backward(scatter, grad_input, &self.selected, &mut scratch.grad_hidden)
    }

    /// Waits for the device: the logits of the last forward pass, `[rows, classes]`.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn read_logits(&self, backend: &mut B) -> Result<Vec<B::Scalar>, B::Error> {
        let mut logits = vec![B::Scalar::default(); self.rows * self.classes];
        backend.read(&self.logits, 0, &mut logits)?;
        Ok(logits)
    }

    fn row_dims(&self, model: &Transformer<B>, table_rows: usize) -> RowDims {
        RowDims { rows: self.rows, table_rows, channels: model.config.hidden_size }
    }
}

fn candidate_dims<B: Backend>(model: &Transformer<B>, classes: usize) -> RowDims {
    RowDims { rows: classes, table_rows: model.config.vocab_size, channels: model.config.hidden_size }
}

fn class_dims<B: Backend>(model: &Transformer<B>, rows: usize, classes: usize) -> LinearDims {
    LinearDims { rows, inputs: model.config.hidden_size, outputs: classes, accumulate: false }
}
