mod growth;

use std::fs;
use std::path::PathBuf;

use sgx::CpuSvn;
use verify::PckCa;

use super::*;

fn tcb(pce_svn: u16) -> PckTcb {
    PckTcb { cpu_svn: CpuSvn([3; 16]), pce_svn }
}

fn key(number: u8) -> PlatformKey {
    PlatformKey { qe_id: [number; 16], pce_id: [0; 2] }
}

fn platform() -> StoredPlatform {
    let encrypted_ppid = vec![7; 384];
    StoredPlatform { fmspc: [1; 6], ca: PckCa::Platform, encrypted_ppid, manifest: Vec::new() }
}

fn certificates(pce_svns: &[u16]) -> PckCertificates {
    let certificates =
        pce_svns.iter().map(|pce_svn| (tcb(*pce_svn), pce_svn.to_le_bytes().to_vec()));
    PckCertificates { issuer_chain: "chain".to_owned(), certificates: certificates.collect() }
}

struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("platforms.redb")
    }

    fn open(&self) -> Result<PlatformStore, StoreError> {
        PlatformStore::open(&self.path())
    }
}

#[test]
fn stored_platforms_survive_closing() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    assert_eq!(store.platform(&key(1)).unwrap(), None);
    let choose = |tcb: &PckTcb| (tcb.pce_svn >= 12).then(|| super::tests::tcb(12));
    let tcbs = [tcb(13), tcb(11)];
    store
        .replace(&key(1), &platform(), &certificates(&[12, 11]), &tcbs, choose, Authority::User)
        .unwrap();
    drop(store);
    let store = scratch.open().unwrap();
    assert_eq!(store.platform(&key(1)).unwrap(), Some(platform()));
    assert_eq!(store.offered(&key(1)).unwrap(), [tcb(11), tcb(12)]);
    let chosen = store.chosen(&key(1), &tcb(13)).unwrap().unwrap();
    assert_eq!(chosen.issuer_chain, "chain");
    assert_eq!(pem::parse(&chosen.body).unwrap().contents(), 12_u16.to_le_bytes());
    assert_eq!(store.chosen(&key(1), &tcb(11)).unwrap(), None);
    assert_eq!(store.chosen(&key(2), &tcb(13)).unwrap(), None);
    assert_eq!(store.count().unwrap(), 1);
}

#[test]
fn a_new_list_takes_the_place_of_the_old_one_and_of_no_other_platform() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    for number in [0, 1, 2, 0xff] {
        let choose = |_: &PckTcb| Some(tcb(12));
        store
            .replace(
                &key(number),
                &platform(),
                &certificates(&[12]),
                &[tcb(14)],
                choose,
                Authority::User,
            )
            .unwrap();
    }
    let choose = |_: &PckTcb| Some(tcb(13));
    let unknown = StoredPlatform { encrypted_ppid: Vec::new(), ..platform() };
    store.replace(&key(1), &unknown, &certificates(&[13]), &[], choose, Authority::User).unwrap();
    assert_eq!(store.offered(&key(1)).unwrap(), [tcb(13)]);
    assert!(store.chosen(&key(1), &tcb(14)).unwrap().is_some());
    assert_eq!(store.platform(&key(1)).unwrap(), Some(platform()));
    for number in [0, 2, 0xff] {
        assert_eq!(store.offered(&key(number)).unwrap(), [tcb(12)]);
    }
}

#[test]
fn shared_issuer_chains_are_there_once() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    for number in 0..20 {
        store
            .add(&key(number), &platform(), &certificates(&[12]), &tcb(12), Authority::User)
            .unwrap();
    }
    let other = PckCertificates { issuer_chain: "other".to_owned(), ..certificates(&[12]) };
    store.add(&key(20), &platform(), &other, &tcb(12), Authority::User).unwrap();
    let read = |number| store.chosen(&key(number), &tcb(12)).unwrap().unwrap().issuer_chain;
    assert_eq!((read(3).as_str(), read(20).as_str()), ("chain", "other"));
    let chains = store
        .file
        .run(|database| Ok(database.begin_read()?.open_table(tables::ISSUER_CHAINS)?.len()?));
    assert_eq!(chains.unwrap(), 2);
}

#[test]
fn a_platform_has_sixteen_tcbs_at_the_most() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    store.add(&key(1), &platform(), &certificates(&[12]), &tcb(12), Authority::User).unwrap();
    for pce_svn in 100..200 {
        store.choose(&key(1), &tcb(pce_svn), &tcb(12)).unwrap();
    }
    assert!(store.chosen(&key(1), &tcb(114)).unwrap().is_some());
    assert!(store.chosen(&key(1), &tcb(115)).unwrap().is_none());
}

#[test]
fn all_platforms_are_visited() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    let keys = (0..600_u16).map(|number| {
        let mut qe_id = [0; 16];
        qe_id[..2].copy_from_slice(&number.to_be_bytes());
        PlatformKey { qe_id, pce_id: [0; 2] }
    });
    let keys: Vec<_> = keys.collect();
    for key in &keys {
        store.add(key, &platform(), &certificates(&[12]), &tcb(12), Authority::User).unwrap();
    }
    let mut visited = Vec::new();
    let visit = |listed: ListedPlatform| {
        assert_eq!((listed.platform, listed.tcbs), (platform(), vec![tcb(12)]));
        visited.push(listed.key);
        visited.len() < 590
    };
    store.visit(visit).unwrap();
    assert_eq!(visited, keys[..590]);
}

fn registered(store: &PlatformStore, queue: Queue) -> Vec<Registration> {
    let mut registered = Vec::new();
    let visit = |registration| {
        registered.push(registration);
        true
    };
    store.visit_registered(queue, visit).unwrap();
    assert_eq!(store.registered_count(queue).unwrap(), registered.len() as u64);
    registered
}

#[test]
fn registrations_stay_queued_until_acknowledged() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    let registration = |number: u8, tcb: Option<PckTcb>| Registration {
        platform: key(number),
        tcb,
        encrypted_ppid: vec![8; 384],
        manifest: vec![number; 9],
    };
    let (first, second) = (registration(1, Some(tcb(12))), registration(2, None));
    let third = registration(1, Some(tcb(13)));
    for registration in [&second, &first, &first, &third] {
        store.register(Queue::New, registration).unwrap();
    }
    store.set_not_available(&first, &[tcb(12), tcb(14)]).unwrap();
    store.set_not_available(&first, &[tcb(12)]).unwrap();
    for _ in 0..2 {
        let all = [first.clone(), third.clone(), second.clone()];
        assert_eq!(registered(&store, Queue::New), all);
        assert_eq!(registered(&store, Queue::NotAvailable), std::slice::from_ref(&first));
    }
    // Registrations that came after the certificates were fetched stay.
    store.acknowledge(&key(1), &[tcb(12)], &[]).unwrap();
    assert_eq!(registered(&store, Queue::New), [third.clone(), second.clone()]);
    assert_eq!(registered(&store, Queue::NotAvailable), []);
    store.acknowledge(&key(2), &[], &[3; 9]).unwrap();
    assert_eq!(registered(&store, Queue::New), [third.clone(), second]);
    store.acknowledge(&key(2), &[], &[2; 9]).unwrap();
    store.unregister(Queue::New, &third).unwrap();
    assert_eq!(registered(&store, Queue::New), []);
}

#[test]
fn a_large_queue_is_read_in_parts() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    for number in 0..200 {
        let (platform, encrypted_ppid) = (key(number), vec![1; 384]);
        let registration = Registration { platform, tcb: None, encrypted_ppid, manifest: vec![] };
        store.register(Queue::New, &registration).unwrap();
    }
    assert_eq!(registered(&store, Queue::New).len(), 200);
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let scratch = Scratch::new();
    let _store = scratch.open().unwrap();
    let error = scratch.open().map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("platforms.redb"), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_and_stays_as_it_is() {
    let scratch = Scratch::new();
    let store = scratch.open().unwrap();
    for number in 0..200 {
        store
            .add(&key(number), &platform(), &certificates(&[12]), &tcb(12), Authority::User)
            .unwrap();
    }
    drop(store);
    let whole = fs::read(scratch.path()).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    let at = whole.windows(384).position(|window| window == [7; 384]).unwrap();
    let half = whole[..whole.len() / 2].to_vec();
    for bytes in [b"no database at all".to_vec(), half, flipped(0), flipped(at + 100)] {
        fs::write(scratch.path(), &bytes).unwrap();
        let error = scratch.open().map(drop).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("platforms.redb"), "{error}");
        assert!(fs::read(scratch.path()).unwrap() == bytes);
    }
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let error = PlatformStore::open(Path::new("/no/such/platforms.redb")).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
}
