//! The application's callback for failed calls.
#![allow(unsafe_code, reason = "the callback is a C function")]

use std::ffi::{CString, c_char};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::failure::Failure;
use crate::{LogLevel, LoggingCallback};

/// `SGX_QL_LOG_ERROR`, the most severe level and the only one here.
const ERROR: LogLevel = 0;
/// `SGX_QL_LOG_TRACE`, the last level.
const TRACE: LogLevel = 3;

/// The callback, or null. Atomic rather than locked: a lock could be held while a thread forks.
static CALLBACK: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Sets the callback, for messages of this level and more severe ones.
pub(crate) fn set(callback: LoggingCallback, level: LogLevel) {
    let wanted = callback.filter(|_| (ERROR..=TRACE).contains(&level));
    let pointer = wanted.map_or(null_mut(), |callback| callback as *mut ());
    CALLBACK.store(pointer, Ordering::Release);
}

/// Reports that `function` fails.
pub(crate) fn error(function: &str, failure: &Failure) {
    let pointer = CALLBACK.load(Ordering::Acquire);
    // SAFETY: the pointer is null, which is `None` in this type, or a function of this type.
    let callback = unsafe { transmute::<*mut (), LoggingCallback>(pointer) };
    let Some(callback) = callback else { return };
    let message = format!("{function} failed: {failure}").replace('\0', " ");
    let message = CString::new(message).unwrap_or_default();
    // SAFETY: the application set this function as its callback.
    unsafe { callback(ERROR, message.as_ptr().cast::<c_char>()) };
}
