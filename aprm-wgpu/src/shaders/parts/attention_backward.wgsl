#import attention
@group(0) @binding(2) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;
@group(0) @binding(4) var<storage, read> dots: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad_qkv: array<f32>;

fn grads(head: u32) -> Head {
    return Head(head, true);
}

fn entry(head: Head, row: u32, channel: u32) -> f32 {
    if (head.is_grad) {
        return grad_out[(row * dims.heads + head.index) * HEAD_DIM + channel];
    }
    return qkv[in_qkv(head, row, channel)];
}

fn put(head: Head, row: u32, channel: u32, sum: f32) {
    grad_qkv[in_qkv(head, row, channel)] = sum;
}

// What the queries of `head` look at, from the products of queries and keys.
fn probs_of(place: Place, block: Block, tile: u32, head: u32, scores: mat4x4<f32>) -> mat4x4<f32> {
    let other = tile + 4u * fours(place).y;
    let rows = rows_of(place, block);
    return mat4x4(
        prob(block, rows, other, head, scores[0]),
        prob(block, rows, other + 1u, head, scores[1]),
        prob(block, rows, other + 2u, head, scores[2]),
        prob(block, rows, other + 3u, head, scores[3])
    );
}

fn prob(block: Block, rows: vec4<u32>, other: u32, head: u32, score: vec4<f32>) -> vec4<f32> {
    let q = of_queries(block, rows, other, head);
    let log = vec4(log_sum_exp[q.x], log_sum_exp[q.y], log_sum_exp[q.z], log_sum_exp[q.w]);
    return select(vec4(0.0), exp(score * dims.scale - log), meets(block, rows, other));
}

// The gradient of scores, from the products of gradients and values.
fn errors_of(
    place: Place, block: Block, tile: u32, head: u32, probs: mat4x4<f32>, grad_probs: mat4x4<f32>
) -> mat4x4<f32> {
    let other = tile + 4u * fours(place).y;
    let rows = rows_of(place, block);
    return mat4x4(
        error(block, rows, other, head, probs[0], grad_probs[0]),
        error(block, rows, other + 1u, head, probs[1], grad_probs[1]),
        error(block, rows, other + 2u, head, probs[2], grad_probs[2]),
        error(block, rows, other + 3u, head, probs[3], grad_probs[3])
    );
}

fn error(
    block: Block, rows: vec4<u32>, other: u32, head: u32, prob: vec4<f32>, grad_prob: vec4<f32>
) -> vec4<f32> {
    let q = of_queries(block, rows, other, head);
    let dot = vec4(dots[q.x], dots[q.y], dots[q.z], dots[q.w]);
    return select(vec4(0.0), prob * (grad_prob - dot) * dims.scale, meets(block, rows, other));
}

// Where the numbers of queries are, of rows or of an other; the last of the sequence beyond the end.
fn of_queries(block: Block, rows: vec4<u32>, other: u32, head: u32) -> vec4<u32> {
    let query = select(vec4(other), rows, ROWS_ARE_QUERIES);
    return (block.begin + min(query, vec4(block.len - 1u))) * dims.heads + head;
}
