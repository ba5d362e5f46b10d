// A block of 8 x 8 tiles of a product by cooperative matrices of TILE x TILE, or of 4 x 8 where these are few; a subgroup
// has a patch of PATCH_ROWS x 2 of them. The operands are tiles of tiles.wgsl; sums are f32, and divided by both operands'
// powers of two. What the importer gives is in product.wgsl.
#import block_index
override PATCH_ROWS: u32 = 4u;
const PATCH_COLUMNS = 2u;
const PATCHES = 8u;
const PATCHES_ACROSS = 4u;
const ENTRIES = TILE * TILE;
// As many as a subgroup for each patch takes at most. Invocations make up subgroups in their order, which nothing but
// the check at the start says: a driver is reported to crash on shaders that name subgroups and have matrices too.
override LANES: u32 = 256u;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

@group(0) @binding(0) var<storage, read> lefts: array<f16>;
@group(0) @binding(1) var<storage, read> rights: array<f16>;
// The exponents of the powers, of the left operand and of the right, and zero.
@group(0) @binding(7) var<storage, read> powers: array<i32>;

// A matrix of each patch.
var<workgroup> sums: array<f32, PATCHES * ENTRIES>;

// 2^exponent, from −126 to 127.
fn power(exponent: i32) -> f32 {
    return bitcast<f32>(u32(exponent + 127) << 23u);
}

// Where a patch begins, in tiles.
fn first_tile(place: Place, patch_index: u32) -> vec2<u32> {
    let patch_size = vec2(PATCH_ROWS, PATCH_COLUMNS);
    let block = block_index(place) * vec2(PATCHES / PATCHES_ACROSS, PATCHES_ACROSS) * patch_size;
    return block + vec2(patch_index / PATCHES_ACROSS, patch_index % PATCHES_ACROSS) * patch_size;
}

// Puts Σ_k left(row, k) right(column, k), for k from begin to end, of the block of this workgroup; begin is a multiple of
// TILE.
fn product(place: Place, begin: u32, end: u32) {
    let tiles = (shape() + vec3(TILE - 1u)) / TILE;
    // Where subgroups are smaller than they may be, several do the same.
    let patch_index = place.lane * PATCHES / LANES;
    let slot = patch_index * ENTRIES;
    // Where rows of tiles begin. Beyond the ends the last one is worked on once more, and not put anywhere.
    let first = first_tile(place, patch_index);
    let pitch = tiles.z * ENTRIES;
    let left0 = min(first.x, tiles.x - 1u) * pitch;
    let left1 = min(first.x + 1u, tiles.x - 1u) * pitch;
    let left2 = min(first.x + 2u, tiles.x - 1u) * pitch;
    let left3 = min(first.x + 3u, tiles.x - 1u) * pitch;
    let right0 = min(first.y, tiles.y - 1u) * pitch;
    let right1 = min(first.y + 1u, tiles.y - 1u) * pitch;
    for (var i = place.lane; i < PATCHES * ENTRIES; i += LANES) {
        sums[i] = 0.0;
    }
    workgroupBarrier();
    var sum00 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum01 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum10 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum11 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum20 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum21 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum30 = coopLoadT<Sum>(&sums[slot], TILE);
    var sum31 = coopLoadT<Sum>(&sums[slot], TILE);
    for (var k = begin / TILE; k < (end + TILE - 1u) / TILE; k++) {
        let b0 = coopLoad<Right>(&rights[right0 + k * ENTRIES], TILE);
        let b1 = coopLoad<Right>(&rights[right1 + k * ENTRIES], TILE);
        let a0 = coopLoadT<Left>(&lefts[left0 + k * ENTRIES], TILE);
        sum00 = coopMultiplyAdd(a0, b0, sum00);
        sum01 = coopMultiplyAdd(a0, b1, sum01);
        let a1 = coopLoadT<Left>(&lefts[left1 + k * ENTRIES], TILE);
        sum10 = coopMultiplyAdd(a1, b0, sum10);
        sum11 = coopMultiplyAdd(a1, b1, sum11);
        if (PATCH_ROWS == 2u) {
            continue;
        }
        let a2 = coopLoadT<Left>(&lefts[left2 + k * ENTRIES], TILE);
        sum20 = coopMultiplyAdd(a2, b0, sum20);
        sum21 = coopMultiplyAdd(a2, b1, sum21);
        let a3 = coopLoadT<Left>(&lefts[left3 + k * ENTRIES], TILE);
        sum30 = coopMultiplyAdd(a3, b0, sum30);
        sum31 = coopMultiplyAdd(a3, b1, sum31);
    }
    put_matrices(place, sum00, slot, vec2(0u, 0u));
    put_matrices(place, sum01, slot, vec2(0u, 1u));
    put_matrices(place, sum10, slot, vec2(1u, 0u));
    put_matrices(place, sum11, slot, vec2(1u, 1u));
    if (PATCH_ROWS == 2u) {
        return;
    }
    put_matrices(place, sum20, slot, vec2(2u, 0u));
    put_matrices(place, sum21, slot, vec2(2u, 1u));
    put_matrices(place, sum30, slot, vec2(3u, 0u));
    put_matrices(place, sum31, slot, vec2(3u, 1u));
}

// Puts one matrix of each patch, whose tile is `within` the patch.
fn put_matrices(place: Place, sum: Sum, slot: u32, within: vec2<u32>) {
    workgroupBarrier();
    coopStoreT(sum, &sums[slot], TILE);
    workgroupBarrier();
    // In two factors, of which neither leaves f32's range.
    let exponent = -(powers[0] + powers[1]);
    let half = exponent / 2;
    for (var i = place.lane; i < PATCHES * ENTRIES; i += LANES) {
        let index = i / ENTRIES;
        let entry = i % ENTRIES;
        let at = (first_tile(place, index) + within) * TILE + vec2(entry / TILE, entry % TILE);
        // A compiler that may reorder products would make one power of both, which has no room in f32: it does not know
        // that the bits which are flipped in between are none.
        let scaled = bitcast<f32>(bitcast<u32>(sums[i] * power(half)) ^ bitcast<u32>(powers[2]));
        put(place, at.x, at.y, scaled * power(exponent - half));
    }
}
