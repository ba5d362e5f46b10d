// A workgroup for each row. Tokens are walked in their order, or from the most probable down where top-k or top-p cuts
// any; there is no sorting: what lies above a logit is counted, and the logit found bit by bit.
#import reduce
#import bits
const LANES = 128u;
struct Dims {
    rows: u32,
    vocab: u32,
    top_k: u32,
    temperature: f32,
    top_p: f32,
    nan: f32,
}
var<immediate> dims: Dims;
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> uniforms: array<f32>;
@group(0) @binding(2) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> log_probs: array<f32>;

var<workgroup> shares: array<f32, LANES>;
var<workgroup> drawn: u32;

// In the order of the numbers, and equal where they are.
fn key(x: f32) -> u32 {
    let bits = select(bitcast<u32>(x), 0u, x == 0.0);
    return select(bits | 0x80000000u, ~bits, bits >> 31u == 1u);
}

fn of_key(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, key >> 31u == 1u));
}

fn weight(x: f32, most: f32) -> f32 {
    return select(exp((x - most) / dims.temperature), 0.0, is_masked(x));
}

// How many logits have this key or a higher one; exact, since a vocabulary has fewer than 2^24 tokens.
fn count_from(least: u32, first: u32, place: Place) -> f32 {
    var count = 0.0;
    for (var v = place.lane; v < dims.vocab; v += LANES) {
        count += select(0.0, 1.0, key(logits[first + v]) >= least);
    }
    return workgroup_sum(count, place);
}

// The logits above a key, and some that are equal to it.
struct Kept {
    key: u32,
    ties: f32,
}

// The weight of what is kept and has this key or a higher one.
fn weight_from(least: u32, kept: Kept, most: f32, first: u32, place: Place) -> f32 {
    var sum = 0.0;
    for (var v = place.lane; v < dims.vocab; v += LANES) {
        let k = key(logits[first + v]);
        sum += select(0.0, weight(logits[first + v], most), k >= least && k > kept.key);
    }
    sum = workgroup_sum(sum, place);
    let some = kept.ties > 0.0 && least <= kept.key;
    return sum + select(0.0, kept.ties * weight(of_key(kept.key), most), some);
}

// The highest key with more than `threshold` of weight in it and above, or with as much, where that is enough.
fn find(threshold: f32, enough: bool, kept: Kept, most: f32, first: u32, place: Place) -> u32 {
    var found = 0u;
    for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        let above = weight_from(found | bit, kept, most, first, place);
        if (above > threshold || enough && above == threshold) {
            found |= bit;
        }
    }
    return min(found, key(most));
}

// The token that has a key, the one after `before` others of it.
fn nth_of_key(wanted: u32, before: f32, first: u32, place: Place) {
    let chunk = (dims.vocab + LANES - 1u) / LANES;
    let end = min(dims.vocab, (place.lane + 1u) * chunk);
    var count = 0.0;
    for (var v = place.lane * chunk; v < end; v++) {
        count += select(0.0, 1.0, key(logits[first + v]) == wanted);
    }
    shares[place.lane] = count;
    workgroupBarrier();
    var seen = 0.0;
    for (var lane = 0u; lane < place.lane; lane++) {
        seen += shares[lane];
    }
    for (var v = place.lane * chunk; v < end; v++) {
        if (key(logits[first + v]) == wanted) {
            if (seen == before) {
                drawn = v;
            }
            seen += 1.0;
        }
    }
}

// From the most probable token down.
fn draw_by_weight(uniform: f32, most: f32, first: u32, place: Place) {
    var kept = Kept(0u, 0.0);
    if (dims.top_k > 0u && dims.top_k < dims.vocab) {
        let top_k = f32(dims.top_k);
        var found = 0u;
        for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
            if (count_from(found | bit, first, place) >= top_k) {
                found |= bit;
            }
        }
        kept = Kept(found, top_k - count_from(found + 1u, first, place));
    }
    if (dims.top_p < 1.0) {
        let share = dims.top_p * weight_from(0u, kept, most, first, place);
        let last = find(share, true, kept, most, first, place);
        let above = weight_from(last + 1u, kept, most, first, place);
        let w = weight(of_key(last), most);
        var ties = kept.ties;
        if (last > kept.key) {
            ties = count_from(last, first, place) - count_from(last + 1u, first, place);
        }
        kept = Kept(last, select(ties, clamp(ceil((share - above) / w), 1.0, ties), w > 0.0));
    }
    let threshold = uniform * weight_from(0u, kept, most, first, place);
    let token = find(threshold, false, kept, most, first, place);
    let above = weight_from(token + 1u, kept, most, first, place);
    var ties = kept.ties;
    if (token > kept.key) {
        ties = count_from(token, first, place) - count_from(token + 1u, first, place);
    }
    nth_of_key(token, clamp(floor((threshold - above) / weight(of_key(token), most)), 0.0, ties - 1.0), first, place);
}

// In the order of the tokens.
fn draw_in_order(uniform: f32, most: f32, first: u32, place: Place) {
    let chunk = (dims.vocab + LANES - 1u) / LANES;
    let end = min(dims.vocab, (place.lane + 1u) * chunk);
    var share = 0.0;
    for (var v = place.lane * chunk; v < end; v++) {
        share += weight(logits[first + v], most);
    }
    shares[place.lane] = share;
    workgroupBarrier();
    if (place.lane > 0u) {
        return;
    }
    var total = 0.0;
    for (var lane = 0u; lane < LANES; lane++) {
        total += shares[lane];
    }
    let threshold = uniform * total;
    var before = 0.0;
    var lane = 0u;
    // Rounding may leave no sum above the threshold: then it is the last token that has any weight.
    var last = 0u;
    for (; lane < LANES; lane++) {
        if (shares[lane] > 0.0) {
            last = lane;
            if (before + shares[lane] > threshold) {
                break;
            }
        }
        before += shares[lane];
    }
    if (lane == LANES) {
        before -= shares[last];
    }
    for (var v = last * chunk; v < min(dims.vocab, (last + 1u) * chunk); v++) {
        let w = weight(logits[first + v], most);
        before += w;
        if (w > 0.0) {
            drawn = v;
            if (before > threshold) {
                break;
            }
        }
    }
}

@compute @workgroup_size(LANES)
fn main(place: Place) {
    let row = workgroup_index(place);
    if (row >= dims.rows) {
        return;
    }
    let first = row * dims.vocab;
    var most = logits[first];
    var wrong = 0.0;
    for (var i = first + place.lane; i < first + dims.vocab; i += LANES) {
        most = max(most, logits[i]);
        wrong += select(1.0, 0.0, is_finite(logits[i]) || is_masked(logits[i]));
    }
    most = workgroup_max(most, place);
    wrong = workgroup_sum(wrong, place);
    if (wrong > 0.0 || is_masked(most)) {
        if (place.lane == 0u) {
            tokens[row] = 0u;
            log_probs[row] = dims.nan;
        }
        return;
    }
    var sum = 0.0;
    for (var i = first + place.lane; i < first + dims.vocab; i += LANES) {
        sum += exp(logits[i] - most);
    }
    // What stays where a logit is found by its key and then by no token, as on a device that takes subnormals for zero.
    if (place.lane == 0u) {
        drawn = 0u;
    }
    let log_sum = log(workgroup_sum(sum, place));
    if (dims.temperature == 0.0) {
        nth_of_key(key(most), 0.0, first, place);
    } else if (dims.top_k > 0u && dims.top_k < dims.vocab || dims.top_p < 1.0) {
        draw_by_weight(uniforms[row], most, first, place);
    } else {
        draw_in_order(uniforms[row], most, first, place);
    }
    let token = workgroupUniformLoad(&drawn);
    if (place.lane == 0u) {
        tokens[row] = token;
        log_probs[row] = (logits[first + token] - most) - log_sum;
    }
}
