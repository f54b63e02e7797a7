//! Resources that a client watches: runs, whose logs grow.
//!
//! A client of 2026-07-28 opens a stream for them (`subscriptions/listen`); one of an earlier version names them one by one,
//! and reads the stream of its session.

use std::time::Duration;

use agent_runner::{Cursor, CursorError};
use agent_schemas::{Json, JsonObject, RunId, object};
use agent_server::protocol::{Caller, FrameWriter};
use agent_services::run::may_exist;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::FutureExt;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http::request::Parts;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::client::Client;
use crate::methods::resources::Reader;
use crate::rpc::{self, Id, Request, RpcError};
use crate::server::Server;
use crate::session::Session;
use crate::template::matched;

/// How many resources one client may watch.
const MAX_WATCHED: usize = 100;

/// The length of a URI that is watched, in bytes: the server keeps it.
const MAX_URI: usize = 2048;

/// How often a client hears of a resource that changes all the time.
const PAUSE: Duration = Duration::from_secs(1);

const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// `resources/subscribe`.
pub(crate) async fn watch(
    server: &Server,
    caller: &Caller,
    client: &Client,
    params: &JsonObject,
) -> Result<(), RpcError> {
    let uri = uri(params)?;
    if !exists(server, caller, uri).await? {
        return Err(RpcError::no_resource(uri, false));
    }
    let Some(session) = &client.session else { return Ok(()) };
    let mut is_full = false;
    server.state.watched(&session.id).send_if_modified(|watched| {
        is_full = watched.len() >= MAX_WATCHED;
        let is_new = !is_full && !watched.iter().any(|known| known == uri);
        if is_new {
            watched.push(uri.to_owned());
        }
        is_new
    });
    let error = || RpcError::invalid_params(format!("a session watches at most {MAX_WATCHED} resources"));
    if is_full { Err(error()) } else { Ok(()) }
}

/// `resources/unsubscribe`.
pub(crate) fn unwatch(server: &Server, client: &Client, params: &JsonObject) -> Result<(), RpcError> {
    let uri = uri(params)?;
    if let Some(session) = &client.session {
        server.state.watched(&session.id).send_if_modified(|watched| {
            let before = watched.len();
            watched.retain(|known| known != uri);
            watched.len() < before
        });
    }
    Ok(())
}

fn uri(params: &JsonObject) -> Result<&str, RpcError> {
    let uri = params
        .get("uri")
        .and_then(Json::as_str)
        .ok_or_else(|| RpcError::invalid_params("uri is required"))?;
    match uri.len() {
        0..=MAX_URI => Ok(uri),
        _ => Err(RpcError::invalid_params(format!(
            "the URI of a watched resource has at most {MAX_URI} bytes"
        ))),
    }
}

async fn exists(server: &Server, caller: &Caller, uri: &str) -> Result<bool, RpcError> {
    if run_in(uri).is_some() {
        return Ok(known_run(server, caller, uri).await?.is_some());
    }
    let reader = Reader { context: &server.context, caller, user: caller.user().cloned() };
    Ok(reader.read(&server.config, uri).await?.is_some())
}

/// The run of a URI.
fn run_in(uri: &str) -> Option<RunId> {
    let values = matched("run://{run_id}", uri).or_else(|| matched("run://{run_id}/events", uri))?;
    values.get("run_id").and_then(Json::as_str).map(RunId::new)
}

/// The run of a URI, and how much of its log there is, if it exists for the caller.
async fn known_run(server: &Server, caller: &Caller, uri: &str) -> Result<Option<(RunId, u64)>, RpcError> {
    let Some(id) = run_in(uri).filter(may_exist) else { return Ok(None) };
    let record = server.context.record(caller, &id).await?;
    Ok(record.map(|record| (id, record.entries)))
}

/// The changes of one resource, each as its URI. Nothing but a run changes.
async fn changes(server: Server, caller: Caller, uri: String) -> BoxStream<'static, String> {
    let found = known_run(&server, &caller, &uri).await.ok().flatten();
    let Some((id, entries)) = found else { return stream::pending().boxed() };
    match server.context.runner().attach(&id).await {
        Ok(Some(run)) => {
            let cursor = run.cursor(entries);
            let growth = stream::unfold((cursor, false), |(mut cursor, is_late)| async move {
                if is_late {
                    sleep(PAUSE).await;
                }
                grown(&mut cursor).await.then_some(((), (cursor, true)))
            });
            growth.map(move |()| uri.clone()).chain(stream::pending()).boxed()
        }
        _ => stream::pending().boxed(),
    }
}

/// Waits until there is more, and takes all that there is.
async fn grown(cursor: &mut Cursor) -> bool {
    let Some(Ok(_)) = cursor.next().await else { return false };
    while let Some(Some(Ok(_))) = cursor.next().now_or_never() {}
    true
}

/// The stream of a session: the changes of what it watches, which may become more or less.
pub(crate) fn of_session(server: &Server, caller: Caller, session: &Session, parts: &Parts) -> Response {
    let watched = server.state.watched(&session.id).subscribe();
    let updates = Watching { server: server.clone(), caller, watched };
    let changed = stream::unfold((updates, None), |(mut watching, changes)| async move {
        let mut changes: BoxStream<'static, String> = match changes {
            Some(changes) => changes,
            None => watching.changes().await,
        };
        loop {
            tokio::select! {
                Some(uri) = changes.next() => return Some((uri, (watching, Some(changes)))),
                changed = watching.watched.changed() => {
                    changed.ok()?;
                    changes = watching.changes().await;
                }
            }
        }
    });
    let frames = changed.map(|uri| updated(&uri, None));
    server.context.respond(frames.map(Ok).boxed(), parts)
}

struct Watching {
    server: Server,
    caller: Caller,
    watched: watch::Receiver<Vec<String>>,
}

impl Watching {
    async fn changes(&mut self) -> BoxStream<'static, String> {
        let uris = self.watched.borrow_and_update().clone();
        of_all(&self.server, &self.caller, uris).await
    }
}

async fn of_all(server: &Server, caller: &Caller, uris: Vec<String>) -> BoxStream<'static, String> {
    let mut all = Vec::new();
    for uri in uris {
        all.push(changes(server.clone(), caller.clone(), uri).await);
    }
    stream::select_all(all).chain(stream::pending()).boxed()
}

/// `subscriptions/listen`: a stream that begins with what the client will hear of.
pub(crate) async fn of_request(
    server: &Server,
    caller: Caller,
    request: &Request,
    parts: &Parts,
) -> Result<Response, RpcError> {
    let filter = request.params.get("notifications").and_then(Json::as_object);
    let filter = filter.ok_or_else(|| RpcError::invalid_params("notifications should be an object"))?;
    let asked = match filter.get("resourceSubscriptions") {
        None => &[],
        Some(Json::Array(uris)) => uris.as_slice(),
        Some(_) => return Err(RpcError::invalid_params("resourceSubscriptions should be an array of URIs")),
    };
    if asked.len() > MAX_WATCHED {
        return Err(RpcError::invalid_params(format!("a client watches at most {MAX_WATCHED} resources")));
    }
    let mut uris = Vec::new();
    for uri in asked.iter().filter_map(Json::as_str).filter(|uri| uri.len() <= MAX_URI) {
        if exists(server, &caller, uri).await? {
            uris.push(uri.to_owned());
        }
    }
    let mut accepted = JsonObject::new();
    if filter.contains_key("resourceSubscriptions") {
        let uris: Vec<Json> = uris.iter().map(|uri| uri.as_str().into()).collect();
        accepted.insert("resourceSubscriptions".to_owned(), uris.into());
    }
    let id = request.id.clone();
    let first =
        notification("subscriptions/acknowledged", object! { "notifications" => accepted }, Some(&id));
    let changes = of_all(server, &caller, uris).await.map(move |uri| updated(&uri, Some(&id)));
    let frames: BoxStream<'static, Bytes> = stream::iter([first]).chain(changes).boxed();
    Ok(server.context.respond(ok(frames), parts))
}

fn ok(frames: BoxStream<'static, Bytes>) -> impl Stream<Item = Result<Bytes, CursorError>> + Send + Unpin {
    frames.map(Ok)
}

fn updated(uri: &str, subscription: Option<&Id>) -> Bytes {
    notification("resources/updated", object! { "uri" => uri }, subscription)
}

/// A notification as an event of a stream, with the id of the request that has opened the stream.
fn notification(name: &str, mut params: JsonObject, subscription: Option<&Id>) -> Bytes {
    if let Some(id) = subscription {
        params.insert("_meta".to_owned(), object! { SUBSCRIPTION_ID => id.to_json() }.into());
    }
    let mut frames = FrameWriter::new();
    frames.push(&rpc::notification(&format!("notifications/{name}"), params));
    frames.take()
}
