// The distribution over a few classes, whose logits are entries `first` to `end` of the importer's `logits`.
struct Classes {
    most: f32,
    // Of the exponentials, shifted by the largest logit.
    sum: f32,
}

fn classes(first: u32, end: u32) -> Classes {
    var most = logits[first];
    for (var i = first + 1u; i < end; i++) {
        most = max(most, logits[i]);
    }
    var sum = 0.0;
    for (var i = first; i < end; i++) {
        sum += exp(logits[i] - most);
    }
    return Classes(most, sum);
}
