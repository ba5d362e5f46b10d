//! Whether settings make sense.

use super::{Gsm8kConfig, JudgeConfig, OwnErrors, Payoffs, RunConfig};

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{setting} = {value}: expected {expected}")]
pub struct SettingError {
    /// The setting.
    pub setting: &'static str,
    /// What it is.
    pub value: String,
    /// What would do.
    pub expected: &'static str,
}

/// The most of anything that is counted.
const MOST: usize = 10_000_000;

impl RunConfig {
    /// Whether all settings make sense.
    ///
    /// # Errors
    /// The first that does not.
    pub fn validate(&self) -> Result<(), SettingError> {
        let Self { model, pretraining, warm_start, game, evaluation, .. } = self;
        let whole = |setting, value: usize, least: usize, expected| {
            if value >= least { Ok(()) } else { Err(SettingError { setting, value: value.to_string(), expected }) }
        };
        let number = |setting, value: f64, is_valid: bool, expected| {
            if is_valid { Ok(()) } else { Err(SettingError { setting, value: format!("{value:?}"), expected }) }
        };
        // Numbers become `f32`.
        let is_finite = |value: f64| (value as f32).is_finite();
        let share = |setting, value: f64| number(setting, value, (0.0..1.0).contains(&value), "a share below one");
        let not_negative = |setting, value: f64| {
            number(
                setting,
                value,
                is_finite(value) && value >= 0.0,
                "a number that is not negative, and has room in f32",
            )
        };
        if let Some(Gsm8kConfig { judge: Some(JudgeConfig { command, seconds, .. }), .. }) = &self.gsm8k {
            whole("gsm8k.judge.command", command.len(), 1, "a program and its arguments")?;
            whole("gsm8k.judge.seconds", *seconds as usize, 1, "at least 1")?;
        }
        let heads = model.num_attention_heads;
        whole("save_every", self.save_every as usize, 1, "at least 1")?;
        whole("model.num_attention_heads", heads, 1, "at least 1")?;
        whole("model.num_hidden_layers", model.num_hidden_layers, 1, "at least 1")?;
        let divides = heads > 0 && model.hidden_size.is_multiple_of(2 * heads) && model.hidden_size > 0;
        whole("model.hidden_size", usize::from(divides), 1, "a multiple of twice the heads")
            .map_err(|error| SettingError { value: model.hidden_size.to_string(), ..error })?;
        whole("model.intermediate_size", model.intermediate_size, 1, "at least 1")?;
        number("model.context", model.context as f64, (1..=4096).contains(&model.context), "a number from 1 to 4096")?;
        for ([steps, batch, rate], phase) in [
            (["pretraining.steps", "pretraining.batch", "pretraining.learning_rate"], pretraining),
            (
                ["warm_start.generator.steps", "warm_start.generator.batch", "warm_start.generator.learning_rate"],
                &warm_start.generator,
            ),
            (
                ["warm_start.verifier.steps", "warm_start.verifier.batch", "warm_start.verifier.learning_rate"],
                &warm_start.verifier,
            ),
        ] {
            whole(steps, phase.steps as usize, 1, "at least 1")?;
            whole(batch, phase.batch, 1, "at least 1")?;
            not_negative(rate, phase.learning_rate)?;
        }
        let OwnErrors { share: own, attempts, temperature } = warm_start.own_errors;
        number("warm_start.own_errors.share", own, (0.0..=1.0).contains(&own), "a number from 0 to 1")?;
        whole("warm_start.own_errors.attempts", attempts, 1, "at least 1")?;
        let is_valid = is_finite(temperature) && temperature as f32 > 0.0;
        number("warm_start.own_errors.temperature", temperature, is_valid, "a number above zero, with room in f32")?;
        number("weak_solver", self.weak_solver, (0.0..=1.0).contains(&self.weak_solver), "a share of the steps")?;
        whole("pretraining_sets", self.pretraining_sets.len(), 1, "at least one set")?;
        whole("game.rounds", game.rounds as usize, 1, "at least 1")?;
        if let Payoffs::Table { fooled, detected, uncorrupted } = game.payoffs {
            for (setting, payoff) in [
                ("game.payoffs.table.fooled", fooled),
                ("game.payoffs.table.detected", detected),
                ("game.payoffs.table.uncorrupted", uncorrupted),
            ] {
                number(setting, payoff, is_finite(payoff), "a number with room in f32")?;
            }
        }
        for (setting, value) in [
            ("collected_solutions", self.collected_solutions),
            ("warm_start.own_errors.attempts", attempts),
            ("game.positions", game.positions),
            ("game.rewrites", game.rewrites),
            ("labelling.problems", self.labelling.problems),
            ("labelling.continuations", self.labelling.continuations),
            ("evaluation.problems", evaluation.problems),
            ("evaluation.attempts", evaluation.attempts),
        ] {
            whole(setting, usize::from(value <= MOST), 1, "at most 10000000")
                .map_err(|error| SettingError { value: value.to_string(), ..error })?;
        }
        number("game.gold_share", game.gold_share, game.gold_share <= 1e3, "a number from 0 to 1000")?;
        whole("game.positions", game.positions, 1, "at least 1")?;
        whole("game.rewrites", game.rewrites, 2, "at least 2, of which each is the baseline of the others")?;
        whole("game.ppo_epochs", game.ppo_epochs, 1, "at least 1")?;
        whole("game.health_window", game.health_window, 1, "at least 1")?;
        whole("game.max_rewrite_tokens", game.max_rewrite_tokens, 1, "at least 1")?;
        for (setting, value) in [
            ("game.generator_learning_rate", game.generator_learning_rate),
            ("game.verifier_learning_rate", game.verifier_learning_rate),
            ("game.critic_learning_rate", game.critic_learning_rate),
            ("game.tau", game.tau),
            ("game.entropy", game.entropy),
            ("game.clip_range", game.clip_range),
            ("game.gold_share", game.gold_share),
            ("game.verifier_policy_gradient", game.verifier_policy_gradient),
            ("game.verifier_cross_entropy", game.verifier_cross_entropy),
            ("game.verifier_hints", game.verifier_hints),
            ("game.verifier_reading", game.verifier_reading),
            ("game.max_gradient_norm", game.max_gradient_norm),
        ] {
            not_negative(setting, value)?;
        }
        number("game.gae_lambda", game.gae_lambda, (0.0..=1.0).contains(&game.gae_lambda), "a number from 0 to 1")?;
        share("game.average_decay", game.average_decay)?;
        share("game.league_share", game.league_share)?;
        share("game.rules_share", game.rules_share)?;
        whole("labelling.problems", self.labelling.problems, 1, "at least 1")?;
        whole("labelling.continuations", self.labelling.continuations, 1, "at least 1")?;
        whole("evaluation.solvers", evaluation.solvers.len(), 1, "at least one solver")?;
        let is_twice = (1..evaluation.solvers.len()).any(|i| evaluation.solvers[..i].contains(&evaluation.solvers[i]));
        whole("evaluation.solvers", usize::from(!is_twice), 1, "each solver once")
            .map_err(|error| SettingError { value: format!("{:?}", evaluation.solvers), ..error })?;
        let is_twice = (1..evaluation.sets.len()).any(|i| evaluation.sets[..i].contains(&evaluation.sets[i]));
        whole("evaluation.sets", usize::from(!is_twice), 1, "each set once")
            .map_err(|error| SettingError { value: format!("{:?}", evaluation.sets), ..error })?;
        whole("evaluation.problems", evaluation.problems, 1, "at least 1")?;
        whole("evaluation.attempts", evaluation.attempts, 1, "at least 1")?;
        whole("evaluation.max_tokens", evaluation.max_tokens, 1, "at least 1")?;
        whole("evaluation.every", evaluation.every as usize, 1, "at least 1")?;
        whole("evaluation.checkpoints", evaluation.checkpoints, 1, "at least 1")
    }
}
