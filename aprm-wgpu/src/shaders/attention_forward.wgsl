// A workgroup for 64 queries of a head.
#import attention
const ROWS = 64u;
const OTHERS = 32u;
const ROWS_ARE_QUERIES = true;
// Lower than any score.
const LOWEST = -3.0e38;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;

fn entry(head: Head, row: u32, channel: u32) -> f32 {
    return qkv[in_qkv(head, row, channel)];
}

fn put(head: Head, row: u32, channel: u32, sum: f32) {
    out[(row * dims.heads + head.index) * HEAD_DIM + channel] = sum;
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = block_of(place, dims.heads);
    if (block.first >= block.len) {
        return;
    }
    let rows = rows_of(place, block);
    let end = min(block.len, block.first + ROWS);

    var most = vec4(LOWEST);
    // Of an invocation's own keys.
    var sum = vec4(0.0);
    var attended: Sums;
    for (var tile = 0u; tile < end; tile += OTHERS) {
        let of_tile = products(place, block, tile, queries(block.head), keys(block.head));
        let key = tile + 4u * fours(place).y;
        let scores = mat4x4(
            score(block, rows, key, of_tile[0]),
            score(block, rows, key + 1u, of_tile[1]),
            score(block, rows, key + 2u, of_tile[2]),
            score(block, rows, key + 3u, of_tile[3])
        );
        let before = most;
        share(place, max(max(scores[0], scores[1]), max(scores[2], scores[3])));
        for (var i = 0u; i < OTHERS / 4u; i++) {
            most = max(most, shared_by(place, i));
        }
        let probs = mat4x4(
            prob(block, rows, key, scores[0] - most),
            prob(block, rows, key + 1u, scores[1] - most),
            prob(block, rows, key + 2u, scores[2] - most),
            prob(block, rows, key + 3u, scores[3] - most)
        );
        let rescale = exp(before - most);
        sum = sum * rescale + (probs[0] + probs[1] + probs[2] + probs[3]);
        weigh(place, probs);
        attended = with_others(place, block, tile, values(block.head), scaled(attended, rescale));
    }
    share(place, sum);
    var total = vec4(0.0);
    for (var i = 0u; i < OTHERS / 4u; i++) {
        total += shared_by(place, i);
    }
    put_sums(place, block, queries(block.head), scaled(attended, 1.0 / total));
    if (fours(place).y == 0u) {
        let logs = most + log(total);
        put_log(block, rows.x, logs.x);
        put_log(block, rows.y, logs.y);
        put_log(block, rows.z, logs.z);
        put_log(block, rows.w, logs.w);
    }
}

fn score(block: Block, rows: vec4<u32>, key: u32, product: vec4<f32>) -> vec4<f32> {
    return select(vec4(LOWEST), product * dims.scale, meets(block, rows, key));
}

// Masked once more: where a row has no score but −∞, the lowest one is no lower than those of keys that it does not see.
fn prob(block: Block, rows: vec4<u32>, key: u32, score: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), exp(score), meets(block, rows, key));
}

// Shows a number for each of its rows to the invocations with the same rows, where weights are at other times.
fn share(place: Place, numbers: vec4<f32>) {
    workgroupBarrier();
    weights[place.lane] = numbers;
    workgroupBarrier();
}

fn shared_by(place: Place, i: u32) -> vec4<f32> {
    return weights[fours(place).x * (OTHERS / 4u) + i];
}

fn scaled(sums: Sums, factors: vec4<f32>) -> Sums {
    var products = sums;
    products.to_64 = scaled_part(sums.to_64, factors);
    if (HEAD_DIM > 64u) {
        products.to_128 = scaled_part(sums.to_128, factors);
    }
    if (HEAD_DIM > 128u) {
        products.to_192 = scaled_part(sums.to_192, factors);
    }
    if (HEAD_DIM > 192u) {
        products.to_256 = scaled_part(sums.to_256, factors);
    }
    return products;
}

fn scaled_part(part: Part, factors: vec4<f32>) -> Part {
    return Part(scaled_matrix(part[0], factors), scaled_matrix(part[1], factors));
}

fn scaled_matrix(sums: mat4x4<f32>, factors: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(sums[0] * factors, sums[1] * factors, sums[2] * factors, sums[3] * factors);
}

fn put_log(block: Block, row: u32, log: f32) {
    if (row < block.len) {
        log_sum_exp[(block.begin + row) * dims.heads + block.head] = log;
    }
}
