//! The one test suite that every backend must pass.
//!
//! Not built yet: this crate holds its purpose and nothing else.
