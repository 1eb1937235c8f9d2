//! `platformcollateral`: stores certificates and collateral that an administrator uploads.

mod form;
mod issuer_chains;
mod platform_certificates;
mod records;

use std::sync::Arc;

use axum::extract::{Request, State};
use collateral::{CheckError, InsertError};

use self::form::PlatformCollateralForm;
use self::issuer_chains::IssuerChains;
use self::platform_certificates::PlatformCertificates;
use self::records::{integrity, records};
use super::form::parse;
use super::{Admin, Administrator, MAX_COLLATERAL, body};
use crate::api::{ApiError, blocking};
use crate::backend::Backend;
use crate::platform_store::{Authority, Registration};

/// Skipped parts of a file, with the reasons.
#[derive(Default)]
struct Skipped(Vec<String>);

/// Stores the contents of a file. The response names skipped parts.
pub(super) async fn upload(
    _: Administrator,
    State(admin): State<Admin>,
    request: Request,
) -> Result<String, ApiError> {
    let closed = |_| ApiError::Unavailable("the server is stopping".to_owned());
    let uploading = Arc::clone(&admin.uploading).acquire_owned().await.map_err(closed)?;
    let body = body(request, MAX_COLLATERAL).await?;
    let (backend, api) = (Arc::clone(&admin.backend), admin.api.clone());
    let skipped = blocking(move || {
        let skipped = keep(&backend, &parse(&body)?);
        api.clear_cache();
        drop(uploading);
        skipped
    });
    Ok(skipped.await?.response())
}

/// Checks everything, then stores it.
fn keep(backend: &Backend, form: &PlatformCollateralForm) -> Result<Skipped, ApiError> {
    let mut skipped = Skipped::default();
    let chains = IssuerChains::read(backend, &form.collaterals.certificates)?;
    let records = records(backend, &form.collaterals, &chains, &mut skipped)?;
    let platforms = PlatformCertificates::read_all(backend, form, &chains, &records)?;
    for record in &records {
        match backend.cache().insert(record) {
            Ok(true) => {}
            Ok(false) | Err(InsertError::Check(CheckError::Older { .. })) => {
                skipped.add(format!("{}: there is or was a newer one here", record.item));
            }
            Err(InsertError::Check(error)) => return Err(integrity(&record.item, &error)),
            Err(InsertError::Write(error)) => return Err(ApiError::Internal(error.to_string())),
        }
    }
    for PlatformCertificates { name, registration, list, tcbs } in &platforms {
        backend.store().set_name(name)?;
        backend.pck().lists().replace(registration, list, tcbs, Authority::Administrator)?;
        let Registration { platform, manifest, .. } = registration;
        backend.store().acknowledge(platform, tcbs, manifest)?;
    }
    Ok(skipped)
}

impl Skipped {
    /// Intel's tools do not show the response to an accepted file, so the log has it, too.
    fn add(&mut self, note: String) {
        tracing::info!(left_out = note, "skipped a part of uploaded collateral");
        self.0.push(note);
    }

    fn response(&self) -> String {
        match &self.0[..] {
            [] => "done".to_owned(),
            skipped => format!("done; left out: {}", skipped.join("; ")),
        }
    }
}
