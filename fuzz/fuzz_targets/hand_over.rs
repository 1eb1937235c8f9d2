//! Messages between two instances of the service: a frame -> a message -> the same frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockets::handover::{FRAME_SIZE, Message};

fuzz_target!(|frame: &[u8]| {
    if let Ok(message) = Message::parse(frame) {
        assert_eq!(frame.len(), FRAME_SIZE);
        assert_eq!(message.to_frame(), frame);
        if let Message::Refused(reason) = message {
            assert!(!reason.contains(char::is_control), "somebody reads it on a terminal");
        }
    }
});
