//! Low-rank maps beside frozen weights: what learns in their place.

use std::collections::BTreeMap;

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;

use super::{Parameters, Transformer};
use crate::config::ModelConfig;
use crate::layout::{Layout, Part, TensorSpec};

/// The size of the maps beside the linear maps of every layer.
///
/// ```text
/// out = W x + (α / rank) B A x
/// ```
///
/// A is `[rank, inputs]`, B `[outputs, rank]`. Queries, keys and values are one tensor in memory and share an A, and so
/// do gates and ups.
///
/// # Reference
/// Hu et al. 2021, arXiv 2106.09685, section 4.1; with maps beside all linear maps of a layer where theirs are beside
/// queries and values, and without dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowRank {
    /// The rows of A.
    pub rank: usize,
    /// α.
    pub alpha: f64,
}

/// Weights that do not learn, and which maps learn beside them.
#[derive(Debug)]
pub(crate) struct Frozen<B: Backend> {
    /// All tensors of the model.
    pub(crate) layout: Layout,
    pub(crate) weights: Parameters<B::Buffer>,
    /// A and B by the tensor that they stand beside.
    pub(crate) maps: BTreeMap<usize, [usize; 2]>,
    pub(super) rank: usize,
    /// α / rank.
    pub(crate) scale: B::Scalar,
}

impl<B: Backend> Transformer<B> {
    /// Prepares a model whose weights are `base` and stay so, and which learns by low-rank maps beside them.
    ///
    /// The weights and gradients that its passes are given are those of [`Transformer::layout`]: in it the tensors of
    /// the base have no entries, but for the score head's, which learns as it is, and A and B of each map come last.
    /// So a learner over it holds gradients and moments of no more.
    /// The base is only read: [`Checkpoint::upload_bf16`](crate::checkpoint::Checkpoint::upload_bf16) makes one.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the rank is zero, or the base has not a buffer for each tensor.
    pub fn beside(
        backend: &mut B,
        config: ModelConfig,
        base: Parameters<B::Buffer>,
        LowRank { rank, alpha }: LowRank,
    ) -> Result<Self, B::Error> {
        assert!(rank > 0, "a map of rank zero learns nothing");
        let model = Self::new(backend, config)?;
        assert_eq!(base.0.len(), model.layout.tensors.len(), "one buffer for each tensor");
        let (learning, maps) = beside(&model.layout, rank);
        let scale = B::Scalar::of(alpha / rank as f64);
        let frozen = Frozen { layout: model.layout, weights: base, maps, rank, scale };
        Ok(Self { layout: learning, frozen: Some(frozen), ..model })
    }

    /// The weights that do not learn, if this model has such.
    pub fn base(&self) -> Option<&Parameters<B::Buffer>> {
        self.frozen.as_ref().map(|frozen| &frozen.weights)
    }

    /// Where learning beside a base begins: B is zero, so nothing is changed yet, and the score head is the base's.
    ///
    /// ```text
    /// A ~ U(−1/√inputs, 1/√inputs)
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the model has no base.
    ///
    /// # Reference
    /// PEFT's default: Kaiming's uniform distribution with a = √5.
    pub fn initial_adapters(&self, backend: &mut B, rng: &mut dyn Rng) -> Result<Parameters<B::Buffer>, B::Error> {
        let frozen = self.frozen.as_ref().expect("a model beside a base");
        let mut adapters = Parameters::zeros(backend, &self.layout)?;
        for (tensor, weights) in frozen.weights.0.iter().enumerate() {
            if self.learns(tensor) {
                backend.copy(self.layout.tensors[tensor].len(), weights, &mut adapters.0[tensor])?;
            }
        }
        for &[a, _] in frozen.maps.values() {
            let spec = &self.layout.tensors[a];
            let bound = 1.0 / libm::sqrt(spec.columns as f64);
            let mut uniform = || bound * (f64::from(rng.next_u32()) / f64::from(1_u32 << 31) - 1.0);
            let entries: Vec<B::Scalar> = (0..spec.len()).map(|_| B::Scalar::of(uniform())).collect();
            backend.write(&entries, &mut adapters.0[a], 0)?;
        }
        Ok(adapters)
    }

    /// Whether a tensor has entries among the weights that passes are given.
    pub(crate) fn learns(&self, tensor: usize) -> bool {
        !self.layout.tensors[tensor].is_empty()
    }

    /// A tensor: among the weights that a pass is given, or of the base.
    pub(crate) fn weight<'a>(&'a self, weights: &'a [B::Buffer], tensor: usize) -> &'a B::Buffer {
        match &self.frozen {
            Some(frozen) if !self.learns(tensor) => &frozen.weights.0[tensor],
            _ => &weights[tensor],
        }
    }
}

/// What learns beside a model of this layout, and where A and B of each map are.
fn beside(whole: &Layout, rank: usize) -> (Layout, BTreeMap<usize, [usize; 2]>) {
    let mut learning = whole.clone();
    let of_head: Vec<usize> = whole.score.iter().flat_map(|map| [Some(map.weight), map.bias]).flatten().collect();
    for (tensor, spec) in learning.tensors.iter_mut().enumerate() {
        if !of_head.contains(&tensor) {
            spec.parts.clear();
        }
    }
    let mut maps = BTreeMap::new();
    for (l, layer) in whole.layers.iter().enumerate() {
        let modules = [
            (layer.qkv, "self_attn.qkv_proj"),
            (layer.attention_out, "self_attn.o_proj"),
            (layer.gate_up, "mlp.gate_up_proj"),
            (layer.down, "mlp.down_proj"),
        ];
        for (tensor, module) in modules {
            let spec = &whole.tensors[tensor];
            let shapes = [("lora_A", rank, spec.columns), ("lora_B", spec.rows(), rank)];
            maps.insert(
                tensor,
                shapes.map(|(matrix, rows, columns)| {
                    let name = format!("base_model.model.model.layers.{l}.{module}.{matrix}.weight");
                    learning.tensors.push(TensorSpec { parts: vec![Part { name, rows }], columns, is_vector: false });
                    learning.tensors.len() - 1
                }),
            );
        }
    }
    (learning, maps)
}

/// Memory of low-rank maps, as much as the largest batch so far needed.
#[derive(Clone, Debug)]
pub(super) struct Room<Buffer> {
    len: usize,
    buffer: Option<Buffer>,
}

impl<Buffer> Room<Buffer> {
    pub(super) const fn new() -> Self {
        Self { len: 0, buffer: None }
    }

    pub(super) fn take<B: Backend<Buffer = Buffer>>(
        &mut self,
        backend: &mut B,
        len: usize,
    ) -> Result<&mut Buffer, B::Error> {
        let fitting = self.buffer.take().filter(|_| self.len >= len);
        let buffer = match fitting {
            Some(buffer) => buffer,
            None => {
                self.len = len;
                backend.allocate(len)?
            }
        };
        Ok(self.buffer.insert(buffer))
    }
}
