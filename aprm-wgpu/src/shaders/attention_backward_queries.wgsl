// A workgroup for 64 queries of a head.
#import attention_backward
const ROWS = 64u;
const OTHERS = 32u;
const ROWS_ARE_QUERIES = true;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let block = block_of(place, dims.heads);
    if (block.first >= block.len) {
        return;
    }
    let head = block.head;
    let end = min(block.len, block.first + ROWS);

    var grad_queries: Sums;
    for (var tile = 0u; tile < end; tile += OTHERS) {
        let scores = products(place, block, tile, queries(head), keys(head));
        let grad_probs = products(place, block, tile, grads(head), values(head));
        let probs = probs_of(place, block, tile, head, scores);
        weigh(place, errors_of(place, block, tile, head, probs, grad_probs));
        grad_queries = with_others(place, block, tile, keys(head), grad_queries);
    }
    put_sums(place, block, queries(head), grad_queries);
}
