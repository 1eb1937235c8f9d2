//! What waits for several things at a time.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// So many tasks at the most go on before it is looked who else has come: each takes some
/// microseconds, and thousands of them may be due at once.
const TASKS_BETWEEN_LOOKS: u32 = 8;

/// A runtime with one thread, the one that waits: no command has more to do than that thread can.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().event_interval(TASKS_BETWEEN_LOOKS).build()
}
