//! The errors of Intel's quote generation and quote provider libraries (`quote3_error_t` of the
//! DCAP API).

use std::fmt;

use crate::{AesmError, SgxStatus};

/// The return value of a function of `libsgx_dcap_ql`, `libsgx_qe3_logic` or `libdcap_quoteprov`:
/// 0, or a number from 0xe001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quote3Error(pub u32);

macro_rules! quote3_errors {
    ($($number:literal $name:ident $official:literal $aesm:ident;)+) => {
        impl Quote3Error {
            /// The number 0.
            pub const SUCCESS: Self = Self(0);
            $(
                #[doc = concat!("The number ", stringify!($number), ".")]
                pub const $name: Self = Self($number);
            )+

            /// The official name, if known.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    0 => Some("SGX_QL_SUCCESS"),
                    $($number => Some($official),)+
                    _ => None,
                }
            }

            /// The AESM error that Intel's service returns to its clients for this error.
            #[must_use]
            pub fn aesm(self) -> AesmError {
                match self.0 {
                    $($number => AesmError::$aesm,)+
                    _ => AesmError::Unexpected,
                }
            }

            /// The first error with this AESM error.
            fn with_aesm(error: AesmError) -> Option<Self> {
                [$(Self::$name),+].into_iter().find(|listed| listed.aesm() == error)
            }
        }
    };
}

quote3_errors! {
    0xe001 UNEXPECTED "SGX_QL_ERROR_UNEXPECTED" Unexpected;
    0xe002 INVALID_PARAMETER "SGX_QL_ERROR_INVALID_PARAMETER" Parameter;
    0xe003 OUT_OF_MEMORY "SGX_QL_ERROR_OUT_OF_MEMORY" OutOfMemory;
    0xe004 ECDSA_ID_MISMATCH "SGX_QL_ERROR_ECDSA_ID_MISMATCH" EcdsaIdMismatch;
    0xe005 PATHNAME_BUFFER_OVERFLOW "SGX_QL_PATHNAME_BUFFER_OVERFLOW_ERROR" PathnameBufferOverflow;
    0xe006 FILE_ACCESS "SGX_QL_FILE_ACCESS_ERROR" FileAccess;
    0xe007 STORED_KEY "SGX_QL_ERROR_STORED_KEY" ErrorStoredKey;
    0xe008 PUB_KEY_ID_MISMATCH "SGX_QL_ERROR_PUB_KEY_ID_MISMATCH" PubKeyIdMismatch;
    0xe009 INVALID_PCE_SIG_SCHEME "SGX_QL_ERROR_INVALID_PCE_SIG_SCHEME" InvalidPceSigScheme;
    0xe00a ATT_KEY_BLOB "SGX_QL_ATT_KEY_BLOB_ERROR" AttKeyBlob;
    0xe00b UNSUPPORTED_ATT_KEY_ID "SGX_QL_UNSUPPORTED_ATT_KEY_ID" UnsupportedAttKeyId;
    0xe00c UNSUPPORTED_LOADING_POLICY "SGX_QL_UNSUPPORTED_LOADING_POLICY" UnsupportedLoadingPolicy;
    0xe00d INTERFACE_UNAVAILABLE "SGX_QL_INTERFACE_UNAVAILABLE" InterfaceUnavailable;
    0xe00e PLATFORM_LIB_UNAVAILABLE "SGX_QL_PLATFORM_LIB_UNAVAILABLE" PlatformLibUnavailable;
    0xe00f ATT_KEY_NOT_INITIALIZED "SGX_QL_ATT_KEY_NOT_INITIALIZED" AttKeyNotInitialized;
    0xe010 ATT_KEY_CERT_DATA_INVALID "SGX_QL_ATT_KEY_CERT_DATA_INVALID" AttKeyCertDataInvalid;
    0xe011 NO_PLATFORM_CERT_DATA "SGX_QL_NO_PLATFORM_CERT_DATA" NoPlatformCertData;
    0xe012 OUT_OF_EPC "SGX_QL_OUT_OF_EPC" OutOfEpc;
    0xe013 REPORT "SGX_QL_ERROR_REPORT" ErrorReport;
    0xe014 ENCLAVE_LOST "SGX_QL_ENCLAVE_LOST" EnclaveLost;
    0xe015 INVALID_REPORT "SGX_QL_INVALID_REPORT" InvalidReport;
    0xe016 ENCLAVE_LOAD "SGX_QL_ENCLAVE_LOAD_ERROR" EnclaveLoad;
    0xe017 UNABLE_TO_GENERATE_QE_REPORT "SGX_QL_UNABLE_TO_GENERATE_QE_REPORT"
        UnableToGenerateQeReport;
    0xe018 KEY_CERTIFICATION "SGX_QL_KEY_CERTIFCATION_ERROR" KeyCertification;
    0xe019 NETWORK "SGX_QL_NETWORK_ERROR" Network;
    0xe01a MESSAGE "SGX_QL_MESSAGE_ERROR" Msg;
    0xe01b NO_QUOTE_COLLATERAL_DATA "SGX_QL_NO_QUOTE_COLLATERAL_DATA" Unexpected;
    0xe01c QUOTE_CERTIFICATION_DATA_UNSUPPORTED "SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED"
        Unexpected;
    0xe01d QUOTE_FORMAT_UNSUPPORTED "SGX_QL_QUOTE_FORMAT_UNSUPPORTED" Unexpected;
    0xe01e UNABLE_TO_GENERATE_REPORT "SGX_QL_UNABLE_TO_GENERATE_REPORT" Unexpected;
    0xe01f QE_REPORT_INVALID_SIGNATURE "SGX_QL_QE_REPORT_INVALID_SIGNATURE" Unexpected;
    0xe020 QE_REPORT_UNSUPPORTED_FORMAT "SGX_QL_QE_REPORT_UNSUPPORTED_FORMAT" Unexpected;
    0xe021 PCK_CERT_UNSUPPORTED_FORMAT "SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT" Unexpected;
    0xe022 PCK_CERT_CHAIN_ERROR "SGX_QL_PCK_CERT_CHAIN_ERROR" Unexpected;
    0xe023 TCBINFO_UNSUPPORTED_FORMAT "SGX_QL_TCBINFO_UNSUPPORTED_FORMAT" Unexpected;
    0xe024 TCBINFO_MISMATCH "SGX_QL_TCBINFO_MISMATCH" Unexpected;
    0xe025 QEIDENTITY_UNSUPPORTED_FORMAT "SGX_QL_QEIDENTITY_UNSUPPORTED_FORMAT" Unexpected;
    0xe026 QEIDENTITY_MISMATCH "SGX_QL_QEIDENTITY_MISMATCH" Unexpected;
    0xe027 TCB_OUT_OF_DATE "SGX_QL_TCB_OUT_OF_DATE" Unexpected;
    0xe028 TCB_OUT_OF_DATE_CONFIGURATION_NEEDED "SGX_QL_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED"
        Unexpected;
    0xe029 SGX_ENCLAVE_IDENTITY_OUT_OF_DATE "SGX_QL_SGX_ENCLAVE_IDENTITY_OUT_OF_DATE" Unexpected;
    0xe02a SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE "SGX_QL_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE"
        Unexpected;
    0xe02b QE_IDENTITY_OUT_OF_DATE "SGX_QL_QE_IDENTITY_OUT_OF_DATE" Unexpected;
    0xe02c SGX_TCB_INFO_EXPIRED "SGX_QL_SGX_TCB_INFO_EXPIRED" Unexpected;
    0xe02d SGX_PCK_CERT_CHAIN_EXPIRED "SGX_QL_SGX_PCK_CERT_CHAIN_EXPIRED" Unexpected;
    0xe02e SGX_CRL_EXPIRED "SGX_QL_SGX_CRL_EXPIRED" Unexpected;
    0xe02f SGX_SIGNING_CERT_CHAIN_EXPIRED "SGX_QL_SGX_SIGNING_CERT_CHAIN_EXPIRED" Unexpected;
    0xe030 SGX_ENCLAVE_IDENTITY_EXPIRED "SGX_QL_SGX_ENCLAVE_IDENTITY_EXPIRED" Unexpected;
    0xe031 PCK_REVOKED "SGX_QL_PCK_REVOKED" Unexpected;
    0xe032 TCB_REVOKED "SGX_QL_TCB_REVOKED" Unexpected;
    0xe033 TCB_CONFIGURATION_NEEDED "SGX_QL_TCB_CONFIGURATION_NEEDED" Unexpected;
    0xe034 UNABLE_TO_GET_COLLATERAL "SGX_QL_UNABLE_TO_GET_COLLATERAL" Unexpected;
    0xe035 INVALID_PRIVILEGE "SGX_QL_ERROR_INVALID_PRIVILEGE" Unexpected;
    0xe037 NO_QVE_IDENTITY_DATA "SGX_QL_NO_QVE_IDENTITY_DATA" Unexpected;
    0xe038 CRL_UNSUPPORTED_FORMAT "SGX_QL_CRL_UNSUPPORTED_FORMAT" Unexpected;
    0xe039 QEIDENTITY_CHAIN_ERROR "SGX_QL_QEIDENTITY_CHAIN_ERROR" Unexpected;
    0xe03a TCBINFO_CHAIN_ERROR "SGX_QL_TCBINFO_CHAIN_ERROR" Unexpected;
    0xe03b QVL_QVE_MISMATCH "SGX_QL_ERROR_QVL_QVE_MISMATCH" Unexpected;
    0xe03c TCB_SW_HARDENING_NEEDED "SGX_QL_TCB_SW_HARDENING_NEEDED" Unexpected;
    0xe03d TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED "SGX_QL_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED"
        Unexpected;
    0xe03e UNSUPPORTED_MODE "SGX_QL_UNSUPPORTED_MODE" Unexpected;
    0xe03f NO_DEVICE "SGX_QL_NO_DEVICE" Unexpected;
    0xe040 SERVICE_UNAVAILABLE "SGX_QL_SERVICE_UNAVAILABLE" Unexpected;
    0xe041 NETWORK_FAILURE "SGX_QL_NETWORK_FAILURE" Unexpected;
    0xe042 SERVICE_TIMEOUT "SGX_QL_SERVICE_TIMEOUT" Unexpected;
    0xe043 BUSY "SGX_QL_ERROR_BUSY" Unexpected;
    0xe044 UNKNOWN_MESSAGE_RESPONSE "SGX_QL_UNKNOWN_MESSAGE_RESPONSE" Unexpected;
    0xe045 PERSISTENT_STORAGE "SGX_QL_PERSISTENT_STORAGE_ERROR" Unexpected;
    0xe046 MESSAGE_PARSING "SGX_QL_ERROR_MESSAGE_PARSING_ERROR" Unexpected;
    0xe047 PLATFORM_UNKNOWN "SGX_QL_PLATFORM_UNKNOWN" Unexpected;
    0xe048 UNKNOWN_API_VERSION "SGX_QL_UNKNOWN_API_VERSION" Unexpected;
    0xe049 CERTS_UNAVAILABLE "SGX_QL_CERTS_UNAVAILABLE" Unexpected;
    0xe050 QVEIDENTITY_MISMATCH "SGX_QL_QVEIDENTITY_MISMATCH" Unexpected;
    0xe051 QVE_OUT_OF_DATE "SGX_QL_QVE_OUT_OF_DATE" Unexpected;
    0xe052 PSW_NOT_AVAILABLE "SGX_QL_PSW_NOT_AVAILABLE" Unexpected;
    0xe053 COLLATERAL_VERSION_NOT_SUPPORTED "SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED" Unexpected;
    0xe060 TDX_MODULE_MISMATCH "SGX_QL_TDX_MODULE_MISMATCH" Unexpected;
    0xe061 QEIDENTITY_NOT_FOUND "SGX_QL_QEIDENTITY_NOT_FOUND" Unexpected;
    0xe062 TCBINFO_NOT_FOUND "SGX_QL_TCBINFO_NOT_FOUND" Unexpected;
    0xe063 INTERNAL_SERVER_ERROR "SGX_QL_INTERNAL_SERVER_ERROR" Unexpected;
    0xe064 SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED "SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED"
        Unexpected;
    0xe065 ROOT_CA_UNTRUSTED "SGX_QL_ROOT_CA_UNTRUSTED" Unexpected;
    0xe066 TCB_NOT_SUPPORTED "SGX_QL_TCB_NOT_SUPPORTED" Unexpected;
    0xe067 CONFIG_INVALID_JSON "SGX_QL_CONFIG_INVALID_JSON" Unexpected;
    0xe068 RESULT_INVALID_SIGNATURE "SGX_QL_RESULT_INVALID_SIGNATURE" Unexpected;
    0xe070 QAEIDENTITY_MISMATCH "SGX_QL_QAEIDENTITY_MISMATCH" Unexpected;
    0xe071 QAE_OUT_OF_DATE "SGX_QL_QAE_OUT_OF_DATE" Unexpected;
    0xe072 QUOTE_HASH_MISMATCH "SGX_QL_QUOTE_HASH_MISMATCH" Unexpected;
    0xe073 REPORT_DATA_MISMATCH "SGX_QL_REPORT_DATA_MISMATCH" Unexpected;
}

impl Quote3Error {
    /// The error that Intel's `libsgx_dcap_ql` returns for a status of `libsgx_quote_ex`, out of
    /// process.
    #[must_use]
    pub fn of_status(status: SgxStatus) -> Self {
        match status {
            SgxStatus::SUCCESS => Self::SUCCESS,
            SgxStatus::INVALID_PARAMETER => Self::INVALID_PARAMETER,
            SgxStatus::OUT_OF_MEMORY => Self::OUT_OF_MEMORY,
            SgxStatus::NO_DEVICE => Self::NO_DEVICE,
            SgxStatus::SERVICE_UNAVAILABLE => Self::SERVICE_UNAVAILABLE,
            SgxStatus::NETWORK_FAILURE => Self::NETWORK_FAILURE,
            SgxStatus::SERVICE_TIMEOUT => Self::SERVICE_TIMEOUT,
            SgxStatus::BUSY => Self::BUSY,
            SgxStatus::UNSUPPORTED_ATT_KEY_ID => Self::UNSUPPORTED_ATT_KEY_ID,
            SgxStatus::ATT_KEY_CERTIFICATION_FAILURE => Self::ATT_KEY_CERT_DATA_INVALID,
            SgxStatus::PLATFORM_CERT_UNAVAILABLE => Self::NO_PLATFORM_CERT_DATA,
            SgxStatus::ATT_KEY_UNINITIALIZED => Self::ATT_KEY_NOT_INITIALIZED,
            _ => Self::UNEXPECTED,
        }
    }

    /// The error for an AESM error: the inverse of [`Self::aesm`].
    #[must_use]
    pub fn of_aesm(error: AesmError) -> Self {
        match error {
            AesmError::NoDevice => Self::NO_DEVICE,
            AesmError::ServiceUnavailable => Self::SERVICE_UNAVAILABLE,
            AesmError::Busy => Self::BUSY,
            _ => Self::with_aesm(error).unwrap_or(Self::UNEXPECTED),
        }
    }
}

impl fmt::Display for Quote3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#x})", self.0),
            None => write!(f, "quote3_error_t {:#x}", self.0),
        }
    }
}
