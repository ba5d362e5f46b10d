// A block of 32 x 32 entries of a product, four rows of a column by each invocation: for products with few entries, whose
// larger blocks would leave most of a device idle. What the importer gives is in product.wgsl, and entries have the same
// bits.
#import blocks
const LANES = 256u;
const BLOCK = 32u;
const DEPTH = 32u;

// Puts Σ_k left(row, k) right(column, k), for k from begin to end in ascending order, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let mine = vec2(place.lane / BLOCK, place.lane % BLOCK);
    var sums = vec4<f32>();
    var next = fetched(place, begin);
    for (var k = begin; k < end; k += DEPTH) {
        keep(place, next);
        workgroupBarrier();
        // Under way while what is kept is worked on; beyond the end it is of no use, and does no harm.
        next = fetched(place, k + DEPTH);
        for (var d = 0u; d < DEPTH; d++) {
            sums = fma(lefts[d * PITCH + mine.x], vec4(rights[d * PITCH + mine.y / 4u][mine.y % 4u]), sums);
        }
        workgroupBarrier();
    }
    let first = block_index(place) * BLOCK + vec2(4u, 1u) * mine;
    put(place, first.x, first.y, sums.x);
    put(place, first.x + 1u, first.y, sums.y);
    put(place, first.x + 2u, first.y, sums.z);
    put(place, first.x + 3u, first.y, sums.w);
}
