#import entries
#import entry
struct Dims {
    len: u32,
    channels: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> gate_up: array<Entry>;
@group(0) @binding(1) var<storage, read_write> out: array<Entry>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        let at = i + i / dims.channels * dims.channels;
        let gate = gate_up[at];
        out[i] = gate / (1.0 + exp(-gate)) * gate_up[at + dims.channels];
    }
}
