// ROWS rows of a head meet tiles of OTHERS others. Both go by fours: an invocation holds the products of four rows with
// four others, then, of the same four rows, sums over the others. The importer says who is who and where numbers are:
//   const ROWS: u32, const OTHERS: u32, one of them 64 and the other 32
//   const ROWS_ARE_QUERIES: bool, else they are keys
//   fn entry(head: Head, row: u32, channel: u32) -> f32
//   fn put(head: Head, row: u32, channel: u32, sum: f32)
#import outer
@group(0) @binding(0) var<storage, read> offsets: array<u32>;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;

override HEAD_DIM: u32 = 64u;
const LANES = 128u;
// The channels of a step of products, and the fours of each, with one to spare against bank conflicts.
const DEPTH = 16u;
const PITCH = (ROWS + OTHERS) / 4u + 1u;
// The others and the channels of a step of sums, and how many fours of these channels are an invocation's.
const SOME = 32u;
const WIDE = 64u;
const PARTS = WIDE / OTHERS;

struct Dims {
    sequences: u32,
    blocks: u32,
    heads: u32,
    kv_heads: u32,
    scale: f32,
}
var<immediate> dims: Dims;

// A power of two, so that compilers see of most indices that they are within.
var<workgroup> staged: array<vec4<f32>, 512>;
var<workgroup> weights: array<vec4<f32>, 512>;

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
    // The first row of the block within the sequence.
    first: u32,
}

// Blocks that meet many others come first, so that none is left over at the end.
fn block_of(place: Place, heads: u32) -> Block {
    let index = place.group.y * place.groups.x + place.group.x;
    let nth = index / (dims.sequences * heads);
    let sequence = index / heads % dims.sequences;
    var block = Block(index % heads, 0u, 0u, 0u);
    if (nth < dims.blocks) {
        block.begin = offsets[sequence];
        block.len = offsets[sequence + 1u] - block.begin;
        block.first = select(nth, dims.blocks - 1u - nth, ROWS_ARE_QUERIES) * ROWS;
    }
    return block;
}

// A head of qkv, or of the gradient of what comes of attention.
struct Head {
    index: u32,
    is_grad: bool,
}

fn queries(head: u32) -> Head {
    return Head(head, false);
}

fn keys(head: u32) -> Head {
    return Head(dims.heads + head / (dims.heads / dims.kv_heads), false);
}

fn values(head: u32) -> Head {
    return Head(keys(head).index + dims.kv_heads, false);
}

fn in_qkv(head: Head, row: u32, channel: u32) -> u32 {
    return (row * (dims.heads + 2u * dims.kv_heads) + head.index) * HEAD_DIM + channel;
}

// Zero beyond the ends.
fn number(block: Block, head: Head, row: u32, channel: u32) -> f32 {
    if (row < block.len && channel < HEAD_DIM) {
        return entry(head, block.begin + row, channel);
    }
    return 0.0;
}

// Which four rows of the block, and which four others of the tile, are an invocation's.
fn fours(place: Place) -> vec2<u32> {
    return vec2(place.lane / (OTHERS / 4u), place.lane % (OTHERS / 4u));
}

fn rows_of(place: Place, block: Block) -> vec4<u32> {
    return block.first + 4u * fours(place).x + vec4(0u, 1u, 2u, 3u);
}

// Which of the rows see an other, or are seen by it.
fn meets(block: Block, rows: vec4<u32>, other: u32) -> vec4<bool> {
    return select(rows <= vec4(other), rows >= vec4(other), ROWS_ARE_QUERIES) & vec4(other < block.len);
}

// Whether four rows, from `row` on, all meet four others; else they are the same four, or none meet.
fn all_meet(block: Block, row: u32, other: u32) -> bool {
    return select(other > row, row > other, ROWS_ARE_QUERIES) && max(row, other) < block.len;
}

// The products of the rows with the tile's others: a column for each of an invocation's four others.
fn products(place: Place, block: Block, tile: u32, of_rows: Head, of_others: Head) -> mat4x4<f32> {
    let mine = fours(place);
    let row = block.first + 4u * mine.x;
    let other = tile + 4u * mine.y;
    let meet = row == other || all_meet(block, row, other);
    let to = place.lane % DEPTH * PITCH + place.lane / DEPTH;
    var sums = mat4x4<f32>();
    var next = brought(place, block, tile, of_rows, of_others, 0u);
    for (var chunk = 0u; chunk < HEAD_DIM; chunk += DEPTH) {
        workgroupBarrier();
        staged[to] = next[0];
        staged[to + LANES / DEPTH] = next[1];
        staged[to + 2u * LANES / DEPTH] = next[2];
        workgroupBarrier();
        // On its way while these are multiplied.
        next = brought(place, block, tile, of_rows, of_others, chunk + DEPTH);
        if (meet) {
            for (var c = 0u; c < DEPTH; c++) {
                sums = added(sums, staged[c * PITCH + ROWS / 4u + mine.y], staged[c * PITCH + mine.x]);
            }
        }
    }
    return sums;
}

// What an invocation brings for a step of products: neighbours bring neighbouring channels.
fn brought(place: Place, block: Block, tile: u32, of_rows: Head, of_others: Head, chunk: u32) -> mat3x4<f32> {
    let n = place.lane / DEPTH;
    let channel = chunk + place.lane % DEPTH;
    return mat3x4(
        four(block, tile, of_rows, of_others, n, channel),
        four(block, tile, of_rows, of_others, n + LANES / DEPTH, channel),
        four(block, tile, of_rows, of_others, n + 2u * LANES / DEPTH, channel)
    );
}

// Of the fours of rows, then of others, the n-th.
fn four(block: Block, tile: u32, of_rows: Head, of_others: Head, n: u32, channel: u32) -> vec4<f32> {
    if (n < ROWS / 4u) {
        return numbers(block, of_rows, block.first + 4u * n, channel);
    }
    return numbers(block, of_others, tile + 4u * n - ROWS, channel);
}

fn numbers(block: Block, head: Head, row: u32, channel: u32) -> vec4<f32> {
    return vec4(
        number(block, head, row, channel),
        number(block, head, row + 1u, channel),
        number(block, head, row + 2u, channel),
        number(block, head, row + 3u, channel)
    );
}

// Where the weights of an other for four rows are: mixed, so that neither writing nor reading meets in a bank.
fn weight_place(rows: u32, other: u32) -> u32 {
    return other * (ROWS / 4u) + (rows ^ (other / 4u % 8u));
}

// Puts what others count for in sums, a column for each of an invocation's four others, when nobody reads the last.
fn weigh(place: Place, columns: mat4x4<f32>) {
    let mine = fours(place);
    workgroupBarrier();
    weights[weight_place(mine.x, 4u * mine.y)] = columns[0];
    weights[weight_place(mine.x, 4u * mine.y + 1u)] = columns[1];
    weights[weight_place(mine.x, 4u * mine.y + 2u)] = columns[2];
    weights[weight_place(mine.x, 4u * mine.y + 3u)] = columns[3];
}

// Sums for an invocation's four rows: a matrix has the channels c, c + 8, c + 16 and c + 24, where c is `channel_of`.
alias Part = array<mat4x4<f32>, PARTS>;

// Those of up to 256 channels, one by one: what a loop indexes may be taken out of registers.
struct Sums {
    to_64: Part,
    to_128: Part,
    to_192: Part,
    to_256: Part,
}

// The first channel of the v-th four, of which 8 share 32 channels: so neighbours bring neighbours here too.
fn channel_of(v: u32) -> u32 {
    return v / 8u * 32u + v % 8u;
}

// The sums with the tile's others, weighed.
fn with_others(place: Place, block: Block, tile: u32, of_others: Head, before: Sums) -> Sums {
    var sums = before;
    sums.to_64 = part_with_others(place, block, tile, of_others, 0u, sums.to_64);
    if (HEAD_DIM > 64u) {
        sums.to_128 = part_with_others(place, block, tile, of_others, 64u, sums.to_128);
    }
    if (HEAD_DIM > 128u) {
        sums.to_192 = part_with_others(place, block, tile, of_others, 128u, sums.to_192);
    }
    if (HEAD_DIM > 192u) {
        sums.to_256 = part_with_others(place, block, tile, of_others, 192u, sums.to_256);
    }
    return sums;
}

fn part_with_others(place: Place, block: Block, tile: u32, of_others: Head, chunk: u32, before: Part) -> Part {
    let mine = fours(place);
    let row = block.first + 4u * mine.x;
    let channel = chunk + channel_of(place.lane % (WIDE / 4u));
    var sums = before;
    for (var some = 0u; some < OTHERS; some += SOME) {
        workgroupBarrier();
        for (var i = 0u; i < SOME * WIDE / 4u; i += LANES) {
            let other = tile + some + (i + place.lane) / (WIDE / 4u);
            staged[i + place.lane] = vec4(
                number(block, of_others, other, channel),
                number(block, of_others, other, channel + 8u),
                number(block, of_others, other, channel + 16u),
                number(block, of_others, other, channel + 24u)
            );
        }
        workgroupBarrier();
        for (var other = some; other < some + SOME; other += 4u) {
            if (all_meet(block, row, tile + other)) {
                sums = with_four(mine, other, sums, false);
            } else if (row == tile + other) {
                sums = with_four(mine, other, sums, true);
            }
        }
    }
    return sums;
}

// With four others; `are_same` if they are the invocation's rows, of which each meets some. What a row does not meet is
// not even multiplied by zero: it may be NaN.
fn with_four(mine: vec2<u32>, first: u32, before: Part, are_same: bool) -> Part {
    var sums = before;
    for (var k = 0u; k < 4u; k++) {
        let weight = weights[weight_place(mine.x, first + k)];
        let rows = vec4(0u, 1u, 2u, 3u);
        let meet = select(rows <= vec4(k), rows >= vec4(k), ROWS_ARE_QUERIES) | vec4(!are_same);
        for (var p = 0u; p < PARTS; p++) {
            let other = staged[(first + k) % SOME * (WIDE / 4u) + p * (OTHERS / 4u) + mine.y];
            let sum = sums[p];
            let with_other = added(sum, other, weight);
            sums[p] = mat4x4(
                select(sum[0], with_other[0], meet),
                select(sum[1], with_other[1], meet),
                select(sum[2], with_other[2], meet),
                select(sum[3], with_other[3], meet)
            );
        }
    }
    return sums;
}

fn put_sums(place: Place, block: Block, head: Head, sums: Sums) {
    put_part(place, block, head, 0u, sums.to_64);
    if (HEAD_DIM > 64u) {
        put_part(place, block, head, 64u, sums.to_128);
    }
    if (HEAD_DIM > 128u) {
        put_part(place, block, head, 128u, sums.to_192);
    }
    if (HEAD_DIM > 192u) {
        put_part(place, block, head, 192u, sums.to_256);
    }
}

fn put_part(place: Place, block: Block, head: Head, chunk: u32, part: Part) {
    var sums = part;
    for (var p = 0u; p < PARTS; p++) {
        let channel = chunk + channel_of(p * (OTHERS / 4u) + fours(place).y);
        put_channel(place, block, head, channel, sums[p][0]);
        put_channel(place, block, head, channel + 8u, sums[p][1]);
        put_channel(place, block, head, channel + 16u, sums[p][2]);
        put_channel(place, block, head, channel + 24u, sums[p][3]);
    }
}

fn put_channel(place: Place, block: Block, head: Head, channel: u32, sums: vec4<f32>) {
    let rows = rows_of(place, block);
    put_number(block, head, rows.x, channel, sums.x);
    put_number(block, head, rows.y, channel, sums.y);
    put_number(block, head, rows.z, channel, sums.z);
    put_number(block, head, rows.w, channel, sums.w);
}

fn put_number(block: Block, head: Head, row: u32, channel: u32, sum: f32) {
    if (row < block.len && channel < HEAD_DIM) {
        put(head, block.begin + row, channel, sum);
    }
}
