//! The steps of a verification and their outcomes.

use std::fmt;

use serde::Serialize;

macro_rules! steps {
    ($($variant:ident $name:literal $meaning:literal;)+) => {
        /// A step of the verification, in their order. In JSON it is its name in lower case with
        /// hyphens, such as `tcb-info`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Step {
            $(
                #[doc = $meaning]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        impl Step {
            /// The statement that holds if the step passed.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }

            /// The name of the step in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

steps! {
    QuoteFormat "quote-format"
        "the bytes are a quote of SGX (version 3) or TDX (version 4 or 5), signed with ECDSA P-256";
    TrustedRoot "trusted-root" "the quote's certificates lead to a trusted root";
    RootCrl "root-crl"
        "the collateral is of this root, which is in date, signed its revocation list and is not \
         on it";
    TcbInfo "tcb-info"
        "the TCB info (security versions of this kind of platform) is signed under the root and in \
         date";
    QeIdentity "qe-identity"
        "the QE identity (properties of the genuine Quoting Enclave) is signed under the root and \
         in date";
    PckCertificate "pck-certificate"
        "the platform's PCK certificate leads to the root and is not revoked";
    QeReportSignature "qe-report-signature"
        "the platform's PCK key signed the report of the Quoting Enclave";
    AttestationKey "attestation-key" "the Quoting Enclave's report names the attestation key";
    QeMatch "qe-match" "the Quoting Enclave is the one that the QE identity describes";
    QuoteSignature "quote-signature"
        "the attestation key signed the quote: its contents are genuine";
    TcbLevel "tcb-level" "the platform reaches a published security version that is not revoked";
    TdAttributes "td-attributes"
        "the TD stays on its platform, and no other TD serves it (TDATTRIBUTES)";
    Binding "binding"
        "the quote is bound to the data that came with it, such as a certificate's key";
    Debug "debug" "policy: the enclave or TD is closed to debuggers, or debugging is allowed";
    TcbStatus "tcb-status" "policy: the TCB status is an accepted one";
    TcbDate "tcb-date" "policy: the TCB is recent enough";
    TcbEvaluation "tcb-evaluation"
        "policy: the collateral is of a TCB evaluation that is recent enough";
    PlatformFeatures "platform-features"
        "policy: the platform's certificate rules out the refused features";
    Fmspc "fmspc" "policy: the platform is of an accepted kind (FMSPC)";
    Ppid "ppid" "policy: the processor package is an accepted one (PPID)";
    PlatformInstanceId "platform-instance-id"
        "policy: the platform is an accepted one (platform instance id)";
    MrEnclave "mr-enclave" "policy: the enclave's code is the expected one (MRENCLAVE)";
    MrSigner "mr-signer" "policy: the enclave's signer is the expected one (MRSIGNER)";
    IsvProdId "isv-prod-id" "policy: the enclave is the expected product of its signer (ISVPRODID)";
    IsvSvn "isv-svn" "policy: the enclave's security version is high enough (ISVSVN)";
    IsvExtProdId "isv-ext-prod-id"
        "policy: the enclave's extended product id is the expected one (ISVEXTPRODID)";
    IsvFamilyId "isv-family-id" "policy: the enclave's family id is the expected one (ISVFAMILYID)";
    ConfigId "config-id" "policy: the enclave's configuration is the expected one (CONFIGID)";
    ConfigSvn "config-svn"
        "policy: the security version of the configuration is high enough (CONFIGSVN)";
    SigStruct "sigstruct"
        "policy: the enclave is the product of a SIGSTRUCT, in its security version or a higher one";
    MrTd "mr-td" "policy: the TD's initial contents are the expected ones (MRTD)";
    Rtmr0 "rtmr0" "policy: the first runtime measurement is the expected one (RTMR0)";
    Rtmr1 "rtmr1" "policy: the second runtime measurement is the expected one (RTMR1)";
    Rtmr2 "rtmr2" "policy: the third runtime measurement is the expected one (RTMR2)";
    Rtmr3 "rtmr3" "policy: the fourth runtime measurement is the expected one (RTMR3)";
    MrConfigId "mr-config-id"
        "policy: the configuration by the TD's host is the expected one (MRCONFIGID)";
    MrOwner "mr-owner" "policy: the TD's owner is the expected one (MROWNER)";
    MrOwnerConfig "mr-owner-config"
        "policy: the configuration by the TD's owner is the expected one (MROWNERCONFIG)";
    MrServiceTd "mr-service-td" "policy: the TD's service TDs are the expected ones (MRSERVICETD)";
    MrSeam "mr-seam" "policy: the code of the TDX module is the expected one (MRSEAM)";
    MrSignerSeam "mr-signer-seam"
        "policy: the signer of the TDX module is the expected one (MRSIGNERSEAM)";
    TeeTcbSvn "tee-tcb-svn"
        "policy: the security versions of the TDX module and below are high enough (TEE_TCB_SVN)";
    ExpectedTdAttributes "expected-td-attributes"
        "policy: the TD's attributes are the expected ones (TDATTRIBUTES)";
    Xfam "xfam" "policy: the processor state that the TD may use is the expected one (XFAM)";
    ReportData "report-data"
        "policy: the enclave or TD bound the expected data to the quote (REPORTDATA)";
}

impl Step {
    /// The steps of the evidence; a TD adds [`Step::TdAttributes`]. The others are of the policy.
    pub const EVIDENCE: [Self; 11] = [
        Self::QuoteFormat,
        Self::TrustedRoot,
        Self::RootCrl,
        Self::TcbInfo,
        Self::QeIdentity,
        Self::PckCertificate,
        Self::QeReportSignature,
        Self::AttestationKey,
        Self::QeMatch,
        Self::QuoteSignature,
        Self::TcbLevel,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", content = "reason", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// The statement of the step holds.
    Passed,
    /// It does not hold, or cannot be decided; the reason.
    Failed(String),
    /// The verification ended before this step.
    NotReached,
}

/// A step and its outcome; in JSON `{"step", "outcome", "reason"}`, the reason if it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepResult {
    /// The step.
    pub step: Step,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: StepOutcome,
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            StepOutcome::Passed => write!(f, "passed       {}", self.step),
            StepOutcome::Failed(reason) => {
                write!(f, "FAILED       {}: {}", self.step, printable::line(reason))
            }
            StepOutcome::NotReached => write!(f, "not reached  {}", self.step),
        }
    }
}
