//! Proxies: for the sources that the environment names, and never for local services.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::Site;
use crate::support::{Machine, RunResult};

/// A proxy that records the first request and hangs up.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            sender.send(first_line(stream.unwrap())).unwrap();
        }
    });
    (url, asked)
}

fn first_line(stream: TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

/// Fetches from this source; its name need not be known.
fn fetch(machine: &Machine, source: &str) -> Command {
    let mut command = machine.command(&format!(
        "collateral fetch --fmspc 00906ED50000 --ca processor --cache-dir cache --timeout 500ms \
         --source {source}"
    ));
    command.env("QUOTE_HELPER_COLLATERAL_RETRIES", "0");
    command
}

#[test]
fn requests_use_the_proxy_of_the_environment() {
    let (url, asked) = proxy();
    for (variable, source) in [
        ("http_proxy", "http://pccs.invalid:8081"),
        ("HTTPS_PROXY", "https://pccs.invalid:8081"),
        ("ALL_PROXY", "https://pccs.invalid:8081"),
    ] {
        let machine = Machine::new();
        RunResult::of(fetch(&machine, source).env(variable, &url)).with_code(1);
        let line = asked.recv_timeout(Duration::from_secs(5)).expect(variable);
        assert!(line.contains("pccs.invalid:8081"), "{variable}: {line}");
    }
}

#[test]
fn hosts_in_no_proxy_are_requested_directly() {
    let (machine, (url, asked)) = (Machine::new(), proxy());
    let mut excepted = fetch(&machine, "https://pccs.invalid:8081");
    RunResult::of(excepted.env("ALL_PROXY", &url).env("NO_PROXY", "pccs.invalid")).with_code(1);
    assert!(asked.try_recv().is_err());
}

#[test]
fn azures_local_service_is_requested_directly() {
    let (site, (url, asked)) = (Site::new(), proxy());
    for variable in ["ALL_PROXY", "http_proxy", "HTTP_PROXY"] {
        let line = "collateral fetch --quote q.bin --cache-dir cache --timeout 500ms --source thim";
        RunResult::of(site.machine.command(line).env(variable, &url)).with_code(1);
    }
    assert!(asked.try_recv().is_err());
}
