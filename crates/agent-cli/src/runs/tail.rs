//! Following a run to its end, over as many connections as it takes.

use std::io::{self, Stderr, Stdout};
use std::process::ExitCode;
use std::time::Duration;

use agent_runner::sse_reader::SseEvent;
use agent_schemas::{Event, Status};
use agent_services::retry::Backoff;
use anyhow::Context;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, StatusCode};

use super::about;
use crate::cli::runs::TailOptions;
use crate::remote::{Remote, RemoteError};
use crate::terminal::client_error::ClientError;
use crate::terminal::render::Renderer;
use crate::terminal::screen::Screen;
use crate::terminal::server::Answer;

/// How many failed connections in a row are retried. An event resets the count.
const ATTEMPTS: u32 = 12;

/// The first and the longest delay before an attempt.
const DELAYS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Follows a run. The exit code tells how it ended.
pub(super) async fn run(server: &Remote, options: &TailOptions, may_dim: bool) -> anyhow::Result<ExitCode> {
    let mut tail = Tail {
        server,
        options,
        screen: Screen::standard(may_dim),
        renderer: Renderer::new(false, false),
        last: options.after.clone(),
        failures: 0,
        backoff: Backoff::new(DELAYS.0, DELAYS.1),
    };
    let followed = tail.follow().await;
    match followed.and_then(|status| tail.close().map(|()| status).map_err(Into::into)) {
        Ok(status) => Ok(ExitCode::from(code(&status))),
        // The reader has closed the pipe because it has seen enough.
        Err(error) if is_unread(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            // What arrived so far stays readable; the error comes after it.
            let _ = tail.close();
            Err(error)
        }
    }
}

fn code(status: &Status) -> u8 {
    match status {
        Status::Completed => 0,
        Status::Canceled => 4,
        Status::Incomplete => 5,
        _ => 3,
    }
}

fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

struct Tail<'a> {
    server: &'a Remote,
    options: &'a TailOptions,
    screen: Screen<Stdout, Stderr>,
    renderer: Renderer,
    /// The id of the last event that was shown.
    last: Option<String>,
    /// How many connections have failed since the last event.
    failures: u32,
    backoff: Backoff,
}

/// How a connection ended.
enum Part {
    /// The run ended.
    Ended(Status),
    /// It was lost, for this reason.
    Lost(anyhow::Error),
}

impl Tail<'_> {
    async fn follow(&mut self) -> anyhow::Result<Status> {
        let mut answer = self.connect().await.map_err(|error| about(&self.options.id, error))?;
        loop {
            let why = match self.read(answer).await? {
                Part::Ended(status) => return Ok(status),
                Part::Lost(why) => why,
            };
            answer = self.connect_again(why).await?;
        }
    }

    async fn connect(&self) -> Result<Answer, RemoteError> {
        let request = self.server.request(Method::GET, &["runs", &self.options.id, "events"], &[]);
        let mut request = request.header(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        let response = self.server.send(request).await?;
        Answer::new(self.server.url(), response).map_err(RemoteError::Lost)
    }

    /// Resumes after the last event, as soon as this server or a replacement is available.
    async fn connect_again(&mut self, mut why: anyhow::Error) -> anyhow::Result<Answer> {
        if self.failures == 0 {
            self.screen.note("(lost the connection; reconnecting)")?;
            self.screen.flush()?;
        }
        while self.failures < ATTEMPTS {
            self.backoff.wait().await;
            self.failures += 1;
            match self.connect().await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_temporary(&error) => why = error.into(),
                Err(error) => return Err(about(&self.options.id, error)),
            }
        }
        let id = &self.options.id;
        let again = match &self.last {
            Some(last) if self.options.json => format!("use `--after {last}` to continue from here"),
            _ => format!("use `agent-server runs show {id}` when the server is back"),
        };
        Err(why.context(format!("could not follow the run to its end; {again}")))
    }

    /// Shows events until the run or the connection ends.
    async fn read(&mut self, mut answer: Answer) -> anyhow::Result<Part> {
        loop {
            let events = match answer.next().await {
                Ok(Some(events)) => events,
                Ok(None) => return Ok(Part::Lost(ClientError::cut().into())),
                Err(failure) => return Ok(Part::Lost(failure.into())),
            };
            for event in &events {
                if let Some(status) = self.show(event)? {
                    return Ok(Part::Ended(status));
                }
            }
            self.screen.flush()?;
        }
    }

    /// Shows one event; returns the run's status if it is the last one.
    fn show(&mut self, sent: &SseEvent) -> anyhow::Result<Option<Status>> {
        let event = Event::from_slice(sent.data.as_bytes());
        let event = event.context("the server sent something that is not an event")?;
        self.failures = 0;
        self.backoff.reset();
        self.last.clone_from(&sent.id);
        if self.options.json {
            self.screen.data(&sent.data)?;
        } else {
            self.renderer.event(&event, &mut self.screen)?;
        }
        Ok(match event {
            Event::Response(response) if response.status.is_final() => Some(response.status),
            _ => None,
        })
    }

    fn close(&mut self) -> io::Result<()> {
        if !self.options.json {
            self.renderer.close(&mut self.screen)?;
        }
        self.screen.flush()
    }
}

/// Whether an error may be temporary.
fn is_temporary(error: &RemoteError) -> bool {
    match error.status() {
        None => true,
        Some(status) => status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
    }
}
