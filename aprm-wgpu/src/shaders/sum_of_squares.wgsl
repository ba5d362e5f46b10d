// partial[workgroup] = the sum of squares of its entries.
#import reduce
#import entry
const LANES = 256u;
const ENTRIES = 4096u / WIDTH;
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> x: array<Entry>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let first = workgroup_index(place) * ENTRIES;
    if (first >= dims.len) {
        return;
    }
    let end = min(dims.len, first + ENTRIES);
    var sum = Entry(0.0);
    for (var i = first + place.lane; i < end; i += LANES) {
        sum = fma(x[i], x[i], sum);
    }
    let squares = workgroup_sum(total(sum), place);
    if (place.lane == 0u) {
        partial[workgroup_index(place)] = squares;
    }
}
