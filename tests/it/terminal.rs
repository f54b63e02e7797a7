//! `agent-server chat`: one question, its answer, and the exit code.

use agent_tests::server::send_signal;
use agent_tests::{Launch, WaitingModel, within};
use rustix::process::Signal;
use tokio::io::AsyncReadExt;

async fn check_chat(arguments: &[&str], code: i32, answer: &str, said: &[&str]) {
    let ended = Launch::bare(&[&["chat"], arguments].concat()).run().await;
    assert_eq!((ended.code, ended.stdout.trim_end()), (code, answer), "{ended:?}");
    for sentence in said {
        assert!(ended.stderr.contains(sentence), "{sentence:?} is missing in {:?}", ended.stderr);
    }
}

#[tokio::test]
async fn chat__in_process__prints_only_the_answer_to_stdout() {
    let apart = ["[reasoning]", "[tool] calculator {\"expression\":\"6 * 7\"}", "[tool] → 42"];
    check_chat(&["-q", "What is 6 times 7?"], 0, "6 × 7 = 42", &apart).await;
}

#[tokio::test]
async fn chat__running_server__answers() {
    let server = Launch::echo("").start().await;
    let address = format!("http://{}", server.address());
    check_chat(&[&address, "-q", "one two"], 0, "one two", &[]).await;
}

#[tokio::test]
async fn chat__script__runs_its_agent_in_this_process() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/agents.py");
    for (source, answer) in [(script.to_owned(), "one two"), (format!("{script}:returns"), "ONE TWO")] {
        let launch = Launch::bare(&["chat", &source, "-q", "one two", "--session-id", "s", "--user-id", "u"]);
        let ended = launch.environment("PATH", "/usr/local/bin:/usr/bin:/bin").run().await;
        assert_eq!((ended.code, ended.stdout.trim_end()), (0, answer), "{ended:?}");
    }
    check_chat(&["missing.py", "-q", "hi"], 2, "", &["there is no file 'missing.py'"]).await;
}

#[tokio::test]
async fn chat__failed_run__exits_1_with_reason() {
    let arguments = ["-q", "please fail"];
    check_chat(&arguments, 1, "You asked me to fail, so I stop in the middle of", &["error AGENT_ERROR: "])
        .await;
}

#[tokio::test]
async fn chat__unreachable_server__is_named() {
    check_chat(&["http://127.0.0.1:9", "-q", "hi"], 1, "", &["nothing is listening at http://127.0.0.1:9"])
        .await;
}

#[tokio::test]
async fn ctrl_c__during_an_answer__cancels_the_run_on_the_server() {
    let model = WaitingModel::start().await;
    let launch = Launch::bare(&["--port", "0", "--log-format", "json"]).config(&model.config());
    let server = launch.start().await;
    let address = format!("http://{}", server.address());
    let (mut chat, _config) = Launch::bare(&["chat", &address, "--user-id", "ann", "-q", "hi"]).spawn();
    let mut answer = String::new();
    let stdout = chat.stdout.as_mut().expect("it is piped");
    within("the answer to begin", async {
        while !answer.contains("Hello, ") {
            let byte = stdout.read_u8().await.expect("readable");
            answer.push(char::from(byte));
        }
    })
    .await;
    send_signal(&chat, Signal::INT);
    let status = within("the command to end", chat.wait()).await.expect("waited for");
    assert_eq!(status.code(), Some(130));
    let runs = server.connect().await.get("/runs?user_id=ann").await.json();
    assert_eq!(
        runs["data"][0]["status"], "canceled",
        "the model has not said more, and the run has ended: {runs}"
    );
}

#[tokio::test]
async fn model__not_there__says_what_to_do() {
    let launch = Launch::bare(&["chat", "-q", "hi"]).environment("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    let ended = launch.environment("OPENAI_MODEL", "m").run().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    let expected =
        "(http://127.0.0.1:9/v1/chat/completions). Nothing is listening there: start the model server";
    assert!(ended.stderr.contains("a model call failed: could not connect: "), "{}", ended.stderr);
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(ended.stderr.contains("error MODEL_EXECUTION_FAILED: "), "{}", ended.stderr);
}
