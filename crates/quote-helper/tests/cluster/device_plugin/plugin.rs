//! A device plugin on the node.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use super::host::Host;
use super::program::Program;
use crate::cluster::{eventually, node_address, node_name};

/// `quote-helper device-plugin`; killed when dropped.
pub(crate) struct Plugin {
    program: Program,
    http: String,
}

impl Plugin {
    /// A ready plugin with these arguments, separated by spaces. EPC is counted in devices by
    /// default: the kubelet would keep a resource at zero for minutes after a change.
    #[track_caller]
    pub(crate) fn start(host: &Host, arguments: &str) -> Self {
        let mut all: Vec<OsString> = vec!["device-plugin".into()];
        if !arguments.contains("--epc-accounting") {
            all.extend(["--epc-accounting", "devices"].map(Into::into));
        }
        all.extend(arguments.split_whitespace().map(Into::into));
        all.extend(["--device-dir".into(), host.device_dir().into_os_string()]);
        all.extend(["--aesm-dir".into(), host.aesm_dir().into_os_string()]);
        let address = node_address();
        all.extend(["--node-name".into(), node_name().into()]);
        all.extend(["--metrics-listen".into(), format!("{address}:0").into()]);

        let mut program = Program::start(&all);
        let http = program.event("serving metrics")["address"].as_str().unwrap().to_owned();
        let plugin = Self { program, http };
        eventually("/readyz", || plugin.get("/readyz").starts_with("HTTP/1.1 200").then_some(()));
        plugin
    }

    /// The value of a metric, by its name without the common prefix.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let metrics = self.get("/metrics");
        let name = format!("quote_helper_device_plugin_{name} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name))?;
        Some(value.parse().unwrap())
    }

    /// The allocated quantity of the resource.
    pub(crate) fn allocated(&self, resource: &str) -> Option<u64> {
        self.metric(&format!(r#"allocated{{resource="{resource}"}}"#))
    }

    /// The number of accepted registrations of the resource.
    pub(crate) fn registrations(&self, resource: &str) -> Option<u64> {
        self.metric(&format!(r#"registrations_total{{resource="{resource}",code="Ok"}}"#))
    }

    /// The time of its start.
    pub(crate) fn started(&self) -> SystemTime {
        *self.program.times("serving metrics").first().unwrap()
    }

    /// The times at which the kubelet had all resources.
    pub(crate) fn registered(&self) -> Vec<SystemTime> {
        self.program.times("kubelet: ready")
    }

    /// Stops it by SIGTERM.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.program.stop();
    }

    /// Stops it by SIGKILL: its sockets remain.
    pub(crate) fn crash(self) {
        drop(self);
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
