//! Any bytes as rows of data: refused at a line, or rows that hold what their format promises.
#![no_main]

use aprm_models::data::{JsonLines, Row, Solution, Stepwise, TokenIds};
use libfuzzer_sys::fuzz_target;

fn rows<T: Row>(data: &[u8]) -> Vec<T> {
    let lines = data.split(|&byte| byte == b'\n').count() as u64;
    let mut reader = JsonLines::<_, T>::new(data, "file");
    let mut rows = Vec::new();
    while let Some(row) = reader.next() {
        assert!((1..=lines).contains(&reader.line()));
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                assert!(error.to_string().starts_with(&format!("file:{}: ", error.line)));
                assert!(reader.next().is_none(), "the first wrong row is the last");
            }
        }
    }
    rows
}

fuzz_target!(|data: &[u8]| {
    let solutions: Vec<Solution> = rows(data);
    assert!(solutions.iter().all(|solution| !solution.steps.is_empty()));
    let labelled: Vec<Stepwise> = rows(data);
    for (row, solution) in labelled.iter().zip(&solutions) {
        assert_eq!(&row.solution, solution);
        assert_eq!(row.labels.len(), solution.steps.len());
        assert!(row.labels.iter().all(|label| (0.0..=1.0).contains(label)));
    }
    assert!(rows::<TokenIds>(data).iter().all(|row| !row.ids.is_empty()));
});
