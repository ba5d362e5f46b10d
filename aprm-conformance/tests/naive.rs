//! The reference is held to its own suite, in `f64` and rounded to `f32`.

mod f64 {
    aprm_conformance::conformance_tests!(aprm_conformance::Naive::<f64>::new());
}

mod f32 {
    aprm_conformance::conformance_tests!(aprm_conformance::Naive::<f32>::new());
}
