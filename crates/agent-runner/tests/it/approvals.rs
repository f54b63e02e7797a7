//! Tools whose calls the user has to approve, in the hands of a model.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agent_runner::agents::{Chat, ChatConfig};
use agent_runner::testing::{FakeModel, FakeReply};
use agent_runner::tools::{McpOrigin, OfferedTool, Tool, ToolContext, ToolError, ToolSource, tool_fn};
use agent_runner::{Agent, AgentError, Recovery, RunHandle, RunOptions, Runner};
use agent_schemas::{
    AgentRequest, AgentResponse, Content, ContentBody, Error, Json, JsonObject, McpApprovalRequest,
    McpApprovalResponse, Message, MessageType, Status, object,
};
use async_trait::async_trait;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Notify;

use crate::support::{collect, final_response};

#[derive(Deserialize, JsonSchema)]
struct Mail {
    to: String,
}

/// A server with a tool that sends mails after approval, and one that needs none.
#[derive(Clone, Debug, Default)]
struct Post {
    sent: Arc<Mutex<Vec<String>>>,
    /// Whether the server has gone.
    is_gone: Arc<AtomicBool>,
    /// The first mail to this person is the last thing that the process does.
    moment: Arc<Notify>,
}

/// Whoever gets a mail with which the process dies.
const FATAL: &str = "Mort";

impl ToolSource for Post {
    fn tools(&self) -> Arc<[OfferedTool]> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Arc::default();
        }
        let post = self.clone();
        let send = tool_fn("post_send", "Sends a mail.", move |_: ToolContext, mail: Mail| {
            post.sent.lock().push(mail.to.clone());
            let moment = (mail.to == FATAL).then(|| Arc::clone(&post.moment));
            async move {
                if let Some(moment) = moment {
                    moment.notify_one();
                    pending::<()>().await;
                }
                Ok::<_, ToolError>(format!("sent to {}", mail.to))
            }
        });
        let look =
            tool_fn("look", "Looks.", |_: ToolContext, _: JsonObject| async { Ok::<_, ToolError>("seen") });
        let send: Arc<dyn Tool> = Arc::new(send);
        let look: Arc<dyn Tool> = Arc::new(look);
        [OfferedTool::of_mcp(send, McpOrigin::new("post", "send")).with_approval(), look.into()].into()
    }
}

struct World {
    runner: Runner,
    model: FakeModel,
    post: Post,
}

/// An agent whose process dies once, at a certain moment.
#[derive(Debug)]
struct Dying {
    chat: Chat,
    moment: Arc<Notify>,
}

#[async_trait]
impl Agent for Dying {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        tokio::select! {
            done = self.chat.run(run) => done,
            () = self.moment.notified() => Err(AgentError::interrupted(Error::unknown("Crash", "it died"))),
        }
    }

    fn recovery(&self) -> Recovery {
        self.chat.recovery()
    }
}

impl World {
    fn new(replies: impl IntoIterator<Item = FakeReply>) -> Self {
        World::with(replies, Post::default())
    }

    fn with(replies: impl IntoIterator<Item = FakeReply>, post: Post) -> Self {
        let model = FakeModel::new(replies);
        let chat = model.chat(ChatConfig::new("fake"), Vec::new()).expect("good settings");
        let chat = chat.with_tools_of(Arc::new(post.clone()));
        let agent = Dying { chat, moment: Arc::clone(&post.moment) };
        let runner = Runner::builder().agent("chat", agent).build().expect("built");
        World { runner, model, post }
    }

    async fn send(&self, input: Message) -> AgentResponse {
        let mut request = AgentRequest::new(vec![input]);
        request.user_id = Some("ann".to_owned());
        request.session_id = Some("s".to_owned());
        let run = self.runner.start(request, RunOptions::default()).await.expect("started");
        let response = final_response(&collect(run.cursor(0)).await).clone();
        assert_eq!(response.status, Status::Completed, "{response:?}");
        response
    }

    fn sent(&self) -> Vec<String> {
        self.post.sent.lock().clone()
    }

    /// The roles and texts of the model's last request, from this position on.
    fn last_request(&self, from: usize) -> Vec<String> {
        let request = self.model.requests().pop().expect("a request");
        let text = |message: &Json| {
            let member = |key: &str| message.get(key).map(ToString::to_string).unwrap_or_default();
            format!("{} {}", member("role"), member("content")).replace('"', "")
        };
        request.messages().iter().skip(from).map(text).collect()
    }
}

fn mail_to(to: &str) -> FakeReply {
    FakeReply::tool_call("post_send", object! { "to" => to })
}

fn kinds(response: &AgentResponse) -> Vec<String> {
    response.messages().iter().map(|message| message.kind.to_string()).collect()
}

/// The request for approval at the end of a response.
fn request(asked: &AgentResponse) -> McpApprovalRequest {
    let message = asked.messages().last().expect("a request");
    assert_eq!(message.kind, MessageType::McpApprovalRequest);
    McpApprovalRequest::from_data(message.contents()[0].as_data().expect("data")).expect("a request")
}

fn answer(asked: &AgentResponse, approve: bool) -> Message {
    let id = request(asked).id;
    let response = McpApprovalResponse {
        approval_request_id: id,
        approve,
        id: None,
        reason: Some("not her".to_owned()),
    };
    let mut message = Message::user("");
    message.kind = MessageType::McpApprovalResponse;
    message.content = Some(vec![Content::new(ContentBody::Data { data: Some(response.into_data()) })]);
    message
}

#[tokio::test]
async fn call__that_is_approved__is_made_once_and_the_turn_goes_on() {
    let world = World::new([mail_to("Bob"), FakeReply::text("Done."), FakeReply::text("Hello.")]);
    let asked = world.send(Message::user("Write to Bob.")).await;
    let McpApprovalRequest { name, server_label, arguments, .. } = request(&asked);
    assert_eq!((&*name, &*server_label, &*arguments), ("send", "post", r#"{"to":"Bob"}"#));
    assert_eq!(world.sent(), [""; 0]);

    let done = world.send(answer(&asked, true)).await;
    assert_eq!(kinds(&done), ["mcp_call", "mcp_call_output", "message"]);
    assert_eq!(world.sent(), ["Bob"]);
    let expected =
        ["assistant May I call send with {\\to\\:\\Bob\\}?", "assistant null", "tool \\sent to Bob\\"];
    assert_eq!(world.last_request(1), expected);

    world.send(Message::user("Hi.")).await;
    assert_eq!(world.sent(), ["Bob"]);
}

#[tokio::test]
async fn call__that_is_refused_or_passed_over__is_not_made() {
    for refusal in [None, Some("Wait a moment.")] {
        let world = World::new([mail_to("Eve"), FakeReply::text("As you wish.")]);
        let asked = world.send(Message::user("Write to Eve.")).await;
        let input = refusal.map_or_else(|| answer(&asked, false), Message::user);
        let done = world.send(input).await;
        assert_eq!(kinds(&done), ["mcp_call", "mcp_call_output", "message"]);
        assert_eq!(world.sent(), [""; 0]);
        let why = refusal.unwrap_or("not her");
        let last = world.last_request(1).pop().expect("the output");
        assert!(last.contains(&format!("the user has not approved this call: {why}")), "{last}");
    }
}

#[tokio::test]
async fn calls__several_in_one_answer__are_asked_for_one_by_one() {
    let both = mail_to("Ann")
        .with_tool_call("look", JsonObject::new())
        .with_tool_call("post_send", object! { "to" => "Bob" });
    let world = World::new([both, FakeReply::text("Done.")]);
    let first = world.send(Message::user("Write to both.")).await;
    assert_eq!(request(&first).arguments, r#"{"to":"Ann"}"#);
    // The call that needs no approval was made.
    assert_eq!(kinds(&first)[1..3], ["plugin_call", "plugin_call_output"]);
    let second = world.send(answer(&first, true)).await;
    assert_eq!(request(&second).arguments, r#"{"to":"Bob"}"#);
    assert_eq!(world.sent(), [""; 0]);
    let done = world.send(Message::user("yes")).await;
    assert_eq!(done.messages().last().map(Message::full_text).as_deref(), Some("Done."));
    assert_eq!(world.sent(), ["Ann", "Bob"]);
}

#[tokio::test]
async fn calls__in_later_rounds_of_a_turn__are_asked_for_again() {
    let world = World::new([mail_to("Ann"), mail_to("Bob"), FakeReply::text("Done.")]);
    let first = world.send(Message::user("Write to both.")).await;
    let second = world.send(answer(&first, true)).await;
    assert_eq!(world.sent(), ["Ann"]);
    assert_eq!(request(&second).arguments, r#"{"to":"Bob"}"#);
    let done = world.send(answer(&second, true)).await;
    assert_eq!(done.messages().last().map(Message::full_text).as_deref(), Some("Done."));
    assert_eq!(world.sent(), ["Ann", "Bob"]);
}

#[tokio::test]
async fn approval__of_a_call__is_none_of_a_later_call_with_its_id() {
    let same = |to: &str| mail_to(to).with_call_members(object! { "id" => "call_1" });
    let world = World::new([same("Ann"), same("Eve"), FakeReply::text("Done.")]);
    let first = world.send(Message::user("Write to Ann.")).await;
    let second = world.send(answer(&first, true)).await;
    assert_eq!(world.sent(), ["Ann"]);
    assert_eq!(request(&second).arguments, r#"{"to":"Eve"}"#);
    world.send(answer(&second, false)).await;
    assert_eq!(world.sent(), ["Ann"]);
}

#[tokio::test]
async fn approval__tool_has_gone__tells_the_model() {
    let world = World::new([mail_to("Bob"), FakeReply::text("It is not possible.")]);
    let asked = world.send(Message::user("Write to Bob.")).await;
    world.post.is_gone.store(true, Ordering::Relaxed);
    let done = world.send(answer(&asked, true)).await;
    assert_eq!(done.messages().last().map(Message::full_text).as_deref(), Some("It is not possible."));
    let told = world.last_request(1).pop().expect("an output");
    assert!(told.contains("Tool not found: post_send"), "{told}");
}

#[tokio::test]
async fn approved_call__process_dies__is_not_made_again() {
    let both = mail_to(FATAL).with_tool_call("post_send", object! { "to" => "Bob" });
    let world = World::new([both, FakeReply::text("Who knows.")]);
    let first = world.send(Message::user("Write to both.")).await;
    let second = world.send(answer(&first, true)).await;
    let done = world.send(answer(&second, true)).await;
    assert_eq!(done.messages().last().map(Message::full_text).as_deref(), Some("Who knows."));
    // Both calls began before the process died, and each is shown once.
    assert_eq!(world.sent(), [FATAL, "Bob"]);
    assert_eq!(kinds(&done), ["mcp_call", "mcp_call", "mcp_call_output", "mcp_call_output", "message"]);
    let told = world.last_request(1);
    let unknown = told.iter().filter(|text| text.contains("it is not known whether the call took effect"));
    assert_eq!(unknown.count(), 2, "{told:?}");
}

#[tokio::test]
async fn approved_call__with_members_of_its_model_server__keeps_them_in_later_turns() {
    let signature =
        object! { "extra_content" => object! { "google" => object! { "thought_signature" => "s" } } };
    let signed = mail_to("Bob").with_call_members(signature);
    let world = World::new([signed, FakeReply::text("Done."), FakeReply::text("Hello.")]);
    let asked = world.send(Message::user("Write to Bob.")).await;
    world.send(answer(&asked, true)).await;
    world.send(Message::user("Hi.")).await;
    let last = world.model.requests().pop().expect("a request").body.to_string();
    assert!(last.contains("\"thought_signature\":\"s\""), "{last}");
}
