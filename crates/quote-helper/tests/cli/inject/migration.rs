//! The YAML of docs/from-aks.md and docs/from-intel.md: each page has a Job as others write it, and
//! the same after `inject`.

use std::fs;
use std::path::Path;

use crate::support::Machine;

/// The text of the page's blocks of YAML, in order.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[track_caller]
fn becomes(page: &str) -> (String, String) {
    let blocks = blocks(page);
    let machine = Machine::new();
    machine.write("job.yaml", &blocks[0]);
    let injected = machine.succeed("inject -f job.yaml");
    assert_eq!(injected.stdout, blocks[1], "{page}: the second block");
    (blocks[0].clone(), injected.stderr)
}

/// Microsoft's page has a number as the value of the variable, which the API server refuses.
#[test]
fn the_job_of_the_aks_page_becomes_valid() {
    let (before, notes) = becomes("from-aks.md");
    assert!(before.contains("          value: 1\n"), "{before}");
    assert!(notes.contains(r#"the number 1, where the API server takes only strings"#), "{notes}");
    assert_eq!(notes.matches("warning: ").count(), 1, "{notes}");
}

#[test]
fn the_job_for_intels_webhook_gets_the_same_from_inject() {
    let (_, notes) = becomes("from-intel.md");
    assert_eq!(notes, "");
}
