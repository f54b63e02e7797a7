//! Scripted agents and collected runs.

use agent_runner::testing::{CollectedRun, ScriptedAgent, collect, collect_from};
use agent_runner::{Agent, Recovery, Runner, agent_fn};
use agent_schemas::{AgentRequest, Error, Message, Status, object};

fn request() -> AgentRequest {
    AgentRequest::new(vec![Message::user("hi")])
}

#[tokio::test]
async fn scripted_agent__steps__are_written_in_order() {
    let agent = ScriptedAgent::new()
        .with_reasoning("Let me see.")
        .with_tool_call("look", object! { "at" => "sky" }, object! { "color" => "blue" })
        .with_text("It is")
        .with_client_tool_call("show", object! {});
    let run = collect(agent, request()).await;
    assert_eq!(*run.status(), Status::Completed);
    assert_eq!((run.reasoning().as_str(), run.text().as_str()), ("Let me see.", "It is"));
    let calls = run.tool_calls();
    let shown: Vec<_> = calls.iter().map(|call| (call.name.as_deref(), call.arguments.as_deref())).collect();
    assert_eq!(shown, [(Some("look"), Some(r#"{"at":"sky"}"#)), (Some("show"), Some("{}"))]);
    let outline = run.outline();
    assert_eq!(
        outline[..5],
        [
            "response created",
            "response in_progress",
            "reasoning in_progress",
            "  'Let ' + in_progress",
            "  'me ' + in_progress",
        ]
    );
    assert!(outline.contains(&"plugin_call_output completed".to_owned()), "{outline:?}");
}

#[tokio::test]
async fn scripted_agent__error_step__fails() {
    let error = Error::ModelTimeout { model_name: "m".to_owned(), timeout: 3 };
    let run = collect(ScriptedAgent::new().with_text("half").with_error(error), request()).await;
    assert_eq!((run.status(), run.text().as_str()), (&Status::Failed, "half"));
    assert_eq!(run.error().expect("an error").0, "MODEL_TIMEOUT");
}

#[tokio::test]
async fn scripted_agent__wait_step__ends_when_canceled() {
    let agent = ScriptedAgent::new().with_text("so far").with_wait_for_cancel().with_text("never");
    let runner = Runner::builder().agent("a", agent).build().expect("built");
    let run = runner.start(request(), Default::default()).await.expect("started");
    run.cancel();
    let run = CollectedRun::read(&run).await;
    assert_eq!(*run.status(), Status::Canceled);
}

#[tokio::test]
async fn collect_from__same_runner__shares_a_session() {
    let agent = agent_fn(|run: agent_runner::RunHandle| async move {
        let earlier = run.history(Default::default()).await?.len();
        run.say(&earlier.to_string());
        Ok(())
    });
    let runner = Runner::builder().agent("counter", agent).build().expect("built");
    for expected in ["0", "2", "4"] {
        let mut request = request();
        request.session_id = Some("s".to_owned());
        assert_eq!(collect_from(&runner, request).await.text(), expected);
    }
}

#[test]
fn scripted_agent__recovery__is_as_configured() {
    assert_eq!(ScriptedAgent::new().recovery(), Recovery::GiveUp);
    assert_eq!(ScriptedAgent::new().with_recovery(Recovery::Continue).recovery(), Recovery::Continue);
}
