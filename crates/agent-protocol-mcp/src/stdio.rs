//! MCP over the input and output of a process: one message in each line.
//!
//! Each message becomes a request to the application in this process, so that there is one server for both transports. The
//! responses become lines.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use agent_schemas::{Json, JsonObject, json};
use agent_server::protocol::Principal;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt;
use http::{Method, Request, header};
use parking_lot::Mutex;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tower::ServiceExt;

use crate::endpoint::{PATH, Piped, SESSION_ID};

/// How many lines wait for a client that does not read.
const UNREAD: usize = 64;

/// Serves a client over a pipe until its input ends, as this user if there is one. The application has to have the protocol
/// [`Mcp`](crate::Mcp).
///
/// Requests in progress are answered before this returns; streams that never end are not waited for.
///
/// # Errors
/// An error of the pipe.
pub async fn serve_stdio<R, W>(
    app: Router,
    user: Option<Principal>,
    input: R,
    mut output: W,
) -> io::Result<()>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (lines, mut written) = mpsc::channel::<String>(UNREAD);
    let pipe = Pipe { app, user, lines, session: Arc::default(), running: Arc::default() };
    let write = async {
        while let Some(line) = written.recv().await {
            output.write_all(line.as_bytes()).await?;
            output.write_all(b"\n").await?;
            output.flush().await?;
        }
        Ok(())
    };
    let read = read(pipe, input);
    tokio::pin!(write, read);
    tokio::select! {
        result = &mut read => result?,
        result = &mut write => return result,
    }
    // Nobody sends any more, so what is left is written.
    write.await
}

async fn read<R: AsyncBufRead + Unpin>(pipe: Pipe, input: R) -> io::Result<()> {
    let mut lines = input.lines();
    let (mut calls, mut listeners) = (JoinSet::new(), JoinSet::new());
    while let Some(line) = lines.next_line().await? {
        while calls.try_join_next().is_some() {}
        if line.trim().is_empty() {
            continue;
        }
        let message =
            json::parse(&line).ok().and_then(|message| message.as_object().cloned()).unwrap_or_default();
        let text = |key: &str| message.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        match text("method").as_str() {
            // What follows depends on the session.
            "initialize" => pipe.clone().exchange(line).await,
            "notifications/cancelled" if pipe.session.lock().is_none() => pipe.cancel(&message),
            "notifications/initialized" => {
                listeners.spawn(pipe.clone().listen());
                pipe.clone().exchange(line).await;
            }
            "subscriptions/listen" => pipe.note(&message, listeners.spawn(pipe.clone().exchange(line))),
            _ => pipe.note(&message, calls.spawn(pipe.clone().exchange(line))),
        }
    }
    while calls.join_next().await.is_some() {}
    Ok(())
}

/// The way to the application and back.
#[derive(Clone)]
struct Pipe {
    app: Router,
    user: Option<Principal>,
    lines: mpsc::Sender<String>,
    /// The session that an `initialize` request has begun.
    session: Arc<Mutex<Option<String>>>,
    /// The requests in progress, by their ids.
    running: Arc<Mutex<HashMap<String, AbortHandle>>>,
}

impl Pipe {
    fn note(&self, message: &JsonObject, task: AbortHandle) {
        if let Some(id) = message.get("id") {
            let mut running = self.running.lock();
            running.retain(|_, task| !task.is_finished());
            running.insert(id.to_string(), task);
        }
    }

    /// Ends a request that has no session, as closing its stream does over HTTP.
    fn cancel(&self, message: &JsonObject) {
        let id = message.get("params").and_then(|params| params.as_object()?.get("requestId"));
        if let Some(task) = id.and_then(|id| self.running.lock().remove(&id.to_string())) {
            task.abort();
        }
    }

    /// Sends a message to the application and writes what it answers.
    async fn exchange(self, line: String) {
        self.request(Method::POST, Body::from(line)).await;
    }

    /// Writes what concerns no request of the session.
    async fn listen(self) {
        self.request(Method::GET, Body::empty()).await;
    }

    async fn request(&self, method: Method, body: Body) {
        let mut request = Request::builder()
            .method(method)
            .uri(PATH)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .extension(Piped);
        if let Some(session) = &*self.session.lock() {
            request = request.header(SESSION_ID, session);
        }
        let Ok(mut request) = request.body(body) else { return };
        if let Some(user) = &self.user {
            request.extensions_mut().insert(user.clone());
        }
        let Ok(response) = self.app.clone().oneshot(request).await;
        if let Some(session) = response.headers().get(SESSION_ID).and_then(|id| id.to_str().ok()) {
            *self.session.lock() = Some(session.to_owned());
        }
        self.write(response).await;
    }

    /// Writes the messages of a response: of a stream as they come, otherwise the only one.
    async fn write(&self, response: Response) {
        let mut unread = Vec::new();
        let mut body = response.into_body().into_data_stream();
        while let Some(Ok(bytes)) = body.next().await {
            unread.extend_from_slice(&bytes);
            while let Some(end) = unread.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = unread.drain(..end + 2).collect();
                self.write_event(&event).await;
            }
        }
        if !unread.is_empty() {
            self.send(&unread).await;
        }
    }

    async fn write_event(&self, event: &[u8]) {
        let mut lines = event.split(|byte| *byte == b'\n');
        if let Some(data) =
            lines.find_map(|line| line.strip_prefix(b"data: ")).filter(|data| !data.is_empty())
        {
            self.send(data).await;
        }
    }

    async fn send(&self, message: &[u8]) {
        let line = String::from_utf8_lossy(message).replace('\n', " ");
        // The receiver lives as long as there is anything to write to.
        let _ = self.lines.send(line).await;
    }
}
