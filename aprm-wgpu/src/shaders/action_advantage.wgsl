// An invocation for each row: classes are few.
#import entries
#import classes
struct Dims {
    len: u32,
    classes: u32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> action_values: array<f32>;
@group(0) @binding(2) var<storage, read> actions: array<u32>;
@group(0) @binding(3) var<storage, read_write> advantages: array<f32>;

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var row = first_entry(place); row < end_entry(place, dims.len); row += LANES) {
        let first = row * dims.classes;
        let end = first + dims.classes;
        let row_classes = classes(first, end);
        var expected = 0.0;
        for (var i = first; i < end; i++) {
            expected += exp(logits[i] - row_classes.most) / row_classes.sum * action_values[i];
        }
        advantages[row] = action_values[first + actions[row]] - expected;
    }
}
