// A block of 64 x 64 entries of a product, 4 x 4 by each invocation. The importer gives the operands, zero beyond their
// ends, says along which side they lie in memory, and puts what comes of them where it belongs:
//   fn left(row: u32, k: u32) -> f32, const LEFT_ALONG_K: bool
//   fn right(column: u32, k: u32) -> f32, const RIGHT_ALONG_K: bool
//   fn put(place: Place, row: u32, column: u32, sum: f32)
#import sums
const LANES = 256u;
const BLOCK = 64u;
const DEPTH = 16u;
// Rows of four entries, with one to spare against bank conflicts.
const PITCH = BLOCK / 4u + 1u;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

var<workgroup> lefts: array<vec4<f32>, DEPTH * PITCH>;
var<workgroup> rights: array<vec4<f32>, DEPTH * PITCH>;

// Which four rows, and which k, an invocation brings: neighbours bring neighbours.
fn brought(lane: u32, along_k: bool) -> vec2<u32> {
    return select(vec2(lane % 16u, lane / 16u), vec2(lane / 16u, lane % 16u), along_k);
}

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let l = brought(place.lane, LEFT_ALONG_K);
    let r = brought(place.lane, RIGHT_ALONG_K);
    let row = place.group.y * BLOCK + 4u * l.x;
    let column = place.group.x * BLOCK + 4u * r.x;
    let mine = vec2(place.lane / 16u, place.lane % 16u);
    var sums = mat4x4<f32>();
    for (var k = begin; k < end; k += DEPTH) {
        lefts[l.y * PITCH + l.x] =
            vec4(left(row, k + l.y), left(row + 1u, k + l.y), left(row + 2u, k + l.y), left(row + 3u, k + l.y));
        rights[r.y * PITCH + r.x] = vec4(
            right(column, k + r.y), right(column + 1u, k + r.y), right(column + 2u, k + r.y), right(column + 3u, k + r.y)
        );
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            sums = added(sums, lefts[d * PITCH + mine.x], rights[d * PITCH + mine.y]);
        }
        workgroupBarrier();
    }
    put_sums(place, place.group.yx * BLOCK + 4u * mine, sums);
}
