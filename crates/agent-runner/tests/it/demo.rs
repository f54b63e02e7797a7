//! The demo agent's answer to each kind of question.

use std::sync::Arc;

use agent_runner::agents::Demo;
use agent_runner::{RunOptions, Runner, Services};
use agent_schemas::{AgentRequest, AgentResponse, Event, Message, MessageType, Status};
use agent_services::clock::ManualClock;

use crate::summary::summary;
use crate::support::{collect, log_of, outline, runner, start};

async fn response_to(text: &str) -> AgentResponse {
    match log_of(Demo, text).await.pop() {
        Some(Event::Response(response)) => response,
        other => panic!("the log ends with {other:?}"),
    }
}

async fn check(text: &str, expected: &[&str]) {
    let response = response_to(text).await;
    assert_eq!(summary(&response), expected, "{text}");
    assert_eq!(response.status, Status::Completed);
}

#[tokio::test]
async fn demo__arithmetic__reasons_and_calls_calculator() {
    check(
        "What is 6 times 7?",
        &[
            "reasoning: This asks for 6 × 7. The calculator can tell.",
            r#"plugin_call: calculator {"expression":"6 * 7"}"#,
            "plugin_call_output: calculator 42",
            "message: 6 × 7 = 42",
        ],
    )
    .await;
    check(
        "1 / 0",
        &[
            "reasoning: This asks for 1 ÷ 0. The calculator can tell.",
            r#"plugin_call: calculator {"expression":"1 / 0"}"#,
            r#"plugin_call_output: calculator {"error":"division by zero"}"#,
            "message: I cannot work out 1 ÷ 0: division by zero.",
        ],
    )
    .await;
}

#[tokio::test]
async fn demo__answer__is_streamed() {
    let events = log_of(Demo, "What is 6 times 7?").await;
    let lines = outline(&events);
    let last_message = lines.iter().rposition(|line| line == "message in_progress").expect("a message");
    assert_eq!(
        lines[last_message..],
        [
            "message in_progress",
            "  '6 ' + in_progress",
            "  '× ' + in_progress",
            "  '7 ' + in_progress",
            "  '= ' + in_progress",
            "  '42' + in_progress",
            "  '6 × 7 = 42' completed",
            "message completed",
            "response completed"
        ]
    );
}

#[tokio::test]
async fn demo__call_and_output__share_an_id() {
    let response = response_to("6 * 7").await;
    let ids: Vec<_> = response.messages()[1..3]
        .iter()
        .map(|message| message.contents()[0].as_data().expect("data")["call_id"].clone())
        .collect();
    assert!(ids[0].as_str().is_some_and(|id| id.starts_with("call_")));
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn demo__time__comes_from_the_clock() {
    let mut services = Services::in_memory();
    services.clock = Arc::new(ManualClock::at(1_782_907_200));
    let runner = Runner::builder().agent("demo", Demo).services(services).build().expect("built");
    let events = collect(start(&runner, "What time is it?").await.cursor(0)).await;
    let Some(Event::Response(response)) = events.last() else { panic!("no response") };
    let last = response.messages().last().expect("a message");
    assert_eq!(last.text_content(), Some("It is Wednesday, 2026-07-01 12:00:00 UTC."));
}

#[tokio::test]
async fn demo__picture__is_an_image() {
    let response = response_to("Show me a picture, please").await;
    let contents = response.messages()[0].contents();
    let types: Vec<_> = contents.iter().map(|content| content.body.type_name()).collect();
    assert_eq!(types, ["text", "image"]);
    let agent_schemas::ContentBody::Image { image_url: Some(url) } = &contents[1].body else {
        panic!("no image")
    };
    assert!(url.starts_with("data:image/png;base64,iVBOR"));
    assert!(!url.contains(char::is_whitespace));
}

#[tokio::test]
async fn demo__asked_to_fail__fails() {
    let response = response_to("Please fail").await;
    let error = response.error.expect("an error");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AGENT_ERROR", "The demo agent failed, as it was asked to")
    );
    assert_eq!(response.output, None);
}

#[tokio::test]
async fn demo__other_text__explains_its_abilities() {
    let response = response_to("Sometimes I wonder").await;
    let message = &response.messages()[0];
    assert_eq!(message.kind, MessageType::Message);
    let text = message.full_text();
    for part in
        ["What is 6 times 7?", "OPENAI_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_BASE_URL", "kind = \"chat\""]
    {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[tokio::test]
async fn demo__earlier_turn__is_remembered_per_session() {
    let runner = runner(Demo);
    let ask = async |session: &str, text: &str| {
        let mut request = AgentRequest::new(vec![Message::user(text)]);
        request.session_id = Some(session.to_owned());
        request.user_id = Some("ann".to_owned());
        let run = runner.start(request, RunOptions::default()).await.expect("started");
        run.response().await.expect("it ends").messages()[0].full_text()
    };
    assert_eq!(ask("s", "What do you remember?").await, "You have not said anything in this session before.");
    ask("s", "I like figs").await;
    let remembered = ask("s", "What did I say earlier?").await;
    assert_eq!(remembered, "In this session you have said:\n- What do you remember?\n- I like figs");
    assert_eq!(ask("t", "remember").await, "You have not said anything in this session before.");
}
