//! The control interface: what the library offers, over plain HTTP with JSON, for shell scripts and other processes.
//! It is no part of the simulation and listens where only tests reach it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::changes::{Calendars, Change};
use crate::error::TenantError;
use crate::mailbox::MailboxKind;
use crate::meeting::{NewMeeting, Response};
use crate::orders::{Order, apply};
use crate::serve::{SharedWorld, lock};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddMailbox {
    address: String,
    #[serde(default)]
    kind: MailboxKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    mailbox: String,
    meeting: NewMeeting,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reschedule {
    mailbox: String,
    id: String,
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    mailbox: String,
    id: String,
    patch: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    mailbox: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Respond {
    mailbox: String,
    id: String,
    response: Response,
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, world: SharedWorld) {
    let router = axum::Router::new()
        .route("/control/add-mailbox", post(add_mailbox))
        .route("/control/create", post(create))
        .route("/control/reschedule", post(reschedule))
        .route("/control/update", post(update))
        .route("/control/cancel", post(cancel))
        .route("/control/delete", post(delete))
        .route("/control/respond", post(respond))
        .route("/control/fault", post(fault))
        .route("/control/violations", get(violations).delete(clear))
        .route("/control/requests", get(requests))
        .with_state(world);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "The control interface ended");
    }
}

/// An error as a status and a sentence.
struct Failed(TenantError);

impl From<TenantError> for Failed {
    fn from(error: TenantError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> HttpResponse {
        let status = match self.0 {
            TenantError::UnknownMailbox => StatusCode::NOT_FOUND,
            TenantError::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            TenantError::Listen(..)
            | TenantError::Certificate(_)
            | TenantError::State { .. }
            | TenantError::Random => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({"error": self.0.code(), "message": self.0.to_string()}))).into_response()
    }
}

type Changed = Result<Json<Change>, Failed>;

async fn add_mailbox(
    State(world): State<SharedWorld>,
    Json(body): Json<AddMailbox>,
) -> Result<Json<Value>, Failed> {
    Calendars(&world).add_mailbox(&body.address, body.kind)?;
    Ok(Json(json!({"mailbox": body.address})))
}

async fn create(State(world): State<SharedWorld>, Json(body): Json<Create>) -> Changed {
    Ok(Json(Calendars(&world).create(&body.mailbox, &body.meeting)?))
}

async fn reschedule(State(world): State<SharedWorld>, Json(body): Json<Reschedule>) -> Changed {
    Ok(Json(Calendars(&world).reschedule(&body.mailbox, &body.id, body.start, body.end)?))
}

async fn update(State(world): State<SharedWorld>, Json(body): Json<Update>) -> Changed {
    Ok(Json(Calendars(&world).update(&body.mailbox, &body.id, &body.patch)?))
}

async fn cancel(State(world): State<SharedWorld>, Json(body): Json<Item>) -> Changed {
    Ok(Json(Calendars(&world).cancel(&body.mailbox, &body.id)?))
}

async fn delete(State(world): State<SharedWorld>, Json(body): Json<Item>) -> Changed {
    Ok(Json(Calendars(&world).delete(&body.mailbox, &body.id)?))
}

async fn respond(State(world): State<SharedWorld>, Json(body): Json<Respond>) -> Changed {
    Ok(Json(Calendars(&world).respond(&body.mailbox, &body.id, body.response)?))
}

async fn fault(State(world): State<SharedWorld>, Json(order): Json<Order>) -> Result<Json<Value>, Failed> {
    apply(&world, order)?;
    Ok(Json(json!({"at": Timestamp::now()})))
}

async fn violations(State(world): State<SharedWorld>) -> Json<Value> {
    let world = lock(&world);
    Json(json!({"count": world.journal.violations().len(), "violations": world.journal.violations()}))
}

async fn clear(State(world): State<SharedWorld>) -> StatusCode {
    lock(&world).journal.clear();
    StatusCode::NO_CONTENT
}

async fn requests(State(world): State<SharedWorld>) -> Json<Value> {
    let world = lock(&world);
    let log: Vec<_> = world.journal.requests().collect();
    Json(json!({"counts": world.journal.counts(), "requests": log}))
}
