// 16 rows meet tiles of 32 others; an invocation holds two scores of one row, and every 16th channel of it.
override HEAD_DIM: u32 = 64u;
const LANES = 256u;
const ROWS = 16u;
const OTHERS = 32u;
const CHUNK = 32u;
const PITCH = CHUNK + 1u;
const MOST_CHANNELS = 256u;
// Lower than any score.
const LOWEST = -3.0e38;

struct Dims {
    sequences: u32,
    blocks: u32,
    heads: u32,
    kv_heads: u32,
    scale: f32,
}
var<immediate> dims: Dims;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

// One block of rows of one head of one sequence.
struct Block {
    sequence: u32,
    head: u32,
    // Within the sequence.
    first: u32,
}

fn block_of(place: Place, heads: u32) -> Block {
    let index = place.group.y * place.groups.x + place.group.x;
    return Block(index / (dims.blocks * heads), index / dims.blocks % heads, index % dims.blocks * ROWS);
}

fn qkv_width() -> u32 {
    return (dims.heads + 2u * dims.kv_heads) * HEAD_DIM;
}

fn key_head(head: u32) -> u32 {
    return dims.heads + head / (dims.heads / dims.kv_heads);
}

fn value_head(head: u32) -> u32 {
    return key_head(head) + dims.kv_heads;
}
