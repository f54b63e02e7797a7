//! Codex, whose model is the server: a `chat` agent in front of a strict model server.

use agent_tests::{Launch, ScriptedModel, Server};

use crate::environment::{NODE, run_in_javascript};

/// A server for Codex, and the folder in which Codex works, with its settings in `.codex`.
struct Setup {
    model: ScriptedModel,
    _server: Server,
    folder: tempfile::TempDir,
}

impl Setup {
    async fn new(with_sockets: bool) -> Self {
        let model = ScriptedModel::start().await;
        let server = Launch::bare(&["--port", "0"]).config(&model.config()).start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"server\"\n[model_providers.server]\nname = \"server\"\n\
             base_url = \"http://{}/v1\"\nwire_api = \"responses\"\nsupports_websockets = {with_sockets}\n\
             request_max_retries = 0\nstream_max_retries = 0\n",
            server.address()
        );
        let home = folder.path().join(".codex");
        std::fs::create_dir(&home).expect("created");
        std::fs::write(home.join("config.toml"), config).expect("written");
        Setup { model, _server: server, folder }
    }

    /// Runs Codex with these arguments; returns what it said last.
    async fn codex(&self, arguments: &[&str]) -> String {
        let folder = self.folder.path().to_str().expect("a path");
        let home = format!("{folder}/.codex");
        let last = format!("{folder}/last");
        let program = [NODE, "node_modules/@openai/codex/bin/codex.js", "exec", "--cd", folder];
        let options = [
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "--output-last-message",
            &last,
        ];
        let arguments: Vec<&str> = options.into_iter().chain(arguments.iter().copied()).collect();
        run_in_javascript(&program, &arguments, &[("CODEX_HOME", &home), ("HOME", folder)]).await;
        std::fs::read_to_string(last).expect("Codex said something")
    }
}

async fn check(with_sockets: bool) {
    let setup = Setup::new(with_sockets).await;
    let file = |name: &str| std::fs::read_to_string(setup.folder.path().join(name)).unwrap_or_default();
    let said = setup.codex(&["shell: echo made > shell.txt"]).await;
    assert_eq!((file("shell.txt").as_str(), said.starts_with("The tools say:")), ("made\n", true), "{said}");
    let said = setup.codex(&["patch: patched.txt"]).await;
    assert_eq!(
        (file("patched.txt").as_str(), said.starts_with("The tools say:")),
        ("patched\n", true),
        "{said}"
    );
    let said = setup.codex(&["resume", "--last", "hello again"]).await;
    assert_eq!(said, "You said: hello again");
    let last = setup.model.received().pop().expect("a request");
    assert!(last["messages"].to_string().contains("patch: patched.txt"), "the session goes on: {last}");
    assert_eq!(setup.model.rejected(), Vec::<String>::new());
}

#[tokio::test]
async fn codex__over_sse__works() {
    check(false).await;
}

#[tokio::test]
async fn codex__over_websocket__works() {
    check(true).await;
}
