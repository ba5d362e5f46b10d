//! aprm-core where there is nothing: no std, no allocator, no libc.
//!
//! The exit code is 0, or the number of the first check that failed, or 255 after a panic.
#![no_std]
#![no_main]

mod checks;
mod system;

/// Runs the checks in order.
fn main() -> u8 {
    let checks = [
        checks::ogda_contracts_at_its_closed_form,
        checks::a_round_is_played_to_the_end,
        checks::gae_by_hand,
        checks::ppo_clips,
        checks::the_sampler_inverts_the_cumulative_distribution,
    ];
    let failed = (1..).zip(checks).find(|(_, holds)| !holds());
    failed.map_or(0, |(number, _)| number)
}
