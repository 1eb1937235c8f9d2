//! Messages of this library, to the two variables that Intel's library exports for them.
#![allow(unsafe_code, reason = "C programs set the variables, and the callback is theirs")]
#![allow(non_upper_case_globals, reason = "their names are those of Intel's library")]

use std::ffi::{CString, c_char, c_int};
use std::fmt::Display;
use std::mem::transmute;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use quote_provider::LogLevel;

/// `sgx_logging_callback_t`: gets a level, which is a number of `sgx_ql_log_level_t`, and a
/// message, which is valid during the call only.
pub type LoggingCallback = Option<unsafe extern "C" fn(level: c_int, message: *const c_char)>;

/// A number of `se_trace_t`.
pub type TraceLevel = u32;

/// The callback for messages. NULL, the default: messages go to standard error.
#[unsafe(no_mangle)]
pub static mut sgx_trace_logger_callback: LoggingCallback = None;

/// The least severe level of messages. `SE_TRACE_NONE`, the default, is for none of them, but roots
/// other than Intel's are reported always.
#[unsafe(no_mangle)]
pub static mut sgx_trace_loglevel: TraceLevel = 0;

/// Traces a message of this level, if the program asks for it.
pub(crate) fn log(level: LogLevel, message: &dyn Display) {
    // SAFETY: C programs set the variable, which is aligned, in one store.
    let wanted = unsafe { AtomicU32::from_ptr(&raw mut sgx_trace_loglevel) };
    // `SE_TRACE_ERROR`, or `SE_TRACE_NOTICE`.
    let needed = match level {
        LogLevel::Error => 1,
        LogLevel::Info => 3,
    };
    if wanted.load(Ordering::Relaxed) >= needed {
        tell(level, message);
    }
}

/// Tells what nobody should miss, whatever level is set.
pub(crate) fn announce(message: &dyn Display) {
    tell(LogLevel::Error, message);
}

fn tell(level: LogLevel, message: &dyn Display) {
    // It may contain untrusted text, such as file names and responses, and applications log it.
    let message = printable::line(&message.to_string()).to_string();
    // SAFETY: C programs set the variable, which is aligned, in one store.
    let callback = unsafe { AtomicPtr::from_ptr((&raw mut sgx_trace_logger_callback).cast()) };
    let pointer: *mut () = callback.load(Ordering::Acquire);
    // SAFETY: it is null, which is `None`, or a function of this type.
    match unsafe { transmute::<*mut (), LoggingCallback>(pointer) } {
        Some(callback) => {
            let message = CString::new(message).unwrap_or_default();
            // SAFETY: the application set this function as its callback.
            unsafe { callback(level as c_int, message.as_ptr()) };
        }
        None => call_trace::write(&format!("libsgx_dcap_quoteverify: {message}")),
    }
}
