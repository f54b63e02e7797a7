//! Questions to the user: they end a run, and the answer starts the next one.

use std::sync::Arc;

use agent_runner::{
    Agent, AgentError, Question, QuestionInput, RunHandle, RunOptions, Runner, StepEffect, agent_fn,
};
use agent_schemas::{
    AgentRequest, AgentResponse, Content, ContentBody, Json, McpApprovalResponse, Message, MessageType, Role,
    Status, object,
};
use async_trait::async_trait;
use parking_lot::Mutex;

use crate::support::{collect, final_response};

/// Writes a draft, asks for a recipient and for approval, and sends it.
#[derive(Clone, Debug, Default)]
struct Mailer {
    taken: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Agent for Mailer {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let take = |what: String| {
            self.taken.lock().push(what.clone());
            what
        };
        let draft = run.step("draft", StepEffect::Pure, async || Ok(take("draft".to_owned()))).await?;
        let to = run.ask(Question::new("to", "To whom?")).await?.text;
        let question = Question::new("send", format!("Shall I send {draft} to {to}?"));
        let question = question.for_approval("send", object! { "to" => to.clone() }.into());
        let answer = run.ask(question).await?;
        if !answer.approved {
            run.say(&format!("Not sent: {}", answer.text));
            return Ok(());
        }
        let sent = run.step("send", StepEffect::Once, async || Ok(take(format!("sent to {to}")))).await?;
        run.say(&sent);
        Ok(())
    }
}

struct World {
    runner: Runner,
    mailer: Mailer,
}

impl World {
    fn new() -> Self {
        let mailer = Mailer::default();
        let runner = Runner::builder().agent("mailer", mailer.clone()).build().expect("one agent");
        World { runner, mailer }
    }

    async fn send(&self, user: &str, input: Vec<Message>, options: RunOptions) -> AgentResponse {
        let mut request = AgentRequest::new(input);
        request.user_id = Some(user.to_owned());
        request.session_id = options.keep_history.then(|| "s".to_owned());
        let run = self.runner.start(request, options).await.expect("started");
        final_response(&collect(run.cursor(0)).await).clone()
    }

    async fn say(&self, text: &str) -> AgentResponse {
        self.send("ann", vec![Message::user(text)], RunOptions::default()).await
    }

    fn taken(&self) -> Vec<String> {
        self.mailer.taken.lock().clone()
    }
}

/// The response to the request for approval at the end of a response.
fn approval(asked: &AgentResponse, approve: bool) -> Message {
    let request = asked.messages().last().expect("a request");
    assert_eq!(request.kind, MessageType::McpApprovalRequest);
    let data = request.contents()[0].as_data().expect("data");
    assert_eq!(data.get("arguments").and_then(Json::as_str), Some(r#"{"to":"Bob"}"#));
    let id = data.get("id").and_then(Json::as_str).expect("an id").to_owned();
    let response =
        McpApprovalResponse { approval_request_id: id, approve, id: None, reason: Some("so".to_owned()) };
    let mut message = Message::user("");
    message.kind = MessageType::McpApprovalResponse;
    message.content = Some(vec![Content::new(ContentBody::Data { data: Some(response.into_data()) })]);
    message
}

fn text(response: &AgentResponse) -> String {
    assert_eq!(response.status, Status::Completed, "{response:?}");
    response.messages().iter().map(Message::full_text).collect()
}

#[tokio::test]
async fn answers__in_a_session__continue_the_turn() {
    let world = World::new();
    assert_eq!(text(&world.say("Write a mail").await), "To whom?");
    assert_eq!(text(&world.say("Bob").await), "Shall I send draft to Bob?");
    assert_eq!(text(&world.say("Yes.").await), "sent to Bob");
    assert_eq!(world.taken(), ["draft", "sent to Bob"], "no step is taken twice");
    assert_eq!(text(&world.say("Another one").await), "To whom?", "the next turn begins anew");
    assert_eq!(world.taken(), ["draft", "sent to Bob", "draft"]);
}

#[tokio::test]
async fn approval__as_a_response__counts_once() {
    let world = World::new();
    world.say("Write a mail").await;
    let asked = world.say("Bob").await;
    let answer = approval(&asked, true);
    let send = |user: &'static str| world.send(user, vec![answer.clone()], RunOptions::default());
    for user in ["bob", ""] {
        let stranger = send(user).await;
        assert_eq!(stranger.error.expect("refused").code, "QUESTION_CLOSED", "it is not their question");
    }
    let (one, two) = tokio::join!(send("ann"), send("ann"));
    let codes = [&one, &two].map(|response| response.error.as_ref().map(|error| error.code.as_str()));
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 1, "{codes:?}");
    assert!(codes.contains(&Some("QUESTION_CLOSED")));
    assert_eq!(world.taken(), ["draft", "sent to Bob"]);
}

#[tokio::test]
async fn approval__denied__is_an_answer() {
    let world = World::new();
    world.say("Write a mail").await;
    let asked = world.say("Bob").await;
    let denied = world.send("ann", vec![approval(&asked, false)], RunOptions::default()).await;
    assert_eq!(text(&denied), "Not sent: so");
    assert_eq!(world.taken(), ["draft"]);
}

#[tokio::test]
async fn answer__to_a_response_that_is_continued__needs_no_session() {
    let world = World::new();
    let mut previous = None;
    for (answer, expected) in [
        ("Write a mail", "To whom?"),
        ("Bob", "Shall I send draft to Bob?"),
        ("yes", "sent to Bob"),
        ("Once more", "To whom?"),
    ] {
        let context = match &previous {
            Some(id) => Some(world.runner.context(id, |_| true).await.expect("kept")),
            None => None,
        };
        let request = AgentRequest::new(vec![Message::user(answer)]);
        let options = RunOptions::default().without_history();
        let run = world.runner.start_with(request, options, context).await.expect("started");
        assert_eq!(text(final_response(&collect(run.cursor(0)).await)), expected);
        previous = Some(run.id().clone());
    }
    assert_eq!(world.taken(), ["draft", "sent to Bob", "draft"], "the next turn uses no old answer");
}

#[tokio::test]
async fn conversation__sent_whole__has_the_answers() {
    let world = World::new();
    let assistant = |text: &str| {
        let mut message = Message::user(text);
        message.role = Some(Role::Assistant);
        message
    };
    let mut conversation = vec![Message::user("Write a mail")];
    for (question, answer) in [("To whom?", "Bob"), ("Shall I send draft to Bob?", "yes")] {
        let asked = world.send("", conversation.clone(), RunOptions::default().without_history()).await;
        assert_eq!(text(&asked), question);
        conversation.extend([assistant(question), Message::user(answer)]);
    }
    let sent = world.send("", conversation.clone(), RunOptions::default().without_history()).await;
    assert_eq!(text(&sent), "sent to Bob");
    conversation.extend([assistant("sent to Bob"), Message::user("Once more")]);
    let asked = world.send("", conversation, RunOptions::default().without_history()).await;
    assert_eq!(text(&asked), "Shall I send draft to Bob?", "an approval is not used twice");
}

/// A user's answer to the question of a response, with the results of its inputs.
fn inputs(asked: &AgentResponse, results: Json) -> Message {
    let metadata = asked.messages().last().and_then(|last| last.metadata.clone()).expect("metadata");
    let inputs = metadata.get("inputs").and_then(Json::as_object).expect("inputs");
    let methods: Vec<_> =
        inputs.values().map(|input| input.as_object().expect("a request")["method"].clone()).collect();
    assert_eq!(methods, ["elicitation/create", "roots/list"].map(Json::from));
    let mut message = Message::user("");
    message.content = Some(vec![Content::data(results.as_object().expect("an object").clone())]);
    message.metadata = Some(object! { "question" => metadata["question"].clone() });
    message
}

#[tokio::test]
async fn question__with_inputs__gets_their_results() {
    let agent = agent_fn(|run: RunHandle| async move {
        let schema = object! { "type" => "object", "properties" => object! { "name" => object! { "type" => "string" } } };
        let question = Question::new("who", "Who are you?")
            .with_input("person", QuestionInput::form("Your name?", schema))
            .with_input("roots", QuestionInput::of_client("roots/list", Default::default()));
        let answer = run.ask(question).await?;
        let name = answer.form("person").and_then(|form| form.get("name").cloned());
        run.say(&format!("{} {name:?} {}", answer.approved, answer.inputs.contains_key("roots")));
        Ok(())
    });
    let runner = Runner::builder().agent("asker", agent).build().expect("one agent");
    let send = async |message: Message, session: &str| {
        let mut request = AgentRequest::new(vec![message]);
        request.session_id = Some(session.to_owned());
        let run = runner.start(request, RunOptions::default()).await.expect("started");
        final_response(&collect(run.cursor(0)).await).clone()
    };
    let accepted = object! { "action" => "accept", "content" => object! { "name" => "Ann" } };
    let declined = object! { "action" => "decline" };
    for (result, expected) in [(accepted, "true Some(String(\"Ann\")) true"), (declined, "false None true")] {
        let asked = send(Message::user("hi"), expected).await;
        let results = object! { "person" => result, "roots" => object! { "roots" => Vec::<Json>::new() } };
        let answered = send(inputs(&asked, results.into()), expected).await;
        assert_eq!(text(&answered), expected);
    }
}
