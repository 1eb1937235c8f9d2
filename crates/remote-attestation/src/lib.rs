//! A sample of remote attestation, to be copied from: two enclaves attest each other, then exchange
//! encrypted messages.
//!
//! Each enclave makes a key pair and gets a *quote*: a statement signed by the platform that an
//! enclave with this code (MRENCLAVE) supplied these 64 bytes (REPORTDATA), here the hash of its
//! public key. A trusted quote proves the owner of the key, so only that enclave can read data
//! encrypted for it.
//!
//! | step | here |
//! |---|---|
//! | make a key pair and get a quote for it | [`Application::start`], [`Application::offer`] |
//! | send both to the peer | [`Offer`], [`Channel`] |
//! | verify the quote: genuine platform, the right code, this key | [`Verifier::verify`] |
//! | agree on a key with the peer | [`Application::agree`] |
//! | exchange messages | [`Conversation::seal`], [`Conversation::open`] |
//!
//! These are software enclaves, which run on any machine and protect nothing. On SGX the code of
//! [`Application`] and [`Conversation`] runs inside the enclave, and the REPORT comes from the
//! processor's EREPORT; all else stays the same.

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
