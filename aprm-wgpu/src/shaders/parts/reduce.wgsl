// Sums and maxima over the LANES invocations of a workgroup, in a fixed order; the importer says how many there are.
struct Place {
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
}

// The number of this workgroup, of a grid that is folded into two dimensions.
fn workgroup_index(place: Place) -> u32 {
    return place.group.y * place.groups.x + place.group.x;
}

var<workgroup> reduced: array<f32, LANES>;

fn workgroup_sum(value: f32, place: Place) -> f32 {
    reduced[place.lane] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (place.lane < half) {
            reduced[place.lane] += reduced[place.lane + half];
        }
    }
    return workgroupUniformLoad(&reduced[0]);
}

fn workgroup_max(value: f32, place: Place) -> f32 {
    reduced[place.lane] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (place.lane < half) {
            reduced[place.lane] = max(reduced[place.lane], reduced[place.lane + half]);
        }
    }
    return workgroupUniformLoad(&reduced[0]);
}
