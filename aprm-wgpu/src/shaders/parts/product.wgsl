// A block of 64 x 64 entries of a product, 4 x 4 by each invocation. The importer gives the operands, zero beyond their
// ends, and says along which side they lie in memory:
//   fn left(row: u32, k: u32) -> f32, const LEFT_ALONG_K: bool
//   fn right(column: u32, k: u32) -> f32, const RIGHT_ALONG_K: bool
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

// Σ_k left(row, k) right(column, k) for k from begin to end in ascending order; a row of the product in each column.
fn product(first_row: u32, first_column: u32, begin: u32, end: u32, lane: u32) -> mat4x4<f32> {
    let l = brought(lane, LEFT_ALONG_K);
    let r = brought(lane, RIGHT_ALONG_K);
    let row = first_row + 4u * l.x;
    let column = first_column + 4u * r.x;
    let mine = vec2(lane / 16u, lane % 16u);
    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    for (var k = begin; k < end; k += DEPTH) {
        lefts[l.y * PITCH + l.x] =
            vec4(left(row, k + l.y), left(row + 1u, k + l.y), left(row + 2u, k + l.y), left(row + 3u, k + l.y));
        rights[r.y * PITCH + r.x] = vec4(
            right(column, k + r.y), right(column + 1u, k + r.y), right(column + 2u, k + r.y), right(column + 3u, k + r.y)
        );
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            let a = lefts[d * PITCH + mine.x];
            let b = rights[d * PITCH + mine.y];
            sum0 = fma(vec4(a.x), b, sum0);
            sum1 = fma(vec4(a.y), b, sum1);
            sum2 = fma(vec4(a.z), b, sum2);
            sum3 = fma(vec4(a.w), b, sum3);
        }
        workgroupBarrier();
    }
    return mat4x4(sum0, sum1, sum2, sum3);
}

// Where the 4 x 4 entries of an invocation begin.
fn first_entry(block: vec2<u32>, lane: u32) -> vec2<u32> {
    return block * BLOCK + 4u * vec2(lane / 16u, lane % 16u);
}
