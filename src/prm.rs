//! A process reward model in a folder, and the options of reading it: what `score` and `eval` share.

mod choice;
mod error;
mod weights;

use std::path::Path;

use aprm_models::aprm::prompt::REWRITE;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::evaluator::Evaluator;
use aprm_models::read_out::ReadOut;
use aprm_models::safetensors::Options;
use aprm_models::step_scorer::StepScorer;
use aprm_models::step_text::{MarkerOptions, StepText};
use aprm_models::tokenizer::{STEP_END, Tokenizer, load_tokenizer};
use clap::Args;

use crate::device::Device;
use crate::output::tell;
use choice::ReadOutName;
pub(crate) use error::PrmError;
use weights::Weights;

/// How a model is read.
#[derive(Debug, Args)]
pub(crate) struct ReadOutArgs {
    /// How scores are read [default: what config.json leaves no doubt of].
    #[arg(long, value_enum, requires = "model")]
    read_out: Option<ReadOutName>,

    /// What stands behind each step, instead of the read-out's own marker, or the <step> of `aprm train`.
    #[arg(long, value_name = "S", requires = "model", allow_hyphen_values = true)]
    marker: Option<String>,

    /// The token that says that a step is right, where tokens do [default: +].
    #[arg(long, value_name = "S", requires = "model", allow_hyphen_values = true)]
    good_token: Option<String>,

    /// The token that says that a step is wrong, where tokens do [default: -].
    #[arg(long, value_name = "S", requires = "model", allow_hyphen_values = true)]
    bad_token: Option<String>,

    /// What the model's matrices are rounded to; bf16 takes half the memory on a GPU [default: f32].
    #[arg(long, value_enum, requires = "model")]
    weights: Option<Weights>,

    /// Tokens that are computed together; more are faster and take more memory, and change no score.
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    batch_tokens: u32,
}

/// Loads a model, and says which tensors of its folder are not used.
pub(crate) fn load(model: &Path) -> Result<Checkpoint, PrmError> {
    let (checkpoint, unused) = Checkpoint::load_and_tell(model, Options::default())
        .map_err(|source| PrmError::Model { path: model.into(), source })?;
    for tensor in unused {
        tell(&format!("note: {tensor} is in the folder, and no part of this model"));
    }
    Ok(checkpoint)
}

impl ReadOutArgs {
    /// Tokens that are computed together.
    pub(crate) fn batch_tokens(&self) -> usize {
        self.batch_tokens as usize
    }

    /// The model on a device.
    pub(crate) fn evaluator<D: Device>(&self, device: D, checkpoint: &Checkpoint) -> Result<Evaluator<D>, PrmError> {
        self.weights.unwrap_or_default().evaluator(device, checkpoint)
    }

    /// What scores steps with the model of a folder.
    pub(crate) fn scorer<D: Device>(
        &self,
        device: D,
        model: &Path,
        checkpoint: &Checkpoint,
    ) -> Result<StepScorer<D>, PrmError> {
        let read_out = choice::read_out(self.read_out, checkpoint.config.head)?;
        let tokenizer = load_tokenizer(model).map_err(|source| PrmError::Tokenizer { path: model.into(), source })?;
        let markers = self.markers(read_out, &*tokenizer);
        let step_text = StepText::new(tokenizer, read_out, &markers)?;
        StepScorer::of(self.evaluator(device, checkpoint)?, step_text, read_out, self.batch_tokens())
            .map_err(|error| PrmError::Scorer(Box::new(error)))
    }

    fn markers(&self, read_out: ReadOut, tokenizer: &dyn Tokenizer) -> MarkerOptions {
        let Self { marker, good_token, bad_token, .. } = self;
        // Who knows the token that asks for a rewrite is of `aprm train`, and has learnt that steps end otherwise.
        let is_of_recipe = read_out == ReadOut::Trl && tokenizer.token_id(REWRITE).is_ok();
        let own = is_of_recipe.then(|| STEP_END.to_owned());
        MarkerOptions { marker: marker.clone().or(own), good_token: good_token.clone(), bad_token: bad_token.clone() }
    }
}
