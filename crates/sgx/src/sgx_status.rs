//! The status codes of the SGX SDK (`sgx_status_t`) for quoting.

use std::fmt;

use crate::AesmError;

/// The return value of a function of `libsgx_quote_ex`: `sgx_status_t`, 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SgxStatus(pub u32);

/// A function of `libsgx_quote_ex`. The status for an AESM error depends on the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteExCall {
    /// `sgx_get_supported_att_key_id_num` and `sgx_get_supported_att_key_ids`.
    KeyIds,
    /// `sgx_select_att_key_id`.
    Select,
    /// `sgx_init_quote_ex`.
    Init,
    /// `sgx_get_quote_size_ex`.
    Size,
    /// `sgx_get_quote_ex`.
    Quote,
}

use QuoteExCall::{Init, KeyIds, Quote, Select, Size};

const EVERYWHERE: &[QuoteExCall] = &[KeyIds, Select, Init, Size, Quote];

/// AESM errors, their status, and the functions that return it. All others return
/// [`SgxStatus::UNEXPECTED`].
const TABLE: &[(AesmError, SgxStatus, &[QuoteExCall])] = &[
    (AesmError::NoDevice, SgxStatus::NO_DEVICE, EVERYWHERE),
    (AesmError::Parameter, SgxStatus::INVALID_PARAMETER, EVERYWHERE),
    (AesmError::EpidBlob, SgxStatus::AE_INVALID_EPIDBLOB, &[Init, Quote]),
    (AesmError::EpidRevoked, SgxStatus::EPID_MEMBER_REVOKED, &[Init, Quote]),
    (AesmError::Network, SgxStatus::NETWORK_FAILURE, EVERYWHERE),
    (AesmError::NetworkBusy, SgxStatus::NETWORK_FAILURE, EVERYWHERE),
    (AesmError::ProxySettingAssist, SgxStatus::NETWORK_FAILURE, EVERYWHERE),
    (AesmError::ServiceStopped, SgxStatus::SERVICE_UNAVAILABLE, EVERYWHERE),
    (AesmError::Busy, SgxStatus::BUSY, EVERYWHERE),
    (AesmError::BackendServerBusy, SgxStatus::BUSY, &[Init, Quote]),
    (AesmError::UpdateAvailable, SgxStatus::UPDATE_NEEDED, EVERYWHERE),
    (AesmError::OutOfMemory, SgxStatus::OUT_OF_MEMORY, EVERYWHERE),
    (AesmError::OutOfEpc, SgxStatus::OUT_OF_EPC, &[Init, Quote]),
    (AesmError::ServiceUnavailable, SgxStatus::SERVICE_UNAVAILABLE, EVERYWHERE),
    (AesmError::UnrecognizedPlatform, SgxStatus::UNRECOGNIZED_PLATFORM, EVERYWHERE),
    (
        AesmError::UnsupportedAttKeyId,
        SgxStatus::UNSUPPORTED_ATT_KEY_ID,
        &[Select, Init, Size, Quote],
    ),
    (AesmError::AttKeyNotInitialized, SgxStatus::ATT_KEY_UNINITIALIZED, &[Size, Quote]),
    (AesmError::NoPlatformCertData, SgxStatus::PLATFORM_CERT_UNAVAILABLE, &[Init]),
    (AesmError::ErrorReport, SgxStatus::MAC_MISMATCH, &[Quote]),
    (AesmError::EnclaveLost, SgxStatus::SERVICE_UNAVAILABLE, EVERYWHERE),
    (AesmError::InvalidReport, SgxStatus::MAC_MISMATCH, &[Quote]),
    (AesmError::EnclaveLoad, SgxStatus::SERVICE_UNAVAILABLE, EVERYWHERE),
    (AesmError::KeyCertification, SgxStatus::ATT_KEY_CERTIFICATION_FAILURE, &[Init]),
];

macro_rules! statuses {
    ($($number:literal $name:ident;)+) => {
        impl SgxStatus {
            $(
                #[doc = concat!("The number ", stringify!($number), ".")]
                pub const $name: Self = Self($number);
            )+

            fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    0x0000 SUCCESS;
    0x0001 UNEXPECTED;
    0x0002 INVALID_PARAMETER;
    0x0003 OUT_OF_MEMORY;
    0x2005 OUT_OF_EPC;
    0x2006 NO_DEVICE;
    0x3001 MAC_MISMATCH;
    0x4001 SERVICE_UNAVAILABLE;
    0x4002 SERVICE_TIMEOUT;
    0x4003 AE_INVALID_EPIDBLOB;
    0x4005 EPID_MEMBER_REVOKED;
    0x4006 UPDATE_NEEDED;
    0x4007 NETWORK_FAILURE;
    0x400a BUSY;
    0x4012 UNRECOGNIZED_PLATFORM;
    0x8001 UNSUPPORTED_ATT_KEY_ID;
    0x8002 ATT_KEY_CERTIFICATION_FAILURE;
    0x8003 ATT_KEY_UNINITIALIZED;
    0x8005 PLATFORM_CERT_UNAVAILABLE;
}

impl SgxStatus {
    /// The status that `call` of Intel's library returns for an `error` of the service.
    #[must_use]
    pub fn of_aesm(error: AesmError, call: QuoteExCall) -> Self {
        let mut rows = TABLE.iter();
        let row = rows.find(|(listed, _, calls)| *listed == error && calls.contains(&call));
        row.map_or(Self::UNEXPECTED, |(_, status, _)| *status)
    }
}

impl fmt::Display for SgxStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some("SUCCESS") => f.write_str("SGX_SUCCESS (0x0)"),
            Some(name) => write!(f, "SGX_ERROR_{name} ({:#x})", self.0),
            None => write!(f, "sgx_status_t {:#x}", self.0),
        }
    }
}
