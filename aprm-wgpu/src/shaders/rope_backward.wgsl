#import entries
#import rotate

@compute @workgroup_size(LANES)
fn main(place: Place) {
    for (var i = first_entry(place); i < end_entry(place, dims.len); i += LANES) {
        rotate(i, -1.0);
    }
}
