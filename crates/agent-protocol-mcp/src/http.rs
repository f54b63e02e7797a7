//! The endpoint: streamable HTTP, for all versions.

mod headers;
mod post;

use agent_schemas::RunId;
use agent_server::protocol::{ApiError, Caller, JsonRequest};
use agent_services::run::may_exist;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

use crate::call::spec::Head;
use crate::call::stream::Started;
use crate::endpoint::{PATH, SESSION_ID};
use crate::rpc::{self, RpcError};
use crate::server::Server;
use crate::session::Session;
use crate::subscriptions;

pub(crate) fn routes(server: Server) -> Router {
    let (context, reading, ending) = (server.context.clone(), server.clone(), server.clone());
    let endpoint = get(move |caller: Caller, request: Request| listen(reading, caller, request))
        .post(move |request: JsonRequest| post::post(server, request))
        .delete(move |headers: HeaderMap| end(ending, headers));
    Router::new().route(PATH, endpoint).with_state(context)
}

/// A response that is an error of JSON-RPC.
pub(crate) fn refuse(id: Option<&rpc::Id>, error: &RpcError) -> Response {
    (error.status, axum::Json(rpc::error(id, error))).into_response()
}

/// The session that a request names.
fn session(server: &Server, headers: &HeaderMap) -> Result<Session, RpcError> {
    let Some(id) = headers.get(SESSION_ID) else {
        return Err(RpcError::invalid_request(
            "The header Mcp-Session-Id is missing; begin with an initialize request, or send a request of 2026-07-28",
        ));
    };
    let session =
        id.to_str().ok().and_then(Session::read).filter(|session| !server.state.has_ended(&session.id));
    session.ok_or_else(|| {
        RpcError::invalid_request("There is no such session; begin a new one with an initialize request")
            .with_status(StatusCode::NOT_FOUND)
    })
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains(media_type) || value.contains("*/*"))
}

/// `GET`: continues a stream that was cut off, or streams what concerns no call. Only before 2026-07-28.
async fn listen(server: Server, caller: Caller, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match stream(&server, &caller, &parts).await {
        Ok(response) => response,
        Err(error) => refuse(None, &error),
    }
}

async fn stream(server: &Server, caller: &Caller, parts: &Parts) -> Result<Response, RpcError> {
    if !parts.headers.contains_key(SESSION_ID) {
        return Err(not_allowed());
    }
    let session = session(server, &parts.headers)?;
    if !accepts(&parts.headers, "text/event-stream") {
        let error = RpcError::invalid_request("The request should accept text/event-stream");
        return Err(error.with_status(StatusCode::NOT_ACCEPTABLE));
    }
    let Some(last) = parts.headers.get("last-event-id") else {
        return Ok(subscriptions::of_session(server, caller.clone(), &session, parts));
    };
    let unknown =
        || RpcError::invalid_request("The stream after Last-Event-ID is not known, or no longer kept");
    let last = last.to_str().ok().and_then(|last| last.rsplit_once('.')).ok_or_else(unknown)?;
    let (run, seen) = (RunId::new(last.0), last.1.parse().map_err(|_| unknown())?);
    let record = match may_exist(&run) {
        true => server.context.record(caller, &run).await?,
        false => None,
    };
    let head = record
        .as_ref()
        .and_then(|record| Head::of(record, server))
        .filter(|head| head.session.as_ref() == Some(&session));
    let head = head.ok_or_else(unknown)?;
    let run = server.context.runner().attach(&run).await.map_err(ApiError::from)?;
    let run = run.filter(|run| !run.is_trimmed()).ok_or_else(unknown)?;
    Ok(Started { server: server.clone(), run, head, seen }.resume(parts))
}

/// `DELETE`: ends a session.
async fn end(server: Server, headers: HeaderMap) -> Response {
    if !headers.contains_key(SESSION_ID) {
        return refuse(None, &not_allowed());
    }
    match session(&server, &headers) {
        Ok(session) => {
            server.state.end(&session.id);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refuse(None, &error),
    }
}

/// What a client gets that has no session: since 2026-07-28 there is only POST.
fn not_allowed() -> RpcError {
    RpcError::invalid_request("Without a session, only POST is allowed")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
