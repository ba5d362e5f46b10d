use aprm_models::benchmark::estimate::Estimate;
use aprm_models::benchmark::reading::Shortfalls;

/// A share as `52.2 [47.3, 57.1]`, in per cent as the benchmark's own scripts print it; a dash if there is none.
pub(super) fn with_interval(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "–".into(),
        Some(Estimate { value, interval: None }) => alone(value),
        Some(Estimate { value, interval: Some([low, high]) }) => {
            format!("{} [{}, {}]", alone(value), alone(low), alone(high))
        }
    }
}

pub(super) fn alone(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// What a model has not read; nothing if it has read all.
pub(super) fn not_read(shortfalls: Shortfalls, solutions: usize) -> Option<String> {
    let Shortfalls { unknown_text, too_long, no_steps } = shortfalls;
    let counts = [
        (unknown_text, "hold text that the model has no tokens for"),
        (too_long, "are longer than its context"),
        (no_steps, "have no steps"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let said = said.join(", ");
    (!said.is_empty()).then(|| format!("of {solutions} solutions {said}; steps that are not read score zero"))
}
