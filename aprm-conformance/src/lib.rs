//! The one test suite that every backend must pass.
//!
//! [`check`] holds one kernel of a backend to the laws of [`Law`], on shapes that tile badly;
//! [`conformance_tests!`] makes a test of each.
//! What a kernel ought to give comes from [`naive`], run on [`Bounded`] numbers, so every entry has a tolerance of its
//! own that is derived and not chosen.
//!
//! ```
//! use aprm_conformance::{Kernel, Naive, check};
//!
//! assert!(check(Kernel::SwigluForward, Naive::<f32>::new()).is_ok());
//! ```

mod bounded;
mod failure;
mod kernels;
pub mod naive;
mod number;
mod suite;

pub use bounded::Bounded;
pub use failure::{Failure, Law};
pub use kernels::Kernel;
pub use naive::Naive;
pub use number::Number;

use aprm_core::backend::Backend;

/// Holds one kernel of a backend to its laws.
///
/// # Errors
/// The first entry that breaks one.
///
/// # Panics
/// If the backend does.
pub fn check<B: Backend>(kernel: Kernel, backend: B) -> Result<(), Failure> {
    kernels::dispatch(kernel, &mut suite::Rig::new(kernel, backend))
}

/// Holds all kernels to their laws, each on a backend of its own.
///
/// # Errors
/// The first failure of each kernel that has one.
pub fn check_all<B: Backend>(mut new: impl FnMut() -> B) -> Result<(), Vec<Failure>> {
    let failures: Vec<_> = Kernel::ALL.iter().filter_map(|&kernel| check(kernel, new()).err()).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// One `#[test]` for each kernel of the backend that an expression makes; none is held to anything where the expression
/// after `unless` is true, which says so itself.
///
/// ```
/// mod conformance {
///     aprm_conformance::conformance_tests!(aprm_conformance::Naive::<f64>::new());
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($new:expr) => {
        $crate::with_kernels!(make_tests! $new, unless false);
    };
    ($new:expr, unless $off:expr) => {
        $crate::with_kernels!(make_tests! $new, unless $off);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! make_tests {
    ([$new:expr, unless $off:expr] $($variant:ident $name:ident,)*) => {
        $(#[test]
        fn $name() {
            if $off {
                return;
            }
            if let Err(failure) = $crate::check($crate::Kernel::$variant, $new) {
                panic!("{failure}");
            }
        })*
    };
}
