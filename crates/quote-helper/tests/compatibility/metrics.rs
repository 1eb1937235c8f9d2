//! Names, types, units and labels of metrics.

use std::collections::BTreeSet;
use std::fs;

use test_support::release::{keeps_lines, repository};

use crate::support::{KUBECONFIG, Machine, Serve, eventually};

/// Pages with tables of metrics, and the prefix that their names lack.
const PAGES: [(&str, &str); 4] = [
    ("monitoring.md", ""),
    ("collateral-server.md", ""),
    ("device-plugin.md", "quote_helper_device_plugin_"),
    ("webhook.md", "quote_helper_webhook_"),
];

#[test]
fn metrics_of_earlier_releases_stay() {
    let mut lines = documented();
    lines.extend(served("serve", &quote_service()));
    lines.extend(served("collateral serve", &collateral_server()));
    lines.extend(served("device-plugin", &device_plugin()));
    lines.extend(served("webhook", &webhook()));
    keeps_lines("metrics.txt", &lines);
}

/// The metrics in the tables of pages: the first cell of a row, in backquotes.
fn documented() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (page, prefix) in PAGES {
        let text = fs::read_to_string(repository().join("docs").join(page)).unwrap();
        for row in rows(&text) {
            let cell = row.split(" |").next().unwrap();
            let names = cell.split('`').skip(1).step_by(2).map(|name| format!("{prefix}{name}"));
            let metrics = names.filter(|name| is_metric(name));
            lines.extend(metrics.map(|name| format!("docs/{page} has {name}")));
        }
    }
    assert!(lines.len() > 30, "{lines:#?}");
    lines
}

/// The rows of the tables whose first column has metrics.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    let is_row = |line: &&str| line.starts_with('|');
    let tables = page.split("\n| metric").skip(1);
    tables.flat_map(move |table| table.lines().skip(1).take_while(is_row))
}

/// True for the name of a metric, maybe with labels.
fn is_metric(name: &str) -> bool {
    let is_part = |at: u8| at.is_ascii_lowercase() || at.is_ascii_digit() || b"_{},".contains(&at);
    name.starts_with("quote_helper_") && name.bytes().all(is_part)
}

/// The families and series of an answer to `/metrics`, without values.
fn served(command: &str, answer: &str) -> BTreeSet<String> {
    let (_, text) = answer.split_once("\r\n\r\n").unwrap();
    let family = |line: &str| {
        let kind = ["# TYPE ", "# UNIT "].into_iter().find_map(|kind| line.strip_prefix(kind))?;
        Some(format!("{command}: {kind}"))
    };
    let series = |line: &str| {
        let (name, labels) = match line.split_once('{') {
            Some((name, rest)) => (name, label_names(rest)),
            None => (line.split(' ').next()?, String::new()),
        };
        (!line.starts_with('#')).then(|| format!("{command}: {name}{{{labels}}}"))
    };
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.filter_map(|line| family(line).or_else(|| series(line))).collect()
}

/// The names of labels such as `limit="queue",le="1.0"} 3`. No value here has a quote or a comma.
fn label_names(labels: &str) -> String {
    let labels = labels.split('}').next().unwrap_or_default().split(',');
    let mut names: Vec<&str> = labels.filter_map(|label| label.split('=').next()).collect();
    names.sort_unstable();
    names.join(",")
}

fn quote_service() -> String {
    let machine = Machine::new();
    let line = format!("{} --isolate --workers 2", crate::support::SERVE);
    let serve = Serve::start(&mut machine.command(&line));
    machine.quote("07");
    eventually("a canary quote", || serve.get("/readyz").starts_with("HTTP/1.1 200"));
    let is_known = |serve: &Serve| serve.metrics().contains("quote_helper_tcb_status{");
    eventually("the TCB status", || is_known(&serve));
    serve.metrics()
}

fn collateral_server() -> String {
    let machine = Machine::new();
    let source = machine.serve();
    machine.quote("07");
    machine.succeed("platform root --state-dir state --out root.pem");
    let line = format!(
        "collateral serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --state-dir server \
         --log-format json --trusted-root root.pem --source {}",
        source.pccs()
    );
    let server = Serve::start_until(&mut machine.command(&line), "collateral");
    machine.succeed(&format!("verify q.bin --trusted-root root.pem --source {}", server.pccs()));
    server.metrics()
}

fn device_plugin() -> String {
    let machine = Machine::new();
    let line = "device-plugin --plugin-dir plugins --cdi-dir cdi --epc-size 1GiB \
                --epc-accounting devices --metrics-listen 127.0.0.1:0 --log-format json";
    Serve::start_until(&mut machine.command(line), "metrics").metrics()
}

fn webhook() -> String {
    let machine = Machine::new();
    machine.write("kubeconfig", KUBECONFIG);
    let line = "webhook --listen 127.0.0.1:0 --namespace here --metrics-listen 127.0.0.1:0 \
                --log-format json";
    let mut command = machine.command(line);
    command.env("KUBECONFIG", machine.path("kubeconfig"));
    Serve::start_until(&mut command, "metrics").metrics()
}
