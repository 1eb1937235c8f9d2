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
use crate::api::blocking;
use crate::keeper::Keeper;
use crate::platform_store::{Authority, Registration};
use crate::refusal::Refusal;

/// Parts of a file that are left out, with the reasons.
#[derive(Default)]
struct Notes(Vec<String>);

/// Keeps the contents of a file. The answer names what is left out.
pub(super) async fn bring(
    _: Administrator,
    State(admin): State<Admin>,
    request: Request,
) -> Result<String, Refusal> {
    let closed = |_| Refusal::Unavailable("the server stops".to_owned());
    let bringing = Arc::clone(&admin.bringing).acquire_owned().await.map_err(closed)?;
    let body = body(request, MAX_COLLATERAL).await?;
    let (keeper, api) = (Arc::clone(&admin.keeper), admin.api.clone());
    let notes = blocking(move || {
        let notes = keep(&keeper, &parse(&body)?);
        api.forget();
        drop(bringing);
        notes
    });
    Ok(notes.await?.answer())
}

/// Nothing is kept before everything is checked.
fn keep(keeper: &Keeper, form: &PlatformCollateralForm) -> Result<Notes, Refusal> {
    let mut notes = Notes::default();
    let chains = IssuerChains::read(keeper, &form.collaterals.certificates)?;
    let records = records(keeper, &form.collaterals, &chains, &mut notes)?;
    let platforms = PlatformCertificates::read_all(keeper, form, &chains, &records)?;
    for record in &records {
        match keeper.cache().insert(record) {
            Ok(true) => {}
            Ok(false) | Err(InsertError::Check(CheckError::Older { .. })) => {
                notes.add(format!("{}: something newer is or was kept here", record.item));
            }
            Err(InsertError::Check(error)) => return Err(integrity(&record.item, &error)),
            Err(InsertError::Write(error)) => return Err(Refusal::Internal(error.to_string())),
        }
    }
    for PlatformCertificates { name, registration, list, tcbs } in &platforms {
        keeper.store().set_name(name)?;
        keeper.pck().lists().replace(registration, list, tcbs, Authority::Administrator)?;
        let Registration { platform, manifest, .. } = registration;
        keeper.store().acknowledge(platform, tcbs, manifest)?;
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
