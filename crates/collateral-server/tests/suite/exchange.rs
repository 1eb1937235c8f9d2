//! HTTP, byte by byte over a socket.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) async fn get(server: SocketAddr, path: &str) -> Answer {
    request(server, "GET", path, &[], b"").await
}

pub(crate) async fn request(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    exchange(server, &[head.as_bytes(), b"\r\n", body].concat()).await
}

/// Asks from this address.
pub(crate) async fn get_from(address: &str, server: SocketAddr, path: &str) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address.parse::<IpAddr>().unwrap(), 0).into()).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    exchange_over(stream, request.as_bytes()).await
}

pub(crate) async fn exchange(server: SocketAddr, request: &[u8]) -> Answer {
    exchange_over(TcpStream::connect(server).await.unwrap(), request).await
}

async fn exchange_over(mut stream: TcpStream, request: &[u8]) -> Answer {
    // A server that refuses early does not read all of it.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = (&bytes[..end], &bytes[end.saturating_add(4)..]);
    let head = std::str::from_utf8(head).unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let headers = headers.split("\r\n").map(|line| line.split_once(": ").unwrap());
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = match headers.get("transfer-encoding") {
        Some(_) => dechunked(body),
        None => body.to_vec(),
    };
    Answer { status, headers, body }
}

fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let start = end.saturating_add(2);
        whole.extend(&rest[start..start + size]);
        if size == 0 {
            return whole;
        }
        rest = &rest[start + size + 2..];
    }
}
