// An invocation for each row: classes are few.
#import entries
#import classes
struct Dims {
    len: u32,
    classes: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_logits: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var row = first_entry(place); row < end_entry(place, dims.len); row += LANES) {
        let first = row * dims.classes;
        let end = first + dims.classes;
        let row_classes = classes(first, end);
        let log_sum = log(row_classes.sum);
        var mass = 0.0;
        for (var i = first; i < end; i++) {
            mass += labels[i];
        }
        var cross_entropy = 0.0;
        for (var i = first; i < end; i++) {
            let log_prob = (logits[i] - row_classes.most) - log_sum;
            cross_entropy += labels[i] * log_prob;
            grad_logits[i] = weights[row] * (exp(log_prob) * mass - labels[i]);
        }
        loss[row] = -weights[row] * cross_entropy;
    }
}
