// A workgroup for each row.
#import entry
#import expected
const LANES = 128u;
struct Dims {
    rows: u32,
    vocab: u32,
    referenced: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> ref_logits: array<Entry>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> logits: array<Entry>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.y * groups.x + group.x;
    if (row >= dims.rows) {
        return;
    }
    let gradient = coefficients[2u * row];
    let entropy = gradient.w;
    let kl = coefficients[2u * row + 1u].x;
    let log_sum_exp = coefficients[2u * row + 1u].y;
    let ref_log_sum_exp = coefficients[2u * row + 1u].z;
    for (var v = lane; v < dims.vocab; v += LANES) {
        let i = row * dims.vocab + v;
        let log_prob = logits[i] - log_sum_exp;
        var value = -gradient.y * (log_prob + entropy) - gradient.x;
        if (dims.referenced != 0u) {
            value += gradient.z * ((log_prob - (ref_logits[i] - ref_log_sum_exp)) - kl);
        }
        var grad = expected(log_prob, exp(log_prob), value);
        let is_target = Bits(v * WIDTH) + WITHIN == Bits(targets[row]);
        grad += select(Entry(0.0), Entry(gradient.x), is_target);
        logits[i] = grad;
    }
}
