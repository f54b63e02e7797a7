//! Limits: `docs/limits.md`, row by row, against the real binary with tiny limits; and clients that try to fill its memory.

mod attacks;
mod fixed;
mod settings;

use agent_tests::{Answer, Launch, Server, within};

/// The page whose tables are tested.
const PAGE: &str = include_str!("../../docs/limits.md");

/// The rows of the table with this first column, as the texts of their cells.
fn rows(first_column: &str) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| -> Option<Vec<&str>> {
        Some(line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect())
    };
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {first_column} |")));
    assert!(lines.next().is_some(), "the page has no table of '{first_column}'");
    let rows: Vec<_> = lines.skip(1).map_while(cells).collect();
    assert!(!rows.is_empty(), "the table of '{first_column}' is empty");
    rows
}

/// A cell's text without its backquotes.
fn plain(cell: &str) -> String {
    cell.replace('`', "")
}

/// The answer when a limit was reached, and the message of the error, if any.
struct Reached {
    answer: String,
    message: Option<String>,
}

impl Reached {
    fn error(answer: &Answer) -> Self {
        let error = &answer.json()["error"];
        let (code, message) = (error["code"].as_str(), error["message"].as_str());
        let is_full = [429, 503].contains(&answer.status);
        assert_eq!(answer.header("retry-after").is_some(), is_full, "{answer:?}");
        Reached {
            answer: format!("{} {}", answer.status, code.unwrap_or_default()),
            message: message.map(str::to_owned),
        }
    }

    fn other(what: &str) -> Self {
        Reached { answer: what.to_owned(), message: None }
    }
}

async fn serve(config: &str) -> Server {
    Launch::echo(config).start().await
}

/// A server whose agent writes its first word at once, and the next one a minute later.
async fn serve_slow(config: &str) -> Server {
    let agent = "agent = \"slow\"\n[agents.slow]\nkind = \"echo\"\ndelay_ms = 60000\n";
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]);
    launch.config(&format!("{agent}{config}")).start().await
}

/// Repeats a request until it is answered with an error.
async fn first_error(server: &Server, path: &str) -> Answer {
    within("the limit to be reached", async {
        loop {
            let answer = server.connect().await.get(path).await;
            if answer.status >= 400 {
                return answer;
            }
        }
    })
    .await
}

/// Checks that the server has room for requests.
async fn check_has_room(server: &Server) {
    within("the server to have room again", async {
        while server.connect().await.get("/v1/models").await.status != 200 {}
    })
    .await;
    server.check_health().await;
}
