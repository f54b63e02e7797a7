//! What a model says, as it arrives at the client.

use agent_schemas::{Json, Status};

use super::{KEY, ask};
use crate::model_server::Reply;
use crate::summary::summary;
use crate::support::outline;

/// The output messages after one answer.
async fn check(reply: Reply, expected: &[&str]) {
    let outcome = ask(&[reply]).await;
    let response = outcome.response();
    assert_eq!(response.error, None);
    assert_eq!(summary(response), expected);
    assert_eq!(outcome.received.len(), 1);
}

#[tokio::test]
async fn text__deltas__are_streamed() {
    let outcome = ask(&[Reply::text(&["Hello", " wörld"])]).await;
    assert_eq!(
        outline(&outcome.events)[2..],
        [
            "message in_progress",
            "  'Hello' + in_progress",
            "  ' wörld' + in_progress",
            "  'Hello wörld' completed",
            "message completed",
            "response completed"
        ]
    );
    let request = &outcome.received[0];
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn usage__belongs_to_last_message() {
    let reply = Reply::deltas(&[r#"{"reasoning_content":"hm"}"#, r#"{"content":"Hi"}"#], "stop");
    let outcome = ask(&[reply]).await;
    let usage =
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"input_tokens":10,"output_tokens":5}"#;
    let response = outcome.response();
    let usages: Vec<_> = response.messages().iter().map(|message| message.usage.clone()).collect();
    assert_eq!(usages[0], None);
    assert_eq!(usages[1].clone().map(Json::from).map(|usage| usage.to_string()).as_deref(), Some(usage));
    assert_eq!(response.usage, usages[1]);
}

#[tokio::test]
async fn reasoning__either_member_name__is_own_message() {
    for name in ["reasoning_content", "reasoning"] {
        let first = format!(r#"{{"{name}":"think","content":null}}"#);
        let second = format!(r#"{{"{name}":" hard","content":""}}"#);
        let outcome = ask(&[Reply::deltas(&[&first, &second, r#"{"content":"42"}"#], "stop")]).await;
        assert_eq!(
            outline(&outcome.events)[2..],
            [
                "reasoning in_progress",
                "  'think' + in_progress",
                "  ' hard' + in_progress",
                "  'think hard' completed",
                "reasoning completed",
                "message in_progress",
                "  '42' + in_progress",
                "  '42' completed",
                "message completed",
                "response completed"
            ]
        );
    }
    let both = r#"{"reasoning_content":"once","reasoning":"once"}"#;
    check(Reply::deltas(&[both, r#"{"content":"a"}"#], "stop"), &["reasoning: once", "message: a"]).await;
}

#[tokio::test]
async fn refusal__is_a_content() {
    let refusal = [r#"{"refusal":"I can"}"#, r#"{"refusal":"not."}"#];
    check(Reply::deltas(&refusal, "stop"), &["message: refusal I cannot."]).await;
    let after_text = [r#"{"content":"Well,"}"#, r#"{"refusal":"no."}"#];
    check(Reply::deltas(&after_text, "stop"), &["message: Well, | refusal no."]).await;
}

#[tokio::test]
async fn stream__unusual_framing__is_read() {
    let content = r#"{"choices":[{"delta":{"content":"hé"}}]}"#;
    let finish = r#"{"choices":[{"delta":{"content":null},"finish_reason":"stop"}]}"#;
    for text in [
        // No [DONE], comments, CRLF, a role-only chunk, an event without data.
        format!(
            ": hello\r\n\r\ndata: {{\"choices\":[{{\"delta\":{{\"role\":\"assistant\"}}}}]}}\r\n\r\ndata:\r\n\r\ndata: {content}\r\n\r\ndata: {finish}\r\n\r\n"
        ),
        // No reason to finish, no blank line at the end.
        format!("data: {content}\n\ndata: [DONE]"),
        // A byte order mark, carriage returns, unknown fields.
        format!("\u{feff}id: 1\rdata:{content}\r\revent: x\rdata:{finish}\r\r"),
        // A second choice that nobody asked for, a content of several parts.
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"}},{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"hé\"}]}}]}\n\ndata: [DONE]\n\n".to_owned(),
        // The usage comes with each chunk.
        format!("data: {{\"usage\":{{\"prompt_tokens\":1}},\"choices\":[{{\"delta\":{{\"content\":\"hé\"}}}}]}}\n\ndata: {finish}\n\ndata: [DONE]\n\n"),
    ] {
        for piece in [1, 2, 3, 7, usize::MAX] {
            check(Reply::events(&text).in_pieces(piece), &["message: hé"]).await;
        }
    }
}

#[tokio::test]
async fn answer__not_streamed__is_read() {
    let body = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"hm","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    let outcome = ask(&[Reply::json("200 OK", body).in_pieces(10)]).await;
    assert_eq!(summary(outcome.response()), ["reasoning: hm", "message: Hi"]);
    assert_eq!(outcome.response().usage.as_ref().expect("usage")["output_tokens"].as_i64(), Some(4));
}

#[tokio::test]
async fn answer__truncated__has_finish_reason() {
    for reason in ["length", "content_filter"] {
        let outcome = ask(&[Reply::deltas(&[r#"{"content":"half"}"#], reason)]).await;
        let message = &outcome.response().messages()[0];
        assert_eq!(message.status, Status::Completed);
        assert_eq!(message.metadata.as_ref().expect("metadata")["finish_reason"].as_str(), Some(reason));
    }
    for (reason, expected) in
        [("model_length", "length"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter")]
    {
        let outcome = ask(&[Reply::deltas(&[r#"{"content":"half"}"#], reason)]).await;
        let metadata = outcome.response().messages()[0].metadata.clone().expect("metadata");
        assert_eq!(metadata["finish_reason"].as_str(), Some(expected));
    }
    let outcome = ask(&[Reply::text(&["whole"])]).await;
    assert_eq!(outcome.response().messages()[0].metadata, None);
}

#[tokio::test]
async fn text__only_white_space__is_no_message() {
    let line = r#"{"content":"\n\n"}"#;
    let reasoning = r#"{"reasoning":"hm"}"#;
    check(
        Reply::deltas(&[line, reasoning, line, r#"{"content":"Hi"}"#, line], "stop"),
        &["reasoning: hm", "message: \n\nHi\n\n"],
    )
    .await;
    let call = r#"{"tool_calls":[{"id":"a","function":{"name":"calculator","arguments":"{\"expression\":\"1\"}"}}]}"#;
    let outcome = ask(&[Reply::deltas(&[reasoning, line, call], "tool_calls"), Reply::text(&["1"])]).await;
    let kinds: Vec<_> =
        outcome.response().messages().iter().map(|message| message.kind.to_string()).collect();
    assert_eq!(kinds, ["reasoning", "plugin_call", "plugin_call_output", "message"]);
}

#[tokio::test]
async fn answer__empty__is_empty_message() {
    let outcome = ask(&[Reply::deltas(&[], "stop")]).await;
    assert_eq!(summary(outcome.response()), ["message: "]);
    assert!(outcome.response().usage.is_some());
}

#[tokio::test]
async fn stream__cut_after_finish_reason__completes() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    check(Reply::events(text).then_cut(), &["message: a"]).await;
}

#[tokio::test]
async fn answer__broken_off__fails_the_run() {
    for reason in ["error", "abort", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL"] {
        let outcome = ask(&[Reply::deltas(&[r#"{"content":"half"}"#], reason)]).await;
        assert_eq!(outcome.error().0, "MODEL_EXECUTION_FAILED", "{reason}");
    }
    let chunk =
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":null,"error":{"code":502,"message":"no"}}]}"#;
    let outcome = ask(&[Reply::chunks(&[r#"{"choices":[{"delta":{"content":"half"}}]}"#, chunk])]).await;
    assert_eq!(outcome.error().0, "MODEL_EXECUTION_FAILED");
    // Nothing was shown yet, so the call is repeated.
    let replies = [Reply::deltas(&[], "error"), Reply::text(&["whole"])];
    let outcome = ask(&replies).await;
    assert_eq!(summary(outcome.response()), ["message: whole"]);
}

#[tokio::test]
async fn text__faulty_json__is_read() {
    let delta = |delta: &str| format!(r#"{{"choices":[{{"delta":{delta},"logprobs":NaN}}]}}"#);
    let chunks = [
        delta(r#"{"reasoning":"\ud83d"}"#),
        delta(r#"{"reasoning":"\ude00"}"#),
        delta(r#"{"content":"a \ud83d"}"#),
        delta(r#"{"content":"\ude00 b \ud83d"}"#),
    ];
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    check(Reply::chunks(&chunks), &["reasoning: 😀", "message: a 😀 b \u{fffd}"]).await;
}
