// total[0] += Σ partial, by one workgroup.
#import reduce
const LANES = 256u;
struct Dims {
    len: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    var sum = 0.0;
    for (var i = place.lane; i < dims.len; i += LANES) {
        sum += partial[i];
    }
    sum = workgroup_sum(sum, place);
    if (place.lane == 0u) {
        total[0] += sum;
    }
}
