//! `refresh`: refetches stored items.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

use super::form::fixed;
use super::{Admin, Administrator};
use crate::api::{ApiError, blocking};
use crate::backend::{Backend, deadline};

/// Maximum wait of the client, below the minute that a connection lasts.
const WAIT: Duration = Duration::from_secs(45);

#[derive(Deserialize)]
pub(super) struct RefreshQuery {
    r#type: Option<String>,
    fmspc: Option<String>,
}

/// The items to refetch.
enum Target {
    Collateral,
    /// The PCK certificates of platforms with these FMSPCs; of all, if empty.
    PckCertificates(Vec<[u8; 6]>),
}

/// Refetches, and reports the result if it does not take too long.
pub(super) async fn refresh(
    _: Administrator,
    State(admin): State<Admin>,
    Query(query): Query<RefreshQuery>,
) -> Result<(StatusCode, &'static str), ApiError> {
    let target = match query.r#type.as_deref() {
        None | Some("") => Target::Collateral,
        Some("certs") => Target::PckCertificates(fmspcs(&query.fmspc.unwrap_or_default())?),
        Some(_) => return Err(ApiError::invalid("type must be certs, or be left out")),
    };
    let unavailable = |text: &str| ApiError::Unavailable(text.to_owned());
    if !admin.backend.mode().may_fetch() {
        return Err(unavailable("this server is in the mode offline"));
    }
    let refreshing = Arc::clone(&admin.refreshing).try_acquire_owned();
    let refreshing = refreshing.map_err(|_| unavailable("another refresh is in progress"))?;
    let refreshed = tokio::spawn(blocking(move || {
        let result = run(&admin.backend, &target);
        admin.api.clear_cache();
        drop(refreshing);
        result
    }));
    match timeout(WAIT, refreshed).await {
        Ok(Ok(result)) => result.map(|()| (StatusCode::OK, "done")),
        Ok(Err(error)) => Err(ApiError::Internal(error.to_string())),
        Err(_) => Ok((StatusCode::ACCEPTED, "refreshing continues; see the log of this server")),
    }
}

fn run(backend: &Backend, target: &Target) -> Result<(), ApiError> {
    let result = match target {
        Target::Collateral => backend.refresh(),
        Target::PckCertificates(fmspcs) => refresh_pck_certificates(backend, fmspcs),
    };
    match result {
        Ok(()) => tracing::info!("refreshed"),
        Err(problem) => {
            tracing::error!(%problem, "cannot refresh everything");
            let text =
                "not everything was refreshed, and the rest stays; see the log of this server";
            return Err(ApiError::Unavailable(text.to_owned()));
        }
    }
    Ok(())
}

fn refresh_pck_certificates(backend: &Backend, fmspcs: &[[u8; 6]]) -> Result<(), String> {
    let (mut failures, mut last) = (0_u64, String::new());
    let visited = backend.store().visit(|listed| {
        if listed.is_of(fmspcs)
            && let Err(error) = backend.pck().refresh(&listed, deadline)
        {
            (failures, last) = (failures.saturating_add(1), error.to_string());
        }
        true
    });
    visited.map_err(|error| error.to_string())?;
    match failures {
        0 => Ok(()),
        _ => Err(format!("the PCK certificates of {failures} platforms; of the last one: {last}")),
    }
}

/// One FMSPC, or several in brackets; none stands for all.
pub(super) fn fmspcs(text: &str) -> Result<Vec<[u8; 6]>, ApiError> {
    let text = text.trim();
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    list.split(',').map(|fmspc| fixed("fmspc", fmspc.trim())).collect()
}
