// A block of 128 x 128 entries of a product, 8 x 8 by each invocation: half the reading of 64 x 64, where blocks are
// many enough. What the importer gives is in product.wgsl, and entries have the same bits.
#import sums
const LANES = 256u;
const BLOCK = 128u;
const DEPTH = 8u;
// Rows of four entries, with one to spare against bank conflicts.
const PITCH = BLOCK / 4u + 1u;
// An invocation has four rows and four columns in each half of the block.
const HALF = BLOCK / 2u;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

var<workgroup> lefts: array<vec4<f32>, DEPTH * PITCH>;
var<workgroup> rights: array<vec4<f32>, DEPTH * PITCH>;

// Which four rows, and which k, an invocation brings: neighbours bring neighbours.
fn brought(lane: u32, along_k: bool) -> vec2<u32> {
    return select(vec2(lane % 32u, lane / 32u), vec2(lane / 8u, lane % 8u), along_k);
}

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let l = brought(place.lane, LEFT_ALONG_K);
    let r = brought(place.lane, RIGHT_ALONG_K);
    let row = place.group.y * BLOCK + 4u * l.x;
    let column = place.group.x * BLOCK + 4u * r.x;
    let mine = vec2(place.lane / 16u, place.lane % 16u);
    var sums00 = mat4x4<f32>();
    var sums01 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    for (var k = begin; k < end; k += DEPTH) {
        lefts[l.y * PITCH + l.x] =
            vec4(left(row, k + l.y), left(row + 1u, k + l.y), left(row + 2u, k + l.y), left(row + 3u, k + l.y));
        rights[r.y * PITCH + r.x] = vec4(
            right(column, k + r.y), right(column + 1u, k + r.y), right(column + 2u, k + r.y), right(column + 3u, k + r.y)
        );
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            let a0 = lefts[d * PITCH + mine.x];
            let a1 = lefts[d * PITCH + mine.x + HALF / 4u];
            let b0 = rights[d * PITCH + mine.y];
            let b1 = rights[d * PITCH + mine.y + HALF / 4u];
            sums00 = added(sums00, a0, b0);
            sums01 = added(sums01, a0, b1);
            sums10 = added(sums10, a1, b0);
            sums11 = added(sums11, a1, b1);
        }
        workgroupBarrier();
    }
    let first = place.group.yx * BLOCK + 4u * mine;
    put_sums(place, first, sums00);
    put_sums(place, first + vec2(0u, HALF), sums01);
    put_sums(place, first + vec2(HALF, 0u), sums10);
    put_sums(place, first + vec2(HALF, HALF), sums11);
}
