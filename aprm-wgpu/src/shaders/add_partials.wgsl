// out[i] += Σ_p partial[p, i], p ascending.
#import entries
#import entry
struct Dims {
    len: u32,
    partials: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> partial: array<Entry>;
@group(0) @binding(1) var<storage, read_write> out: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        var sum = Entry(0.0);
        for (var p = 0u; p < dims.partials; p++) {
            sum += partial[p * dims.len + i];
        }
        out[i] += sum;
    }
}
