// What blocks of every size have in common. A size gives BLOCK, DEPTH, and LANES invocations, each of which brings four
// entries of each operand, and what becomes of them:
//   Sums, and fn with_terms(place: Place, sums: Sums, first: u32) -> Sums, of the k whose entries begin at `first`
//   fn put_block(place: Place, sums: Sums)
#import block_index
#import outer
#import weight
@group(0) @binding(0) var<storage, read> left_entries: array<f32>;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

// Rows of four entries, with one to spare against bank conflicts.
const PITCH = BLOCK / 4u + 1u;

var<workgroup> lefts: array<vec4<f32>, DEPTH * PITCH>;
var<workgroup> rights: array<vec4<f32>, DEPTH * PITCH>;

// Zero beyond the ends.
fn left(row: u32, k: u32) -> f32 {
    let shape = shape();
    if (row < shape.x && k < shape.z) {
        return left_entries[select(k * shape.x + row, row * shape.z + k, LEFT_ALONG_K)];
    }
    return 0.0;
}

fn right(column: u32, k: u32) -> f32 {
    let shape = shape();
    if (column < shape.y && k < shape.z) {
        return weight_at(select(k * shape.y + column, column * shape.z + k, RIGHT_ALONG_K));
    }
    return 0.0;
}

// Which four rows, and which k, an invocation brings: neighbours bring neighbours.
fn brought(lane: u32, along_k: bool) -> vec2<u32> {
    return select(vec2(lane % (BLOCK / 4u), lane / (BLOCK / 4u)), vec2(lane / DEPTH, lane % DEPTH), along_k);
}

struct Entries {
    left: vec4<f32>,
    right: vec4<f32>,
}

// What this invocation brings of both operands from k to k + DEPTH.
fn loaded(place: Place, k: u32) -> Entries {
    let l = brought(place.lane, LEFT_ALONG_K);
    let r = brought(place.lane, RIGHT_ALONG_K);
    let first = block_index(place) * BLOCK;
    let row = first.x + 4u * l.x;
    let column = first.y + 4u * r.x;
    return Entries(
        vec4(left(row, k + l.y), left(row + 1u, k + l.y), left(row + 2u, k + l.y), left(row + 3u, k + l.y)),
        vec4(right(column, k + r.y), right(column + 1u, k + r.y), right(column + 2u, k + r.y), right(column + 3u, k + r.y))
    );
}

fn stage(place: Place, entries: Entries) {
    let l = brought(place.lane, LEFT_ALONG_K);
    let r = brought(place.lane, RIGHT_ALONG_K);
    lefts[l.y * PITCH + l.x] = entries.left;
    rights[r.y * PITCH + r.x] = entries.right;
}

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    var sums = Sums();
    var next = loaded(place, begin);
    for (var k = begin; k < end; k += DEPTH) {
        stage(place, next);
        workgroupBarrier();
        // Under way while what is staged is worked on; beyond the end it is of no use, and does no harm.
        next = loaded(place, k + DEPTH);
        for (var d = 0u; d < DEPTH; d++) {
            sums = with_terms(place, sums, d * PITCH);
        }
        workgroupBarrier();
    }
    put_block(place, sums);
}

// Without loops: a matrix that is indexed by a variable may be taken out of registers.
fn put_sums(place: Place, first: vec2<u32>, sums: mat4x4<f32>) {
    put_row(place, first, sums[0]);
    put_row(place, first + vec2(1u, 0u), sums[1]);
    put_row(place, first + vec2(2u, 0u), sums[2]);
    put_row(place, first + vec2(3u, 0u), sums[3]);
}

fn put_row(place: Place, first: vec2<u32>, sums: vec4<f32>) {
    put(place, first.x, first.y, sums.x);
    put(place, first.x, first.y + 1u, sums.y);
    put(place, first.x, first.y + 2u, sums.z);
    put(place, first.x, first.y + 3u, sums.w);
}
