//! Remote attestation, as an application does it: two enclaves prove to each other what they are,
//! and then talk so that nobody else can read it. Made to be read, and to be copied from.
//!
//! In words: each enclave makes a key pair and asks for a *quote*, a signed statement of the
//! platform that an enclave with this code (MRENCLAVE) has said these 64 bytes (REPORTDATA). The
//! bytes are the hash of its public key. Who trusts the quote therefore knows whose key it is, and
//! what is encrypted for this key can be read by that enclave only.
//!
//! | step | here |
//! |---|---|
//! | make a key pair and get a quote for it | [`Application::start`], [`Application::offer`] |
//! | send both to the other enclave | [`Offer`], [`Channel`] |
//! | verify the quote: genuine platform, the right code, this key | [`Verifier::verify`] |
//! | agree on a key with the other enclave | [`Application::agree`] |
//! | talk | [`Conversation::seal`], [`Conversation::open`] |
//!
//! The enclaves here are software enclaves, which run on any machine and protect nothing. On SGX
//! the code of [`Application`] and [`Conversation`] is inside of the enclave, its REPORT comes from
//! the processor's EREPORT, and the rest is the same: a quote service hands out quotes for either
//! kind, each on its own kind of platform.

mod application;
mod channel;
mod conversation;
mod offer;
mod verifier;

pub use application::{Application, AttestationError, mr_enclave};
pub use channel::{Channel, ChannelError, MAX_FRAME};
pub use conversation::{Conversation, ConversationError};
pub use offer::{Offer, PublicKey};
pub use verifier::Verifier;
