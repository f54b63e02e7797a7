//! One question and its answer.

use std::io::{self, Write};
use std::time::Duration;

use agent_runner::sse_reader::SseEvent;
use agent_schemas::{AgentRequest, Event, Fold, Json, Status, json};
use tokio::signal::unix::Signal;
use tokio::time::timeout;

use super::client_error::ClientError;
use super::describe;
use super::render::Renderer;
use super::screen::Screen;
use super::server::{Answer, Server};

/// How long the connection may take to close after the run has ended.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The answer is complete.
    Answered,
    /// The run failed, or did not start.
    Failed,
    /// The user cancelled the run.
    Cancelled,
    /// Standard output was closed.
    Unread,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub(super) json: bool,
    pub(super) hides_reasoning: bool,
    pub(super) verbose: bool,
}

/// Asks a question and shows the answer as it arrives. Returns how the turn ended and the events so far.
pub(super) async fn turn<O: Write, E: Write>(
    server: &Server,
    request: &AgentRequest,
    view: View,
    screen: &mut Screen<O, E>,
    interrupt: &mut Signal,
) -> (Ending, Fold) {
    let mut turn = Turn {
        view,
        renderer: Renderer::new(view.hides_reasoning, view.verbose),
        fold: Fold::new(),
        has_failed: false,
    };
    let ending = tokio::select! {
        biased;
        _ = interrupt.recv() => Ok(Ending::Cancelled),
        ending = turn.run(server, request, screen) => ending,
    };
    // Here the response has been dropped, and with it the connection.
    let ending = ending.and_then(|ending| turn.end(ending, screen)).unwrap_or(Ending::Unread);
    (ending, turn.fold)
}

struct Turn {
    view: View,
    renderer: Renderer,
    fold: Fold,
    /// The server reported an error outside of the protocol.
    has_failed: bool,
}

impl Turn {
    /// Fails only if the terminal cannot be written to.
    async fn run<O: Write, E: Write>(
        &mut self,
        server: &Server,
        request: &AgentRequest,
        screen: &mut Screen<O, E>,
    ) -> io::Result<Ending> {
        let mut answer = match server.ask(request).await {
            Ok(answer) => answer,
            Err(failure) => return fail(&failure, screen),
        };
        if self.view.verbose {
            screen.note(&format!("[run] {}", answer.run_id().unwrap_or("without an id")))?;
        }
        while !self.fold.is_finished() {
            match answer.next().await {
                Ok(Some(events)) => {
                    for event in &events {
                        if let Err(failure) = self.show(event, screen)? {
                            return fail(&failure, screen);
                        }
                    }
                    screen.flush()?;
                }
                Ok(None) if self.has_failed => return Ok(Ending::Failed),
                Ok(None) => {
                    self.renderer.close(screen)?;
                    return fail(&ClientError::cut(), screen);
                }
                Err(failure) => {
                    self.renderer.close(screen)?;
                    return fail(&failure, screen);
                }
            }
        }
        // Otherwise the server would see a client that disconnected early.
        let _ = timeout(LAST_BYTES, read_to_end(&mut answer)).await;
        let status = self.fold.response().map(|response| response.status);
        let is_good = matches!(status, Some(Status::Completed | Status::Incomplete)) && !self.has_failed;
        Ok(if is_good { Ending::Answered } else { Ending::Failed })
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
        if ending == Ending::Cancelled {
            screen.line("(cancelled)")?;
        }
        screen.flush()?;
        Ok(ending)
    }
}

fn fail<O: Write, E: Write>(failure: &ClientError, screen: &mut Screen<O, E>) -> io::Result<Ending> {
    screen.line(&format!("error: {failure}"))?;
    Ok(Ending::Failed)
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
    use tokio::net::TcpListener;
    use tokio::signal::unix::{SignalKind, signal};

    use super::*;
    use crate::terminal::screen::tests::Sheet;

    /// Asks an agent behind a real server; returns the result, standard output and standard error.
    async fn ask(path: &str, question: &str, view: View) -> (Ending, String, String) {
        let broken = agent_fn(|run: RunHandle| async move {
            run.say("Half");
            Err(agent_schemas::Error::ModelTimeout { model_name: "m".into(), timeout: 3 }.into())
        });
        let app = AgentApp::builder("test").agent("demo", Demo).agent("broken", broken).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let serving = app.expect("two agents").serve(listener, std::future::pending());
        let server = Server::new(&format!("http://{address}{path}"), None).expect("an address");
        let mut request = AgentRequest::new(vec![Message::user(question)]);
        request.model = (question == "broken").then(|| "broken".to_owned());
        let (out, err) = (Sheet::default(), Sheet::default());
        let mut screen = Screen::new(out.clone(), err.clone(), (false, false), false);
        let mut interrupt = signal(SignalKind::user_defined1()).expect("a signal");
        tokio::select! {
            _ = serving => panic!("the server has ended"),
            (ending, _) = turn(&server, &request, view, &mut screen, &mut interrupt) => {
                (ending, out.text(), err.text())
            }
        }
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
        let (ending, out, err) = ask("", "broken", View::default()).await;
        assert_eq!((ending, out.as_str()), (Ending::Failed, "Half\n"));
        assert!(err.starts_with("error MODEL_TIMEOUT: Model inference timed out: m"), "{err}");
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
