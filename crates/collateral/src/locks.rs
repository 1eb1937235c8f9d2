//! Locks of the standard library.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex. None is poisoned, since nothing panics while it is locked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
