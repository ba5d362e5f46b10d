#import entries
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> predictions: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_predictions: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        let error = predictions[i] - targets[i];
        grad_predictions[i] = weights[i] * error;
        loss[i] = weights[i] * error * error / 2.0;
    }
}
