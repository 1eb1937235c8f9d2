//! The pages at `/`.

use http_server::Index;

/// A path, and what is there.
type Entry = (&'static str, &'static str);

const ROOT_CA_CRL: Entry = ("/sgx/certification/v4/rootcacrl", "the root's CRL");
const QE_IDENTITY: Entry =
    ("/sgx/certification/v4/qe/identity", "the identity of the QE; also qve/identity");
const TCB_INFO: Entry = ("GET /sgx/certification/v4/tcb?fmspc=", "TCB info");
const PCK_CRL: Entry =
    ("GET /sgx/certification/v4/pckcrl?ca=", "the CRL of the PCK CA platform or processor");
const PCK_CERTIFICATE: Entry = (
    "GET /sgx/certification/v4/pckcert?qeid=&cpusvn=&pcesvn=&pceid=",
    "a platform's PCK certificate",
);

/// The page of the drop-in replacement for a PCCS.
pub(crate) const SERVER: Index = Index {
    title: "quote-helper collateral serve: PCK certificates and collateral, as a PCCS has them",
    paths: &[
        ROOT_CA_CRL,
        QE_IDENTITY,
        TCB_INFO,
        PCK_CRL,
        PCK_CERTIFICATE,
        ("GET /sgx/certification/v4/appraisalpolicy?fmspc=", "default appraisal policies"),
        ("GET /tdx/certification/v4/tcb?fmspc=", "TCB info for TDX; also qe/identity"),
        ("POST /sgx/certification/v4/platforms", "registers a platform; needs the user's token"),
        ("GET /sgx/certification/v4/platforms", "known platforms; needs the administrator's token"),
        ("PUT /sgx/certification/v4/platformcollateral", "brings collateral; the same token"),
        ("GET /sgx/certification/v4/refresh", "fetches again; the same token"),
    ],
};

/// The page of a source's collateral.
pub(crate) const READER: Index = Index {
    title: "quote-helper: collateral, as a PCCS has it",
    paths: &[ROOT_CA_CRL, QE_IDENTITY, TCB_INFO, PCK_CRL, PCK_CERTIFICATE],
};

/// The page of the software platform as a PCS.
pub(crate) const SOFTWARE_PCS: Index = Index {
    title: "quote-helper: the software platform's PCS; INSECURE by design",
    paths: &[
        ROOT_CA_CRL,
        QE_IDENTITY,
        TCB_INFO,
        PCK_CRL,
        ("/sgx/certification/v4/fmspcs", "the platform's FMSPC"),
        (
            "GET /sgx/certification/v4/pckcert?encrypted_ppid=&cpusvn=&pcesvn=&pceid=",
            "the platform's PCK certificate; also pckcerts and pckcerts/config",
        ),
    ],
};
