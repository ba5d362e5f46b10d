// A workgroup for each group of channels of each row.
#import reduce
#import norm
#import entry

@group(0) @binding(0) var<storage, read> x: array<Entry>;
@group(0) @binding(1) var<storage, read> weight: array<Entry>;
@group(0) @binding(2) var<storage, read> rstd: array<f32>;
@group(0) @binding(3) var<storage, read> grad_out: array<Entry>;
@group(0) @binding(4) var<storage, read_write> grad_x: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let group = workgroup_index(place);
    if (group >= dims.rows * dims.groups) {
        return;
    }
    let first = first_channel(group);
    let scale = rstd[group];
    var sum = Entry(0.0);
    for (var c = place.lane; c < dims.channels; c += LANES) {
        sum = fma(grad_out[first + c] * weight[c], x[first + c] * scale, sum);
    }
    let mean = workgroup_sum(total(sum), place) / f32(dims.channels * WIDTH);
    for (var c = place.lane; c < dims.channels; c += LANES) {
        let i = first + c;
        let grad = scale * (grad_out[i] * weight[c] - x[i] * scale * mean);
        if (dims.accumulate != 0u) {
            grad_x[i] += grad;
        } else {
            grad_x[i] = grad;
        }
    }
}
