//! The structures of the interface, as Intel's `sgx_qve_header.h` and `sgx_dcap_qal.h` lay them
//! out, and values at pointers from C, which may be unaligned.
#![allow(unsafe_code, reason = "C programs pass pointers")]

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::{self, NonNull, null};
use std::slice::from_raw_parts;

use quote_provider::QveCollateral;

use crate::failure::Failure;

/// The smallest size of a quote in bytes.
const QUOTE_MIN_SIZE: u32 = 1020;

/// `sgx_ql_qv_supplemental_t`, 1136 bytes. Times are seconds since 1970; a flag is 0 for false, 1
/// for true, and 2 if the certificate does not tell.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct Supplemental {
    pub(crate) major_version: u16,
    pub(crate) minor_version: u16,
    pub(crate) padding: [u8; 4],
    pub(crate) earliest_issue_date: i64,
    pub(crate) latest_issue_date: i64,
    pub(crate) earliest_expiration_date: i64,
    pub(crate) tcb_level_date_tag: i64,
    pub(crate) pck_crl_num: u32,
    pub(crate) root_ca_crl_num: u32,
    pub(crate) tcb_eval_ref_num: u32,
    pub(crate) root_key_id: [u8; 48],
    pub(crate) pck_ppid: [u8; 16],
    pub(crate) tcb_cpusvn: [u8; 16],
    pub(crate) tcb_pce_isvsvn: u16,
    pub(crate) pce_id: u16,
    pub(crate) tee_type: u32,
    pub(crate) sgx_type: u8,
    pub(crate) platform_instance_id: [u8; 16],
    pub(crate) padding_of_flags: [u8; 3],
    pub(crate) dynamic_platform: u32,
    pub(crate) cached_keys: u32,
    pub(crate) smt_enabled: u32,
    pub(crate) sa_list: [u8; 450],
    pub(crate) padding_of_qe_identity: [u8; 2],
    pub(crate) qe_iden_earliest_issue_date: i64,
    pub(crate) qe_iden_latest_issue_date: i64,
    pub(crate) qe_iden_earliest_expiration_date: i64,
    pub(crate) qe_iden_tcb_level_date_tag: i64,
    pub(crate) qe_iden_tcb_eval_ref_num: u32,
    pub(crate) qe_iden_status: u32,
    pub(crate) platform_tcb_level_date_tag: i64,
    /// The end of version 3.4 is before this field.
    pub(crate) tcb_date_current: i64,
    pub(crate) tcb_status_current: u32,
    pub(crate) sa_list_current: [u8; 450],
    pub(crate) padding_at_end: [u8; 2],
}

/// `tee_supp_data_descriptor_t`, 16 bytes: a request for supplemental data.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct SupplementalRequest {
    pub(crate) major_version: u16,
    pub(crate) data_size: u32,
    pub(crate) data: *mut u8,
}

/// `tee_platform_policy_t`, 16 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct PlatformPolicy {
    kind: u32,
    policy: *const u8,
}

/// `tee_policy_bundle_t`, 72 bytes: the policies of an appraisal.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PolicyBundle {
    tenant_identity_policy: *const u8,
    platform_policy: PlatformPolicy,
    tdqe_policy: PlatformPolicy,
    reserved: [PlatformPolicy; 2],
}

const _: () = assert!(size_of::<Supplemental>() == 1136);
const _: () = assert!(offset_of!(Supplemental, root_key_id) == 52);
const _: () = assert!(offset_of!(Supplemental, tee_type) == 136);
const _: () = assert!(offset_of!(Supplemental, dynamic_platform) == 160);
const _: () = assert!(offset_of!(Supplemental, sa_list) == 172);
const _: () = assert!(offset_of!(Supplemental, qe_iden_earliest_issue_date) == 624);
const _: () = assert!(offset_of!(Supplemental, platform_tcb_level_date_tag) == 664);
const _: () = assert!(offset_of!(Supplemental, tcb_date_current) == 672);
const _: () = assert!(offset_of!(Supplemental, sa_list_current) == 684);
const _: () = assert!(size_of::<SupplementalRequest>() == 16);
const _: () = assert!(size_of::<PolicyBundle>() == 72);

impl Supplemental {
    /// The size in bytes.
    pub(crate) const SIZE: u32 = 1136;

    /// The size up to version 3.4, which programs that were compiled for it pass.
    pub(crate) const SIZE_UP_TO_3_4: u32 = 672;
}

impl PolicyBundle {
    /// Checks that a policy is there if and only if it is not the default.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        // Of these kinds, 0 is the strict default and 1 a policy of the caller's.
        for PlatformPolicy { kind, policy } in [self.platform_policy, self.tdqe_policy] {
            if (kind == 0 && !policy.is_null()) || (kind == 1 && policy.is_null()) {
                return Err(Failure::argument("p_policies has a policy that contradicts its type"));
            }
        }
        if self.reserved.iter().any(|it| it.kind != 0 || !it.policy.is_null()) {
            return Err(Failure::argument("p_policies has reserved fields that are not 0"));
        }
        Ok(())
    }
}

/// A place for a result, which may be unaligned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// The place; `None` if it is NULL.
    ///
    /// # Safety
    /// It is NULL or can be written as long as the result is used.
    pub(crate) unsafe fn new(place: *mut T) -> Option<Self> {
        NonNull::new(place).map(Self)
    }

    /// As [`new`](Self::new); NULL is an error.
    ///
    /// # Safety
    /// As there.
    pub(crate) unsafe fn required(place: *mut T, name: &str) -> Result<Self, Failure> {
        NonNull::new(place).map(Self).ok_or_else(|| Failure::null(name))
    }

    pub(crate) fn write(self, value: T) {
        // SAFETY: `new` promises that the place can be written.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// A value at a required pointer.
///
/// # Safety
/// It is NULL or points to a `T`.
pub(crate) unsafe fn read<T: Copy>(pointer: *const T, name: &str) -> Result<T, Failure> {
    if pointer.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { pointer.read_unaligned() })
}

/// A quote of at least the smallest size.
///
/// # Safety
/// It is NULL or points to `size` bytes.
pub(crate) unsafe fn quote<'a>(quote: *const u8, size: u32) -> Result<&'a [u8], Failure> {
    if quote.is_null() {
        return Err(Failure::null("p_quote"));
    }
    if size < QUOTE_MIN_SIZE {
        let reason = format!("quote_size is {size}; it is at least {QUOTE_MIN_SIZE}");
        return Err(Failure::Argument(reason));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { from_raw_parts(quote, size as usize) })
}

/// A buffer for supplemental data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SupplementalBuffer {
    place: NonNull<u8>,
    size: u32,
}

impl SupplementalBuffer {
    /// The buffer; `None` if there is none.
    ///
    /// # Safety
    /// It is NULL or has the size.
    pub(crate) unsafe fn new(place: *mut u8, size: u32) -> Result<Option<Self>, Failure> {
        match (NonNull::new(place), size) {
            (None, 0) => Ok(None),
            (Some(place), 1..) => Ok(Some(Self { place, size })),
            _ => Err(Failure::argument("supplemental data without a size, or the other way round")),
        }
    }

    /// Place and size.
    pub(crate) fn parts(self) -> (*mut u8, u32) {
        (self.place.as_ptr(), self.size)
    }

    /// Checks the size, and fills the buffer with zeros.
    pub(crate) fn clear(self) -> Result<(), Failure> {
        self.check()?;
        // SAFETY: the buffer has this size.
        unsafe { self.place.write_bytes(0, self.size as usize) };
        Ok(())
    }

    /// Checks the size.
    pub(crate) fn check(self) -> Result<(), Failure> {
        if [Supplemental::SIZE, Supplemental::SIZE_UP_TO_3_4].contains(&self.size) {
            return Ok(());
        }
        let (is, needed) = (self.size, Supplemental::SIZE);
        Err(Failure::Argument(format!("the size of supplemental data is {is}; it is {needed}")))
    }

    /// Erases the version of supplemental data that are not valid.
    pub(crate) fn invalidate(self) {
        let version = size_of::<u32>().min(self.size as usize);
        // SAFETY: the buffer has this size.
        unsafe { self.place.write_bytes(0, version) };
    }

    /// Writes the supplemental data, as far as the buffer is for it.
    pub(crate) fn write(self, data: &Supplemental) -> Result<(), Failure> {
        self.check()?;
        let bytes = ptr::from_ref(data).cast::<u8>();
        // SAFETY: the buffer has this size, and it is not greater than that of the data.
        unsafe { self.place.as_ptr().copy_from_nonoverlapping(bytes, self.size as usize) };
        Ok(())
    }
}

/// The collateral of a caller, with its texts' terminating zeros cut off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawCollateral<'a> {
    /// Major version, and minor version times 65,536.
    pub(crate) version: u32,
    pub(crate) pck_crl_issuer_chain: &'a [u8],
    /// PEM, hexadecimal or DER; maybe with a zero byte at the end.
    pub(crate) root_ca_crl: &'a [u8],
    /// As `root_ca_crl`.
    pub(crate) pck_crl: &'a [u8],
    pub(crate) tcb_info_issuer_chain: &'a [u8],
    pub(crate) tcb_info: &'a [u8],
    pub(crate) qe_identity_issuer_chain: &'a [u8],
    pub(crate) qe_identity: &'a [u8],
}

impl RawCollateral<'_> {
    /// Checks that each text is there and ends with its only zero byte.
    ///
    /// # Safety
    /// `collateral` points to collateral, whose pointers are NULL or point to as many bytes as it
    /// says. All of it outlives the result.
    pub(crate) unsafe fn read(collateral: *const QveCollateral) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let QveCollateral { major_version, minor_version, texts, .. } =
            unsafe { read(collateral, "p_quote_collateral")? };
        let bytes = texts.map(|text| {
            let start: *const u8 = if text.size == 0 { null() } else { text.start };
            // SAFETY: the caller's promise.
            if start.is_null() {
                &[][..]
            } else {
                unsafe { from_raw_parts(start, text.size as usize) }
            }
        });
        let [pck_chain, root_ca_crl, pck_crl, tcb_chain, tcb_info, qe_chain, qe_identity] = bytes;
        Ok(Self {
            version: u32::from(minor_version) << 16 | u32::from(major_version),
            pck_crl_issuer_chain: text(pck_chain, "pck_crl_issuer_chain")?,
            root_ca_crl,
            pck_crl,
            tcb_info_issuer_chain: text(tcb_chain, "tcb_info_issuer_chain")?,
            tcb_info: text(tcb_info, "tcb_info")?,
            qe_identity_issuer_chain: text(qe_chain, "qe_identity_issuer_chain")?,
            qe_identity: text(qe_identity, "qe_identity")?,
        })
    }
}

fn text<'a>(bytes: &'a [u8], name: &str) -> Result<&'a [u8], Failure> {
    // SAFETY: memchr reads as many bytes as it is told.
    let end = unsafe { libc::memchr(bytes.as_ptr().cast(), 0, bytes.len()) };
    match bytes.split_last() {
        Some((0, text)) if end.cast_const().cast() == text.as_ptr_range().end => Ok(text),
        _ => Err(Failure::Argument(format!(
            "{name} of the collateral is missing, or does not end with its only zero byte"
        ))),
    }
}

/// The size in bytes of collateral with all that it points to.
///
/// # Safety
/// It points to collateral.
pub(crate) unsafe fn collateral_size(collateral: *const QveCollateral) -> u32 {
    // SAFETY: the caller's promise.
    let texts = unsafe { collateral.read_unaligned() }.texts;
    let own = u32::try_from(size_of::<QveCollateral>()).unwrap_or_default();
    texts.iter().fold(own, |sum, text| sum.wrapping_add(text.size))
}

/// True if each of the pointers, `count` of them, is not NULL.
///
/// # Safety
/// `pointers` is NULL or points to as many.
pub(crate) unsafe fn are_all_there(pointers: *const *const u8, count: usize) -> bool {
    let there = |index| {
        // SAFETY: the caller's promise.
        !unsafe { pointers.wrapping_add(index).read_unaligned() }.is_null()
    };
    !pointers.is_null() && count != 0 && (0..count).all(there)
}

/// The bytes of a C string of at most `max` bytes; `None` if it is longer.
///
/// # Safety
/// It ends with a zero byte, or has more than `max` bytes.
pub(crate) unsafe fn bounded_string<'a>(string: *const u8, max: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise; strnlen reads no byte behind the first zero.
    let length = unsafe { libc::strnlen(string.cast(), max.saturating_add(1)) };
    // SAFETY: it has as many bytes.
    (length <= max).then(|| unsafe { from_raw_parts(string, length) })
}

/// Frees memory from malloc. Ignores NULL.
///
/// # Safety
/// It is NULL or from malloc, and no longer used.
pub(crate) unsafe fn free(memory: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { libc::free(memory) };
}
