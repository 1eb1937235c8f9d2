//! `platforms`: who registers, who has registered, who is known.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use collateral::EvaluationSet;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::form::{self, PlatformForm};
use super::refresh::{deadline, fmspcs};
use super::{Admin, Administrator, MAX_REGISTRATION, User, body};
use crate::api::blocking;
use crate::keeper::Keeper;
use crate::platform_store::{ListedPlatform, Queue, Registration, StoreError};
use crate::refusal::Refusal;

const DONE: &str = "done";
const PLATFORM_COUNT: &str = "platform-count";
const JSON: &str = "application/json";
/// How many parts of a list wait to be sent.
const PARTS: usize = 16;
/// How large a part is at least, in bytes.
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
) -> Result<&'static str, Refusal> {
    let sets = evaluation_sets(query.update.as_deref())?;
    let body = body(request, MAX_REGISTRATION).await?;
    let registration = form::parse::<PlatformForm>(&body)?.registration()?;
    let keeper = Arc::clone(&admin.keeper);
    blocking(move || Ok(keeper.pck().register(&registration, deadline())?)).await?;
    admin.api.forget();
    if admin.keeper.mode().asks() {
        let keeper = Arc::clone(&admin.keeper);
        spawn_blocking(move || keeper.prefetch(sets));
    }
    Ok(DONE)
}

fn evaluation_sets(update: Option<&str>) -> Result<&'static [EvaluationSet], Refusal> {
    match update.map(str::to_ascii_lowercase).as_deref() {
        None | Some("standard") => Ok(&[EvaluationSet::Standard]),
        Some("early") => Ok(&[EvaluationSet::Early]),
        Some("all") => Ok(&[EvaluationSet::Early, EvaluationSet::Standard]),
        Some(_) => Err(Refusal::invalid("update must be standard, early or all")),
    }
}

/// Lists platforms: those that have registered, which is told once, or those that are known.
pub(super) async fn list(
    _: Administrator,
    State(admin): State<Admin>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    match query.source.as_deref() {
        None | Some("" | "reg") => registered(&admin, Queue::New).await,
        Some("reg_na") => registered(&admin, Queue::NotAvailable).await,
        Some(list) if list.starts_with('[') && list.ends_with(']') => {
            known(&admin, fmspcs(list)?).await
        }
        Some(_) => Err(Refusal::invalid("source must be reg, reg_na or [FMSPC,FMSPC,…]")),
    }
}

async fn registered(admin: &Admin, queue: Queue) -> Result<Response, Refusal> {
    let keeper = Arc::clone(&admin.keeper);
    let taken = blocking(move || keeper.store().take_registered(queue).map_err(internal)).await?;
    let rows: Vec<_> = taken.iter().map(PlatformForm::new).collect();
    let json = serde_json::to_vec(&rows).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(answer(taken.len() as u64, Body::from(json)))
}

/// There may be a million: they are sent as they are read.
async fn known(admin: &Admin, fmspcs: Vec<[u8; 6]>) -> Result<Response, Refusal> {
    let (keeper, kinds) = (Arc::clone(&admin.keeper), fmspcs.clone());
    let count = blocking(move || count(&keeper, &kinds)).await?;
    let (parts, receiver) = mpsc::channel(PARTS);
    let keeper = Arc::clone(&admin.keeper);
    spawn_blocking(move || {
        if let Err(error) = send(&keeper, &fmspcs, &parts) {
            tracing::error!(%error, "a list of platforms was cut");
        }
    });
    let parts = ReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    Ok(answer(count, Body::from_stream(parts)))
}

fn count(keeper: &Keeper, fmspcs: &[[u8; 6]]) -> Result<u64, Refusal> {
    let mut count = 0_u64;
    let visited = keeper.store().visit(|listed| {
        if listed.is_of(fmspcs) {
            count = count.saturating_add(listed.tcbs.len() as u64);
        }
        true
    });
    visited.map_err(internal)?;
    Ok(count)
}

fn send(
    keeper: &Keeper,
    fmspcs: &[[u8; 6]],
    parts: &mpsc::Sender<Bytes>,
) -> Result<(), StoreError> {
    let (mut part, mut separator) = (vec![b'['], None);
    keeper.store().visit(|listed| {
        if listed.is_of(fmspcs) {
            for row in rows(&listed) {
                part.extend(separator.replace(b','));
                // Writing into memory does not fail.
                let _ = serde_json::to_writer(&mut part, &row);
            }
        }
        part.len() < PART || parts.blocking_send(std::mem::take(&mut part).into()).is_ok()
    })?;
    part.push(b']');
    // Whoever has gone does not want the end either.
    let _ = parts.blocking_send(part.into());
    Ok(())
}

/// One for each TCB.
fn rows(listed: &ListedPlatform) -> impl Iterator<Item = PlatformForm> {
    listed.tcbs.iter().map(|tcb| {
        PlatformForm::new(&Registration {
            platform: listed.key,
            tcb: Some(*tcb),
            encrypted_ppid: listed.platform.encrypted_ppid.clone(),
            manifest: listed.platform.manifest.clone(),
        })
    })
}

fn answer(count: u64, body: Body) -> Response {
    let headers = [(CONTENT_TYPE.as_str(), JSON.to_owned()), (PLATFORM_COUNT, count.to_string())];
    (headers, body).into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: StoreError) -> Refusal {
    Refusal::Internal(error.to_string())
}
