//! What a C runtime would bring: the entry point, the exit, and the symbols that compiled code takes for granted.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

// The kernel aligns the stack to 16 bytes; `call` leaves it as the calling convention wants it.
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {start}", "ud2", start = sym start);

extern "C" fn start() -> ! {
    exit(crate::main())
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(255)
}

/// Linux's `exit_group`.
fn exit(code: u8) -> ! {
    // SAFETY: the call takes no pointer and never returns.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") u64::from(code), options(noreturn, nostack)) }
}

/// The precompiled core names it for unwinding, which a panic that aborts never starts.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

// String instructions, since a loop could be compiled into a call of the very function that it defines.

/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller vouches for both ranges; the direction flag is clear.
    unsafe {
        asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags))
    };
    to
}

/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the range; the direction flag is clear.
    unsafe {
        asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("al") byte as u8, options(nostack, preserves_flags))
    };
    to
}
