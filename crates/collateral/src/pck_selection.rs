//! Selection among the PCK certificates of a platform.
//!
//! A platform at some TCB can derive the key of each certificate for this TCB or a lower one. The
//! right certificate is the one that makes the platform look best to a verifier: for the highest
//! level of the TCB info, and within the level for the highest TCB. This is what the PCK
//! certificate selection library of Intel's DCAP does, and so what a PCCS does. The CPUSVN is taken
//! for the SVNs of the 16 components byte by byte, as TCB type 0 has it, which is the only one.

use std::cmp::Ordering;

use sgx::CpuSvn;
use verify::TcbLevel;

/// A TCB: the one that a platform is at, or the one that a PCK certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PckTcb {
    /// CPUSVN, 16 bytes.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE.
    pub pce_svn: u16,
}

impl PckTcb {
    /// From the form of the header `SGX-TCBm`: CPUSVN, then PCESVN little-endian.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 18]) -> Self {
        let ([cpu_svn @ .., low, high], mut first) = (bytes, [0; 16]);
        first.copy_from_slice(cpu_svn);
        Self { cpu_svn: CpuSvn(first), pce_svn: u16::from_le_bytes([*low, *high]) }
    }

    /// In the form of the header `SGX-TCBm`: CPUSVN, then PCESVN little-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        let all = self.cpu_svn.0.into_iter().chain(self.pce_svn.to_le_bytes());
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    fn svns(&self) -> impl Iterator<Item = u16> {
        self.cpu_svn.0.into_iter().map(u16::from).chain([self.pce_svn])
    }

    fn reaches(&self, other: &Self) -> bool {
        matches!(self.partial_cmp(other), Some(Ordering::Greater | Ordering::Equal))
    }
}

impl From<&TcbLevel> for PckTcb {
    /// The TCB at which the level begins.
    fn from(level: &TcbLevel) -> Self {
        let svns = level.components.each_ref().map(|component| component.svn);
        Self { cpu_svn: CpuSvn(svns), pce_svn: level.pce_svn }
    }
}

/// A TCB is higher if it is higher in one of the SVNs and lower in none. Two TCBs may not compare.
impl PartialOrd for PckTcb {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.svns().zip(other.svns()).map(|(own, other)| own.cmp(&other)).try_fold(
            Ordering::Equal,
            |so_far, next| match (so_far, next) {
                (Ordering::Equal, next) => Some(next),
                (so_far, Ordering::Equal) => Some(so_far),
                (so_far, next) => (so_far == next).then_some(so_far),
            },
        )
    }
}

/// Selects one of the offered certificates, given by their TCBs, for a platform at this TCB.
/// `levels` are those of the TCB info, the highest first. `None` if the platform is below all
/// certificates.
#[must_use]
pub fn select_pck(platform: &PckTcb, offered: &[PckTcb], levels: &[PckTcb]) -> Option<PckTcb> {
    // One more than there are levels: for certificates that are below them all.
    let mut of_level: Vec<Vec<PckTcb>> = vec![Vec::new(); levels.len().saturating_add(1)];
    for tcb in offered {
        let level = levels.iter().position(|level| tcb.reaches(level)).unwrap_or(levels.len());
        if let Some(sorted) = of_level.get_mut(level) {
            let place = sorted.iter().position(|other| tcb.reaches(other));
            sorted.insert(place.unwrap_or(sorted.len()), *tcb);
        }
    }
    of_level.into_iter().flatten().find(|tcb| platform.reaches(tcb))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TCB whose first components have these SVNs, at this PCESVN.
    fn tcb(svns: &[u8], pce_svn: u16) -> PckTcb {
        let mut cpu_svn = [0; 16];
        cpu_svn[..svns.len()].copy_from_slice(svns);
        PckTcb { cpu_svn: CpuSvn(cpu_svn), pce_svn }
    }

    #[test]
    fn bytes_are_as_in_the_header() {
        let bytes = tcb(&[1, 2], 0x0d0e).to_bytes();
        assert_eq!((bytes[0], bytes[1], bytes[16], bytes[17]), (1, 2, 0x0e, 0x0d));
        assert_eq!(PckTcb::from_bytes(&bytes), tcb(&[1, 2], 0x0d0e));
    }

    #[test]
    fn the_order_is_partial() {
        assert!(tcb(&[2, 2], 1) > tcb(&[2, 1], 1));
        assert!(tcb(&[2, 2], 1) < tcb(&[2, 2], 2));
        assert_eq!(tcb(&[1, 2], 1).partial_cmp(&tcb(&[2, 1], 1)), None);
        assert_eq!(tcb(&[2, 2], 1).partial_cmp(&tcb(&[1, 1], 2)), None);
    }

    #[test]
    fn a_certificate_for_the_very_tcb_is_chosen() {
        let (high, low) = (tcb(&[2, 2], 11), tcb(&[1, 1], 10));
        for offered in [[high, low], [low, high]] {
            assert_eq!(select_pck(&high, &offered, &[high, low]), Some(high));
            assert_eq!(select_pck(&low, &offered, &[high, low]), Some(low));
        }
    }

    #[test]
    fn a_platform_between_gets_the_best_it_can_derive() {
        let levels = [tcb(&[4], 13), tcb(&[2], 11)];
        let offered = [tcb(&[2], 11), tcb(&[3], 12), tcb(&[4], 13)];
        assert_eq!(select_pck(&tcb(&[3], 13), &offered, &levels), Some(tcb(&[3], 12)));
        assert_eq!(select_pck(&tcb(&[9], 99), &offered, &levels), Some(tcb(&[4], 13)));
        // A low PCESVN keeps a high CPUSVN down.
        assert_eq!(select_pck(&tcb(&[9], 11), &offered, &levels), Some(tcb(&[2], 11)));
    }

    #[test]
    fn the_level_counts_more_than_the_tcb() {
        // Two certificates that do not compare: the one that reaches the higher level is better.
        let levels = [tcb(&[1, 3], 1), tcb(&[1, 1], 1)];
        let (of_higher_level, other) = (tcb(&[1, 3], 1), tcb(&[5, 1], 1));
        for offered in [[of_higher_level, other], [other, of_higher_level]] {
            assert_eq!(select_pck(&tcb(&[5, 3], 1), &offered, &levels), Some(of_higher_level));
        }
    }

    #[test]
    fn certificates_below_all_levels_serve_too() {
        let offered = [tcb(&[1], 1), tcb(&[2], 1)];
        assert_eq!(select_pck(&tcb(&[3], 1), &offered, &[tcb(&[9], 9)]), Some(tcb(&[2], 1)));
    }

    #[test]
    fn a_platform_below_all_certificates_gets_none() {
        let offered = [tcb(&[2], 2)];
        assert_eq!(select_pck(&tcb(&[1], 2), &offered, &[tcb(&[2], 2)]), None);
        assert_eq!(select_pck(&tcb(&[2], 1), &offered, &[tcb(&[2], 2)]), None);
        assert_eq!(select_pck(&tcb(&[2], 2), &[], &[tcb(&[2], 2)]), None);
    }
}
