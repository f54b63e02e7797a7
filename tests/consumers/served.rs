//! The examples with the server's own streams.

use agent_runner::agent_fn;
use agent_server::AgentApp;
use agent_tests::Launch;
use agent_tests::server::Ended;
use tokio::net::TcpListener;

use crate::everything::everything;
use crate::program::{Program, QUESTION, programs};

/// The last line of a program that found no error.
const AGREES: &str = "events match the final response.\n";

fn check(program: &Program, ended: &Ended, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(ended.code, code, "{}: {ended:?}", program.name);
    assert!(ended.stdout.contains(stdout), "{}: {stdout:?} is missing in {ended:?}", program.name);
    assert!(ended.stderr.contains(stderr), "{}: {stderr:?} is missing in {ended:?}", program.name);
    assert_eq!(code == 0, ended.stderr.is_empty(), "{}: {ended:?}", program.name);
}

#[tokio::test]
async fn readme_client__demo_question__prints_every_part() {
    let server = Launch::bare(&["--port", "0"]).start().await;
    for program in programs() {
        let ended = program.run(&[&format!("http://{}", server.address()), QUESTION]).await;
        check(program, &ended, 0, &program.shown, "");
        assert_eq!(ended.stdout, program.shown, "{}", program.name);
    }
}

#[tokio::test]
async fn readme_client__picture_or_failure__is_shown() {
    let server = Launch::bare(&["--port", "0"]).start().await;
    let server = format!("http://{}/", server.address());
    for program in programs() {
        let ended = program.run(&[&server, "Show me a picture"]).await;
        check(program, &ended, 0, "Here is a picture of me: [image]\n", "");
        let ended = program.run(&[&server, "Please fail"]).await;
        check(program, &ended, 3, "You asked me to fail, so I stop in", "The run is failed. AGENT_ERROR: ");
    }
}

#[tokio::test]
async fn readme_client__any_text__arrives_unchanged() {
    let server = Launch::echo("").start().await;
    let long = "lorem ipsum ".repeat(8_000);
    for text in [
        "",
        "Grüße, 世界! 👩‍👩‍👧‍👦 🇩🇪 e\u{301} \u{1d11e}",
        "a \u{2028} b\u{2029}c \u{85} d \u{feff}e \u{b} \u{c} \u{1c} f",
        "data: {}\n\ndata: [DONE]\r\n\r\n: \r id: 7\n",
        r#"{"object":"response","status":"failed"} \u00e9 \\ "quoted" </script>"#,
        &long,
    ] {
        for program in programs() {
            let ended = program.run(&[&format!("http://{}", server.address()), text]).await;
            check(program, &ended, 0, AGREES, "");
            assert!(ended.stdout.starts_with(&format!("{text}\n\n")), "{}: {ended:?}", program.name);
        }
    }
}

#[tokio::test]
async fn readme_client__refusal_or_bad_usage__has_its_exit_status() {
    let server = Launch::echo("").start().await;
    let nowhere = format!("http://{}/nowhere", server.address());
    let free =
        TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("it is bound");
    for program in programs() {
        check(program, &program.run(&[nowhere.as_str(), "hello"]).await, 3, "", "The server returned 404: {");
        let nobody = program.run(&[&format!("http://{free}"), "hello"]).await;
        check(program, &nobody, 3, "", "The server cannot be reached: ");
        let nowhere = nowhere.as_str();
        for arguments in [&[nowhere][..], &["127.0.0.1", "hello"]] {
            check(program, &program.run(arguments).await, 2, "", "Usage: ");
        }
    }
}

#[tokio::test]
async fn readme_client__every_content_type__is_rebuilt() {
    let app = AgentApp::builder("test").agent("everything", agent_fn(everything)).build().expect("built");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = format!("http://{}", listener.local_addr().expect("it is bound"));
    let asked = async {
        for program in programs() {
            let ended = program.run(&[&server, "everything"]).await;
            check(program, &ended, 0, "[calls] search {\"q\":\"ü\"}\n", "");
            check(program, &ended, 0, "I will not [image]put at once", "");
        }
    };
    tokio::select! {
        () = asked => {}
        served = app.serve(listener, std::future::pending()) => panic!("it stopped: {served:?}"),
    }
}
