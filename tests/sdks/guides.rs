//! The examples of the guides, with the real packages: each script is served as its reader would serve it.

use std::fs;
use std::path::Path;

use agent_tests::Server;
use serde_json::Value;

use crate::projects::{Model, Project, ask, process};

/// The blocks of a guide in this language.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(guide);
    let text = fs::read_to_string(path).expect("the guide");
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split("```").next().expect("its end").to_owned()).collect()
}

/// The scripts of a guide, one for each of these names.
fn scripts<const COUNT: usize>(guide: &str) -> [String; COUNT] {
    let found = blocks(guide, "python");
    found.try_into().unwrap_or_else(|found: Vec<_>| panic!("{guide} has {} scripts: test each", found.len()))
}

/// Asks a script these questions in one session; each answer has to contain the text beside its question.
async fn check(packages: &str, script: &str, conversation: &[(&str, &str)]) {
    let model = Model::start().await;
    let project = Project::new(packages, ".venv", &[("app.py", script)]);
    converse(&model.of(project.serve()).start().await, script, conversation).await;
}

async fn converse(server: &Server, script: &str, conversation: &[(&str, &str)]) {
    for (question, expected) in conversation {
        let answer = ask(server, question).await;
        assert!(answer.contains(expected), "{script}\n{question}: {answer}\n{}", server.log());
    }
}

/// The model calls the tool of the examples, and repeats its output.
const WEATHER: &[(&str, &str)] = &[("call", "It is sunny in Rome."), ("hello", "You said: hello")];

#[tokio::test]
async fn langgraph__scripts__work_as_the_guide_says() {
    let [weather, _factory, threads, ids, question, approval, middleware, progress, function] =
        scripts("langgraph.md");
    check("agents", &weather, WEATHER).await;
    check("agents", &ids, &[("hello", "Good morning, s.")]).await;
    check("agents", &question, &[("a table", "For which day?"), ("Friday", "a table for Friday.")]).await;
    let asked = r#"May I call send_mail with {"to": "ann@example.com", "text": "hello"}?"#;
    check("agents", &approval, &[("hello", asked), ("yes", "I have sent it to ann@example.com.")]).await;
    check("agents", &approval, &[("hello", asked), ("no", "I have not sent it.")]).await;
    check("agents", &middleware, &[("call", "send_mail"), ("yes", "sent to Rome")]).await;
    check("agents", &function, &[("Roses", "Roses are red.")]).await;

    let project = Project::new("agents", ".venv", &[("app.py", &progress)]);
    let events = process(&project.serve().start().await, "hello", true).await.events();
    let progress: Vec<&Value> = events
        .iter()
        .filter(|event| event["object"] == "research.progress")
        .map(|event| &event["percent"])
        .collect();
    assert_eq!(progress, [50, 100]);

    // Another server finds the threads of the one before.
    let project = Project::new("agents", ".venv", &[("app.py", &threads)]);
    for (question, expected) in [("hello", "This is visit 1."), ("hello", "This is visit 2.")] {
        converse(&project.serve().start().await, &threads, &[(question, expected)]).await;
    }
}

#[tokio::test]
async fn langgraph__configuration__serves_its_graphs() {
    let [weather, factory, ..] = scripts::<9>("langgraph.md");
    let config = blocks("langgraph.md", "json").pop().expect("a configuration");
    let model = Model::start().await;
    let cases = [
        (config.clone(), &weather, WEATHER),
        (config.replace("app.py:agent", "app.py:make"), &factory, &[("hello", "You said: hello")]),
    ];
    for (config, script, expected) in cases {
        let files =
            [("langgraph.json", config.as_str()), ("app.py", script), (".env", "OPENAI_API_KEY=none\n")];
        let project = Project::new("agents", ".venv", &files);
        converse(&model.of(project.serve()).start().await, &config, expected).await;
    }
}

#[tokio::test]
async fn frameworks__scripts__serve_their_agents() {
    let scripts = scripts::<7>("frameworks.md");
    let packages = ["agents", "agents", "agents", "agents", "upstream", "agentscope2", "ms_agent_framework"];
    for (packages, script) in packages.iter().zip(&scripts) {
        // AgentScope 2.x ends each question with a reminder, which the model repeats.
        let conversation = if *packages == "agentscope2" { &[("hello", "You said: ")] } else { WEATHER };
        check(packages, script, conversation).await;
    }
}

#[tokio::test]
async fn migration__scripts_of_both_versions__remember_the_conversation() {
    for script in scripts::<2>("migrate-from-agentscope-runtime.md") {
        let (model, project) =
            (Model::start().await, Project::new("upstream", ".venv", &[("app.py", &script)]));
        let server = model.of(project.serve()).start().await;
        converse(&server, &script, &[("My name is Ann", "You said: "), ("Who am I?", "You said: Who am I?")])
            .await;
        let asked = model.received().pop().expect("a request");
        assert!(asked["messages"].to_string().contains("My name is Ann"), "{asked}");
    }
}
