// What a kernel works on at a time: a number, or in the version `wide` four beside each other, of which a device has four
// times as many bytes under way. Lengths are counted in entries.
alias Entry = f32;
alias Bits = u32;
const WIDTH = 1u;
// Where the numbers of an entry are, from its first on.
const WITHIN = 0u;

fn total(x: Entry) -> f32 {
    return x;
}

fn largest(x: Entry) -> f32 {
    return x;
}

fn number(x: Entry, within: u32) -> f32 {
    return x;
}
