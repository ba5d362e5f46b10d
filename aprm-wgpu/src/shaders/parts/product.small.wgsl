// A block of 32 x 32 entries of a product, four rows of a column by each invocation: for products with few entries, whose
// larger blocks would leave most of a device idle. What the importer gives is in product.wgsl, and entries have the same
// bits.
#import blocks
const LANES = 256u;
const BLOCK = 32u;
const DEPTH = 32u;

alias Sums = vec4<f32>;

fn with_terms(place: Place, sums: Sums, first: u32) -> Sums {
    let column = place.lane % BLOCK;
    return fma(lefts[first + place.lane / BLOCK], vec4(rights[first + column / 4u][column % 4u]), sums);
}

fn put_block(place: Place, sums: Sums) {
    let first = block_index(place) * BLOCK + vec2(place.lane / BLOCK * 4u, place.lane % BLOCK);
    put(place, first.x, first.y, sums.x);
    put(place, first.x + 1u, first.y, sums.y);
    put(place, first.x + 2u, first.y, sums.z);
    put(place, first.x + 3u, first.y, sums.w);
}
