//! Workers in Python, and what is logged about them.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use agent_runner::{Run, RunLimits, RunOptions, Runner};
use agent_schemas::{AgentRequest, AgentResponse, Event, Message};
use agent_workers::python::{Package, Script};
use agent_workers::{Workers, WorkersConfig};
use tokio::time::{sleep, timeout};

/// The deadline of all waits; anything that takes longer counts as never happening.
const DEADLINE: Duration = Duration::from_secs(60);

/// The agents of a script, and the log of this thread. The test's tasks must stay on its thread.
pub(crate) struct Served {
    pub(crate) workers: Arc<Workers>,
    pub(crate) runner: Runner,
    _package: Package,
}

/// Serves the agents that get their worker into trouble.
pub(crate) async fn serve(adjust: impl FnOnce(&mut WorkersConfig)) -> Served {
    serve_script(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/agents.py"), adjust).await
}

/// Serves the agents of a script.
pub(crate) async fn serve_script(file: &Path, adjust: impl FnOnce(&mut WorkersConfig)) -> Served {
    start_log();
    let package = Package::unpack().expect("unpacked");
    let script = Script { file: file.to_owned(), python: Some(PathBuf::from("/usr/bin/env")) };
    let environment = vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())];
    let mut program = script.program(&package, environment).expect("a program");
    program.arguments.insert(0, "python3".into());
    let mut config = WorkersConfig::new(program);
    // A busy machine must not look like a stuck worker.
    config.timing.stuck = DEADLINE;
    adjust(&mut config);
    let workers = Workers::start(config).await.expect("ready");
    let mut builder = Runner::builder();
    for info in workers.agents() {
        builder = builder.agent(&info.name, workers.agent(&info.name).expect("it is one of them"));
    }
    let mut limits = RunLimits::default();
    limits.cancel_grace = Duration::from_millis(50);
    let runner = builder.limits(limits).build().expect("built");
    Served { workers, runner, _package: package }
}

impl Served {
    /// Starts a run of an agent in a session of its own.
    pub(crate) async fn start(&self, agent: &str, text: &str) -> Run {
        let mut request = AgentRequest::new(vec![Message::user(text)]);
        request.model = Some(agent.to_owned());
        self.runner.start(request, RunOptions::default()).await.expect("started")
    }

    /// Starts a run, and waits until it has completed a message.
    pub(crate) async fn start_and_listen(&self, agent: &str, text: &str) -> (Run, String) {
        let run = self.start(agent, text).await;
        let mut cursor = run.cursor(0);
        let said = within("a message", async {
            loop {
                for event in cursor.next_events().await.expect("an event").expect("readable") {
                    if let Event::Message(message) = event
                        && let Some(text) = message.text_content()
                    {
                        return text.to_owned();
                    }
                }
            }
        });
        let said = said.await;
        (run, said)
    }

    pub(crate) async fn ask(&self, agent: &str, text: &str) -> AgentResponse {
        response(&self.start(agent, text).await).await
    }

    /// The last message of a run.
    pub(crate) async fn answer(&self, agent: &str, text: &str) -> String {
        let response = self.ask(agent, text).await;
        let said = response.messages().last().and_then(|message| message.text_content());
        said.unwrap_or_else(|| panic!("{response:?}")).to_owned()
    }

    /// The number of the process that executes new runs.
    pub(crate) async fn number(&self) -> i32 {
        self.answer("number", "").await.parse().expect("a number")
    }
}

pub(crate) async fn response(run: &Run) -> AgentResponse {
    within("the response", run.response()).await.expect("a response")
}

/// The code of a failed run's error.
pub(crate) fn code(response: &AgentResponse) -> &str {
    response.error.as_ref().map_or("", |error| &error.code)
}

/// Waits for something that must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("timed out waiting for {what}; the log is\n{}", log()),
    }
}

/// Waits until a condition is true.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    within(what, async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Waits until a process is gone. If it was a child of this one, it has been waited for.
pub(crate) async fn gone(number: i32) {
    let own = std::process::id().to_string();
    let is_gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let mut fields = after_name.split(' ');
        match (fields.next(), fields.next()) {
            (Some("Z"), Some(parent)) => parent != own,
            (Some(state), _) => state.is_empty(),
            (None, _) => true,
        }
    };
    until("the process to be gone", is_gone).await;
}

/// Waits until one line of the log has these texts, and returns it.
pub(crate) async fn logged(texts: &[&str]) -> String {
    let find = || log().lines().find(|line| texts.iter().all(|text| line.contains(text))).map(str::to_owned);
    until(&format!("{texts:?} in the log"), || find().is_some()).await;
    find().unwrap_or_default()
}

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FLOOD: Cell<usize> = const { Cell::new(0) };
}

/// The log of this thread.
pub(crate) fn log() -> String {
    LINES.with_borrow(|lines| String::from_utf8_lossy(lines).into_owned())
}

/// How many lines of a flood were logged. They are only counted.
pub(crate) fn flood() -> usize {
    FLOOD.get()
}

fn start_log() {
    static INSTALL: Once = Once::new();
    // For all threads: otherwise tracing may remember of a thread without a subscriber that nobody is interested.
    INSTALL.call_once(|| {
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(|| Lines).init();
    });
    LINES.with_borrow_mut(Vec::clear);
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.windows(8).any(|part| part == b"flooding") {
            FLOOD.set(FLOOD.get() + 1);
        } else {
            LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
