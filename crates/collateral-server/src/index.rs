//! The pages at `/`.

use http_server::Index;

/// That of the server in the place of a PCCS.
pub(crate) const SERVER: Index = Index {
    title: "quote-helper collateral serve: PCK certificates and collateral, as a PCCS has them",
    paths: &[
        ("/sgx/certification/v4/rootcacrl", "the root's CRL"),
        ("/sgx/certification/v4/qe/identity", "the identity of the QE; also qve/identity"),
        ("GET /sgx/certification/v4/tcb?fmspc=", "TCB info"),
        ("GET /sgx/certification/v4/pckcrl?ca=", "the CRL of the PCK CA platform or processor"),
        (
            "GET /sgx/certification/v4/pckcert?qeid=&cpusvn=&pcesvn=&pceid=",
            "a platform's PCK certificate",
        ),
        ("GET /sgx/certification/v4/appraisalpolicy?fmspc=", "default appraisal policies"),
        ("GET /tdx/certification/v4/tcb?fmspc=", "TCB info for TDX; also qe/identity"),
        ("POST /sgx/certification/v4/platforms", "registers a platform; needs the user's token"),
        ("GET /sgx/certification/v4/platforms", "known platforms; needs the administrator's token"),
        ("PUT /sgx/certification/v4/platformcollateral", "brings collateral; the same token"),
        ("GET /sgx/certification/v4/refresh", "fetches again; the same token"),
    ],
};

/// That of a source's collateral.
pub(crate) const READER: Index = Index {
    title: "quote-helper: collateral, as a PCCS has it",
    paths: &[
        ("/sgx/certification/v4/rootcacrl", "the root's CRL"),
        ("/sgx/certification/v4/qe/identity", "the identity of the QE; also qve/identity"),
        ("GET /sgx/certification/v4/tcb?fmspc=", "TCB info"),
        ("GET /sgx/certification/v4/pckcrl?ca=", "the CRL of the PCK CA platform or processor"),
        (
            "GET /sgx/certification/v4/pckcert?qeid=&cpusvn=&pcesvn=&pceid=",
            "a platform's PCK certificate",
        ),
    ],
};

/// That of the software platform as a PCS.
pub(crate) const SOFTWARE_PCS: Index = Index {
    title: "quote-helper: the software platform's PCS; INSECURE by design",
    paths: &[
        ("/sgx/certification/v4/rootcacrl", "the root's CRL"),
        ("/sgx/certification/v4/qe/identity", "the identity of the QE; also qve/identity"),
        ("GET /sgx/certification/v4/tcb?fmspc=", "TCB info"),
        ("GET /sgx/certification/v4/pckcrl?ca=", "the CRL of the PCK CA platform or processor"),
        ("/sgx/certification/v4/fmspcs", "the platform's FMSPC"),
        (
            "GET /sgx/certification/v4/pckcert?encrypted_ppid=&cpusvn=&pcesvn=&pceid=",
            "the platform's PCK certificate; also pckcerts and pckcerts/config",
        ),
    ],
};
