//! Learners: updates by their definition, gradients that are no numbers, tensors that are not reached, micro-batches.

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Decay, Schedule};
use aprm_core::scalar::Scalar;
use aprm_models::learner::{
    AdamCoefficients, GradientError, Learner, LearnerConfig, LearnerError, MAX_SKIPPED_IN_A_ROW, RuleConfig,
    UpdateError, UpdateReport, micro_batches,
};
use aprm_models::transformer::Parameters;
use aprm_ndarray::Cpu;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::tiny::{self, Tiny, backward, bits, sequences};

/// Every rule, with coefficients other than the defaults.
pub(crate) fn rules<T: Scalar>() -> [RuleConfig<T>; 4] {
    let adam = AdamCoefficients { beta1: T::of(0.8), weight_decay: T::of(0.1), ..AdamCoefficients::default() };
    [
        RuleConfig::GradientDescent,
        RuleConfig::Ogda { optimism: T::of(0.7) },
        RuleConfig::Adam(adam),
        RuleConfig::OptimisticAdam { adam, optimism: T::of(0.7) },
    ]
}

/// With everything that a learner can have.
pub(crate) fn whole_config<T: Scalar>(rule: RuleConfig<T>) -> LearnerConfig<T> {
    let decay = Decay::Cosine { steps: 20, floor: T::of(0.1) };
    let schedule = Schedule { peak: T::of(0.01), warmup_steps: 3, decay };
    LearnerConfig {
        max_norm: Some(T::of(0.5)),
        average_decay: Some(T::of(0.9)),
        measure_update: true,
        ..LearnerConfig::new(rule, schedule)
    }
}

fn learner<B: Backend>(tiny: &mut Tiny<B>, config: LearnerConfig<B::Scalar>) -> Learner<B>
where
    B::Error: core::fmt::Debug,
{
    let weights = tiny.weights(1);
    Learner::new(&mut tiny.backend, &tiny.model.layout, weights, config).unwrap()
}

fn update<B: Backend>(tiny: &mut Tiny<B>, learner: &mut Learner<B>, sequences: &[Vec<u32>]) -> UpdateReport<B::Scalar>
where
    B::Error: core::fmt::Debug,
{
    let targets = sequences.iter().map(|sequence| sequence.len() - 1).sum();
    learner.gradients.clear(&mut tiny.backend, &tiny.model.layout).unwrap();
    backward(tiny, sequences, targets, &learner.weights, &mut learner.gradients);
    learner.apply(&mut tiny.backend, &"a batch").unwrap()
}

/// All that an update may change.
fn state<B: Backend>(tiny: &mut Tiny<B>, learner: &Learner<B>) -> (Vec<Vec<Vec<u64>>>, [u64; 2])
where
    B::Error: core::fmt::Debug,
{
    let whole = learner.average.iter().chain([&learner.weights]);
    let mut state: Vec<_> = whole.map(|vector| bits(&mut tiny.backend, learner.layout(), vector)).collect();
    for (_, vector) in learner.rule.vectors() {
        state.push(bits(&mut tiny.backend, learner.trainable(), vector));
    }
    (state, [learner.steps, learner.rule.steps()])
}

fn host(tiny: &mut Tiny<Cpu<f64>>, parameters: &Parameters<<Cpu<f64> as Backend>::Buffer>) -> Vec<f64> {
    bits(&mut tiny.backend, &tiny.model.layout, parameters).concat().into_iter().map(f64::from_bits).collect()
}

fn norm(x: impl IntoIterator<Item = f64>) -> f64 {
    x.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn assert_near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} is not {b}");
}

#[test]
fn an_update_is_what_its_equations_say() {
    for rule in rules() {
        let mut tiny = Tiny::new(Cpu::<f64>::new());
        let mut learner = learner(&mut tiny, whole_config(rule));
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for step in 0..3 {
            let (before, average) = (host(&mut tiny, &learner.weights), learner.average.clone().unwrap());
            let average = host(&mut tiny, &average);
            let report = update(&mut tiny, &mut learner, &sequences(&mut rng, 8));
            let (after, clipped) = (host(&mut tiny, &learner.weights), host(&mut tiny, &learner.gradients));
            assert!(!report.skipped);
            assert_near(report.learning_rate, 0.01 * f64::from(step + 1) / 3.0);
            assert!(report.gradient_norm > 0.5, "nothing was clipped");
            assert_near(norm(clipped.iter().copied()), 0.5);
            assert_near(report.update_norm.unwrap(), norm(before.iter().zip(&after).map(|(b, a)| a - b)));
            if rule == RuleConfig::GradientDescent {
                let moved = before.iter().zip(&clipped).map(|(b, g)| b - report.learning_rate * g);
                moved.zip(&after).for_each(|(moved, &after)| assert!((moved - after).abs() < 1e-15));
            }
            let averaged = host(&mut tiny, learner.averaged_weights());
            for ((&z, &old), &new) in after.iter().zip(&average).zip(&averaged) {
                assert!((0.9 * old + 0.1 * z - new).abs() < 1e-15);
            }
        }
        assert_eq!((learner.steps, learner.skipped), (3, 0));
    }
}

#[test]
fn training_lowers_the_loss_under_every_rule() {
    for rule in rules::<f32>() {
        let mut tiny = Tiny::new(Cpu::new());
        let rate = if matches!(rule, RuleConfig::GradientDescent | RuleConfig::Ogda { .. }) { 0.3 } else { 0.01 };
        let mut learner = learner(&mut tiny, LearnerConfig::new(rule, Schedule::constant(rate)));
        let data = sequences(&mut ChaCha8Rng::seed_from_u64(5), 4);
        let first = update(&mut tiny, &mut learner, &data).gradient_norm;
        let last = (0..60).map(|_| update(&mut tiny, &mut learner, &data).gradient_norm).last().unwrap();
        assert!(last < 0.5 * first, "{rule:?}: the gradient's norm went from {first} to {last}");
    }
}

#[test]
fn a_gradient_that_is_no_number_changes_nothing_and_is_counted() {
    for (rule, poison) in rules().into_iter().zip([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30]) {
        let mut tiny = Tiny::new(Cpu::new());
        let mut learner = learner(&mut tiny, whole_config(rule));
        let data = sequences(&mut ChaCha8Rng::seed_from_u64(0), 4);
        for _ in 0..2 {
            update(&mut tiny, &mut learner, &data);
        }
        let before = state(&mut tiny, &learner);
        for tensor in 0..tiny.model.layout.tensors.len() {
            let last = tiny.model.layout.tensors[tensor].len() - 1;
            tiny.backend.write(&[poison], &mut learner.gradients.0[tensor], last).unwrap();
            let report = learner.apply(&mut tiny.backend, &tensor).unwrap();
            assert!(report.skipped && report.update_norm.is_none(), "{rule:?}, tensor {tensor}");
            assert!(state(&mut tiny, &learner) == before, "{rule:?}, tensor {tensor}: a skipped update left a trace");
            assert_eq!((learner.skipped, learner.skipped_in_a_row), (tensor as u64 + 1, 1));
            tiny.backend.write(&[0.0], &mut learner.gradients.0[tensor], last).unwrap();
            learner.skipped_in_a_row = 0;
        }
        assert!(!update(&mut tiny, &mut learner, &data).skipped);
        assert!(state(&mut tiny, &learner) != before);
    }
}

#[test]
fn many_skipped_batches_in_a_row_are_an_error_that_names_the_batch() {
    let mut tiny = Tiny::new(Cpu::<f32>::new());
    let mut learner = learner(&mut tiny, whole_config(RuleConfig::GradientDescent));
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(0), 4);
    for round in 0..2 {
        let layer = tiny.model.layout.layers[1];
        tiny.backend.write(&[f32::NAN], &mut learner.gradients.0[layer.qkv], 3).unwrap();
        for batch in 1..MAX_SKIPPED_IN_A_ROW {
            assert!(learner.apply(&mut tiny.backend, &batch).unwrap().skipped);
        }
        if round == 0 {
            // An update in between begins the count anew.
            assert!(!update(&mut tiny, &mut learner, &data).skipped);
            assert_eq!((learner.skipped, learner.skipped_in_a_row), (MAX_SKIPPED_IN_A_ROW - 1, 0));
        }
    }
    let error = learner.apply(&mut tiny.backend, &"epoch 3, rows 40 to 47").unwrap_err();
    let UpdateError::NotFinite { batch, tensors, in_a_row } = &error else { panic!("{error}") };
    assert_eq!((&**batch, *in_a_row), ("epoch 3, rows 40 to 47", MAX_SKIPPED_IN_A_ROW));
    let projections = ["q_proj", "k_proj", "v_proj"].map(|part| format!("model.layers.1.self_attn.{part}.weight"));
    assert_eq!(tensors[..], projections);
    assert!(error.to_string().contains("rows 40 to 47"));
}

#[test]
fn gradients_are_checked_by_name() {
    let mut tiny = Tiny::new(Cpu::<f32>::new());
    let mut learner = learner(&mut tiny, whole_config(RuleConfig::GradientDescent));
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(0), 4);
    update(&mut tiny, &mut learner, &data);
    learner.check_gradients(&mut tiny.backend).unwrap();
    let layer = tiny.model.layout.layers[2];
    let spec = &tiny.model.layout.tensors[layer.gate_up];
    tiny.backend.write(&[f32::NEG_INFINITY], &mut learner.gradients.0[layer.gate_up], spec.len() / 2 + 7).unwrap();
    let error = learner.check_gradients(&mut tiny.backend).unwrap_err();
    let GradientError::NotFinite { tensor, index: 7, value } = error else { panic!("{error}") };
    assert_eq!((&*tensor, value), ("model.layers.2.mlp.up_proj.weight", f64::NEG_INFINITY));
    tiny.backend.fill(spec.len(), 0.0, &mut learner.gradients.0[layer.gate_up]).unwrap();
    let error = learner.check_gradients(&mut tiny.backend).unwrap_err();
    let GradientError::Unreached(tensors) = error else { panic!("{error}") };
    assert_eq!(tensors, ["gate", "up"].map(|part| format!("model.layers.2.mlp.{part}_proj.weight")));
}

/// Leaves the gradient of a tensor at zero in each of so many updates.
fn updates_without(tensor: usize, updates: usize, config: LearnerConfig<f32>) -> Result<(), UpdateError<impl Sized>> {
    let mut tiny = Tiny::new(Cpu::<f32>::new());
    let mut learner = learner(&mut tiny, config);
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(0), 4);
    for batch in 0..updates {
        learner.gradients.clear(&mut tiny.backend, &tiny.model.layout).unwrap();
        backward(&mut tiny, &data, 10, &learner.weights, &mut learner.gradients);
        let len = tiny.model.layout.tensors[tensor].len();
        tiny.backend.fill(len, 0.0, &mut learner.gradients.0[tensor]).unwrap();
        learner.apply(&mut tiny.backend, &batch)?;
    }
    Ok(())
}

#[test]
fn a_tensor_that_no_gradient_reaches_is_an_error_unless_it_is_frozen() {
    let config = whole_config(RuleConfig::GradientDescent);
    let layout = Tiny::new(Cpu::<f32>::new()).model.layout;
    for tensor in 0..layout.tensors.len() {
        let names: Vec<String> = layout.tensors[tensor].parts.iter().map(|part| part.name.clone()).collect();
        assert!(updates_without(tensor, 7, config.clone()).is_ok());
        let Err(UpdateError::Unreached { tensors, batch, updates: 8 }) = updates_without(tensor, 8, config.clone())
        else {
            panic!("{names:?} was not missed")
        };
        assert_eq!((tensors, &*batch), (names.clone(), "7"));
        let frozen = LearnerConfig { frozen: names, ..config.clone() };
        assert!(updates_without(tensor, 9, frozen).is_ok());
    }
}

#[test]
fn frozen_tensors_stay_and_take_no_memory() {
    for rule in rules::<f32>() {
        let mut tiny = Tiny::new(Cpu::new());
        let name = "model.layers.1.mlp.down_proj.weight";
        let config = LearnerConfig { frozen: vec![name.into()], ..whole_config(rule) };
        let mut learner = learner(&mut tiny, config);
        let layout = tiny.model.layout.clone();
        let before = bits(&mut tiny.backend, &layout, &learner.weights);
        for _ in 0..3 {
            update(&mut tiny, &mut learner, &sequences(&mut ChaCha8Rng::seed_from_u64(0), 4));
        }
        let after = bits(&mut tiny.backend, &layout, &learner.weights);
        let average = bits(&mut tiny.backend, &layout, learner.averaged_weights());
        for (i, spec) in layout.tensors.iter().enumerate() {
            let is_frozen = spec.parts[0].name == name;
            assert_eq!(before[i] == after[i], is_frozen, "{}", spec.parts[0].name);
            assert_eq!(before[i] == average[i], is_frozen);
            assert_eq!(learner.trainable().tensors[i].is_empty(), is_frozen);
        }
    }
}

#[test]
fn what_cannot_be_frozen_is_named() {
    let layout = Tiny::new(Cpu::<f32>::new()).model.layout;
    let trainable = |name: &str| layout.trainable::<()>(&[name.into()]).unwrap_err();
    assert!(matches!(trainable("lm_head"), LearnerError::UnknownTensor(name) if name == "lm_head"));
    let LearnerError::PartlyFrozen { frozen, trainable } = trainable("model.layers.0.self_attn.k_proj.weight") else {
        panic!("keys lie beside queries and values")
    };
    assert_eq!((frozen.len(), trainable.len()), (1, 2));
}

/// The gradients of all sequences, run in so many tokens at a time.
fn accumulated<B: Backend>(backend: B, sequences: &[Vec<u32>], rows: usize) -> (usize, Vec<f64>, Vec<Vec<u64>>)
where
    B::Error: core::fmt::Debug,
{
    let mut tiny = Tiny::new(backend);
    let mut learner = learner(&mut tiny, whole_config(RuleConfig::GradientDescent));
    let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
    let targets = lengths.iter().sum::<usize>() - lengths.len();
    let runs = micro_batches(&lengths, rows).unwrap();
    let count = runs.len();
    learner.gradients.clear(&mut tiny.backend, &tiny.model.layout).unwrap();
    for run in runs {
        backward(&mut tiny, &sequences[run], targets, &learner.weights, &mut learner.gradients);
    }
    let gradients = bits(&mut tiny.backend, &tiny.model.layout, &learner.gradients).concat();
    learner.apply(&mut tiny.backend, &0).unwrap();
    let weights = bits(&mut tiny.backend, &tiny.model.layout, &learner.weights);
    (count, gradients.into_iter().map(f64::from_bits).collect(), weights)
}

fn assert_micro_batches_are_one_batch<B: Backend>(backend: impl Fn() -> B, tolerance: f64)
where
    B::Error: core::fmt::Debug,
{
    let sequences = sequences(&mut ChaCha8Rng::seed_from_u64(3), 16);
    let (1, whole, weights) = accumulated(backend(), &sequences, 96) else { panic!("they fit at once") };
    let largest = whole.iter().fold(0.0, |largest, g| f64::max(largest, g.abs()));
    for rows in [6, 17, 40] {
        let (count, parts, _) = accumulated(backend(), &sequences, rows);
        assert!(count > 1);
        for (part, whole) in parts.iter().zip(&whole) {
            assert!((part - whole).abs() <= tolerance * largest, "{rows} rows at a time: {part} is not {whole}");
        }
    }
    assert!(accumulated(backend(), &sequences, 96).2 == weights);
}

/// Sums of at most 80 rows in another order differ by at most 80 ε Σ |term|; the largest gradient stands for the last.
#[test]
fn micro_batches_are_one_batch() {
    assert_micro_batches_are_one_batch(Cpu::<f64>::new, 80.0 * f64::EPSILON);
    assert_micro_batches_are_one_batch(Cpu::<f32>::new, 80.0 * f64::from(f32::EPSILON));
}

#[test]
fn wrong_loss_weights_are_not_one_batch() {
    let mut tiny = Tiny::new(Cpu::<f64>::new());
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(3), 16);
    let weights = tiny.weights(1);
    let targets = |part: &[Vec<u32>]| part.iter().map(|sequence| sequence.len() - 1).sum::<usize>();
    let mut gradients_of = |parts: &[(&[Vec<u32>], usize)]| {
        let mut gradients = Parameters::zeros(&mut tiny.backend, &tiny.model.layout).unwrap();
        parts.iter().for_each(|&(part, targets)| backward(&mut tiny, part, targets, &weights, &mut gradients));
        host(&mut tiny, &gradients)
    };
    let whole = gradients_of(&[(&data, targets(&data))]);
    let (first, second) = data.split_at(5);
    // A mean of means gives the tokens of short micro-batches more weight.
    let means = gradients_of(&[(first, 2 * targets(first)), (second, 2 * targets(second))]);
    let difference = norm(whole.iter().zip(&means).map(|(a, b)| a - b));
    assert!(difference > 0.01 * norm(whole.iter().copied()));
}

#[test]
fn an_update_runs_all_micro_batches_and_clips_once() {
    let mut tiny = Tiny::new(Cpu::<f64>::new());
    let mut learners = [1, 2].map(|_| learner(&mut tiny, whole_config(rules()[3])));
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(3), 16);
    let targets = data.iter().map(|sequence| sequence.len() - 1).sum();
    let whole = update(&mut tiny, &mut learners[0], &data);
    let lengths: Vec<usize> = data.iter().map(Vec::len).collect();
    let runs = micro_batches(&lengths, 20).unwrap();
    let mut cpu = Cpu::new();
    let parts = learners[1].update(&mut cpu, &"batch", runs, |_, run, weights, gradients| {
        backward(&mut tiny, &data[run], targets, weights, gradients);
        Ok(())
    });
    let parts = parts.unwrap();
    assert!(parts.gradient_norm > 0.5);
    assert_near(parts.gradient_norm, whole.gradient_norm);
    let [whole, parts] = learners.each_ref().map(|learner| host(&mut tiny, &learner.gradients));
    assert_near(norm(parts.iter().copied()), 0.5);
    assert!(norm(whole.iter().zip(&parts).map(|(a, b)| a - b)) <= 1e-12);
}

#[test]
fn micro_batches_fit_and_lose_nothing() {
    assert!(micro_batches(&[], 4).unwrap().is_empty());
    assert_eq!(micro_batches(&[4, 4], 4).unwrap(), [0..1, 1..2]);
    assert_eq!(micro_batches(&[0, 4, 0, 0, 3, 1, 1], 4).unwrap(), [0..4, 4..6, 6..7]);
    let error = micro_batches(&[1, 5], 4).unwrap_err();
    assert_eq!((error.sequence, error.len, error.rows), (1, 5, 4));
    let seed = tiny::VOCAB as usize;
    let lengths: Vec<usize> = (0..200).map(|i| i * i * seed % 23).collect();
    for rows in 22..60 {
        let runs = micro_batches(&lengths, rows).unwrap();
        assert!(runs.iter().all(|run| (1..=rows).contains(&lengths[run.clone()].iter().sum())));
        assert_eq!(runs.iter().cloned().flatten().collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    }
}
