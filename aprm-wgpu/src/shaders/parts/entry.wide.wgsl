// Four numbers at a time; what this is about is in entry.wgsl.
alias Entry = vec4<f32>;
alias Bits = vec4<u32>;
const WIDTH = 4u;
const WITHIN = vec4(0u, 1u, 2u, 3u);

fn total(x: Entry) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

fn largest(x: Entry) -> f32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

fn number(x: Entry, within: u32) -> f32 {
    return x[within];
}
