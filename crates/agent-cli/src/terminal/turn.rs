//! One question and its answer.

use std::future::pending;
use std::io::{self, Write};
use std::time::Duration;

use agent_runner::sse_reader::SseEvent;
use agent_schemas::{AgentRequest, Event, Fold, Json, Status, json};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until, timeout};

use super::client_error::ClientError;
use super::describe;
use super::interrupts::{Interrupts, Stop};
use super::render::Renderer;
use super::screen::Screen;
use super::server::{Answer, Server};

/// How long the connection may take to close after the run has ended.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// How long a cancelled run may take to end; a server drops its agent earlier.
const CANCEL_LIMIT: Duration = Duration::from_secs(15);

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The answer is complete.
    Answered,
    /// The run failed, or did not start.
    Failed,
    /// The user cancelled the run.
    Cancelled,
    /// The user wants to leave at once.
    Left,
    /// Standard output was closed.
    Unread,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub(super) json: bool,
    pub(super) hides_reasoning: bool,
    pub(super) verbose: bool,
    /// The agent is in another process, which has its own log.
    pub(super) is_remote: bool,
}

/// Asks a question and shows the answer as it arrives. Returns how the turn ended and the events so far.
///
/// The first interrupt cancels the run, and the turn continues to the run's end. The second one ends the turn. Whenever
/// the turn ends before the run, the run is cancelled, because it has no reader left and would block the session.
pub(super) async fn turn<O: Write, E: Write>(
    server: &Server,
    request: &AgentRequest,
    view: View,
    screen: &mut Screen<O, E>,
    interrupts: &mut Interrupts,
) -> (Ending, Fold) {
    let mut turn = Turn {
        view,
        renderer: Renderer::new(view.hides_reasoning, view.verbose),
        fold: Fold::new(),
        has_failed: false,
        run_id: None,
        gives_up_at: None,
        is_cancelled: false,
    };
    let ending = turn.run(server, request, screen, interrupts).await;
    // The answer has been dropped here, and the connection with it.
    let ending = ending.and_then(|ending| turn.end(ending, screen)).unwrap_or(Ending::Unread);
    if let Some(run_id) = turn.run_id.filter(|_| !turn.is_cancelled && !turn.fold.is_finished()) {
        let limit = if ending == Ending::Left { LAST_BYTES } else { CANCEL_LIMIT };
        // If this fails, the server cancels the run when its grace period is over.
        let _ = timeout(limit, server.cancel(&run_id)).await;
    }
    (ending, turn.fold)
}

struct Turn {
    view: View,
    renderer: Renderer,
    fold: Fold,
    /// The server reported an error outside of the protocol.
    has_failed: bool,
    /// The run's id, if the server sent one.
    run_id: Option<String>,
    /// When the turn ends even if the cancelled run has not ended; set by the first interrupt.
    gives_up_at: Option<Instant>,
    /// The server has accepted the cancellation.
    is_cancelled: bool,
}

impl Turn {
    /// Fails only if the terminal cannot be written to.
    async fn run<O: Write, E: Write>(
        &mut self,
        server: &Server,
        request: &AgentRequest,
        screen: &mut Screen<O, E>,
        interrupts: &mut Interrupts,
    ) -> io::Result<Ending> {
        let mut asking = Box::pin(server.ask(request));
        let mut answer = loop {
            tokio::select! {
                biased;
                stop = interrupts.next() => if self.stop(stop, screen)? {
                    // The run may have started. Its id, which cancels it, is about to arrive.
                    if let Ok(Ok(answer)) = timeout(LAST_BYTES, &mut asking).await {
                        self.run_id = answer.run_id().map(str::to_owned);
                    }
                    return Ok(Ending::Left);
                },
                () = expired(self.gives_up_at) => return Ok(Ending::Cancelled),
                answer = &mut asking => match answer {
                    Ok(answer) => break answer,
                    Err(failure) => return fail(&failure, screen),
                },
            }
        };
        self.run_id = answer.run_id().map(str::to_owned);
        if self.view.verbose {
            screen.note(&format!("[run] {}", answer.run_id().unwrap_or("without an id")))?;
        }
        let mut cancelling: Option<BoxFuture<'_, Result<(), ClientError>>> = None;
        while !self.fold.is_finished() {
            if self.gives_up_at.is_some() && !self.is_cancelled && cancelling.is_none() {
                // A server that names no run cancels it when the connection is closed.
                let Some(run_id) = self.run_id.clone() else { return Ok(Ending::Cancelled) };
                cancelling = Some(Box::pin(async move { server.cancel(&run_id).await }));
            }
            tokio::select! {
                biased;
                stop = interrupts.next() => if self.stop(stop, screen)? { return Ok(Ending::Left) },
                () = expired(self.gives_up_at) => return Ok(Ending::Cancelled),
                cancelled = acknowledged(&mut cancelling) => {
                    cancelling = None;
                    if let Err(failure) = cancelled {
                        screen.line(&format!("error: could not cancel the run: {failure}"))?;
                        return Ok(Ending::Cancelled);
                    }
                    self.is_cancelled = true;
                }
                read = answer.next() => {
                    if let Some(ending) = self.take(read, screen)? {
                        return Ok(ending);
                    }
                }
            }
        }
        // Otherwise the server would see a client that disconnected early.
        let _ = timeout(LAST_BYTES, read_to_end(&mut answer)).await;
        let status = self.fold.response().map(|response| response.status);
        let is_good = matches!(status, Some(Status::Completed | Status::Incomplete)) && !self.has_failed;
        Ok(match status {
            Some(Status::Canceled) if self.gives_up_at.is_some() => Ending::Cancelled,
            _ if is_good => Ending::Answered,
            _ => Ending::Failed,
        })
    }

    /// Takes an interrupt. Returns whether the user wants to leave.
    fn stop<O: Write, E: Write>(&mut self, stop: Stop, screen: &mut Screen<O, E>) -> io::Result<bool> {
        if stop == Stop::Terminate || self.gives_up_at.is_some() {
            return Ok(true);
        }
        self.gives_up_at = Some(Instant::now() + CANCEL_LIMIT);
        screen.line("(cancelling; press Ctrl-C again to quit)")?;
        screen.flush()?;
        Ok(false)
    }

    /// Shows what arrived. Returns how the turn ended if nothing more will arrive.
    fn take<O: Write, E: Write>(
        &mut self,
        read: Result<Option<Vec<SseEvent>>, ClientError>,
        screen: &mut Screen<O, E>,
    ) -> io::Result<Option<Ending>> {
        match read {
            Ok(Some(events)) => {
                for event in &events {
                    if let Err(failure) = self.show(event, screen)? {
                        return fail(&failure, screen).map(Some);
                    }
                }
                screen.flush()?;
                Ok(None)
            }
            Ok(None) if self.has_failed => Ok(Some(Ending::Failed)),
            Ok(None) => {
                self.renderer.close(screen)?;
                fail(&ClientError::cut(), screen).map(Some)
            }
            Err(failure) => {
                self.renderer.close(screen)?;
                fail(&failure, screen).map(Some)
            }
        }
    }

    /// Shows one event; the inner error reports an invalid one.
    fn show<O: Write, E: Write>(
        &mut self,
        sent: &SseEvent,
        screen: &mut Screen<O, E>,
    ) -> io::Result<Result<(), ClientError>> {
        let event = match Event::from_slice(sent.data.as_bytes()) {
            Ok(event) => event,
            Err(_) if sent.is_error => {
                self.has_failed = true;
                screen.line(&format!("error: {}", describe::shorten(&sent.data, 1000)))?;
                return Ok(Ok(()));
            }
            Err(error) => return Ok(Err(ClientError::event(error))),
        };
        self.fold.push(&event);
        let problem = problem(&event);
        self.has_failed |= problem.is_some() || sent.is_error;
        if self.view.json {
            // An event may span several lines; its JSON fits on one.
            let line = json::parse(&sent.data).ok().filter(|_| sent.data.contains('\n'));
            screen.data(&line.map_or_else(|| sent.data.clone(), |json| json.to_string()))?;
            return Ok(Ok(()));
        }
        self.renderer.event(&event, screen)?;
        if let Some(problem) = problem {
            screen.line(&format!("error: {}", describe::shorten(&problem, 1000)))?;
        }
        Ok(Ok(()))
    }

    fn end<O: Write, E: Write>(&mut self, ending: Ending, screen: &mut Screen<O, E>) -> io::Result<Ending> {
        if !self.view.json {
            self.renderer.close(screen)?;
        }
        if ending == Ending::Cancelled && !self.fold.is_finished() {
            screen.line("(cancelled)")?;
        }
        let has_failed = ending == Ending::Failed && self.fold.is_finished() && !self.view.json;
        if let (true, true, Some(run_id)) = (has_failed, self.view.is_remote, &self.run_id) {
            screen.note(&format!("(see the server's log for {})", describe::shorten(run_id, 100)))?;
        }
        screen.flush()?;
        Ok(ending)
    }
}

fn fail<O: Write, E: Write>(failure: &ClientError, screen: &mut Screen<O, E>) -> io::Result<Ending> {
    screen.line(&format!("error: {failure}"))?;
    Ok(Ending::Failed)
}

/// Resolves at a time, if there is one.
async fn expired(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Resolves when the server has answered a cancellation, if one is under way.
async fn acknowledged(
    cancelling: &mut Option<BoxFuture<'_, Result<(), ClientError>>>,
) -> Result<(), ClientError> {
    match cancelling {
        Some(cancelling) => cancelling.await,
        None => pending().await,
    }
}

async fn read_to_end(answer: &mut Answer) {
    while let Ok(Some(_)) = answer.next().await {}
}

/// The error that an object outside of the protocol reports.
fn problem(event: &Event) -> Option<String> {
    let Event::Other(json) = event else { return None };
    let error = json.get("error").filter(|error| **error != Json::Null)?;
    let message = error.as_str().or_else(|| error.get("message")?.as_str());
    Some(message.map_or_else(|| error.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use agent_runner::agents::Demo;
    use agent_runner::{RunHandle, agent_fn};
    use agent_schemas::Message;
    use agent_server::AgentApp;
    use futures_util::StreamExt;
    use futures_util::stream::{self, BoxStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::*;
    use crate::terminal::screen::tests::Sheet;

    /// Asks an agent behind a real server; returns the result, standard output and standard error.
    async fn ask(path: &str, question: &str, view: View) -> (Ending, String, String) {
        let broken = agent_fn(|run: RunHandle| async move {
            run.say("Half");
            Err(agent_schemas::Error::ModelTimeout { model_name: "m".into(), timeout: 3 }.into())
        });
        let app = AgentApp::builder("test").agent("demo", Demo).agent("broken", broken).build();
        let mut request = AgentRequest::new(vec![Message::user(question)]);
        request.model = (question == "broken").then(|| "broken".to_owned());
        interrupted(app.expect("two agents"), path, request, view, stream::empty().boxed()).await
    }

    /// The same for an application and with interrupts.
    async fn interrupted(
        app: AgentApp,
        path: &str,
        request: AgentRequest,
        view: View,
        stops: BoxStream<'static, Stop>,
    ) -> (Ending, String, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let serving = app.serve(listener, std::future::pending());
        let server = Server::new(&format!("http://{address}{path}"), None).expect("an address");
        let (out, err) = (Sheet::default(), Sheet::default());
        let mut screen = Screen::new(out.clone(), err.clone(), (false, false), false);
        let mut interrupts = Interrupts::new(stops);
        tokio::select! {
            _ = serving => panic!("the server has ended"),
            (ending, _) = turn(&server, &request, view, &mut screen, &mut interrupts) => {
                (ending, out.text(), err.text())
            }
        }
    }

    /// An agent that says one word and continues until it is cancelled; then, if `obeys`, it ends.
    struct Endless {
        app: AgentApp,
        has_begun: Arc<Notify>,
        was_cancelled: Arc<AtomicBool>,
    }

    fn endless(obeys: bool) -> Endless {
        let (has_begun, was_cancelled) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (begun, cancelled) = (Arc::clone(&has_begun), Arc::clone(&was_cancelled));
        let agent = agent_fn(move |run: RunHandle| {
            let (begun, cancelled) = (Arc::clone(&begun), Arc::clone(&cancelled));
            async move {
                run.say("Half");
                begun.notify_one();
                run.cancelled().await;
                cancelled.store(true, Ordering::SeqCst);
                if !obeys {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        });
        // Runs of clients that disconnect would continue for a minute.
        let app = AgentApp::builder("test").agent("endless", agent).build().expect("an agent");
        Endless { app, has_begun, was_cancelled }
    }

    /// Waits until the agent has noticed the cancellation, long before the run would be cancelled for lack of a reader.
    async fn until(was_cancelled: &AtomicBool) {
        let noticed = async {
            while !was_cancelled.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), noticed).await.expect("the agent is cancelled");
    }

    fn question() -> AgentRequest {
        AgentRequest::new(vec![Message::user("hi")])
    }

    #[tokio::test]
    async fn interrupt__during_an_answer__cancels_the_run_and_waits_for_its_end() {
        let Endless { app, has_begun, was_cancelled } = endless(true);
        let runner = app.runner().clone();
        let stops = stream::once(async move {
            has_begun.notified().await;
            Stop::Interrupt
        });
        let ended = interrupted(app, "", question(), View::default(), stops.boxed()).await;
        assert_eq!((ended.0, ended.1.as_str()), (Ending::Cancelled, "Half\n"));
        assert_eq!(ended.2, "(cancelling; press Ctrl-C again to quit)\n(the run is canceled)\n");
        assert!(was_cancelled.load(Ordering::SeqCst));
        assert_eq!(runner.active_runs(), 0, "the next question does not wait");
    }

    #[tokio::test]
    async fn interrupt__twice__leaves_a_run_that_does_not_end() {
        let Endless { app, has_begun, was_cancelled } = endless(false);
        let stops = stream::once(async move {
            has_begun.notified().await;
            Stop::Interrupt
        });
        let cancelled = Arc::clone(&was_cancelled);
        let again = stream::once(async move {
            until(&cancelled).await;
            Stop::Interrupt
        });
        let ended = interrupted(app, "", question(), View::default(), stops.chain(again).boxed()).await;
        assert_eq!(ended.0, Ending::Left, "{}", ended.2);
    }

    #[tokio::test]
    async fn terminate__during_an_answer__cancels_the_run_and_leaves() {
        let Endless { app, has_begun, was_cancelled } = endless(true);
        let _runner = app.runner().clone();
        let stops = stream::once(async move {
            has_begun.notified().await;
            Stop::Terminate
        });
        let ended = interrupted(app, "", question(), View::default(), stops.boxed()).await;
        assert_eq!(ended.0, Ending::Left, "{}", ended.2);
        until(&was_cancelled).await;
    }

    /// A writer that accepts nothing.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn standard_output__closed__cancels_the_run() {
        let Endless { app, was_cancelled, .. } = endless(true);
        let _runner = app.runner().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server =
            Server::new(&listener.local_addr().expect("bound").to_string(), None).expect("an address");
        let serving = app.serve(listener, std::future::pending());
        let mut screen = Screen::new(Closed, Sheet::default(), (false, false), false);
        let mut interrupts = Interrupts::new(stream::empty().boxed());
        let request = question();
        tokio::select! {
            _ = serving => panic!("the server has ended"),
            (ending, _) = turn(&server, &request, View::default(), &mut screen, &mut interrupts) => {
                assert_eq!(ending, Ending::Unread);
            }
        }
        until(&was_cancelled).await;
    }

    #[tokio::test]
    async fn turn__answer__goes_to_stdout_only() {
        let (ending, out, err) = ask("", "What is 6 times 7?", View::default()).await;
        assert_eq!((ending, out.as_str()), (Ending::Answered, "6 × 7 = 42\n"));
        assert_eq!(
            err,
            "[reasoning] This asks for 6 × 7. The calculator can tell.\n\
             [tool] calculator {\"expression\":\"6 * 7\"}\n[tool] → 42\n"
        );
    }

    #[tokio::test]
    async fn turn__failed_run__is_reported() {
        let view = View { is_remote: true, ..View::default() };
        let (ending, out, err) = ask("", "broken", view).await;
        assert_eq!((ending, out.as_str()), (Ending::Failed, "Half\n"));
        assert!(err.starts_with("error MODEL_TIMEOUT: Model inference timed out: m"), "{err}");
        assert!(err.contains("(see the server's log for run_"), "{err}");
        let (ending, out, err) = ask("/nowhere", "hi", View::default()).await;
        assert_eq!((ending, out.as_str()), (Ending::Failed, ""));
        assert!(err.contains("there is no agent at http://127.0.0.1"), "{err}");
    }

    #[tokio::test]
    async fn turn__json_view__prints_one_event_per_line() {
        let view = View { json: true, ..View::default() };
        let (ending, out, err) = ask("", "broken", view).await;
        assert_eq!((ending, err.as_str()), (Ending::Failed, ""));
        let mut fold = Fold::new();
        for line in out.lines() {
            fold.push(&Event::from_slice(line.as_bytes()).expect(line));
        }
        assert!(fold.is_finished(), "{out}");
    }
}
