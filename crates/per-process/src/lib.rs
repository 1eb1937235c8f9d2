//! A value of a process, which its forked children do not share.
//!
//! At a fork another thread of the parent may hold a lock of the value, which then is locked in the
//! child forever; and the two processes must not share a connection. So a child makes its own
//! value. The inherited one is never freed.

use std::sync::OnceLock;

/// A value of type `T`, made once in each process that asks for it.
#[derive(Debug)]
pub struct PerProcess<T>(OnceLock<Box<Entry<T>>>);

#[derive(Debug)]
struct Entry<T> {
    process: u32,
    value: T,
    of_child: OnceLock<Box<Entry<T>>>,
}

impl<T> PerProcess<T> {
    /// No process has a value yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value of this process. If there is none, `make` makes it, from that of the parent if
    /// that has one. Of several threads that make one at once, one's is kept.
    ///
    /// # Errors
    /// Those of `make`; the next call tries again.
    pub fn get_or_try_init<E>(
        &self,
        make: impl FnOnce(Option<&T>) -> Result<T, E>,
    ) -> Result<&T, E> {
        let process = std::process::id();
        let (mut place, mut inherited) = (&self.0, None);
        while let Some(entry) = place.get() {
            if entry.process == process {
                return Ok(&entry.value);
            }
            inherited = Some(&entry.value);
            place = &entry.of_child;
        }
        // Outside of the lock, so that a child forked meanwhile does not wait for it forever.
        let value = make(inherited)?;
        let entry = || Box::new(Entry { process, value, of_child: OnceLock::new() });
        Ok(&place.get_or_init(entry).value)
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_after_an_error_again() {
        let value = PerProcess::new();
        assert_eq!(value.get_or_try_init(|_| Err("not yet")), Err("not yet"));
        assert_eq!(value.get_or_try_init(|_| Ok::<_, ()>(1)), Ok(&1));
        assert_eq!(value.get_or_try_init(|_| Ok::<_, ()>(2)), Ok(&1));
    }
}
