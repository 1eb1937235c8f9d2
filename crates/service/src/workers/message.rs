//! The messages between service and worker, in the frames of AESM: a length in 4 bytes, a message.
//!
//! A worker first sends its [`WorkerInfo`], or the reason why it cannot work. Then the service
//! sends requests for quotes, and the worker a reply to each, in the same order. Service and worker
//! are the same program, so that there is no version. But a worker holds foreign code, so that its
//! messages are checked.

use aesm::{FRAME_HEADER_SIZE, FrameError, body_size};
use quoting::{AttestationKey, QuoteReply, QuoteRequest, QuotingError};
use sgx::{AesmError, IntoBytes, Quote, SizeError, parse};

use crate::MAX_QUOTE_BUFFER;

/// The largest message: a quote of 64 KiB with QE report info, and room to spare.
const MAX_MESSAGE: usize = 128 * 1024;

/// The most bytes of an error's description.
const MAX_DETAIL: usize = 4 * 1024;

/// The attestation key of a worker, and the size of its quotes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkerInfo {
    pub(super) attestation_key: AttestationKey,
    pub(super) quote_size: u32,
}

/// A message from a worker.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most are quotes, and all are short-lived")]
pub(super) enum Reply {
    Ready(WorkerInfo),
    Quote(QuoteReply),
    Failed(QuotingError),
}

const READY: u8 = 0;
const FAILED: u8 = 1;
const QUOTE: u8 = 2;
const QUOTE_AND_QE_REPORT: u8 = 3;

/// The reason why a message is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Size(#[from] SizeError),
    #[error("unknown kind of message")]
    Unknown,
    #[error("quotes have {min} to {MAX_QUOTE_BUFFER} bytes, not {0}", min = Quote::MIN_SIZE)]
    QuoteSize(usize),
}

/// Appends the frame of a request for a quote.
pub(super) fn append_request(frames: &mut Vec<u8>, request: &QuoteRequest) {
    let info = request.qe_report_info.as_ref().map_or(&[][..], IntoBytes::as_bytes);
    append(frames, &[request.report.as_bytes(), request.key_id.as_bytes(), info]);
}

/// The request in a message.
pub(super) fn parse_request(message: &[u8]) -> Result<QuoteRequest, MessageError> {
    let (report, rest) = split(message, size_of::<sgx::Report>());
    let (key_id, info) = split(rest, size_of::<sgx::AttestationKeyId>());
    let info = (!info.is_empty()).then(|| parse("QE report info", info));
    Ok(QuoteRequest {
        report: parse("REPORT", report)?,
        key_id: parse("attestation key id", key_id)?,
        qe_report_info: info.transpose()?,
    })
}

/// Appends the frame of a reply.
pub(super) fn append_reply(frames: &mut Vec<u8>, reply: &Reply) {
    match reply {
        Reply::Ready(WorkerInfo { attestation_key, quote_size }) => {
            let AttestationKey { target_info, public_key_id } = attestation_key;
            let quote_size = quote_size.to_le_bytes();
            append(frames, &[&[READY], &quote_size, public_key_id, target_info.as_bytes()]);
        }
        Reply::Quote(QuoteReply { quote, qe_report_info: None }) => {
            append(frames, &[&[QUOTE], quote]);
        }
        Reply::Quote(QuoteReply { quote, qe_report_info: Some(info) }) => {
            append(frames, &[&[QUOTE_AND_QE_REPORT], info.as_bytes(), quote]);
        }
        Reply::Failed(error) => {
            let detail = error.to_string();
            let detail = detail.as_bytes();
            let detail = detail.get(..MAX_DETAIL).unwrap_or(detail);
            append(frames, &[&[FAILED], &error.code().number().to_le_bytes(), detail]);
        }
    }
}

/// The reply in a message.
pub(super) fn parse_reply(message: &[u8]) -> Result<Reply, MessageError> {
    let (&kind, rest) = message.split_first().ok_or(MessageError::Unknown)?;
    Ok(match kind {
        READY => {
            let (quote_size, rest) = split(rest, 4);
            let (public_key_id, target_info) = split(rest, 32);
            let attestation_key = AttestationKey {
                target_info: parse("target info", target_info)?,
                public_key_id: parse("public key id", public_key_id)?,
            };
            let quote_size = parse::<sgx::U32>("quote size", quote_size)?.get();
            check_quote_size(quote_size as usize)?;
            Reply::Ready(WorkerInfo { attestation_key, quote_size })
        }
        FAILED => {
            let (code, detail) = split(rest, 4);
            let code = parse::<sgx::U32>("error code", code)?.get();
            let code = AesmError::from_number(code).unwrap_or(AesmError::Unexpected);
            Reply::Failed(QuotingError::Worker { code, detail: text(detail) })
        }
        QUOTE => {
            check_quote_size(rest.len())?;
            Reply::Quote(QuoteReply { quote: rest.to_vec(), qe_report_info: None })
        }
        QUOTE_AND_QE_REPORT => {
            let (info, quote) = split(rest, size_of::<sgx::QeReportInfo>());
            let qe_report_info = Some(parse("QE report info", info)?);
            check_quote_size(quote.len())?;
            Reply::Quote(QuoteReply { quote: quote.to_vec(), qe_report_info })
        }
        _ => return Err(MessageError::Unknown),
    })
}

/// Bytes as they arrive, taken out message by message.
#[derive(Default)]
pub(super) struct Messages {
    pub(super) received: Vec<u8>,
    taken: usize,
}

impl Messages {
    /// The next message, if it is whole.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let begin = self.taken.saturating_add(FRAME_HEADER_SIZE);
        let rest = self.received.get(self.taken..).unwrap_or_default();
        if let Some(header) = rest.first_chunk::<FRAME_HEADER_SIZE>() {
            let end = begin.saturating_add(body_size(*header, MAX_MESSAGE)?);
            if end <= self.received.len() {
                self.taken = end;
                return Ok(self.received.get(begin..end));
            }
        }
        self.received.drain(..self.taken);
        self.taken = 0;
        Ok(None)
    }
}

fn append(frames: &mut Vec<u8>, parts: &[&[u8]]) {
    let size = parts.iter().fold(0, |size: usize, part| size.saturating_add(part.len()));
    frames.reserve(size.saturating_add(FRAME_HEADER_SIZE));
    frames.extend(u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    parts.iter().for_each(|part| frames.extend_from_slice(part));
}

/// Checks that quotes can have this size, and that clients can be sent one.
fn check_quote_size(size: usize) -> Result<(), MessageError> {
    if (Quote::MIN_SIZE..=MAX_QUOTE_BUFFER as usize).contains(&size) {
        return Ok(());
    }
    Err(MessageError::QuoteSize(size))
}

/// Splits at `at`, or at the end: parsing the parts shows that bytes are missing.
fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at(at.min(bytes.len()))
}

/// Text from a worker, as one line.
fn text(bytes: &[u8]) -> String {
    printable::line(&String::from_utf8_lossy(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use sgx::{AttestationKeyId, QeReportInfo};

    use super::*;

    fn message(append: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut messages = Messages::default();
        append(&mut messages.received);
        let message = messages.next().unwrap().unwrap().to_vec();
        assert!(messages.next().unwrap().is_none());
        message
    }

    fn replies() -> Vec<Reply> {
        let info = Some(QeReportInfo { nonce: [4; 16], ..QeReportInfo::default() });
        vec![
            Reply::Ready(WorkerInfo {
                attestation_key: AttestationKey {
                    target_info: sgx::TargetInfo::default(),
                    public_key_id: [7; 32],
                },
                quote_size: 4_700,
            }),
            Reply::Quote(QuoteReply { quote: vec![1; 4_700], qe_report_info: None }),
            Reply::Quote(QuoteReply { quote: vec![2; 4_700], qe_report_info: info }),
            Reply::Failed(QuotingError::Worker {
                code: AesmError::OutOfEpc,
                detail: "too little memory".to_owned(),
            }),
        ]
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        for info in [None, Some(QeReportInfo { nonce: [4; 16], ..QeReportInfo::default() })] {
            let mut request = QuoteRequest {
                report: sgx::Report::default(),
                key_id: AttestationKeyId::ecdsa_p256(),
                qe_report_info: info,
            };
            request.report.body.report_data.0 = [9; 64];
            let message = message(|frames| append_request(frames, &request));
            let arrived = parse_request(&message).unwrap();
            assert_eq!(arrived.report, request.report);
            assert_eq!(arrived.key_id, request.key_id);
            assert_eq!(arrived.qe_report_info, request.qe_report_info);
            for size in (0..message.len()).filter(|size| *size != 432 + 256) {
                assert!(parse_request(&message[..size]).is_err(), "{size}");
            }
        }
    }

    #[test]
    fn a_reply_arrives_as_it_was_sent() {
        for reply in replies() {
            let arrived = parse_reply(&message(|frames| append_reply(frames, &reply))).unwrap();
            assert_eq!(format!("{arrived:?}"), format!("{reply:?}"));
        }
    }

    #[test]
    fn truncated_and_damaged_replies_do_not_panic() {
        for reply in replies() {
            let whole = message(|frames| append_reply(frames, &reply));
            for size in 0..whole.len() {
                let _ = parse_reply(&whole[..size]);
            }
            for position in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[position] ^= 0xFF;
                let _ = parse_reply(&damaged);
            }
        }
    }

    #[test]
    fn messages_in_pieces_are_reassembled() {
        let mut frames = Vec::new();
        replies().iter().for_each(|reply| append_reply(&mut frames, reply));
        let mut messages = Messages::default();
        let mut arrived = 0;
        for piece in frames.chunks(7) {
            messages.received.extend_from_slice(piece);
            while let Some(message) = messages.next().unwrap() {
                parse_reply(message).unwrap();
                arrived += 1;
            }
        }
        assert_eq!((arrived, messages.received.len()), (replies().len(), 0));
    }

    #[test]
    fn messages_that_are_too_large_or_of_an_unknown_kind_are_refused() {
        let mut messages = Messages { received: u32::MAX.to_le_bytes().to_vec(), taken: 0 };
        assert!(messages.next().is_err());
        assert!(matches!(parse_reply(&[9, 1, 2]), Err(MessageError::Unknown)));
        assert!(matches!(parse_reply(&[]), Err(MessageError::Unknown)));
    }

    #[test]
    fn impossible_quote_sizes_are_refused() {
        let ready = |quote_size| {
            let attestation_key =
                AttestationKey { target_info: sgx::TargetInfo::default(), public_key_id: [7; 32] };
            Reply::Ready(WorkerInfo { attestation_key, quote_size })
        };
        let quote = |size| Reply::Quote(QuoteReply { quote: vec![1; size], qe_report_info: None });
        let wrong =
            [ready(0), ready(1_019), ready(65_537), ready(u32::MAX), quote(0), quote(65_537)];
        for reply in &wrong {
            let parsed = parse_reply(&message(|frames| append_reply(frames, reply)));
            assert!(matches!(parsed, Err(MessageError::QuoteSize(_))), "{parsed:?}");
        }
        for reply in [ready(1_020), ready(65_536), quote(1_020), quote(65_536)] {
            parse_reply(&message(|frames| append_reply(frames, &reply))).unwrap();
        }
    }

    #[test]
    fn an_error_is_one_line_of_a_limited_length() {
        let detail = format!("first line\nsecond{}", "x".repeat(10_000));
        let error = Reply::Failed(QuotingError::Worker { code: AesmError::Unexpected, detail });
        match parse_reply(&message(|frames| append_reply(frames, &error))).unwrap() {
            Reply::Failed(error) => {
                let text = error.to_string();
                assert!(text.starts_with("first line\\nsecond"), "{text}");
                assert_eq!(text.len(), MAX_DETAIL + 1);
            }
            other => panic!("{other:?}"),
        }
    }
}
