// A block of 128 x 128 entries of a product, 8 x 8 by each invocation: half the reading of 64 x 64, where blocks are
// many enough. What the importer gives is in product.wgsl, and entries have the same bits.
#import blocks
const LANES = 256u;
const BLOCK = 128u;
const DEPTH = 8u;
// An invocation has four rows and four columns in each half of the block.
const HALF = BLOCK / 2u;

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let mine = vec2(place.lane / 16u, place.lane % 16u);
    var sums00 = mat4x4<f32>();
    var sums01 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    var next = fetched(place, begin);
    for (var k = begin; k < end; k += DEPTH) {
        keep(place, next);
        workgroupBarrier();
        // Under way while what is kept is worked on; beyond the end it is of no use, and does no harm.
        next = fetched(place, k + DEPTH);
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
    let first = block_index(place) * BLOCK + 4u * mine;
    put_sums(place, first, sums00);
    put_sums(place, first + vec2(0u, HALF), sums01);
    put_sums(place, first + vec2(HALF, 0u), sums10);
    put_sums(place, first + vec2(HALF, HALF), sums11);
}
