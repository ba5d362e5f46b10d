use aprm_core::backend::{Backend, RowDims};

use super::operands::{Operand, Operands};
use super::{Rig, SHAPES};
use crate::Failure;
use crate::naive::gather_rows;

/// Few enough rows that some are gathered more than once, and others never.
const TABLE_ROWS: usize = 11;

pub(crate) fn gather_rows_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (rows, channels) in SHAPES {
        let dims = |rows| RowDims { rows, table_rows: TABLE_ROWS, channels };
        rig.at(dims(rows));
        let table = Operand::shared(rig.numbers(TABLE_ROWS * channels, 2.0));
        let indices = Operand::rows(1, rig.indices(rows, TABLE_ROWS));
        rig.check(
            rows,
            Operands { inputs: [table], indices: [indices], outputs: [Operand::overwritten(rows, channels)] },
            |backend, rows, [table], [indices], [mut out]| {
                backend.gather_rows_forward(dims(rows), &table, &indices, &mut out)?;
                Ok([out])
            },
            |rows, [table], [indices], [out]| gather_rows::forward(dims(rows), table, indices, out),
        )?;
    }
    Ok(())
}

pub(crate) fn gather_rows_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (rows, channels) in SHAPES {
        let dims = |rows| RowDims { rows, table_rows: TABLE_ROWS, channels };
        rig.at(dims(rows));
        let grad_out = Operand::rows(channels, rig.numbers(rows * channels, 2.0));
        let indices = Operand::rows(1, rig.indices(rows, TABLE_ROWS));
        let grad_table = Operand::shared(rig.numbers(TABLE_ROWS * channels, 2.0));
        rig.check(
            rows,
            Operands { inputs: [grad_out], indices: [indices], outputs: [grad_table] },
            |backend, rows, [grad_out], [indices], [mut grad_table]| {
                backend.gather_rows_backward(dims(rows), &grad_out, &indices, &mut grad_table)?;
                Ok([grad_table])
            },
            |rows, [grad_out], [indices], [grad_table]| {
                gather_rows::backward(dims(rows), grad_out, indices, grad_table);
            },
        )?;
    }
    Ok(())
}
