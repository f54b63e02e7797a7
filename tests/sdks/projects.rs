//! Folders as users have them: a script, `requirements.txt`, and a virtual environment with the real packages.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use agent_tests::client::Answer;
use agent_tests::environment::Environment;
use agent_tests::{Launch, ScriptedModel, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::environment::environment;

/// A folder that is deleted when this is dropped.
pub(crate) struct Project {
    folder: TempDir,
    _environment: Environment,
}

impl Project {
    /// A folder with these files, and an environment of this name with these packages.
    pub(crate) fn new(packages: &str, environment_name: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = environment(packages);
        symlink(environment.path(".venv"), folder.path().join(environment_name)).expect("linked");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(path, text).expect("written");
        }
        Project { folder, _environment: environment }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `agent-server serve FOLDER`
    pub(crate) fn serve(&self) -> Launch {
        Launch::bare(&["serve", self.path().to_str().expect("UTF-8"), "--port", "0", "--log-format", "json"])
            .environment("PATH", "/usr/local/bin:/usr/bin:/bin")
            .environment("NO_PROXY", "*")
    }
}

/// A model for the scripts of users, which speaks every API of OpenAI: see [`ScriptedModel`] for what it answers.
pub(crate) struct Model {
    server: Server,
    scripted: ScriptedModel,
}

impl Model {
    pub(crate) async fn start() -> Self {
        let scripted = ScriptedModel::start().await;
        let server = Launch::bare(&["--port", "0"]).config(&scripted.config()).start().await;
        Model { server, scripted }
    }

    /// The bodies of the requests so far.
    pub(crate) fn received(&self) -> Vec<Value> {
        self.scripted.received()
    }

    /// Lets a script use this model.
    pub(crate) fn of(&self, launch: Launch) -> Launch {
        launch
            .environment("OPENAI_BASE_URL", &format!("http://{}/v1", self.server.address()))
            .environment("OPENAI_API_KEY", "none")
            // Traces go to OpenAI.
            .environment("OPENAI_AGENTS_DISABLE_TRACING", "1")
    }
}

/// Sends a text to the default agent over `/process`.
pub(crate) async fn process(server: &Server, text: &str, stream: bool) -> Answer {
    let content = json!([{ "type": "text", "text": text }]);
    let input = json!([{ "role": "user", "content": content }]);
    let body = json!({ "input": input, "session_id": "s", "stream": stream });
    let answer = server.connect().await.call("POST", "/process", Some(&body)).await;
    assert_eq!(answer.status, 200, "{answer:?}\n{}", server.log());
    answer
}

/// The texts of the messages with which the default agent answers.
pub(crate) async fn ask(server: &Server, text: &str) -> String {
    let response = process(server, text, false).await.json();
    let output = response["output"].as_array().expect("messages");
    let contents = output.iter().filter_map(|message| message["content"].as_array()).flatten();
    contents.filter_map(|content| content["text"].as_str()).collect()
}

/// A script for agentscope-runtime, whose agent remembers the conversation.
const AGENTSCOPE: &str = r#"
import os

from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.model import OpenAIChatModel
from agentscope.pipeline import stream_printing_messages
from agentscope_runtime.engine import AgentApp

app = AgentApp(app_name="Friday")


@app.query(framework="agentscope")
async def query(self, msgs, request=None, **kwargs):
    agent = ReActAgent(
        name="Friday",
        sys_prompt="You're a helpful assistant named Friday.",
        model=OpenAIChatModel("gpt-4.1-mini", api_key=os.environ["OPENAI_API_KEY"], stream=True),
        formatter=OpenAIChatFormatter(),
    )
    async for msg, last in stream_printing_messages(agents=[agent], coroutine_task=agent(msgs)):
        yield msg, last


if __name__ == "__main__":
    app.run()
"#;

#[tokio::test]
async fn folder__of_agentscope__is_served_by_one_command() {
    let model = Model::start().await;
    let files = [("app.py", AGENTSCOPE), ("requirements.txt", "agentscope==1.0.20\n")];
    let project = Project::new("upstream", "venv", &files);
    let server = model.of(project.serve()).start().await;
    assert_eq!(ask(&server, "hello").await, "You said: hello");
}

const GRAPH: &str = r#"
import os

from langgraph.graph import START, MessagesState, StateGraph

from words import GREETING


def greet(state: MessagesState) -> dict:
    return {"messages": [("ai", f"{GREETING} {os.environ['NAME']}")]}


graph = StateGraph(MessagesState).add_node(greet).add_edge(START, "greet").compile()
"#;

#[tokio::test]
async fn folder__of_langgraph__is_served_by_one_command() {
    let config =
        r#"{"dependencies": ["./lib"], "graphs": {"greeter": "./src/graph.py:graph"}, "env": ".env"}"#;
    let files = [
        ("langgraph.json", config),
        (".env", "NAME=Ann\n"),
        ("src/graph.py", GRAPH),
        ("lib/words.py", "GREETING = 'Good morning'\n"),
    ];
    let project = Project::new("agents", ".venv", &files);
    let server = project.serve().start().await;
    assert_eq!(ask(&server, "hello").await, "Good morning Ann");
}

#[tokio::test]
async fn package__that_is_missing__is_reported_with_the_command_that_installs_it() {
    let script = "from langgraph.graph import StateGraph\n";
    for (requirements, what) in
        [("langgraph>=1\n", "-r FOLDER/requirements.txt"), ("agentscope\n", "langgraph")]
    {
        let project =
            Project::new("upstream", ".venv", &[("app.py", script), ("requirements.txt", requirements)]);
        let folder = project.path().canonicalize().expect("it is there").display().to_string();
        let ended = project.serve().run().await;
        let what = what.replace("FOLDER", &folder);
        let command = format!("{folder}/.venv/bin/python -m pip install {what}\n");
        assert_eq!(
            (ended.code, ended.stderr.contains(&command)),
            (2, true),
            "{command} is missing: {ended:?}"
        );
    }
}
