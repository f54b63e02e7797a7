//! The response to a call: one object if it is quick, otherwise a stream.

use std::sync::Arc;
use std::time::Duration;

use agent_runner::{CursorError, Run};
use agent_schemas::RunId;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use http::request::Parts;
use parking_lot::Mutex;

use super::spec::Head;
use super::translator::{Call, End, Progress};
use crate::server::Server;
use crate::version::Version;

/// How long a call may take until its response becomes a stream, which keeps the connection alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many milliseconds a client should wait before it continues a stream that was cut off.
const RETRY: u64 = 1000;

type Messages = BoxStream<'static, Result<Bytes, CursorError>>;

/// A call whose run has started.
pub(crate) struct Started {
    pub(crate) server: Server,
    pub(crate) run: Run,
    pub(crate) head: Head,
    /// How many of its messages the client has already.
    pub(crate) seen: u64,
}

impl Started {
    /// The response to the request that has started the call.
    pub(crate) async fn respond(self, parts: &Parts, takes_stream: bool) -> Response {
        let is_quiet = self.head.token.is_none();
        let (context, head) = (self.server.context.clone(), Arc::new(self.head.clone()));
        let priming = self.priming();
        let (mut messages, progress) = self.messages();
        if !takes_stream {
            let whole: Vec<_> = messages.collect().await;
            drop(whole);
            let end = progress.lock().end.clone();
            return end.unwrap_or(End::Open).response_or_cut_off(&head);
        }
        let first = match is_quiet {
            true => tokio::time::timeout(PATIENCE, messages.next()).await.ok().flatten(),
            false => None,
        };
        let only = {
            let progress = progress.lock();
            progress.end.as_ref().filter(|_| first.is_some() && progress.messages == 1).cloned()
        };
        if let Some(response) = only.and_then(|end| end.response(&head)) {
            return response;
        }
        let first = priming.into_iter().map(Ok).chain(first);
        context.respond(stream::iter(first.collect::<Vec<_>>()).chain(messages), parts)
    }

    /// The response to a client that continues a stream which was cut off.
    pub(crate) fn resume(self, parts: &Parts) -> Response {
        let context = self.server.context.clone();
        context.respond(self.messages().0, parts)
    }

    /// An event with nothing but an id, from which a client continues if the connection breaks before there is another
    /// (2025-11-25, transports, "Sending Messages to the Server").
    fn priming(&self) -> Option<Bytes> {
        let version = self.head.session.as_ref()?.version;
        let event = format!("id: {}.0\nretry: {RETRY}\ndata: \n\n", self.run.id());
        (version >= Version::V20251125).then(|| event.into())
    }

    /// The messages of the call: those of its run, and of the runs that continue it after a question.
    fn messages(self) -> (Messages, Arc<Mutex<Progress>>) {
        let Started { server, run, head, seen } = self;
        let first = Call::new(Arc::new(head), run.id().clone(), seen);
        let observed = first.observed();
        let frames = server.context.frames(&run, first);
        let next = Next { server, run: run.id().clone(), progress: Arc::clone(&observed) };
        let further = stream::unfold(Some(next), |next| async { next?.frames().await }).flatten();
        (frames.chain(further).boxed(), observed)
    }
}

impl End {
    fn response_or_cut_off(&self, head: &Head) -> Response {
        self.response(head).unwrap_or_else(|| super::translator::cut_off(&head.id))
    }
}

/// What follows the messages of a run.
struct Next {
    server: Server,
    run: RunId,
    progress: Arc<Mutex<Progress>>,
}

impl Next {
    /// If the run has asked something, waits for the run with the answer. Returns its messages.
    async fn frames(self) -> Option<(impl Stream<Item = Result<Bytes, CursorError>> + Send, Option<Self>)> {
        let is_asked = matches!(self.progress.lock().end, Some(End::Asked(_)));
        if !is_asked {
            return None;
        }
        let id = self.server.state.question(&self.run).continued().await?;
        let runner = self.server.context.runner();
        let (record, run) = (runner.record(&id).await, runner.attach(&id).await);
        let (head, run) =
            (record.ok()?.as_ref().and_then(|record| Head::of(record, &self.server))?, run.ok()??);
        let call = Call::new(Arc::new(head), id.clone(), 0);
        let progress = call.observed();
        let frames = self.server.context.frames(&run, call);
        Some((frames, Some(Next { run: id, progress, ..self })))
    }
}
