//! Pods with the access of an application, the socket's directory, that try to take over the quote
//! service's sockets. A check of the uid alone would accept their users: the most common one of
//! small images, root, and the service's own.

use std::io::{IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvFlags, recvmsg};
use serde_json::{Value, json};

use super::{AddOn, image, quote_service_pod};
use crate::EPC;
use crate::node::load_program;
use crate::pod::{Pod, container};

const ATTACKER: &str = "hand-over-attacker:test";
/// The test of this file that the attackers run.
const ATTACK: &str = "add_on::attacks::from_inside_of_a_pod";
const USERS_OF_IMAGES: [u64; 2] = [65_532, 0];

const AESM_DIR: &str = "/var/run/aesmd";
const AESM_SOCKET: &str = "/var/run/aesmd/aesm.socket";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn pods_with_the_services_user_cannot_take_over() {
    let _add_on = AddOn::install_with_quote_service();
    let service = quote_service_pod();
    let own_user = &service["spec"]["containers"][0]["securityContext"]["runAsUser"];
    let own_user = own_user.as_u64().expect("the service has a user");
    load_program(ATTACKER, &std::env::current_exe().unwrap());
    for user in USERS_OF_IMAGES.into_iter().chain([own_user]) {
        let pod = Pod::of_spec(attackers(user)).ended();
        let log = pod.log("attack");
        assert!(log.contains("1 passed"), "user {user}: {log}");
        let instances = ["takes-over", "replaces"].map(|name| pod.log(name));
        assert!(instances[0].contains("another service is listening"), "{}", instances[0]);
        assert!(instances[1].contains("Read-only file system"), "{}", instances[1]);
    }
    let after = quote_service_pod();
    assert_eq!(after["metadata"]["uid"], service["metadata"]["uid"]);
    assert_eq!(after["status"]["containerStatuses"][0]["restartCount"], 0);
}

/// Each container has EPC, and with it the directory; default capabilities, since none are dropped.
fn attackers(user: u64) -> Value {
    let program = std::env::current_exe().unwrap();
    let program = format!("/{}", program.file_name().unwrap().to_str().unwrap());
    let test = json!([program, "--ignored", "--exact", ATTACK, "--nocapture"]);
    let mut containers = vec![attacker("attack", ATTACKER, &test)];
    for (name, more) in [("takes-over", None), ("replaces", Some("--take-over"))] {
        let mut serve = vec!["/usr/bin/quote-helper", "serve", "--platform=software"];
        serve.extend(["--socket", AESM_SOCKET, "--state-dir=/tmp/state"].into_iter().chain(more));
        containers.push(attacker(name, &image(), &json!(serve)));
    }
    json!({
        "securityContext": { "runAsUser": user, "runAsGroup": user },
        "containers": containers,
        "volumes": [{ "name": "tmp", "emptyDir": {} }],
    })
}

fn attacker(name: &str, image: &str, command: &Value) -> Value {
    let mut container = container(name, &[(EPC, 1)]);
    container["image"] = json!(image);
    container["command"] = command.clone();
    container["volumeMounts"] = json!([{ "name": "tmp", "mountPath": "/tmp" }]);
    container
}

/// The attack, run in the attackers' pods; it fails without a quote service.
#[test]
#[ignore = "is run in a pod by the test above"]
fn from_inside_of_a_pod() {
    if !Path::new(AESM_SOCKET).exists() {
        return assert!(std::env::var_os("KUBECONFIG").is_some(), "there is no socket to attack");
    }
    let seen: Vec<_> = std::fs::read_dir(AESM_DIR).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(seen, [Path::new(AESM_SOCKET)], "applications see their socket and nothing else");
    for path in [AESM_SOCKET.to_owned(), format!("{AESM_SOCKET}.control")] {
        for version in [1, 2] {
            assert_eq!(descriptors_from(&path, version), 0, "{path}, version {version}");
        }
    }
    for name in ["aesm.socket.control", "aesm.socket.lock", "new"] {
        std::fs::write(Path::new(AESM_DIR).join(name), "").unwrap_err();
    }
    std::fs::remove_file(AESM_SOCKET).unwrap_err();
    for secret in ["/var/lib/quote-helper", "/var/lib/sgx-quote-helper"] {
        assert!(!Path::new(secret).exists(), "{secret}");
    }
}

/// The descriptors that a request for the sockets yields, if a socket accepts it.
fn descriptors_from(path: &str, version: u8) -> usize {
    let Ok(mut stream) = UnixStream::connect(path) else { return 0 };
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut question = [0; 128];
    question[..4].copy_from_slice(b"QHHO");
    (question[4], question[5]) = (version, 1);
    // It may be closed at the first byte.
    let _ = stream.write_all(&question);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut answer = [0; 128];
    let buffers = &mut [IoSliceMut::new(&mut answer)];
    let _ = recvmsg(&stream, buffers, &mut ancillary, RecvFlags::empty());
    ancillary.drain().count()
}
