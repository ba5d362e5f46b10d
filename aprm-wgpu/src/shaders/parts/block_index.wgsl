// Which block is a workgroup's, by rows and columns. Neighbours share the block of the longer side, so that this side is
// read from memory once.
fn block_index(place: Place) -> vec2<u32> {
    let shape = shape();
    return select(place.group.yx, place.group.xy, shape.y > shape.x);
}
