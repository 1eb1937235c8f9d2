//! The kubelet's gRPC interfaces, generated from `proto/` by `just generate`; a test compares the
//! two.

mod counted_codec;

pub use counted_codec::{CountedCodec, CountedDecoder};

/// The device plugin API.
pub mod v1beta1 {
    #![allow(missing_docs, reason = "generated; documented in proto/device_plugin.proto")]

    include!("api/v1beta1.rs");
}

/// The pod resources API.
pub mod v1 {
    #![allow(missing_docs, reason = "generated; documented in proto/pod_resources.proto")]

    include!("api/v1.rs");
}
