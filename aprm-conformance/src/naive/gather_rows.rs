//! Rows of a table by index.

use aprm_core::backend::RowDims;

use crate::Number;

/// `out[r] ← table[indices[r]]`.
pub fn forward<N: Number>(dims: RowDims, table: &[N], indices: &[u32], out: &mut [N]) {
    for r in 0..dims.rows {
        for c in 0..dims.channels {
            out[r * dims.channels + c] = table[indices[r] as usize * dims.channels + c];
        }
    }
}

/// `grad_table[t] ← grad_table[t] + Σ_{r: indices[r] = t} grad_out[r]`.
pub fn backward<N: Number>(dims: RowDims, grad_out: &[N], indices: &[u32], grad_table: &mut [N]) {
    for t in 0..dims.table_rows {
        for c in 0..dims.channels {
            let gathered = (0..dims.rows).filter(|&r| indices[r] as usize == t);
            let grad = &mut grad_table[t * dims.channels + c];
            *grad = grad.plus(gathered.map(|r| grad_out[r * dims.channels + c]));
        }
    }
}
