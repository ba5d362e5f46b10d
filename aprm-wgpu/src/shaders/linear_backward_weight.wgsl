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
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn left(row: u32, k: u32) -> f32 {
    if (row < dims.outputs && k < dims.rows) {
        return grad_out[k * dims.outputs + row];
    }
    return 0.0;
}

fn right(column: u32, k: u32) -> f32 {
    if (column < dims.inputs && k < dims.rows) {
        return x[k * dims.inputs + column];
    }
    return 0.0;
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = vec2(place.group.y, place.group.x);
    let begin = place.group.z * dims.rows_of_part;
    let end = min(dims.rows, begin + dims.rows_of_part);
    let sums = product(block.x * BLOCK, block.y * BLOCK, begin, end, place.lane);
    let first = first_entry(block, place.lane);
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            let row = first.x + r;
            let column = first.y + c;
            if (row < dims.outputs && column < dims.inputs) {
                let at = (place.group.z * dims.outputs + row) * dims.inputs + column;
                var sum = sums[r][c];
                if (dims.accumulate != 0u) {
                    sum += partial[at];
                }
                partial[at] = sum;
            }
        }
    }
}
