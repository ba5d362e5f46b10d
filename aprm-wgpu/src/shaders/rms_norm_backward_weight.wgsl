// partial[part, c] = the weight gradient of 64 groups of channels; a workgroup has LANES of the channels.
#import norm
const GROUPS = 64u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> rstd: array<f32>;
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chunk = group.y * groups.x + group.x;
    let begin = chunk * GROUPS;
    let end = min(dims.rows * dims.groups, begin + GROUPS);
    let c = group.z * LANES + lane;
    if (begin >= end || c >= dims.channels) {
        return;
    }
    var sum = 0.0;
    for (var g = begin; g < end; g++) {
        let i = first_channel(g) + c;
        sum = fma(grad_out[i], x[i] * rstd[g], sum);
    }
    partial[chunk * dims.channels + c] = sum;
}
