// prob · value, and zero where the log-probability is −∞, whatever the value; of entries.
fn expected(log_prob: Entry, prob: Entry, value: Entry) -> Entry {
    return select(prob * value, Entry(0.0), bitcast<Bits>(log_prob) == Bits(0xff800000u));
}
