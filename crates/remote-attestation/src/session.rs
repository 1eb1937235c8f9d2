//! One side of the conversation.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quoting::{Quoter, QuotingError};
use remote_attestation::{Application, AttestationError, Channel, Conversation, Offer};
use sgx::AesmError;

use crate::counters::Counters;
use crate::evidence::Evidence;
use crate::output;
use crate::wait::{Wait, retry};

/// One enclave's side.
pub(crate) struct Session<'a> {
    pub(crate) name: &'a str,
    /// The required name of the peer.
    pub(crate) peer: &'a str,
    pub(crate) patience: Duration,
    pub(crate) quoter: &'a dyn Quoter,
    pub(crate) channel: Channel,
    pub(crate) evidence: Evidence,
    pub(crate) counters: &'a mut Counters,
}

impl Session<'_> {
    /// Attests each other once, as the initiator.
    pub(crate) fn initiate(&mut self) -> anyhow::Result<()> {
        let application = Application::start(self.name)?;
        self.send_offer(&application)?;
        let offer = self.receive()?;
        let conversation = self.trust(application, &offer)?;
        self.send_message(&conversation)?;
        self.receive_message(&conversation)?;
        self.count();
        Ok(())
    }

    /// Attests each other as often as the peer initiates it, at least once.
    pub(crate) fn respond_until_closed(&mut self) -> anyhow::Result<()> {
        while let Some(offer) = self.receive_unless_closed()? {
            let application = Application::start(self.name)?;
            self.send_offer(&application)?;
            let conversation = self.trust(application, &offer)?;
            self.receive_message(&conversation)?;
            self.send_message(&conversation)?;
            self.count();
        }
        ensure!(self.counters.attested > 0, "{} has sent nothing", self.peer);
        Ok(())
    }

    /// Gets a quote and sends it.
    fn send_offer(&mut self, application: &Application) -> anyhow::Result<()> {
        let offer = self.offer(application)?;
        self.print_once(format_args!("quote: {}", STANDARD.encode(&offer.quote)));
        self.channel.send(&offer.to_bytes()).with_context(|| self.about_peer())
    }

    /// Gets a quote. After the first one, failures are counted and retried, to measure outages;
    /// before, a failure is final.
    fn offer(&mut self, application: &Application) -> anyhow::Result<Offer> {
        let (quoter, patience) = (self.quoter, self.patience);
        let counters = &mut *self.counters;
        let has_quoted = counters.attested > 0;
        let attempt = || {
            counters.quotes = counters.quotes.saturating_add(1);
            application.offer(quoter).inspect_err(|error| {
                counters.failed = counters.failed.saturating_add(1);
                output::note(format_args!("a quote failed: {error}"));
            })
        };
        let subject = "a quote".to_owned();
        retry(subject, patience, attempt, |_| has_quoted).map_err(no_quote)
    }

    /// Verifies the peer's offer, and agrees on a key if it is trusted.
    fn trust(&mut self, application: Application, offer: &[u8]) -> anyhow::Result<Conversation> {
        let peer = self.peer;
        let offer = Offer::parse(offer).with_context(|| format!("{peer} has sent no offer"))?;
        let verdict = self.evidence.verify(&offer, peer)?;
        let Some(attested) = verdict.trusted() else {
            let reason = verdict.reason.as_deref().unwrap_or("no reason is known");
            return Err(anyhow!("{peer}'s quote is not trusted: {reason}"));
        };
        let enclave = attested.body.enclave();
        let enclave = enclave.with_context(|| format!("{peer}'s quote is of no enclave"))?;
        self.print_once(format_args!(
            "{peer}'s quote is trusted: MRENCLAVE {}, TCB status {}, under \"{}\"",
            enclave.mr_enclave, attested.tcb.status, attested.root.subject
        ));
        Ok(application.agree(&offer.public_key)?)
    }

    fn send_message(&mut self, conversation: &Conversation) -> anyhow::Result<()> {
        let message = format!("{} to {}: the secret is 42", self.name, self.peer);
        let sealed = conversation.seal(self.name, &message)?;
        self.channel.send(&sealed).with_context(|| self.about_peer())
    }

    fn receive_message(&mut self, conversation: &Conversation) -> anyhow::Result<()> {
        let sealed = self.receive()?;
        let message = conversation.open(self.peer, &sealed).with_context(|| self.about_peer())?;
        self.print_once(format_args!("{} encrypted bytes say \"{message}\"", sealed.len()));
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<Vec<u8>> {
        let _wait = self.wait_for_peer();
        self.channel.receive().with_context(|| self.about_peer())
    }

    fn receive_unless_closed(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let _wait = self.wait_for_peer();
        self.channel.receive_unless_closed().with_context(|| self.about_peer())
    }

    fn wait_for_peer(&self) -> Wait {
        Wait::begin(format!("a message of {}", self.peer), self.patience)
    }

    /// Prints a line in the first attestation only.
    fn print_once(&self, line: impl Display) {
        if self.counters.attested == 0 {
            output::result(line);
        }
    }

    fn count(&mut self) {
        self.counters.attested = self.counters.attested.saturating_add(1);
    }

    fn about_peer(&self) -> String {
        format!("the conversation with {} failed", self.peer)
    }
}

/// The error, with a hint if the platform refuses software enclaves.
fn no_quote(error: AttestationError) -> anyhow::Error {
    let is_foreign = matches!(&error, AttestationError::Quoting(error) if refuses_report(error));
    let error = anyhow::Error::from(error);
    match is_foreign {
        true => error.context(
            "the platform does not accept the REPORT of this enclave, which is a software enclave and \
             needs the software platform; on SGX, a REPORT comes from an enclave",
        ),
        false => error,
    }
}

fn refuses_report(error: &QuotingError) -> bool {
    error.code() == AesmError::InvalidReport
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_enclave_on_sgx_is_reported() {
        let error =
            |code| no_quote(AttestationError::from(QuotingError::new(code, "none"))).to_string();
        assert!(error(AesmError::InvalidReport).contains("is a software enclave"));
        assert!(!error(AesmError::Busy).contains("is a software enclave"));
    }
}
