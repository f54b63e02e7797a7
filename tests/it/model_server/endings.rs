//! How an answer ended: cut off, broken off, or whole.

use serde_json::{Value, json};

use super::{COMPLETIONS, RESPONSES, call, post, say, scripted, scripted_with, user, weather};

/// A call whose arguments are cut off.
fn cut_call(name: &str) -> Value {
    json!({ "tool_calls": [{ "index": 0, "id": "c", "function": { "name": name, "arguments": "{\"city\":\"Os" } }] })
}

#[tokio::test]
async fn call__cut_off_by_any_limit__is_never_a_whole_one() {
    let (_model, server) = scripted().await;
    let custom = json!({ "type": "custom", "name": "weather" });
    for (reason, tool) in
        [("length", weather()), ("model_length", weather()), ("MAX_TOKENS", weather()), ("length", custom)]
    {
        let said = say(&json!([cut_call("weather")]), reason);
        let body = json!({ "input": said, "tools": [tool], "stream": true });
        let events = call(&server, RESPONSES, &body).await.events();
        let last = events.last().expect("events");
        assert_eq!(last["type"], "response.incomplete", "{reason}");
        assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens", "{reason}");
        assert_eq!(last["response"]["output"][0]["status"], "incomplete", "{reason}");
        let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
        let body = json!({ "messages": [user(&said)], "tools": tools, "stream": true });
        let chunks = call(&server, COMPLETIONS, &body).await.events();
        let reasons = chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str());
        assert_eq!(reasons.collect::<Vec<_>>(), ["length"], "{reason}");
    }
}

#[tokio::test]
async fn earlier_round__cut_or_filtered__does_not_mark_the_answer() {
    let (_model, server) = scripted_with(&["calculator"]).await;
    let whole = json!({ "tool_calls": [{
        "index": 0, "id": "c", "function": { "name": "calculator", "arguments": "{\"expression\": \"6*7\"}" }
    }] });
    for (deltas, reason) in [
        (json!([cut_call("calculator")]), "length"),
        (json!([{ "content": "Let me" }, cut_call("calculator")]), "max_tokens"),
        (json!([{ "reasoning_content": "hm" }, cut_call("calculator")]), "length"),
        (json!([whole]), "stop"),
    ] {
        let said = say(&deltas, reason);
        let response = post(&server, RESPONSES, &json!({ "input": said })).await;
        assert_eq!(response["status"], "completed", "{reason}: {response}");
        let last = response["output"].as_array().and_then(|items| items.last()).expect("an item");
        assert_eq!(last["status"], "completed", "{reason}");
        let completion = post(&server, COMPLETIONS, &json!({ "messages": [user(&said)] })).await;
        assert_eq!(completion["choices"][0]["finish_reason"], "stop", "{reason}");
    }
}

#[tokio::test]
async fn half_an_answer__model_server_breaks_off__is_a_failure() {
    let (_model, server) = scripted().await;
    let half = json!({ "choices": [{ "index": 0, "delta": { "content": "half an ans" } }] });
    let in_choice =
        json!({ "choices": [{ "index": 0, "delta": {}, "error": { "message": "gone", "code": 502 } }] });
    let written = format!("write {}", json!([half.to_string(), in_choice.to_string()]));
    let ended = |reason| say(&json!([{ "content": "half an ans" }]), reason);
    for said in [
        ended("abort"),
        ended("error"),
        ended("insufficient_system_resource"),
        ended("MALFORMED_FUNCTION_CALL"),
        written,
    ] {
        let answer = call(&server, RESPONSES, &json!({ "input": said })).await;
        assert!(answer.status >= 500, "{said}: {answer:?}");
        let events = call(&server, RESPONSES, &json!({ "input": said, "stream": true })).await.events();
        assert_eq!(events.last().expect("events")["type"], "response.failed", "{said}");
        let answer = call(&server, COMPLETIONS, &json!({ "messages": [user(&said)] })).await;
        assert!(answer.status >= 500, "{said}: {answer:?}");
        let body = json!({ "messages": [user(&said)], "stream": true });
        let chunks = call(&server, COMPLETIONS, &body).await.events();
        assert!(chunks.iter().any(|chunk| chunk["error"].is_object()), "{said}");
        assert!(chunks.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()), "{said}");
    }
}

#[tokio::test]
async fn answer__stopped_by_a_filter__says_so() {
    let (_model, server) = scripted().await;
    for reason in ["content_filter", "SAFETY", "RECITATION"] {
        let said = say(&json!([{ "content": "I" }]), reason);
        let response = post(&server, RESPONSES, &json!({ "input": said })).await;
        assert_eq!(response["incomplete_details"]["reason"], "content_filter", "{reason}");
        let completion = post(&server, COMPLETIONS, &json!({ "messages": [user(&said)] })).await;
        assert_eq!(completion["choices"][0]["finish_reason"], "content_filter", "{reason}");
    }
}
