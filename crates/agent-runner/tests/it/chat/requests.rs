//! What the model is sent, and which settings are refused.

use std::time::Duration;

use agent_runner::agents::{Chat, ChatConfig, SystemRole};
use agent_runner::tools::built_in;
use agent_runner::{SecretString, Services};
use agent_schemas::{AgentRequest, Json, json, object};

use super::ask_with;
use crate::model_server::Reply;

/// The body that a request leads to, without its `messages`, and those.
async fn sent(request: &str, change: impl FnOnce(&mut ChatConfig)) -> (String, String) {
    let parsed = AgentRequest::from_json(json::parse(request).expect("JSON")).expect("a request");
    let outcome = ask_with(&[Reply::text(&["hi"])], vec![], |config, request| {
        change(config);
        *request = parsed;
    })
    .await;
    let mut body = outcome.received[0].body.as_object().expect("an object").clone();
    let messages = body.shift_remove("messages").expect("messages");
    (Json::from(body).to_string(), messages.to_string())
}

#[tokio::test]
async fn sampling_parameters__request__override_config() {
    let plain = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}"#;
    let (body, messages) = sent(r#"{"input":[]}"#, |_| {}).await;
    assert_eq!((body, messages.as_str()), (format!("{plain}}}"), "[]"));
    let defaults = |config: &mut ChatConfig| {
        config.temperature = Some(0.5);
        config.top_p = Some(0.9);
        config.max_tokens = Some(100);
    };
    let (body, _) = sent(r#"{"input":[]}"#, defaults).await;
    assert_eq!(body, format!(r#"{plain},"temperature":0.5,"top_p":0.9,"max_tokens":100}}"#));
    let request = r#"{"input":[],"temperature":1,"top_p":0.1,"frequency_penalty":0.2,"presence_penalty":0.3,"max_tokens":7,"seed":8,"n":3,"stop":["a","b"],"other":true}"#;
    let (body, _) = sent(request, defaults).await;
    let expected = format!(
        r#"{plain},"temperature":1.0,"top_p":0.1,"frequency_penalty":0.2,"presence_penalty":0.3,"max_tokens":7,"seed":8,"stop":["a","b"]}}"#
    );
    assert_eq!(body, expected);
    let (body, _) = sent(r#"{"input":[],"stop":"a"}"#, |_| {}).await;
    assert_eq!(body, format!(r#"{plain},"stop":"a"}}"#));
}

#[tokio::test]
async fn response_format_and_tool_choice__are_passed_on() {
    let choice = r#""tool_choice":"required","parallel_tool_calls":false"#;
    let rest = r#""response_format":{"type":"json_object"},"reasoning_effort":"low","verbosity":null"#;
    let passed = r#""response_format":{"type":"json_object"},"reasoning_effort":"low""#;
    let (body, _) = sent(&format!(r#"{{"input":[],{choice},{rest}}}"#), |_| {}).await;
    assert!(body.ends_with(&format!("}},{passed}}}")), "there is no tool to choose: {body}");
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    let (body, _) = sent(&format!(r#"{{"input":[],{tools},{choice},{rest}}}"#), |_| {}).await;
    assert!(body.ends_with(&format!("}}],{passed},{choice}}}")), "{body}");
}

#[tokio::test]
async fn model__allowed_in_request__is_used() {
    for (asked, expected) in [("big", "big"), ("other", "m"), ("m", "m")] {
        let request = format!(r#"{{"input":[],"model":"{asked}"}}"#);
        let (body, _) = sent(&request, |config| config.allowed_models = vec!["big".to_owned()]).await;
        assert!(body.starts_with(&format!(r#"{{"model":"{expected}","#)), "{body}");
    }
}

#[tokio::test]
async fn conversation__all_contents__are_mapped() {
    let request = r#"{"input":[
        {"role":"user","content":[
            {"type":"text","text":"what is this?"},
            {"type":"image","image_url":"data:image/png;base64,AA=="},
            {"type":"audio","data":"BB==","format":"mp3"},
            {"type":"file","filename":"a.pdf","file_data":"CC=="}
        ]},
        {"role":"assistant","content":[{"type":"text","text":"a cat"}]},
        {"role":"user","content":[{"type":"text","text":"sure?"}]}
    ]}"#;
    let (_, messages) = sent(request, |config| config.system_prompt = Some("Be brief.".to_owned())).await;
    let expected = concat!(
        r#"[{"role":"system","content":"Be brief."},"#,
        r#"{"role":"user","content":[{"type":"text","text":"what is this?"},"#,
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},"#,
        r#"{"type":"input_audio","input_audio":{"data":"BB==","format":"mp3"}},"#,
        r#"{"type":"file","file":{"filename":"a.pdf","file_data":"CC=="}}]},"#,
        r#"{"role":"assistant","content":"a cat"},{"role":"user","content":"sure?"}]"#
    );
    assert_eq!(messages, expected);
}

#[tokio::test]
async fn api_key__blank__is_not_sent() {
    let server = crate::model_server::ModelServer::start([Reply::text(&["hi"])]).await;
    let chat =
        Chat::new(super::config(&server), Some(SecretString::from(" ")), vec![]).expect("good settings");
    let runner = crate::support::runner(chat);
    crate::support::start(&runner, "hi").await.response().await.expect("readable");
    assert_eq!(server.received()[0].header("authorization"), None);
}

#[test]
fn config__unknown_setting__is_refused() {
    let config: ChatConfig =
        serde_json::from_str(r#"{"model":"m","idle_timeout_seconds":2.5}"#).expect("settings");
    let mut expected = ChatConfig::new("m");
    expected.idle_timeout = Duration::from_millis(2500);
    assert_eq!(config, expected);
    let written = serde_json::to_string(&config).expect("JSON");
    assert!(written.contains(r#""idle_timeout_seconds":2.5,"#), "{written}");
    let error = serde_json::from_str::<ChatConfig>(r#"{"modle":"m"}"#).expect_err("a wrong name");
    assert!(error.to_string().contains("unknown field `modle`"), "{error}");
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut ChatConfig), expected: &str) {
    let mut config = ChatConfig::new("m");
    config.base_url = "http://127.0.0.1:1/v1".to_owned();
    change(&mut config);
    let error = Chat::new(config, None, built_in(&Services::in_memory())).expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn config__invalid_value__is_refused() {
    check_refused(
        |config| config.model = " ".to_owned(),
        "no model is configured for the chat agent; set `model`",
    );
    check_refused(|config| config.max_rounds = 0, "max_rounds should be at least 1");
    for seconds in ["0", "-1", "1e300"] {
        let text = format!(r#"{{"model":"m","idle_timeout_seconds":{seconds}}}"#);
        check_refused(
            |config| *config = serde_json::from_str(&text).expect("a number"),
            "idle_timeout_seconds should be greater than 0 seconds",
        );
    }
    let reserved =
        "should not have a member that the agent sets itself: model, messages, stream, stream_options, tools";
    check_refused(
        |config| config.extra_body = object! { "messages" => 1 },
        &format!("extra_body {reserved}"),
    );
    check_refused(|config| config.passed_on.push("stream".to_owned()), &format!("passed_on {reserved}"));
    check_refused(
        |config| config.extra_headers.insert("content-type", "x"),
        "the header 'content-type' in extra_headers is set by the HTTP client",
    );
    check_refused(|config| config.base_url = "localhost".to_owned(), "base_url should be an absolute URL");
    check_refused(
        |config| config.tools = Some(vec!["saw".to_owned()]),
        "there is no tool 'saw'; the known tools are calculator, current_time",
    );
    let tools = [built_in(&Services::in_memory()), built_in(&Services::in_memory())].concat();
    let error = Chat::new(ChatConfig::new("m"), None, tools).expect_err("the same tools twice");
    assert_eq!(error.to_string(), "two tools are named 'calculator'");
    let error =
        Chat::new(ChatConfig::new("m"), Some(SecretString::from("a\nb")), vec![]).expect_err("a bad key");
    assert_eq!(error.to_string(), "the API key has characters that are not allowed in an HTTP header");
}

#[tokio::test]
async fn instructions__of_every_source__are_one_message() {
    let said = |role: &str, text: &str| {
        format!(r#"{{"role":"{role}","content":[{{"type":"text","text":"{text}"}}]}}"#)
    };
    let input = [said("system", "D"), said("user", "hi"), said("system", "E"), said("system", "")].join(",");
    let request = format!(r#"{{"input":[{input}],"instructions":"I"}}"#);
    for (role, name) in [(SystemRole::System, "system"), (SystemRole::Developer, "developer")] {
        let (_, messages) = sent(&request, |config| {
            config.system_prompt = Some("S".to_owned());
            config.system_role = role;
        })
        .await;
        let expected =
            format!(r#"[{{"role":"{name}","content":"S\n\nI\n\nD\n\nE"}},{{"role":"user","content":"hi"}}]"#);
        assert_eq!(messages, expected);
    }
}

#[tokio::test]
async fn extra_body__and_passed_on_members__are_sent() {
    let plain = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}"#;
    let settings = |config: &mut ChatConfig| {
        config.extra_body = object! { "top_k" => 7, "options" => object! { "think" => false } };
    };
    let (body, _) = sent(r#"{"input":[]}"#, settings).await;
    assert_eq!(body, format!(r#"{plain},"top_k":7,"options":{{"think":false}}}}"#));
    let (body, _) = sent(r#"{"input":[],"top_k":5,"min_p":null,"other":1}"#, settings).await;
    assert_eq!(body, format!(r#"{plain},"top_k":5,"options":{{"think":false}}}}"#));
    let only_other = |config: &mut ChatConfig| config.passed_on = vec!["other".to_owned()];
    let (body, _) = sent(r#"{"input":[],"top_k":5,"other":1}"#, only_other).await;
    assert_eq!(body, format!(r#"{plain},"other":1}}"#));
}

#[tokio::test]
async fn extra_headers__are_sent_and_hidden() {
    let refusal = Reply::json("400 Bad Request", r#"{"error":{"message":"bad key geheim"}}"#);
    let server = crate::model_server::ModelServer::start([refusal]).await;
    let mut config = super::config(&server);
    config.extra_headers.insert("X-Gateway-Key", "geheim");
    config.extra_headers.insert("authorization", "Basic abc");
    assert!(!format!("{config:?}").contains("geheim"));
    let runner = super::chat(config, vec![]);
    crate::support::start(&runner, "hi").await.response().await.expect("readable");
    let received = &server.received()[0];
    assert_eq!(received.header("x-gateway-key"), Some("geheim"));
    assert_eq!(received.header("authorization"), Some("Basic abc"));
}
