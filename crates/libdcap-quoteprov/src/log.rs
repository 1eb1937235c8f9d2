//! Messages to the application's callback.
#![allow(unsafe_code, reason = "the callback is a C function")]

use std::ffi::CString;
use std::fmt::Display;
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use quote_provider::LogLevel as Level;

use crate::{LogLevel, LoggingCallback};

/// The callback, or null. Atomic rather than locked: a lock could be held while a thread forks.
static CALLBACK: AtomicPtr<()> = AtomicPtr::new(null_mut());
/// The least severe level to report.
static LEVEL: AtomicU32 = AtomicU32::new(Level::Error as LogLevel);

/// Sets the callback for messages of this level or more severe ones.
pub(crate) fn set(callback: LoggingCallback, level: LogLevel) {
    LEVEL.store(level, Ordering::Relaxed);
    let pointer = callback.map_or(null_mut(), |callback| callback as *mut ());
    CALLBACK.store(pointer, Ordering::Release);
}

/// Passes a message of this level to the callback.
pub(crate) fn log(level: Level, message: &dyn Display) {
    let level = level as LogLevel;
    let pointer = CALLBACK.load(Ordering::Acquire);
    if level > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: it is null, which is `None`, or a function of this type.
    let callback = unsafe { transmute::<*mut (), LoggingCallback>(pointer) };
    let Some(callback) = callback else { return };
    // It may contain untrusted text, such as file names and responses, and applications log it.
    let message =
        CString::new(printable::line(&message.to_string()).as_bytes()).unwrap_or_default();
    // SAFETY: the application set this function as its callback.
    unsafe { callback(level, message.as_ptr()) };
}
