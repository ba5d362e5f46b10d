// A workgroup for each query head of each row.
#import reduce
const LANES = 64u;
const MOST_CHANNELS = 256u;
// Lower than any score.
const LOWEST = -3.0e38;
struct Dims {
    rows: u32,
    heads: u32,
    kv_heads: u32,
    head_dim: u32,
    capacity: u32,
    scale: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> slots: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> keys: array<f32>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<f32, MOST_CHANNELS>;
var<workgroup> probs: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let row = workgroup_index(place) / dims.heads;
    let head = workgroup_index(place) % dims.heads;
    if (row >= dims.rows) {
        return;
    }
    let width = dims.kv_heads * dims.head_dim;
    let first_query = row * (dims.heads + 2u * dims.kv_heads) * dims.head_dim + head * dims.head_dim;
    let first_key = slots[row] * dims.capacity * width + head / (dims.heads / dims.kv_heads) * dims.head_dim;
    let seen = positions[row] + 1u;
    for (var c = place.lane; c < dims.head_dim; c += LANES) {
        query[c] = qkv[first_query + c];
    }
    var most = LOWEST;
    var sum = 0.0;
    var attended: array<f32, MOST_CHANNELS / LANES>;
    for (var tile = 0u; tile < seen; tile += LANES) {
        workgroupBarrier();
        let key = tile + place.lane;
        var score = LOWEST;
        if (key < seen) {
            score = 0.0;
            for (var c = 0u; c < dims.head_dim; c++) {
                score = fma(query[c], keys[first_key + key * width + c], score);
            }
            score *= dims.scale;
        }
        let before = most;
        most = max(most, workgroup_max(score, place));
        var prob = 0.0;
        if (key < seen) {
            prob = exp(score - most);
        }
        probs[place.lane] = prob;
        let rescale = exp(before - most);
        // Its barriers also let everyone see the probabilities.
        sum = sum * rescale + workgroup_sum(prob, place);
        for (var e = 0u; e < MOST_CHANNELS / LANES; e++) {
            let c = e * LANES + place.lane;
            if (c < dims.head_dim) {
                var part = attended[e] * rescale;
                for (var k = tile; k < min(seen, tile + LANES); k++) {
                    part = fma(probs[k - tile], values[first_key + k * width + c], part);
                }
                attended[e] = part;
            }
        }
    }
    for (var e = 0u; e < MOST_CHANNELS / LANES; e++) {
        let c = e * LANES + place.lane;
        if (c < dims.head_dim) {
            out[(row * dims.heads + head) * dims.head_dim + c] = attended[e] / sum;
        }
    }
}
