use serde_json::{Value, json};

use super::{ConfigError, Family, Fields, unsupported};

/// What a model reads from its last layer's outputs, which `config.json` calls its architecture.
///
/// Class 1 of two says that a step is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// `*ForCausalLM`: logits over the vocabulary.
    #[default]
    CausalLm,
    /// `*ForTokenClassification`, as TRL and axolotl train PRMs: one linear map, `score`.
    TokenClassifier {
        /// `num_labels`.
        labels: usize,
    },
    /// `Qwen2ForProcessRewardModel`: two linear maps, `score.0` and `score.2`, and a ReLU between them, to two classes.
    QwenPrm,
    /// `Qwen2ForPrmModel` of Skywork: one number, `v_head.summary`.
    Value,
    /// ReasonEval: one linear map, `score_head`.
    ReasonEval {
        /// Three: negative, neutral and positive.
        classes: usize,
        /// Whether it has a bias.
        has_bias: bool,
    },
}

/// A linear map of a head: its name, its outputs, and whether it has a bias.
pub(crate) struct HeadLayer {
    pub(crate) name: &'static str,
    pub(crate) outputs: usize,
    pub(crate) has_bias: bool,
}

impl Head {
    /// How many numbers it gives for a row; none for a language model, whose numbers are the vocabulary's.
    pub fn classes(self) -> Option<usize> {
        match self {
            Self::CausalLm => None,
            Self::TokenClassifier { labels } => Some(labels),
            Self::QwenPrm => Some(2),
            Self::Value => Some(1),
            Self::ReasonEval { classes, .. } => Some(classes),
        }
    }

    /// The linear maps, with a ReLU between each and the next.
    pub(crate) fn layers(self, hidden: usize) -> Vec<HeadLayer> {
        let layer = |name, outputs| HeadLayer { name, outputs, has_bias: true };
        match self {
            Self::CausalLm => vec![],
            Self::TokenClassifier { labels } => vec![layer("score", labels)],
            Self::QwenPrm => vec![layer("score.0", hidden), layer("score.2", 2)],
            Self::Value => vec![layer("v_head.summary", 1)],
            Self::ReasonEval { classes, has_bias } => {
                vec![HeadLayer { has_bias, ..layer("score_head", classes) }]
            }
        }
    }

    pub(super) fn parse(fields: &mut Fields, family: Family) -> Result<Self, ConfigError> {
        let architecture = architecture(fields)?;
        // Its two sizes were published with different names for the same fields.
        for (classes, bias) in REASON_EVAL_FIELDS {
            if let Some(classes) = fields.count(classes)? {
                return Ok(Self::ReasonEval { classes, has_bias: fields.switch(bias)? });
            }
        }
        let Some(architecture) = architecture else { return Ok(Self::CausalLm) };
        match (architecture.strip_prefix(family.prefix()), family) {
            (Some("ForCausalLM"), _) => Ok(Self::CausalLm),
            (Some("ForTokenClassification"), _) => Ok(Self::TokenClassifier { labels: labels(fields)? }),
            (Some("ForProcessRewardModel"), Family::Qwen2) => Ok(Self::QwenPrm),
            (Some("ForPrmModel"), Family::Qwen2) => Ok(Self::Value),
            _ => Err(unsupported(
                "architectures",
                architecture,
                "expected the model_type's ForCausalLM or ForTokenClassification, Qwen2ForProcessRewardModel, \
                 Qwen2ForPrmModel, or ReasonEval's score_dimension",
            )),
        }
    }

    /// The architecture of the family with this head, and the fields that the head adds.
    pub(super) fn to_json(self, family: Family) -> (String, Value) {
        let architecture = |suffix| format!("{}{suffix}", family.prefix());
        match self {
            Self::CausalLm => (architecture("ForCausalLM"), json!({})),
            Self::TokenClassifier { labels } => (architecture("ForTokenClassification"), json!({"num_labels": labels})),
            Self::QwenPrm => (architecture("ForProcessRewardModel"), json!({})),
            Self::Value => (architecture("ForPrmModel"), json!({})),
            Self::ReasonEval { classes, has_bias } => {
                let (size, [score, bias]) = match family {
                    Family::Mistral => ("7B", REASON_EVAL_FIELDS[0].into()),
                    _ => ("34B", <[&str; 2]>::from(REASON_EVAL_FIELDS[1])),
                };
                (format!("ReasonEval_{size}"), json!({score: classes, bias: has_bias}))
            }
        }
    }
}

const REASON_EVAL_FIELDS: [(&str, &str); 2] = [("score_dimension", "use_bias"), ("score_dim", "bias")];

fn architecture(fields: &mut Fields) -> Result<Option<String>, ConfigError> {
    let read = |value: &Value| match value.as_array()?.as_slice() {
        [] => Some(None),
        [architecture] => Some(Some(architecture.as_str()?.to_owned())),
        _ => None,
    };
    Ok(fields.optional("architectures", "expected a list of one name", read)?.flatten())
}

/// `num_labels`, or as many as are named; two without either, as in transformers.
fn labels(fields: &mut Fields) -> Result<usize, ConfigError> {
    let named = fields.optional("id2label", "expected an object of names", |value| Some(value.as_object()?.len()))?;
    match (fields.count("num_labels")?, named) {
        (Some(labels), Some(named)) if labels != named => {
            Err(unsupported("num_labels", labels.to_string(), "expected as many as there are in id2label"))
        }
        (_, Some(0)) => Err(unsupported("id2label", "{}", "expected at least one label")),
        (labels, named) => Ok(labels.or(named).unwrap_or(2)),
    }
}
