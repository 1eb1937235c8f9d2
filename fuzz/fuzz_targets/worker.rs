//! A worker through its front door: each request gets its reply, in turn, and damaged bytes end the
//! worker.
#![no_main]

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock};
use std::thread;

use fuzz::messages;
use libfuzzer_sys::fuzz_target;
use quoting::{Quoter, SoftwareQuoter};
use sgx::{AttestationKeyId, QeReportInfo, Report};

/// REPORT and attestation key id, without QE report info and with it.
const REQUEST_SIZES: [usize; 2] = [SMALLEST_REQUEST, SMALLEST_REQUEST + size_of::<QeReportInfo>()];
const SMALLEST_REQUEST: usize = size_of::<Report>() + size_of::<AttestationKeyId>();

/// The largest message between service and worker.
const MAX_MESSAGE: usize = 128 * 1024;

static QUOTER: LazyLock<SoftwareQuoter> =
    LazyLock::new(|| SoftwareQuoter::new(Arc::new(fuzz::platform())));

fuzz_target!(|bytes: &[u8]| {
    let (mut service, worker) = UnixStream::pair().expect("a pair of sockets");
    let working =
        thread::spawn(|| service::run_worker(worker, || Ok(Box::new(QUOTER.clone()) as Box<dyn Quoter>)));
    // A worker that has read nonsense is gone.
    let _ = service.write_all(bytes);
    let _ = service.shutdown(Shutdown::Write);
    let mut received = Vec::new();
    let reset = match service.read_to_end(&mut received) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    };
    let worked = working.join().expect("no panic");
    let whole = |request: &&[u8]| REQUEST_SIZES.contains(&request.len());
    let requests = messages(bytes, MAX_MESSAGE).take_while(whole).count();
    let replies = messages(&received, MAX_MESSAGE).count();
    if worked.is_ok() && !reset {
        assert_eq!(replies, requests + 1, "the first one says that the worker is ready");
    }
    assert!(replies <= requests + 1);
});
