//! Criterion, and a table of rates at the end.

use core::fmt::Display;
use core::time::Duration;
use std::time::Instant;

use criterion::{Criterion, Throughput};

const SAMPLES: usize = 30;

/// What was measured: name, median seconds, bytes.
type Row = (String, f64, usize);

pub(crate) struct Suite {
    criterion: Criterion,
    rows: Vec<Row>,
}

impl Suite {
    pub(crate) fn new() -> Self {
        let criterion = Criterion::default()
            .sample_size(SAMPLES)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .without_plots()
            .configure_from_args();
        Self { criterion, rows: Vec::new() }
    }

    /// Measures one routine that must move this many bytes, unless the command line filters it out.
    pub(crate) fn bench(&mut self, name: &str, size: impl Display, bytes: usize, mut routine: impl FnMut()) {
        let id = format!("{name}/{size}");
        let mut seconds = Vec::new();
        let mut group = self.criterion.benchmark_group("core");
        group.throughput(Throughput::Bytes(bytes as u64)).bench_function(&id, |bencher| {
            bencher.iter_custom(|iterations| {
                let start = Instant::now();
                (0..iterations).for_each(|_| routine());
                let elapsed = start.elapsed();
                seconds.push(elapsed.as_secs_f64() / iterations as f64);
                elapsed
            });
        });
        group.finish();
        // The warm-up comes first.
        let samples = seconds.len().saturating_sub(SAMPLES);
        let measured = &mut seconds[samples..];
        measured.sort_by(f64::total_cmp);
        if let Some(&median) = measured.get(measured.len() / 2) {
            self.rows.push((id, median, bytes));
        }
    }

    /// Prints the rates, relative to the lowest that the triad reached: that over its longest arrays.
    pub(crate) fn finish(self) {
        let rate = |&(_, seconds, bytes): &Row| bytes as f64 / seconds / 1e9;
        let triads = self.rows.iter().filter(|row| row.0.starts_with("triad"));
        let triad = triads.map(rate).min_by(f64::total_cmp);
        println!("| | median | bytes | GB/s | of triad |\n|---|---:|---:|---:|---:|");
        for row in &self.rows {
            let share = triad.map_or("unknown".into(), |triad| format!("{:.0} %", 100.0 * rate(row) / triad));
            println!("| {} | {:.3} ms | {} | {:.1} | {share} |", row.0, row.1 * 1e3, row.2, rate(row));
        }
    }
}

/// Numbers in [−1, 1) without a pattern that a branch predictor could learn.
pub(crate) fn numbers(n: usize) -> Vec<f32> {
    let mut state = n as u32 | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as i32 as f32 / 2.0_f32.powi(31)
    };
    (0..n).map(|_| next()).collect()
}
