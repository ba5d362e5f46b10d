#import entries
#import bits
struct Dims {
    len: u32,
    lowest: f32,
    highest: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> log_prob: array<f32>;
@group(0) @binding(1) var<storage, read> old_log_prob: array<f32>;
@group(0) @binding(2) var<storage, read> advantages: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_log_prob: array<f32>;

// Log-ratios beyond it are not followed.
const MAX_LOG_RATIO = 20.0;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        let log_ratio = log_prob[i] - old_log_prob[i];
        // Equal policies have a ratio of one, which `exp` may miss by a rounding.
        let ratio = select(exp(log_ratio), 1.0, log_ratio == 0.0);
        let advantage = advantages[i];
        let is_clipped = select((ratio < dims.lowest), (ratio > dims.highest), advantage > 0.0);
        let gradient = select(-advantage * ratio, 0.0, is_clipped || log_ratio > MAX_LOG_RATIO);
        grad_log_prob[i] = select(gradient, log_ratio, is_nan(log_ratio));
    }
}
