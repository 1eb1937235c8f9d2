//! Alerts of deploy/monitoring lead to their sections in docs/alerts.md.

use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rests of the lines that begin with this.
fn rests<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(begin)).collect()
}

#[test]
fn each_alert_has_a_section_and_leads_to_its_anchor() {
    let rules = read("deploy/monitoring/prometheus-rules.yaml");
    let alerts = rests(&rules, "      - alert: ");
    assert_eq!(rests(&read("docs/alerts.md"), "## "), alerts);
    let url = "          runbook_url: \"{{ with $externalLabels.runbooks }}{{ . }}/{{ end }}";
    let anchors = alerts.iter().map(|alert| format!("docs/alerts.md#{}\"", alert.to_lowercase()));
    assert_eq!(rests(&rules, url), anchors.collect::<Vec<_>>());
}

#[test]
fn each_alert_is_seen_to_fire_and_not_to_fire() {
    let tests = read("deploy/monitoring/prometheus-rules-test.yaml");
    for alert in rests(&read("deploy/monitoring/prometheus-rules.yaml"), "      - alert: ") {
        for outcome in ["fires", "does not fire"] {
            assert!(tests.contains(&format!("  - name: {alert} {outcome}")), "{alert} {outcome}");
        }
    }
}
