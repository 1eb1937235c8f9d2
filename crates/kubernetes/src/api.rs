//! The kubelet's gRPC interfaces, generated from `proto/`. A test compares the two; `just generate`
//! writes the code anew.

mod counted_codec;

pub use counted_codec::{CountedCodec, CountedDecoder};

/// The device plugin API.
pub mod v1beta1 {
    #![allow(missing_docs, reason = "generated; what is what is said in proto/device_plugin.proto")]

    include!("api/v1beta1.rs");
}

/// The pod resources API.
pub mod v1 {
    #![allow(missing_docs, reason = "generated; what is what is said in proto/pod_resources.proto")]

    include!("api/v1.rs");
}
