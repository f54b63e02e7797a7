//! The command line: what it prints, and how it ends.

use std::net::TcpListener;

use agent_tests::Launch;

async fn check_refused(launch: Launch, code: i32, sentence: &str) {
    let ended = launch.run().await;
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stderr.contains(sentence), "{sentence:?} is missing in {:?}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    assert_eq!(ended.stdout, "", "standard output is only for results");
}

#[tokio::test]
async fn help__names_every_option() {
    let ended = Launch::bare(&["--help"]).run().await;
    assert_eq!(ended.code, 0);
    for option in
        ["--host", "--port", "--agent", "--config", "--allow-unauthenticated", "--print-config", "serve"]
    {
        assert!(ended.stdout.contains(option), "{option} is missing in {}", ended.stdout);
    }
}

#[tokio::test]
async fn print_config__output__can_be_read_back() {
    let launch =
        Launch::bare(&["--print-config", "--port", "4711"]).environment("AGENT_SERVER_DRAIN_SECONDS", "7");
    let ended = launch.config("drain_seconds = 5\n[runs]\nmax_runs = 3\n").run().await;
    assert_eq!(ended.code, 0, "{ended:?}");
    for line in ["port = 4711", "drain_seconds = 7", "max_runs = 3", "host = \"127.0.0.1\""] {
        assert!(ended.stdout.lines().any(|found| found == line), "{line} is missing in {}", ended.stdout);
    }
    assert!(ended.stdout.contains("\n# default agent: demo (no agent is configured; "), "{}", ended.stdout);
    let settings = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let again = Launch::bare(&["--print-config"]).config(&ended.stdout).run().await;
    assert_eq!(settings(&again.stdout), settings(&ended.stdout));
}

#[tokio::test]
async fn config__invalid__exits_with_one_sentence() {
    check_refused(Launch::bare(&[]).config("prot = 8080\n"), 2, "unknown field `prot`").await;
    check_refused(Launch::bare(&[]).config("port = \"http\"\n"), 2, "line 1").await;
    check_refused(Launch::bare(&["--config", "/does/not/exist.toml"]), 2, "/does/not/exist.toml").await;
    check_refused(Launch::bare(&["--agent", "nobody"]), 2, "there is no agent 'nobody'").await;
    check_refused(Launch::bare(&["--host", "0.0.0.0"]), 2, "--allow-unauthenticated").await;
    check_refused(Launch::bare(&["--port", "70000"]), 2, "70000").await;
    check_refused(Launch::bare(&["--prot", "1"]), 2, "--prot").await;
    check_refused(Launch::bare(&["--log-level", "info,a=loud"]), 2, "log.level 'info,a=loud'").await;
    check_refused(Launch::bare(&["--log-level", "[run]=debug"]), 2, "without spans and fields").await;
    check_refused(Launch::bare(&[]).environment("AGENT_SERVER_RUNS_MAX_RUNS", "many"), 2, "'many'").await;
    check_refused(
        Launch::bare(&[]).environment("AGENT_SERVER_PROT", "1"),
        2,
        "did you mean AGENT_SERVER_PORT?",
    )
    .await;
    check_refused(Launch::bare(&["--log-level", "verbose"]), 2, "'verbose' is not a level").await;
    check_refused(
        Launch::bare(&["--cors-origin", "app.example"]),
        2,
        "http.cors_origins 'app.example' has no scheme",
    )
    .await;
    let collides = "http.endpoint_path '/v1/responses' has the route /v1/responses, which the protocol OpenAi already has";
    check_refused(Launch::bare(&[]).config("[http]\nendpoint_path = \"/v1/responses\"\n"), 2, collides).await;
}

#[tokio::test]
async fn port__in_use__is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    check_refused(Launch::bare(&["--port", &port]), 1, &format!("could not listen on 127.0.0.1:{port}"))
        .await;
}

#[tokio::test]
async fn config__none__serves_the_demo() {
    let server = Launch::bare(&["--port", "0", "--log-format", "json"]).start().await;
    let line = server.logged("what is served", |line| line["message"] == "serving").await;
    assert_eq!((line["agent"].as_str(), line["stores"].as_str()), (Some("demo"), Some("memory:")));
    assert_eq!(line["address"], server.address().to_string());
    assert_eq!((line["data_dir"].as_str(), line["config_file"].as_str()), (Some("none"), Some("none")));
    let answer = server.connect().await.process("What is 6 times 7?", ",\"stream\":false").await;
    assert_eq!(answer.status, 200);
    let output = answer.json()["output"].clone();
    let kinds: Vec<_> = output.as_array().expect("messages").iter().map(|m| m["type"].clone()).collect();
    assert_eq!(kinds, ["reasoning", "plugin_call", "plugin_call_output", "message"]);
    assert!(output[3]["content"][0]["text"].as_str().is_some_and(|text| text.contains("42")), "{output}");
}

#[tokio::test]
async fn environment__host_and_port__apply_as_upstream() {
    let server = Launch::bare(&["--agent", "echo"]).environment("HOST", "127.0.0.1").environment("PORT", "0");
    server.start().await.check_health().await;
}

#[tokio::test]
async fn cors_origin__empty__is_refused() {
    check_refused(Launch::bare(&["--cors-origin", ""]), 2, "--cors-origin").await;
}
