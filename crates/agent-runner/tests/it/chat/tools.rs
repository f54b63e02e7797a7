//! Tool calls: the server's own, the client's, both at once, and all that can be wrong with them.

use std::sync::Arc;

use agent_runner::tools::{Tool, ToolContext, ToolError, built_in};
use agent_runner::{RunOptions, Services};
use agent_schemas::{
    AgentRequest, Content, Event, Json, JsonObject, Message, MessageType, Status, json, object,
};
use tokio::sync::Barrier;

use super::log::Log;
use super::{Outcome, ask, ask_with, chat, config};
use crate::model_server::{ModelServer, Reply};
use crate::summary::summary;
use crate::support::{collect, outline};

/// A tool named by its test, that does what the test says.
#[derive(Debug)]
struct Scripted {
    name: &'static str,
    act: Act,
}

#[derive(Debug)]
enum Act {
    Say(&'static str),
    Fail,
    /// Fails with an error that was not written for the model.
    Leak,
    Panic,
    /// Waits until this many calls are in progress.
    Meet(Barrier),
    /// Reports twice before it answers.
    Report,
}

#[async_trait::async_trait]
impl Tool for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        "does what the test says"
    }

    fn parameters(&self) -> Json {
        object! { "type" => "object" }.into()
    }

    async fn call(&self, ctx: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        match &self.act {
            Act::Say(text) => return Ok((*text).into()),
            Act::Fail => return Err(ToolError::new("no luck today")),
            Act::Leak => Err(std::io::Error::other("secret"))?,
            Act::Panic => panic!("boom"),
            Act::Meet(barrier) => {
                barrier.wait().await;
            }
            Act::Report => {
                ctx.progress("begun");
                ctx.progress(object! { "done" => 1_i64, "of" => 2_i64 });
                tokio::task::yield_now().await;
            }
        }
        Ok(arguments.into())
    }
}

fn scripted(name: &'static str, act: Act) -> Arc<dyn Tool> {
    Arc::new(Scripted { name, act })
}

/// Declares a tool of the client.
fn declare(request: &mut AgentRequest, name: &str) {
    let text = format!(
        r#"{{"input":[],"tools":[{{"type":"function","function":{{"name":"{name}","description":"d","parameters":{{"type":"object","properties":{{}}}}}}}}]}}"#
    );
    let parsed = AgentRequest::from_json(json::parse(&text).expect("JSON")).expect("a request");
    request.tools.get_or_insert_default().extend(parsed.tools.expect("tools"));
}

/// Which messages carry a usage, in the output's order.
fn with_usage(outcome: &Outcome) -> Vec<bool> {
    outcome.response().messages().iter().map(|message| message.usage.is_some()).collect()
}

#[tokio::test]
async fn tool_call__output__goes_back_to_the_model() {
    let call = Reply::deltas(
        &[
            r#"{"content":"Let me see."}"#,
            r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"calculator","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"expression\":"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"6*7\"}"}}]}"#,
        ],
        "tool_calls",
    );
    let outcome = ask(&[call, Reply::text(&["42"])]).await;
    assert_eq!(
        summary(outcome.response()),
        [
            "message: Let me see.",
            r#"plugin_call: calculator {"expression":"6*7"}"#,
            "plugin_call_output: calculator 42",
            "message: 42"
        ]
    );
    assert_eq!(with_usage(&outcome), [false, true, false, true]);
    let usage = outcome.response().usage.as_ref().expect("usage");
    assert_eq!(usage["total_tokens"].as_i64(), Some(30));
    let [first, second] = outcome.received.as_slice() else { panic!("two requests") };
    assert!(first.body.get("tools").and_then(Json::as_array).is_some_and(|tools| tools.len() == 2));
    assert_eq!(second.message(0), r#"{"role":"user","content":"hi"}"#);
    assert_eq!(
        second.message(1),
        r#"{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"call_a","type":"function","function":{"name":"calculator","arguments":"{\"expression\":\"6*7\"}"}}]}"#
    );
    assert_eq!(second.message(2), r#"{"role":"tool","tool_call_id":"call_a","content":"42"}"#);
}

#[tokio::test]
async fn plugin_call__events__start_empty_and_complete() {
    let call = Reply::calls(&[("a", "say", "{}")]);
    let tools = vec![scripted("say", Act::Say("hi"))];
    let outcome = ask_with(&[call, Reply::text(&["done"])], tools, |_, _| {}).await;
    assert_eq!(
        outline(&outcome.events)[2..9],
        [
            "plugin_call in_progress",
            "  data in_progress",
            "  data completed",
            "plugin_call completed",
            "plugin_call_output in_progress",
            "  data completed",
            "plugin_call_output completed"
        ]
    );
    let Event::Content(snapshot) = &outcome.events[3] else { panic!("no content") };
    assert_eq!(snapshot.as_data().expect("data")["arguments"].as_str(), Some(""));
    assert_eq!(summary(outcome.response())[1], r#"plugin_call_output: say "hi""#);
}

#[tokio::test]
async fn reasoning__during_tool_calls__goes_back_to_the_model() {
    let call = Reply::deltas(
        &[
            r#"{"reasoning_content":"I need "}"#,
            r#"{"reasoning_content":"a tool"}"#,
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"calculator","arguments":"{\"expression\":\"1\"}"}}]}"#,
        ],
        "tool_calls",
    );
    let outcome = ask(&[call, Reply::text(&["1"])]).await;
    let message = outcome.received[1].message(1);
    assert!(
        message.contains(r#""content":null,"reasoning_content":"I need a tool","tool_calls""#),
        "{message}"
    );
}

#[tokio::test]
async fn parallel_calls__run_concurrently__answer_in_order() {
    let calls = Reply::calls(&[("a", "meet", r#"{"n":1}"#), ("b", "meet", r#"{"n":2}"#)]);
    let tools = vec![scripted("meet", Act::Meet(Barrier::new(2)))];
    let outcome = ask_with(&[calls, Reply::text(&["done"])], tools, |_, _| {}).await;
    assert_eq!(
        summary(outcome.response()),
        [
            r#"plugin_call: meet {"n":1}"#,
            r#"plugin_call: meet {"n":2}"#,
            r#"plugin_call_output: meet {"n":1}"#,
            r#"plugin_call_output: meet {"n":2}"#,
            "message: done"
        ]
    );
    assert_eq!(with_usage(&outcome), [false, true, false, false, true]);
    assert!(outcome.received[1].message(1).contains(r#""tool_calls":[{"id":"a""#));
    assert_eq!(outcome.received[1].message(3), r#"{"role":"tool","tool_call_id":"b","content":"{\"n\":2}"}"#);
}

#[tokio::test]
async fn tool_progress__is_in_log_but_not_output() {
    let calls = Reply::calls(&[("a", "say", "{}"), ("b", "report", r#"{"n":1}"#)]);
    let tools = vec![scripted("say", Act::Say("hi")), scripted("report", Act::Report)];
    let outcome = ask_with(&[calls, Reply::text(&["done"])], tools, |_, _| {}).await;
    assert_eq!(
        outline(&outcome.events)[10..20],
        [
            "plugin_call_output in_progress",
            "  data in_progress",
            "  data + in_progress",
            "  data + in_progress",
            "plugin_call_output in_progress",
            "  data completed",
            "plugin_call_output completed",
            "  data completed",
            "plugin_call_output completed",
            "message in_progress",
        ]
    );
    let data = |position: usize| match &outcome.events[position] {
        Event::Content(content) => Json::from(content.as_data().expect("data").clone()).to_string(),
        other => panic!("{other:?} is no content"),
    };
    assert_eq!(data(11), r#"{"call_id":"b","name":"report","output":""}"#);
    assert_eq!(data(12), r#"{"progress":["begun"]}"#);
    assert_eq!(data(13), r#"{"progress":[{"done":1,"of":2}]}"#);
    assert_eq!(data(17), r#"{"call_id":"b","name":"report","output":"{\"n\":1}"}"#);
    assert!(outcome.received[1].message(3).contains(r#""content":"{\"n\":1}""#));
}

#[tokio::test]
async fn tool_choice__required__applies_to_first_round() {
    let call = Reply::calls(&[("a", "say", "{}")]);
    let tools = vec![scripted("say", Act::Say("x"))];
    let outcome = ask_with(&[call, Reply::text(&["done"])], tools, |_, request| {
        request.extra.insert("tool_choice".to_owned(), "required".into());
    })
    .await;
    let choices: Vec<_> =
        outcome.received.iter().map(|received| received.body.get("tool_choice").cloned()).collect();
    assert_eq!(choices, [Some("required".into()), None]);
}

#[tokio::test]
async fn client_tool__call__ends_the_turn() {
    let call = Reply::deltas(
        &[
            r#"{"content":"One moment."}"#,
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"browse","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"url\":"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#,
        ],
        "tool_calls",
    );
    let outcome = ask_with(&[call], vec![], |_, request| declare(request, "browse")).await;
    assert_eq!(summary(outcome.response()), ["message: One moment.", r#"function_call: browse {"url":1}"#]);
    assert_eq!(with_usage(&outcome), [false, true]);
    assert_eq!(
        outline(&outcome.events)[6..],
        [
            "function_call in_progress",
            "  data in_progress",
            "  data + in_progress",
            "  data + in_progress",
            "  data completed",
            "function_call completed",
            "response completed"
        ]
    );
    let tools = outcome.received[0].body.get("tools").expect("tools").to_string();
    assert_eq!(
        tools,
        r#"[{"type":"function","function":{"name":"browse","description":"d","parameters":{"type":"object","properties":{}}}}]"#
    );
}

#[tokio::test]
async fn client_tool__output__continues_the_turn() {
    let outcome = ask_with(&[Reply::text(&["sunny"])], vec![], |_, request| {
        let text = r#"{"input":[
            {"role":"user","content":[{"type":"text","text":"weather?"}]},
            {"type":"function_call","role":"assistant","content":[{"type":"data","data":{"call_id":"a","name":"look","arguments":"{}"}}]},
            {"type":"function_call_output","role":"tool","content":[{"type":"data","data":{"call_id":"a","output":"\"sun\""}}]}
        ]}"#;
        *request = AgentRequest::from_json(json::parse(text).expect("JSON")).expect("a request");
    })
    .await;
    assert_eq!(summary(outcome.response()), ["message: sunny"]);
    assert_eq!(outcome.received[0].message(2), r#"{"role":"tool","tool_call_id":"a","content":"\"sun\""}"#);
}

#[tokio::test]
async fn mixed_round__server_tools__run_first() {
    let calls = Reply::calls(&[("a", "browse", "{}"), ("b", "say", "{}")]);
    let tools = vec![scripted("say", Act::Say("hi"))];
    let outcome = ask_with(&[calls], tools, |_, request| declare(request, "browse")).await;
    assert_eq!(
        summary(outcome.response()),
        ["plugin_call: say {}", r#"plugin_call_output: say "hi""#, "function_call: browse {}"]
    );
    assert_eq!(with_usage(&outcome), [false, false, true]);
    assert_eq!(outcome.received.len(), 1);
}

#[tokio::test]
async fn declared_tool__same_name__uses_the_servers() {
    let replies = [Reply::calls(&[("a", "say", "{}")]), Reply::text(&["done"])];
    let tools = vec![scripted("say", Act::Say("hi"))];
    let outcome = ask_with(&replies, tools, |_, request| declare(request, "say")).await;
    assert_eq!(summary(outcome.response())[0], "plugin_call: say {}");
    let tools = outcome.received[0].body.get("tools").expect("tools").to_string();
    assert_eq!(tools.matches(r#""name":"say""#).count(), 1, "{tools}");
}

/// One call by the model, its output, and that the run continues.
async fn check_output(name: &str, arguments: &str, expected: &str) {
    let tools = [("fail", Act::Fail), ("leak", Act::Leak), ("panic", Act::Panic), ("say", Act::Say("hi"))];
    let tools = tools.into_iter().map(|(name, act)| scripted(name, act)).collect();
    let replies = [Reply::calls(&[("a", name, arguments)]), Reply::text(&["I see"])];
    let outcome = ask_with(&replies, tools, |_, _| {}).await;
    let lines = summary(outcome.response());
    assert_eq!(lines[1], format!("plugin_call_output: {name} {expected}"));
    assert_eq!(lines[2], "message: I see");
    let output = Json::from(expected).to_string();
    let message = outcome.received[1].message(2);
    assert!(message.contains(&output), "{message} lacks {output}");
}

#[tokio::test]
async fn tool_failure__is_reported_to_the_model() {
    check_output("fail", "{}", r#"{"error":"no luck today"}"#).await;
    check_output("leak", "{}", r#"{"error":"the tool failed unexpectedly"}"#).await;
    check_output("panic", "{}", r#"{"error":"the tool failed unexpectedly"}"#).await;
    check_output("say", "[1]", r#"{"error":"the arguments should be a JSON object"}"#).await;
    check_output("nobody", "{}", r#"{"error":"Tool not found: nobody"}"#).await;
    check_output("say", "", r#""hi""#).await;
}

#[tokio::test]
async fn invalid_arguments__go_back_as_json() {
    let replies = [Reply::calls(&[("a", "calculator", "{\"expr")]), Reply::text(&["sorry"])];
    let outcome = ask(&replies).await;
    let lines = summary(outcome.response());
    assert_eq!(lines[0], "plugin_call: calculator {\"expr");
    assert!(lines[1].starts_with(r#"plugin_call_output: calculator {"error":"the arguments are not JSON: "#));
    let message = outcome.received[1].message(1);
    assert!(message.contains(r#""arguments":"{\"invalid_arguments\":\"{\\\"expr\"}""#), "{message}");
}

#[tokio::test]
async fn rounds__above_limit__fail_the_run() {
    let replies = vec![Reply::calls(&[("a", "say", "{}")]); 5];
    let tools = vec![scripted("say", Act::Say("hi"))];
    let outcome = ask_with(&replies, tools, |config, _| config.max_rounds = 3).await;
    assert_eq!(outcome.error(), ("AGENT_ERROR", "The model still called tools after 3 rounds"));
    assert_eq!(outcome.received.len(), 3);
}

/// The call ids in the output.
fn call_ids(outcome: &Outcome) -> Vec<String> {
    let data = outcome.response().messages().iter().filter_map(|message| message.contents()[0].as_data());
    data.map(|data| data["call_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn call_ids__missing_or_repeated__are_generated() {
    let missing = r#"{"tool_calls":[{"function":{"name":"say","arguments":"{}"}},{"function":{"name":"say","arguments":{}}}]}"#;
    let replies = [
        Reply::deltas(&[missing], "tool_calls"),
        Reply::calls(&[("x", "say", "{}")]),
        Reply::calls(&[("x", "say", "{}")]),
    ];
    let replies = [&replies[..], &[Reply::text(&["done"])]].concat();
    let outcome = ask_with(&replies, vec![scripted("say", Act::Say("hi"))], |_, _| {}).await;
    let ids = call_ids(&outcome);
    assert_eq!(ids.len(), 8);
    assert_eq!((&ids[0], &ids[1]), (&ids[2], &ids[3]), "calls and outputs fit");
    let unique: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), 4, "{ids:?}");
    assert!(ids[0].starts_with("call_") && ids.contains(&"x".to_owned()));
}

#[tokio::test]
async fn config_tools__select_the_offered_tools() {
    let outcome = ask_with(&[Reply::text(&["hi"])], built_in(&Services::in_memory()), |config, _| {
        config.tools = Some(vec!["current_time".to_owned()]);
    })
    .await;
    let tools = outcome.received[0].body.get("tools").expect("tools").to_string();
    assert!(tools.contains("current_time") && !tools.contains("calculator"), "{tools}");
    let outcome = ask_with(&[Reply::text(&["hi"])], built_in(&Services::in_memory()), |config, request| {
        config.tools = Some(vec![]);
        *request = AgentRequest::new(vec![Message::user("hi")]);
    })
    .await;
    assert_eq!(outcome.received[0].body.get("tools"), None);
}

#[tokio::test]
async fn client_tool__call_cut_off__is_incomplete() {
    let call = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"browse","arguments":"{\"url"}}]}"#;
    let outcome =
        ask_with(&[Reply::deltas(&[call], "length")], vec![], |_, request| declare(request, "browse")).await;
    let message = &outcome.response().messages()[0];
    assert_eq!(message.status, Status::Incomplete);
    assert_eq!(message.metadata.as_ref().expect("metadata")["finish_reason"].as_str(), Some("length"));
    assert_eq!(summary(outcome.response()), ["function_call: browse {\"url"]);
}

#[tokio::test]
async fn own_tool__call_cut_off__does_not_mark_the_end() {
    let call = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"say","arguments":"{"}}]}"#;
    let replies = [Reply::deltas(&[call], "length"), Reply::text(&["fine"])];
    let outcome = ask_with(&replies, vec![scripted("say", Act::Say("hi"))], |_, _| {}).await;
    assert!(outcome.response().messages().iter().all(|message| message.metadata.is_none()));
}

#[tokio::test]
async fn tool_name__in_pieces__is_joined() {
    let pieces = [
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"bro"}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"name":"wse","arguments":""}}]}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
    ];
    let outcome = ask_with(&[Reply::deltas(&pieces, "tool_calls")], vec![], |_, request| {
        declare(request, "bro");
        declare(request, "browse");
    })
    .await;
    assert_eq!(summary(outcome.response()), ["function_call: browse {}"]);
    let nothing = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"browse"}}]}"#;
    let outcome = ask_with(&[Reply::deltas(&[nothing], "tool_calls")], vec![], |_, request| {
        declare(request, "browse");
    })
    .await;
    assert_eq!(summary(outcome.response()), ["function_call: browse {}"]);
}

#[tokio::test]
async fn function_call__deprecated_form__is_answered_as_a_tool_call() {
    let pieces = [
        r#"{"function_call":{"name":"say","arguments":""}}"#,
        r#"{"function_call":{"arguments":"{"}}"#,
        r#"{"function_call":{"arguments":"}"}}"#,
    ];
    let whole = r#"{"choices":[{"message":{"role":"assistant","content":null,"function_call":{"name":"say","arguments":"{}"}},"finish_reason":"function_call"}]}"#;
    for reply in [Reply::deltas(&pieces, "function_call"), Reply::json("200 OK", whole)] {
        let tools = vec![scripted("say", Act::Say("hi"))];
        let outcome = ask_with(&[reply, Reply::text(&["done"])], tools, |_, _| {}).await;
        assert_eq!(
            summary(outcome.response()),
            ["plugin_call: say {}", r#"plugin_call_output: say "hi""#, "message: done"]
        );
        let call = outcome.received[1].message(1);
        assert!(call.contains(r#""type":"function","function":{"name":"say","arguments":"{}"}"#), "{call}");
    }
}

#[tokio::test]
async fn mixed_round__next_turn__is_one_message_with_both_calls() {
    let own = r#"{"id":"a","type":"function","function":{"name":"say","arguments":"{}"}}"#;
    let clients = r#"{"id":"b","type":"function","function":{"name":"browse","arguments":"{}"}}"#;
    let outputs = [
        r#"{"role":"tool","tool_call_id":"a","content":"\"hi\""}"#,
        r#"{"role":"tool","tool_call_id":"b","content":"x"}"#,
    ];
    for (calls, outputs) in [([own, clients], outputs), ([clients, own], [outputs[1], outputs[0]])] {
        // Only the first call has a signature, as with parallel calls of Gemini.
        let first = calls[0].replacen('{', r#"{"extra_content":{"signature":"S"},"#, 1);
        let deltas = [
            r#"{"reasoning_content":"hm"}"#,
            &format!(r#"{{"extra_content":{{"of":"message"}},"tool_calls":[{first},{}]}}"#, calls[1]),
        ];
        let server = ModelServer::start([Reply::deltas(&deltas, "tool_calls"), Reply::text(&["done"])]).await;
        let runner = chat(config(&server), vec![scripted("say", Act::Say("hi"))]);
        let mut output = Message::new("", MessageType::FunctionCallOutput);
        output.content = Some(vec![Content::data(object! { "call_id" => "b", "output" => "x" })]);
        for message in [Message::user("hi"), output] {
            let mut request = AgentRequest::new(vec![message]);
            request.session_id = Some("s".to_owned());
            declare(&mut request, "browse");
            let run = runner.start(request, RunOptions::default()).await.expect("started");
            collect(run.cursor(0)).await;
        }
        let received = server.received();
        let signed = calls[0].strip_suffix('}').expect("an object");
        let message = format!(
            r#"{{"role":"assistant","content":null,"reasoning_content":"hm","extra_content":{{"of":"message"}},"tool_calls":[{signed},"extra_content":{{"signature":"S"}}}},{}]}}"#,
            calls[1]
        );
        let messages = [1, 2, 3].map(|index| received[1].message(index));
        assert_eq!(messages, [message.as_str(), outputs[0], outputs[1]]);
    }
}

#[tokio::test]
async fn declared_tools__that_are_no_functions__are_left_out_with_a_note() {
    let log = Log::start();
    let outcome = ask_with(&[Reply::text(&["hi"])], vec![], |_, request| {
        let text =
            r#"{"input":[],"tools":[{"type":"web_search"},{"type":"local_shell"}],"tool_choice":"required"}"#;
        *request = AgentRequest::from_json(json::parse(text).expect("JSON")).expect("a request");
    })
    .await;
    assert_eq!(["tools", "tool_choice"].map(|key| outcome.received[0].body.get(key).cloned()), [None, None]);
    log.check(&[
        "left out tools of kinds that model servers do not accept: web_search, local_shell",
        "left out tool_choice, because the model has none of the tools that it means",
    ]);
}
