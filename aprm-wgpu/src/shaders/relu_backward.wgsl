#import entries
#import bits
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> out: array<f32>;
@group(0) @binding(1) var<storage, read_write> grad: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        grad[i] *= select(select(0.0, 1.0, out[i] > 0.0), out[i], is_nan(out[i]));
    }
}
