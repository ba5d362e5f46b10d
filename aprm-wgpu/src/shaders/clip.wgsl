#import entries
#import entry
#import bits
struct Dims {
    len: u32,
    max_norm: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> squared_norm: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let norm = sqrt(squared_norm[0]);
    if (!is_finite(norm) || norm <= dims.max_norm) {
        return;
    }
    let factor = dims.max_norm / norm;
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        x[i] *= factor;
    }
}
