/// Where a step stands: the problem, and the steps before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context<P> {
    /// The problem, as a text or as a value that prints as one.
    pub problem: P,
    /// The steps before this one.
    pub steps: Vec<String>,
}
