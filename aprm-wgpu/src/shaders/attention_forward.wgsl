// A workgroup for 16 queries of a head.
#import attention
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;

var<workgroup> queries: array<f32, ROWS * PITCH>;
var<workgroup> keys: array<f32, OTHERS * PITCH>;
var<workgroup> probs: array<f32, ROWS * OTHERS>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = block_of(place, dims.heads);
    if (block.first >= block.len) {
        return;
    }
    let begin = block.begin;
    let len = block.len;
    let q = place.lane / 16u;
    let l = place.lane % 16u;
    let query = block.row;
    let width = qkv_width();
    let end = min(len, block.first + ROWS);

    var most = LOWEST;
    var sum = 0.0;
    var attended: array<f32, MOST_CHANNELS / 16u>;
    for (var tile = 0u; tile < end; tile += OTHERS) {
        var score = vec2(0.0);
        for (var chunk = 0u; chunk < HEAD_DIM; chunk += CHUNK) {
            workgroupBarrier();
            for (var i = place.lane; i < OTHERS * CHUNK; i += LANES) {
                let channel = chunk + i % CHUNK;
                let r = i / CHUNK;
                let to = r * PITCH + i % CHUNK;
                let inside = channel < HEAD_DIM;
                keys[to] = select(0.0, qkv[at(block, tile + r, key_head(block.head), channel)], inside);
                if (r < ROWS) {
                    queries[to] = select(0.0, qkv[at(block, block.first + r, block.head, channel)], inside);
                }
            }
            workgroupBarrier();
            for (var c = 0u; c < CHUNK; c++) {
                let key = vec2(keys[l * PITCH + c], keys[(l + 16u) * PITCH + c]);
                score = fma(vec2(queries[q * PITCH + c]), key, score);
            }
        }
        let seen = min(OTHERS, query + 1u - min(tile, query + 1u));
        score *= dims.scale;
        probs[q * OTHERS + l] = score.x;
        probs[q * OTHERS + l + 16u] = score.y;
        workgroupBarrier();
        let before = most;
        for (var k = 0u; k < seen; k++) {
            most = max(most, probs[q * OTHERS + k]);
        }
        workgroupBarrier();
        probs[q * OTHERS + l] = exp(score.x - most);
        probs[q * OTHERS + l + 16u] = exp(score.y - most);
        workgroupBarrier();
        let rescale = exp(before - most);
        sum *= rescale;
        for (var k = 0u; k < seen; k++) {
            sum += probs[q * OTHERS + k];
        }
        for (var c = 0u; c < HEAD_DIM; c += 16u) {
            if (c + l < HEAD_DIM) {
                var part = attended[c / 16u] * rescale;
                for (var k = 0u; k < seen; k++) {
                    let value = qkv[(begin + tile + k) * width + value_head(block.head) * HEAD_DIM + c + l];
                    part = fma(probs[q * OTHERS + k], value, part);
                }
                attended[c / 16u] = part;
            }
        }
    }
    if (is_own_row(block, place)) {
        let row = (begin + query) * dims.heads + block.head;
        for (var c = 0u; c < HEAD_DIM; c += 16u) {
            if (c + l < HEAD_DIM) {
                out[row * HEAD_DIM + c + l] = attended[c / 16u] / sum;
            }
        }
        if (l == 0u) {
            log_sum_exp[row] = most + log(sum);
        }
    }
}
