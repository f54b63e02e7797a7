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
async fn an_agent_in_process_answers_and_only_the_answer_is_on_standard_output() {
    let apart = ["[reasoning]", "[tool] calculator {\"expression\":\"6 * 7\"}", "[tool] → 42"];
    check_chat(&["-q", "What is 6 times 7?"], 0, "6 × 7 = 42", &apart).await;
}

#[tokio::test]
async fn a_running_server_answers() {
    let server = Launch::echo("").start().await;
    let address = format!("http://{}", server.address());
    check_chat(&[&address, "-q", "one two"], 0, "one two", &[]).await;
}

#[tokio::test]
async fn a_failed_run_ends_with_1_and_says_why() {
    let arguments = ["-q", "please fail"];
    check_chat(&arguments, 1, "You asked me to fail, so I stop in the middle of", &["error AGENT_ERROR: "])
        .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    check_chat(&["http://127.0.0.1:9", "-q", "hi"], 1, "", &["nothing listens at http://127.0.0.1:9"]).await;
}
