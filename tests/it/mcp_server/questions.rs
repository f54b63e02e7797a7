//! Agents that ask something.

use agent_protocol_mcp::Mcp;
use agent_runner::{Question, QuestionInput, RunHandle, agent_fn};
use agent_schemas::{JsonObject, object};
use agent_server::AgentApp;
use agent_tests::mcp::{McpAnswer, McpClient};
use serde_json::{Value, json};

/// A server in this process with an agent that asks for two things at once.
async fn serve_asker() -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let asker = agent_fn(|run: RunHandle| async move {
        let schema = object! { "type" => "object", "properties" => object! { "name" => object! { "type" => "string" } } };
        let question = Question::new("who", "Who are you?")
            .with_input("person", QuestionInput::form("Your name?", schema))
            .with_input("folders", QuestionInput::of_client("roots/list", JsonObject::new()));
        let answer = run.ask(question).await?;
        let name = answer.form("person").and_then(|form| form.get("name")?.as_str());
        run.say(&format!("{} {}", name.unwrap_or("nobody"), answer.inputs.contains_key("folders")));
        Ok(())
    });
    let app =
        AgentApp::builder("asker").agent("asker", asker).protocol(Mcp::default()).build().expect("an app");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
    tokio::spawn(app.serve(listener, async { stopped.await.unwrap_or_default() }));
    (address, stop)
}

fn answer_to(request: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
}

#[tokio::test]
async fn question__with_two_requests__is_answered_once_and_in_any_order() {
    let (address, _guard) = serve_asker().await;
    let mut client = McpClient::with_session(address, json!({ "elicitation": {}, "roots": {} })).await;
    for is_cut in [false, true] {
        let call =
            json!({ "name": "asker", "arguments": { "message": "hi" }, "_meta": { "progressToken": "p" } });
        let mut stream = client.request("tools/call", call).await.stream();
        let mut requests = Vec::new();
        while requests.len() < 2 {
            let message = stream.next(&mut client).await.expect("a message");
            requests.extend(Some(message).filter(|message| message["id"].is_string()));
        }
        let of =
            |method: &str| requests.iter().find(|request| request["method"] == method).expect("a request");
        let (folders, person) = (of("roots/list"), of("elicitation/create"));
        client.send(answer_to(folders, &json!({ "roots": [] }))).await;
        if is_cut {
            stream = stream.close(&mut client);
        }
        let accepted = json!({ "action": "accept", "content": { "name": "Ann" } });
        client.send(answer_to(person, &accepted)).await;
        if is_cut {
            stream = client.listen(Some(&stream)).await.expect("the stream continues");
        }
        let mut last = Value::Null;
        while let Some(message) = stream.next(&mut client).await {
            last = message;
        }
        assert_eq!(last["result"]["content"][0]["text"], "Ann true", "{last}");
    }
    client.check();
    let unknown = client.send(json!({ "jsonrpc": "2.0", "id": "run_0/answer", "result": {} })).await;
    assert!(matches!(unknown, McpAnswer::Message(400, _)), "{unknown:?}");
}

#[tokio::test]
async fn question__of_a_client_without_forms__can_be_answered_in_words() {
    let agent = agent_fn(|run: RunHandle| async move {
        let city = run.ask(Question::new("where", "Where are you?")).await?.text;
        run.say(&format!("Hello to {city}!"));
        Ok(())
    });
    let app =
        AgentApp::builder("asker").agent("asker", agent).protocol(Mcp::default()).build().expect("an app");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(app.serve(listener, std::future::pending()));
    for mut client in
        [McpClient::with_session(address, json!({})).await, McpClient::stateless(address, json!({}))]
    {
        let call = json!({ "name": "asker", "arguments": { "message": "hi" } });
        let asked = client.result("tools/call", call).await;
        assert_eq!(asked["content"][0]["text"], "Where are you?", "{asked}");
        let run = asked["_meta"]["agent-server/run_id"].as_str().expect("a run");
        let hint = asked["content"][1]["text"].as_str().expect("a hint");
        assert!(hint.contains(run), "{hint}");
        let answer = json!({ "name": "asker", "arguments": { "message": "Rome", "answer_to": run } });
        let said = client.result("tools/call", answer).await;
        assert_eq!(said["content"][0]["text"], "Hello to Rome!", "{said}");
        client.check();
    }
}
