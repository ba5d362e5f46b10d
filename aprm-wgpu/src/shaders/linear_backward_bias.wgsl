// partial[part] = the column sums of 64 rows; a workgroup has LANES of the columns.
const LANES = 64u;
const ROWS = 64u;
struct Dims {
    rows: u32,
    outputs: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> grad_out: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let part = group.y * groups.x + group.x;
    let begin = part * ROWS;
    let end = min(dims.rows, begin + ROWS);
    let c = group.z * LANES + lane;
    if (begin >= end || c >= dims.outputs) {
        return;
    }
    var sum = 0.0;
    for (var r = begin; r < end; r++) {
        sum += grad_out[r * dims.outputs + c];
    }
    partial[part * dims.outputs + c] = sum;
}
