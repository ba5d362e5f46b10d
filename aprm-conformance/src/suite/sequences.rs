use aprm_core::backend::{Backend, Ragged};

use super::Rig;
use super::operands::{Operand, Operands};
use super::rig::reference;
use crate::{Bounded, Failure, Law};

pub(super) fn offsets(lengths: &[usize]) -> Vec<u32> {
    (0..=lengths.len()).map(|s| lengths[..s].iter().sum::<usize>() as u32).collect()
}

impl<B: Backend> Rig<B> {
    /// Holds a call to every law that concerns sequences; a causal kernel writes a row from those up to it alone.
    pub(super) fn check_sequences<const I: usize, const O: usize>(
        &mut self,
        lengths: &[usize],
        causal: bool,
        operands: Operands<B::Scalar, I, 0, O>,
        device: impl Fn(&mut B, Ragged<'_, B::Indices>, [B::Buffer; I], [B::Buffer; O]) -> Result<[B::Buffer; O], B::Error>,
        naive: impl Fn(&[u32], [&[Bounded<B::Scalar>]; I], [&mut [Bounded<B::Scalar>]; O]),
    ) -> Result<(), Failure> {
        let run = |rig: &mut Self, lengths: &[usize], operands: &Operands<_, I, 1, O>| {
            let (sequences, rows) = (lengths.len(), lengths.iter().sum());
            let longest = lengths.iter().copied().max().unwrap_or(0);
            rig.run(operands, |backend, inputs, [offsets], outputs| {
                device(backend, Ragged { offsets: &offsets, sequences, rows, longest }, inputs, outputs)
            })
        };
        let offsets_of = |lengths: &[usize]| [Operand::shared(offsets(lengths))];
        let Operands { inputs, indices: [], outputs } = operands;
        let operands = Operands { inputs, indices: offsets_of(lengths), outputs };
        let actual = run(self, lengths, &operands)?;
        let again = run(self, lengths, &operands)?;
        let expected = reference(&operands, |inputs, [offsets], outputs| naive(offsets, inputs, outputs));
        for o in 0..O {
            self.agree(Law::Agrees, o, &actual[o], &expected[o])?;
            self.same_bits(Law::Repeats, o, 0, &again[o], &actual[o])?;
        }
        for (pair, &len) in offsets(lengths).windows(2).zip(lengths).filter(|(_, len)| **len > 0) {
            let (begin, end) = (pair[0] as usize, pair[1] as usize);
            let only = Operands { indices: offsets_of(&[len]), ..operands.only(begin..end) };
            let alone = run(self, &[len], &only)?;
            for (o, operand) in operands.outputs.iter().enumerate() {
                let place = operand.place(begin..end);
                self.same_bits(Law::StandsAlone, o, place.start, &alone[o], &actual[o][place])?;
            }

            let middle = (begin + end) / 2;
            let mut changed = operands.clone();
            let place = changed.inputs[0].place(middle..middle + 1);
            changed.inputs[0].data[place].reverse();
            let after = run(self, lengths, &changed)?;
            for (o, operand) in operands.outputs.iter().enumerate().filter(|_| causal) {
                let before = operand.place(0..middle);
                self.same_bits(Law::Causal, o, 0, &after[o][before.clone()], &actual[o][before])?;
            }

            for poisoned in operands.poisoned(middle) {
                let tainted = run(self, lengths, &poisoned)?;
                let expected = reference(&poisoned, |inputs, [offsets], outputs| naive(offsets, inputs, outputs));
                for (o, operand) in operands.outputs.iter().enumerate() {
                    let place = operand.place(if causal { middle } else { begin }..end);
                    self.nan_within(o, place, &actual[o], &tainted[o], &expected[o])?;
                }
            }
        }
        Ok(())
    }
}
