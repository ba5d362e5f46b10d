// What policy_backward reads of a row, side by side: few devices bind all of it at once.
#import entries
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> grad_log_prob: array<f32>;
@group(0) @binding(1) var<storage, read> grad_entropy: array<f32>;
@group(0) @binding(2) var<storage, read> grad_kl: array<f32>;
@group(0) @binding(3) var<storage, read> entropy: array<f32>;
@group(0) @binding(4) var<storage, read> kl: array<f32>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(6) var<storage, read> ref_log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read_write> coefficients: array<vec4<f32>>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var row = first_entry(place); row < end_entry(place, dims.len); row += LANES) {
        coefficients[2u * row] = vec4(grad_log_prob[row], grad_entropy[row], grad_kl[row], entropy[row]);
        coefficients[2u * row + 1u] = vec4(kl[row], log_sum_exp[row], ref_log_sum_exp[row], 0.0);
    }
}
