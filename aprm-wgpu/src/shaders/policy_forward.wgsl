// A workgroup for each row.
#import reduce
#import bits
#import expected
const LANES = 128u;
struct Dims {
    rows: u32,
    vocab: u32,
    referenced: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> ref_logits: array<f32>;
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

    var most = logits[first];
    for (var i = first + place.lane; i < end; i += LANES) {
        most = max(most, logits[i]);
    }
    most = workgroup_max(most, place);
    var sum = 0.0;
    var mean = 0.0;
    for (var i = first + place.lane; i < end; i += LANES) {
        let x = logits[i] - most;
        let prob = exp(x);
        sum += prob;
        mean += expected(x, prob, x);
    }
    sum = workgroup_sum(sum, place);
    mean = workgroup_sum(mean, place);
    let log_sum = log(sum);

    var divergence = 0.0;
    if (dims.referenced != 0u) {
        var ref_most = ref_logits[first];
        for (var i = first + place.lane; i < end; i += LANES) {
            ref_most = max(ref_most, ref_logits[i]);
        }
        ref_most = workgroup_max(ref_most, place);
        var ref_sum = 0.0;
        var difference = 0.0;
        for (var i = first + place.lane; i < end; i += LANES) {
            let x = logits[i] - most;
            let y = ref_logits[i] - ref_most;
            ref_sum += exp(y);
            difference += expected(x, exp(x), x - y);
        }
        ref_sum = workgroup_sum(ref_sum, place);
        difference = workgroup_sum(difference, place);
        let ref_log_sum = log(ref_sum);
        divergence = difference / sum - (log_sum - ref_log_sum);
        if (place.lane == 0u) {
            ref_log_sum_exp[row] = ref_most + ref_log_sum;
        }
    }
    if (place.lane == 0u) {
        log_prob[row] = logits[first + targets[row]] - most - log_sum;
        entropy[row] = log_sum - mean / sum;
        kl[row] = divergence;
        log_sum_exp[row] = most + log_sum;
    }
}
