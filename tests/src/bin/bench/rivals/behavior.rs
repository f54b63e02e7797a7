//! What a server does with a cut stream, with many runs of one session, and with a run during which it is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::contender::{Contender, Cut, Run};
use super::events;
use super::rounds::new_session;
use super::server::{Place, Server};
use crate::load::Connection;

/// The words of a run that is cut, and how many have arrived by then.
const WORDS: usize = 40;
const READ: usize = 12;

/// The pause before each word.
const DELAY_MS: u64 = 50;

/// The runs of one session.
pub(crate) const TOGETHER: usize = 50;

/// How an error shows in a stream that began well.
const FAILURES: [&str; 4] = ["\"status\":\"failed\"", "event: error", "\"error\":\"", "RunError"];

/// What a server has done.
#[derive(Debug)]
pub(crate) struct Behavior {
    pub(crate) resumes: String,
    /// How many of the runs of one session finished.
    pub(crate) finished: usize,
    pub(crate) after_kill: String,
}

pub(crate) async fn observe(contender: &dyn Contender, place: &Place<'_>) -> Result<Behavior> {
    let server = Server::start(contender, place).await?;
    let resumes = resume(contender, &server).await.context("resuming a stream")?;
    let finished = together(contender, &server).await.context("many runs of one session")?;
    let after_kill = kill(contender, place, server).await.context("killing the server")?;
    Ok(Behavior { resumes, finished, after_kill })
}

/// Starts a run and stops reading in its middle. The connection is still open.
async fn begin(contender: &dyn Contender, server: &Server) -> Result<(Connection, Cut)> {
    let session = new_session();
    let run = Run { session: &session, words: &events::words(0, WORDS), delay_ms: DELAY_MS };
    let mut connection = Connection::open(&server.address()).await?;
    events::read(&mut connection, &contender.request(&run), contender.word_marker(), READ).await?;
    let received = text(&connection);
    Ok((connection, Cut { session, received }))
}

fn text(connection: &Connection) -> String {
    String::from_utf8_lossy(connection.received()).replace('\r', "")
}

/// Whether a reader that returns gets all words, and each only once.
async fn resume(contender: &dyn Contender, server: &Server) -> Result<String> {
    let (connection, cut) = begin(contender, server).await?;
    drop(connection);
    sleep(Duration::from_millis(700)).await;
    let Some(request) = contender.resume(&cut) else { return Ok("no".to_owned()) };
    let before = events::words_in(&cut.received, contender.word_marker());
    let after = match continued(contender, server, &request).await {
        Ok(after) => after,
        Err(error) => return Ok(format!("no: {}", short(&error))),
    };
    let distinct: BTreeSet<_> = before.iter().chain(&after).collect();
    let repeated = before.len() + after.len() - distinct.len();
    Ok(match (WORDS - distinct.len(), repeated) {
        (0, 0) => "yes".to_owned(),
        (0, repeated) => format!("yes, {repeated} words twice"),
        (missing, _) => format!("no: {missing} of {WORDS} words are missing"),
    })
}

/// The words that a request for the rest of a stream gives.
async fn continued(contender: &dyn Contender, server: &Server, request: &[u8]) -> Result<Vec<String>> {
    let mut connection = Connection::open(&server.address()).await?;
    let reading = events::read(&mut connection, request, contender.word_marker(), usize::MAX);
    timeout(Duration::from_secs(20), reading).await.context("the stream did not end")??;
    Ok(events::words_in(&text(&connection), contender.word_marker()))
}

/// The first line of an error that may contain a whole answer.
fn short(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// How many of many runs of one session that begin at once say all they have to.
async fn together(contender: &dyn Contender, server: &Server) -> Result<usize> {
    let session = new_session();
    let first = Run { session: &session, words: &events::words(0, 2), delay_ms: 0 };
    run(contender, server, &first).await?;
    let all = join_all((0..TOGETHER).map(|number| {
        let (session, words) = (&session, events::words(1000 + 2 * number, 2));
        async move {
            let one = Run { session, words: &words, delay_ms: DELAY_MS };
            timeout(Duration::from_secs(60), run(contender, server, &one)).await?
        }
    }));
    Ok(all.await.iter().filter(|result| result.is_ok()).count())
}

async fn run(contender: &dyn Contender, server: &Server, run: &Run<'_>) -> Result<()> {
    let mut connection = Connection::open(&server.address()).await?;
    events::read(&mut connection, &contender.request(run), contender.word_marker(), usize::MAX).await?;
    let received = text(&connection);
    let failure = FAILURES.iter().find(|failure| received.contains(*failure));
    ensure!(failure.is_none(), "the run failed: {received}");
    let said = events::words_in(&received, contender.word_marker());
    ensure!(said.join(" ") == run.words, "the agent said {said:?}");
    Ok(())
}

/// What is left of a run whose server is killed in its middle and started again.
async fn kill(contender: &dyn Contender, place: &Place<'_>, server: Server) -> Result<String> {
    let (connection, cut) = begin(contender, &server).await?;
    let server = server.kill_and_restart(contender, place).await?;
    drop(connection);
    // A server that continues the run needs this long to finish it.
    sleep(Duration::from_millis(DELAY_MS * WORDS as u64 + 2000)).await;
    let mut left = Vec::new();
    if let Some(request) = contender.status(&cut)
        && let Ok(answer) = ask(&server, &request).await
        && let Some(status) = field(&answer, "status")
    {
        left.push(format!("run is {status}"));
    }
    if let Some(request) = contender.resume(&cut)
        && let Ok(after) = continued(contender, &server, &request).await
        && !after.is_empty()
    {
        let before = events::words_in(&cut.received, contender.word_marker());
        left.push(stream_after_kill(&before, &after));
    }
    if let Some(request) = contender.history(&cut)
        && let Ok(answer) = ask(&server, &request).await
    {
        // The input has each word once, and a whole answer once more.
        match answer.matches(&format!("word{:04}", WORDS - 1)).count() {
            0 => {}
            1 => left.push("input kept".to_owned()),
            _ => left.push("input and answer kept".to_owned()),
        }
    }
    Ok(if left.is_empty() { "lost".to_owned() } else { left.join(", ") })
}

/// How the stream that a reader resumes relates to what was read before.
fn stream_after_kill(before: &[String], after: &[String]) -> String {
    let distinct: BTreeSet<_> = before.iter().chain(after).collect();
    if distinct.len() < WORDS {
        format!("{} of {WORDS} words readable", distinct.len())
    } else if before.len() + after.len() == WORDS {
        "stream continues".to_owned()
    } else {
        "stream starts again".to_owned()
    }
}

/// Sends a request with a short answer; returns its body.
async fn ask(server: &Server, request: &[u8]) -> Result<String> {
    let mut connection = Connection::open(&server.address()).await?;
    connection.send(request).await?;
    let answer = timeout(Duration::from_secs(20), connection.short_answer()).await??;
    let answer = String::from_utf8_lossy(answer).into_owned();
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn field(json: &str, name: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    Some(value.get(name)?.as_str()?.to_lowercase())
}
