#!/usr/bin/env bash
# Spoils the sources of aprm-core one slip at a time and demands that the named law fails: the laws' negative control.
# Works on a copy; `bash aprm-core/tests/sabotage.sh` from the root, a few minutes.
set -euo pipefail
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"
export CARGO_TARGET_DIR="$copy/target"
cargo test --quiet -p aprm-core --test laws --no-run 2>/dev/null

survivors=0
# sabotage FILE 's/right/wrong/' LAW
sabotage() {
    local file="aprm-core/src/$1"
    cp "$file" kept
    sed -i "$2" "$file"
    if cmp -s "$file" kept; then
        echo "NOT APPLIED  $1  $2" && survivors=$((survivors + 1))
    elif ! cargo test --quiet -p aprm-core --test laws --no-run 2>/dev/null; then
        echo "NOT BUILT    $1  $2" && survivors=$((survivors + 1))
    elif cargo test --quiet -p aprm-core --test laws -- --exact "$3" >/dev/null 2>&1; then
        echo "SURVIVED     $1  $2  ($3)" && survivors=$((survivors + 1))
    else
        echo "caught       $1  $2  ($3)"
    fi
    cp kept "$file"
}

sabotage optimizer/ogda.rs 's/learning_rate \* self.optimism\]/-learning_rate * self.optimism]/' optimizer::ogda_contracts_on_xy_at_the_closed_form
sabotage optimizer/extragradient.rs 's/space.copy(base, parameters)/space.copy(parameters, base)/' optimizer::extragradient_contracts_on_xy_at_the_closed_form
sabotage optimizer/adam.rs 's/T::one() - self.beta2.powf(steps)/T::one()/' optimizer::adam_and_adamw_equal_optax
sabotage gae.rs 's/next_value = values\[t\];/next_value = values[t.saturating_sub(1)];/' gae::gae_known_answers
sabotage ppo/clipped_surrogate.rs 's/let clipped = clip < plain;/let clipped = clip > plain;/' ppo::clipped_surrogate::clipped_surrogate_quadrants
sabotage equilibrium/regularized.rs 's/\*gradient = -\*gradient;//' equilibrium::pseudo_gradient_is_minus_gradient_of_utilities
sabotage equilibrium/regularized.rs 's/temperature \* kl_divergence(own, values)/kl_divergence(own, values)/' equilibrium::pseudo_gradient_is_minus_gradient_of_utilities
sabotage equilibrium/monotonicity.rs 's/T::of(4.0)/T::of(16.0)/' equilibrium::coordination_has_one_equilibrium_only_above_the_threshold
sabotage equilibrium/kuhn.rs 's/2 => 1,/2 => 2,/' kuhn::kuhn_equilibria_have_nash_conv_zero_and_value_minus_one_eighteenth
sabotage dynamics.rs 's/UpdateOrder::Alternating {/UpdateOrder::Simultaneous {/' dynamics::alternating_second_player_sees_the_first_players_move
sabotage round.rs 's/seats.verifier.act(&self.position, &mut \*streams.verifier)/seats.verifier.act(\&self.position, \&mut *streams.generator)/' round::players_draw_from_streams_of_their_own
sabotage reward/zero_sum.rs 's/(Verdict::Undecidable, _) => T::one()/(Verdict::Undecidable, _) => T::zero()/' reward::undecidable_steps_never_pay
[ "$survivors" -eq 0 ]
