//! SHA-256, and report data that carries it.

use aws_lc_rs::digest;
use sgx::ReportData;

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Report data that binds the parts: their SHA-256, then 32 zero bytes.
pub(crate) fn report_data(parts: &[&[u8]]) -> ReportData {
    let mut report_data = ReportData::default();
    let (first, _) = report_data.0.split_at_mut(32);
    first.copy_from_slice(&sha256(parts));
    report_data
}
