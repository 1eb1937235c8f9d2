//! `webhook`: what can be seen without an API server. The rest is tested beside its library.

use crate::support::{KUBECONFIG, Machine, RunResult};

#[test]
fn it_says_what_it_lacks() {
    let machine = Machine::new();
    machine.run("webhook").with_code(2).says(&["--namespace"]);
    let mut command = machine.command("webhook --listen 127.0.0.1:0");
    command.env("POD_NAMESPACE", "kube-system").env("HOME", machine.path(""));
    RunResult::of(&mut command).with_code(1).says(&["API server", "kubeconfig"]);
}

#[test]
fn an_address_in_use_is_reported() {
    let machine = Machine::new();
    machine.write("kubeconfig", KUBECONFIG);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = machine.command(&format!("webhook --namespace x --listen {address}"));
    command.env("KUBECONFIG", machine.path("kubeconfig"));
    RunResult::of(&mut command)
        .with_code(1)
        .says(&["cannot serve admission reviews", &address.to_string()]);
}
