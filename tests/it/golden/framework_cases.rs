//! The cases whose handlers use agentscope, over the real binary: a script in the environment that has the package.

use std::path::Path;

use agent_tests::environment::Environment;
use agent_tests::packages::environment;
use agent_tests::{Launch, Server};

use super::answer::Answer;

/// The only variable that a worker needs: where its programs are.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The script with the handlers, served.
pub(super) struct Served {
    server: Server,
    environment: Environment,
}

impl Served {
    pub(super) async fn start() -> Self {
        let environment = environment(Path::new(env!("CARGO_TARGET_TMPDIR")), "upstream");
        Served { server: serve(&environment, "golden.py").start().await, environment }
    }

    /// The answer to the bytes of a request.
    pub(super) async fn answer(&self, request: &[u8]) -> Answer {
        let answer = self.server.connect().await.send(request).await.answer().await;
        let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Answer::http(answer.status, headers, answer.body.as_bytes())
    }

    /// Why a script whose runner has no framework is not served.
    pub(super) async fn refused_without_a_framework(&self) -> String {
        let ended = serve(&self.environment, "golden_without_framework.py").run().await;
        assert_ne!(ended.code, 0, "{ended:?}");
        ended.stderr
    }
}

fn serve(environment: &Environment, script: &str) -> Launch {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
    let python = environment.path(".venv/bin/python");
    let [script, python] = [&script, &python].map(|path| path.to_str().expect("UTF-8"));
    Launch::bare(&["serve", script, "--python", python, "--port", "0"]).environment("PATH", PATH)
}
