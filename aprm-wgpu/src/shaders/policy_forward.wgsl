// A workgroup for each row.
#import reduce
#import entry
#import expected
const LANES = 128u;
struct Dims {
    rows: u32,
    vocab: u32,
    referenced: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> logits: array<Entry>;
@group(0) @binding(1) var<storage, read> ref_logits: array<Entry>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> log_prob: array<f32>;
@group(0) @binding(4) var<storage, read_write> entropy: array<f32>;
@group(0) @binding(5) var<storage, read_write> kl: array<f32>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;
@group(0) @binding(7) var<storage, read_write> ref_log_sum_exp: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let row = workgroup_index(place);
    if (row >= dims.rows) {
        return;
    }
    let first = row * dims.vocab;
    let end = first + dims.vocab;

    var highest = logits[first];
    for (var i = first + place.lane; i < end; i += LANES) {
        highest = max(highest, logits[i]);
    }
    let most = workgroup_max(largest(highest), place);
    var exps = Entry(0.0);
    var products = Entry(0.0);
    for (var i = first + place.lane; i < end; i += LANES) {
        let x = logits[i] - most;
        let prob = exp(x);
        exps += prob;
        products += expected(x, prob, x);
    }
    let sum = workgroup_sum(total(exps), place);
    let mean = workgroup_sum(total(products), place);
    let log_sum = log(sum);

    var divergence = 0.0;
    if (dims.referenced != 0u) {
        var ref_highest = ref_logits[first];
        for (var i = first + place.lane; i < end; i += LANES) {
            ref_highest = max(ref_highest, ref_logits[i]);
        }
        let ref_most = workgroup_max(largest(ref_highest), place);
        var ref_exps = Entry(0.0);
        var differences = Entry(0.0);
        for (var i = first + place.lane; i < end; i += LANES) {
            let x = logits[i] - most;
            let y = ref_logits[i] - ref_most;
            ref_exps += exp(y);
            differences += expected(x, exp(x), x - y);
        }
        let ref_log_sum = log(workgroup_sum(total(ref_exps), place));
        let difference = workgroup_sum(total(differences), place);
        divergence = difference / sum - (log_sum - ref_log_sum);
        if (place.lane == 0u) {
            ref_log_sum_exp[row] = ref_most + ref_log_sum;
        }
    }
    if (place.lane == 0u) {
        let logit = number(logits[first + targets[row] / WIDTH], targets[row] % WIDTH);
        log_prob[row] = logit - most - log_sum;
        entropy[row] = log_sum - mean / sum;
        kl[row] = divergence;
        log_sum_exp[row] = most + log_sum;
    }
}
