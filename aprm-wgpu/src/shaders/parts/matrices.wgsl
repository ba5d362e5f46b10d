// A block of 64 x 64 entries of a product by cooperative matrices of TILE x TILE; a subgroup has a patch of 2 x 2 of
// them. Operands are rounded to f16, each times the power of two that brings its largest entry near f16's; sums are
// f32, and divided by both powers. What the importer gives is in product.wgsl.
const BLOCK = 64u;
const DEPTH = 32u;
// Rows begin at multiples of 16 bytes, as matrices must.
const PITCH = DEPTH + 8u;
const PATCH = 2u * TILE;
// Patches along a side of the block.
const PATCHES = BLOCK / PATCH;
const ENTRIES = TILE * TILE;
// As many as a subgroup for each patch takes at most. Invocations make up subgroups in their order, which nothing but
// the check at the start says: a driver is reported to crash on shaders that name subgroups and have matrices too.
override LANES: u32 = 128u;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

// The exponents of the powers, of the left operand and of the right, and zero.
@group(0) @binding(7) var<storage, read> powers: array<i32>;

var<workgroup> lefts: array<f16, BLOCK * PITCH>;
var<workgroup> rights: array<f16, BLOCK * PITCH>;
// A matrix of each patch.
var<workgroup> sums: array<f32, PATCHES * PATCHES * ENTRIES>;

// 2^exponent, from −126 to 127.
fn power(exponent: i32) -> f32 {
    return bitcast<f32>(u32(exponent + 127) << 23u);
}

// Which row, and which k, is brought as number i: neighbours bring neighbours.
fn brought(i: u32, along_k: bool) -> vec2<u32> {
    return select(vec2(i % BLOCK, i / BLOCK), vec2(i / DEPTH, i % DEPTH), along_k);
}

// Puts Σ_k left(row, k) right(column, k), for k from begin to end, of the block of this workgroup.
fn product(place: Place, begin: u32, end: u32) {
    let first = place.group.yx * BLOCK;
    let left_power = power(powers[0]);
    let right_power = power(powers[1]);
    // Where subgroups are smaller than they may be, several do the same.
    let patch_index = place.lane * PATCHES * PATCHES / LANES;
    let left0 = patch_index / PATCHES * PATCH * PITCH;
    let left1 = left0 + TILE * PITCH;
    let right0 = patch_index % PATCHES * PATCH * PITCH;
    let right1 = right0 + TILE * PITCH;
    let slot = patch_index * ENTRIES;
    for (var i = place.lane; i < PATCHES * PATCHES * ENTRIES; i += LANES) {
        sums[i] = 0.0;
    }
    workgroupBarrier();
    var sum00 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum01 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum10 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum11 = coopLoadT<Sum>(&sums[slot], TILE);
    for (var k = begin; k < end; k += DEPTH) {
        for (var i = place.lane; i < BLOCK * DEPTH; i += LANES) {
            let l = brought(i, LEFT_ALONG_K);
            let r = brought(i, RIGHT_ALONG_K);
            lefts[l.x * PITCH + l.y] = f16(left(first.x + l.x, k + l.y) * left_power);
            rights[r.x * PITCH + r.y] = f16(right(first.y + r.x, k + r.y) * right_power);
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d += TILE) {
            let a0 = coopLoadT<Left>(&lefts[left0 + d], PITCH);
            let a1 = coopLoadT<Left>(&lefts[left1 + d], PITCH);
            let b0 = coopLoad<Right>(&rights[right0 + d], PITCH);
            let b1 = coopLoad<Right>(&rights[right1 + d], PITCH);
            sum00 = coopMultiplyAdd(a0, b0, sum00);
            sum01 = coopMultiplyAdd(a0, b1, sum01);
            sum10 = coopMultiplyAdd(a1, b0, sum10);
            sum11 = coopMultiplyAdd(a1, b1, sum11);
        }
        workgroupBarrier();
    }
    put_matrices(place, sum00, slot, vec2(0u, 0u));
    put_matrices(place, sum01, slot, vec2(0u, TILE));
    put_matrices(place, sum10, slot, vec2(TILE, 0u));
    put_matrices(place, sum11, slot, vec2(TILE, TILE));
}

// Puts one matrix of each patch, which begins at `within` the patch.
fn put_matrices(place: Place, sum: Sum, slot: u32, within: vec2<u32>) {
    coopStoreT(sum, &sums[slot], TILE);
    workgroupBarrier();
    // In two factors, of which neither leaves f32's range.
    let exponent = -(powers[0] + powers[1]);
    let half = exponent / 2;
    for (var i = place.lane; i < PATCHES * PATCHES * ENTRIES; i += LANES) {
        let index = i / ENTRIES;
        let entry = i % ENTRIES;
        let at = place.group.yx * BLOCK + vec2(index / PATCHES, index % PATCHES) * PATCH + within
            + vec2(entry / TILE, entry % TILE);
        // A compiler that may reorder products would make one power of both, which has no room in f32: it does not know
        // that the bits which are flipped in between are none.
        let scaled = bitcast<f32>(bitcast<u32>(sums[i] * power(half)) ^ bitcast<u32>(powers[2]));
        put(place, at.x, at.y, scaled * power(exponent - half));
    }
    workgroupBarrier();
}
