//! Collateral in files: bundles, and the JSON that dcap-qvl has for one quote.

use std::collections::HashMap;

use sgx::Collateral;

use crate::{Bundle, BundleError, CollateralId, Document, TcbUpdate};

/// The contents of a file with collateral. Nothing is checked.
pub(crate) enum CollateralFile {
    /// For one quote, or others of the same kind of platform.
    Json(Box<Collateral>),
    /// For all that is in the bundle.
    Bundle(HashMap<String, Document>),
}

/// A file that holds no usable collateral.
#[derive(Debug, thiserror::Error)]
pub enum CollateralFileError {
    /// A bundle that cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Neither a bundle nor JSON.
    #[error(
        "it holds no collateral: neither a bundle, as `collateral export` writes it, nor JSON, as \
         `platform collateral` and dcap-qvl write it: {reason}",
        reason = printable::json_error(.0)
    )]
    Unrecognized(#[source] serde_json::Error),
}

impl CollateralFile {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, CollateralFileError> {
        match Bundle::open(bytes) {
            Ok(bundle) => {
                let documents = bundle.map(|record| {
                    record.map(|record| (record.item().to_string(), record.into_document()))
                });
                Ok(Self::Bundle(documents.collect::<Result<_, _>>()?))
            }
            Err(BundleError::NoBundle) => serde_json::from_slice(bytes)
                .map(|collateral| Self::Json(Box::new(collateral)))
                .map_err(CollateralFileError::Unrecognized),
            Err(error) => Err(error.into()),
        }
    }
}

/// The document of this item in a bundle; that of another TCB update if the bundle has no other.
pub(crate) fn find<'a>(
    bundle: &'a HashMap<String, Document>,
    item: &CollateralId,
) -> Option<&'a Document> {
    let name = item.to_string();
    bundle.get(&name).or_else(|| {
        let set = TcbUpdate::Standard.to_string();
        let of_any_set = name.strip_suffix(&set)?;
        let mut names: Vec<_> = bundle.keys().filter(|key| key.starts_with(of_any_set)).collect();
        names.sort();
        names.pop().and_then(|name| bundle.get(name))
    })
}
