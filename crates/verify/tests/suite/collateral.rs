//! Single pieces of collateral: accepted as they came and in their time, refused otherwise.

mod assessment;
mod damaged;
mod issuers;
mod json;
mod pieces;
mod recorded;
mod software;
