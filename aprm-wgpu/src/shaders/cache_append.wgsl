#import entries
struct Dims {
    len: u32,
    heads: u32,
    kv_heads: u32,
    head_dim: u32,
    capacity: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> slots: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let width = dims.kv_heads * dims.head_dim;
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        let row = i / width;
        let key = row * (dims.heads + 2u * dims.kv_heads) * dims.head_dim + dims.heads * dims.head_dim + i % width;
        let to = (slots[row] * dims.capacity + positions[row]) * width + i % width;
        keys[to] = qkv[key];
        values[to] = qkv[key + width];
    }
}
