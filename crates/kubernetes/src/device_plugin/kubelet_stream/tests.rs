use std::collections::BTreeMap;

use axum::Router;
use axum::http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, timeout};
use tonic::transport::Server;

use super::*;

/// A recording of grpc-go 1.33.3, frame by frame after the preface, as it calls
/// `GetDevicePluginOptions` and then `ListAndWatch` at the path of a socket
/// `kubernetes.azure.com_sgx_epc_mem_in_MiB.sock`.
const KUBELET: [&str; 7] = [
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a",
    "000000040000000000",
    "000000040100000000",
    "000082010400000001
     838645a063b8632a4615ef97b9885d745b31aa6311537cbdcc42eba2d98d56aad263d48f
     41b763b8ec628346c75b632d054b1217b98855aba2d98d5218
     eb6c65b2a2a4a85c7eedb0ab90f4c489bcc45ac91525a6235516835d5d07275f
     5f8b1d75d0620d263d4c4d65647a8b9acac8b4c7602bb2caecff40027465864d833505b11f",
    "0000050001000000010000000000",
    "000021010400000003
     8386459963b8632a4615ef97b9885d745b31aa633990986a9390d249ffc2c1c0bf",
    "0000050001000000030000000000",
];

/// The first request of version 1.47.0, which is in Kubernetes 1.25. The rest is the same.
const LATER_KUBELET: &str = "000086010400000001
     838645a063b8632a4615ef97b9885d745b31aa6311537cbdcc42eba2d98d56aad263d48f
     41b763b8ec628346c75b632d054b1217b98855aba2d98d5218
     eb6c65b2a2a4a85c7eedb0ab90f4c489bcc45ac91525a6235516835d5d07275f
     5f901d75d0620d263d4c4d6564ff75d8749f7a8a9acac8b4c7602bb4eae040027465864d833505b11f";

#[tokio::test]
async fn old_kubelets_are_served() {
    let answer = |method| {
        let socket = "-var-lib-kubelet-device-plugins-kubernetes.azure.com_sgx_epc_mem_in_MiB.sock";
        Answer::To(format!("http://{socket}/v1beta1.DevicePlugin/{method}"))
    };
    let expected = BTreeMap::from([
        (1, answer("GetDevicePluginOptions")),
        // This request refers to the dynamic table for its `:authority`.
        (3, answer("ListAndWatch")),
    ]);
    for kubelet in [kubelet(), later_kubelet()] {
        assert_eq!(answers(KubeletStream::new, &kubelet.concat()).await, expected);
    }
}

#[tokio::test]
async fn without_this_they_are_refused() {
    let protocol_error = || Answer::Reset(vec![0, 0, 0, 1]);
    let expected = BTreeMap::from([(1, protocol_error()), (3, protocol_error())]);
    for kubelet in [kubelet(), later_kubelet()] {
        let answers = answers(|stream| stream, &kubelet.concat()).await;
        assert_eq!(answers, expected, "if h2 serves them now, KubeletStream can go");
    }
}

#[test]
fn the_replacement_has_the_same_length_in_huffman_code() {
    assert_eq!(huffman("/var/lib/kubelet/device-plugins/"), PATH);
    assert_eq!(huffman("-var-lib-kubelet-device-plugins-"), NAME);
}

#[tokio::test]
async fn it_does_not_matter_where_the_bytes_are_split() {
    let sent = kubelet().concat();
    let expected = rewritten(&sent);
    for chunk_size in 1..=sent.len() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let mut server = KubeletStream::new(server);
        let send = async {
            for chunk in sent.chunks(chunk_size) {
                client.write_all(chunk).await.unwrap();
                // Lets the other side read this chunk separately.
                tokio::task::yield_now().await;
            }
            client.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (read, ()) = tokio::join!(server.read_to_end(&mut received), send);
        read.unwrap();
        assert_eq!(received, expected, "in chunks of {chunk_size}");
    }
}

#[test]
fn nothing_that_is_complete_is_held_back() {
    let mut rewriter = Rewriter::new();
    let mut sent = 0;
    for frame in kubelet() {
        frame.iter().for_each(|byte| rewriter.take(*byte));
        sent += frame.len();
        assert_eq!(rewriter.ready.len(), sent);
    }
    // A payload need not be complete.
    [0, 0, 5, 0, 0, 0, 0, 0, 5, 1, 2].into_iter().for_each(|byte| rewriter.take(byte));
    assert_eq!(rewriter.ready.len(), sent + 11);
}

#[test]
fn only_the_path_in_an_authority_is_replaced() {
    let authority = [&[AUTHORITY, HUFFMAN | 23], PATH.as_slice()].concat();
    let replaced = [&[AUTHORITY, HUFFMAN | 23], NAME.as_slice()].concat();
    assert_eq!(after_preface(&frame(HEADERS, &authority)), frame(HEADERS, &replaced));

    let data = 0;
    let too_long = [authority.as_slice(), &[0; MAX_PAYLOAD]].concat();
    let other_path = [&authority[..authority.len() - 1], &[0x19]].concat();
    let not_huffman = [&[AUTHORITY, 23], PATH.as_slice()].concat();
    let path_of_request = [&[0x45, HUFFMAN | 23], PATH.as_slice()].concat();
    for other in [
        frame(data, &authority),
        frame(data, &frame(HEADERS, &authority)),
        frame(HEADERS, &too_long),
        frame(HEADERS, &other_path),
        frame(HEADERS, &not_huffman),
        frame(HEADERS, &path_of_request),
        frame(HEADERS, &[]),
    ] {
        assert_eq!(after_preface(&other), other);
    }
}

#[test]
fn no_more_is_held_than_a_frame() {
    let mut rewriter = Rewriter::new();
    let announced = frame(HEADERS, &[0; MAX_PAYLOAD + 1]);
    [[0; PREFACE_SIZE].as_slice(), &announced].concat().iter().for_each(|byte| {
        rewriter.take(*byte);
        assert!(
            rewriter.frame.len() < FRAME_HEADER_SIZE,
            "a server refuses this frame as too long"
        );
    });
}

/// The response to a request.
#[derive(Debug, PartialEq)]
enum Answer {
    /// It is served, with this URI at the server.
    To(String),
    /// Its stream is reset with this code.
    Reset(Vec<u8>),
}

/// The responses to two requests, by stream.
async fn answers<S>(wrap: impl FnOnce(UnixStream) -> S, requests: &[u8]) -> BTreeMap<u8, Answer>
where
    S: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let (mut client, server) = UnixStream::pair().unwrap();
    let router = Router::new().fallback(|uri: Uri| async move { uri.to_string() });
    let connections = tokio_stream::once(Ok::<_, io::Error>(wrap(server)));
    let serve = Server::builder().add_routes(router.into()).serve_with_incoming(connections);
    serve.await.unwrap();
    client.write_all(requests).await.unwrap();
    let mut answers = BTreeMap::new();
    while answers.len() < 2 {
        let (frame_type, stream, payload) = receive(&mut client).await;
        match frame_type {
            0 if !payload.is_empty() => {
                answers.insert(stream, Answer::To(String::from_utf8(payload).unwrap()));
            }
            3 => _ = answers.insert(stream, Answer::Reset(payload)),
            7 => panic!("the connection is given up: {payload:?}"),
            _ => {}
        }
    }
    answers
}

/// The type, stream and payload of the next frame.
async fn receive(stream: &mut UnixStream) -> (u8, u8, Vec<u8>) {
    let receive = async {
        let mut header = [0; FRAME_HEADER_SIZE];
        stream.read_exact(&mut header).await.unwrap();
        let mut payload = vec![0; usize::from(header[2])];
        stream.read_exact(&mut payload).await.unwrap();
        (header[3], header[8], payload)
    };
    timeout(Duration::from_secs(10), receive).await.expect("an answer in time")
}

/// The preface and the frames of a kubelet.
fn kubelet() -> [Vec<u8>; 7] {
    KUBELET.map(from_hex)
}

/// The frames of the last kubelet version that sends a path.
fn later_kubelet() -> [Vec<u8>; 7] {
    let mut kubelet = kubelet();
    kubelet[3] = from_hex(LATER_KUBELET);
    kubelet
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A frame of a stream, with this payload.
fn frame(frame_type: u8, payload: &[u8]) -> Vec<u8> {
    let [.., high, middle, low] = payload.len().to_be_bytes();
    [&[high, middle, low, frame_type, 0, 0, 0, 0, 1], payload].concat()
}

/// The bytes that the server receives.
fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let mut rewriter = Rewriter::new();
    bytes.iter().for_each(|byte| rewriter.take(*byte));
    rewriter.ready.into()
}

/// The frame that the server receives.
fn after_preface(frame: &[u8]) -> Vec<u8> {
    rewritten(&[[0; PREFACE_SIZE].as_slice(), frame].concat()).split_off(PREFACE_SIZE)
}

/// The text in the code of RFC 7541, appendix B, if it fills whole bytes.
fn huffman(text: &str) -> Vec<u8> {
    let code = |letter| match letter {
        '-' => "010110",
        '/' => "011000",
        'a' => "00011",
        'b' => "100011",
        'c' => "00100",
        'd' => "100100",
        'e' => "00101",
        'g' => "100110",
        'i' => "00110",
        'k' => "1110101",
        'l' => "101000",
        'n' => "101010",
        'p' => "101011",
        'r' => "101100",
        's' => "01000",
        't' => "01001",
        'u' => "101101",
        'v' => "1110111",
        other => panic!("no letter of the path: {other}"),
    };
    let bits: String = text.chars().map(code).collect();
    let (bytes, rest) = bits.as_bytes().as_chunks::<8>();
    assert!(rest.is_empty());
    bytes.iter().map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit & 1)).collect()
}
