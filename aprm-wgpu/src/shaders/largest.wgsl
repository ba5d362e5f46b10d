// partial[o, p] = the largest magnitude of the finite entries in part p of operand o, which is every PARTS-th 256 of it.
// The right operand is the one that may be weights.
#import reduce
#import bits
#import weight
const LANES = 256u;
const PARTS = 1024u;
const STEP = PARTS * LANES;
struct Dims {
    left_len: u32,
    right_len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

fn magnitude(x: f32) -> f32 {
    return select(0.0, abs(x), is_finite(x));
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let part = place.group.x;
    let first = part * LANES + place.lane;
    var most = 0.0;
    if (place.group.y == 0u) {
        for (var i = first; i < dims.left_len; i += STEP) {
            most = max(most, magnitude(left[i]));
        }
    } else {
        for (var i = first; i < dims.right_len; i += STEP) {
            most = max(most, magnitude(weight_at(i)));
        }
    }
    most = workgroup_max(most, place);
    if (place.lane == 0u) {
        partial[place.group.y * PARTS + part] = most;
    }
}
