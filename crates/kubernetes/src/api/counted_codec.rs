//! Limits the number of fields of a message before it is decoded: an empty field takes two bytes in
//! a message, and hundreds in memory.

use std::marker::PhantomData;

use prost::bytes::Buf as _;
use prost::{Message, decode_length_delimiter};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Above the largest message: a list of 262,144 devices, the maximum of a resource, has three
/// fields for each.
const MAX_FIELDS: usize = 800_000;

/// The codec of `prost`, limited to messages of 800,000 fields.
#[derive(Debug)]
pub struct CountedCodec<T, U>(PhantomData<(T, U)>);

/// Decodes messages that have at most 800,000 fields.
#[derive(Debug)]
pub struct CountedDecoder<U>(ProstDecoder<U>);

impl<T, U> Default for CountedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for CountedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CountedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CountedDecoder(ProstCodec::<T, U>::default().decoder())
    }
}

impl<U: Message + Default> Decoder for CountedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // Tonic passes a whole message in one piece.
        if fields(message.chunk()) > MAX_FIELDS {
            let problem = format!("the message has more than {MAX_FIELDS} fields");
            return Err(Status::resource_exhausted(problem));
        }
        self.0.decode(message)
    }
}

/// Counts a message's fields and, one level down, theirs; the device plugin API repeats nothing
/// deeper. Counting stops where the bytes are no message.
fn fields(message: &[u8]) -> usize {
    let mut fields = 0_usize;
    for_each_field(message, |field| {
        fields = fields.saturating_add(1);
        for_each_field(field, |_| fields = fields.saturating_add(1));
    });
    fields
}

/// Calls `call` with the content of each field, which is empty for numbers.
fn for_each_field(mut message: &[u8], mut call: impl FnMut(&[u8])) {
    while !message.is_empty() {
        let Some((field, rest)) = next_field(message) else { return };
        call(field);
        message = rest;
    }
}

/// Returns the first field's content and the rest of the message.
fn next_field(mut message: &[u8]) -> Option<(&[u8], &[u8])> {
    // Lengths and other numbers have the same encoding.
    let key = decode_length_delimiter(&mut message).ok()?;
    let size = match key & 7 {
        0 => {
            decode_length_delimiter(&mut message).ok()?;
            return Some((&[], message));
        }
        1 => 8,
        2 => decode_length_delimiter(&mut message).ok()?,
        5 => 4,
        _ => return None,
    };
    let is_content = key & 7 == 2;
    message.split_at_checked(size).map(|(field, rest)| (if is_content { field } else { &[] }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1beta1::{
        AllocateRequest, ContainerAllocateRequest, Device, NumaNode, TopologyInfo,
    };

    #[test]
    fn fields_of_messages_in_a_message_count() {
        let container = ContainerAllocateRequest { devices_ids: vec!["AAA".to_owned(); 5] };
        let request = AllocateRequest { container_requests: vec![container; 3] };
        assert_eq!(fields(&request.encode_to_vec()), 18);
        let topology = Some(TopologyInfo { nodes: vec![NumaNode { id: 1 }] });
        let device = Device { id: "AAA".to_owned(), health: "Healthy".to_owned(), topology };
        assert!(fields(&device.encode_to_vec()) >= 3);
    }

    #[test]
    fn counting_ends_where_the_message_does() {
        assert_eq!(fields(b""), 0);
        assert_eq!(fields(b"\xff"), 0);
        assert_eq!(fields(b"\x0a\x05abc"), 0);
        assert_eq!(fields(b"\x0a\x00\x0b"), 1);
        assert_eq!(fields(b"\x08\x01\x11\0\0\0\0\0\0\0\0\x1d\0\0\0\0"), 3);
    }

    #[test]
    fn a_field_of_two_bytes_is_counted_before_it_is_decoded() {
        assert_eq!(fields(&b"\x0a\0".repeat(1_900_000)), 1_900_000);
    }
}
