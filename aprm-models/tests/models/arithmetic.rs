//! Built-in problems: what is drawn, which errors are made, and that each is told for what it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aprm_models::arithmetic::{
    ALPHABET, Distribution, DistributionError, ErrorKind, Finding, Form, Naming, Operation, Operator, Part, Preset,
    Problem, ProblemError, Step, classify, corrupt, corrupt_any,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const FORMS: [Form; 2] = [Form::WordFree, Form::Worded];

fn draw(preset: Preset, form: Form, count: usize) -> Vec<Problem> {
    let (distribution, mut rng) = (preset.distribution(form), ChaCha8Rng::seed_from_u64(7));
    (0..count).map(|_| distribution.draw(&mut rng).unwrap()).collect()
}

fn every_preset() -> impl Iterator<Item = (Preset, Form)> {
    Preset::ALL.into_iter().flat_map(|preset| FORMS.map(|form| (preset, form)))
}

#[test]
fn a_seed_gives_the_same_problems() {
    let first = |form| draw(Preset::InDistribution, form, 2).iter().map(Problem::to_string).collect::<Vec<_>>();
    let expected = ["a=13;b=8;c=20;d=a+b;e=c+d?", "a=7;b=3;c=11;d=10;e=a-b;f=c-e;g=d+f?"];
    assert_eq!(first(Form::WordFree), expected);
    let expected = [
        "Ann got 8 rings. Eve got as many as Ann, then 3 more. Joe got as many as Eve, then lost as many as Ann's. \
         How many rings did Joe get?",
        "Bea got 9 eggs. Eli got one for every 9 of Bea's. Ida got as many as Bea, then lost as many as Eli's. \
         Sue got as many as both Ida and Eli. Max got as many as Sue, then lost as many as Eli's. \
         How many eggs did Max get?",
    ];
    assert_eq!(first(Form::Worded), expected);
}

#[test]
fn problems_are_as_their_distribution_says() {
    for (preset, form) in every_preset() {
        let distribution = preset.distribution(form);
        for problem in draw(preset, form, 300) {
            let within = |[least, most]: [i64; 2], number: i64| (least..=most).contains(&number);
            assert!(within(distribution.steps, problem.steps() as i64), "{preset}: {problem}");
            assert!(problem.givens().iter().all(|given| within(distribution.givens, *given)), "{preset}: {problem}");
            assert!((0..problem.steps()).all(|k| within(distribution.results, problem.step(k).result)), "{problem}");
            let operators: Vec<Operator> = problem.operations().iter().map(|operation| operation.operator).collect();
            assert!(operators.iter().all(|operator| distribution.operators.contains(operator)));
            assert!(
                distribution.required_operators.is_empty()
                    || operators.iter().any(|operator| distribution.required_operators.contains(operator))
            );
            let used: BTreeSet<usize> = problem.operations().iter().flat_map(|operation| operation.operands).collect();
            let unused_givens = (0..problem.givens().len()).filter(|given| !used.contains(given)).count();
            assert!(within(distribution.distractors, unused_givens as i64), "{preset}: {problem}");
            let unused_steps = (0..problem.steps()).filter(|k| !used.contains(&problem.quantity(*k))).count();
            assert_eq!(unused_steps, 1, "only the answer is used by no step: {problem}");
            assert!((0..problem.steps()).all(|k| problem.name(problem.quantity(k)).is_some()));
        }
    }
}

#[test]
fn the_alphabet_is_what_is_written() {
    let mut written = BTreeSet::from(['\n']);
    for (preset, form) in every_preset() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for problem in draw(preset, form, 1000) {
            written.extend(problem.to_string().chars());
            for k in 0..problem.steps() {
                written.extend(problem.step(k).to_string().chars());
                written.extend(corrupt_any(&problem, k, &mut rng).unwrap().1.chars());
            }
        }
    }
    let written: String = written.into_iter().collect();
    assert!(written.chars().all(|character| ALPHABET.contains(character)), "{written:?}");
    // Long problems have quantities of all letters.
    let never = |character: &char| !character.is_ascii_lowercase() && !written.contains(*character);
    assert_eq!(ALPHABET.chars().filter(never).collect::<String>(), "", "characters that are never written");
}

#[test]
fn problems_and_steps_can_be_read_back() {
    for problem in draw(Preset::UnseenOperators, Form::WordFree, 500) {
        assert_eq!(problem.to_string().parse(), Ok(problem));
    }
    for (preset, form) in every_preset() {
        for problem in draw(preset, form, 100) {
            for line in problem.solution() {
                assert_eq!(Step::parse(&line).map(|step| step.to_string()), Some(line));
            }
        }
    }
}

#[test]
fn numbers_may_stand_in_the_operations() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for preset in [Preset::InDistribution, Preset::Longer, Preset::UnseenOperators, Preset::Distractors] {
        let distribution = Distribution { inline: true, ..preset.distribution(Form::WordFree) };
        for _ in 0..200 {
            let problem = distribution.draw(&mut rng).unwrap();
            let used = |given: usize| problem.operations().iter().any(|operation| operation.operands.contains(&given));
            assert!((0..problem.givens().len()).all(|given| problem.name(given).is_none() == used(given)), "{problem}");
            let read: Problem = problem.to_string().parse().unwrap();
            assert_eq!(read.to_string(), problem.to_string());
            assert_eq!(read.solution(), problem.solution());
            assert_eq!(read.fingerprint(), problem.fingerprint());
            for (k, kind) in (0..problem.steps()).flat_map(|k| ErrorKind::ALL.map(|kind| (k, kind))) {
                if let Some(step) = corrupt(&problem, k, kind, &mut rng) {
                    assert_eq!(classify(&problem, k, &step), Finding::Error(kind), "{problem} {step}");
                }
            }
        }
    }
    let problem: Problem = "z=5;a=-3*4;b=a--3?".parse().unwrap();
    assert_eq!(
        (problem.givens(), problem.solution()),
        (&[5, -3, 4, -3][..], vec!["a=-3*4=-12".into(), "b=-12--3=-9".into()])
    );
    // Five steps have five names, and with the givens eleven.
    let few = Distribution { letters: 5, ..Preset::Longer.distribution(Form::WordFree) };
    assert_eq!(few.validate(), Err(DistributionError::TooManyQuantities { quantities: 11, letters: 5 }));
    assert_eq!(Distribution { inline: true, ..few }.validate(), Ok(()));
    let long = Distribution { inline: true, steps: [25, 25], ..Preset::Longer.distribution(Form::WordFree) };
    let problem = long.draw(&mut rng).unwrap();
    assert!(problem.values().len() > 26, "{problem}");
    assert_eq!(problem.to_string().parse::<Problem>().unwrap().solution(), problem.solution());
}

#[test]
fn steps_have_one_spelling() {
    for text in ["c=-3--4=1", "z=0*0=0", "Ann: 16*2=32 pens", "c=999999999999999999+1=0"] {
        assert_eq!(Step::parse(text).map(|step| step.to_string()).as_deref(), Some(text));
    }
    for text in [
        "",
        "c",
        "c=",
        "c=1",
        "c=1+",
        "c=1+2",
        "c=1+2=",
        "c=1+2=3 ",
        "c= 1+2=3",
        "c=01+2=3",
        "c=-0+2=2",
        "cc=1+2=3",
        "C=1+2=3",
        "c=1+2=3=3",
        "c=1+2+3=6",
        "c=1.5+2=3",
        "c=1^2=3",
        "c=1000000000000000000+1=0",
        "Ann: 1+2=3",
        "Ann: 1+2=3 ",
        "ann: 1+2=3 pens",
        "Ann:1+2=3 pens",
        "Ann: 1+2=3 pens pens",
        "c=1+2=3 pens",
        "é: 1+2=3 é",
        ": 1+2=3 pens",
        "c=1é2=3",
    ] {
        assert_eq!(Step::parse(text), None, "{text:?}");
    }
}

#[test]
fn names_are_any_letters_or_the_first_in_order() {
    let mut distribution = Preset::InDistribution.distribution(Form::WordFree);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut first_names = |distribution: &Distribution| -> BTreeSet<_> {
        (0..400).map(|_| distribution.draw(&mut rng).unwrap().name(0).unwrap()).collect()
    };
    for (naming, expected) in [(Naming::FromA, 1), (Naming::FromAny, 26), (Naming::Shuffled, 26)] {
        distribution.naming = naming;
        assert_eq!(first_names(&distribution).len(), expected, "{naming:?}");
    }
}

#[test]
fn texts_that_are_no_problem_are_refused() {
    let parse = |text: &str| text.parse::<Problem>().unwrap_err();
    assert_eq!(parse("a=1;b=2?"), ProblemError::NoOperation);
    let undefined = Problem::new(&[1], vec![Operation { operator: Operator::Add, operands: [0, 1] }]).unwrap_err();
    assert_eq!(undefined, ProblemError::Undefined { operation: 0, operand: 1 });
    let value = ProblemError::Value { operation: 0, left: 7, operator: Operator::Divide, right: 2 };
    assert_eq!(parse("a=7;b=2;c=a/b?"), value);
    let many = (0..40).map(|k| format!("{}=1;", char::from(b'a' + k % 26))).collect::<String>() + "?";
    for text in [
        &many,
        "",
        "?",
        "a=1",
        "a=1;b=a+b?",
        "a=1;c=2;c=a+c?",
        "a=1;b=a+a;c=3?",
        "a=1;b=a^a?",
        "a=01;b=a+a?",
        "a=1+?",
        "a=1+2+3?",
        "a=1+b?",
        "a=1+2;b=3?",
    ] {
        assert!(matches!(parse(text), ProblemError::Syntax { .. }), "{text:?}");
    }
    let many = Problem::new(&[1; 27], vec![Operation { operator: Operator::Add, operands: [0, 1] }]).unwrap_err();
    assert_eq!(many, ProblemError::TooManyQuantities(28));
    let doubling: String =
        (b'b'..=b'z').map(|name| format!(";{0}={1}+{1}", char::from(name), char::from(name - 1))).collect();
    assert_eq!(format!("a=1{doubling}?").parse::<Problem>().unwrap().answer(), 1 << 25);
}

#[test]
fn parts_are_disjoint() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut fingerprints = BTreeMap::new();
    for part in [Part::Training, Part::Evaluation] {
        for form in FORMS {
            let problems = Preset::InDistribution.distribution(form).draw_distinct(part, 400, &mut rng).unwrap();
            assert_eq!(problems.iter().map(Problem::fingerprint).collect::<HashSet<_>>().len(), 400);
            for problem in problems {
                assert_eq!(Part::of(&problem), part);
                assert_eq!(*fingerprints.entry(problem.fingerprint()).or_insert(part), part);
            }
        }
    }
}

#[test]
fn a_tenth_is_for_evaluation() {
    let problems = draw(Preset::InDistribution, Form::WordFree, 10_000);
    let held_out = problems.iter().filter(|problem| Part::of(problem) == Part::Evaluation).count();
    // Six standard deviations of a fair tenth, doubled since problems repeat.
    assert!(held_out.abs_diff(1000) < 360, "{held_out} of 10000");
}

#[test]
fn distributions_without_problems_are_refused() {
    let trained = || Preset::InDistribution.distribution(Form::WordFree);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut refusal = |distribution: Distribution| distribution.draw(&mut rng).unwrap_err().to_string();
    for (distribution, expected) in [
        (Distribution { steps: [3, 2], ..trained() }, "steps = [3, 2] is empty"),
        (Distribution { steps: [0, 2], ..trained() }, "steps has 0, where 1 to 25 is expected"),
        (Distribution { givens: [0, 2_000_000], ..trained() }, "givens has 2000000"),
        (Distribution { reuse: f64::NAN, ..trained() }, "reuse has NaN, where a probability is expected"),
        (Distribution { operators: vec![], ..trained() }, "operators is empty"),
        (Distribution { required_operators: vec![Operator::Remainder], ..trained() }, "Remainder"),
        (Distribution { steps: [1, 13], ..trained() }, "allow 27 named quantities"),
        (
            Distribution { results: [1, 1], givens: [9, 9], operators: vec![Operator::Add], ..trained() },
            "no problem in",
        ),
    ] {
        let refusal = refusal(distribution);
        assert!(refusal.contains(expected), "{refusal:?} does not say {expected:?}");
    }
    let narrow = Distribution { steps: [1, 1], givens: [2, 3], operators: vec![Operator::Add], ..trained() };
    assert_eq!(
        narrow.draw_distinct(Part::Training, 9, &mut rng),
        Err(DistributionError::TooFew { found: 3, asked: 9 })
    );
    assert!(serde_json::from_str::<Distribution>(r#"{"step": [1, 2]}"#).unwrap_err().to_string().contains("`step`"));
    let json = serde_json::to_string(&trained()).unwrap();
    assert_eq!(serde_json::from_str::<Distribution>(&json).unwrap(), trained());
}

#[test]
fn independent_steps_are_drawn() {
    let distribution =
        Distribution { independent_steps: true, steps: [3, 5], ..Preset::InDistribution.distribution(Form::Worded) };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let early = (0..300).filter(|_| {
        let problem = distribution.draw(&mut rng).unwrap();
        matches!(classify(&problem, 0, &problem.step(1).to_string()), Finding::Early { step: 1 })
    });
    assert!(early.count() > 50);
}

/// classify(corrupt(kind)) = kind, and every kind can be made often.
#[test]
fn what_is_corrupted_is_told_for_what_it_is() {
    for form in FORMS {
        let (mut made, mut steps) = (BTreeMap::<ErrorKind, usize>::new(), 0);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for problem in draw(Preset::InDistribution, form, 300) {
            for k in 0..problem.steps() {
                steps += 1;
                assert_eq!(classify(&problem, k, &problem.step(k).to_string()), Finding::Unchanged);
                for kind in ErrorKind::ALL {
                    let Some(step) = corrupt(&problem, k, kind, &mut rng) else { continue };
                    *made.entry(kind).or_default() += 1;
                    assert_eq!(classify(&problem, k, &step), Finding::Error(kind), "{problem} {step}");
                }
            }
        }
        for kind in ErrorKind::ALL {
            let made = made.get(&kind).copied().unwrap_or(0);
            let expected = match kind {
                ErrorKind::Other => 0..=0,
                ErrorKind::UnitSlip if form == Form::WordFree => 0..=0,
                ErrorKind::SwappedOperands => steps / 5..=steps,
                ErrorKind::SkippedStep | ErrorKind::DoubledStep => steps / 2..=steps,
                _ => steps * 9 / 10..=steps,
            };
            assert!(expected.contains(&made), "{kind}: {made} of {steps} steps, expected {expected:?}");
        }
    }
}

#[test]
fn findings_of_one_step() {
    let problem: Problem = "a=16;b=2;c=a*b;d=c-a;e=d+b?".parse().unwrap();
    use ErrorKind::*;
    for (text, expected) in [
        ("d=32-16=16", Finding::Unchanged),
        ("d=8+8=16", Finding::EqualValue),
        ("d=32-16=-16", Finding::Error(Sign)),
        ("d=32-16=17", Finding::Error(OffByALittle)),
        ("d=32-16=26", Finding::Error(Carry)),
        ("d=32-16=19", Finding::Error(Digit)),
        ("d=32-16=41", Finding::Error(WrongResult)),
        ("d=16-32=-16", Finding::Error(SwappedOperands)),
        ("d=16-32=16", Finding::Error(SwappedOperands)),
        ("d=16-32=15", Finding::Error(Other)),
        ("d=32+16=48", Finding::Error(WrongOperation)),
        ("d=32+16=16", Finding::Error(WrongOperator)),
        ("d=32-2=30", Finding::Error(WrongOperand)),
        ("d=32-13=19", Finding::Error(ForeignOperand)),
        ("e=16+2=18", Finding::Error(SkippedStep)),
        ("c=16*2=32", Finding::Error(DoubledStep)),
        ("e=32-16=16", Finding::Error(WrongName)),
        ("f=32-16=16", Finding::Error(WrongName)),
        ("f=16+2=18", Finding::Error(Irrelevant)),
        ("f=16+2=19", Finding::Error(Other)),
        ("f=16+7=23", Finding::Error(Other)),
        ("d=99-99=5", Finding::Error(Other)),
        ("Ann: 32-16=16 pens", Finding::Malformed),
        ("", Finding::Malformed),
    ] {
        assert_eq!(classify(&problem, 1, text), expected, "{text}");
    }
}

#[test]
fn any_text_is_classified() {
    let problems: Vec<Problem> = FORMS.map(|form| draw(Preset::Distractors, form, 1).remove(0)).into();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let characters: Vec<char> = ALPHABET.chars().chain(['é', '\u{0}', '９']).collect();
    for _ in 0..20_000 {
        let length = rng.random_range(0..24);
        let text: String = (0..length).map(|_| characters[rng.random_range(0..characters.len())]).collect();
        for problem in &problems {
            classify(problem, 0, &text);
        }
        let _ = text.parse::<Problem>();
    }
}

#[test]
fn numbers_at_the_limits_are_corrupted() {
    let problem: Problem = "a=999999999999999999;b=-1;c=a*b;d=a+c?".parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for kind in ErrorKind::ALL {
        for k in 0..2 {
            if let Some(step) = corrupt(&problem, k, kind, &mut rng) {
                assert_eq!(classify(&problem, k, &step), Finding::Error(kind), "{step}");
            }
        }
    }
}
