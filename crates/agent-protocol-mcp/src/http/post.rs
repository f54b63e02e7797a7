//! `POST`: one message of a client.

use agent_schemas::{Json, JsonObject, RunId, object};
use agent_server::protocol::{ApiError, Caller, JsonRequest};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};

use super::{accepts, headers, refuse, session};
use crate::call::spec::{Calling, Head, Prepared};
use crate::call::stream::Started;
use crate::capabilities::Capabilities;
use crate::client::Client;
use crate::dispatch;
use crate::endpoint::{Piped, SESSION_ID};
use crate::log_level::LogLevel;
use crate::methods::tools;
use crate::result::server_info;
use crate::rpc::{self, Id, Message, Notification, Request, RpcError};
use crate::server::{Server, user};
use crate::session::Session;
use crate::subscriptions;
use crate::version::Version;

pub(super) async fn post(server: Server, mut request: JsonRequest) -> Response {
    let body = request.take_body();
    let id = Message::id(&body);
    let message = match Message::read(body) {
        Ok(message) => message,
        Err(error) => return refuse(id.as_ref(), &error),
    };
    match message {
        Message::Request(message) => match answer(&server, &request, &message).await {
            Ok(Outcome::Response(response)) => response,
            Ok(Outcome::Call { started, takes_stream }) => {
                let parts = request.parts().clone();
                // The run may take long, and keeps what it needs of the request.
                drop((request, message));
                started.respond(&parts, takes_stream).await
            }
            Err(error) => refuse(Some(&message.id), &error),
        },
        Message::Notification(message) => {
            let noted = note(&server, &request, &message).await;
            noted.map_or_else(|error| refuse(None, &error), |()| StatusCode::ACCEPTED.into_response())
        }
        Message::Response { id, result } => {
            let taken = take(&server, &request, &id, result).await;
            taken.map_or_else(|error| refuse(None, &error), |()| StatusCode::ACCEPTED.into_response())
        }
    }
}

/// The outcome of a request.
enum Outcome {
    Response(Response),
    Call { started: Box<Started>, takes_stream: bool },
}

impl Outcome {
    fn result(message: &Request, result: JsonObject) -> Self {
        Outcome::Response(axum::Json(rpc::result(&message.id, result)).into_response())
    }
}

/// Whether a request is one of a version without sessions, or of one that is not known here.
fn is_modern(request: &JsonRequest, message: &Request) -> bool {
    let is_new = |version: &str| Version::read(version).is_none_or(Version::is_modern);
    let header = headers::version(&request.parts().headers);
    let has_session = request.parts().headers.contains_key(SESSION_ID);
    Client::is_described_in(&message.params)
        || header.is_some_and(|version| is_new(version) && !has_session && message.method != "initialize")
        || header.and_then(Version::read).is_some_and(Version::is_modern)
}

async fn answer(server: &Server, request: &JsonRequest, message: &Request) -> Result<Outcome, RpcError> {
    let parts = request.parts();
    if is_modern(request, message) {
        let has_headers = parts.extensions.get::<Piped>().is_none();
        if has_headers {
            headers::check_version(&parts.headers, message)?;
        }
        let client = Client::of_request(&message.params)?;
        if has_headers {
            headers::check(&parts.headers, message)?;
        }
        return respond(server, request, &client, message).await;
    }
    if message.method == "initialize" {
        return initialize(server, message).map(Outcome::Response);
    }
    let session = session(server, &parts.headers)?;
    if let Some(version) = headers::version(&parts.headers).filter(|version| Version::read(version).is_none())
    {
        let known = format!(
            "The header MCP-Protocol-Version is '{version}', but the session's is '{}'",
            session.version
        );
        return Err(RpcError::invalid_request(known));
    }
    match message.method.as_str() {
        "ping" => return Ok(Outcome::result(message, JsonObject::new())),
        "logging/setLevel" => {
            let level = LogLevel::of(message.params.get("level").unwrap_or(&Json::Null))?;
            server.state.set_level(&session.id, level);
            return Ok(Outcome::result(message, JsonObject::new()));
        }
        _ => {}
    }
    let level = server.state.level(&session.id);
    respond(server, request, &Client::of_session(session, level), message).await
}

/// Answers a request of a known client.
async fn respond(
    server: &Server,
    request: &JsonRequest,
    client: &Client,
    message: &Request,
) -> Result<Outcome, RpcError> {
    let caller = Caller::of(&request.parts().extensions);
    match message.method.as_str() {
        "tools/call" => call(server, request, (client, &caller), message).await,
        "subscriptions/listen" if client.is_modern() => {
            subscriptions::of_request(server, caller, message, request.parts()).await.map(Outcome::Response)
        }
        _ => {
            let result = dispatch::answer(server, &caller, client, message).await;
            // Since 2026-07-28, the HTTP status says what kind of error it is; before, clients expect 200.
            let result = result.map_err(|error| match client.is_modern() {
                true => error,
                false => error.with_status(StatusCode::OK),
            })?;
            Ok(Outcome::result(message, result))
        }
    }
}

/// Begins a session (2025-11-25, basic/lifecycle).
fn initialize(server: &Server, message: &Request) -> Result<Response, RpcError> {
    let version = message.params.get("protocolVersion").and_then(Json::as_str);
    let version = version.ok_or_else(|| RpcError::invalid_params("protocolVersion is required"))?;
    let version = Version::read(version).filter(|version| !version.is_modern());
    let version = version.unwrap_or(Version::NEWEST_WITH_SESSIONS);
    let declared = message.params.get("capabilities").and_then(Json::as_object).cloned().unwrap_or_default();
    let random = server.context.runner().services().ids.random();
    let session = Session::new(version, Capabilities::of(&declared), &random);
    let mut result = object! {
        "protocolVersion" => version.as_str(),
        "capabilities" => dispatch::capabilities(false),
        "serverInfo" => server_info(),
    };
    if let Some(instructions) = &server.config.instructions {
        result.insert("instructions".to_owned(), instructions.as_str().into());
    }
    let mut response = axum::Json(rpc::result(&message.id, result)).into_response();
    if let Ok(id) = HeaderValue::from_str(&session.id) {
        response.headers_mut().insert(SESSION_ID, id);
    }
    Ok(response)
}

/// Calls a tool: starts a run of its agent.
async fn call(
    server: &Server,
    request: &JsonRequest,
    (client, caller): (&Client, &Caller),
    message: &Request,
) -> Result<Outcome, RpcError> {
    let name = message.params.get("name").and_then(Json::as_str);
    let name = name.ok_or_else(|| RpcError::invalid_params("name is required"))?;
    let tool = tools::find(&server.tools, name)?;
    let parts = request.parts();
    if client.is_modern() && parts.extensions.get::<Piped>().is_none() {
        headers::check_arguments(&parts.headers, tool.input.members(), message)?;
    }
    let takes_stream = accepts(&parts.headers, "text/event-stream");
    let mut client = client.clone();
    if !takes_stream {
        client.log_level = None;
    }
    let user = user(caller, &message.params);
    let calling = Calling { context: &server.context, caller, client: &client, user };
    let (spec, head) = match calling.prepare(tool, message).await? {
        Prepared::Run(run) => *run,
        Prepared::Result(result) => {
            return Ok(Outcome::result(message, client.complete(result)));
        }
    };
    let run = server.context.start(request, spec).await?;
    if let Some(session) = &client.session {
        server.state.note_call(&session.id, &message.id, run.id().clone());
    }
    let started = Box::new(Started { server: server.clone(), run, head, seen: 0 });
    Ok(Outcome::Call { started, takes_stream })
}

/// Notes what a client says about the requests of its session.
async fn note(server: &Server, request: &JsonRequest, message: &Notification) -> Result<(), RpcError> {
    if !request.parts().headers.contains_key(SESSION_ID) {
        // Since 2026-07-28 there is nothing that a client may say.
        return Ok(());
    }
    let session = session(server, &request.parts().headers)?;
    if message.method != "notifications/cancelled" {
        return Ok(());
    }
    let id = message.params.get("requestId").and_then(Id::of);
    if let Some(run) = id.and_then(|id| server.state.call(&session.id, &id)) {
        let caller = Caller::of(&request.parts().extensions);
        let is_known = server.context.record(&caller, &run).await?.is_some();
        if is_known {
            server.context.runner().cancel(&run).await.map_err(ApiError::from)?;
        }
    }
    Ok(())
}

/// Takes a client's answer to a question, and continues once all are there.
async fn take(
    server: &Server,
    request: &JsonRequest,
    id: &Id,
    result: Result<JsonObject, JsonObject>,
) -> Result<(), RpcError> {
    let session = session(server, &request.parts().headers)?;
    let caller = Caller::of(&request.parts().extensions);
    let unknown = || RpcError::invalid_request("The message answers no request of this server");
    let (run, key) = id.as_text().and_then(|id| id.split_once('/')).ok_or_else(unknown)?;
    let record = server.context.record(&caller, &RunId::new(run)).await?.ok_or_else(unknown)?;
    let head = Head::of(&record, server)
        .filter(|head| head.session.as_ref() == Some(&session))
        .ok_or_else(unknown)?;
    let client = Client::of_session(session, head.level.unwrap_or(LogLevel::Emergency));
    let user = Some(record.user_id.clone()).filter(|_| !record.options.anonymous_session);
    let calling = Calling { context: &server.context, caller: &caller, client: &client, user };
    let (asked, context) = calling.asked(run, &record.agent).await?;
    if !asked.requests().contains_key(key) {
        return Err(unknown());
    }
    // A client that fails to answer does not want to.
    let result = result.unwrap_or_else(|_| object! { "action" => "cancel" });
    let question = server.state.question(&record.id);
    let Some(results) = question.add(key, result, &asked.requests()) else { return Ok(()) };
    let session = Some(record.session_id.to_string()).filter(|_| !record.options.anonymous_session);
    let head = head.continued(&context);
    let spec = calling.spec(&head, asked.answer(&results), session, Some(context));
    let started = server.context.start(request, spec).await;
    question.continue_with(started.as_ref().ok().map(|run| run.id().clone()));
    Ok(started.map(drop)?)
}
