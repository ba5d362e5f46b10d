// A workgroup for each group of channels of each row.
#import reduce
#import norm
#import entry

@group(0) @binding(0) var<storage, read> x: array<Entry>;
@group(0) @binding(1) var<storage, read> weight: array<Entry>;
@group(0) @binding(2) var<storage, read_write> out: array<Entry>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let group = workgroup_index(place);
    if (group >= dims.rows * dims.groups) {
        return;
    }
    let first = first_channel(group);
    var sum = Entry(0.0);
    for (var c = place.lane; c < dims.channels; c += LANES) {
        sum = fma(x[first + c], x[first + c], sum);
    }
    let scale = 1.0 / sqrt(workgroup_sum(total(sum), place) / f32(dims.channels * WIDTH) + dims.epsilon);
    for (var c = place.lane; c < dims.channels; c += LANES) {
        out[first + c] = x[first + c] * scale * weight[c];
    }
    if (place.lane == 0u) {
        rstd[group] = scale;
    }
}
