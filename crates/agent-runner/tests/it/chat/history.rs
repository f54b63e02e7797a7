//! What the model receives of earlier turns and earlier conversations.

use agent_runner::{RunOptions, Runner};
use agent_schemas::{AgentRequest, Json, Message};

use super::{chat, config};
use crate::model_server::{ModelServer, Reply};
use crate::support::collect;

async fn say(runner: &Runner, session: &str, text: &str) {
    let mut request = AgentRequest::new(vec![Message::user(text)]);
    request.session_id = Some(session.to_owned());
    request.user_id = Some("ann".to_owned());
    let run = runner.start(request, RunOptions::default()).await.expect("started");
    collect(run.cursor(0)).await;
}

/// Who said what in a request to the model, a line each.
fn told(server: &ModelServer, call: usize) -> Vec<String> {
    let body = server.received()[call].body.clone();
    let messages = body.get("messages").and_then(Json::as_array).expect("messages").to_vec();
    let line = |message: &Json| {
        let text = |key| message.get(key).and_then(Json::as_str).unwrap_or("-").to_owned();
        format!("{}: {}", text("role"), text("content"))
    };
    messages.iter().map(line).collect()
}

#[tokio::test]
async fn prompt__later_turn__holds_own_session_only() {
    let replies = [Reply::text(&["I am m."]), Reply::text(&["Ann."]), Reply::text(&["Who?"])];
    let server = ModelServer::start(replies).await;
    let runner = chat(config(&server), vec![]);
    say(&runner, "s", "I am Ann.").await;
    say(&runner, "s", "Who am I?").await;
    say(&runner, "other", "Who am I?").await;
    assert_eq!(told(&server, 0), ["user: I am Ann."]);
    assert_eq!(told(&server, 1), ["user: I am Ann.", "assistant: I am m.", "user: Who am I?"]);
    assert_eq!(told(&server, 2), ["user: Who am I?"]);
}

#[tokio::test]
async fn failed_turn__next_turn__keeps_its_input() {
    let failing = Reply::json("400 Bad Request", r#"{"error":{"message":"no"}}"#);
    let server = ModelServer::start([failing, Reply::text(&["Yes."])]).await;
    let runner = chat(config(&server), vec![]);
    say(&runner, "s", "first").await;
    say(&runner, "s", "second").await;
    assert_eq!(told(&server, 1), ["user: first", "user: second"]);
}

#[tokio::test]
async fn resent_messages__same_id__appear_once() {
    let server = ModelServer::start([Reply::text(&["one"]), Reply::text(&["two"])]).await;
    let runner = chat(config(&server), vec![]);
    let message = |id: &str, text: &str| {
        let mut message = Message::user(text);
        message.id = id.to_owned();
        message
    };
    for input in [vec![message("a", "first")], vec![message("a", "first"), message("b", "second")]] {
        let mut request = AgentRequest::new(input);
        request.session_id = Some("s".to_owned());
        let run = runner.start(request, RunOptions::default()).await.expect("started");
        collect(run.cursor(0)).await;
    }
    assert_eq!(told(&server, 1), ["assistant: one", "user: first", "user: second"]);
}

#[tokio::test]
async fn history__limits__bound_or_disable_it() {
    for (messages, tokens, expected) in [
        (0, 1000, &["user: third"][..]),
        (2, 1000, &["user: second", "assistant: B", "user: third"]),
        (100, 12, &["user: second", "assistant: B", "user: third"]),
        (100, 0, &["user: third"]),
    ] {
        let server = ModelServer::start(["A", "B", "C"].map(|text| Reply::text(&[text]))).await;
        let mut config = config(&server);
        (config.history_messages, config.history_tokens) = (messages, tokens);
        let runner = chat(config, vec![]);
        for text in ["first", "second", "third"] {
            say(&runner, "s", text).await;
        }
        assert_eq!(told(&server, 2), expected, "{messages} messages, {tokens} tokens");
    }
}

#[tokio::test]
async fn memories__other_session__are_recalled_when_enabled() {
    for (recall, remember, is_told) in [(3, true, true), (3, false, false), (0, true, false)] {
        let server = ModelServer::start([Reply::text(&["Noted."]), Reply::text(&["Figs."])]).await;
        let mut config = config(&server);
        (config.recall, config.remember) = (recall, remember);
        config.system_prompt = Some("Be kind.".to_owned());
        let runner = chat(config, vec![]);
        say(&runner, "s", "I love figs").await;
        say(&runner, "t", "What do I LOVE?").await;
        let system = &told(&server, 1)[0];
        assert!(system.starts_with("system: Be kind."), "{system}");
        assert_eq!(system.contains("\n- user: I love figs"), is_told, "{recall} {remember}: {system}");
    }
}
