// A block of 64 x 64 entries of a product, 4 x 4 by each invocation. The importer gives the operands, zero beyond their
// ends, says along which side they lie in memory, and puts what comes of them where it belongs:
//   fn left(row: u32, k: u32) -> f32, const LEFT_ALONG_K: bool
//   fn right(column: u32, k: u32) -> f32, const RIGHT_ALONG_K: bool
//   fn put(place: Place, row: u32, column: u32, sum: f32)
#import blocks
const LANES = 256u;
const BLOCK = 64u;
const DEPTH = 16u;

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let mine = vec2(place.lane / 16u, place.lane % 16u);
    var sums = mat4x4<f32>();
    for (var k = begin; k < end; k += DEPTH) {
        bring(place, k);
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            sums = added(sums, lefts[d * PITCH + mine.x], rights[d * PITCH + mine.y]);
        }
        workgroupBarrier();
    }
    put_sums(place, place.group.yx * BLOCK + 4u * mine, sums);
}
