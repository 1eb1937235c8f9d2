//! Platforms that have registered, and whose certificates an administrator is to bring.

use std::ops::Bound;

use collateral::PckTcb;
use redb::{ReadableDatabase, ReadableTable};
use sgx::CpuSvn;

use super::tables::REGISTRATIONS;
use super::{PlatformKey, PlatformStore, StoreError};

/// Registrations read at a time. One has at most 64 KiB.
const PAGE: usize = 64;

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

/// Stands for all TCBs. No platform is at this one.
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
            write.open_table(REGISTRATIONS)?.insert(
                &key(queue, &registration.platform, registration.tcb),
                (&encrypted_ppid[..], &manifest[..]),
            )?;
            Ok(write.commit()?)
        })
    }

    /// Removes a platform from the queue.
    pub(crate) fn unregister(
        &self,
        queue: Queue,
        registration: &Registration,
    ) -> Result<(), StoreError> {
        self.file.run(|database| {
            let write = database.begin_write()?;
            write.open_table(REGISTRATIONS)?.remove(&key(
                queue,
                &registration.platform,
                registration.tcb,
            ))?;
            Ok(write.commit()?)
        })
    }

    /// Removes these TCBs of a platform from all queues, or the platform if it has registered with
    /// this manifest: its certificates are stored now.
    pub(crate) fn acknowledge(
        &self,
        platform: &PlatformKey,
        tcbs: &[PckTcb],
        manifest: &[u8],
    ) -> Result<(), StoreError> {
        self.file.run(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(REGISTRATIONS)?;
                for queue in [Queue::New, Queue::NotAvailable] {
                    for tcb in tcbs {
                        table.remove(&key(queue, platform, Some(*tcb)))?;
                    }
                    let whole = key(queue, platform, None);
                    let is_it = table.get(&whole)?.is_some_and(|row| row.value().1 == manifest);
                    if is_it {
                        table.remove(&whole)?;
                    }
                }
            }
            Ok(write.commit()?)
        })
    }

    /// Replaces the TCBs of a platform in the queue of TCBs without a certificate.
    pub(crate) fn set_not_available(
        &self,
        registration: &Registration,
        tcbs: &[PckTcb],
    ) -> Result<(), StoreError> {
        let Registration { platform, encrypted_ppid, manifest, .. } = registration;
        let queue = Queue::NotAvailable;
        let (first, last) = (bounds(queue, platform, 0), bounds(queue, platform, 0xff));
        self.file.run(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(REGISTRATIONS)?;
                table.retain_in::<&[u8; 37], _>(&first..=&last, |_, _| false)?;
                for tcb in tcbs {
                    let key = key(queue, platform, Some(*tcb));
                    table.insert(&key, (&encrypted_ppid[..], &manifest[..]))?;
                }
            }
            Ok(write.commit()?)
        })
    }

    /// The number of registrations in the queue.
    pub(crate) fn registered_count(&self, queue: Queue) -> Result<u64, StoreError> {
        let mut count = 0_u64;
        self.visit_registered(queue, |_| {
            count = count.saturating_add(1);
            true
        })?;
        Ok(count)
    }

    /// Calls `visit` with each registration in the queue until it returns `false`. Concurrent
    /// changes may be missed.
    pub(crate) fn visit_registered(
        &self,
        queue: Queue,
        mut visit: impl FnMut(Registration) -> bool,
    ) -> Result<(), StoreError> {
        let [lowest, highest] = [0, 0xff].map(|fill| PlatformKey::from_bytes(&[fill; 18]));
        let mut start = Bound::Included(bounds(queue, &lowest, 0));
        let last = bounds(queue, &highest, 0xff);
        loop {
            let page = self.page_of_registered((start.as_ref(), Bound::Included(&last)))?;
            let Some((key, _)) = page.last() else { return Ok(()) };
            start = Bound::Excluded(*key);
            if !page.into_iter().all(|(_, registration)| visit(registration)) {
                return Ok(());
            }
        }
    }

    fn page_of_registered(
        &self,
        range: (Bound<&[u8; 37]>, Bound<&[u8; 37]>),
    ) -> Result<Vec<([u8; 37], Registration)>, StoreError> {
        self.file.run(|database| {
            let table = database.begin_read()?.open_table(REGISTRATIONS)?;
            let next = table.range::<&[u8; 37]>(range)?.take(PAGE);
            next.map(|entry| {
                let (key, value) = entry?;
                Ok((*key.value(), registration(key.value(), value.value())))
            })
            .collect()
        })
    }
}

fn key(queue: Queue, platform: &PlatformKey, tcb: Option<PckTcb>) -> [u8; 37] {
    joined(queue, platform, &tcb.unwrap_or(ALL_TCBS).to_bytes())
}

/// The first or last possible key of a platform: its TCB is filled with this byte.
fn bounds(queue: Queue, platform: &PlatformKey, fill: u8) -> [u8; 37] {
    joined(queue, platform, &[fill; 18])
}

fn joined(queue: Queue, platform: &PlatformKey, end: &[u8; 18]) -> [u8; 37] {
    let parts = [queue as u8].into_iter().chain(platform.to_bytes()).chain(*end);
    let mut key = [0; 37];
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
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
