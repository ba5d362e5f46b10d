// A workgroup for 32 keys, and their values, of a key-value head; it meets the queries of all heads that share it.
#import attention_backward
const ROWS = 32u;
const OTHERS = 64u;
const ROWS_ARE_QUERIES = false;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = block_of(place, dims.kv_heads);
    if (block.first >= block.len) {
        return;
    }
    let group = dims.heads / dims.kv_heads;
    let first_head = block.head * group;

    var grad_keys: Sums;
    var grad_values: Sums;
    for (var head = first_head; head < first_head + group; head++) {
        for (var tile = block.first; tile < block.len; tile += OTHERS) {
            let scores = products(place, block, tile, keys(head), queries(head));
            let probs = probs_of(place, block, tile, head, scores);
            weigh(place, probs);
            grad_values = with_others(place, block, tile, grads(head), grad_values);
            let grad_probs = products(place, block, tile, values(head), grads(head));
            weigh(place, errors_of(place, block, tile, head, probs, grad_probs));
            grad_keys = with_others(place, block, tile, queries(head), grad_keys);
        }
    }
    put_sums(place, block, keys(first_head), grad_keys);
    put_sums(place, block, values(first_head), grad_values);
}
