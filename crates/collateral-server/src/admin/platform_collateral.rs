//! `platformcollateral`: an administrator brings certificates and collateral.

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

/// Parts of a file that are left out, with the reasons.
#[derive(Default)]
struct Notes(Vec<String>);

/// Keeps the contents of a file. The answer names what is left out.
pub(super) async fn upload(
    _: Administrator,
    State(admin): State<Admin>,
    request: Request,
) -> Result<String, ApiError> {
    let closed = |_| ApiError::Unavailable("the server stops".to_owned());
    let uploading = Arc::clone(&admin.uploading).acquire_owned().await.map_err(closed)?;
    let body = body(request, MAX_COLLATERAL).await?;
    let (backend, api) = (Arc::clone(&admin.backend), admin.api.clone());
    let notes = blocking(move || {
        let notes = keep(&backend, &parse(&body)?);
        api.clear_cache();
        drop(uploading);
        notes
    });
    Ok(notes.await?.answer())
}

/// Nothing is kept before everything is checked.
fn keep(backend: &Backend, form: &PlatformCollateralForm) -> Result<Notes, ApiError> {
    let mut notes = Notes::default();
    let chains = IssuerChains::read(backend, &form.collaterals.certificates)?;
    let records = records(backend, &form.collaterals, &chains, &mut notes)?;
    let platforms = PlatformCertificates::read_all(backend, form, &chains, &records)?;
    for record in &records {
        match backend.cache().insert(record) {
            Ok(true) => {}
            Ok(false) | Err(InsertError::Check(CheckError::Older { .. })) => {
                notes.add(format!("{}: something newer is or was kept here", record.item));
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
    Ok(notes)
}

impl Notes {
    /// Intel's tools do not show the answer to a file that was taken, so the log has it, too.
    fn add(&mut self, note: String) {
        tracing::info!(left_out = note, "a part of the collateral of an administrator is not kept");
        self.0.push(note);
    }

    fn answer(&self) -> String {
        match &self.0[..] {
            [] => "done".to_owned(),
            notes => format!("done; left out: {}", notes.join("; ")),
        }
    }
}
