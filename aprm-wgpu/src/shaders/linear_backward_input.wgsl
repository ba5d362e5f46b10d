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
@group(0) @binding(2) var<storage, read_write> grad_x: array<f32>;

fn shape() -> vec3<u32> {
    return vec3(dims.rows, dims.inputs, dims.outputs);
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
