//! Language models over any backend: what plays APRM's game.
//!
//! | to | look in |
//! |---|---|
//! | read a Hugging Face `config.json` | [`config`] |
//! | know a model's tensors and their names | [`layout`] |
//! | load and save a Hugging Face folder | [`checkpoint`] |
//! | replace a file so that a crash cannot tear it | [`durable_file`] |
//! | make a folder so that a crash cannot tear it | [`durable_folder`] |
//! | stop a run and go on bit for bit | [`training_state`] |
//! | read and write safetensors | [`safetensors`] |
//! | run a model forwards and backwards | [`transformer`] |
//! | cut text into tokens | [`tokenizer`] |
//! | make token ids of a prompt and steps | [`step_text`], [`prompts`] |
//! | score steps as public reward models do | [`step_scorer`], [`read_out`] |
//! | know what a model says of every token | [`evaluator`] |
//! | read rows of data | [`data`] |
//! | continue prompts | [`generate`] |
//! | move a model against its gradients, and skip those that are no numbers | [`learner`] |
//! | draw problems with exact solutions, and wrong steps for them | [`arithmetic`] |
//! | let a generator and a verifier train each other | [`aprm`] |
//! | judge steps | [`oracle`] |
//! | judge a reward model on ProcessBench, or by the solutions it chooses | [`benchmark`] |

pub mod aprm;
pub mod arithmetic;
pub mod benchmark;
pub mod checkpoint;
pub mod config;
pub mod data;
mod draw;
pub mod durable_file;
pub mod durable_folder;
pub mod evaluator;
pub mod generate;
pub mod layout;
pub mod learner;
pub mod oracle;
pub mod prompts;
pub mod read_out;
pub mod safetensors;
pub mod step_scorer;
pub mod step_text;
pub mod tokenizer;
pub mod training_state;
pub mod transformer;
