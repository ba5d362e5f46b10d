// dots[row, head] = grad_out · out.
#import entries
struct Dims {
    len: u32,
    head_dim: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> out: array<f32>;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;
@group(0) @binding(2) var<storage, read_write> dots: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        var sum = 0.0;
        for (var c = i * dims.head_dim; c < (i + 1u) * dims.head_dim; c++) {
            sum = fma(grad_out[c], out[c], sum);
        }
        dots[i] = sum;
    }
}
