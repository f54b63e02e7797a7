//! `GET /v1/responses` as a WebSocket: several responses, one after the other, over one connection (Open Responses,
//! WebSocket mode).
//!
//! A message `{"type": "response.create", …}` has the members of a request to create a response. The server answers with the
//! events of its stream, one per message. Errors are events of type `error`; the connection stays open.

use std::collections::VecDeque;
use std::time::Duration;

use agent_runner::{Reservation, Run};
use agent_schemas::{Json, JsonObject, RunId, sse};
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::create::{self, Prepared};
use super::ids;
use super::translator::{DONE, Form, Responses};
use crate::error;
use agent_server::protocol::ApiError;
use agent_server::protocol::{ErrorInfo, IDEMPOTENCY_KEY, JsonRequest, MessageBudget, ProtocolContext};

/// How many requests may wait for the current one.
const MAX_WAITING: usize = 16;

/// How much is read from the connection at once.
const READ_BYTES: usize = 16 * 1024;

/// The header of a control frame, with its mask.
const CONTROL_HEADER: usize = 6;

/// How many bytes may wait to be written in any case.
const MIN_WRITE_BYTES: usize = 1024 * 1024;

/// The interval of pings if the server has no heartbeat.
const PING: Duration = Duration::from_secs(30);

pub(super) async fn open(
    State(context): State<ProtocolContext>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request<Body>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let message = "This path opens a WebSocket. To create a response over HTTP, send a POST request";
        let failure = ErrorInfo::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message);
        let mut response = ApiError::from(failure).into_response();
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return response;
    };
    let mut client = request.into_parts().0;
    // An idempotency key would apply to every message of the connection.
    client.headers.remove(IDEMPOTENCY_KEY);
    // The content type of the upgrade request does not apply to messages.
    client.headers.remove(header::CONTENT_TYPE);
    let limit = context.body_limit();
    // An event that repeats the whole output is about as long as the run's log.
    let longest = context.runner().limits().log_bytes.saturating_mul(2).max(MIN_WRITE_BYTES);
    let upgrade = upgrade.max_message_size(limit).max_frame_size(limit).read_buffer_size(READ_BYTES);
    let upgrade = upgrade.write_buffer_size(0).max_write_buffer_size(longest);
    let held = context.hold_open();
    upgrade.on_upgrade(move |socket| async move {
        Box::pin(Connection::new(context, client, socket).run()).await;
        drop(held);
    })
}

/// The connection has ended, or the server closed it.
struct Disconnected;

/// A request, and what is reserved for it.
struct Waiting {
    text: Utf8Bytes,
    _memory: Reservation,
}

/// One connection.
struct Connection {
    context: ProtocolContext,
    client: Parts,
    socket: WebSocket,
    /// Requests that arrived during a response.
    waiting: VecDeque<Waiting>,
    messages: MessageBudget,
    /// The latest response. This connection may continue it, even if it is not stored.
    latest: Option<RunId>,
    heartbeat: Interval,
    /// When the connection has been open for too long.
    deadline: Option<Instant>,
}

impl Connection {
    fn new(context: ProtocolContext, client: Parts, socket: WebSocket) -> Self {
        let pause = context.heartbeat().unwrap_or(PING);
        let mut heartbeat = interval(pause);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let messages = context.messages(&client);
        let deadline = context.websocket_limit().and_then(|limit| Instant::now().checked_add(limit));
        let waiting = VecDeque::new();
        Connection { context, client, socket, waiting, messages, latest: None, heartbeat, deadline }
    }

    async fn run(mut self) {
        while let Ok(request) = self.next_request().await {
            let started = self.start(&request.text).await;
            drop(request);
            let served = match started {
                Ok((run, translator)) => self.stream(&run, translator).await,
                Err(error) => self.fail(&error.info()).await,
            };
            if served.is_err() {
                return;
            }
        }
    }

    /// Waits for the next request.
    async fn next_request(&mut self) -> Result<Waiting, Disconnected> {
        while self.waiting.is_empty() || self.is_overdue() {
            tokio::select! {
                biased;
                () = until(self.deadline) => return Err(self.end_overdue().await),
                message = self.socket.recv() => self.take_in(message).await?,
                _ = self.heartbeat.tick() => self.ping().await?,
                () = self.context.closing() => self.ping().await?,
            }
        }
        self.waiting.pop_front().ok_or(Disconnected)
    }

    fn is_overdue(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Closes a connection that has been open for too long, with the error that tells clients to open another one.
    async fn end_overdue(&mut self) -> Disconnected {
        let limit = self.context.websocket_limit().unwrap_or_default().as_secs();
        let message = format!(
            "Responses websocket connection limit reached: it was open for {limit} seconds (http.websocket_seconds). \
             Create a new websocket connection to continue."
        );
        let error = ErrorInfo::new(StatusCode::BAD_REQUEST, "websocket_connection_limit_reached", message);
        let reason = Utf8Bytes::from_static("the connection was open for too long");
        let close = Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason }));
        if self.fail(&error).await.is_ok() {
            let _ = self.send(close).await;
        }
        Disconnected
    }

    async fn take_in(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Disconnected> {
        if let Some(Ok(Message::Text(_) | Message::Binary(_))) = &message {
            self.messages.note_arrived();
        }
        match message {
            Some(Ok(Message::Text(text))) if self.waiting.len() < MAX_WAITING => {
                match self.messages.reserve(&text) {
                    Ok(memory) => self.waiting.push_back(Waiting { text, _memory: memory }),
                    Err(error) => self.fail(&error.info()).await?,
                }
                Ok(())
            }
            Some(Ok(Message::Text(_))) => {
                let message =
                    format!("{MAX_WAITING} requests are already waiting; read their responses first");
                self.fail(&ErrorInfo::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)).await
            }
            Some(Ok(Message::Binary(_))) => {
                let message = "expected a text message with a JSON object";
                self.fail(&ErrorInfo::new(StatusCode::BAD_REQUEST, "invalid_message", message)).await
            }
            // The library answers these.
            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                self.messages.note_control(payload.len() + CONTROL_HEADER);
                Ok(())
            }
            Some(Ok(Message::Close(_))) | None => Err(Disconnected),
            Some(Err(_)) => {
                if let Some(error) = self.messages.refusal() {
                    self.fail(&error.info()).await?;
                    let reason = Utf8Bytes::from_static("the server has no memory left for the message");
                    self.send(Message::Close(Some(CloseFrame { code: close_code::AGAIN, reason }))).await?;
                }
                Err(Disconnected)
            }
        }
    }

    /// Checks that the client is still connected. During shutdown, closes the idle connection.
    async fn ping(&mut self) -> Result<(), Disconnected> {
        if self.context.is_closing() {
            let reason = Utf8Bytes::from_static("the server is shutting down");
            let close = Message::Close(Some(CloseFrame { code: close_code::AWAY, reason }));
            self.send(close).await?;
            return Err(Disconnected);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    /// Starts the run of a request. If that fails, the connection forgets the response that the request continues.
    async fn start(&mut self, text: &str) -> Result<(Run, Responses), ApiError> {
        let body = self.context.parse(text)?;
        let named = body.get("previous_response_id").and_then(Json::as_str).and_then(ids::run_id);
        let started = self.start_run(text, body).await;
        if started.is_err() && named.is_some() && named == self.latest {
            self.latest = None;
        }
        started
    }

    async fn start_run(&mut self, text: &str, mut body: JsonObject) -> Result<(Run, Responses), ApiError> {
        match body.shift_remove("type") {
            Some(Json::String(kind)) if kind == "response.create" => {}
            _ => return Err(ErrorInfo::at_parameter("type", "expected 'response.create'").into()),
        }
        // Codex sends a request ahead like this, and continues it once the user has written something.
        let only_prepares = body.shift_remove("generate") == Some(Json::Bool(false));
        // Over a WebSocket, every response is streamed.
        body.insert("stream".to_owned(), Json::Bool(true));
        body.shift_remove("background");
        let request = JsonRequest::new(self.client.clone(), text.to_owned().into(), body);
        let mut prepared = Prepared::new(&self.context, &request, self.latest.as_ref()).await?;
        if only_prepares {
            prepared = prepared.without_output();
        }
        let (run, translator) = create::start(&self.context, &request, prepared, Form::Plain).await?;
        self.latest = Some(run.id().clone());
        Ok((run, translator))
    }

    /// Sends a response's events, and receives messages meanwhile.
    async fn stream(&mut self, run: &Run, translator: Responses) -> Result<(), Disconnected> {
        let mut pieces = self.context.frames(run, translator);
        loop {
            tokio::select! {
                piece = pieces.next() => {
                    let Some(Ok(piece)) = piece else { return Ok(()) };
                    // Over HTTP, a last frame follows the final event.
                    for json in sse::frames(&piece).filter(|json| *json != DONE.as_bytes()) {
                        let text = Utf8Bytes::try_from(piece.slice_ref(json)).map_err(|_| Disconnected)?;
                        self.send(Message::Text(text)).await?;
                    }
                }
                message = self.socket.recv() => self.take_in(message).await?,
                _ = self.heartbeat.tick() => self.send(Message::Ping(Vec::new().into())).await?,
            }
        }
    }

    async fn fail(&mut self, failure: &ErrorInfo) -> Result<(), Disconnected> {
        let event = serde_json::to_string(&error::event(failure)).map_err(|_| Disconnected)?;
        self.send(Message::Text(event.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Disconnected> {
        self.socket.send(message).await.map_err(|_| Disconnected)
    }
}

/// Resolves at a time, or never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
