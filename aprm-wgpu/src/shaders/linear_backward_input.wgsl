#import product
const LEFT_ALONG_K = true;
const RIGHT_ALONG_K = false;
struct Dims {
    rows: u32,
    inputs: u32,
    outputs: u32,
    accumulate: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> grad_out: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> grad_x: array<f32>;

fn left(row: u32, k: u32) -> f32 {
    if (row < dims.rows && k < dims.outputs) {
        return grad_out[row * dims.outputs + k];
    }
    return 0.0;
}

fn right(column: u32, k: u32) -> f32 {
    if (column < dims.inputs && k < dims.outputs) {
        return weight[k * dims.inputs + column];
    }
    return 0.0;
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = vec2(place.group.y, place.group.x);
    let sums = product(block.x * BLOCK, block.y * BLOCK, 0u, dims.outputs, place.lane);
    let first = first_entry(block, place.lane);
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            let row = first.x + r;
            let column = first.y + c;
            if (row < dims.rows && column < dims.inputs) {
                var sum = sums[r][c];
                if (dims.accumulate != 0u) {
                    sum += grad_x[row * dims.inputs + column];
                }
                grad_x[row * dims.inputs + column] = sum;
            }
        }
    }
}
