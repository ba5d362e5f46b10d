//! Models whose matrices are kept in bfloat16: equal to models that were rounded beforehand, near those that were not,
//! and half as large.

use core::fmt::Debug;

use aprm_core::backend::Backend;
use aprm_core::policy::Sampler;
use aprm_models::checkpoint::{Checkpoint, WeightFormat};
use aprm_models::evaluator::Evaluator;
use aprm_models::generate::{Continuation, Generation, Generator};
use aprm_models::layout::Layout;
use aprm_models::read_out::ReadOut;
use aprm_models::safetensors::Options;
use aprm_models::step_scorer::StepScorer;
use aprm_models::step_text::{MarkedIds, MarkerOptions, StepText};
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;
use half::bf16;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use safetensors::SafeTensors;

use crate::step_scorer::characters;
use crate::transformer::{file, integers};
use crate::{FAMILIES, golden, gpu, gpu_is_off};

fn load(name: &str) -> Checkpoint {
    Checkpoint::load(&golden(name), Options::default()).unwrap()
}

/// With a function of the entries of matrices, but for those of a score head.
fn with_matrices(checkpoint: &Checkpoint, mut f: impl FnMut(f32) -> f32) -> Checkpoint {
    let mut changed = checkpoint.clone();
    for (tensor, spec) in changed.weights.0.iter_mut().zip(&Layout::new(&checkpoint.config).tensors) {
        if spec.columns > 1 && !spec.parts[0].name.starts_with("score") {
            tensor.iter_mut().for_each(|entry| *entry = f(*entry));
        }
    }
    changed
}

/// Rounded on the host.
pub(crate) fn rounded(checkpoint: &Checkpoint) -> Checkpoint {
    with_matrices(checkpoint, |entry| bf16::from_f32(entry).to_f32())
}

/// How far logits are moved by errors of either sign in the weights, of 2⁻⁸ of each: the most that rounding errs by.
fn distance_of_errors(checkpoint: &Checkpoint, ids: &[u32]) -> f32 {
    let exact = Evaluator::new(Cpu::<f32>::new(), checkpoint).unwrap().logits(ids).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let distances = (0..4).map(|_| {
        let error = |entry| if rng.random() { entry * (1.0 + 2_f32.powi(-8)) } else { entry * (1.0 - 2_f32.powi(-8)) };
        let erring = with_matrices(checkpoint, error);
        distance(&Evaluator::new(Cpu::<f32>::new(), &erring).unwrap().logits(ids).unwrap(), &exact)
    });
    distances.fold(0.0, f32::max)
}

fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    a.concat().iter().zip(b.concat()).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

fn ids(name: &str) -> Vec<u32> {
    let bytes = file(name, "golden.safetensors");
    integers(&SafeTensors::deserialize(&bytes).unwrap(), "ids")
}

fn logits_are_those_of_a_rounded_model<B: Backend<Scalar = f32, Error: Debug>>(
    backend: impl Fn() -> B,
    format: WeightFormat,
) {
    for name in FAMILIES.into_iter().chain(["qwen2_token_classifier", "qwen2_prm", "reason_eval"]) {
        let (checkpoint, ids) = (load(name), ids(name));
        let mut kept = Evaluator::rounded(backend(), &checkpoint).unwrap();
        assert_eq!(kept.weight_format, format);
        let kept = kept.logits(&ids).unwrap();
        let before = Evaluator::new(backend(), &rounded(&checkpoint)).unwrap().logits(&ids).unwrap();
        assert!(kept == before, "{name}");
        let exact = Evaluator::new(backend(), &checkpoint).unwrap().logits(&ids).unwrap();
        assert!(kept != exact, "{name}");
        let (moved, bound) = (distance(&kept, &exact), distance_of_errors(&checkpoint, &ids));
        println!("{name}: logits are moved by {moved:.1e}, errors of 2⁻⁸ move them by {bound:.1e}");
        assert!(moved <= bound, "{name}");
    }
}

#[test]
fn logits_on_the_cpu_which_keeps_them_in_full() {
    logits_are_those_of_a_rounded_model(Cpu::<f32>::new, WeightFormat::Full);
}

#[test]
fn logits_on_the_gpu() {
    if !gpu_is_off() {
        logits_are_those_of_a_rounded_model(gpu, WeightFormat::Bf16);
    }
}

/// Fixed random numbers, on a temperature of one.
fn continuations(checkpoint: &Checkpoint, rounds: bool) -> Vec<Continuation<f32>> {
    let mut gpu = gpu();
    let weights =
        if rounds { checkpoint.upload_bf16(&mut gpu).unwrap().0 } else { checkpoint.upload(&mut gpu).unwrap() };
    let model = Transformer::new(&mut gpu, checkpoint.config).unwrap();
    let mut generator = Generator::new(&mut gpu, &model, 2, 20, 8).unwrap();
    let generation = Generation { max_new_tokens: 12, sampler: Sampler::default(), stop: &[] };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    generator.generate(&mut gpu, &model, &weights, &[&[1, 2, 3], &[4]], generation, &mut rng).unwrap()
}

#[test]
fn generation_is_a_rounded_models() {
    if gpu_is_off() {
        return;
    }
    for name in ["llama", "qwen3"] {
        let checkpoint = load(name);
        assert!(continuations(&checkpoint, true) == continuations(&rounded(&checkpoint), false), "{name}");
    }
}

/// By a score head, which is not rounded, and by the rows of a language model's head that belong to two tokens.
#[test]
fn step_scores_are_a_rounded_models() {
    if gpu_is_off() {
        return;
    }
    for (name, read_out) in [("qwen2_token_classifier", ReadOut::Trl), ("llama", ReadOut::MathShepherd)] {
        let checkpoint = load(name);
        let evaluators = [Evaluator::rounded(gpu(), &checkpoint), Evaluator::new(gpu(), &rounded(&checkpoint))];
        let [kept, before] = evaluators.map(|evaluator| {
            let step_text = StepText::new(characters(), read_out, &MarkerOptions::default()).unwrap();
            let mut scorer = StepScorer::of(evaluator.unwrap(), step_text, read_out, 64).unwrap();
            let solutions = [(vec![3, 12, 5, 27], vec![1, 3]), (vec![27], vec![0])];
            let solutions = solutions.map(|(ids, positions)| MarkedIds { ids, positions });
            scorer.score(&solutions).unwrap()
        });
        assert_eq!(kept, before, "{name}");
    }
}

#[test]
fn matrices_take_half_the_memory_of_a_gpu() {
    if gpu_is_off() {
        return;
    }
    let checkpoint = load("qwen2_token_classifier");
    let layout = Layout::new(&checkpoint.config);
    let peak = |upload: &dyn Fn(&mut aprm_wgpu::Gpu)| {
        let mut gpu = gpu();
        upload(&mut gpu);
        gpu.work().peak_bytes
    };
    let full = peak(&|gpu| drop(checkpoint.upload(gpu).unwrap()));
    let kept = peak(&|gpu| drop(checkpoint.upload_bf16(gpu).unwrap()));
    let matrices: usize = (0..layout.tensors.len())
        .filter(|&tensor| layout.may_be_rounded(tensor))
        .map(|tensor| layout.tensors[tensor].len())
        .sum();
    assert_eq!(full, 4 * layout.tensors.iter().map(|spec| spec.len() as u64).sum::<u64>());
    assert_eq!(full - kept, 2 * matrices as u64);
    assert!(2 * matrices as u64 > full * 9 / 20, "{matrices} entries of {full} bytes");
}
