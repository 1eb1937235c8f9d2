//! The replies of requests that failed.

use aesm::{Operation, Payload, Request};

/// What a failed request's reply holds besides the error: numbers are there even then.
pub(crate) fn failed_payload(request: &Request<'_>) -> Option<Payload> {
    let mut payload = empty_payload(request.operation())?;
    match (&mut payload, request) {
        (Payload::InitQuoteEx { pub_key_id_size, .. }, Request::InitQuoteEx { buf_size, .. }) => {
            *pub_key_id_size = buf_size.unwrap_or(0);
        }
        (
            Payload::GetQuoteEx { qe_report_info, .. },
            Request::GetQuoteEx { qe_report_info: info, .. },
        ) => *qe_report_info = info.map(<[u8]>::to_vec),
        _ => {}
    }
    Some(payload)
}

/// The form of the reply to an operation that this service knows.
pub(crate) fn empty_payload(operation: Operation) -> Option<Payload> {
    Some(match operation {
        Operation::InitQuoteEx => {
            Payload::InitQuoteEx { target_info: None, pub_key_id_size: 0, pub_key_id: None }
        }
        Operation::GetQuoteSizeEx => Payload::GetQuoteSizeEx { quote_size: 0 },
        Operation::GetQuoteEx => Payload::GetQuoteEx { quote: None, qe_report_info: None },
        Operation::SelectAttKeyId => Payload::SelectAttKeyId { selected_att_key_id: None },
        Operation::GetSupportedAttKeyIdNum => {
            Payload::GetSupportedAttKeyIdNum { att_key_id_num: 0 }
        }
        Operation::GetSupportedAttKeyIds => Payload::GetSupportedAttKeyIds { att_key_ids: None },
        _ => return None,
    })
}
