const LANES = 64u;
struct Dims {
    rows: u32,
    stride: u32,
    offset: u32,
    groups: u32,
    channels: u32,
    epsilon: f32,
    accumulate: u32,
}
var<immediate> dims: Dims;

// Where group number `group`, of all rows, begins.
fn first_channel(group: u32) -> u32 {
    return group / dims.groups * dims.stride + dims.offset + group % dims.groups * dims.channels;
}
