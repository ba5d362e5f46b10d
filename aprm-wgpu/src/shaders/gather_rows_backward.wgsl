// A workgroup for each row that is the first of its index: it adds up that row and all later ones of the same index, in
// their order, so that no two workgroups write to one place.
const LANES = 64u;
const TILE = 256u;
struct Dims {
    rows: u32,
    channels: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> grad_out: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> grad_table: array<f32>;

var<workgroup> earlier: atomic<u32>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.y * groups.x + group.x;
    if (row >= dims.rows) {
        return;
    }
    if (lane == 0u) {
        atomicStore(&earlier, 0u);
    }
    workgroupBarrier();
    let index = indices[row];
    for (var r = lane; r < row; r += LANES) {
        if (indices[r] == index) {
            atomicStore(&earlier, 1u);
        }
    }
    workgroupBarrier();
    if (atomicLoad(&earlier) != 0u) {
        return;
    }
    for (var c = lane; c < dims.channels; c += LANES) {
        var sum = grad_table[index * dims.channels + c];
        // Two loops, since some devices end a loop after 65,535 turns.
        for (var tile = row; tile < dims.rows; tile += TILE) {
            for (var r = tile; r < min(dims.rows, tile + TILE); r++) {
                if (indices[r] == index) {
                    sum += grad_out[r * dims.channels + c];
                }
            }
        }
        grad_table[index * dims.channels + c] = sum;
    }
}
