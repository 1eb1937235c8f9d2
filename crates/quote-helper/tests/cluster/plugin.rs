//! A device plugin on the node.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::cluster::{eventually, node_name};
use crate::host::Host;
use crate::program::Program;

/// `quote-helper device-plugin`; killed when dropped.
pub(crate) struct Plugin {
    program: Program,
    http: String,
}

impl Plugin {
    /// A ready plugin with these arguments, separated by spaces.
    #[track_caller]
    pub(crate) fn start(host: &Host, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
        command.arg("device-plugin").args(arguments.split_whitespace());
        command.arg("--device-dir").arg(host.device_dir()).arg("--aesm-dir").arg(host.aesm_dir());
        command.args(["--metrics-listen", "127.0.0.1:0", "--node-name", &node_name()]);
        let kubeconfig = std::env::var_os("KUBECONFIG").expect("the test cluster's kubeconfig");
        command.env_clear().env("KUBECONFIG", kubeconfig);

        let mut program = Program::start(&mut command);
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
