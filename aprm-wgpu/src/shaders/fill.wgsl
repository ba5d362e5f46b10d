#import entries
#import entry
struct Dims {
    len: u32,
    value: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read_write> x: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        x[i] = Entry(dims.value);
    }
}
