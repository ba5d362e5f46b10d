#import product
#import weight
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
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn left(row: u32, k: u32) -> f32 {
    if (row < dims.rows && k < dims.inputs) {
        return x[row * dims.inputs + k];
    }
    return 0.0;
}

fn right(column: u32, k: u32) -> f32 {
    if (column < dims.outputs && k < dims.inputs) {
        return weight_at(column * dims.inputs + k);
    }
    return 0.0;
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
