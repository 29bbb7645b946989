//! The exported compare callbacks: names, and how each passes its return address on.
//!
//! Owns nothing but the jumps; what happens then stands in the parent.

#![expect(unsafe_code, reason = "exported C symbols, called by instrumented code")]

use super::{integer, switch};

/// Callbacks with two arguments, each with the function that does its work.
#[cfg(all(unix, target_arch = "x86_64"))]
macro_rules! callbacks {
    ($($name:ident($left:ty, $right:ty) => $body:expr;)*) => {$(
        /// Called by instrumented code, see the parent.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub(super) extern "C" fn $name(_left: $left, _right: $right) {
            // The address to return to lies on top of the stack; the third argument is free.
            core::arch::naked_asm!("mov rdx, qword ptr [rsp]", "jmp {}", sym $body)
        }
    )*};
}

#[cfg(all(unix, target_arch = "aarch64"))]
macro_rules! callbacks {
    ($($name:ident($left:ty, $right:ty) => $body:expr;)*) => {$(
        /// Called by instrumented code, see the parent.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub(super) extern "C" fn $name(_left: $left, _right: $right) {
            // The address to return to is in x30; the third argument is free.
            core::arch::naked_asm!("mov x2, x30", "b {}", sym $body)
        }
    )*};
}

#[cfg(not(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"))))]
macro_rules! callbacks {
    ($($name:ident($left:ty, $right:ty) => $body:expr;)*) => {$(
        /// Called by instrumented code, see the parent.
        #[unsafe(no_mangle)]
        pub(super) extern "C" fn $name(left: $left, right: $right) {
            $body(left.into(), right.into(), 0);
        }
    )*};
}

callbacks! {
    __sanitizer_cov_trace_cmp1(u8, u8) => integer::<1, false>;
    __sanitizer_cov_trace_cmp2(u16, u16) => integer::<2, false>;
    __sanitizer_cov_trace_cmp4(u32, u32) => integer::<4, false>;
    __sanitizer_cov_trace_cmp8(u64, u64) => integer::<8, false>;
    __sanitizer_cov_trace_const_cmp1(u8, u8) => integer::<1, true>;
    __sanitizer_cov_trace_const_cmp2(u16, u16) => integer::<2, true>;
    __sanitizer_cov_trace_const_cmp4(u32, u32) => integer::<4, true>;
    __sanitizer_cov_trace_const_cmp8(u64, u64) => integer::<8, true>;
    __sanitizer_cov_trace_switch(u64, *const u64) => switch;
}
