//! What the model server attaches to calls and messages, and what it gets back.

use agent_runner::RunOptions;
use agent_runner::Services;
use agent_runner::tools::built_in;
use agent_schemas::{AgentRequest, Json, Message, json};

use super::{ask, chat, config};
use crate::model_server::{ModelServer, Reply};
use crate::support::collect;

/// A call of the calculator with a signature, after reasoning under this name.
fn signed_call(reasoning: &str) -> Reply {
    let reasoning = format!(r#"{{"{reasoning}":"hm","extra_content":{{"of":"message"}}}}"#);
    let call = r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"calculator","arguments":"{\"expression\":\"1\"}"},"extra_content":{"google":{"thought_signature":"S"}}}]}"#;
    Reply::deltas(&[&reasoning, call], "tool_calls")
}

/// The message that goes back.
fn signed_message(reasoning: &str) -> Json {
    let text = format!(
        r#"{{"role":"assistant","content":null,"{reasoning}":"hm","extra_content":{{"of":"message"}},"tool_calls":[
            {{"id":"a","type":"function","function":{{"name":"calculator","arguments":"{{\"expression\":\"1\"}}"}},
              "extra_content":{{"google":{{"thought_signature":"S"}}}}}}]}}"#
    );
    json::parse(&text).expect("JSON")
}

#[tokio::test]
async fn attached_members__own_tool__go_back_in_the_same_turn() {
    for name in ["reasoning_content", "reasoning", "reasoning_text"] {
        let outcome = ask(&[signed_call(name), Reply::text(&["1"])]).await;
        assert_eq!(outcome.received[1].message(1), signed_message(name).to_string());
    }
}

#[tokio::test]
async fn attached_members__later_turn_of_session__go_back() {
    for name in ["reasoning_content", "reasoning"] {
        let server = ModelServer::start([signed_call(name), Reply::text(&["1"]), Reply::text(&["2"])]).await;
        let runner = chat(config(&server), built_in(&Services::in_memory()));
        for _ in 0..2 {
            let mut request = AgentRequest::new(vec![Message::user("hi")]);
            request.session_id = Some("s".to_owned());
            let run = runner.start(request, RunOptions::default()).await.expect("started");
            collect(run.cursor(0)).await;
        }
        assert_eq!(server.received()[2].message(1), signed_message(name).to_string());
    }
}

#[tokio::test]
async fn thinking_parts__go_back_as_parts() {
    let part = |text: &str| {
        format!(r#"{{"content":[{{"type":"thinking","thinking":[{{"type":"text","text":"{text}"}}]}}]}}"#)
    };
    let call = r#"{"tool_calls":[{"id":"a","function":{"name":"calculator","arguments":"{\"expression\":\"1\"}"}}]}"#;
    let reply = Reply::deltas(&[&part("I "), &part("think"), r#"{"content":"so"}"#, call], "tool_calls");
    let outcome = ask(&[reply, Reply::text(&["1"])]).await;
    let kinds: Vec<_> =
        outcome.response().messages().iter().map(|message| message.kind.to_string()).collect();
    assert_eq!(kinds[..2], ["reasoning", "message"]);
    let message = outcome.received[1].message(1);
    let content = r#""content":[{"type":"thinking","thinking":[{"type":"text","text":"I think"}]},{"type":"text","text":"so"}]"#;
    assert!(message.contains(content), "{message}");
}
