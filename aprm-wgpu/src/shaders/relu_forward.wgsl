#import entries
#import bits
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        // Not a maximum: NaN stays.
        x[i] = select(select(0.0, x[i], x[i] > 0.0), x[i], is_nan(x[i]));
    }
}
