// partial[p] = the weight gradient of one part of the rows, so that small weights too fill a device; where all rows are one
// part it is added to what is there.
#import product
const LEFT_ALONG_K = false;
const RIGHT_ALONG_K = false;
struct Dims {
    rows: u32,
    inputs: u32,
    outputs: u32,
    rows_of_part: u32,
    accumulate: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn shape() -> vec3<u32> {
    return vec3(dims.outputs, dims.inputs, dims.rows);
}

fn put(place: Place, row: u32, column: u32, sum: f32) {
    if (row < dims.outputs && column < dims.inputs) {
        let at = (place.group.z * dims.outputs + row) * dims.inputs + column;
        var entry = sum;
        if (dims.accumulate != 0u) {
            entry += partial[at];
        }
        partial[at] = entry;
    }
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let begin = place.group.z * dims.rows_of_part;
    product(place, begin, min(dims.rows, begin + dims.rows_of_part));
}
