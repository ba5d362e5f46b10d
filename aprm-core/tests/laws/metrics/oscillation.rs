//! Planted rotations are found, healthy runs are not accused.

use aprm_core::metrics::oscillation::oscillation_index;
use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

const WINDOW: usize = 400;

/// Simultaneous gradient descent-ascent on f(x, y) = x y, flattened.
fn gda(eta: f64) -> Vec<f64> {
    let (mut x, mut y) = (1.0, 0.0);
    (0..WINDOW)
        .flat_map(|_| {
            (x, y) = (x - eta * y, y + eta * x);
            [x, y]
        })
        .collect()
}

/// The optimistic method on the same game: z − η (2 F(z_t) − F(z_{t−1})), F = (y, −x).
fn ogda(eta: f64) -> Vec<f64> {
    let (mut z, mut previous) = ([1.0, 0.0], [1.0, 0.0]);
    (0..WINDOW)
        .flat_map(|_| {
            let field = [2.0 * z[1] - previous[1], previous[0] - 2.0 * z[0]];
            previous = z;
            z = [z[0] - eta * field[0], z[1] - eta * field[1]];
            z
        })
        .collect()
}

fn spiral(steps: usize, angle: f64, scale: f64) -> Vec<f64> {
    let point = |t: usize| {
        let (sin, cos) = (angle * t as f64).sin_cos();
        [cos, sin].map(|x| x * scale.powi(t as i32))
    };
    (0..=steps).flat_map(point).collect()
}

type Index = fn(&[f64], usize) -> Option<f64>;

fn tells_rotation_from_convergence(index: Index) -> Result<(), String> {
    let drift: Vec<_> = (0..WINDOW).flat_map(|t| [t as f64, -0.5 * t as f64]).collect();
    let decay: Vec<_> = (0..WINDOW).flat_map(|t| [0.99_f64.powi(t as i32), 0.0]).collect();
    let swap: Vec<_> = (0..WINDOW).flat_map(|t| if t % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
    let cases = [
        ("gda 0.1", gda(0.1), 0.9..=1.0),
        ("gda 0.3", gda(0.3), 0.9..=1.0),
        ("swap", swap, 1.0..=1.0),
        ("ogda 0.1", ogda(0.1), 0.0..=0.4),
        ("ogda 0.3", ogda(0.3), 0.0..=0.01),
        ("drift", drift, 0.0..=0.0),
        ("decay", decay, 0.0..=0.0),
    ];
    for (name, points, expected) in cases {
        let index = index(&points, 2).ok_or("no index")?;
        if !expected.contains(&index) {
            return Err(format!("{name}: {index} is not in {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn oscillation_index_tells_rotation_from_convergence() {
    tells_rotation_from_convergence(oscillation_index).unwrap();
}

/// Negative control: net displacement over path length accuses the optimistic method, persistence alone a drift.
#[test]
fn half_an_index_is_caught() {
    let detour: Index = |points, dimension| {
        let point = |t: usize| &points[t * dimension..][..dimension];
        let distance = |t, u| point(t).iter().zip(point(u)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let last = points.len() / dimension - 1;
        let path: f64 = (0..last).map(|t| distance(t, t + 1)).sum();
        Some(1.0 - distance(0, last) / path)
    };
    let persistence: Index = |points, dimension| {
        let early_and_late = [0, points.len() / 2].map(|start| {
            let half = &points[start..][..points.len() / 2];
            half.windows(dimension + 1).map(|pair| (pair[dimension] - pair[0]).powi(2)).sum::<f64>()
        });
        Some((early_and_late[1] / early_and_late[0]).sqrt().min(1.0))
    };
    for sabotaged in [detour, persistence] {
        tells_rotation_from_convergence(sabotaged).unwrap_err();
    }
}

#[test]
fn noise_reads_as_documented() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut walk, mut smooth) = (0.0, 0.0);
        let series: Vec<[f64; 3]> = (0..WINDOW)
            .map(|_| {
                let noise = f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5;
                (walk, smooth) = (walk + noise, 0.95 * smooth + 0.05 * noise);
                [noise, walk, smooth]
            })
            .collect();
        let index = |column: usize| oscillation_index(&series.iter().map(|row| row[column]).collect::<Vec<_>>(), 1);
        let [noise, walk, smooth] = [0, 1, 2].map(|column| index(column).unwrap());
        assert!((0.35..0.65).contains(&noise), "seed {seed}: independent noise {noise}");
        assert!(walk < 0.3 && smooth < 0.3, "seed {seed}: walk {walk}, averaged noise {smooth}");
    }
}

#[test]
fn single_precision_agrees() {
    let points = ogda(0.1);
    let rounded: Vec<f32> = points.iter().map(|&x| x as f32).collect();
    let gap = f64::from(oscillation_index(&rounded, 2).unwrap()) - oscillation_index(&points, 2).unwrap();
    assert!(gap.abs() < 1e-4, "{gap}");
}

#[test]
fn triangle_reads_one_half() {
    let corners = [[0.0, 0.0], [1.0, 0.0], [0.5, 0.75_f64.sqrt()]];
    let cycle: Vec<f64> = corners.iter().cycle().take(31).flatten().copied().collect();
    assert!((oscillation_index(&cycle, 2).unwrap() - 0.5).abs() < 1e-12);
}

#[test]
fn oscillation_is_zero_at_rest_and_not_defined_without_two_moves() {
    assert_eq!(oscillation_index(&[3.0; 10], 2), Some(0.0));
    assert_eq!(oscillation_index(&[0.0, 1.0], 1), None);
    assert_eq!(oscillation_index::<f64>(&[], 1), None);
    assert_eq!(oscillation_index(&[0.0, f64::NAN, 0.0], 1), None);
    let late_start = oscillation_index(&[0.0, 0.0, 0.0, 1.0, 0.0], 1).unwrap();
    assert!((late_start - 0.5_f64.sqrt()).abs() < 1e-15, "persistence is 1 where there was nothing to persist");
}

#[test]
#[should_panic(expected = "3 numbers in points of dimension 2")]
fn half_a_point_panics() {
    oscillation_index(&[0.0, 1.0, 2.0], 2);
}

proptest! {
    /// cos_l = cos(l ω) whatever the scale, persistence = min(1, k^{n−h}) whatever the angle.
    #[test]
    fn spirals_part_into_angle_and_scale(steps in 2..60_usize, angle in 0.01..3.1_f64, scale in 0.9..1.1_f64) {
        let half = steps / 2;
        let reversal = (1..=half).map(|lag| -(angle * lag as f64).cos()).fold(0.0, f64::max);
        let persistence = scale.powi((steps - half) as i32).min(1.0);
        let index = oscillation_index(&spiral(steps, angle, scale), 2).unwrap();
        prop_assert!((index - persistence * reversal).abs() < 1e-9, "{} is not {}", index, persistence * reversal);
    }

    #[test]
    fn the_index_ignores_units_place_and_padding(
        points in prop::collection::vec(-1.0..1.0_f64, 3..40), unit in 0.1..10.0_f64, place in -9.0..9.0_f64,
    ) {
        let index = oscillation_index(&points, 1).unwrap();
        prop_assert!((0.0..=1.0).contains(&index));
        let moved: Vec<_> = points.iter().flat_map(|x| [unit * x + place, 7.0]).collect();
        prop_assert!((oscillation_index(&moved, 2).unwrap() - index).abs() < 1e-9);
    }
}
