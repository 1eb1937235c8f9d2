//! Frames: a stream of bytes -> messages -> the same bytes, up to a frame that nobody may read.
#![no_main]

use aesm::{FRAME_HEADER_SIZE, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE, body_size};
use fuzz::messages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stream: &[u8]| {
    for limit in [1, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE] {
        let mut rest = stream;
        for message in messages(stream, limit) {
            assert!((1..=limit).contains(&message.len()));
            let size = u32::try_from(message.len()).expect("below the limit");
            rest = rest.strip_prefix(&size.to_le_bytes()).expect("the frame's header");
            rest = rest.strip_prefix(message).expect("the frame's message");
        }
        if let Some((header, body)) = rest.split_first_chunk::<FRAME_HEADER_SIZE>() {
            let announced = u32::from_le_bytes(*header) as usize;
            match body_size(*header, limit) {
                Ok(size) => assert!(size == announced && size > body.len(), "cut short"),
                Err(_) => assert!(announced == 0 || announced > limit, "refused"),
            }
        }
    }
});
