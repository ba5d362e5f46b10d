// tiles[t] = an operand of a product by cooperative matrices, cut into tiles of TILE x TILE entries, each of which lies
// together: in f16, times the power of two of powers.wgsl, zero beyond the operand's ends.
// The operand is the one that may be weights.
enable f16;
#import weight
override TILE: u32 = 16u;
const LANES = 256u;
struct Dims {
    rows: u32,
    columns: u32,
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

fn entry(row: u32, column: u32, power: f32) -> f16 {
    if (row < dims.rows && column < dims.columns) {
        return f16(weight_at(row * dims.columns + column) * power);
    }
    return 0.0h;
}

// Four entries by each invocation.
@compute @workgroup_size(LANES)
fn main(place: Place) {
    let i = (place.group.y * place.groups.x + place.group.x) * LANES + place.lane;
    let quads = TILE / 4u;
    let tile = i / (TILE * quads);
    let across = (dims.columns + TILE - 1u) / TILE;
    let down = (dims.rows + TILE - 1u) / TILE;
    if (tile >= down * across) {
        return;
    }
    let row = tile / across * TILE + i / quads % TILE;
    let column = tile % across * TILE + i % quads * 4u;
    let power = bitcast<f32>(u32(powers[dims.operand] + 127) << 23u);
    tiles[i] = vec4(
        entry(row, column, power),
        entry(row, column + 1u, power),
        entry(row, column + 2u, power),
        entry(row, column + 3u, power)
    );
}
