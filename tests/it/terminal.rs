//! `agent-server chat`: one question, its answer and how the command ends.

use agent_tests::Launch;

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
