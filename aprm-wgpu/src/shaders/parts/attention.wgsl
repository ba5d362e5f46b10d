// 16 rows meet tiles of 32 others; an invocation holds two scores of one row, and every 16th channel of it.
@group(0) @binding(0) var<storage, read> offsets: array<u32>;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;

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
    head: u32,
    // The first row of the sequence, and how many it has; none beyond the last sequence.
    begin: u32,
    len: u32,
    // The first row of the block, and the one of this invocation, within the sequence. Beyond the end the last row is
    // worked on once more, and not written.
    first: u32,
    row: u32,
}

fn block_of(place: Place, heads: u32) -> Block {
    let index = place.group.y * place.groups.x + place.group.x;
    let sequence = index / (dims.blocks * heads);
    var block = Block(index / dims.blocks % heads, 0u, 0u, index % dims.blocks * ROWS, 0u);
    if (sequence < dims.sequences) {
        block.begin = offsets[sequence];
        block.len = offsets[sequence + 1u] - block.begin;
        block.row = min(block.first + place.lane / 16u, max(block.len, 1u) - 1u);
    }
    return block;
}

// Whether the invocation's row is its own, and not the last one once more.
fn is_own_row(block: Block, place: Place) -> bool {
    return block.first + place.lane / 16u < block.len;
}

// Where a channel of a row of the sequence is; the last row and channel beyond the end.
fn at(block: Block, row: u32, head: u32, channel: u32) -> u32 {
    return (block.begin + min(row, block.len - 1u)) * qkv_width() + head * HEAD_DIM + min(channel, HEAD_DIM - 1u);
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
