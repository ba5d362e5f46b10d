// Weights that are only read, at binding 1: of the f32 that they are, or of two bytes each in the version `packed`.
@group(0) @binding(1) var<storage, read> weights: array<f32>;

fn weight_at(i: u32) -> f32 {
    return weights[i];
}
