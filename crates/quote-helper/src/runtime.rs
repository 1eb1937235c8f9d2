//! The asynchronous runtime of commands.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// The number of tasks between two polls for new events: each task takes some microseconds, and
/// thousands may be ready.
const TASKS_BETWEEN_LOOKS: u32 = 8;

/// A runtime on the calling thread, which is enough for every command.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().event_interval(TASKS_BETWEEN_LOOKS).build()
}
