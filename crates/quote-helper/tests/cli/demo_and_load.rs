//! `demo` and `load`.

use std::time::{Duration, Instant};

use crate::support::{Machine, RunResult, eventually};

#[test]
fn the_demonstration_is_quick_and_leaves_nothing_behind() {
    let machine = Machine::new();
    let begin = Instant::now();
    let ended = RunResult::of(machine.command("demo").env("TMPDIR", machine.path(""))).with_code(0);
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(ended.stdout.contains("Bob answers; Alice reads \"understood\""), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("is refused\n").count(), 3, "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    assert_eq!(std::fs::read_dir(machine.path("")).unwrap().count(), 0);
}

#[test]
fn load_is_measured() {
    let machine = Machine::new();
    let _serve = machine.serve();
    for operation in ["quote", "key-ids"] {
        let figures = machine
            .succeed(&format!(
                "load --socket aesm.socket --clients 4 --duration 200ms --operation {operation} \
                 --output json"
            ))
            .json();
        assert_eq!(figures["errors"], 0, "{figures}");
        let figure = |name: &str| figures[name].as_f64().unwrap();
        assert!(figure("requests") > 0.0 && figure("requests_per_second") > 0.0, "{figures}");
        let latencies = ["p50", "p99", "max"].map(|rank| figure(&format!("latency_{rank}_us")));
        assert!(latencies.is_sorted() && latencies[0] > 0.0, "{figures}");
    }
}

#[test]
fn load_survives_a_change_of_the_attestation_key() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.succeed("platform tcb --raise --state-dir state");
    let line = "load --socket aesm.socket --clients 4 --duration 15s --output json";
    let load = machine.command(line).spawn().unwrap();
    let is_counted = |outcome: &str| {
        serve.metrics().contains(&format!("{{operation=\"GetQuoteEx\",outcome=\"{outcome}\"}}"))
    };
    eventually("quotes are made", || is_counted("SUCCESS"));
    machine.succeed("platform tcb --update --state-dir state");
    eventually("the key has changed", || is_counted("ATT_KEY_NOT_INITIALIZED"));
    let output = load.wait_with_output().unwrap();
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["errors"], 0, "{figures}");
}

#[test]
fn load_needs_a_service() {
    let ended = Machine::new().run("load --socket nobody.socket --duration 1s").with_code(1);
    ended.says(&["cannot connect to the quote service at nobody.socket", "Is the service running"]);
    let reason = "No such file or directory";
    assert_eq!(ended.stderr.matches(reason).count(), 1, "said twice: {}", ended.stderr);
}
