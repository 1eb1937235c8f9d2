//! The Job of docs/from-aks.md, as Microsoft's page has it: the API server refuses its number, and
//! accepts the output of `inject`.

use std::path::Path;
use std::process::Command;

use test_support::succeeded;

use crate::cluster::{kubectl, try_kubectl};

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn the_job_of_the_aks_page_is_accepted_after_inject() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/from-aks.md");
    let page = std::fs::read_to_string(page).unwrap();
    let job = page.split("```").find_map(|block| block.strip_prefix("yaml\n")).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), job).unwrap();
    let create = ["create", "--dry-run=server", "-n=default", "-f=-"];
    let refused = try_kubectl(&create, job);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot unmarshal number"));
    let mut inject = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
    let injected = succeeded(inject.args(["inject", "-f"]).arg(file.path()));
    assert!(kubectl(&create, &injected).contains("created (server dry run)"));
}
