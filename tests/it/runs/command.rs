//! `agent-server runs`.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use agent_tests::server::Ended;
use agent_tests::{Launch, Server, WaitingModel, binary, within};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{EVENTS, WORDS, event_of, log, started};

fn at(address: SocketAddr, arguments: &[&str]) -> Launch {
    Launch::bare(&[&["runs", "--server", &format!("http://{address}")], arguments].concat())
}

async fn runs(server: &Server, arguments: &[&str]) -> Ended {
    at(server.address(), arguments).run().await
}

fn check_failed(ended: &Ended, code: i32, sentence: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
    assert!(ended.stderr.contains(sentence), "{sentence:?} is missing in {ended:?}");
}

async fn demo() -> Server {
    Launch::bare(&["--port", "0", "--agent", "demo", "--log-format", "json"]).start().await
}

#[tokio::test]
async fn runs_command__tail_show_list__work() {
    let server = demo().await;
    let ann = |session: &str| json!({ "user_id": "ann", "session_id": session });
    let good = started(&server, "What is 6 times 7?", &ann("s\u{7}1")).await;
    let tail = runs(&server, &["tail", &good]).await;
    assert_eq!((tail.code, tail.stdout.as_str()), (0, "6 × 7 = 42\n"), "{tail:?}");
    assert!(tail.stderr.contains("[tool] calculator"), "{tail:?}");
    let bad = started(&server, "please fail", &ann("s-2")).await;
    let tail = runs(&server, &["tail", &bad]).await;
    assert_eq!(tail.code, 3, "{tail:?}");
    assert!(tail.stderr.contains("error AGENT_ERROR: "), "{tail:?}");

    let shown = runs(&server, &["show", &good]).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    for line in ["status   completed", "agent    demo", "session  s\\u{7}1", "assistant: 6 × 7 = 42"] {
        assert!(shown.stdout.lines().any(|found| found == line), "{line:?} is missing in {}", shown.stdout);
    }
    let shown = runs(&server, &["show", &bad, "--json"]).await;
    let run: Value = serde_json::from_str(&shown.stdout).expect("a line of JSON");
    assert_eq!(
        (&run["status"], &run["response"]["error"]["code"]),
        (&json!("failed"), &json!("AGENT_ERROR"))
    );

    let ids = async |arguments: &[&str]| {
        let list = runs(&server, &[&["list", "--user-id", "ann", "--json"], arguments].concat()).await;
        assert_eq!(list.code, 0, "{list:?}");
        let id = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone();
        list.stdout.lines().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]).await, [bad.as_str(), good.as_str()]);
    assert_eq!(ids(&["--limit", "1"]).await, [bad.as_str()]);
    assert_eq!(ids(&["--session-id", "s\u{7}1"]).await, [good.as_str()]);
    assert_eq!(ids(&["--status", "failed"]).await, [bad.as_str()]);
    assert!(ids(&["--session", "s-2", "--status", "completed"]).await.is_empty());
    let list = runs(&server, &["list", "--user", "ann", "--status", "completed"]).await;
    assert!(list.stdout.starts_with(&format!("{good}\tcompleted\t20")), "{list:?}");
    assert!(list.stdout.contains("Z\tdemo\ts\\u{7}1\t"), "{list:?}");
}

/// Forwards each connection to a server, and cuts it before the next one of these events passes. Records the position that
/// each one requests.
async fn cutting_proxy(to: SocketAddr, cuts: Vec<&'static str>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        let mut cuts = cuts.into_iter();
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && client.read_buf(&mut request).await.is_ok_and(|n| n > 0)
            {
            }
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let position = text.lines().find_map(|line| line.strip_prefix("last-event-id: "));
            noted.lock().expect("no panic").push(position.unwrap_or("-").to_owned());
            let mut server = TcpStream::connect(to).await.expect("the server accepts connections");
            server.write_all(&request).await.expect("sent");
            let Some(cut) = cuts.next() else {
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
                continue;
            };
            let (mut answer, mut sent) = (Vec::new(), 0);
            while sent < answer.len() || server.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {
                let end = memchr::memmem::find(&answer, cut.as_bytes());
                client.write_all(&answer[sent..end.unwrap_or(answer.len())]).await.expect("sent");
                sent = answer.len();
                if end.is_some() {
                    break;
                }
            }
        }
    });
    (address, asked)
}

#[tokio::test]
async fn tail__lost_connections__prints_the_whole_log() {
    let server = Launch::echo("").start().await;
    let id = started(&server, WORDS, &json!({})).await;
    let whole = log(&server, &id, None).await;
    assert_eq!(whole.len(), EVENTS);
    let (address, asked) = cutting_proxy(server.address(), vec!["id: 3\n", "id: 4\n", "id: 9\n"]).await;
    let tail = at(address, &["tail", &id, "--json"]).run().await;
    let seen: Vec<Value> =
        tail.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(seen, whole.iter().map(|frame| event_of(frame)).collect::<Vec<_>>(), "{tail:?}");
    assert_eq!(tail.code, 0, "{tail:?}");
    assert!(tail.stderr.contains("lost the connection"), "{tail:?}");
    assert_eq!(*asked.lock().expect("no panic"), ["-", "2", "3", "8"]);
    let rest = runs(&server, &["tail", &id, "--json", "--after", "5"]).await;
    assert!(tail.stdout.ends_with(&rest.stdout), "{rest:?}");
    assert_eq!(rest.stdout.lines().count(), EVENTS - 6);

    let (address, _) = cutting_proxy(server.address(), vec!["id: 6\n", "id: 8\n"]).await;
    let shown = at(address, &["tail", &id]).run().await;
    assert_eq!((shown.code, shown.stdout), (0, format!("{WORDS}\n")), "{}", shown.stderr);
}

#[tokio::test]
async fn tail__restarted_server__continues() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = WaitingModel::start().await;
    let port =
        TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("it is bound");
    let port = port.port().to_string();
    let launch = || {
        let arguments = ["--port", port.as_str(), "--log-format", "json"];
        Launch::bare(&arguments).config(&model.config()).data_dir(folder.path())
    };
    let mut first = launch().start().await;
    let id = started(&first, "hi", &json!({})).await;
    let mut tail = tokio::process::Command::new(binary::agent_server());
    tail.args(["runs", "tail", &id, "--server", &format!("http://{}", first.address())]);
    tail.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut tail = tail.spawn().expect("it can be started");
    let mut said = vec![0; "Hello, ".len()];
    let stdout = tail.stdout.as_mut().expect("it is piped");
    within("the first words", stdout.read_exact(&mut said)).await.expect("they come");
    first.signal(Signal::KILL);
    first.exit().await;
    model.release();
    let _second = launch().start().await;
    let ended = within("the run's end", tail.wait_with_output()).await.expect("waited for");
    let rest = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && rest.ends_with("Hello, world!\n"), "{ended:?}");
}

#[tokio::test]
async fn cancel__by_run_or_session__ends_the_run() {
    let model = WaitingModel::start().await;
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config());
    let server = launch.start().await;
    for (session, arguments) in [
        ("one", vec!["cancel", "RUN"]),
        ("two", vec!["cancel", "--session-id", "two", "--user-id", "u"]),
        ("three", vec!["cancel", "--session", "three"]),
    ] {
        let user = if session == "three" { session } else { "u" };
        let id = started(&server, "hi", &json!({ "session_id": session, "user_id": user })).await;
        let arguments: Vec<_> =
            arguments.iter().map(|word| if *word == "RUN" { id.as_str() } else { word }).collect();
        let cancel = async {
            let canceled = runs(&server, &arguments).await;
            assert_eq!(canceled.code, 0, "{canceled:?}");
            let said = if session == "one" { format!("{id}\t") } else { "asked 1 runs to stop".to_owned() };
            assert!(canceled.stdout.starts_with(&said), "{canceled:?}");
        };
        let tail = async { runs(&server, &["tail", &id]).await };
        let (tail, ()) = within("the run's end", async { tokio::join!(tail, cancel) }).await;
        assert_eq!(tail.code, 4, "{tail:?}");
    }
}

#[tokio::test]
async fn runs_command__impossible_request__is_explained() {
    let server = Launch::echo("").start().await;
    for arguments in [["show", "run_1"], ["tail", "run_1"], ["cancel", "run_1"]] {
        check_failed(&runs(&server, &arguments).await, 1, "there is no run 'run_1', or it is no longer kept");
    }
    let id = started(&server, WORDS, &json!({})).await;
    log(&server, &id, None).await;
    check_failed(&runs(&server, &["tail", &id, "--json", "--after", "3.2"]).await, 1, "without --after");
    check_failed(&runs(&server, &["tail", &id, "--json", "--after", "x"]).await, 1, "'x' is not an event id");
    check_failed(&runs(&server, &["list", "--user-id", ""]).await, 1, "user_id is missing");
    let nowhere = ["runs", "list", "--user-id", "u", "--server", "http://127.0.0.1:9"];
    check_failed(&Launch::bare(&nowhere).run().await, 1, "nothing is listening at http://127.0.0.1:9");
    let no_address = ["runs", "show", "run_1", "--server", "nowhere"];
    check_failed(&Launch::bare(&no_address).run().await, 2, "'nowhere' is not a server's address");
    check_failed(&runs(&server, &["cancel"]).await, 2, "--session-id");
}
