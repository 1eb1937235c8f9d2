//! An SGX platform in software: CPU, QE, PCE, PKI and collateral. Insecure by design.
