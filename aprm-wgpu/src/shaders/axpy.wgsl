#import entries
#import entry
struct Dims {
    len: u32,
    alpha: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> x: array<Entry>;
@group(0) @binding(1) var<storage, read_write> y: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        y[i] = fma(Entry(dims.alpha), x[i], y[i]);
    }
}
