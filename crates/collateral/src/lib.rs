//! Verification collateral over HTTP, in the form of the PCS API v4.
