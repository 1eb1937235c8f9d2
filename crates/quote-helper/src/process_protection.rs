//! What a process that holds keys, or talks to strangers, gives up when it starts.

use anyhow::Context;
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::set_no_new_privs;

/// From now on neither this process nor one that it starts gets more rights by running a program, or leaves its memory
/// in a core file; nobody but root can read its memory; and its files are for its user alone, if it says nothing else.
///
/// To be called while there is one thread: what it starts inherits all of it but that its memory cannot be read.
pub(crate) fn protect() -> anyhow::Result<()> {
    set_no_new_privs(true).context("cannot give up set-user-ID programs")?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).context("cannot turn core files off")?;
    // Other processes of the same user are no debuggers either, and a core file is not piped to a program.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .context("cannot close this process's memory")?;
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}
