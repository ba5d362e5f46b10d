//! Judging a reward model on published data, beside what does without one.
//!
//! | question | look in |
//! |---|---|
//! | how much of a solution can a model read, and what does it say of the steps? | [`reading`] |
//! | below which score is a step wrong? | [`threshold`] |
//! | does it find the first wrong step, as ProcessBench asks? | [`first_error`] |
//! | does it choose right solutions among several? | [`choice`] |
//! | what does somebody find who reads nothing? | [`no_information`] |
//! | what does somebody find who checks the sums alone? | [`equation_checker`] |
//! | how far may chance have moved a number? | [`estimate`] |

pub mod choice;
pub mod equation_checker;
pub mod estimate;
pub mod first_error;
pub mod no_information;
pub mod reading;
pub mod threshold;
