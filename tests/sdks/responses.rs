//! Responses and Conversations.

use std::path::Path;

use agent_tests::{Launch, Server};

use crate::environment::{javascript, python};
use crate::scripted;

/// A server with the demo agent, its address, and that of an agent that follows instructions.
async fn servers() -> (Server, String, String) {
    let demo = Launch::bare(&["--port", "0", "--agent", "demo"]).start().await;
    let address = format!("http://{}", demo.address());
    (demo, address, scripted::serve().await)
}

async fn check_python(packages: &str, version: &str) {
    let (_demo, demo, scripted) = servers().await;
    let said = python(packages, "responses.py", &[&demo, &scripted]).await;
    assert_eq!(said, format!("openai {version}\n"));
}

#[tokio::test]
async fn python_sdk__version_1__works() {
    check_python("openai-1", "1.109.1").await;
}

#[tokio::test]
async fn python_sdk__version_2__works() {
    check_python("openai-2", "2.54.0").await;
}

#[tokio::test]
async fn python_sdk__version_3__works() {
    check_python("openai-3", "3.54.0").await;
}

#[tokio::test]
async fn snapshots_and_answers__match_specified_types() {
    let (_demo, demo, scripted) = servers().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/responses/streams");
    let files = folder.read_dir().expect("a folder").map(|file| file.expect("a file").path());
    let files: Vec<String> = files.map(|path| path.to_string_lossy().into_owned()).collect();
    let mut arguments = vec![demo.as_str(), &scripted];
    arguments.extend(files.iter().map(String::as_str));
    let said = python("openai-3", "open_responses.py", &arguments).await;
    assert_eq!(said, format!("{} streams are well-formed\n", files.len()));
}

#[tokio::test]
async fn javascript_sdk__works() {
    let (_demo, demo, scripted) = servers().await;
    assert_eq!(javascript("responses.mjs", &[&demo, &scripted]).await, "openai\n");
}
