use aprm_core::backend::{AttentionDims, Backend, CacheDims};
use num_traits::float::FloatCore;

use super::Rig;
use super::operands::{Operand, Operands};
use super::rig::{reference, rounded};
use super::sequences::offsets;
use crate::naive::{attention, cache};
use crate::{Bounded, Failure, Law, Number};

/// Heads, the lengths of sequences, and the scale of queries, keys and values; 30 overflows an unshifted exponential.
/// Lengths lie about multiples of 32 and 64, which kernels cut sequences into, and widths about those of 4, 32 and 64.
fn cases() -> impl Iterator<Item = (AttentionDims, Vec<usize>, f64)> {
    let dims = |heads, kv_heads, head_dim| AttentionDims { heads, kv_heads, head_dim };
    [
        (dims(1, 1, 2), vec![], 2.0),
        (dims(1, 1, 2), vec![0], 2.0),
        (dims(1, 1, 2), vec![1], 2.0),
        (dims(2, 1, 4), vec![0, 1, 0, 3, 0], 2.0),
        (dims(4, 1, 2), vec![5, 1, 131, 2], 2.0),
        (dims(2, 1, 1), vec![32, 63, 0, 64], 2.0),
        (dims(3, 1, 5), vec![128], 2.0),
        (dims(2, 1, 33), vec![1, 129], 2.0),
        (dims(2, 2, 80), vec![31, 33], 2.0),
        (dims(4, 2, 64), vec![7, 9, 65], 2.0),
        (dims(1, 1, 127), vec![66], 2.0),
        (dims(1, 1, 128), vec![97], 2.0),
        (dims(1, 1, 256), vec![65], 2.0),
        (dims(6, 3, 4), vec![1; 10], 2.0),
        (dims(4, 2, 4), vec![17, 2], 30.0),
    ]
    .into_iter()
}

impl<B: Backend> Rig<B> {
    fn qkv(&mut self, dims: AttentionDims, rows: usize, scale: f64) -> Operand<B::Scalar> {
        Operand::rows(dims.qkv_width(), self.numbers(rows * dims.qkv_width(), scale))
    }
}

pub(crate) fn attention_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, lengths, scale) in cases() {
        rig.at((dims, &lengths, scale));
        let rows = lengths.iter().sum();
        let qkv = rig.qkv(dims, rows, scale);
        let outputs = [Operand::overwritten(rows, dims.heads * dims.head_dim), Operand::overwritten(rows, dims.heads)];
        rig.check_sequences(
            &lengths,
            true,
            Operands { inputs: [qkv], indices: [], outputs },
            |backend, sequences, [qkv], [mut out, mut log_sum_exp]| {
                backend.attention_forward(dims, sequences, &qkv, &mut out, &mut log_sum_exp)?;
                Ok([out, log_sum_exp])
            },
            |offsets, [qkv], [out, log_sum_exp]| attention::forward(dims, offsets, qkv, out, log_sum_exp),
        )?;
    }
    Ok(())
}

pub(crate) fn attention_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, lengths, scale) in cases() {
        rig.at((dims, &lengths, scale));
        let rows = lengths.iter().sum();
        let qkv = rig.qkv(dims, rows, scale);
        let width = dims.heads * dims.head_dim;
        let outputs = [Operand::overwritten(rows, width), Operand::overwritten(rows, dims.heads)];
        let forward = Operands { inputs: [qkv.clone()], indices: [Operand::shared(offsets(&lengths))], outputs };
        let [out, log_sum_exp] =
            reference(&forward, |[qkv], [offsets], [out, lse]| attention::forward(dims, offsets, qkv, out, lse));
        let inputs = [
            qkv,
            Operand::rows(width, rounded(&out)),
            Operand::rows(dims.heads, rounded(&log_sum_exp)),
            Operand::rows(width, rig.numbers(rows * width, 2.0)),
        ];
        rig.check_sequences(
            &lengths,
            false,
            Operands { inputs, indices: [], outputs: [Operand::overwritten(rows, dims.qkv_width())] },
            |backend, sequences, [qkv, out, log_sum_exp, grad_out], [mut grad_qkv]| {
                backend.attention_backward(dims, sequences, &qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv)?;
                Ok([grad_qkv])
            },
            |offsets, [qkv, out, log_sum_exp, grad_out], [grad_qkv]| {
                attention::backward(dims, offsets, qkv, out, log_sum_exp, grad_out, grad_qkv);
            },
        )?;
    }
    Ok(())
}

const SLOTS: usize = 3;
const CAPACITY: usize = 137;

/// Heads and rows.
fn cached_cases() -> impl Iterator<Item = CacheDims> {
    let cases = [(1, 1, 2, 0), (1, 1, 2, 1), (2, 1, 4, 31), (4, 1, 2, 65), (2, 2, 80, 7), (4, 2, 64, 9)];
    cases.into_iter().map(|(heads, kv_heads, head_dim, rows)| {
        let attention = AttentionDims { heads, kv_heads, head_dim };
        CacheDims { attention, rows, slots: SLOTS, capacity: CAPACITY }
    })
}

/// A slot and a position for each row, no two alike: 37 has no divisor in common with their number.
fn places(rows: usize) -> [Operand<u32>; 2] {
    let place = |row: usize| (37 * row + 136) % (SLOTS * CAPACITY);
    let (slots, positions) = (0..rows).map(|r| ((place(r) / CAPACITY) as u32, (place(r) % CAPACITY) as u32)).unzip();
    [Operand::rows(1, slots), Operand::rows(1, positions)]
}

pub(crate) fn cache_append<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for dims in cached_cases() {
        rig.at(dims);
        let qkv = rig.qkv(dims.attention, dims.rows, 2.0);
        let len = SLOTS * CAPACITY * dims.attention.kv_heads * dims.attention.head_dim;
        let outputs = [(); 2].map(|()| Operand::shared(rig.numbers(len, 2.0)));
        rig.check(
            dims.rows,
            Operands { inputs: [qkv], indices: places(dims.rows), outputs },
            |backend, rows, [qkv], [slots, positions], [mut keys, mut values]| {
                backend.cache_append(CacheDims { rows, ..dims }, &qkv, &slots, &positions, &mut keys, &mut values)?;
                Ok([keys, values])
            },
            |rows, [qkv], [slots, positions], [keys, values]| {
                cache::append(CacheDims { rows, ..dims }, qkv, slots, positions, keys, values);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn attention_cached<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for dims in cached_cases() {
        rig.at(dims);
        let AttentionDims { heads, kv_heads, head_dim } = dims.attention;
        let (width, rows) = (kv_heads * head_dim, dims.rows);
        let qkv = rig.qkv(dims.attention, rows, 2.0);
        let [slots, positions] = places(rows);
        let mut caches = [(); 2].map(|()| rig.numbers(SLOTS * CAPACITY * width, 2.0));
        for slot in 0..SLOTS {
            // Nobody looks behind the last position of a slot.
            let here = slots.data.iter().zip(&positions.data).filter(|(s, _)| **s as usize == slot);
            let filled = here.map(|(_, position)| *position as usize + 1).max().unwrap_or(0);
            for cache in &mut caches {
                cache[(slot * CAPACITY + filled) * width..(slot + 1) * CAPACITY * width].fill(B::Scalar::nan());
            }
        }
        let [keys, values] = caches.map(Operand::shared);
        rig.check(
            rows,
            Operands {
                inputs: [qkv, keys, values],
                indices: [slots, positions],
                outputs: [Operand::overwritten(rows, heads * head_dim)],
            },
            |backend, rows, [qkv, keys, values], [slots, positions], [mut out]| {
                let dims = CacheDims { rows, ..dims };
                backend.attention_cached(dims, &qkv, &slots, &positions, &keys, &values, &mut out)?;
                Ok([out])
            },
            |rows, [qkv, keys, values], [slots, positions], [out]| {
                cache::attention(CacheDims { rows, ..dims }, qkv, slots, positions, keys, values, out);
            },
        )?;
    }
    cases().try_for_each(|(dims, lengths, scale)| cached_is_uncached(rig, dims, &lengths, scale))
}

/// What a sequence gives token by token is what it gives at once.
fn cached_is_uncached<B: Backend>(
    rig: &mut Rig<B>,
    attention: AttentionDims,
    lengths: &[usize],
    scale: f64,
) -> Result<(), Failure> {
    let (rows, slots) = (lengths.iter().sum(), lengths.len());
    let capacity = lengths.iter().copied().max().unwrap_or(0);
    let dims = CacheDims { attention, rows, slots, capacity };
    rig.at(("attention_forward", dims, lengths, scale));
    let places = || lengths.iter().enumerate().flat_map(|(slot, &len)| (0..len).map(move |position| (slot, position)));
    let indices = [
        Operand::rows(1, places().map(|(slot, _)| slot as u32).collect()),
        Operand::rows(1, places().map(|(_, position)| position as u32).collect()),
    ];
    let operands = Operands {
        inputs: [rig.qkv(attention, rows, scale)],
        indices,
        outputs: [
            Operand::overwritten(rows, attention.heads * attention.head_dim),
            Operand::overwritten(slots * capacity, attention.kv_heads * attention.head_dim),
            Operand::overwritten(slots * capacity, attention.kv_heads * attention.head_dim),
        ],
    };
    let [out, ..] = rig.run(&operands, |backend, [qkv], [slots, positions], [mut out, mut keys, mut values]| {
        backend.cache_append(dims, &qkv, &slots, &positions, &mut keys, &mut values)?;
        backend.attention_cached(dims, &qkv, &slots, &positions, &keys, &values, &mut out)?;
        Ok([out, keys, values])
    })?;
    let [expected, ..] = reference(&operands, |[qkv], _, [out, _, _]| {
        let mut log_sum_exp = vec![Bounded::exactly(0.0); rows * attention.heads];
        attention::forward(attention, &offsets(lengths), qkv, out, &mut log_sum_exp);
    });
    rig.agree(Law::Agrees, 0, &out, &expected)
}
