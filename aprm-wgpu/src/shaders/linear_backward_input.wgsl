#import product
#import weight
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
@group(0) @binding(2) var<storage, read_write> grad_x: array<f32>;

fn left(row: u32, k: u32) -> f32 {
    if (row < dims.rows && k < dims.outputs) {
        return grad_out[row * dims.outputs + k];
    }
    return 0.0;
}

fn right(column: u32, k: u32) -> f32 {
    if (column < dims.inputs && k < dims.outputs) {
        return weight_at(k * dims.inputs + column);
    }
    return 0.0;
}

fn put(place: Place, row: u32, column: u32, sum: f32) {
    if (row < dims.rows && column < dims.inputs) {
        var entry = sum;
        if (dims.accumulate != 0u) {
            entry += grad_x[row * dims.inputs + column];
        }
        grad_x[row * dims.inputs + column] = entry;
    }
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    product(place, 0u, dims.outputs);
}
