// What a number is, told by its bits: comparisons may be compiled as if NaN and infinities did not exist.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// A logit of probability zero.
fn is_masked(x: f32) -> bool {
    return bitcast<u32>(x) == 0xff800000u;
}
