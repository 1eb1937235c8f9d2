//! Collateral in files: bundles, and the JSON that dcap-qvl has for one quote.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use collateral::{Bundle, BundleError, CollateralId, Document, Record, TcbUpdate};
use sgx::Collateral;

use crate::files;

/// The largest file, in bytes: the collateral of some thousand platforms.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// The contents of a file with collateral. Nothing is checked.
pub(super) enum CollateralFile {
    /// For one quote, or others of the same kind of platform.
    Json(Box<Collateral>),
    /// For all that is in the bundle.
    Bundle(HashMap<String, Document>),
}

/// Reads a file of either form.
pub(super) fn read(path: &Path) -> anyhow::Result<CollateralFile> {
    let shown = files::Input(path);
    let mut bytes = Vec::new();
    let mut file = files::open(path)?.take(MAX_SIZE.saturating_add(1));
    file.read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    ensure!(bytes.len() as u64 <= MAX_SIZE, "{shown} has more than {MAX_SIZE} bytes");
    match Bundle::open(bytes.as_slice()) {
        Ok(bundle) => bundle
            .map(|record| record.map(|record| (record.item().to_string(), record.into_document())))
            .collect::<Result<_, _>>()
            .map(CollateralFile::Bundle)
            .with_context(|| format!("cannot use the bundle {shown}")),
        Err(BundleError::NoBundle) => serde_json::from_slice(&bytes)
            .map(|collateral| CollateralFile::Json(Box::new(collateral)))
            .with_context(|| {
                format!(
                    "{shown} holds no collateral, neither a bundle, as `collateral export` writes \
                     it, nor the JSON of `platform collateral` or dcap-qvl"
                )
            }),
        Err(error) => Err(error).with_context(|| format!("cannot use the bundle {shown}")),
    }
}

/// The document of this item in a bundle; of another TCB evaluation if it has no other one.
pub(super) fn find<'a>(
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

/// Writes a bundle whole, or leaves what was there; `-` is standard output.
pub(crate) fn write_bundle(path: &Path, records: &[Record]) -> anyhow::Result<()> {
    let mut bundle = Vec::new();
    collateral::write_bundle(records, &mut bundle)?;
    files::replace(path, &bundle)
}
