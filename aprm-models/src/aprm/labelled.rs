//! Labels of steps for which no oracle of steps is needed: how often a solver gets home from there, or whether it did.

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::config::GameConfig;
use super::error::RunError;
use super::lesson::{Lesson, Teaching, study};
use super::players::Player;
use super::prompt::Prompt;
use super::round_report::VerifierStatistics;
use super::row_scores::RowScores;
use super::solver::{Sampling, continue_all};
use super::task::Task;
use crate::draw::index;
use crate::learner::UpdateReport;
use crate::transformer::{Parameters, Transformer};

/// What the label of a step is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// Right if any continuation from it ends in the right answer: Math-Shepherd's hard estimate.
    MonteCarloHard,
    /// The share of continuations from it that do: its soft estimate.
    MonteCarloSoft,
    /// Whether the solution that it is part of does: what an outcome reward model learns from.
    Outcome,
}

/// A solution that a solver wrote.
///
/// # Reference
/// Wang et al. 2023, "Math-Shepherd", arXiv 2312.08935, equations 3 and 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledSolution {
    /// The problem.
    pub problem: String,
    /// The steps.
    pub steps: Vec<String>,
    /// The share of continuations from each step on that end in the right answer.
    pub reached: Vec<f64>,
    /// Whether the solution itself ends in it.
    pub solved: bool,
}

impl LabelledSolution {
    /// How likely each step is to be right, as far as such labels can say.
    pub fn targets(&self, labels: Labels) -> Vec<f64> {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match labels {
            Labels::MonteCarloHard => self.reached.iter().map(|&share| truth(share > 0.0)).collect(),
            Labels::MonteCarloSoft => self.reached.clone(),
            Labels::Outcome => vec![truth(self.solved); self.steps.len()],
        }
    }
}

/// Has a solver write a solution of each of some problems, and continue it from each of its steps so many times.
///
/// Solutions without a step, or with text that has no tokens, are left out.
///
/// # Errors
/// [`RunError`].
pub fn label<B: Backend, K: Task>(
    backend: &mut B,
    (model, solver): (&Transformer<B>, &Parameters<B::Buffer>),
    (task, prompt): (&K, &Prompt),
    (problems, continuations): (usize, usize),
    sampling: Sampling<'_, B::Scalar>,
    rng: &mut dyn Rng,
    mut progress: impl FnMut(usize),
) -> Result<Vec<LabelledSolution>, RunError<B::Error>> {
    let dealt: Vec<K::Solution> = (0..problems).map(|_| task.deal(rng)).collect();
    let asked = dealt.iter().map(|solution| prompt.transcript(task.problem(solution), &[]));
    let asked = asked.collect::<Result<Vec<_>, _>>()?;
    let written =
        continue_all(backend, model, solver, &asked, sampling, rng, &mut progress).map_err(RunError::Device)?;
    let mut labelled = Vec::new();
    let (mut prefixes, mut owners) = (Vec::new(), Vec::new());
    for (solution, ids) in dealt.into_iter().zip(&written) {
        let (steps, ended) = prompt.read_solution(ids);
        let problem = task.problem(&solution).to_owned();
        if steps.is_empty() || prompt.marked(&problem, &steps).is_err() {
            continue;
        }
        for step in 1..=steps.len() {
            let prefix = prompt.transcript(&problem, &steps[..step])?;
            owners.extend(std::iter::repeat_n((labelled.len(), step), continuations));
            prefixes.extend(std::iter::repeat_n(prefix, continuations));
        }
        let solved = ended && task.solves(&solution, &steps);
        let reached = vec![0.0; steps.len()];
        labelled.push((solution, LabelledSolution { problem, steps, reached, solved }));
    }
    let written =
        continue_all(backend, model, solver, &prefixes, sampling, rng, &mut progress).map_err(RunError::Device)?;
    for ((owner, step), ids) in owners.into_iter().zip(&written) {
        let (solution, found) = &mut labelled[owner];
        let (more, ended) = prompt.read_solution(ids);
        let steps = [&found.steps[..step], &more].concat();
        if ended && task.solves(solution, &steps) {
            found.reached[step - 1] += 1.0 / continuations as f64;
        }
    }
    Ok(labelled.into_iter().map(|(_, found)| found).collect())
}

/// What an update on labelled solutions found.
#[derive(Clone, Debug)]
pub struct LabelledReport<T> {
    /// What the verifier said before it.
    pub statistics: VerifierStatistics,
    /// The update.
    pub update: UpdateReport<T>,
}

/// A verifier that learns from labelled solutions, with the losses and the learner of a game.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct LabelledTraining<B: Backend> {
    /// The settings of the game that it stands beside.
    pub config: GameConfig,
    /// R.
    pub verifier: Player<B>,
    /// Updates made.
    pub round: u64,
    row_scores: RowScores<B>,
}

impl<B: Backend> LabelledTraining<B> {
    /// Before the first update, with room for `rows` tokens at a time.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        config: GameConfig,
        verifier: Player<B>,
        rows: usize,
    ) -> Result<Self, RunError<B::Error>> {
        let row_scores = RowScores::new(backend, &verifier.model, rows).map_err(RunError::Device)?;
        Ok(Self { config, verifier, round: 0, row_scores })
    }

    /// One update on solutions drawn with replacement, as many steps of them as a round of the game shows, gold included.
    ///
    /// # Errors
    /// [`RunError`].
    ///
    /// # Panics
    /// If there is no solution.
    pub fn step(
        &mut self,
        backend: &mut B,
        prompt: &Prompt,
        solutions: &[LabelledSolution],
        labels: Labels,
        (deal, opinions): (&mut dyn Rng, &mut dyn Rng),
    ) -> Result<LabelledReport<B::Scalar>, RunError<B::Error>> {
        let shown = (self.config.positions * self.config.rewrites) as f64 * (1.0 + self.config.gold_share);
        let mut lesson = Lesson::default();
        while (lesson.len() as f64) < shown {
            let solution = &solutions[index(solutions.len(), deal)];
            lesson.labelled(prompt.marked(&solution.problem, &solution.steps)?, &solution.targets(labels));
        }
        let loss = self.config.verifier_loss();
        let teaching = Teaching { loss, gold_share: 0.0, reading: 0.0, hints: 0.0 };
        let Self { verifier, row_scores, .. } = self;
        let statistics = study(backend, verifier, row_scores, &lesson, teaching, &mut Vec::new(), opinions)?;
        let update = verifier.learner.apply(backend, &format_args!("round {}", self.round));
        let update = update.map_err(|error| RunError::Update { player: "verifier", error })?;
        self.round += 1;
        Ok(LabelledReport { statistics, update })
    }
}
