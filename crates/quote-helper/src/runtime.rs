//! What waits for several things at a time.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime with one thread, the one that waits: no command has more to do than that thread can.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
