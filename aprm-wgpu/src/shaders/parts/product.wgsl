// A block of 64 x 64 entries of a product, 4 x 4 by each invocation. Operands are at bindings 0 and 1, the right one may be
// weights. The importer says how they lie in memory and puts what comes of them where it belongs:
//   const LEFT_ALONG_K: bool, const RIGHT_ALONG_K: bool, whether entries beside each other have k beside each other
//   fn shape() -> vec3<u32>, rows, columns and k's
//   fn put(place: Place, row: u32, column: u32, sum: f32), of rows and columns beyond the shape too
#import blocks
const LANES = 256u;
const BLOCK = 64u;
const DEPTH = 16u;

alias Sums = mat4x4<f32>;

fn with_terms(place: Place, sums: Sums, first: u32) -> Sums {
    return added(sums, lefts[first + place.lane / 16u], rights[first + place.lane % 16u]);
}

fn put_block(place: Place, sums: Sums) {
    put_sums(place, block_index(place) * BLOCK + 4u * vec2(place.lane / 16u, place.lane % 16u), sums);
}
