//! `memcmp` and `bcmp`, in the place of those of the C library.
//!
//! Owns the only view fuzzd has of most comparisons of texts: the compiler turns them into calls of
//! these. The linker takes these definitions for the whole program, std included. They run before
//! anything is set up and in every thread; with the gate shut they only compare. They must never
//! compare memory in a way that the compiler makes a call of `memcmp` of: that would be endless.
//! So on x86-64 they are assembly, which also keeps unoptimized builds fast.

#![expect(unsafe_code, reason = "exported C symbols over raw memory")]

use std::ffi::c_int;
use std::slice::from_raw_parts;

use super::is_shut;
use crate::compare::log;
use crate::limits::COMPARE_BYTES_MAX;

/// A comparison while the gate is open.
///
/// # Safety
///
/// As of `memcmp`; `pc` may be anything.
unsafe extern "C" fn recorded(left: *const u8, right: *const u8, len: usize, pc: usize) -> c_int {
    // SAFETY: the caller's promise is the same.
    let order = unsafe { compare(left, right, len) };
    if order != 0 && !is_shut() {
        let kept = len.min(COMPARE_BYTES_MAX);
        // SAFETY: both sides are readable for `len` bytes, of which these are the first; there is
        // at least one, as the sides differ, so neither address is null.
        let (left, right) = unsafe { (from_raw_parts(left, kept), from_raw_parts(right, kept)) };
        log::of_process().memory(pc, left, right);
    }
    order
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use super::words::compare;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::compare;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::naked_asm;
    use std::ffi::c_int;

    use super::recorded;
    use crate::hooks::__sancov_should_track;

    /// The comparison: rdi and rsi are the sides, rdx is the length, eax becomes the order.
    ///
    /// Up to 32 bytes are read in two pieces that overlap. Of more, the first 16 bytes are looked
    /// at alone, as most comparisons end there; then 64 at a time; then 16 at a time, the last
    /// of which overlap.
    macro_rules! compare {
        () => {
            "
            cmp rdx, 16
            jb 20f
            movdqu xmm0, xmmword ptr [rdi]
            movdqu xmm1, xmmword ptr [rsi]
            pcmpeqb xmm0, xmm1
            pmovmskb eax, xmm0
            sub eax, 0xffff
            jne 31f
            cmp rdx, 32
            ja 40f
            movdqu xmm0, xmmword ptr [rdi + rdx - 16]
            movdqu xmm1, xmmword ptr [rsi + rdx - 16]
            pcmpeqb xmm0, xmm1
            pmovmskb eax, xmm0
            sub eax, 0xffff
            jne 30f
            ret
        30:
            lea rdi, [rdi + rdx - 16]
            lea rsi, [rsi + rdx - 16]
        31:
            bsf ecx, eax
            movzx eax, byte ptr [rdi + rcx]
            movzx edx, byte ptr [rsi + rcx]
            sub eax, edx
            ret
        20:
            cmp edx, 8
            jae 21f
            cmp edx, 4
            jae 22f
            xor eax, eax
            test edx, edx
            je 25f
            movzx eax, byte ptr [rdi]
            movzx ecx, byte ptr [rsi]
            sub eax, ecx
            jne 25f
            cmp edx, 1
            je 25f
            movzx eax, byte ptr [rdi + 1]
            movzx ecx, byte ptr [rsi + 1]
            sub eax, ecx
            jne 25f
            movzx eax, byte ptr [rdi + rdx - 1]
            movzx ecx, byte ptr [rsi + rdx - 1]
            sub eax, ecx
            ret
        21:
            mov rax, qword ptr [rdi]
            mov rcx, qword ptr [rsi]
            cmp rax, rcx
            jne 23f
            mov rax, qword ptr [rdi + rdx - 8]
            mov rcx, qword ptr [rsi + rdx - 8]
            cmp rax, rcx
            jne 23f
            xor eax, eax
            ret
        22:
            mov eax, dword ptr [rdi]
            mov ecx, dword ptr [rsi]
            cmp eax, ecx
            jne 24f
            mov eax, dword ptr [rdi + rdx - 4]
            mov ecx, dword ptr [rsi + rdx - 4]
            cmp eax, ecx
            jne 24f
            xor eax, eax
            ret
        23:
            bswap rax
            bswap rcx
            cmp rax, rcx
            sbb eax, eax
            or eax, 1
            ret
        24:
            bswap eax
            bswap ecx
            cmp eax, ecx
            sbb eax, eax
            or eax, 1
        25:
            ret
        40:
            mov r8d, 16
            lea r9, [rdx - 64]
            cmp r8, r9
            jg 42f
        41:
            movdqu xmm0, xmmword ptr [rdi + r8]
            movdqu xmm1, xmmword ptr [rdi + r8 + 16]
            movdqu xmm2, xmmword ptr [rdi + r8 + 32]
            movdqu xmm3, xmmword ptr [rdi + r8 + 48]
            movdqu xmm4, xmmword ptr [rsi + r8]
            movdqu xmm5, xmmword ptr [rsi + r8 + 16]
            movdqu xmm6, xmmword ptr [rsi + r8 + 32]
            movdqu xmm7, xmmword ptr [rsi + r8 + 48]
            pcmpeqb xmm0, xmm4
            pcmpeqb xmm1, xmm5
            pcmpeqb xmm2, xmm6
            pcmpeqb xmm3, xmm7
            pand xmm0, xmm1
            pand xmm2, xmm3
            pand xmm0, xmm2
            pmovmskb eax, xmm0
            cmp eax, 0xffff
            jne 42f
            add r8, 64
            cmp r8, r9
            jle 41b
        42:
            lea r9, [rdx - 16]
            cmp r8, r9
            jae 44f
        43:
            movdqu xmm0, xmmword ptr [rdi + r8]
            movdqu xmm1, xmmword ptr [rsi + r8]
            pcmpeqb xmm0, xmm1
            pmovmskb eax, xmm0
            sub eax, 0xffff
            jne 45f
            add r8, 16
            cmp r8, r9
            jb 43b
        44:
            mov r8, r9
            movdqu xmm0, xmmword ptr [rdi + r8]
            movdqu xmm1, xmmword ptr [rsi + r8]
            pcmpeqb xmm0, xmm1
            pmovmskb eax, xmm0
            sub eax, 0xffff
            jne 45f
            ret
        45:
            bsf ecx, eax
            add r8, rcx
            movzx eax, byte ptr [rdi + r8]
            movzx edx, byte ptr [rsi + r8]
            sub eax, edx
            ret
            "
        };
    }

    /// The comparison behind a test of the gate. Its address comes from the table of addresses: a
    /// shared library needs that, and elsewhere it costs nearly nothing.
    macro_rules! gated {
        () => {
            concat!(
                "
                mov rax, qword ptr [rip + {gate}@GOTPCREL]
                cmp qword ptr [rax], 0
                jne 70f
                ",
                compare!(),
                "
            70:
                mov rcx, qword ptr [rsp]
                jmp {recorded}
                "
            )
        };
    }

    /// The order of two pieces of memory as `memcmp` has it. Leaves no record.
    ///
    /// # Safety
    ///
    /// Both sides are readable for `len` bytes.
    #[unsafe(naked)]
    pub(in crate::hooks) unsafe extern "C" fn compare(
        left: *const u8,
        right: *const u8,
        len: usize,
    ) -> c_int {
        naked_asm!(compare!())
    }

    /// `memcmp` of the C library.
    ///
    /// # Safety
    ///
    /// Both sides are readable for `len` bytes.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, len: usize) -> c_int {
        naked_asm!(gated!(), gate = sym __sancov_should_track, recorded = sym recorded)
    }

    /// `bcmp` of the C library: as `memcmp`, but only 0 or not matters.
    ///
    /// # Safety
    ///
    /// Both sides are readable for `len` bytes.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, len: usize) -> c_int {
        naked_asm!(gated!(), gate = sym __sancov_should_track, recorded = sym recorded)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod other {
    use std::ffi::c_int;

    use super::recorded;
    use crate::hooks::is_shut;
    use crate::hooks::words::compare;

    /// What the exported names jump to with their return address.
    ///
    /// # Safety
    ///
    /// As of `memcmp`; `pc` may be anything.
    unsafe extern "C" fn gated(left: *const u8, right: *const u8, len: usize, pc: usize) -> c_int {
        // SAFETY: the caller's promise is the same.
        unsafe {
            if is_shut() { compare(left, right, len) } else { recorded(left, right, len, pc) }
        }
    }

    macro_rules! exported {
        ($($name:ident)*) => {$(
            /// The function of the C library.
            ///
            /// # Safety
            ///
            /// Both sides are readable for `len` bytes.
            #[cfg(target_arch = "aarch64")]
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub(super) unsafe extern "C" fn $name(_: *const u8, _: *const u8, _: usize) -> c_int {
                std::arch::naked_asm!("mov x3, x30", "b {}", sym gated)
            }

            /// The function of the C library.
            ///
            /// # Safety
            ///
            /// Both sides are readable for `len` bytes.
            #[cfg(not(target_arch = "aarch64"))]
            #[unsafe(no_mangle)]
            pub(super) unsafe extern "C" fn $name(
                left: *const u8,
                right: *const u8,
                len: usize,
            ) -> c_int {
                // SAFETY: the caller's promise is the same.
                unsafe { gated(left, right, len, 0) }
            }
        )*};
    }

    exported! { memcmp bcmp }
}
