//! `platforms`: registers platforms, and lists registered or known ones.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use collateral::TcbUpdate;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::form::parse;
use super::platform_form::PlatformForm;
use super::refresh::fmspcs;
use super::{Admin, Administrator, MAX_REGISTRATION, User, body};
use crate::api::{ApiError, blocking};
use crate::backend::{Backend, deadline};
use crate::platform_store::{Queue, Registration, StoreError};

const DONE: &str = "done";
const PLATFORM_COUNT: &str = "platform-count";
const JSON: &str = "application/json";
/// Maximum parts of a list that wait to be sent.
const PARTS: usize = 16;
/// Minimum size of a part in bytes.
const PART: usize = 32 * 1024;

#[derive(Deserialize)]
pub(super) struct RegisterQuery {
    update: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    source: Option<String>,
}

/// Registers a platform.
pub(super) async fn register(
    _: User,
    State(admin): State<Admin>,
    Query(query): Query<RegisterQuery>,
    request: Request,
) -> Result<&'static str, ApiError> {
    let sets = evaluation_sets(query.update.as_deref())?;
    let body = body(request, MAX_REGISTRATION).await?;
    let form: PlatformForm = parse(&body)?;
    let (name, registration) = (form.name()?, form.registration()?);
    let backend = Arc::clone(&admin.backend);
    blocking(move || {
        backend.store().set_name(&name)?;
        Ok(backend.pck().register(&registration, deadline())?)
    })
    .await?;
    admin.api.clear_cache();
    if admin.backend.mode().may_fetch() {
        let backend = Arc::clone(&admin.backend);
        spawn_blocking(move || backend.prefetch(sets));
    }
    Ok(DONE)
}

fn evaluation_sets(update: Option<&str>) -> Result<&'static [TcbUpdate], ApiError> {
    match update.map(str::to_ascii_lowercase).as_deref() {
        None | Some("standard") => Ok(&[TcbUpdate::Standard]),
        Some("early") => Ok(&[TcbUpdate::Early]),
        Some("all") => Ok(&[TcbUpdate::Early, TcbUpdate::Standard]),
        Some(_) => Err(ApiError::invalid("update must be standard, early or all")),
    }
}

/// Lists platforms: registered ones without certificates, or known ones.
///
/// A PCCS removes registrations once it has listed them, so that a lost response loses them. Here
/// they stay until their certificates are stored. Intel's tools work with either.
pub(super) async fn list(
    _: Administrator,
    State(admin): State<Admin>,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let listed = match query.source.as_deref() {
        None | Some("" | "reg") => Listed::Registered(Queue::New),
        Some("reg_na") => Listed::Registered(Queue::NotAvailable),
        Some(list) if list.starts_with('[') && list.ends_with(']') => Listed::Known(fmspcs(list)?),
        Some(_) => return Err(ApiError::invalid("source must be reg, reg_na or [FMSPC,FMSPC,…]")),
    };
    let listed = Arc::new(listed);
    let (backend, counted) = (Arc::clone(&admin.backend), Arc::clone(&listed));
    let count = blocking(move || Ok(counted.count(&backend)?)).await?;
    // There may be a million: send them while reading.
    let (parts, receiver) = mpsc::channel(PARTS);
    spawn_blocking(move || {
        if let Err(error) = send(&admin.backend, &listed, &parts) {
            tracing::error!(%error, "cannot send the whole list of platforms");
        }
    });
    let parts = ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let json = (CONTENT_TYPE.as_str(), JSON.to_owned());
    let headers = [json, (PLATFORM_COUNT, count.to_string())];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The platforms to list.
enum Listed {
    /// Those in this queue.
    Registered(Queue),
    /// Platforms with these FMSPCs and stored certificates.
    Known(Vec<[u8; 6]>),
}

impl Listed {
    /// The number of rows.
    fn count(&self, backend: &Backend) -> Result<u64, StoreError> {
        match self {
            Self::Registered(queue) => backend.store().registered_count(*queue),
            Self::Known(fmspcs) => {
                let mut count = 0_u64;
                backend.store().visit(|listed| {
                    if listed.is_of(fmspcs) {
                        count = count.saturating_add(listed.tcbs.len() as u64);
                    }
                    true
                })?;
                Ok(count)
            }
        }
    }

    /// Calls `visit` with each row until it returns `false`.
    fn visit(
        &self,
        backend: &Backend,
        mut visit: impl FnMut(&Registration) -> bool,
    ) -> Result<(), StoreError> {
        match self {
            Self::Registered(queue) => {
                backend.store().visit_registered(*queue, |registration| visit(&registration))
            }
            Self::Known(fmspcs) => backend.store().visit(|listed| {
                !listed.is_of(fmspcs) || listed.registrations().all(|row| visit(&row))
            }),
        }
    }
}

fn send(backend: &Backend, listed: &Listed, parts: &mpsc::Sender<Bytes>) -> Result<(), StoreError> {
    let (mut part, mut separator, mut failure) = (vec![b'['], None, None);
    listed.visit(backend, |registration| {
        let name = match backend.store().name(&registration.platform) {
            Ok(name) => name,
            Err(error) => {
                failure = Some(error);
                return false;
            }
        };
        part.extend(separator.replace(b','));
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut part, &PlatformForm::new(&name, registration));
        part.len() < PART || parts.blocking_send(std::mem::take(&mut part).into()).is_ok()
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    part.push(b']');
    // An error means that the client has gone.
    let _ = parts.blocking_send(part.into());
    Ok(())
}
