// A workgroup for 16 keys, and their values, of a key-value head; it meets the queries of all heads that share it.
#import attention
@group(0) @binding(2) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;
@group(0) @binding(4) var<storage, read> dots: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad_qkv: array<f32>;

var<workgroup> keys: array<f32, ROWS * PITCH>;
var<workgroup> values: array<f32, ROWS * PITCH>;
var<workgroup> queries: array<f32, OTHERS * PITCH>;
var<workgroup> grads: array<f32, OTHERS * PITCH>;
// Then the errors, in their place.
var<workgroup> probs: array<f32, ROWS * OTHERS>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = block_of(place, dims.kv_heads);
    if (block.first >= block.len) {
        return;
    }
    let begin = block.begin;
    let len = block.len;
    let k = place.lane / 16u;
    let l = place.lane % 16u;
    let key = block.row;
    let width = qkv_width();
    let group = dims.heads / dims.kv_heads;
    let first_head = block.head * group;

    var grad_key: array<f32, MOST_CHANNELS / 16u>;
    var grad_value: array<f32, MOST_CHANNELS / 16u>;
    for (var head = first_head; head < first_head + group; head++) {
        for (var tile = block.first; tile < len; tile += OTHERS) {
            var score = vec2(0.0);
            var grad_prob = vec2(0.0);
            for (var chunk = 0u; chunk < HEAD_DIM; chunk += CHUNK) {
                workgroupBarrier();
                for (var i = place.lane; i < OTHERS * CHUNK; i += LANES) {
                    let channel = chunk + i % CHUNK;
                    let r = i / CHUNK;
                    let to = r * PITCH + i % CHUNK;
                    let inside = channel < HEAD_DIM;
                    let other = begin + min(tile + r, len - 1u);
                    let of_grad = (other * dims.heads + head) * HEAD_DIM + min(channel, HEAD_DIM - 1u);
                    queries[to] = select(0.0, qkv[at(block, tile + r, head, channel)], inside);
                    grads[to] = select(0.0, grad_out[of_grad], inside);
                    if (r < ROWS) {
                        keys[to] = select(0.0, qkv[at(block, block.first + r, key_head(head), channel)], inside);
                        values[to] = select(0.0, qkv[at(block, block.first + r, value_head(head), channel)], inside);
                    }
                }
                workgroupBarrier();
                for (var c = 0u; c < CHUNK; c++) {
                    let query = vec2(queries[l * PITCH + c], queries[(l + 16u) * PITCH + c]);
                    let grad = vec2(grads[l * PITCH + c], grads[(l + 16u) * PITCH + c]);
                    score = fma(vec2(keys[k * PITCH + c]), query, score);
                    grad_prob = fma(vec2(values[k * PITCH + c]), grad, grad_prob);
                }
            }
            let rows = vec2(min(tile + l, len - 1u), min(tile + l + 16u, len - 1u));
            let of_rows = (begin + rows) * dims.heads + head;
            let prob = exp(score * dims.scale - vec2(log_sum_exp[of_rows.x], log_sum_exp[of_rows.y]));
            let error = prob * (grad_prob - vec2(dots[of_rows.x], dots[of_rows.y])) * dims.scale;
            // The first query of the tile that sees this key.
            let start = max(tile, key);
            let end = min(len, tile + OTHERS);
            probs[k * OTHERS + l] = prob.x;
            probs[k * OTHERS + l + 16u] = prob.y;
            workgroupBarrier();
            for (var c = 0u; c < HEAD_DIM; c += 16u) {
                if (c + l < HEAD_DIM) {
                    var part = grad_value[c / 16u];
                    for (var i = start; i < end; i++) {
                        let grad = grad_out[((begin + i) * dims.heads + head) * HEAD_DIM + c + l];
                        part = fma(probs[k * OTHERS + i - tile], grad, part);
                    }
                    grad_value[c / 16u] = part;
                }
            }
            workgroupBarrier();
            probs[k * OTHERS + l] = error.x;
            probs[k * OTHERS + l + 16u] = error.y;
            workgroupBarrier();
            for (var c = 0u; c < HEAD_DIM; c += 16u) {
                if (c + l < HEAD_DIM) {
                    var part = grad_key[c / 16u];
                    for (var i = start; i < end; i++) {
                        let query = qkv[(begin + i) * width + head * HEAD_DIM + c + l];
                        part = fma(probs[k * OTHERS + i - tile], query, part);
                    }
                    grad_key[c / 16u] = part;
                }
            }
        }
    }
    if (is_own_row(block, place)) {
        let of_row = (begin + key) * width + l;
        for (var c = 0u; c < HEAD_DIM; c += 16u) {
            if (c + l < HEAD_DIM) {
                grad_qkv[of_row + key_head(first_head) * HEAD_DIM + c] = grad_key[c / 16u];
                grad_qkv[of_row + value_head(first_head) * HEAD_DIM + c] = grad_value[c / 16u];
            }
        }
    }
}
