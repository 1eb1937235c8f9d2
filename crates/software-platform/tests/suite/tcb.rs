//! TCB recovery in a platform's directory, judged by `dcap-qvl`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::{QuoteVerifier, VerifiedReport};
use sgx::ReportData;
use software_platform::{
    Cpu, Deployment, EnclaveIdentity, Microcode, MicrocodeError, PublishedTcb, SoftwareEnclave,
    SoftwarePlatform, StateError, SubjectNames, TcbStamp, TcbStatus,
};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

const CREATED: OffsetDateTime = datetime!(2026-01-31 12:00:00 UTC);
const RAISED: OffsetDateTime = datetime!(2026-02-15 08:30:00.5 UTC);
const NOW: OffsetDateTime = datetime!(2026-03-01 00:00:00 UTC);

/// A machine in a directory of its own.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        let deployment = Deployment::from_seed([3; 32], SubjectNames::Software, CREATED).unwrap();
        SoftwarePlatform::init(machine.path(), deployment).unwrap();
        machine
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The files of its state, in order, without the lock.
    fn files(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut files: Vec<_> = entries.filter(|name| name != ".lock").collect();
        files.sort();
        files
    }

    fn open(&self) -> SoftwarePlatform {
        SoftwarePlatform::open(self.path()).unwrap()
    }

    fn publish(&self, change: impl FnOnce(&SoftwarePlatform, &mut PublishedTcb)) {
        let changed = SoftwarePlatform::publish_tcb(self.path(), |platform, tcb| {
            change(platform, tcb);
            Ok(())
        });
        changed.unwrap();
    }

    fn raise(&self) {
        SoftwarePlatform::publish_tcb(self.path(), |_, tcb| tcb.raise(RAISED)).unwrap();
    }

    fn revoke_certificate(&self) {
        self.publish(|platform, tcb| tcb.revoke_certificate(*platform.pck_certificate().serial()));
    }

    fn expire(&self) {
        self.publish(|_, tcb| tcb.expire());
    }

    fn update(&self) {
        SoftwarePlatform::update_microcode(self.path()).unwrap();
    }

    /// The verdict on a new quote: status and advisories, or the reason for its rejection.
    fn verdict(&self) -> Result<(String, Vec<String>), String> {
        let platform = self.open();
        verify(&platform, &quote(&platform)).map(|report| (report.status, report.advisory_ids))
    }

    fn is_up_to_date(&self) {
        assert_eq!(self.verdict().unwrap(), ("UpToDate".to_owned(), Vec::new()));
    }
}

/// A quote of an enclave of the simulation mode, whose CPU is always the current one.
fn quote(platform: &SoftwarePlatform) -> Vec<u8> {
    let application = SoftwareEnclave::on(Cpu::Current, EnclaveIdentity::default());
    let report = application.report(&platform.target_info(), ReportData([5; 64]));
    platform.quote(&report, None).unwrap().0
}

/// The verdict with the published collateral.
fn verify(platform: &SoftwarePlatform, quote: &[u8]) -> Result<VerifiedReport, String> {
    let collateral = platform.collateral(&platform.issue(NOW)).unwrap();
    let collateral = serde_json::to_string(&collateral).unwrap();
    let collateral: QuoteCollateralV3 = serde_json::from_str(&collateral).unwrap();
    QuoteVerifier::new(platform.root_certificate().der().to_vec())
        .verify(quote, &collateral, NOW.unix_timestamp().try_into().unwrap())
        .map_err(|error| format!("{error:#}"))
}

#[test]
fn the_published_status_is_up_to_date_by_default() {
    let platform = Machine::new().open();
    let issued = |issue| serde_json::to_string(&platform.collateral(&issue).unwrap()).unwrap();
    let up_to_date = platform.deployment().up_to_date(&platform.pck_subject(), NOW);
    assert_eq!(issued(platform.issue(NOW)), issued(up_to_date));
}

#[test]
fn a_machine_is_out_of_date_from_recovery_to_update() {
    let machine = Machine::new();
    let before = machine.open();
    let old_quote = quote(&before);
    machine.is_up_to_date();

    machine.raise();
    let raised = machine.open();
    let out_of_date = ("OutOfDate".to_owned(), vec!["SOFTWARE-SA-00001".to_owned()]);
    assert_eq!(machine.verdict().unwrap(), out_of_date);
    assert_eq!(verify(&raised, &old_quote).unwrap().status, "OutOfDate");
    assert_eq!(raised.public_key_id(), before.public_key_id());
    assert_eq!(raised.pck_certificate(), before.pck_certificate());

    machine.update();
    let after = machine.open();
    machine.is_up_to_date();
    assert_eq!(verify(&after, &old_quote).unwrap().status, "OutOfDate");
    assert_ne!(after.public_key_id(), before.public_key_id());
    assert_ne!(after.pck_certificate().serial(), before.pck_certificate().serial());
    assert_eq!(after.qe_id(), before.qe_id());
    assert_eq!(after.pck_subject().ppid, before.pck_subject().ppid);
    assert!(after.target_info() == before.target_info());
}

#[test]
fn levels_have_a_date_and_advisories() {
    let machine = Machine::new();
    machine.raise();
    machine.raise();
    let issue = machine.open().issue(NOW);
    assert_eq!(issue.tcb_evaluation_data_number, 3);
    let levels: Vec<_> = issue
        .tcb_levels
        .iter()
        .map(|level| (level.cpu_svn.0[0], level.date, level.status, level.advisory_ids.join(" ")))
        .collect();
    let whole = RAISED.truncate_to_second();
    let first = Cpu::Current.cpu_svn().0[0];
    let (both, last) = ("SOFTWARE-SA-00001 SOFTWARE-SA-00002", "SOFTWARE-SA-00002");
    assert_eq!(
        levels,
        [
            (first + 2, whole, TcbStatus::UpToDate, String::new()),
            (first + 1, whole, TcbStatus::OutOfDate, last.to_owned()),
            (first, CREATED, TcbStatus::OutOfDate, both.to_owned()),
        ]
    );
}

#[test]
fn an_update_applies_all_published_recoveries() {
    let machine = Machine::new();
    let before = machine.files();
    machine.update();
    assert_eq!(machine.files(), before);

    machine.raise();
    machine.raise();
    machine.update();
    assert_eq!(machine.open().microcode().updates(), 2);
    machine.is_up_to_date();
}

#[test]
fn a_revoked_certificate_is_refused_until_it_is_replaced() {
    let (machine, other) = (Machine::new(), Machine::new());
    machine.revoke_certificate();
    let reason = machine.verdict().unwrap_err();
    assert!(reason.contains("CertRevoked"), "{reason}");

    // The certificate is that of one machine, revoked for all.
    fs::copy(machine.file("tcb.json"), other.file("tcb.json")).unwrap();
    other.is_up_to_date();
    assert!(verify(&other.open(), &quote(&machine.open())).is_err());

    machine.raise();
    assert!(machine.verdict().is_err());
    machine.update();
    machine.is_up_to_date();
}

#[test]
fn a_revoked_level_is_refused_until_it_is_left() {
    let machine = Machine::new();
    machine.publish(|platform, tcb| tcb.revoke_level(platform.microcode()));
    assert_eq!(machine.open().issue(NOW).tcb_evaluation_data_number, 2);
    assert_eq!(machine.open().tcb_level().status, TcbStatus::Revoked);
    let reason = machine.verdict().unwrap_err();
    assert!(reason.contains("Revoked"), "{reason}");

    machine.raise();
    assert!(machine.verdict().is_err());
    machine.update();
    machine.is_up_to_date();
}

#[test]
fn collateral_is_issued_when_it_has_expired() {
    let machine = Machine::new();
    machine.expire();
    let issue = machine.open().issue(NOW);
    assert_eq!(issue.next_update().unwrap(), NOW - time::Duration::DAY);
    let reason = machine.verdict().unwrap_err();
    assert!(reason.contains("CrlExpired"), "{reason}");
}

#[test]
fn a_reset_reverts_recoveries_and_repairs_damage() {
    let machine = Machine::new();
    let before = machine.open();
    machine.raise();
    machine.update();
    machine.revoke_certificate();
    machine.expire();
    fs::write(machine.file("tcb.json"), "{").unwrap();
    fs::write(machine.file("microcode.json"), "{").unwrap();

    let after = SoftwarePlatform::reset_tcb(machine.path()).unwrap();
    assert_eq!(after.public_key_id(), before.public_key_id());
    assert_eq!(after.pck_certificate(), before.pck_certificate());
    assert_eq!(after.published_tcb(), &PublishedTcb::default());
    machine.is_up_to_date();
    SoftwarePlatform::reset_tcb(machine.path()).unwrap();
}

#[test]
fn damaged_files_are_errors_and_stay() {
    let machine = Machine::new();
    machine.raise();
    machine.update();
    for name in ["tcb.json", "microcode.json"] {
        let good = fs::read_to_string(machine.file(name)).unwrap();
        let unknown = good.replacen('{', "{\"unknown\": 1,", 1);
        let version = good.replacen("\"version\": 1", "\"version\": 2", 1);
        let half = &good[..good.len() / 2];
        for bad in ["", half, unknown.as_str(), version.as_str()] {
            fs::write(machine.file(name), bad).unwrap();
            let error = SoftwarePlatform::open(machine.path()).err().unwrap();
            assert!(matches!(error, StateError::DamagedTcb { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(name) && text.contains("--reset"), "{text}");
            assert!(SoftwarePlatform::publish_tcb(machine.path(), |_, _| Ok(())).is_err());
            assert!(SoftwarePlatform::update_microcode(machine.path()).is_err());
            assert_eq!(fs::read_to_string(machine.file(name)).unwrap(), bad);
        }
        fs::write(machine.file(name), good).unwrap();
    }
    machine.is_up_to_date();
}

#[test]
fn inconsistent_contents_are_damaged() {
    let machine = Machine::new();
    let level = r#"{"version":1,"recoveries":[],"revoked_levels":[1],"revoked_pck_serials":[],"expired":false}"#;
    fs::write(machine.file("tcb.json"), level).unwrap();
    let error = SoftwarePlatform::open(machine.path()).err().unwrap().to_string();
    assert!(error.contains("revokes a TCB level that was never published"), "{error}");

    fs::remove_file(machine.file("tcb.json")).unwrap();
    fs::write(machine.file("microcode.json"), r#"{"version":1,"updates":184}"#).unwrap();
    let error = SoftwarePlatform::open(machine.path()).err().unwrap().to_string();
    assert!(error.contains("at most 183 microcode updates"), "{error}");
}

#[test]
fn lost_microcode_is_an_error() {
    let machine = Machine::new();
    machine.raise();
    machine.update();
    let key = fs::read(machine.file("attestation-key.sealed")).unwrap();
    fs::remove_file(machine.file("microcode.json")).unwrap();
    let error = SoftwarePlatform::open(machine.path()).err().unwrap();
    assert!(matches!(error, StateError::AttestationKey { .. }), "{error}");
    assert_eq!(fs::read(machine.file("attestation-key.sealed")).unwrap(), key);
    SoftwarePlatform::reset_tcb(machine.path()).unwrap();
}

#[test]
fn a_failed_write_changes_nothing() {
    let machine = Machine::new();
    fs::create_dir(machine.file("microcode.json.d")).unwrap();
    machine.raise();
    let before = machine.open().public_key_id();
    // Nobody, not even root, can replace a directory by a file.
    fs::rename(machine.file("microcode.json.d"), machine.file("microcode.json")).unwrap();
    let error = SoftwarePlatform::update_microcode(machine.path()).err().unwrap();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    fs::remove_dir(machine.file("microcode.json")).unwrap();
    assert_eq!(machine.open().public_key_id(), before);
}

#[test]
fn the_number_of_recoveries_is_bounded() {
    let mut tcb = PublishedTcb::default();
    for _ in 0..Microcode::LAST.updates() {
        tcb.raise(RAISED).unwrap();
    }
    let full = tcb.clone();
    assert_eq!(tcb.raise(RAISED), Err(MicrocodeError));
    assert_eq!(tcb, full);
    assert_eq!(tcb.newest_microcode(), Microcode::LAST);
}

#[test]
fn concurrent_recoveries_all_count() {
    let machine = Machine::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| machine.raise());
        }
    });
    assert_eq!(machine.open().published_tcb().evaluation_data_number(), 9);
}

#[test]
fn commands_without_a_platform_create_nothing() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("missing");
    let results = [
        SoftwarePlatform::publish_tcb(&directory, |_, tcb| tcb.raise(RAISED)),
        SoftwarePlatform::update_microcode(&directory),
        SoftwarePlatform::reset_tcb(&directory),
    ];
    for result in results {
        assert!(matches!(result, Err(StateError::NotInitialized(_))));
    }
    assert!(!directory.exists());
}

#[test]
fn each_change_has_a_new_stamp() {
    let machine = Machine::new();
    let mut stamps = vec![TcbStamp::of(machine.path())];
    let changes: [fn(&Machine); 4] =
        [Machine::raise, Machine::update, Machine::revoke_certificate, Machine::expire];
    for change in changes {
        change(&machine);
        stamps.push(TcbStamp::of(machine.path()));
        assert_eq!(stamps.last(), Some(&TcbStamp::of(machine.path())));
    }
    for pair in stamps.windows(2) {
        assert!(pair.first() != pair.last(), "{stamps:?}");
    }
}
