//! Platforms that have registered, and whose certificates an administrator is to bring.

use collateral::PckTcb;
use redb::ReadableTable;
use sgx::CpuSvn;

use super::tables::REGISTRATIONS;
use super::{PlatformKey, PlatformStore, StoreError};

/// How much of a queue is taken at a time, in bytes of encrypted PPIDs and manifests.
const MAX_TAKEN: usize = 32 * 1024 * 1024;

/// The queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Queue {
    /// Platforms that have registered.
    New = 0,
    /// TCBs of platforms for which Intel has no certificate yet.
    NotAvailable = 1,
}

/// A platform that has registered: by its encrypted PPID at a TCB, or by its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) platform: PlatformKey,
    /// `None` with a manifest, which stands for all TCBs.
    pub(crate) tcb: Option<PckTcb>,
    /// PPID, encrypted, 384 bytes; empty with a manifest.
    pub(crate) encrypted_ppid: Vec<u8>,
    /// Platform manifest; else empty.
    pub(crate) manifest: Vec<u8>,
}

/// What stands for all TCBs. No platform is at this one.
const ALL_TCBS: PckTcb = PckTcb { cpu_svn: CpuSvn([0; 16]), pce_svn: 0 };

impl PlatformStore {
    /// Puts a platform into the queue, in place of what it has there.
    pub(crate) fn register(
        &self,
        queue: Queue,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        let Registration { encrypted_ppid, manifest, .. } = registration;
        self.file.run(|database| {
            let write = database.begin_write()?;
            write
                .open_table(REGISTRATIONS)?
                .insert(&key(queue, registration), (&encrypted_ppid[..], &manifest[..]))?;
            Ok(write.commit()?)
        })
    }

    /// Takes a platform out of the queue, if it is in there.
    pub(crate) fn unregister(
        &self,
        queue: Queue,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        self.file.run(|database| {
            let write = database.begin_write()?;
            write.open_table(REGISTRATIONS)?.remove(&key(queue, registration))?;
            Ok(write.commit()?)
        })
    }

    /// Takes what is in the queue: all of it, or the first 32 MiB.
    pub(crate) fn take_registered(&self, queue: Queue) -> Result<Vec<Registration>, StoreError> {
        let (first, last) = (bounds(queue, 0), bounds(queue, 0xff));
        self.file.run(|database| {
            let write = database.begin_write()?;
            let (mut taken, mut size) = (Vec::new(), 0_usize);
            {
                let mut table = write.open_table(REGISTRATIONS)?;
                for entry in table.range::<&[u8; 37]>(&first..=&last)? {
                    let (key, value) = entry?;
                    let registration = registration(key.value(), value.value());
                    let Registration { encrypted_ppid, manifest, .. } = &registration;
                    size = size.saturating_add(encrypted_ppid.len()).saturating_add(manifest.len());
                    taken.push(registration);
                    if size > MAX_TAKEN {
                        break;
                    }
                }
                for registration in &taken {
                    table.remove(&key(queue, registration))?;
                }
            }
            write.commit()?;
            Ok(taken)
        })
    }
}

fn key(queue: Queue, registration: &Registration) -> [u8; 37] {
    let tcb = registration.tcb.unwrap_or(ALL_TCBS).to_bytes();
    let parts = [queue as u8].into_iter().chain(registration.platform.to_bytes()).chain(tcb);
    let mut key = [0; 37];
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    key
}

fn bounds(queue: Queue, fill: u8) -> [u8; 37] {
    let mut key = [fill; 37];
    key[0] = queue as u8;
    key
}

fn registration(key: &[u8; 37], (encrypted_ppid, manifest): (&[u8], &[u8])) -> Registration {
    let (mut platform, mut tcb) = ([0; 18], [0; 18]);
    platform.iter_mut().zip(&key[1..19]).for_each(|(to, from)| *to = *from);
    tcb.iter_mut().zip(&key[19..]).for_each(|(to, from)| *to = *from);
    let tcb = Some(PckTcb::from_bytes(&tcb)).filter(|tcb| *tcb != ALL_TCBS);
    Registration {
        platform: PlatformKey::from_bytes(&platform),
        tcb,
        encrypted_ppid: encrypted_ppid.to_vec(),
        manifest: manifest.to_vec(),
    }
}
