//! Everything that makes quotes is a Quoter.
