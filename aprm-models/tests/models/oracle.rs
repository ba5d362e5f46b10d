//! Oracles: what they find right, wrong and undecidable.

use aprm_core::oracle::{Oracle, Verdict};
use aprm_models::arithmetic::{ErrorKind, Finding, Form, Preset, Problem, corrupt_any};
use aprm_models::oracle::{
    Agreement, ArithmeticOracle, ChainVerdict, CompositeError, Context, Equation, Expression, ExpressionError,
    FirstDecisive, GoldStepOracle, Leniency, Rational, Truth, UnfitContext, equations,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use Verdict::{Correct, Incorrect, Undecidable};

fn problem(text: &str) -> Problem {
    text.parse().unwrap()
}

#[test]
fn verdicts_on_built_in_steps() {
    let context = Context { problem: problem("a=16;b=2;c=a*b;d=c-a;e=d+b?"), steps: vec!["c=16*2=32".to_owned()] };
    let leniencies = [Leniency::default(), Leniency::STRICT, Leniency::LENIENT];
    for (step, expected) in [
        ("d=32-16=16", [Correct; 3]),
        ("d=8+8=16", [Correct, Incorrect, Correct]),
        ("c=16*2=32", [Incorrect, Incorrect, Correct]),
        ("f=16+2=18", [Incorrect, Incorrect, Correct]),
        ("e=16+2=18", [Incorrect; 3]),
        ("d=32-2=30", [Incorrect; 3]),
        ("d=32-16=14", [Incorrect; 3]),
        ("d=32-16", [Undecidable; 3]),
        ("d=32-16=1e39", [Undecidable; 3]),
    ] {
        for (leniency, expected) in leniencies.into_iter().zip(expected) {
            let verdict = ArithmeticOracle { leniency }.judge(&context, "d=32-16=16", step);
            assert_eq!(verdict, Ok(expected), "{step} {leniency:?}");
        }
    }
    let mut oracle = ArithmeticOracle::default();
    assert_eq!(oracle.judge(&context, "e=16+2=18", ""), Err(UnfitContext::GoldStep("e=16+2=18".to_owned())));
    let wrong = Context { steps: vec!["c=16*2=30".to_owned()], ..context };
    assert!(matches!(oracle.judge(&wrong, "d=32-16=16", ""), Err(UnfitContext::Prefix { index: 0, .. })));
}

#[test]
fn chains_are_judged_line_by_line() {
    let oracle = ArithmeticOracle::default();
    let problem = problem("a=16;b=2;c=a*b;d=a-b;e=c+d?");
    let judge = |chain: &str| oracle.judge_chain(&problem, chain.lines());
    let right = ChainVerdict { first_error: None, finding: None, right_answer: true };
    assert_eq!(judge("c=16*2=32\nd=16-2=14\ne=32+14=46"), right);
    assert_eq!(judge("d=16-2=14\nc=2*16=32\ne=14+32=46"), right);
    let error = |first_error, kind, right_answer| ChainVerdict {
        first_error: Some(first_error),
        finding: Some(Finding::Error(kind)),
        right_answer,
    };
    assert_eq!(judge("c=16*2=32\ne=32+14=46"), error(1, ErrorKind::SkippedStep, true));
    assert_eq!(judge("c=16*2=32\nc=16*2=32\nd=16-2=14\ne=32+14=46"), error(1, ErrorKind::DoubledStep, true));
    assert_eq!(judge("c=16*2=32\nd=16-2=14\ne=32+14=46\ne=32+14=46"), error(3, ErrorKind::DoubledStep, true));
    assert_eq!(judge("c=16*2=34\nd=16-2=14\ne=34+14=48"), error(0, ErrorKind::OffByALittle, false));
    assert_eq!(judge("c=16*2=32"), ChainVerdict { right_answer: false, ..right });
    assert_eq!(judge(""), ChainVerdict { right_answer: false, ..right });
    let malformed = ChainVerdict { first_error: Some(1), finding: Some(Finding::Malformed), right_answer: false };
    assert_eq!(judge("c=16*2=32\nhm"), malformed);
    let lenient = ArithmeticOracle { leniency: Leniency::LENIENT };
    let padded = "c=16*2=32\nc=16*2=32\nf=16+2=18\nd=16-2=14\ne=32+14=46\ne=32+14=46";
    assert_eq!(lenient.judge_chain(&problem, padded.lines()), right);
}

#[test]
fn errors_are_wrong_in_chains_where_they_stand() {
    let (oracle, mut rng) = (ArithmeticOracle::default(), ChaCha8Rng::seed_from_u64(2));
    for preset in Preset::ALL {
        for form in [Form::WordFree, Form::Worded] {
            for _ in 0..50 {
                let problem = preset.distribution(form).draw(&mut rng).unwrap();
                let mut chain = problem.solution();
                let verdict = oracle.judge_chain(&problem, &chain);
                assert_eq!(verdict, ChainVerdict { first_error: None, finding: None, right_answer: true });
                for k in 0..chain.len() {
                    let (kind, error) = corrupt_any(&problem, k, &mut rng).unwrap();
                    let gold = std::mem::replace(&mut chain[k], error);
                    let verdict = oracle.judge_chain(&problem, &chain);
                    assert_eq!(verdict.first_error, Some(k), "{kind}: {problem}\n{chain:?}");
                    chain[k] = gold;
                }
            }
        }
    }
}

#[test]
fn rationals_are_pythons_fractions() {
    let golden = include_str!("../golden/fractions.txt");
    assert!(golden.lines().count() > 300);
    for line in golden.lines() {
        let (text, expected) = line.split_once(" = ").unwrap();
        let value = Expression::parse(text).unwrap().value();
        let found = value.map(|value| format!("{}/{}", value.numerator(), value.denominator()));
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{text}");
    }
}

#[test]
fn arithmetic_is_read_as_it_is_written() {
    for (text, expected) in [
        ("1,200", "1200"),
        ("$1,234,567.50", "1234567.5"),
        ("20%", "0.2"),
        (".5", "0.5"),
        ("0.2 x 50", "10"),
        ("3×4÷6", "2"),
        ("-(2+3)*--2", "-10"),
        ("2-3-4", "-5"),
        ("12/3/2", "2"),
        ("1/3", "1/3"),
        ("-1/4", "-0.25"),
        ("50% * $80", "40"),
        ("+30+46", "76"),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
    ] {
        assert_eq!(Expression::parse(text).unwrap().value().unwrap().to_string(), expected, "{text}");
    }
    for text in ["", "1e39", "1,20", "1,2000", "2x", "2(3)", "1.", "1..2", "2**3", "2^3", "(1", "1)", "five", "%", "$"]
    {
        assert!(matches!(Expression::parse(text), Err(ExpressionError::Expected { .. })), "{text}");
    }
    let long = "9".repeat(10_000);
    assert_eq!(Expression::parse(&long), Err(ExpressionError::TooLarge { at: 0 }));
    assert!(matches!(Expression::parse(&"(".repeat(100_000)), Err(ExpressionError::TooDeep { .. })));
    assert!(matches!(Expression::parse(&"-".repeat(100_000)), Err(ExpressionError::TooDeep { .. })));
    for text in ["1/0", "1/(2-2)", "170141183460469231731687303715884105727+1", "1/(1/0)"] {
        assert_eq!(Expression::parse(text).unwrap().value(), None, "{text}");
    }
    assert_eq!(Expression::parse(&vec!["1"; 10_000].join("+")).unwrap().value(), Some(Rational::integer(10_000)));
}

/// A random expression, of the kind that reading gives.
fn expression(depth: usize, rng: &mut ChaCha8Rng) -> Expression {
    let operands = |rng: &mut ChaCha8Rng| {
        let count = rng.random_range(2..5);
        (0..count).map(|at| (at > 0 && rng.random(), expression(depth - 1, rng))).collect()
    };
    match if depth == 0 { 0 } else { rng.random_range(0..4) } {
        0 => {
            let scale = 10_i128.pow(rng.random_range(0..4));
            Expression::Number(Rational::new(rng.random_range(0..100_000), scale).unwrap())
        }
        1 => Expression::Negative(Box::new(expression(depth - 1, rng))),
        2 => Expression::Sum(operands(rng)),
        _ => Expression::Product(operands(rng)),
    }
}

#[test]
fn expressions_can_be_read_back() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..5_000 {
        let expression = expression(4, &mut rng);
        assert_eq!(Expression::parse(&expression.to_string()), Ok(expression.clone()), "{expression}");
    }
}

#[test]
fn equations_of_sentences() {
    for (text, expected) in [
        ("Natalia sold 48/2 = 24 clips in May.", vec![Some("48/2=24")]),
        ("So the fabric is 2+1=3 bolts, and 3*2=6.", vec![Some("2+1=3"), Some("3*2=6")]),
        ("That is $1,200 x 50% = $600.", vec![Some("1200*0.5=600")]),
        ("3*4+1 = 12+1 = 13", vec![Some("3*4+1=12+1=13")]),
        ("3 pens * 2 = 6 pens", vec![None]),
        ("y-5=10", vec![None]),
        ("y - 5 = 10", vec![None]),
        ("2*x = 10", vec![None]),
        ("5 = 2y", vec![None]),
        ("= 5", vec![None]),
        ("5 =", vec![None]),
        ("a == b", vec![None, None]),
        ("There will be 100 - 50 = 50% left.", vec![Some("100-50=50")]),
        ("600 – 100 = 500", vec![Some("600-100=500")]),
        ("because .25 / .05 = 5", vec![Some("0.25/0.05=5")]),
        ("That makes 3. 4+5 = 9", vec![Some("4+5=9")]),
        ("11x+15=301", vec![None]),
        ("$450=15*x", vec![None]),
        ("Ann's 8 + Bob's 5 = 13", vec![None]),
        ("25 blocks - 5 = 20", vec![None]),
        ("11:00-8:00 = 3", vec![None]),
        ("2 - 1/2 = 1 1/2 cups", vec![None]),
        ("66(2) = 132", vec![None]),
        ("W^2 = 25", vec![None]),
        ("She earns 5*3 = $15/hour.", vec![Some("5*3=15")]),
        ("no arithmetic", vec![]),
    ] {
        let found = equations(text);
        let found: Vec<_> = found.iter().map(|it| it.as_ref().map(ToString::to_string)).collect();
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn truths_of_equations() {
    for (text, expected) in [
        ("16*2=32", Truth::Exact),
        ("16*2=32=64/2", Truth::Exact),
        ("16*2=32=33", Truth::False),
        ("1/3=0.33", Truth::Rounded),
        ("2/3=0.66", Truth::False),
        ("1/3=0", Truth::False),
        ("1/0=0", Truth::Unknown),
        ("1/0=0=1", Truth::False),
        ("1=170141183460469231731687303715884105727*2", Truth::Unknown),
    ] {
        assert_eq!(Equation::parse(text).unwrap().truth(), expected, "{text}");
    }
    assert!(Equation::parse("1+1").is_err() && Equation::parse("1=").is_err());
}

#[test]
fn verdicts_beside_a_gold_step() {
    let (context, gold) = (Context::<String>::default(), "Natalia sold 48/2 = <<48/2=24>>24 clips in May.");
    for (step, expected) in [
        (gold, Correct),
        ("Natalia sold 48/2 = 24 clips in May.", Correct),
        ("Natalia sold 48/2  =  24 clips in May.", Correct),
        ("She sold 2*12 = <<2*12=24>>24 clips.", Correct),
        ("She sold 0.5*48 = 24 clips.", Correct),
        ("She sold 48-24 = 24 pens.", Correct),
        ("She sold 48/2 = <<48/2=25>>25 clips.", Incorrect),
        ("She sold 48/2 = <<48/2=24>>24 = 25 clips.", Incorrect),
        ("She sold 48/2 = 25 clips.", Incorrect),
        ("She sold 48*2 = 96 clips.", Incorrect),
        ("She sold 48-2 = <<48-2=46>>46 clips.", Incorrect),
        ("She sold 24 clips.", Undecidable),
        ("She sold 48/0 = 24 clips.", Undecidable),
        ("She sold 48 pens / 2 = 24 clips.", Undecidable),
        ("She sold <<half>>24 clips.", Undecidable),
        ("She sold 72/3 = 24 clips, which is 24/7 = 3.43 a day.", Undecidable),
        ("", Undecidable),
    ] {
        assert_eq!(GoldStepOracle.judge(&context, gold, step), Ok(expected), "{step}");
    }
    assert_eq!(GoldStepOracle.judge(&context, "No arithmetic.", "1+1=2"), Ok(Undecidable));
    assert_eq!(GoldStepOracle.judge(&context, "No arithmetic.", "1+1=3"), Ok(Incorrect));
}

#[test]
fn two_oracles_make_one() {
    let say = |verdict: Verdict| move |_: &(), _: &str, _: &str| Ok::<_, &str>(verdict);
    for (a, b, first, agreed) in [
        (Correct, Incorrect, Correct, Undecidable),
        (Incorrect, Incorrect, Incorrect, Incorrect),
        (Undecidable, Correct, Correct, Undecidable),
        (Correct, Undecidable, Correct, Undecidable),
        (Undecidable, Undecidable, Undecidable, Undecidable),
    ] {
        assert_eq!(FirstDecisive(say(a), say(b)).judge(&(), "", ""), Ok(first));
        assert_eq!(Agreement(say(a), say(b)).judge(&(), "", ""), Ok(agreed));
    }
    let fail = |_: &(), _: &str, _: &str| Err("broken");
    assert_eq!(FirstDecisive(say(Correct), fail).judge(&(), "", ""), Ok(Correct));
    assert_eq!(FirstDecisive(say(Undecidable), fail).judge(&(), "", ""), Err(CompositeError::Second("broken")));
    assert_eq!(Agreement(fail, say(Correct)).judge(&(), "", ""), Err(CompositeError::First("broken")));
}

#[test]
fn any_text_is_judged() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let pieces = [
        "1", "23", "0.5", "1,200", "+", "-", "*", "/", "x", "(", ")", "=", "<<", ">>", " ", "%", "$", "é", "a", "−",
        "=", "\n", ".",
    ];
    let context = Context::<String>::default();
    for _ in 0..50_000 {
        let step: String = (0..rng.random_range(0..16)).map(|_| pieces[rng.random_range(0..pieces.len())]).collect();
        let Ok(_) = GoldStepOracle.judge(&context, "48/2 = <<48/2=24>>24", &step);
        if let Ok(expression) = Expression::parse(&step) {
            assert_eq!(Expression::parse(&expression.to_string()), Ok(expression), "{step}");
        }
    }
}
