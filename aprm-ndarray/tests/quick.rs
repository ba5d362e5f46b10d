use aprm_conformance::Naive;
use aprm_core::backend::*;
use aprm_ndarray::Cpu;
fn rnd(n: usize, mut s: u64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((s >> 33) as f64 / (1u64 << 31) as f64) * 4.0 - 2.0
        })
        .collect()
}
fn close(a: &[f64], b: &[f64], name: &str) {
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= 1e-11 * (1.0 + y.abs()) || (x.is_nan() && y.is_nan()), "{name} {i}: {x} {y}");
    }
}
fn attn<B: Backend<Scalar = f64, Buffer = Vec<f64>, Indices = Vec<u32>>>(
    b: &mut B,
    qkv: &Vec<f64>,
    go: &Vec<f64>,
    offs: &Vec<u32>,
    d: AttentionDims,
) -> [Vec<f64>; 3] {
    let rows = *offs.last().unwrap() as usize;
    let r = Ragged { offsets: offs, sequences: offs.len() - 1, rows, longest: 200 };
    let (mut o, mut l, mut g) = (vec![f64::NAN; go.len()], vec![f64::NAN; rows * d.heads], vec![f64::NAN; qkv.len()]);
    b.attention_forward(d, r, qkv, &mut o, &mut l).ok().unwrap();
    b.attention_backward(d, r, qkv, &o, &l, go, &mut g).ok().unwrap();
    [o, l, g]
}
#[test]
fn attention() {
    let d = AttentionDims { heads: 4, kv_heads: 2, head_dim: 8 };
    let offs = vec![0, 1, 1, 64, 129, 329];
    let qkv = rnd(329 * d.qkv_width(), 1);
    let go = rnd(329 * 32, 2);
    let a = attn(&mut Cpu::new(), &qkv, &go, &offs, d);
    let b = attn(&mut Naive::new(), &qkv, &go, &offs, d);
    for (n, (a, b)) in ["out", "lse", "grad"].iter().zip(a.iter().zip(&b)) {
        close(a, b, n);
    }
    // alone, and a prefix of it
    let w = d.qkv_width();
    let alone = attn(&mut Cpu::new(), &qkv[129 * w..].to_vec(), &go[129 * 32..].to_vec(), &vec![0, 200], d);
    assert_eq!(a[0][129 * 32..], alone[0][..]);
    assert_eq!(a[2][129 * w..], alone[2][..]);
    let mut poisoned = qkv[129 * w..].to_vec();
    poisoned[101 * w..].fill(f64::NAN);
    let p = attn(&mut Cpu::new(), &poisoned, &go[129 * 32..].to_vec(), &vec![0, 200], d);
    assert_eq!(p[0][..101 * 32], alone[0][..101 * 32]);
    let prefix =
        attn(&mut Cpu::new(), &qkv[129 * w..230 * w].to_vec(), &go[129 * 32..230 * 32].to_vec(), &vec![0, 101], d);
    assert_eq!(prefix[0][..], alone[0][..101 * 32]);
}
#[test]
fn linear_bits() {
    let (x, w) = (rnd(300 * 300, 3), rnd(300 * 300, 4));
    let x32: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    let w32: Vec<f32> = w.iter().map(|&x| x as f32).collect();
    let (i, o) = (300, 77);
    let mut all = vec![0f32; 299 * o];
    Cpu::new()
        .linear_forward(LinearDims { rows: 299, inputs: i, outputs: o, accumulate: false }, &x32, &w32, None, &mut all)
        .unwrap();
    for r in 0..299 {
        for n in [1, 2, 5, 8, 9] {
            if r + n <= 299 {
                let mut one = vec![0f32; n * o];
                Cpu::new()
                    .linear_forward(
                        LinearDims { rows: n, inputs: i, outputs: o, accumulate: false },
                        &x32[r * i..].to_vec(),
                        &w32,
                        None,
                        &mut one,
                    )
                    .unwrap();
                assert_eq!(one, all[r * o..(r + n) * o], "{r} {n}");
            }
        }
    }
}
#[test]
fn norm() {
    let d = NormDims { rows: 131, stride: 50, offset: 3, groups: 3, channels: 15, epsilon: 1e-6, accumulate: true };
    let (x, w, g) = (rnd(131 * 50, 5), rnd(15, 6), rnd(131 * 50, 7));
    let run =
        |b: &mut dyn Backend<Scalar = f64, Buffer = Vec<f64>, Indices = Vec<u32>, Error = std::convert::Infallible>| {
            let (mut o, mut r, mut gx, mut gw) =
                (vec![0.0; 131 * 50], vec![0.0; 131 * 3], vec![1.0; 131 * 50], vec![1.0; 15]);
            b.rms_norm_forward(d, &x, &w, &mut o, &mut r).unwrap();
            b.rms_norm_backward(d, &x, &w, &r, &g, &mut gx, &mut gw).unwrap();
            [o, r, gx, gw]
        };
    for (a, b) in run(&mut Cpu::new()).iter().zip(&run(&mut Naive::new())) {
        close(a, b, "norm");
    }
}
