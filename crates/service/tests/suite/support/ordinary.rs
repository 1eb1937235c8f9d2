//! The Quoter of ordinary services: another one in each run of the suite.

use std::path::Path;
use std::sync::Arc;

use quoting::{ServedQuoter, SoftwareQuoter};
use service::Metrics;
use software_platform::SoftwarePlatform;

use super::deployment;
use crate::every_quoter::{LIBRARY, QUOTER};
use crate::workers;

/// A Quoter on a new software platform.
pub(super) async fn quoter(state_dir: &Path, metrics: &Metrics) -> Arc<dyn ServedQuoter> {
    match std::env::var(QUOTER).as_deref() {
        Err(_) => {
            let platform = SoftwarePlatform::init(state_dir, deployment()).unwrap();
            Arc::new(SoftwareQuoter::new(Arc::new(platform)))
        }
        Ok("workers") => {
            SoftwarePlatform::init(state_dir, deployment()).unwrap();
            Arc::new(workers::start(workers::software(state_dir), metrics).await)
        }
        Ok("dcap") => {
            let library = std::env::var_os(LIBRARY).unwrap();
            Arc::new(workers::start(workers::dcap(library), metrics).await)
        }
        Ok(other) => panic!("there is no Quoter {other}"),
    }
}
