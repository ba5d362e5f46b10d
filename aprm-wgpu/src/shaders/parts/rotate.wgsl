// Rotation of pair number i, of rows × heads × head_dim / 2, by the angle of its position, or by its negative.
struct Dims {
    len: u32,
    stride: u32,
    heads: u32,
    half: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> positions: array<u32>;
@group(0) @binding(1) var<storage, read> cosines: array<f32>;
@group(0) @binding(2) var<storage, read> sines: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

fn rotate(i: u32, sign: f32) {
    let pair = i % dims.half;
    let head = i / dims.half % dims.heads;
    let row = i / (dims.half * dims.heads);
    let angle = positions[row] * dims.half + pair;
    let cosine = cosines[angle];
    let sine = sign * sines[angle];
    let first = row * dims.stride + head * 2u * dims.half + pair;
    let a = x[first];
    let b = x[first + dims.half];
    x[first] = a * cosine - b * sine;
    x[first + dims.half] = b * cosine + a * sine;
}
