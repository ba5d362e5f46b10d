// An invocation for each trajectory, from its last step back.
#import entries
struct Dims {
    len: u32,
    gamma: f32,
    gae_lambda: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> offsets: array<u32>;
@group(0) @binding(1) var<storage, read> rewards: array<f32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> advantages: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var trajectory = first_entry(place); trajectory < end_entry(place, dims.len); trajectory += LANES) {
        let begin = offsets[trajectory];
        var next_value = 0.0;
        var next_advantage = 0.0;
        for (var t = offsets[trajectory + 1u]; t > begin; t--) {
            let td_error = rewards[t - 1u] + dims.gamma * next_value - values[t - 1u];
            next_advantage = td_error + dims.gamma * dims.gae_lambda * next_advantage;
            next_value = values[t - 1u];
            advantages[t - 1u] = next_advantage;
        }
    }
}
