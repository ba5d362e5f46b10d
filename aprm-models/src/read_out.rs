//! How public reward models say what they think of a step: where it is read, and from which numbers.

use aprm_core::scalar::Scalar;

use crate::config::Head;

/// A convention of reading scores.
///
/// | | where | from |
/// |---|---|---|
/// | `Trl` | the last token of the separator behind a step | two classes |
/// | `QwenPrm` | the marker `<extra_0>` behind a step, in ChatML | two classes |
/// | `MathShepherd` | the marker `ки` behind a step | the tokens `+` and `-` |
/// | `Rlhflow` | the token before the assistant's `+`, in Llama 3's chat | the tokens `+` and `-` |
/// | `Skywork` | the newline behind a step | one number |
/// | `ReasonEval` | the last token of a step | three classes |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a row of the table above")]
pub enum ReadOut {
    Trl,
    QwenPrm,
    MathShepherd,
    Rlhflow,
    Skywork,
    ReasonEval,
}

/// What a model says of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepScore {
    /// The chance that the step is right.
    pub score: f64,
    /// The chance that it is right and contributes nothing, which only ReasonEval gives.
    pub redundancy: Option<f64>,
}

impl ReadOut {
    /// The conventions that a head can be read by.
    pub fn of_head(head: Head) -> &'static [Self] {
        match head {
            Head::CausalLm => &[Self::MathShepherd, Self::Rlhflow],
            Head::TokenClassifier { labels: 2 } => &[Self::Trl],
            Head::QwenPrm => &[Self::QwenPrm],
            Head::Value => &[Self::Skywork],
            Head::ReasonEval { classes: 3, .. } => &[Self::ReasonEval],
            Head::TokenClassifier { .. } | Head::ReasonEval { .. } => &[],
        }
    }

    /// Whether the classes are tokens of the vocabulary.
    pub fn reads_tokens(self) -> bool {
        matches!(self, Self::MathShepherd | Self::Rlhflow)
    }

    /// The score of a step from its class logits.
    ///
    /// ```text
    /// two classes or tokens (wrong, right): softmax(x)_1     one number: σ(x)
    /// three (negative, neutral, positive): validity = p_1 + p_2, redundancy = p_1 of softmax(x)
    /// ```
    ///
    /// # Panics
    /// If there are not as many logits as the convention reads.
    ///
    /// ```
    /// use aprm_models::read_out::ReadOut;
    ///
    /// assert_eq!(ReadOut::Trl.score(&[1.0, 1.0]).score, 0.5);
    /// let three = ReadOut::ReasonEval.score(&[0.0, 0.0, 2_f64.ln()]);
    /// assert_eq!((three.score, three.redundancy), (0.75, Some(0.25)));
    /// ```
    pub fn score(self, logits: &[f64]) -> StepScore {
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = logits.iter().map(|&logit| Scalar::exp(logit - largest)).collect();
        let total: f64 = odds.iter().sum();
        match (self, logits) {
            (Self::Skywork, &[x]) => StepScore { score: 1.0 / (1.0 + Scalar::exp(-x)), redundancy: None },
            (Self::ReasonEval, [_, _, _]) => {
                StepScore { score: (odds[1] + odds[2]) / total, redundancy: Some(odds[1] / total) }
            }
            (Self::Trl | Self::QwenPrm | Self::MathShepherd | Self::Rlhflow, [_, _]) => {
                StepScore { score: odds[1] / total, redundancy: None }
            }
            _ => panic!("{} logits are not what {self:?} reads", logits.len()),
        }
    }
}
