//! Requests of any kind, right and wrong.

use agent_tests::mcp::McpAnswer;
use agent_tests::{Launch, rounds};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{CONFIG, clients};

/// A value of a parameter, right or wrong.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(7)),
        Just(json!("")),
        prop::sample::select(vec![
            "echo",
            "greet",
            "docs://guide",
            "run://x",
            "session://s",
            "error",
            "0",
            "\u{0}ü"
        ])
        .prop_map(|text| json!(text)),
        Just(json!({ "type": "ref/prompt", "name": "greet" })),
        Just(json!({ "type": "ref/resource", "uri": "run://{run_id}" })),
        Just(json!({ "name": "name", "value": "A" })),
        Just(json!({ "message": "hi" })),
        Just(json!({ "message": "hi", "answer_to": "run_0" })),
        Just(json!({ "message": "hi", "session_id": "s" })),
        Just(json!({ "answer": { "action": "accept" } })),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,4}", inner, 0..3).prop_map(|members| json!(members)),
        ]
    })
}

/// A request, right or wrong.
fn any_request() -> impl Strategy<Value = (String, Value)> {
    let method = prop::sample::select(vec![
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "logging/setLevel",
        "ping",
        "server/discover",
        "nothing",
        "",
    ]);
    let keys = [
        "name",
        "arguments",
        "uri",
        "cursor",
        "level",
        "ref",
        "argument",
        "requestState",
        "inputResponses",
        "more",
    ];
    let params = prop::collection::hash_map(prop::sample::select(keys.to_vec()), value(), 0..4);
    (method, params).prop_map(|(method, params)| (method.to_owned(), json!(params)))
}

/// Whatever a client asks for, the server answers as the grammar wants it, and does not fail.
#[test]
fn request__right_or_wrong__is_answered_in_the_grammar() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = runtime.block_on(Launch::echo(CONFIG).start());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(rounds(40) as u32));
    let requests = prop::collection::vec(any_request(), 1..8);
    let checked = runner.run(&requests, |requests| {
        runtime.block_on(async {
            for mut client in clients(&server).await {
                for (method, params) in &requests {
                    // Headers cannot carry everything, and these tests do not encode them.
                    let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default();
                    if name.is_ascii() && !name.contains('\u{0}') {
                        let answer = client.request(method, params.clone()).await;
                        if let McpAnswer::Message(status, message) = &answer {
                            assert!(*status < 500, "{method} {params}: {status} {message}");
                        }
                        answer.response(&mut client).await;
                    }
                }
                client.check();
            }
        });
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}
