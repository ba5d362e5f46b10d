//! Negative controls: the suite rejects every sabotaged backend, by the name of the kernel and of the law.

mod fault;
mod sabotaged;

use aprm_conformance::{Kernel, check, check_all};
use fault::Fault;
use sabotaged::Sabotaged;

#[test]
fn no_fault_is_accepted() {
    assert!(check_all(|| Sabotaged::new(None)).is_ok());
}

#[test]
fn every_fault_is_rejected() {
    Kernel::ALL.iter().copied().for_each(fault::has_a_fault);
    let verdict = |&fault: &Fault| match check(fault.kernel(), Sabotaged::new(Some(fault))) {
        Err(failure) if failure.law == fault.law() => (true, format!("{fault:?}: {failure}\n")),
        Err(failure) => (false, format!("{fault:?}: NOT FOR {:?}: {failure}\n", fault.law())),
        Ok(()) => (false, format!("{fault:?}: NOT REJECTED\n")),
    };
    let (rejected, table): (Vec<bool>, String) = Fault::ALL.iter().map(verdict).unzip();
    assert!(rejected.into_iter().all(|rejected| rejected), "{table}");
}
