//! Memory that C programs get and free.
#![allow(unsafe_code, reason = "C programs free what they get, so it comes from malloc")]

use std::ptr::{NonNull, copy_nonoverlapping, null_mut};

use crate::failure::Failure;

/// A text in a block, as in C structures. The size is in bytes and includes the zero byte at the
/// end.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Text {
    /// Its first byte.
    pub start: *mut u8,
    /// The size in bytes.
    pub size: u32,
}

/// One block from malloc with a `T` and the texts that it points to, so that one `free` frees a
/// whole result.
#[derive(Debug)]
pub struct Block<T>(NonNull<T>);

impl<T> Block<T> {
    /// A block with these texts, each with a zero byte behind it.
    ///
    /// # Errors
    /// [`Failure::TooLarge`], [`Failure::OutOfMemory`].
    pub fn holding<const N: usize>(texts: [&[u8]; N]) -> Result<(Self, [Text; N]), Failure> {
        let mut placed = [Text { start: null_mut(), size: 0 }; N];
        let mut size = size_of::<T>();
        for (text, place) in texts.iter().zip(&mut placed) {
            place.size =
                u32::try_from(text.len().saturating_add(1)).map_err(|_| Failure::TooLarge)?;
            size = size.saturating_add(place.size as usize);
        }
        // SAFETY: malloc takes any size.
        let start = NonNull::new(unsafe { libc::malloc(size) }).ok_or(Failure::OutOfMemory)?;
        let block = Self(start.cast());
        let mut offset = size_of::<T>();
        for (text, place) in texts.iter().zip(&mut placed) {
            // SAFETY: behind the `T` the block has room for each text and its zero byte, and this
            // function has the only pointer to it.
            unsafe {
                place.start = start.as_ptr().cast::<u8>().add(offset);
                copy_nonoverlapping(text.as_ptr(), place.start, text.len());
                place.start.add(text.len()).write(0);
            }
            offset = offset.saturating_add(place.size as usize);
        }
        Ok((block, placed))
    }

    /// Writes the `T`, and passes the block to the caller, who frees it with [`free`].
    #[must_use]
    pub fn finish(self, head: T) -> *mut T {
        let start = self.0.as_ptr();
        std::mem::forget(self);
        // SAFETY: there is room for a `T` at the start; malloc aligns it for every type.
        unsafe { start.write(head) };
        start
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        // SAFETY: it is from `holding`, and this is the only pointer to it.
        unsafe { free(self.0.as_ptr()) };
    }
}

/// Frees a block. Ignores NULL.
///
/// # Safety
/// It is NULL or from [`Block::finish`], and no longer used.
pub unsafe fn free<T>(block: *mut T) {
    // SAFETY: the caller passes NULL or a block from malloc.
    unsafe { libc::free(block.cast()) };
}
