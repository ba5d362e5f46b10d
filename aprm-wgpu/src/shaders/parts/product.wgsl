// A block of 64 x 64 entries of a product, 4 x 4 by each invocation. Operands are at bindings 0 and 1, the right one may be
// weights. The importer says how they lie in memory and puts what comes of them where it belongs:
//   const LEFT_ALONG_K: bool, const RIGHT_ALONG_K: bool, whether entries beside each other have k beside each other
//   fn shape() -> vec3<u32>, rows, columns and k's
//   fn put(place: Place, row: u32, column: u32, sum: f32), of rows and columns beyond the shape too
#import blocks
const LANES = 256u;
const BLOCK = 64u;
const DEPTH = 16u;

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let mine = vec2(place.lane / 16u, place.lane % 16u);
    var sums = mat4x4<f32>();
    var next = fetched(place, begin);
    for (var k = begin; k < end; k += DEPTH) {
        keep(place, next);
        workgroupBarrier();
        // Under way while what is kept is worked on; beyond the end it is of no use, and does no harm.
        next = fetched(place, k + DEPTH);
        for (var d = 0u; d < DEPTH; d++) {
            sums = added(sums, lefts[d * PITCH + mine.x], rights[d * PITCH + mine.y]);
        }
        workgroupBarrier();
    }
    put_sums(place, block_index(place) * BLOCK + 4u * mine, sums);
}
