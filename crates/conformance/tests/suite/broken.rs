//! Services that answer wrongly in one respect are reported, with the client and its call.

use std::time::{Duration, Instant};

use aesm::{Operation, Payload, Request, Response};
use conformance::{Options, QuoteEvidence, StepResult, run};
use sgx::AesmError;

use crate::support::{TIMEOUT, Treatment, proxy};

/// The differences of a service whose replies are changed.
fn differences(change: impl Fn(&Request<'_>, &mut Response) + Send + 'static) -> Vec<String> {
    differences_of(move |request, mut reply| {
        change(request, &mut reply);
        Treatment::Send(reply.to_frame())
    })
}

fn differences_of(
    treat: impl Fn(&Request<'_>, Response) -> Treatment + Send + 'static,
) -> Vec<String> {
    let (served, _requests) = proxy(treat);
    let outcome = run(&served.socket, Options { timeout: TIMEOUT, verifier: None });
    outcome.differences().map(|difference| difference.to_string()).collect()
}

/// Every difference has these words; there is one for each of the clients.
#[track_caller]
fn all_say(differences: &[String], clients: &[&str], words: &str) {
    assert_eq!(differences.len(), clients.len(), "{differences:?}");
    for (difference, client) in differences.iter().zip(clients) {
        assert!(difference.starts_with(client), "{difference}");
        assert!(difference.ends_with(words), "{difference}");
    }
}

const ALL: [&str; 6] = [
    "Intel libsgx_quote_ex, ",
    "Intel libsgx_dcap_ql, ",
    "Open Enclave, ",
    "Gramine, ",
    "Fortanix aesm-client, ",
    "Go (Oasis Core), ",
];
const LISTING: [&str; 4] = [ALL[0], ALL[2], ALL[4], ALL[5]];
const ASKING_SIZES: [&str; 5] = [ALL[0], ALL[1], ALL[2], ALL[4], ALL[5]];

#[test]
fn key_ids() {
    let none = differences(|_, reply| {
        if let Payload::GetSupportedAttKeyIdNum { att_key_id_num } = &mut reply.payload {
            *att_key_id_num = 0;
        }
    });
    all_say(&none, &LISTING, ": the service has no attestation key");
    let short = differences(|_, reply| {
        if let Payload::GetSupportedAttKeyIds { att_key_ids: Some(ids) } = &mut reply.payload {
            ids.pop();
        }
    });
    all_say(&short, &LISTING, ": att_key_ids has 255 bytes, not 256");
    let epid = differences(|_, reply| {
        if let Payload::GetSupportedAttKeyIds { att_key_ids: Some(ids) } = &mut reply.payload {
            ids[154] = 1;
        }
    });
    all_say(&epid, &LISTING, ": no key id is for ECDSA P-256");
    let selected = differences(|_, reply| {
        if let Payload::SelectAttKeyId { selected_att_key_id } = &mut reply.payload {
            *selected_att_key_id = None;
        }
    });
    let words = "sgx_select_att_key_id: selected_att_key_id is absent";
    all_say(&selected, &ALL[..1], words);
}

#[test]
fn initialization() {
    let of_size = |request: &Request<'_>| {
        matches!(request, Request::InitQuoteEx { with_pub_key_id: false, .. })
    };
    let size = differences(move |request, reply| {
        if let Payload::InitQuoteEx { pub_key_id_size, .. } = &mut reply.payload
            && of_size(request)
        {
            *pub_key_id_size = 0;
        }
    });
    all_say(&size, &ASKING_SIZES, "size: pub_key_id_size is 0, not 32".trim_start_matches("size"));
    // A service that checks the size that libsgx_dcap_ql has not initialized.
    let strict = differences(move |request, reply| {
        let Request::InitQuoteEx { buf_size: Some(buf_size), .. } = request else { return };
        if *buf_size != 32 {
            reply.error = Some(AesmError::Parameter);
        }
    });
    assert_eq!(strict.len(), 1, "{strict:?}");
    assert!(strict[0].contains("libsgx_dcap_ql") && strict[0].contains("uninitialized"));
    // A service that wants the size to be requested first.
    let target_info = differences(move |request, reply| {
        if let Payload::InitQuoteEx { target_info, .. } = &mut reply.payload
            && !of_size(request)
        {
            *target_info = Some(vec![7; 511]);
        }
    });
    all_say(&target_info, &ALL, ": target_info has 511 bytes, not 512");
    let pub_key_id = differences(move |request, reply| {
        if let Payload::InitQuoteEx { pub_key_id, .. } = &mut reply.payload
            && !of_size(request)
        {
            *pub_key_id = None;
        }
    });
    all_say(&pub_key_id, &ALL, ": pub_key_id is absent");
}

#[test]
fn quotes() {
    let size = differences(|_, reply| {
        if let Payload::GetQuoteSizeEx { quote_size } = &mut reply.payload
            && reply.error.is_none()
        {
            *quote_size = 0;
        }
    });
    all_say(&size, &ASKING_SIZES, ": quote_size is 0, which no quote has");
    let changed = |change: fn(&mut Vec<u8>)| {
        differences(move |_, reply| {
            if let Payload::GetQuoteEx { quote: Some(quote), .. } = &mut reply.payload {
                change(quote);
            }
        })
    };
    let unpadded = changed(|quote| quote.extend([0; 4]));
    assert_eq!(unpadded.len(), ALL.len(), "{unpadded:?}");
    assert!(unpadded[3].contains("retrieve_quote: quote has 8196 bytes, not 8192"));
    let other = changed(|quote| quote[400] ^= 1);
    all_say(&other, &ALL, ": it is a quote of another REPORT");
    let unsigned = changed(|quote| quote[432..].fill(0));
    assert_eq!(unsigned.len(), ALL.len(), "{unsigned:?}");
    assert!(unsigned.iter().all(|difference| difference.contains(": it is not a quote: ")));
    let without_proof = differences(|_, reply| {
        if let Payload::GetQuoteEx { qe_report_info, .. } = &mut reply.payload {
            *qe_report_info = None;
        }
    });
    all_say(&without_proof, &[ALL[0], ALL[4]], ": it lacks the QE's REPORT");
}

#[test]
fn errors() {
    let uninitialized = differences(|request, reply| {
        if request.operation() == Operation::GetQuoteEx && reply.error.is_none() {
            reply.error = Some(AesmError::AttKeyNotInitialized);
        }
    });
    assert_eq!(uninitialized.len(), ALL.len(), "{uninitialized:?}");
    assert!(uninitialized.iter().all(|it| it.contains("ATT_KEY_NOT_INITIALIZED")));
    let other_code = differences(|_, reply| {
        if reply.error == Some(AesmError::InvalidReport) {
            reply.error = Some(AesmError::Unexpected);
        }
    });
    assert_eq!(other_code.len(), 1, "{other_code:?}");
    let words = "Intel libsgx_quote_ex, sgx_get_quote_ex, REPORT for another QE: the error is ";
    assert!(other_code[0].starts_with(words), "{other_code:?}");
    let accepts_all = differences(|_, reply| {
        if reply.error == Some(AesmError::UnsupportedAttKeyId) {
            reply.error = None;
        }
    });
    assert_eq!(accepts_all.len(), 1, "{accepts_all:?}");
    assert!(accepts_all[0].contains("unknown key id: the service does not refuse it"));
}

#[test]
fn a_real_qe_refuses_the_report() {
    let (served, _requests) = proxy(|request, mut reply| {
        if request.operation() == Operation::GetQuoteEx {
            reply.error = Some(AesmError::InvalidReport);
            reply.payload = Payload::GetQuoteEx { quote: None, qe_report_info: None };
        }
        Treatment::Send(reply.to_frame())
    });
    let options = Options { timeout: TIMEOUT, verifier: None };
    let outcome = run(&served.socket, options);
    assert!(outcome.conforms());
    assert_eq!(outcome.quote(), &QuoteEvidence::Refused);
    let verifier = |_: &[u8]| Ok(String::new());
    let outcome = run(&served.socket, Options { verifier: Some(&verifier), ..options });
    let first = outcome.differences().next().unwrap().to_string();
    assert!(first.contains("the service refuses it: "), "{first}");
}

#[test]
fn framing() {
    let split = |at: usize| {
        move |_: &Request<'_>, reply: Response| {
            let frame = reply.to_frame();
            let at = at.min(frame.len() - 1);
            Treatment::Pieces(vec![frame[..at].to_vec(), frame[at..].to_vec()])
        }
    };
    // The length in a piece of its own is as Intel's daemon does it.
    assert_eq!(differences_of(split(4)), [""; 0]);
    let pieces = differences_of(split(9));
    assert_eq!(pieces.len(), 3, "{pieces:?}");
    assert!(pieces.iter().all(|it| it.ends_with("it crashes this client")), "{pieces:?}");
    let garbage = differences_of(|_, _| Treatment::Send(vec![4, 0, 0, 0, 1, 2, 3, 4]));
    all_say(&garbage, &ALL, ": the message is not a reply of the AESM protocol");
    let empty = differences_of(|_, _| Treatment::Send(vec![0; 4]));
    all_say(&empty, &ALL, ": the frame is empty");
    let endless = differences_of(|_, _| Treatment::Send(vec![0xff; 4]));
    assert!(endless.iter().all(|it| it.contains("the frame announces 4294967295 bytes")));
    let other = differences(|_, reply| reply.payload = Payload::UnsupportedRequest);
    all_say(&other, &ALL, ": the reply is to another request; it crashes Intel's clients");
    let closed = differences_of(|_, _| Treatment::Pieces(Vec::new()));
    all_say(&closed, &ALL, ": the service closed the connection without a reply");
    let cut_short = differences_of(|_, reply| {
        let mut frame = reply.to_frame();
        frame.pop();
        Treatment::Pieces(vec![frame])
    });
    assert_eq!(cut_short.len(), ALL.len(), "{cut_short:?}");
}

#[test]
fn a_service_that_stalls_costs_each_client_one_timeout() {
    let (served, _requests) = proxy(|request, reply| match request.operation() {
        Operation::InitQuoteEx => Treatment::Stall,
        _ => Treatment::Send(reply.to_frame()),
    });
    let begin = Instant::now();
    let timeout = Duration::from_millis(200);
    let outcome = run(&served.socket, Options { timeout, verifier: None });
    assert!(begin.elapsed() < timeout * 10, "{:?}", begin.elapsed());
    assert_eq!(outcome.differences().count(), ALL.len());
    for client in outcome.clients {
        let results: Vec<_> = client.steps.into_iter().map(|step| step.result).collect();
        assert_eq!(results.last(), Some(&StepResult::NotReached));
        assert!(results.contains(&StepResult::Differs("no reply in time".to_owned())));
    }
}

#[test]
fn an_absent_service_is_a_difference() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let outcome = run(&socket, Options { timeout: TIMEOUT, verifier: None });
    let words: Vec<_> = outcome.differences().map(|it| it.reason.to_owned()).collect();
    assert!(words.iter().all(|words| words.starts_with("cannot connect: ")), "{words:?}");
    assert_eq!(words.len(), ALL.len());
}
