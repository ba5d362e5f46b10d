// powers[o] = the exponent of the power of two that brings the largest magnitude of operand o to between 2^14 and 2^15,
// where f16 ends at 2^16; at most 126.
#import reduce
const LANES = 256u;
const PARTS = 1024u;
@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> powers: array<i32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let operand = place.group.x;
    var most = 0.0;
    for (var part = place.lane; part < PARTS; part += LANES) {
        most = max(most, partial[operand * PARTS + part]);
    }
    most = workgroup_max(most, place);
    if (place.lane == 0u) {
        // Of f32's bits, 127 too large; 0 where there are only zeros, or less than 2^-126.
        let exponent = i32(bitcast<u32>(most) >> 23u) - 127;
        powers[operand] = min(14 - exponent, 126);
    }
}
