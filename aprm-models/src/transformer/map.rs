//! A linear map of a layer, with the low-rank map beside it where that learns in its place.

use aprm_core::backend::{Backend, LinearDims, NormDims};
use aprm_core::scalar::Scalar;

use super::Transformer;
use super::low_rank::Room;

/// Which map, on how many rows, and whether it adds to its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub(super) tensor: usize,
    pub(super) bias: Option<usize>,
    pub(super) rows: usize,
    pub(super) accumulate: bool,
}

impl Map {
    pub(super) fn new(tensor: usize, rows: usize) -> Self {
        Self { tensor, bias: None, rows, accumulate: false }
    }

    pub(super) fn adding(self) -> Self {
        Self { accumulate: true, ..self }
    }
}

impl<B: Backend> Transformer<B> {
    /// `out ← W x + b + s B A x`, or that is added to it.
    pub(super) fn map_forward(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        map: Map,
        x: &B::Buffer,
        out: &mut B::Buffer,
        room: &mut Room<B::Buffer>,
    ) -> Result<(), B::Error> {
        let Map { tensor, bias, rows, accumulate } = map;
        let dims = LinearDims { accumulate, ..self.linear_dims(rows, tensor) };
        let bias = bias.map(|bias| self.weight(weights, bias));
        backend.linear_forward(dims, x, self.weight(weights, tensor), bias, out)?;
        let Some(beside) = self.map_beside(tensor) else { return Ok(()) };
        let inner = beside.inner(backend, weights, dims, x, room)?;
        let of_b = LinearDims { inputs: beside.rank, accumulate: true, ..dims };
        backend.linear_forward(of_b, inner, &weights[beside.b], None, out)
    }

    /// From the gradient with respect to the output to that of the input, which is overwritten, and of what learns.
    ///
    /// ```text
    /// grad_x = Wᵀ g + Aᵀ g',   g' = s Bᵀ g,   grad_B += g (s A x)ᵀ,   grad_A += g' xᵀ
    /// ```
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub(super) fn map_backward(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        map: Map,
        x: &B::Buffer,
        grad_out: &B::Buffer,
        grad_x: &mut B::Buffer,
        gradients: &mut [B::Buffer],
        rooms: &mut [Room<B::Buffer>; 2],
    ) -> Result<(), B::Error> {
        let Map { tensor, bias, rows, .. } = map;
        let dims = self.linear_dims(rows, tensor);
        backend.linear_backward_input(dims, grad_out, self.weight(weights, tensor), grad_x)?;
        if self.learns(tensor) {
            // The bias, where there is one, stands behind its weight.
            let (before, from_bias) = gradients.split_at_mut(bias.unwrap_or(tensor + 1));
            let grad_bias = bias.map(|_| &mut from_bias[0]);
            return backend.linear_backward_weight(dims, x, grad_out, &mut before[tensor], grad_bias);
        }
        let Some(beside) = self.map_beside(tensor) else { return Ok(()) };
        let MapBeside { a, b, rank, scale } = beside;
        let [room, grad_room] = rooms;
        let inner = beside.inner(backend, weights, dims, x, room)?;
        let (of_a, of_b) = (LinearDims { outputs: rank, ..dims }, LinearDims { inputs: rank, ..dims });
        backend.linear_backward_weight(of_b, inner, grad_out, &mut gradients[b], None)?;
        let grad_inner = grad_room.take(backend, rows * rank)?;
        backend.linear_backward_input(of_b, grad_out, &weights[b], grad_inner)?;
        backend.scale(rows * rank, scale, grad_inner)?;
        backend.linear_backward_weight(of_a, x, grad_inner, &mut gradients[a], None)?;
        backend.linear_backward_input(LinearDims { accumulate: true, ..of_a }, grad_inner, &weights[a], grad_x)
    }

    /// The way back through a norm, whose weight's gradient is discarded where it does not learn.
    #[expect(clippy::too_many_arguments, reason = "a backward kernel reads what its forward read and wrote")]
    pub(super) fn norm_backward(
        &self,
        backend: &mut B,
        dims: NormDims<B::Scalar>,
        x: &B::Buffer,
        weights: &[B::Buffer],
        tensor: usize,
        rstd: &B::Buffer,
        grad_out: &B::Buffer,
        grad_x: &mut B::Buffer,
        gradients: &mut [B::Buffer],
        discarded: &mut Room<B::Buffer>,
    ) -> Result<(), B::Error> {
        let grad_weight = match self.learns(tensor) {
            true => &mut gradients[tensor],
            false => discarded.take(backend, dims.channels)?,
        };
        backend.rms_norm_backward(dims, x, self.weight(weights, tensor), rstd, grad_out, grad_x, grad_weight)
    }

    fn map_beside(&self, tensor: usize) -> Option<MapBeside<B::Scalar>> {
        let frozen = self.frozen.as_ref()?;
        frozen.maps.get(&tensor).map(|&[a, b]| MapBeside { a, b, rank: frozen.rank, scale: frozen.scale })
    }
}

/// The map beside a weight.
#[derive(Clone, Copy, Debug)]
struct MapBeside<T> {
    a: usize,
    b: usize,
    rank: usize,
    scale: T,
}

impl<T: Scalar> MapBeside<T> {
    /// `s A x`, `[rows, rank]`; `dims` are those of the map that it stands beside.
    fn inner<'a, B: Backend<Scalar = T>>(
        self,
        backend: &mut B,
        weights: &[B::Buffer],
        dims: LinearDims,
        x: &B::Buffer,
        room: &'a mut Room<B::Buffer>,
    ) -> Result<&'a B::Buffer, B::Error> {
        let inner = room.take(backend, dims.rows * self.rank)?;
        let of_a = LinearDims { outputs: self.rank, accumulate: false, ..dims };
        backend.linear_forward(of_a, x, &weights[self.a], None, inner)?;
        backend.scale(dims.rows * self.rank, self.scale, inner)?;
        Ok(inner)
    }
}
