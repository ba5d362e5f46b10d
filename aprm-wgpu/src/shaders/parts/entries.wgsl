// A workgroup works on 1024 consecutive entries, an invocation on every 256th of them.
const LANES = 256u;
const ENTRIES = 1024u;

struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

fn first_entry(place: Place) -> u32 {
    return (place.group.y * place.groups.x + place.group.x) * ENTRIES + place.lane;
}

fn end_entry(place: Place, len: u32) -> u32 {
    return min(len, first_entry(place) - place.lane + ENTRIES);
}
