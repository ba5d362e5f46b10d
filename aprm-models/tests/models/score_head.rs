//! Reward models of every head: logits, loss and every gradient by name, held to transformers' and PyTorch's.

use std::fs;

use aprm_conformance::naive::Naive;
use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use aprm_models::checkpoint::{Checkpoint, LoadError};
use aprm_models::config::{Head, ModelConfig};
use aprm_models::safetensors::{Dtype, Options, Precision, SafeTensors as Reader};
use aprm_models::transformer::{Activations, Batch, Inference, Parameters, ScoreHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use safetensors::SafeTensors;

use crate::golden;
use crate::transformer::{assert_close, file, floats, integers};

/// Class 1 of two, one number, three classes; one linear map and two.
const MODELS: [(&str, Head); 5] = [
    ("qwen2_token_classifier", Head::TokenClassifier { labels: 2 }),
    ("llama_token_classifier", Head::TokenClassifier { labels: 3 }),
    ("qwen2_prm", Head::QwenPrm),
    ("skywork", Head::Value),
    ("reason_eval", Head::ReasonEval { classes: 3, has_bias: true }),
];

struct Bench<B: Backend> {
    backend: B,
    model: Transformer<B>,
    weights: Parameters<B::Buffer>,
    gradients: Parameters<B::Buffer>,
    batch: Batch<B>,
    activations: Activations<B::Buffer>,
    scratch: Scratch<B::Buffer>,
    head: ScoreHead<B>,
    rows: usize,
}

fn host<T: Scalar>(numbers: &[f32]) -> Vec<T> {
    numbers.iter().map(|&x| T::of(x.into())).collect()
}

fn widen<T: Scalar>(numbers: Vec<T>) -> Vec<f64> {
    numbers.into_iter().map(Scalar::widen).collect()
}

impl<T: Scalar, B: Backend<Scalar = T>> Bench<B>
where
    B::Error: core::fmt::Debug,
{
    fn new(mut backend: B, name: &str, ids: &[u32], tokens: Option<&[u32]>) -> Self {
        let checkpoint = Checkpoint::load(&golden(name), Options::default()).unwrap();
        let weights = checkpoint.upload(&mut backend).unwrap();
        let config = checkpoint.config;
        let model = Transformer::new(&mut backend, config).unwrap();
        let mut batch = Batch::new(&mut backend, ids.len(), 1).unwrap();
        batch.set(&mut backend, &[ids]).unwrap();
        let head = match tokens {
            Some(tokens) => ScoreHead::over_tokens(&mut backend, &model, ids.len(), tokens),
            None => ScoreHead::new(&mut backend, &model, ids.len()),
        };
        Self {
            gradients: Parameters::zeros(&mut backend, &model.layout).unwrap(),
            activations: Activations::new(&mut backend, &config, ids.len()).unwrap(),
            scratch: Scratch::new(&mut backend, &config, ids.len()).unwrap(),
            head: head.unwrap(),
            rows: ids.len(),
            backend,
            model,
            weights,
            batch,
        }
    }

    fn forward(&mut self, selected: &[u32]) -> Vec<f64> {
        let Self { backend, model, weights, batch, activations, head, rows, .. } = self;
        model.forward(backend, weights, batch, activations).unwrap();
        head.forward(backend, model, weights, &activations.hidden, *rows, selected).unwrap();
        widen(head.read_logits(backend).unwrap())
    }

    /// Total loss of the rows, after `loss` has been taken; its gradients are in `self.gradients`.
    fn backward(&mut self, loss: impl FnOnce(&mut ScoreHead<B>, &mut B)) -> f64 {
        let Self { backend, model, weights, gradients, batch, activations, scratch, head, .. } = self;
        loss(head, backend);
        gradients.clear(backend, &model.layout).unwrap();
        scratch.clear_hidden(backend, model).unwrap();
        head.backward(backend, model, weights, scratch, gradients).unwrap();
        model.backward(backend, weights, batch, activations, scratch, gradients).unwrap();
        widen(head.read_loss(backend).unwrap()).into_iter().sum()
    }

    fn gradients(&mut self) -> Vec<(String, Vec<f64>)> {
        let mut named = Vec::new();
        for (buffer, spec) in self.gradients.0.iter().zip(&self.model.layout.tensors) {
            let mut start = 0;
            for part in &spec.parts {
                let mut entries = vec![T::of(0.0); part.rows * spec.columns];
                self.backend.read(buffer, start, &mut entries).unwrap();
                start += entries.len();
                named.push((part.name.clone(), widen(entries)));
            }
        }
        named
    }
}

fn equals_transformers<B: Backend>(backend: impl Fn() -> B)
where
    B::Error: core::fmt::Debug,
{
    for (name, _) in MODELS {
        let bytes = file(name, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let ids = integers(&golden, "ids");
        let mut bench = Bench::new(backend(), name, &ids, None);
        let all: Vec<u32> = (0..ids.len() as u32).collect();
        assert_close(name, &bench.forward(&all), &floats(&golden, "logits"), 2e-5);

        let steps = integers(&golden, "steps");
        bench.forward(&steps);
        let labels = floats(&golden, "labels");
        let mean = vec![B::Scalar::of(1.0 / steps.len() as f64); steps.len()];
        let loss = bench.backward(|head, backend| match head.classes() {
            // The golden's labels are of two classes.
            1 => {
                let right: Vec<f32> = labels.iter().skip(1).step_by(2).copied().collect();
                head.step_cross_entropy(backend, &host(&right), &mean).unwrap();
            }
            _ => head.cross_entropy(backend, &host(&labels), &mean).unwrap(),
        });
        assert_close(name, &[loss], &floats(&golden, "loss"), 1e-5);
        let mut compared = 0;
        for (tensor, gradient) in bench.gradients() {
            assert_close(&format!("{name} {tensor}"), &gradient, &floats(&golden, &format!("gradient.{tensor}")), 1e-4);
            compared += 1;
        }
        let expected = golden.names().iter().filter(|name| name.starts_with("gradient.")).count();
        assert_eq!(compared, expected, "{name}: every gradient");
    }
}

#[test]
fn naive_f64_equals_transformers() {
    equals_transformers(Naive::<f64>::new);
}

#[test]
fn cpu_f32_equals_transformers() {
    equals_transformers(Cpu::<f32>::new);
}

#[test]
fn gpu_equals_transformers() {
    if !crate::gpu_is_off() {
        equals_transformers(crate::gpu);
    }
}

const IDS: [u32; 9] = [3, 1, 4, 1, 5, 9, 2, 6, 5];

/// The gradients by name are those of the loss, along the direction of each tensor's own gradient.
fn is_gradient(
    name: &str,
    tokens: Option<&[u32]>,
    selected: &[u32],
    loss: impl Fn(&mut ScoreHead<Naive<f64>>, &mut Naive<f64>),
) {
    let mut bench = Bench::new(Naive::<f64>::new(), name, &IDS, tokens);
    bench.forward(selected);
    bench.backward(&loss);
    let gradients: Vec<Vec<f64>> = bench.gradients.0.clone();
    for (tensor, gradient) in gradients.iter().enumerate() {
        let slope: f64 = gradient.iter().map(|g| g * g).sum();
        let epsilon = 1e-6 / slope.sqrt().max(1e-9);
        let mut at = |sign: f64| {
            let weights = bench.weights.0[tensor].clone();
            for (weight, g) in bench.weights.0[tensor].iter_mut().zip(gradient) {
                *weight += sign * epsilon * g;
            }
            bench.forward(selected);
            loss(&mut bench.head, &mut bench.backend);
            bench.weights.0[tensor] = weights;
            bench.head.read_loss(&mut bench.backend).unwrap().into_iter().sum::<f64>()
        };
        let difference = (at(1.0) - at(-1.0)) / (2.0 * epsilon);
        let part = &bench.model.layout.tensors[tensor].parts[0].name;
        assert!((difference - slope).abs() <= 1e-5 * slope.max(1e-6), "{name} {part}: {difference} is not {slope}");
    }
}

#[test]
fn bradley_terry_gradient() {
    is_gradient("skywork", None, &[1, 3, 5, 8], |head, backend| head.bradley_terry(backend, &[0.5, 2.0]).unwrap());
}

#[test]
fn squared_error_gradient() {
    is_gradient("skywork", None, &[0, 8], |head, backend| {
        head.squared_error(backend, &[0.3, -1.0], &[1.0, 0.5]).unwrap();
    });
}

#[test]
fn gradient_over_tokens() {
    for family in ["llama", "qwen2"] {
        is_gradient(family, Some(&[7, 2]), &[2, 5, 8], |head, backend| {
            head.step_cross_entropy(backend, &[1.0, 0.25, 0.0], &[1.0, 0.5, 2.0]).unwrap();
        });
    }
}

/// `L = −log σ(r_w − r_l)`
#[test]
fn bradley_terry_loss() {
    let mut bench = Bench::new(Naive::<f64>::new(), "skywork", &IDS, None);
    let rewards = bench.forward(&[1, 3, 5, 8]);
    bench.head.bradley_terry(&mut bench.backend, &[1.0, 3.0]).unwrap();
    let loss = bench.head.read_loss(&mut bench.backend).unwrap();
    for (i, weight) in [1.0, 3.0].into_iter().enumerate() {
        let expected = weight * (1.0 + (rewards[2 * i + 1] - rewards[2 * i]).exp()).ln();
        assert!((loss[i] - expected).abs() < 1e-14, "{} is not {expected}", loss[i]);
    }
}

#[test]
fn logits_over_tokens_are_the_language_models() {
    for family in ["llama", "qwen2"] {
        let bytes = file(family, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let ids = integers(&golden, "ids");
        let mut bench = Bench::new(Cpu::<f32>::new(), family, &ids, Some(&[7, 2]));
        let logits = floats(&golden, "logits");
        let of = |row: usize| [7, 2].map(|token| logits[row * 29 + token]);
        let expected: Vec<f32> = [4, 17].into_iter().flat_map(of).collect();
        assert_close(family, &bench.forward(&[4, 17]), &expected, 2e-5);
    }
}

#[test]
fn inference_gives_the_bits_of_the_forward_pass() {
    for (name, _) in MODELS {
        let Bench { mut backend, model, weights, batch, mut activations, .. } =
            Bench::new(Cpu::<f32>::new(), name, &IDS, None);
        model.forward(&mut backend, &weights, &batch, &mut activations).unwrap();
        let mut inference = Inference::new(&mut backend, &model.config, IDS.len()).unwrap();
        model.infer(&mut backend, &weights, &batch, &mut inference).unwrap();
        assert_eq!(inference.hidden, activations.hidden, "{name}");
    }
}

/// A head that was never trained gives either class about the same chance: no label leaks into it.
#[test]
fn an_untrained_head_is_at_the_base_rate() {
    let mut bench = Bench::new(Naive::<f64>::new(), "qwen2_token_classifier", &IDS, None);
    let map = bench.model.layout.score[0];
    for tensor in [Some(map.weight), map.bias].into_iter().flatten() {
        bench.weights.0[tensor].fill(0.0);
    }
    bench.forward(&[2, 5]);
    bench.head.step_cross_entropy(&mut bench.backend, &[1.0, 0.0], &[1.0, 1.0]).unwrap();
    for loss in bench.head.read_loss(&mut bench.backend).unwrap() {
        assert!((loss - core::f64::consts::LN_2).abs() < 1e-15);
    }
}

#[test]
fn folders_come_back_and_keep_their_heads() {
    for (name, head) in MODELS {
        let (checkpoint, unused) = Checkpoint::load_and_tell(&golden(name), Options::default()).unwrap();
        assert_eq!(checkpoint.config.head, head, "{name}");
        let has_lm_head = ["qwen2_prm", "skywork"].contains(&name);
        assert_eq!(unused, if has_lm_head { vec!["lm_head.weight"] } else { vec![] }, "{name}");
        let folder = tempfile::tempdir().unwrap();
        checkpoint.save(folder.path(), Precision::F32).unwrap();
        assert_eq!(Checkpoint::load(folder.path(), Options::default()).unwrap(), checkpoint, "{name}");
        let weights = |folder| fs::read(std::path::Path::join(folder, "model.safetensors")).unwrap();
        if !has_lm_head {
            assert!(weights(folder.path()) == weights(&golden(name)), "{name}: other bytes than the original");
        }
    }
}

#[test]
fn a_head_keeps_its_digits_in_any_precision() {
    let checkpoint = Checkpoint::load(&golden("qwen2_prm"), Options::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    checkpoint.save(folder.path(), Precision::BF16).unwrap();
    let file = fs::File::open(folder.path().join("model.safetensors")).unwrap();
    let file = Reader::new(file, Options::default()).unwrap();
    for (tensor, info) in &file.header().tensors {
        let expected = if tensor.starts_with("score.") { Dtype::F32 } else { Dtype::BF16 };
        assert_eq!(info.dtype, expected, "{tensor}");
        let size = if expected == Dtype::F32 { 4 } else { 2 };
        assert_eq!(info.data_offsets[0] % size, 0, "{tensor} is aligned");
    }
    let loaded = Checkpoint::load(folder.path(), Options::default()).unwrap();
    for map in aprm_models::layout::Layout::new(&checkpoint.config).score {
        assert_eq!(loaded.weights.0[map.weight], checkpoint.weights.0[map.weight]);
    }
}

#[test]
fn an_architecture_is_of_its_family_and_known() {
    let json = String::from_utf8(file("qwen2_token_classifier", "config.json")).unwrap();
    let with = |architecture: &str| {
        ModelConfig::parse(json.replace("Qwen2ForTokenClassification", architecture).as_bytes()).map(|it| it.head)
    };
    assert_eq!(with("Qwen2ForCausalLM").unwrap(), Head::CausalLm);
    assert_eq!(with("Qwen2ForProcessRewardModel").unwrap(), Head::QwenPrm);
    for refused in ["LlamaForTokenClassification", "Qwen2ForSequenceClassification", "Qwen2ForCausalLM\", \"More"] {
        assert!(with(refused).unwrap_err().to_string().contains("`architectures`"), "{refused}");
    }
    // What is no part of a token classifier is not passed over.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), json).unwrap();
    fs::copy(golden("reason_eval").join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    assert!(matches!(Checkpoint::load(folder.path(), Options::default()), Err(LoadError::Mismatch(_))));
}

/// `tests/golden/open_saved.py` runs this and opens what it saves in transformers.
#[test]
#[ignore = "writes folders for open_saved.py"]
fn save_for_transformers() {
    let folder = std::env::var_os("APRM_SAVED").expect("the folder to save in");
    for name in MODELS.map(|(name, _)| name).into_iter().chain(crate::FAMILIES) {
        let checkpoint = Checkpoint::load(&golden(name), Options::default()).unwrap();
        checkpoint.save(&std::path::Path::new(&folder).join(name), Precision::F32).unwrap();
    }
}
