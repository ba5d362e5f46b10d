// tiles[t] = an operand of a product by cooperative matrices, cut into tiles of TILE rows and as many k's, each of which
// lies together, k's first: in f16, times the power of two of powers.wgsl, zero beyond the operand's ends.
// It is where weights may be, of either side.
enable f16;
#import weight
override TILE: u32 = 16u;
const LANES = 256u;
struct Dims {
    rows: u32,
    terms: u32,
    // Whether entries beside each other have k's beside each other, or else rows.
    along_k: u32,
    // Of powers.
    operand: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> powers: array<i32>;
@group(0) @binding(2) var<storage, read_write> tiles: array<vec4<f16>>;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

fn entry(row: u32, k: u32, power: f32) -> f16 {
    if (row < dims.rows && k < dims.terms) {
        return f16(weight_at(select(k * dims.rows + row, row * dims.terms + k, dims.along_k != 0u)) * power);
    }
    return 0.0h;
}

// Four entries by each invocation; neighbours read neighbours.
@compute @workgroup_size(LANES)
fn main(place: Place) {
    let i = (place.group.y * place.groups.x + place.group.x) * LANES + place.lane;
    let fours = TILE / 4u;
    let tile = i / (TILE * fours);
    let across = (dims.terms + TILE - 1u) / TILE;
    let down = (dims.rows + TILE - 1u) / TILE;
    if (tile >= down * across) {
        return;
    }
    let within = i % (TILE * fours);
    let at = select(vec2(within % TILE, within / TILE), vec2(within / fours, within % fours), dims.along_k != 0u);
    let row = tile / across * TILE + at.x;
    let k = tile % across * TILE + 4u * at.y;
    let power = bitcast<f32>(u32(powers[dims.operand] + 127) << 23u);
    tiles[(tile * TILE + at.x) * fours + at.y] =
        vec4(entry(row, k, power), entry(row, k + 1u, power), entry(row, k + 2u, power), entry(row, k + 3u, power));
}
