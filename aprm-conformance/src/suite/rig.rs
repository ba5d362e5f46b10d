use core::fmt::Debug;
use core::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::operands::Operands;
use crate::{Bounded, Failure, Kernel, Law, Number};

/// How many entries each buffer has more than its kernel needs.
const BEYOND: usize = 19;
/// What stands there in outputs; in inputs it is NaN.
const SENTINEL: f64 = -77.25;

/// A backend under test.
pub(crate) struct Rig<B> {
    pub(super) backend: B,
    kernel: Kernel,
    shape: String,
    rng: ChaCha8Rng,
}

impl<B: Backend> Rig<B> {
    pub(crate) fn new(kernel: Kernel, backend: B) -> Self {
        Self { backend, kernel, shape: String::new(), rng: ChaCha8Rng::seed_from_u64(0) }
    }

    // ---- inputs ----

    /// Numbers in `(−scale, scale)`.
    pub(super) fn numbers(&mut self, len: usize, scale: f64) -> Vec<B::Scalar> {
        (0..len).map(|_| B::Scalar::of(self.rng.random_range(-scale..scale))).collect()
    }

    /// Indices below a bound.
    pub(super) fn indices(&mut self, len: usize, below: usize) -> Vec<u32> {
        (0..len).map(|_| self.rng.random_range(0..below as u32)).collect()
    }

    // ---- memory ----

    pub(super) fn failure(&self, law: Law, output: usize, index: usize, expected: f64, actual: f64) -> Failure {
        let (kernel, shape) = (self.kernel, self.shape.clone());
        Failure { kernel, law, shape, output, index, expected, actual, tolerance: 0.0 }
    }

    /// The dimensions that failures from here on name.
    pub(super) fn at(&mut self, shape: impl Debug) {
        self.shape = format!("{shape:?}");
    }

    pub(super) fn succeed<V>(&self, result: Result<V, B::Error>) -> Result<V, Failure> {
        result.map_err(|_| self.failure(Law::Succeeds, 0, 0, f64::NAN, f64::NAN))
    }

    fn upload_before(&mut self, data: &[B::Scalar], beyond: f64) -> Result<B::Buffer, Failure> {
        let padded: Vec<_> = data.iter().copied().chain([B::Scalar::of(beyond); BEYOND]).collect();
        let buffer = self.backend.allocate(padded.len());
        let mut buffer = self.succeed(buffer)?;
        let written = self.backend.write(&padded, &mut buffer, 0);
        self.succeed(written)?;
        Ok(buffer)
    }

    /// A buffer with NaN beyond its data, which no kernel may read.
    pub(super) fn upload(&mut self, data: &[B::Scalar]) -> Result<B::Buffer, Failure> {
        self.upload_before(data, f64::NAN)
    }

    /// A buffer with sentinels beyond its data, for [`Rig::download`] to find.
    pub(super) fn upload_output(&mut self, data: &[B::Scalar]) -> Result<B::Buffer, Failure> {
        self.upload_before(data, SENTINEL)
    }

    pub(super) fn upload_indices(&mut self, data: &[u32]) -> Result<B::Indices, Failure> {
        let padded: Vec<_> = data.iter().copied().chain([u32::MAX; BEYOND]).collect();
        let indices = self.backend.allocate_indices(padded.len());
        let mut indices = self.succeed(indices)?;
        let written = self.backend.write_indices(&padded, &mut indices);
        self.succeed(written)?;
        Ok(indices)
    }

    /// The data of output number `output`, whose sentinels must stand.
    pub(super) fn download(
        &mut self,
        output: usize,
        buffer: &B::Buffer,
        len: usize,
    ) -> Result<Vec<B::Scalar>, Failure> {
        let mut data = vec![B::Scalar::nan(); len + BEYOND];
        let read = self.backend.read(buffer, 0, &mut data);
        self.succeed(read)?;
        self.same_bits(Law::StaysWithin, output, len, &data[len..], &[B::Scalar::of(SENTINEL); BEYOND])?;
        data.truncate(len);
        Ok(data)
    }

    pub(super) fn download_indices(
        &mut self,
        output: usize,
        indices: &B::Indices,
        len: usize,
    ) -> Result<Vec<u32>, Failure> {
        let mut data = vec![0; len + BEYOND];
        let read = self.backend.read_indices(indices, &mut data);
        self.succeed(read)?;
        match data[len..].iter().position(|&index| index != u32::MAX) {
            Some(at) => Err(self.failure(Law::StaysWithin, output, len + at, u32::MAX.into(), data[len + at].into())),
            None => Ok(data[..len].to_vec()),
        }
    }

    // ---- laws ----

    /// Equal numbers, of the same sign if zero, or NaN both; `begin` is where the slices begin in their output.
    pub(super) fn same_bits(
        &self,
        law: Law,
        output: usize,
        begin: usize,
        actual: &[B::Scalar],
        expected: &[B::Scalar],
    ) -> Result<(), Failure> {
        assert_eq!(actual.len(), expected.len());
        let same = |a: B::Scalar, e: B::Scalar| {
            a.is_nan() && e.is_nan() || a == e && a.is_sign_negative() == e.is_sign_negative()
        };
        match actual.iter().zip(expected).position(|(&a, &e)| !same(a, e)) {
            Some(at) => Err(self.failure(law, output, begin + at, expected[at].widen(), actual[at].widen())),
            None => Ok(()),
        }
    }

    pub(super) fn agree(
        &self,
        law: Law,
        output: usize,
        actual: &[B::Scalar],
        expected: &[Bounded<B::Scalar>],
    ) -> Result<(), Failure> {
        assert_eq!(actual.len(), expected.len());
        match actual.iter().zip(expected).position(|(a, e)| !e.admits(a.widen())) {
            Some(index) => {
                let (expected, actual) = (expected[index], actual[index].widen());
                let failure = self.failure(law, output, index, expected.value(), actual);
                Err(Failure { tolerance: expected.tolerance(), ..failure })
            }
            None => Ok(()),
        }
    }

    /// One call on fresh buffers.
    pub(super) fn run<const I: usize, const K: usize, const O: usize>(
        &mut self,
        operands: &Operands<B::Scalar, I, K, O>,
        device: impl FnOnce(&mut B, [B::Buffer; I], [B::Indices; K], [B::Buffer; O]) -> Result<[B::Buffer; O], B::Error>,
    ) -> Result<[Vec<B::Scalar>; O], Failure> {
        let inputs = try_map(&operands.inputs, |_, operand| self.upload(&operand.data))?;
        let indices = try_map(&operands.indices, |_, operand| self.upload_indices(&operand.data))?;
        let outputs = try_map(&operands.outputs, |_, operand| self.upload_output(&operand.data))?;
        let outputs = device(&mut self.backend, inputs, indices, outputs);
        let outputs = self.succeed(outputs)?;
        try_map(&outputs, |o, output| self.download(o, output, operands.outputs[o].data.len()))
    }

    /// Holds a call to every law that concerns rows.
    ///
    /// `device` and `naive` are told how many rows they get.
    pub(super) fn check<const I: usize, const K: usize, const O: usize>(
        &mut self,
        rows: usize,
        operands: Operands<B::Scalar, I, K, O>,
        device: impl Fn(&mut B, usize, [B::Buffer; I], [B::Indices; K], [B::Buffer; O]) -> Result<[B::Buffer; O], B::Error>,
        naive: impl Fn(usize, [&[Bounded<B::Scalar>]; I], [&[u32]; K], [&mut [Bounded<B::Scalar>]; O]),
    ) -> Result<[Vec<B::Scalar>; O], Failure> {
        let actual = self.run(&operands, |b, inputs, indices, outputs| device(b, rows, inputs, indices, outputs))?;
        let expected = reference(&operands, |inputs, indices, outputs| naive(rows, inputs, indices, outputs));
        for o in 0..O {
            self.agree(Law::Agrees, o, &actual[o], &expected[o])?;
        }

        let again = self.run(&operands, |b, inputs, indices, outputs| device(b, rows, inputs, indices, outputs))?;
        for o in 0..O {
            self.same_bits(Law::Repeats, o, 0, &again[o], &actual[o])?;
        }

        for some in pieces(rows) {
            let only = operands.only(some.clone());
            let alone =
                self.run(&only, |b, inputs, indices, outputs| device(b, some.len(), inputs, indices, outputs))?;
            for (o, operand) in operands.outputs.iter().enumerate().filter(|(_, operand)| operand.width.is_some()) {
                let place = operand.place(some.clone());
                self.same_bits(Law::StandsAlone, o, place.start, &alone[o], &actual[o][place])?;
            }
        }

        if let Some(row) = rows.checked_sub(1).map(|last| last / 2) {
            for poisoned in operands.poisoned(row) {
                let tainted =
                    self.run(&poisoned, |b, inputs, indices, outputs| device(b, rows, inputs, indices, outputs))?;
                let expected = reference(&poisoned, |inputs, indices, outputs| naive(rows, inputs, indices, outputs));
                for (o, operand) in poisoned.outputs.iter().enumerate() {
                    if operand.width.is_none() {
                        self.agree(Law::KeepsNan, o, &tainted[o], &expected[o])?;
                        continue;
                    }
                    let place = operand.place(row..row + 1);
                    self.nan_within(o, place, &actual[o], &tainted[o], &expected[o])?;
                }
            }
        }
        Ok(actual)
    }

    /// A NaN taints entries of `place` if the reference says so, and none elsewhere.
    pub(super) fn nan_within(
        &self,
        output: usize,
        place: Range<usize>,
        clean: &[B::Scalar],
        tainted: &[B::Scalar],
        expected: &[Bounded<B::Scalar>],
    ) -> Result<(), Failure> {
        self.same_bits(Law::KeepsNan, output, 0, &tainted[..place.start], &clean[..place.start])?;
        self.same_bits(Law::KeepsNan, output, place.end, &tainted[place.end..], &clean[place.end..])?;
        let new = |i: &usize| !clean[*i].is_nan();
        match place.clone().filter(new).find(|&i| expected[i].value().is_nan()) {
            Some(i) if !place.filter(new).any(|i| tainted[i].is_nan()) => {
                Err(self.failure(Law::KeepsNan, output, i, f64::NAN, tainted[i].widen()))
            }
            _ => Ok(()),
        }
    }
}

/// Rows that are tried without the others: the first, one in the middle, the last, all but the first.
fn pieces(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let last = rows.saturating_sub(1);
    [0..1, last / 2..last / 2 + 1, last..rows, 1..rows].into_iter().filter(move |_| rows > 1)
}

/// What the naive kernel makes of the operands, with bounds.
pub(super) fn reference<T: Scalar, const I: usize, const K: usize, const O: usize>(
    operands: &Operands<T, I, K, O>,
    naive: impl FnOnce([&[Bounded<T>]; I], [&[u32]; K], [&mut [Bounded<T>]; O]),
) -> [Vec<Bounded<T>>; O] {
    let exactly = |data: &Vec<T>| data.iter().map(|x| Bounded::exactly(x.widen())).collect::<Vec<_>>();
    let inputs = operands.inputs.each_ref().map(|operand| exactly(&operand.data));
    let mut outputs = operands.outputs.each_ref().map(|operand| exactly(&operand.data));
    naive(
        inputs.each_ref().map(|input| &input[..]),
        operands.indices.each_ref().map(|operand| &operand.data[..]),
        outputs.each_mut().map(|output| &mut output[..]),
    );
    outputs
}

fn try_map<A, V, const N: usize>(
    items: &[A; N],
    mut f: impl FnMut(usize, &A) -> Result<V, Failure>,
) -> Result<[V; N], Failure> {
    let mapped = items.iter().enumerate().map(|(i, item)| f(i, item)).collect::<Result<Vec<V>, Failure>>()?;
    Ok(mapped.try_into().unwrap_or_else(|_| unreachable!("one for each item")))
}

/// The nearest values of the device, as the inputs of a backward kernel.
pub(super) fn rounded<T: Scalar>(numbers: &[Bounded<T>]) -> Vec<T> {
    numbers.iter().map(|number| T::of(number.value())).collect()
}
