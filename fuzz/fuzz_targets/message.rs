//! Messages: bytes -> request or response -> bytes that mean the same.
#![no_main]

use aesm::{FRAME_HEADER_SIZE, Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    if let Ok(request) = Request::decode(message) {
        for timeout in [None, Some(15_000)] {
            assert_eq!(Request::decode(message_in(&request.to_frame(timeout))), Ok(request));
        }
    }
    if let Ok(response) = Response::decode(message) {
        assert_eq!(Response::decode(message_in(&response.to_frame())), Ok(response));
    }
});

/// The one message of a frame that we have made.
fn message_in(frame: &[u8]) -> &[u8] {
    let (header, message) = frame.split_first_chunk::<FRAME_HEADER_SIZE>().expect("a header");
    assert_eq!(u32::from_le_bytes(*header) as usize, message.len());
    message
}
