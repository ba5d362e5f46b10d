#import entries
#import entry
struct Dims {
    len: u32,
    beta1: f32,
    beta2: f32,
    first_correction: f32,
    second_correction: f32,
    epsilon: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> gradient: array<Entry>;
@group(0) @binding(1) var<storage, read_write> first_moment: array<Entry>;
@group(0) @binding(2) var<storage, read_write> second_moment: array<Entry>;
@group(0) @binding(3) var<storage, read_write> direction: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        let g = gradient[i];
        let m = dims.beta1 * first_moment[i] + (1.0 - dims.beta1) * g;
        let v = dims.beta2 * second_moment[i] + (1.0 - dims.beta2) * (g * g);
        first_moment[i] = m;
        second_moment[i] = v;
        direction[i] = (m / dims.first_correction) / (sqrt(v / dims.second_correction) + dims.epsilon);
    }
}
