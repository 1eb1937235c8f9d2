//! The recognized forms, one module each.

pub(crate) mod base64;
pub(crate) mod certificate;
pub(crate) mod epid;
pub(crate) mod hex_dump;
pub(crate) mod hexadecimal;
pub(crate) mod json;
pub(crate) mod json_binding;
pub(crate) mod open_enclave;
pub(crate) mod pem;
pub(crate) mod tagged_evidence;
pub(crate) mod unrecognized;
