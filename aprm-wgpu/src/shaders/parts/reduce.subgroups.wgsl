// Sums and maxima over the LANES invocations of a workgroup, in a fixed order; the importer says how many there are.
struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
}

// The number of this workgroup, of a grid that is folded into two dimensions.
fn workgroup_index(place: Place) -> u32 {
    return place.group.y * place.groups.x + place.group.x;
}

// One entry for each subgroup; how many invocations these have is not known before.
var<workgroup> reduced: array<f32, LANES>;
var<workgroup> result: f32;

fn workgroup_sum(value: f32, place: Place) -> f32 {
    let part = subgroupAdd(value);
    if (place.subgroup_lane == 0u) {
        reduced[place.subgroup] = part;
    }
    workgroupBarrier();
    if (place.lane == 0u) {
        var sum = reduced[0];
        for (var i = 1u; i < place.subgroups; i++) {
            sum += reduced[i];
        }
        result = sum;
    }
    return workgroupUniformLoad(&result);
}

fn workgroup_max(value: f32, place: Place) -> f32 {
    let part = subgroupMax(value);
    if (place.subgroup_lane == 0u) {
        reduced[place.subgroup] = part;
    }
    workgroupBarrier();
    if (place.lane == 0u) {
        var most = reduced[0];
        for (var i = 1u; i < place.subgroups; i++) {
            most = max(most, reduced[i]);
        }
        result = most;
    }
    return workgroupUniformLoad(&result);
}
