//! The rights that a process gives up if it holds keys or talks to untrusted peers.

use anyhow::Context;
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::set_no_new_privs;

/// Gives up set-user-ID programs, core dumps, debuggers other than root's, and files that others
/// can read by default.
///
/// To be called while there is one thread. Child processes inherit all of it, but are dumpable.
///
/// # Errors
/// If the system refuses.
pub(crate) fn harden() -> anyhow::Result<()> {
    set_no_new_privs(true).context("cannot set no_new_privs")?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).context("cannot disable core files")?;
    // Keeps debuggers of the same user out, and core dumps from being piped to a program.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .context("cannot make this process undumpable")?;
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}
