#import entries
#import weight
struct Dims {
    len: u32,
    channels: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        out[i] = weight_at(indices[i / dims.channels] * dims.channels + i % dims.channels);
    }
}
