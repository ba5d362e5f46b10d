// prob · value, and zero where the log-probability is −∞, whatever the value.
fn expected(log_prob: f32, prob: f32, value: f32) -> f32 {
    return select(prob * value, 0.0, is_masked(log_prob));
}
