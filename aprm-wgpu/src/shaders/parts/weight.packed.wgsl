// Weights in bfloat16, the upper halves of f32: of two in a word the first has the lower half.
@group(0) @binding(1) var<storage, read> weights: array<u32>;

fn weight_at(i: u32) -> f32 {
    let word = weights[i / 2u];
    return bitcast<f32>(select(word << 16u, word & 0xffff0000u, i % 2u == 1u));
}
