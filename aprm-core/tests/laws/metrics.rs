//! The metrics against their definitions and known answers.

mod auc;
mod bootstrap;
mod calibration;
mod distinct_n;
mod explained_variance;
mod fooling_rate;
mod oscillation;
mod processbench;
