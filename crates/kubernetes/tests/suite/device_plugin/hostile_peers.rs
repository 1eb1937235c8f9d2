//! Hostile peers at the plugin's socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::AZURE;
use crate::device_plugin::plugin::Plugin;

/// The HTTP/2 preface and an empty SETTINGS frame.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn is_served(kubelet: &Kubelet) {
    kubelet.allocate(AZURE, &[&["AAA"]]).await.unwrap();
    assert_eq!(kubelet.allocatable(AZURE), 8);
    assert_eq!(kubelet.registrations_of(AZURE), 1);
}

#[tokio::test(start_paused = true)]
async fn garbage_does_not_disturb_other_connections() {
    let (node, kubelet, plugin) = Plugin::on_node().await;
    let mut long_frame = HTTP2.to_vec();
    long_frame.extend(b"\xff\xff\xff\x01\x05\0\0\0\x01");
    long_frame.extend([0xff; 100_000]);
    let mut bad_headers = HTTP2.to_vec();
    bad_headers.extend(b"\0\0\x10\x01\x05\0\0\0\x01");
    bad_headers.extend([0xff; 16]);
    let garbage = [b"\0\xff\x80garbage".repeat(10_000), b"GET / HTTP/1.1\r\n\r\n".to_vec()];
    for bytes in garbage.into_iter().chain([long_frame, bad_headers]) {
        let mut stream = UnixStream::connect(node.socket(AZURE)).unwrap();
        stream.set_nonblocking(true).unwrap();
        // Until the plugin refuses more.
        let _ = stream.write_all(&bytes);
        is_served(&kubelet).await;
        let _ = stream.read(&mut [0; 1000]);
        is_served(&kubelet).await;
    }
    assert_eq!(plugin.problems(), "");
}

#[tokio::test(start_paused = true)]
async fn many_silent_connections_do_not_block_others() {
    let (node, kubelet, plugin) = Plugin::on_node().await;
    let mut streams = Vec::new();
    for _ in 0..200 {
        let mut stream = UnixStream::connect(node.socket(AZURE)).unwrap();
        stream.write_all(&HTTP2[..streams.len() % HTTP2.len()]).unwrap();
        streams.push(stream);
        // Lets the plugin accept, before the backlog fills up.
        is_served(&kubelet).await;
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    is_served(&kubelet).await;
    plugin.stop_within(Duration::from_secs(3)).await;
    drop(streams);
}
