//! Tells the application what happens, if it wants to know.
#![allow(unsafe_code, reason = "the callback is a C function")]

use std::ffi::CString;
use std::fmt::Display;
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::{LogLevel, LoggingCallback};

/// `SGX_QL_LOG_ERROR`: a call fails, or something is not as it should be.
const ERROR: LogLevel = 0;
/// `SGX_QL_LOG_INFO`: all is well.
const INFO: LogLevel = 1;

/// The callback, or null. Atomic rather than locked: a lock could be held while a thread forks.
static CALLBACK: AtomicPtr<()> = AtomicPtr::new(null_mut());
/// The least severe level that is wanted.
static LEVEL: AtomicU32 = AtomicU32::new(ERROR);

/// Has the callback told what is of this level or more severe.
pub(crate) fn set(callback: LoggingCallback, level: LogLevel) {
    LEVEL.store(level, Ordering::Relaxed);
    let pointer = callback.map_or(null_mut(), |callback| callback as *mut ());
    CALLBACK.store(pointer, Ordering::Release);
}

/// Tells of something that is not as it should be.
pub(crate) fn error(message: impl Display) {
    tell(ERROR, message);
}

/// Tells of something that is well.
pub(crate) fn info(message: impl Display) {
    tell(INFO, message);
}

fn tell(level: LogLevel, message: impl Display) {
    let pointer = CALLBACK.load(Ordering::Acquire);
    if level > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: what is stored is null, or a function of this type; the type has null for `None`.
    let callback = unsafe { transmute::<*mut (), LoggingCallback>(pointer) };
    let Some(callback) = callback else { return };
    // Applications write it to their log, and others have written some of it: names of files, what services say.
    let message =
        CString::new(printable::line(&message.to_string()).as_bytes()).unwrap_or_default();
    // SAFETY: the application gave this function for such calls.
    unsafe { callback(level, message.as_ptr()) };
}
