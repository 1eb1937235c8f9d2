//! `demo`: two software enclaves attest each other through a quote service of their own.

mod host;

use std::time::{Duration, Instant};

use anyhow::{Context, Error, ensure};
use collateral::settings::ServiceUrl;
use quoting::AesmQuoter;
use remote_attestation::{Application, Offer, Verifier};
use sgx::Quote;
use verify::{Decision, StepOutcome, TrustedRoots, Verdict};

use self::host::Host;
use crate::failure::Failure;
use crate::output;

const ALICE: &str = "Alice's enclave";
const BOB: &str = "Bob's enclave";
/// The timeout for collateral, which comes from this machine.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn run() -> Result<(), Failure> {
    Ok(attest()?)
}

fn attest() -> anyhow::Result<()> {
    let start = Instant::now();
    let directory = tempfile::Builder::new().prefix("quote-helper-demo-").tempdir()?;
    let host = Host::start(directory.path())?;
    say(
        1,
        "A quote service starts, on the INSECURE software platform",
        &[
            &format!("it listens at {}, as aesmd would", host.socket.display()),
            &format!("its collateral is served at {}, as a PCCS would", host.pccs),
        ],
    )?;

    let quoter = AesmQuoter::new(&host.socket, Duration::from_secs(15));
    let (alice, bob) = (Application::start(ALICE)?, Application::start(BOB)?);
    let (from_alice, from_bob) = (alice.offer(&quoter)?, bob.offer(&quoter)?);
    say(
        2,
        "Two enclaves, Alice's and Bob's, get a quote each",
        &[
            "each has put the hash of a fresh public key into its REPORT, so the quote binds the key",
            "each has checked a REPORT of the Quoting Enclave, which proves that it made the quote",
            &format!("a quote has {} bytes", from_alice.quote.len()),
        ],
    )?;

    let roots = TrustedRoots::parse(&host.root)?;
    let url = ServiceUrl::parse(&host.pccs).map_err(Error::msg)?;
    let collateral = collateral::fetch(&url, &from_alice.quote, FETCH_TIMEOUT)?;
    let verifier = Verifier { roots, collateral };
    let bobs_verdict = verifier.verify(&from_bob, BOB);
    let alices_verdict = verifier.verify(&from_alice, ALICE);
    ensure!(bobs_verdict.trusted().is_some(), "Bob's quote is not trusted: {bobs_verdict}");
    ensure!(alices_verdict.trusted().is_some(), "Alice's quote is not trusted: {alices_verdict}");
    say(
        3,
        "Each sends its quote to the other, who verifies it and trusts it",
        &passed(&bobs_verdict),
    )?;

    let (alices, bobs) = (alice.agree(&from_bob.public_key)?, bob.agree(&from_alice.public_key)?);
    let sealed = alices.seal(ALICE, "the secret is 42")?;
    let opened = bobs.open(ALICE, &sealed)?;
    let answer = alices.open(BOB, &bobs.seal(BOB, "understood")?)?;
    say(
        4,
        "With the attested keys they agree on a key of their own and talk",
        &[
            &format!("Alice sends {} encrypted bytes; Bob reads \"{opened}\"", sealed.len()),
            &format!("Bob answers; Alice reads \"{answer}\""),
        ],
    )?;

    let tampered = verifier.verify(&tampered(&from_bob)?, BOB);
    say(5, "A quote in which one bit was flipped is refused", &[&refused(&tampered)?])?;
    let swapped = Offer { public_key: from_alice.public_key, ..from_bob.clone() };
    let swapped = verifier.verify(&swapped, BOB);
    say(6, "Bob's quote with another key is refused", &[&refused(&swapped)?])?;
    let foreign = Verifier { roots: TrustedRoots::intel(), ..verifier }.verify(&from_bob, BOB);
    say(7, "Under a foreign root, Intel's, the same quote is refused", &[&refused(&foreign)?])?;

    host.stop()?;
    directory.close()?;
    output::text(&format!("\nAll is cleaned up after {:.1} s.", start.elapsed().as_secs_f64()))
}

fn say(number: u8, headline: &str, details: &[impl AsRef<str>]) -> anyhow::Result<()> {
    output::text(&format!("{}{number}. {headline}", if number == 1 { "" } else { "\n" }))?;
    details.iter().try_for_each(|detail| output::text(&format!("   - {}", detail.as_ref())))
}

/// The offer with a bit of its quote's report body flipped.
fn tampered(offer: &Offer) -> anyhow::Result<Offer> {
    let mut quote = Quote::parse(&offer.quote)?;
    let enclave = quote.body.enclave_mut().context("it is no quote of an enclave")?;
    enclave.report_data.0[0] ^= 1;
    Ok(Offer { quote: quote.to_bytes(), ..offer.clone() })
}

fn passed(verdict: &Verdict) -> Vec<String> {
    let passed = verdict.steps.iter().filter(|result| result.outcome == StepOutcome::Passed);
    passed.map(|result| result.step.to_string()).collect()
}

fn refused(verdict: &Verdict) -> anyhow::Result<String> {
    ensure!(verdict.decision == Decision::Refused, "it was not refused: {verdict}");
    verdict.reason.clone().context("it was refused without a reason")
}
