//! The backend is held to the suite that every backend must pass, and to equal bits for any number of threads.

mod threads;

mod f32 {
    aprm_conformance::conformance_tests!(aprm_ndarray::Cpu::<f32>::new());
}

mod f64 {
    aprm_conformance::conformance_tests!(aprm_ndarray::Cpu::<f64>::new());
}
