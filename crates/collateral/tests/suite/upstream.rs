//! Services that do wrong on purpose.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use collateral::{Document, Source};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::common::{Scripted, documents, platform, tcb_info};

/// The behaviour of a faulty service.
pub(crate) enum Doing {
    /// Nobody is there.
    Absent,
    /// It answers with these bytes.
    Bytes(fn() -> Vec<u8>),
    /// It answers for TCB info with this document, made from what would be right.
    Answer(fn(Document) -> Document),
    /// It says nothing.
    Silent,
    /// It sends a byte of the right answer at a time.
    Drip,
    /// It goes on without end.
    Endless,
    /// It speaks TLS with a certificate of its own.
    Tls,
    /// It is asked for TLS and does not speak it.
    NoTls,
}

pub(crate) type Fault = (&'static str, Doing);

/// A status with some text, and perhaps headers.
fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone").into_bytes()
}

fn damaged(mut document: Document) -> Document {
    // A digit of a date becomes another one, and the JSON stays JSON.
    let text = String::from_utf8(document.body).unwrap();
    document.body = text.replacen("\"pcesvn\":13", "\"pcesvn\":12", 1).into_bytes();
    document
}

/// The TCB info of two months ago, which was valid for one.
fn out_of_date(_: Document) -> Document {
    let then = OffsetDateTime::now_utc() - time::Duration::days(60);
    documents(&platform([7; 32]), then, 1).remove(3).1
}

fn of_another_root(_: Document) -> Document {
    Scripted::of(&platform([8; 32])).fetch(&tcb_info(), Instant::now()).unwrap()
}

fn ten_megabytes(document: Document) -> Document {
    let body = [b"{\"tcbInfo\":\"", &*vec![b'a'; 10 << 20], b"\"}"].concat();
    Document { body, ..document }
}

fn deep(document: Document) -> Document {
    Document { body: vec![b'['; 100_000], ..document }
}

/// Known and possible faults of services.
pub(crate) const FAULTS: &[Fault] = &[
    ("not listening", Doing::Absent),
    ("silent", Doing::Silent),
    ("closed at once", Doing::Bytes(Vec::new)),
    ("401", Doing::Bytes(|| status("401 Unauthorized"))),
    ("404", Doing::Bytes(|| status("404 Not Found"))),
    ("429", Doing::Bytes(|| status("429 Too Many Requests\r\nRetry-After: 7"))),
    ("461", Doing::Bytes(|| status("461 Unknown Platform"))),
    ("462", Doing::Bytes(|| status("462 No Certificate"))),
    ("500", Doing::Bytes(|| status("500 Internal Server Error"))),
    ("502", Doing::Bytes(|| status("502 Bad Gateway"))),
    ("503", Doing::Bytes(|| status("503 Service Unavailable"))),
    (
        "503 with a date",
        Doing::Bytes(|| status("503 Busy\r\nRetry-After: Fri, 31 Dec 2060 23:59:59 GMT")),
    ),
    (
        "redirect",
        Doing::Bytes(|| {
            status("302 Found\r\nLocation: http://127.0.0.1:1/sgx/certification/v4/tcb")
        }),
    ),
    ("slow drip", Doing::Drip),
    (
        "less than it said",
        Doing::Bytes(|| b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}".to_vec()),
    ),
    ("endless body", Doing::Endless),
    (
        "endless header",
        Doing::Bytes(|| [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 200_000]].concat()),
    ),
    ("no HTTP", Doing::Bytes(|| b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())),
    ("TLS of another CA", Doing::Tls),
    ("no TLS", Doing::NoTls),
    ("no issuer chain", Doing::Bytes(|| status("200 OK"))),
    ("empty body", Doing::Answer(|document| Document { body: Vec::new(), ..document })),
    ("10 MB of JSON", Doing::Answer(ten_megabytes)),
    ("100,000 brackets", Doing::Answer(deep)),
    ("a login page", Doing::Answer(|document| Document { body: b"<html>".to_vec(), ..document })),
    ("changed", Doing::Answer(damaged)),
    ("another root", Doing::Answer(of_another_root)),
    ("out of date", Doing::Answer(out_of_date)),
];

/// A service that does wrong.
pub(crate) struct Upstream {
    name: &'static str,
    url: String,
    is_there: bool,
    asked: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts it on a port of its own.
    pub(crate) fn start((name, doing): &'static Fault, ours: &Scripted) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if matches!(doing, Doing::Tls | Doing::NoTls) { "https" } else { "http" };
        let asked = Arc::new(AtomicUsize::new(0));
        let upstream = Self {
            name,
            url: format!("{scheme}://{address}"),
            is_there: !matches!(doing, Doing::Absent),
            asked: Arc::clone(&asked),
        };
        if upstream.is_there {
            let right = ours.fetch(&tcb_info(), Instant::now()).unwrap();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    asked.fetch_add(1, Ordering::SeqCst);
                    // The client may have had enough.
                    let _ = serve(doing, &right, stream.unwrap());
                }
            });
        }
        upstream
    }

    pub(crate) fn name(&self) -> &str {
        self.name
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Roots have another hash in each run, and dates are other ones.
    pub(crate) fn without_what_differs(&self, message: &str) -> String {
        let is_hash =
            |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_date = |word: &str| OffsetDateTime::parse(word, &Rfc3339).is_ok();
        let words = message.split(' ').map(|word| {
            let bare = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
            if is_hash(bare) || is_date(bare) { word.replace(bare, "…") } else { word.to_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn serve(doing: &Doing, right: &Document, mut stream: TcpStream) -> std::io::Result<()> {
    match doing {
        Doing::Absent => Ok(()),
        Doing::Tls => tls(stream),
        Doing::NoTls => stream.write_all(&status("400 Bad Request")),
        Doing::Silent => {
            thread::sleep(Duration::from_secs(3));
            Ok(())
        }
        Doing::Bytes(bytes) => {
            question(&mut stream)?;
            stream.write_all(&bytes())
        }
        Doing::Answer(answer) => {
            question(&mut stream)?;
            stream.write_all(&response(&answer(right.clone())))
        }
        Doing::Drip => {
            question(&mut stream)?;
            response(right).iter().try_for_each(|byte| {
                thread::sleep(Duration::from_millis(20));
                stream.write_all(&[*byte])
            })
        }
        Doing::Endless => {
            question(&mut stream)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                stream.write_all(b"10000\r\n")?;
                stream.write_all(&[b'a'; 0x10000])?;
                stream.write_all(b"\r\n")?;
            }
        }
    }
}

/// Reads the question, which is not long.
fn question(stream: &mut impl Read) -> std::io::Result<()> {
    let mut question = Vec::new();
    let mut buffer = [0; 4096];
    while !question.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            size => question.extend(&buffer[..size]),
        }
    }
    Ok(())
}

fn response(document: &Document) -> Vec<u8> {
    let chain = utf8_percent_encode(&document.issuer_chain, NON_ALPHANUMERIC);
    let size = document.body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nTCB-Info-Issuer-Chain: {chain}\r\nContent-Length: {size}\r\n\
         Connection: close\r\n\r\n"
    );
    [head.into_bytes(), document.body.clone()].concat()
}

fn tls(stream: TcpStream) -> std::io::Result<()> {
    let own = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    question(&mut StreamOwned::new(connection, stream))
}
