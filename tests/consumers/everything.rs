//! An agent that writes everything in the protocol, in every way in which it can grow.

use agent_runner::{AgentError, RunHandle};
use agent_schemas::{Content, ContentBody, ErrorBody, Event, Json, JsonObject};
use serde_json::{Value, json};

/// The agent.
pub(crate) async fn everything(run: RunHandle) -> Result<(), AgentError> {
    let (first, second) = (run.message(), run.reasoning());
    let (mut text, mut thought) = (first.text(), second.text());
    for piece in ["two ", "messages ", "at ", "once"] {
        text.delta(piece);
        thought.delta(piece);
    }
    let mut refusal = first.refusal();
    for piece in ["I ", "", "will not"] {
        refusal.delta(piece);
    }
    refusal.complete();
    let mut data = first.data();
    data.delta(object(json!({ "text": "a", "list": [1, 2], "count": 1, "same": true, "nothing": null })));
    data.delta(object(
        json!({ "text": "b", "list": [3], "count": 2, "same": true, "nothing": "not any more" }),
    ));
    data.delta(object(json!({ "text": null, "list": [], "count": 0.5, "new": { "deep": { "x": "1" } } })));
    data.delta(object(json!({ "list": "replaced", "new": { "deep": { "x": "2", "y": false } } })));
    data.complete();
    let mut replaced = first.data();
    replaced.delta(object(json!({ "draft": 1 })));
    replaced.set(object(json!({ "text": "started over" })));
    replaced.delta(object(json!({ "text": ", and on" })));
    first.put(ContentBody::Image { image_url: Some("https://example.com/a.png".into()) });
    first.put(ContentBody::Text { text: Some("put at once".into()) });
    first.put_data(object(json!({ "put": "too" })));
    first.set_usage(object(json!({ "input_tokens": 3 })));
    second.set_metadata(object(json!({ "kept": ["a"] })));
    second.complete();
    first.complete();
    for piece in ["AAAA", "BBBB"] {
        let body = ContentBody::Audio { data: Some(piece.into()), format: Some("wav".into()) };
        let mut sound = Content::text("");
        (sound.body, sound.delta, sound.index, sound.msg_id) =
            (body, Some(true), Some(0), Some("msg_sound".into()));
        run.emit(Event::Content(sound));
    }
    let failed = run.message();
    failed.text().delta("not part of the output");
    failed.fail(ErrorBody::new("NO_LUCK", "bad luck"));
    run.message().complete();
    let mut call = run.client_tool_call("call_1", "search");
    for piece in ["{\"q\":", "\"ü\"", "}"] {
        call.arguments_delta(piece);
    }
    call.complete("{\"q\":\"ü\"}");
    Ok(())
}

fn object(value: Value) -> JsonObject {
    match Json::from(value) {
        Json::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}
