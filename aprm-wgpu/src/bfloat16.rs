//! Numbers of 8 significant bits and f32's exponents: f32's upper halves, two to a word.

/// The words of `weight.packed.wgsl`; the last upper half of an odd number is zero.
pub(crate) fn pack(numbers: &[f32]) -> Vec<u32> {
    let words = numbers.chunks(2).map(|pair| {
        let upper = pair.get(1).map_or(0, |&number| rounded(number));
        u32::from(rounded(pair[0])) | u32::from(upper) << 16
    });
    words.collect()
}

/// The numbers of these words from number `start` on.
pub(crate) fn unpack(words: &[u32], start: usize, out: &mut [f32]) {
    for (i, out) in (start..).zip(out) {
        let word = words[i / 2];
        *out = f32::from_bits(if i % 2 == 0 { word << 16 } else { word & 0xffff_0000 });
    }
}

/// To the nearest, of two the even one.
fn rounded(number: f32) -> u16 {
    let bits = number.to_bits();
    let upper = (bits >> 16) as u16;
    if number.is_nan() {
        // Its payload may lie in the lower half alone.
        return upper | 0x40;
    }
    ((bits + 0x7fff + u32::from(upper & 1)) >> 16) as u16
}
