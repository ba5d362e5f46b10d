#import product
const LEFT_ALONG_K = true;
const RIGHT_ALONG_K = true;
struct Dims {
    rows: u32,
    inputs: u32,
    outputs: u32,
    accumulate: u32,
    biased: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn shape() -> vec3<u32> {
    return vec3(dims.rows, dims.outputs, dims.inputs);
}

fn put(place: Place, row: u32, column: u32, sum: f32) {
    if (row < dims.rows && column < dims.outputs) {
        var entry = sum;
        if (dims.biased != 0u) {
            entry += bias[column];
        }
        if (dims.accumulate != 0u) {
            entry += out[row * dims.outputs + column];
        }
        out[row * dims.outputs + column] = entry;
    }
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    product(place, 0u, dims.inputs);
}
