use aprm_core::backend::Backend;
use num_traits::Zero;
use num_traits::float::FloatCore;

use super::{LENGTHS, Rig};
use crate::{Failure, Law};

/// New memory is zero, and what is written somewhere is read there.
pub(crate) fn memory<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for len in LENGTHS {
        rig.at(len);
        let buffer = rig.backend.allocate(len);
        let mut buffer = rig.succeed(buffer)?;
        let mut expected = vec![B::Scalar::zero(); len];
        expect(rig, &buffer, &expected)?;

        for (start, end) in [(0, len), (len / 3, len / 2), (len / 2, len), (len, len)] {
            let source = rig.numbers(end - start, 2.0);
            expected[start..end].copy_from_slice(&source);
            let written = rig.backend.write(&source, &mut buffer, start);
            rig.succeed(written)?;
            expect(rig, &buffer, &expected)?;
        }

        let indices = rig.backend.allocate_indices(len);
        let mut indices = rig.succeed(indices)?;
        expect_indices(rig, &indices, &vec![0; len])?;
        let mut source = rig.indices(len, 1 << 31);
        for written in [len, len / 2] {
            source[..written].fill(written as u32);
            let result = rig.backend.write_indices(&source[..written], &mut indices);
            rig.succeed(result)?;
        }
        expect_indices(rig, &indices, &source)?;
    }
    Ok(())
}

fn expect<B: Backend>(rig: &mut Rig<B>, buffer: &B::Buffer, expected: &[B::Scalar]) -> Result<(), Failure> {
    for start in [0, expected.len() / 3, expected.len()] {
        let mut data = vec![B::Scalar::nan(); expected.len() - start];
        let read = rig.backend.read(buffer, start, &mut data);
        rig.succeed(read)?;
        rig.same_bits(Law::Agrees, 0, start, &data, &expected[start..])?;
    }
    Ok(())
}

fn expect_indices<B: Backend>(rig: &mut Rig<B>, indices: &B::Indices, expected: &[u32]) -> Result<(), Failure> {
    for len in [expected.len(), expected.len() / 2] {
        let mut data = vec![u32::MAX; len];
        let read = rig.backend.read_indices(indices, &mut data);
        rig.succeed(read)?;
        if let Some(i) = (0..len).find(|&i| data[i] != expected[i]) {
            return Err(rig.failure(Law::Agrees, 1, i, expected[i].into(), data[i].into()));
        }
    }
    Ok(())
}
