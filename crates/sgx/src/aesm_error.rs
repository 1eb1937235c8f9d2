//! The error numbers of the AESM protocol (`aesm_error_t`).

use std::fmt;

macro_rules! aesm_errors {
    ($($number:literal $variant:ident $name:literal $meaning:literal;)+) => {
        /// The error in an AESM reply: a number of `aesm_error_t` other than 0, success.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AesmError {
            $(
                #[doc = $meaning]
                $variant,
            )+
            /// A number that the protocol does not define.
            Unlisted(u32),
        }

        impl AesmError {
            /// The error with this number; `None` for 0, which is success.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                match number {
                    0 => None,
                    $($number => Some(Self::$variant),)+
                    other => Some(Self::Unlisted(other)),
                }
            }

            /// The number on the wire, never 0.
            #[must_use]
            pub fn number(self) -> u32 {
                match self {
                    $(Self::$variant => $number,)+
                    Self::Unlisted(number) => number,
                }
            }

            /// The official name without the prefix `AESM_`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unlisted(_) => "UNLISTED",
                }
            }

            fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                    Self::Unlisted(_) => "a number that the protocol does not define",
                }
            }
        }
    };
}

aesm_errors! {
    1 Unexpected "UNEXPECTED_ERROR" "an unexpected error";
    2 NoDevice "NO_DEVICE_ERROR" "no SGX device";
    3 Parameter "PARAMETER_ERROR" "a parameter is wrong";
    4 EpidBlob "EPIDBLOB_ERROR" "the EPID blob is damaged";
    5 EpidRevoked "EPID_REVOKED_ERROR" "the EPID key is revoked";
    6 GetLicenseToken "GET_LICENSETOKEN_ERROR" "no launch token";
    7 SessionInvalid "SESSION_INVALID" "the session is not valid";
    8 MaxSessions "MAX_NUM_SESSION_REACHED" "too many sessions";
    9 PsdaUnavailable "PSDA_UNAVAILABLE" "the PSDA is not available";
    10 EphSessionFailed "EPH_SESSION_FAILED" "no ephemeral session";
    11 LongTermPairingFailed "LONG_TERM_PAIRING_FAILED" "no long-term pairing";
    12 Network "NETWORK_ERROR" "the network failed";
    13 NetworkBusy "NETWORK_BUSY_ERROR" "the network is busy";
    14 ProxySettingAssist "PROXY_SETTING_ASSIST" "the proxy needs settings";
    15 FileAccess "FILE_ACCESS_ERROR" "a file cannot be read or written";
    16 ProvisionFailed "SGX_PROVISION_FAILED" "provisioning failed";
    17 ServiceStopped "SERVICE_STOPPED" "the service is stopping";
    18 Busy "BUSY" "the service is busy; try again";
    19 BackendServerBusy "BACKEND_SERVER_BUSY" "the service behind the service is busy; try again";
    20 UpdateAvailable "UPDATE_AVAILABLE" "an update is needed";
    21 OutOfMemory "OUT_OF_MEMORY_ERROR" "out of memory";
    22 Msg "MSG_ERROR" "a message is wrong";
    23 Thread "THREAD_ERROR" "a thread failed";
    24 DeviceNotAvailable "SGX_DEVICE_NOT_AVAILABLE" "the SGX device is not available";
    25 EnableDeviceFailed "ENABLE_SGX_DEVICE_FAILED" "SGX cannot be enabled";
    26 PlatformInfoBlobInvalidSig "PLATFORM_INFO_BLOB_INVALID_SIG"
        "the platform info blob's signature is wrong";
    28 KdfMismatch "KDF_MISMATCH" "the key derivation function is another one";
    29 OutOfEpc "OUT_OF_EPC" "not enough enclave memory";
    30 ServiceUnavailable "SERVICE_UNAVAILABLE" "no quote can be made now";
    31 UnrecognizedPlatform "UNRECOGNIZED_PLATFORM" "the platform is not registered";
    32 EcdsaIdMismatch "ECDSA_ID_MISMATCH" "the attestation key's id is another one";
    33 PathnameBufferOverflow "PATHNAME_BUFFER_OVERFLOW_ERROR" "a path is too long";
    34 ErrorStoredKey "ERROR_STORED_KEY" "the stored attestation key cannot be read";
    35 PubKeyIdMismatch "PUB_KEY_ID_MISMATCH" "the public key's id is another one";
    36 InvalidPceSigScheme "INVALID_PCE_SIG_SCHEME" "the PCE signs in another way";
    37 AttKeyBlob "ATT_KEY_BLOB_ERROR" "the attestation key blob is damaged";
    38 UnsupportedAttKeyId "UNSUPPORTED_ATT_KEY_ID" "no attestation key with this id";
    39 UnsupportedLoadingPolicy "UNSUPPORTED_LOADING_POLICY"
        "the enclave load policy is not supported";
    40 InterfaceUnavailable "INTERFACE_UNAVAILABLE"
        "the interface to the quoting enclave is not available";
    41 PlatformLibUnavailable "PLATFORM_LIB_UNAVAILABLE"
        "the quote provider library is not available";
    42 AttKeyNotInitialized "ATT_KEY_NOT_INITIALIZED"
        "there is no attestation key yet; initialize first";
    43 AttKeyCertDataInvalid "ATT_KEY_CERT_DATA_INVALID" "the certification data is wrong";
    44 NoPlatformCertData "NO_PLATFORM_CERT_DATA" "there is no PCK certificate for this platform";
    45 ErrorReport "ERROR_REPORT" "the REPORT could not be used";
    46 EnclaveLost "ENCLAVE_LOST" "the quoting enclave was lost, for instance by suspend to memory";
    47 InvalidReport "INVALID_REPORT" "the REPORT was not made for this platform's quoting enclave";
    48 EnclaveLoad "ENCLAVE_LOAD_ERROR" "the quoting enclave could not be loaded";
    49 UnableToGenerateQeReport "UNABLE_TO_GENERATE_QE_REPORT"
        "the quoting enclave could not report";
    50 KeyCertification "KEY_CERTIFICATION_ERROR" "the attestation key could not be certified";
}

impl fmt::Display for AesmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (AESM_{}, {})", self.meaning(), self.name(), self.number())
    }
}

impl std::error::Error for AesmError {}
