//! Clients that ask as fast as they are answered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};

const CLIENTS: usize = 16;
const TIME: Duration = Duration::from_secs(2);

/// The number of responses to all clients, which keep their connections.
pub(crate) fn load(address: SocketAddr, path: &str) -> anyhow::Result<u32> {
    let end = Instant::now() + TIME;
    thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| client(address, path, end))).collect();
        let responses = clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| Err(anyhow!("a client has failed"))));
        responses.sum()
    })
}

fn client(address: SocketAddr, path: &str, end: Instant) -> anyhow::Result<u32> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let (mut responses, mut line, mut body) = (0, String::new(), Vec::new());
    while Instant::now() < end {
        stream.get_mut().write_all(request.as_bytes())?;
        let mut size = None;
        for number in 0.. {
            line.clear();
            stream.read_line(&mut line)?;
            ensure!(number > 0 || line.starts_with("HTTP/1.1 200 "), "{path}: {line}");
            if let Some(value) = line.strip_prefix("content-length: ") {
                size = Some(value.trim().parse()?);
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(size.context("an answer without a size")?, 0);
        stream.read_exact(&mut body)?;
        responses += 1;
    }
    Ok(responses)
}
