// A workgroup for 16 queries of a head.
#import attention
@group(0) @binding(2) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;
@group(0) @binding(4) var<storage, read> dots: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad_qkv: array<f32>;

var<workgroup> queries: array<f32, ROWS * PITCH>;
var<workgroup> grads: array<f32, ROWS * PITCH>;
var<workgroup> keys: array<f32, OTHERS * PITCH>;
var<workgroup> values: array<f32, OTHERS * PITCH>;
var<workgroup> errors: array<f32, ROWS * OTHERS>;

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
    let row = (begin + query) * dims.heads + block.head;

    var grad_query: array<f32, MOST_CHANNELS / 16u>;
    for (var tile = 0u; tile < end; tile += OTHERS) {
        var score = vec2(0.0);
        var grad_prob = vec2(0.0);
        for (var chunk = 0u; chunk < HEAD_DIM; chunk += CHUNK) {
            workgroupBarrier();
            for (var i = place.lane; i < OTHERS * CHUNK; i += LANES) {
                let channel = chunk + i % CHUNK;
                let r = i / CHUNK;
                let to = r * PITCH + i % CHUNK;
                let inside = channel < HEAD_DIM;
                keys[to] = select(0.0, qkv[at(block, tile + r, key_head(block.head), channel)], inside);
                values[to] = select(0.0, qkv[at(block, tile + r, value_head(block.head), channel)], inside);
                if (r < ROWS) {
                    let mine = begin + min(block.first + r, len - 1u);
                    let of_grad = (mine * dims.heads + block.head) * HEAD_DIM + min(channel, HEAD_DIM - 1u);
                    queries[to] = select(0.0, qkv[at(block, block.first + r, block.head, channel)], inside);
                    grads[to] = select(0.0, grad_out[of_grad], inside);
                }
            }
            workgroupBarrier();
            for (var c = 0u; c < CHUNK; c++) {
                let key = vec2(keys[l * PITCH + c], keys[(l + 16u) * PITCH + c]);
                let value = vec2(values[l * PITCH + c], values[(l + 16u) * PITCH + c]);
                score = fma(vec2(queries[q * PITCH + c]), key, score);
                grad_prob = fma(vec2(grads[q * PITCH + c]), value, grad_prob);
            }
        }
        let error = exp(score * dims.scale - log_sum_exp[row]) * (grad_prob - dots[row]) * dims.scale;
        errors[q * OTHERS + l] = error.x;
        errors[q * OTHERS + l + 16u] = error.y;
        workgroupBarrier();
        let seen = min(OTHERS, query + 1u - min(tile, query + 1u));
        for (var c = 0u; c < HEAD_DIM; c += 16u) {
            if (c + l < HEAD_DIM) {
                var part = grad_query[c / 16u];
                for (var k = 0u; k < seen; k++) {
                    let key = qkv[(begin + tile + k) * width + key_head(block.head) * HEAD_DIM + c + l];
                    part = fma(errors[q * OTHERS + k], key, part);
                }
                grad_query[c / 16u] = part;
            }
        }
    }
    if (is_own_row(block, place)) {
        for (var c = 0u; c < HEAD_DIM; c += 16u) {
            if (c + l < HEAD_DIM) {
                grad_qkv[(begin + query) * width + block.head * HEAD_DIM + c + l] = grad_query[c / 16u];
            }
        }
    }
}
