//! The recipe: what players read, and how reward models are judged.

use aprm_models::aprm::attempts::{Attempt, Attempts};
use aprm_models::aprm::evaluation::{Evaluation, fit_threshold};
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::arithmetic::{ALPHABET, ErrorKind};
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer};

fn prompt() -> Prompt {
    let alphabet = Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
    Prompt::new(Box::new(CharacterTokenizer::new(alphabet).unwrap())).unwrap()
}

#[test]
fn players_read_the_same_text() {
    let prompt = prompt();
    let steps = ["c=1".to_owned(), "d=2".to_owned()];
    let marked = prompt.marked("a?", &steps).unwrap();
    assert_eq!(prompt.decode(&marked.ids), "a?c=1<step>d=2<step>");
    assert_eq!(marked.positions, [5, 9]);
    // What a solver is asked and what it answers are what a verifier reads.
    let mut whole = prompt.transcript("a?", &[]).unwrap();
    whole.extend(prompt.solution(&steps).unwrap());
    assert_eq!(whole[..marked.ids.len()], marked.ids);
    assert_eq!(prompt.read_solution(&whole[2..]), (steps.to_vec(), true));
    assert_eq!(prompt.decode(&prompt.to_rewrite("a?", &steps[..1]).unwrap()), "a?c=1<step><rewrite>");
    // A step that was not ended is none.
    assert_eq!(prompt.read_step(&prompt.step("c=1").unwrap()).as_deref(), Some("c=1"));
    assert_eq!(prompt.read_step(&marked.ids[..4]), None);
}

#[test]
fn an_announced_error_is_not_part_of_the_step() {
    let prompt = prompt();
    let announced = prompt.announced_step(ErrorKind::Carry, "c=1").unwrap();
    assert_eq!(prompt.decode(&announced), "<carry>c=1<step>");
    let plain = prompt.step("c=1").unwrap();
    assert_eq!(prompt.split_announcement(&announced), (Some(ErrorKind::Carry), &plain[..]));
    assert_eq!(prompt.split_announcement(&plain), (None, &plain[..]));
    // A second announcement is text that no oracle can read.
    let twice = [&announced[..1], &announced].concat();
    let (kind, rest) = prompt.split_announcement(&twice);
    assert_eq!((kind, prompt.read_step(rest).as_deref()), (Some(ErrorKind::Carry), Some("<carry>c=1")));
}

fn attempt(steps: usize, first_error: Option<usize>, answer: &str, solved: bool) -> Attempt {
    Attempt { steps: vec![String::new(); steps], first_error, answer: Some(answer.into()), solved }
}

#[test]
fn evaluation_by_hand() {
    let set = [
        Attempts {
            problem: "one".into(),
            attempts: vec![
                attempt(2, None, "5", true),
                attempt(2, Some(1), "6", false),
                attempt(2, Some(0), "6", false),
            ],
        },
        Attempts { problem: "two".into(), attempts: vec![attempt(1, Some(0), "7", false); 3] },
    ];
    let scores = vec![vec![vec![0.9, 0.8], vec![0.95, 0.3], vec![0.2, 0.99]], vec![vec![0.4], vec![0.6], vec![0.1]]];
    let found = Evaluation::new(&set, &scores, 0.5);
    assert_eq!((found.problems, found.attempts), (2, 3));
    // By the product the right attempt leads, 0.72 to 0.285 and 0.198; by the last step's the third, 0.99.
    assert_eq!((found.best_of_n, found.best_of_n_last, found.best_of_n_mean), (0.5, 0.0, 0.5));
    // Another is ahead by the product, 0.76 to 0.72, and not by the least score, 0.78 to 0.8.
    let (mut scores_of_another, attempts) = (scores[..1].to_vec(), &set[..1]);
    scores_of_another[0][1] = vec![0.975, 0.78];
    let of_another = Evaluation::new(attempts, &scores_of_another, 0.5);
    assert_eq!((of_another.best_of_n, of_another.best_of_n_min), (0.0, 1.0));
    assert_eq!((found.mean, found.majority, found.oracle), (1.0 / 6.0, 0.0, 0.5));
    // Five wrong solutions; 0.6 hides the error of one.
    assert_eq!((found.acc_error, found.acc_correct), (Some(0.8), Some(1.0)));
    // Right: .9 .8 .95; wrong: .3 .2 .4 .6 .1; what comes after a first error is not judged.
    assert_eq!(found.step_auc, Some(1.0));
    // At 0.61 all are told apart, and so they are up to 0.8.
    let threshold = fit_threshold(&set, &scores);
    assert!((0.6..=0.8).contains(&threshold), "{threshold}");
    assert_eq!(Evaluation::new(&set, &scores, threshold).first_error_f1, Some(1.0));
}
