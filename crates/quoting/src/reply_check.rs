//! Checks that a reply answers the request it was made for.

use aws_lc_rs::digest::{Context, SHA256};
use sgx::{QeReportInfo, Quote, QuoteParseError, ReportData};

use crate::{QuoteReply, QuoteRequest};

/// The reason why a reply does not answer its request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongReply {
    /// The bytes are not a version 3 quote, signed with ECDSA P-256.
    #[error("it is not a quote: {0}")]
    NotAQuote(#[from] QuoteParseError),
    /// The quote is over another report body than the request's.
    #[error("it is a quote of another REPORT")]
    OtherReport,
    /// The request asked for the QE's REPORT, and the reply has none.
    #[error("it lacks the QE's REPORT")]
    NoQeReport,
    /// The reply has a QE's REPORT that the request did not ask for.
    #[error("it has an unrequested QE's REPORT")]
    UnaskedQeReport,
    /// Nonce or target info differ from those of the request.
    #[error("its QE's REPORT is for another nonce or another enclave")]
    OtherQeReportInfo,
    /// The report data of the QE's REPORT is not SHA-256(nonce ‖ quote) ‖ 32 zero bytes.
    #[error("its QE's REPORT is not over the nonce and the quote")]
    QeReportData,
}

impl QuoteRequest {
    /// Checks that `reply` is a quote over this request's REPORT, without padding, and that the
    /// QE's REPORT, if requested, is over this request's nonce and that quote.
    ///
    /// Does not verify signature and MAC, which takes collateral, or the application's enclave.
    /// Costs one comparison of 384 bytes, and a SHA-256 if the QE's REPORT was requested.
    ///
    /// # Errors
    /// [`WrongReply`].
    pub fn check(&self, reply: &QuoteReply) -> Result<(), WrongReply> {
        if Quote::parse(&reply.quote)?.body.enclave() != Some(&self.report.body) {
            return Err(WrongReply::OtherReport);
        }
        match (&self.qe_report_info, &reply.qe_report_info) {
            (None, None) => Ok(()),
            (Some(asked), Some(answered)) => check_qe_report(asked, answered, &reply.quote),
            (Some(_), None) => Err(WrongReply::NoQeReport),
            (None, Some(_)) => Err(WrongReply::UnaskedQeReport),
        }
    }
}

fn check_qe_report(
    asked: &QeReportInfo,
    answered: &QeReportInfo,
    quote: &[u8],
) -> Result<(), WrongReply> {
    if (answered.nonce, answered.target_info) != (asked.nonce, asked.target_info) {
        return Err(WrongReply::OtherQeReportInfo);
    }
    if answered.qe_report.body.report_data != report_data(&asked.nonce, quote) {
        return Err(WrongReply::QeReportData);
    }
    Ok(())
}

fn report_data(nonce: &[u8; 16], quote: &[u8]) -> ReportData {
    let mut context = Context::new(&SHA256);
    context.update(nonce);
    context.update(quote);
    let mut report_data = ReportData::default();
    let (hash, _) = report_data.0.split_at_mut(32);
    hash.copy_from_slice(context.finish().as_ref());
    report_data
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sgx::{AttestationKeyId, TargetInfo};
    use software_platform::{
        Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
    };

    use super::*;
    use crate::{Quoter, SoftwareQuoter};

    /// A request, with the QE's REPORT or without, and the right reply to it.
    fn exchange(qe_report: bool) -> (QuoteRequest, QuoteReply) {
        let now = time::OffsetDateTime::now_utc();
        let deployment = Deployment::generate(SubjectNames::Software, now).unwrap();
        let secret = MachineSecret::generate().unwrap();
        let platform = Arc::new(SoftwarePlatform::new(deployment, secret).unwrap());
        let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
        let report = enclave.report(&platform.target_info(), ReportData([7; 64]));
        let info = QeReportInfo {
            nonce: [9; 16],
            target_info: enclave.target_info(),
            ..Default::default()
        };
        let request = QuoteRequest {
            report,
            key_id: AttestationKeyId::ecdsa_p256(),
            qe_report_info: qe_report.then_some(info),
        };
        let reply = SoftwareQuoter::new(platform).quote(&request).unwrap();
        (request, reply)
    }

    fn changed(reply: &QuoteReply, change: impl FnOnce(&mut QuoteReply)) -> QuoteReply {
        let mut changed = reply.clone();
        change(&mut changed);
        changed
    }

    #[test]
    fn the_quote_is_one_over_the_report_that_was_asked_for() {
        let (request, reply) = exchange(false);
        request.check(&reply).unwrap();
        let wrong = |change: fn(&mut Vec<u8>)| {
            request.check(&changed(&reply, |reply| change(&mut reply.quote))).unwrap_err()
        };
        assert_eq!(wrong(|quote| quote[48] ^= 1), WrongReply::OtherReport);
        assert_eq!(wrong(|quote| quote[431] ^= 1), WrongReply::OtherReport);
        let no_quotes: [fn(&mut Vec<u8>); 5] = [
            |quote| *quote = b"a text".to_vec(),
            |quote| quote.truncate(quote.len() - 1),
            |quote| quote.push(0),
            |quote| quote[0] = 4,
            |quote| quote[2] = 3,
        ];
        for change in no_quotes {
            assert!(matches!(wrong(change), WrongReply::NotAQuote(_)));
        }
    }

    #[test]
    fn the_qes_report_is_over_the_nonce_and_the_quote() {
        let (request, reply) = exchange(true);
        request.check(&reply).unwrap();
        let wrong = |change: fn(&mut QeReportInfo)| {
            let change = |reply: &mut QuoteReply| change(reply.qe_report_info.as_mut().unwrap());
            request.check(&changed(&reply, change)).unwrap_err()
        };
        assert_eq!(wrong(|info| info.nonce = [1; 16]), WrongReply::OtherQeReportInfo);
        let other_target = wrong(|info| info.target_info = TargetInfo::default());
        assert_eq!(other_target, WrongReply::OtherQeReportInfo);
        for byte in [0, 31, 32, 63] {
            let change = |reply: &mut QuoteReply| {
                let info = reply.qe_report_info.as_mut().unwrap();
                info.qe_report.body.report_data.0[byte] ^= 1;
            };
            assert_eq!(request.check(&changed(&reply, change)), Err(WrongReply::QeReportData));
        }
        // The signature is not verified, but the QE's REPORT covers it.
        let other_quote = changed(&reply, |reply| reply.quote[440] ^= 1);
        assert_eq!(request.check(&other_quote), Err(WrongReply::QeReportData));
    }

    #[test]
    fn the_qes_report_is_there_if_and_only_if_it_was_asked_for() {
        let (request, reply) = exchange(true);
        let without = changed(&reply, |reply| reply.qe_report_info = None);
        assert_eq!(request.check(&without), Err(WrongReply::NoQeReport));
        let not_asked = QuoteRequest { qe_report_info: None, ..request };
        assert_eq!(not_asked.check(&reply), Err(WrongReply::UnaskedQeReport));
    }
}
