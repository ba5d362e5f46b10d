// A block of 128 x 128 entries of a product, 8 x 8 by each invocation: half the reading of 64 x 64, where blocks are
// many enough. What the importer gives is in product.wgsl, and entries have the same bits.
#import blocks
const LANES = 256u;
const BLOCK = 128u;
const DEPTH = 8u;
// An invocation has four rows and four columns in each half of the block.
const HALF = BLOCK / 2u;

struct Sums {
    of00: mat4x4<f32>,
    of01: mat4x4<f32>,
    of10: mat4x4<f32>,
    of11: mat4x4<f32>,
}

fn with_terms(place: Place, sums: Sums, first: u32) -> Sums {
    let a0 = lefts[first + place.lane / 16u];
    let a1 = lefts[first + place.lane / 16u + HALF / 4u];
    let b0 = rights[first + place.lane % 16u];
    let b1 = rights[first + place.lane % 16u + HALF / 4u];
    return Sums(
        added(sums.of00, a0, b0), added(sums.of01, a0, b1), added(sums.of10, a1, b0), added(sums.of11, a1, b1)
    );
}

fn put_block(place: Place, sums: Sums) {
    let first = block_index(place) * BLOCK + 4u * vec2(place.lane / 16u, place.lane % 16u);
    put_sums(place, first, sums.of00);
    put_sums(place, first + vec2(0u, HALF), sums.of01);
    put_sums(place, first + vec2(HALF, 0u), sums.of10);
    put_sums(place, first + vec2(HALF, HALF), sums.of11);
}
