//! The microcode of a machine, on which its TCB depends.

use serde::{Deserialize, Serialize};
use sgx::CpuSvn;

use crate::Cpu;

/// The microcode of a machine: the number of updates since it was built.
///
/// An update changes PCK certificates and TCB levels, but not the CPUSVN in REPORTs: that one is
/// built into every enclave of the SDK's simulation mode, which gets quotes at any TCB. The three
/// CPUSVNs of that mode cannot be TCB levels, since none is above another one in all components.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Microcode(u8);

/// More updates than the first TCB component can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a machine takes at most {last} microcode updates", last = Microcode::LAST.0)]
pub struct MicrocodeError;

impl Microcode {
    /// The last microcode: its first TCB component is 255.
    pub const LAST: Self = Self(183);

    /// The microcode after this number of updates.
    ///
    /// # Errors
    /// [`MicrocodeError`] when it is beyond [`Self::LAST`].
    pub fn after(updates: usize) -> Result<Self, MicrocodeError> {
        let updates = u8::try_from(updates).map_err(|_| MicrocodeError)?;
        Self::try_from(updates)
    }

    /// The number of updates.
    #[must_use]
    pub fn updates(self) -> u8 {
        self.0
    }

    /// The CPUSVN of PCK certificates, whose bytes are the TCB components: that of the simulation
    /// mode's CPU, with the first component raised by one for each update.
    #[must_use]
    pub fn cpu_svn(self) -> CpuSvn {
        let CpuSvn([first, rest @ ..]) = Cpu::Current.cpu_svn();
        let mut components = [first.saturating_add(self.0); 16];
        let (_, others) = components.split_at_mut(1);
        others.copy_from_slice(&rest);
        CpuSvn(components)
    }

    /// The microcode with which PCK certificates are for this CPUSVN, if there is one.
    pub(crate) fn with_cpu_svn(cpu_svn: CpuSvn) -> Option<Self> {
        (0..=Self::LAST.0).map(Self).find(|microcode| microcode.cpu_svn() == cpu_svn)
    }

    /// The input of key derivation: nothing for the initial microcode, so that keys depend on the
    /// CPU alone.
    pub(crate) fn key_context(&self) -> &[u8] {
        if self.0 == 0 { &[] } else { std::slice::from_ref(&self.0) }
    }
}

impl TryFrom<u8> for Microcode {
    type Error = MicrocodeError;

    fn try_from(updates: u8) -> Result<Self, MicrocodeError> {
        Some(Self(updates)).filter(|microcode| *microcode <= Self::LAST).ok_or(MicrocodeError)
    }
}

impl From<Microcode> for u8 {
    fn from(microcode: Microcode) -> Self {
        microcode.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_update_raises_the_first_component_and_no_other() {
        assert_eq!(Microcode::default().cpu_svn(), Cpu::Current.cpu_svn());
        for updates in 0..Microcode::LAST.0 {
            let [before, after] = [Microcode(updates), Microcode(updates + 1)];
            let [CpuSvn(below), CpuSvn(above)] = [before.cpu_svn(), after.cpu_svn()];
            assert_eq!(above[0], below[0] + 1);
            assert_eq!(above[1..], below[1..]);
            assert_eq!(Microcode::with_cpu_svn(after.cpu_svn()), Some(after));
        }
        assert_eq!(Microcode::LAST.cpu_svn().0[0], 255);
        assert_eq!(Microcode::with_cpu_svn(Cpu::Upgraded.cpu_svn()), None);
    }

    #[test]
    fn updates_beyond_the_last_are_an_error() {
        let last = usize::from(Microcode::LAST.0);
        assert_eq!(Microcode::after(last), Ok(Microcode::LAST));
        assert_eq!(Microcode::after(last + 1), Err(MicrocodeError));
        assert_eq!(Microcode::after(256), Err(MicrocodeError));
    }
}
