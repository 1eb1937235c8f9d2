//! The platform's directory: persistence, errors, and no loss of data.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use software_platform::{Deployment, SoftwarePlatform, StateError, SubjectNames, UnsealError};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

const CREATED: OffsetDateTime = datetime!(2026-01-31 12:00:00 UTC);
const FILES: [&str; 3] = ["deployment.json", "machine.json", "attestation-key.sealed"];

#[test]
fn a_platform_opened_again_is_the_same() {
    let directory = initialized();
    let first = SoftwarePlatform::open(directory.path()).unwrap();
    let contents = contents(directory.path());
    let second = SoftwarePlatform::open(directory.path()).unwrap();
    assert_eq!(first.public_key_id(), second.public_key_id());
    assert_eq!(first.qe_id(), second.qe_id());
    assert_eq!(first.pck_certificate(), second.pck_certificate());
    assert_eq!(first.encrypted_ppid(), second.encrypted_ppid());
    assert_eq!(contents, self::contents(directory.path()));
}

#[test]
fn machines_share_a_root_and_have_their_own_keys() {
    let (one, other) = (initialized(), initialized());
    let one = SoftwarePlatform::open(one.path()).unwrap();
    let other = SoftwarePlatform::open(other.path()).unwrap();
    assert_eq!(one.root_certificate(), other.root_certificate());
    assert_ne!(one.qe_id(), other.qe_id());
    assert_ne!(one.public_key_id(), other.public_key_id());
}

#[test]
fn a_machine_joins_the_deployment_that_it_finds() {
    let (first, second) = (initialized(), TempDir::new().unwrap());
    let name = "deployment.json";
    fs::copy(first.path().join(name), second.path().join(name)).unwrap();
    let first = SoftwarePlatform::open(first.path()).unwrap();
    let second = SoftwarePlatform::open(second.path()).unwrap();
    assert_eq!(first.root_certificate(), second.root_certificate());
    assert_ne!(first.qe_id(), second.qe_id());
}

#[test]
fn only_the_owner_can_read_it() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("below/state");
    SoftwarePlatform::init(&directory, deployment()).unwrap();
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), FILES.len());
    for name in FILES {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
}

#[test]
fn init_keeps_existing_files() {
    let directory = initialized();
    let contents = contents(directory.path());
    let result = SoftwarePlatform::init(directory.path(), deployment());
    assert!(matches!(error(result), StateError::AlreadyInitialized(_)));
    assert_eq!(contents, self::contents(directory.path()));
}

#[test]
fn open_creates_no_deployment() {
    let directory = TempDir::new().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing")] {
        let result = SoftwarePlatform::open(&path);
        assert!(matches!(error(result), StateError::NotInitialized(_)));
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn open_or_init_creates_a_stable_platform() {
    let directory = TempDir::new().unwrap();
    let open = || {
        let names = SubjectNames::Software;
        SoftwarePlatform::open_or_init(directory.path(), names, CREATED).unwrap()
    };
    assert_eq!(open().root_certificate(), open().root_certificate());
}

#[test]
fn concurrent_starts_share_one_platform() {
    let directory = TempDir::new().unwrap();
    let open = || {
        let names = SubjectNames::Software;
        let platform = SoftwarePlatform::open_or_init(directory.path(), names, CREATED).unwrap();
        (platform.root_certificate().clone(), platform.qe_id(), platform.public_key_id())
    };
    let platforms = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let kept = open();
    assert!(platforms.iter().all(|platform| *platform == kept));
}

#[test]
fn every_damaged_byte_of_the_secrets_is_an_error_and_stays() {
    for name in ["deployment.json", "machine.json"] {
        let directory = initialized();
        let path = directory.path().join(name);
        let good = fs::read(&path).unwrap();
        let digits = good.iter().enumerate().filter(|(_, byte)| byte.is_ascii_hexdigit());
        for (position, byte) in digits {
            let mut bad = good.clone();
            bad[position] = if *byte == b'0' { b'1' } else { b'0' };
            fs::write(&path, &bad).unwrap();
            let error = error(SoftwarePlatform::open(directory.path()));
            assert!(matches!(error, StateError::Damaged { .. }), "{name} {position}: {error}");
            assert!(error.to_string().contains(name));
            assert_eq!(fs::read(&path).unwrap(), bad);
        }
    }
}

#[test]
fn unknown_fields_and_half_files_are_errors() {
    for name in ["deployment.json", "machine.json"] {
        let directory = initialized();
        let path = directory.path().join(name);
        let good = fs::read_to_string(&path).unwrap();
        let unknown = good.replacen('{', "{\"unknown\": 1,", 1);
        for bad in ["", &good[..good.len() / 2], &unknown] {
            fs::write(&path, bad).unwrap();
            let error = error(SoftwarePlatform::open(directory.path()));
            assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        }
    }
}

#[test]
fn a_damaged_attestation_key_is_an_error_and_stays() {
    let directory = initialized();
    let before = SoftwarePlatform::open(directory.path()).unwrap().public_key_id();
    let path = directory.path().join("attestation-key.sealed");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    match error(SoftwarePlatform::open(directory.path())) {
        StateError::AttestationKey { file, reason: UnsealError::Damaged } => assert_eq!(file, path),
        error => panic!("{error}"),
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);

    // As the message says: without the file the same key is made again.
    fs::remove_file(&path).unwrap();
    let after = SoftwarePlatform::open(directory.path()).unwrap().public_key_id();
    assert_eq!(before, after);
}

#[test]
fn a_lost_file_is_not_recreated() {
    for name in ["deployment.json", "machine.json"] {
        let directory = initialized();
        fs::remove_file(directory.path().join(name)).unwrap();
        let contents = contents(directory.path());
        let names = SubjectNames::Software;
        let results = [
            SoftwarePlatform::open(directory.path()),
            SoftwarePlatform::open_or_init(directory.path(), names, CREATED),
        ];
        for result in results {
            match error(result) {
                StateError::Lost { lost, .. } => assert!(lost.ends_with(name)),
                error => panic!("{error}"),
            }
        }
        assert_eq!(contents, self::contents(directory.path()));
    }
}

#[test]
fn a_file_in_the_place_of_the_directory_is_an_error() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "mine").unwrap();
    for directory in [file.clone(), file.join("below")] {
        for result in
            [SoftwarePlatform::open(&directory), SoftwarePlatform::init(&directory, deployment())]
        {
            let error = error(result);
            assert!(matches!(error, StateError::Io { .. }), "{error}");
            assert!(error.to_string().contains("file"));
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

fn deployment() -> Deployment {
    Deployment::from_seed([3; 32], SubjectNames::Software, CREATED).unwrap()
}

fn initialized() -> TempDir {
    let directory = TempDir::new().unwrap();
    SoftwarePlatform::init(directory.path(), deployment()).unwrap();
    directory
}

fn contents(directory: &Path) -> Vec<Option<Vec<u8>>> {
    FILES.iter().map(|name| fs::read(directory.join(name)).ok()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn error(result: Result<SoftwarePlatform, StateError>) -> StateError {
    result.err().unwrap()
}
