//! Random behavior of an agent: proptest generates the steps, and a [`ScriptedAgent`] executes them.

use std::collections::HashSet;
use std::sync::Arc;

use agent_runner::{Agent, AgentError, DataWriter, MessageWriter, RunHandle, TextWriter, ToolCallWriter};
use agent_schemas::{
    AgentResponse, Content, ContentBody, Error, ErrorBody, Event, Json, JsonObject, Message, MessageType,
    Role, Status, object,
};
use async_trait::async_trait;
use parking_lot::Mutex;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// One step of an agent. Numbers choose among the existing writers, modulo their count.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Open(MessageType, Role),
    Say(String),
    Text(usize),
    Refusal(usize),
    Data(usize),
    Put(usize, ContentBody),
    Delta(usize, String),
    DataDelta(usize, JsonObject),
    DataSet(usize, JsonObject),
    CloseText(usize),
    CloseData(usize),
    Usage(usize, JsonObject),
    Metadata(usize, JsonObject),
    CloseMessage(usize),
    FailMessage(usize),
    Drop(usize),
    ToolCall(Vec<String>, Option<String>),
    ToolOutput(String),
    Emit(Event),
    /// The same with the id of a writer's message.
    EmitInto(usize, Event),
    Yield,
}

/// How the agent's own task ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Return,
    Known,
    Unknown,
    Panic,
    /// It waits for its cancellation and stops.
    WaitForCancel,
    /// It never ends and must be dropped.
    Stuck,
}

#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) own: Vec<Action>,
    /// The steps of a second, concurrent task.
    pub(crate) other: Vec<Action>,
    pub(crate) end: End,
    /// After how many batches the reader cancels the run; waiting scripts are always cancelled.
    pub(crate) cancel_after: Option<usize>,
    pub(crate) log_bytes: usize,
}

pub(crate) fn script() -> impl Strategy<Value = Script> {
    let ends = [End::Return, End::Known, End::Unknown, End::Panic, End::WaitForCancel, End::Stuck];
    let log_bytes = prop_oneof![4 => Just(64 << 20), 1 => 0_usize..20_000];
    let cancel_after = prop_oneof![3 => Just(None), 1 => (0_usize..4).prop_map(Some)];
    (vec(action(), 0..40), vec(action(), 0..12), select(ends.to_vec()), cancel_after, log_bytes).prop_map(
        |(own, other, end, cancel_after, log_bytes)| Script { own, other, end, cancel_after, log_bytes },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let at = || 0_usize..6;
    prop_oneof![
        6 => (select(kinds()), select(roles())).prop_map(|(kind, role)| Action::Open(kind, role)),
        1 => text().prop_map(Action::Say),
        5 => at().prop_map(Action::Text),
        1 => at().prop_map(Action::Refusal),
        2 => at().prop_map(Action::Data),
        2 => (at(), body()).prop_map(|(at, body)| Action::Put(at, body)),
        12 => (at(), text()).prop_map(|(at, text)| Action::Delta(at, text)),
        4 => (at(), data()).prop_map(|(at, data)| Action::DataDelta(at, data)),
        2 => (at(), data()).prop_map(|(at, data)| Action::DataSet(at, data)),
        2 => at().prop_map(Action::CloseText),
        1 => at().prop_map(Action::CloseData),
        1 => (at(), data()).prop_map(|(at, data)| Action::Usage(at, data)),
        1 => (at(), data()).prop_map(|(at, data)| Action::Metadata(at, data)),
        3 => at().prop_map(Action::CloseMessage),
        1 => at().prop_map(Action::FailMessage),
        1 => at().prop_map(Action::Drop),
        1 => (vec(text(), 0..3), option::of(text())).prop_map(|(parts, whole)| Action::ToolCall(parts, whole)),
        1 => text().prop_map(Action::ToolOutput),
        12 => event().prop_map(Action::Emit),
        1 => (at(), event()).prop_map(|(at, event)| Action::EmitInto(at, event)),
        6 => Just(Action::Yield),
    ]
}

/// Texts that are hard to write on one line of JSON.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let hard = [
        "",
        " ",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\"",
        "\\",
        "\\\"",
        "\n",
        "\r\n",
        "\n\n",
        "data: {}\n\n",
        "id: 7\n",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\u{feff}",
        "</script>",
        "é",
        "你好",
        "🚀",
        "e\u{301}",
        "\u{c2}\u{85}",
        "\\u2028",
        "null",
        "]}",
        "\u{10ffff}",
    ];
    let hard = select(hard.map(str::to_owned).to_vec());
    prop_oneof![4 => hard.clone(), 2 => ".{0,12}", 1 => vec(hard, 0..6).prop_map(|parts| parts.concat())]
}

fn json() -> impl Strategy<Value = Json> {
    let numbers =
        ["0", "-0.0", "1e400", "123456789012345678901234567890", "1.50", "9223372036854775807", "1"];
    let number = select(numbers.to_vec())
        .prop_map(|digits| agent_schemas::json::parse(digits).expect("these are numbers"));
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number,
        text().prop_map(Json::String),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::Array),
            vec((key(), inner), 0..3).prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(vec!["a", "b", "arguments"]).prop_map(str::to_owned), 1 => text()]
}

fn data() -> impl Strategy<Value = JsonObject> {
    vec((key(), json()), 0..4).prop_map(|members| members.into_iter().collect())
}

fn body() -> impl Strategy<Value = ContentBody> {
    let maybe = || option::weighted(0.8, text());
    prop_oneof![
        maybe().prop_map(|text| ContentBody::Text { text }),
        maybe().prop_map(|image_url| ContentBody::Image { image_url }),
        option::weighted(0.8, data()).prop_map(|data| ContentBody::Data { data }),
        (maybe(), maybe()).prop_map(|(data, format)| ContentBody::Audio { data, format }),
        (maybe(), maybe(), maybe(), maybe()).prop_map(|(file_url, file_id, filename, file_data)| {
            ContentBody::File { file_url, file_id, filename, file_data }
        }),
        maybe().prop_map(|refusal| ContentBody::Refusal { refusal }),
        maybe().prop_map(|video_url| ContentBody::Video { video_url }),
    ]
}

fn kinds() -> Vec<MessageType> {
    ["message", "reasoning", "plugin_call", "mcp_call_output", "heartbeat", "error", "\"\n\u{2028}"]
        .map(MessageType::from)
        .to_vec()
}

fn roles() -> Vec<Role> {
    vec![Role::Assistant, Role::User, Role::System, Role::Tool]
}

fn status() -> impl Strategy<Value = Status> {
    let names = [
        "created",
        "queued",
        "in_progress",
        "in_progress",
        "in_progress",
        "completed",
        "completed",
        "completed",
        "canceled",
        "failed",
        "rejected",
        "incomplete",
        "unknown",
        "weird \u{2028}",
    ];
    select(names.map(Status::from).to_vec())
}

/// Ids that events refer to: a few recurring ones, an empty one, and difficult ones.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(vec!["a", "b", "c", ""]).prop_map(str::to_owned), 1 => text()]
}

fn index() -> impl Strategy<Value = Option<i64>> {
    select(vec![
        None,
        Some(0),
        Some(0),
        Some(0),
        Some(1),
        Some(2),
        Some(-1),
        Some(7),
        Some(i64::MAX),
        Some(i64::MIN),
    ])
}

fn error() -> impl Strategy<Value = Option<ErrorBody>> {
    option::weighted(0.2, (text(), text()).prop_map(|(code, message)| ErrorBody::new(code, message)))
}

fn content() -> impl Strategy<Value = Content> {
    let delta = select(vec![None, Some(true), Some(true), Some(false)]);
    let message = option::weighted(0.9, id());
    (body(), index(), option::of(status()), delta, message, error(), option::of(any::<i64>())).prop_map(
        |(body, index, status, delta, msg_id, error, number)| {
            let mut content = Content::new(body);
            (content.index, content.status, content.delta) = (index, status, delta);
            (content.msg_id, content.error, content.sequence_number) = (msg_id, error, number);
            content
        },
    )
}

/// Any event, valid or not.
fn event() -> impl Strategy<Value = Event> {
    let heads = (id(), select(kinds()), option::of(select(roles())), status(), error());
    let rests =
        (option::of(vec(content(), 0..3)), option::of(data()), option::of(data()), option::of(text()));
    let message =
        (heads, rests).prop_map(|((id, kind, role, status, error), (contents, usage, metadata, code))| {
            let mut message = Message::new(id, kind);
            (message.role, message.status, message.error) = (role, status, error);
            (message.content, message.usage, message.metadata) = (contents, usage, metadata);
            message.message.clone_from(&code);
            message.code = code;
            message
        });
    let response = (id(), status()).prop_map(|(id, status)| {
        let mut response = AgentResponse::new(id, 7);
        response.status = status;
        response
    });
    prop_oneof![
        8 => content().prop_map(Event::Content),
        6 => message.prop_map(Event::Message),
        1 => response.prop_map(Event::Response),
        1 => json().prop_map(Event::Other),
    ]
}

/// Executes its script.
#[derive(Debug)]
pub(crate) struct ScriptedAgent {
    pub(crate) script: Script,
    /// The messages whose contents were only appended to or replaced.
    pub(crate) strict: Arc<Mutex<HashSet<String>>>,
}

#[async_trait]
impl Agent for ScriptedAgent {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        let other = {
            let (run, actions) = (run.clone(), self.script.other.clone());
            let strict = Arc::clone(&self.strict);
            #[expect(
                clippy::disallowed_methods,
                reason = "agents may spawn tasks of their own; this one does"
            )]
            tokio::spawn(async move { perform(&run, actions, &strict).await })
        };
        let _writers = perform(&run, self.script.own.clone(), &self.strict).await;
        match self.script.end {
            End::Return => {
                let _late = other.await;
                Ok(())
            }
            End::Known => Err(Error::ModelTimeout { model_name: "m \u{2028}".into(), timeout: 3 }.into()),
            End::Unknown => Err("x".parse::<u8>().expect_err("no number").into()),
            End::Panic => std::panic::resume_unwind(Box::new("\"boom\"\n\u{2029}")),
            End::WaitForCancel => {
                run.cancelled().await;
                Ok(())
            }
            End::Stuck => std::future::pending().await,
        }
    }
}

#[derive(Default)]
struct Writers {
    messages: Vec<MessageWriter>,
    texts: Vec<TextWriter>,
    data: Vec<DataWriter>,
    calls: Vec<ToolCallWriter>,
}

async fn perform(run: &RunHandle, actions: Vec<Action>, strict: &Mutex<HashSet<String>>) -> Writers {
    let mut writers = Writers::default();
    for action in actions {
        match action {
            Action::Yield => tokio::task::yield_now().await,
            Action::Open(kind, role) => {
                let message = run.open(kind, role);
                strict.lock().insert(message.id().to_owned());
                writers.messages.push(message);
            }
            Action::Say(text) => run.say(&text),
            Action::ToolOutput(output) => run.tool_output("call", "tool", output),
            Action::Emit(event) => run.emit(event),
            Action::EmitInto(at, event) => {
                let id = pick(&mut writers.messages, at).map(|message| message.id().to_owned());
                let Some(id) = id else { continue };
                strict.lock().remove(&id);
                run.emit(with_id(event, id));
            }
            Action::ToolCall(parts, whole) => {
                let mut call = run.tool_call(run.new_call_id(), "tool");
                parts.iter().for_each(|part| call.arguments_delta(part));
                match whole {
                    Some(whole) => call.complete(whole),
                    None => writers.calls.push(call),
                }
            }
            action => writers.perform(action),
        }
    }
    writers
}

impl Writers {
    fn perform(&mut self, action: Action) {
        match action {
            Action::Text(at) => self.texts.extend(pick(&mut self.messages, at).map(|message| message.text())),
            Action::Refusal(at) => {
                self.texts.extend(pick(&mut self.messages, at).map(|message| message.refusal()));
            }
            Action::Data(at) => self.data.extend(pick(&mut self.messages, at).map(|message| message.data())),
            Action::Put(at, body) => with(&mut self.messages, at, |message| message.put(body)),
            Action::Usage(at, usage) => with(&mut self.messages, at, |message| message.set_usage(usage)),
            Action::Metadata(at, data) => with(&mut self.messages, at, |message| message.set_metadata(data)),
            Action::Delta(at, text) => with(&mut self.texts, at, |writer| writer.delta(&text)),
            Action::DataDelta(at, data) => with(&mut self.data, at, |writer| writer.delta(data)),
            Action::DataSet(at, data) => with(&mut self.data, at, |writer| writer.set(data)),
            Action::CloseText(at) => take(&mut self.texts, at).into_iter().for_each(TextWriter::complete),
            Action::CloseData(at) => take(&mut self.data, at).into_iter().for_each(DataWriter::complete),
            Action::CloseMessage(at) => {
                take(&mut self.messages, at).into_iter().for_each(MessageWriter::complete);
            }
            Action::FailMessage(at) => take(&mut self.messages, at).into_iter().for_each(|message| {
                message.fail(ErrorBody::new("E\u{85}", "failed\n"));
            }),
            Action::Drop(at) => drop(take(&mut self.messages, at)),
            other => unreachable!("{other:?} needs no writer"),
        }
    }
}

fn with_id(event: Event, id: String) -> Event {
    match event {
        Event::Message(mut message) => {
            message.id = id;
            message.into()
        }
        Event::Content(mut content) => {
            content.msg_id = Some(id);
            content.into()
        }
        other => other,
    }
}

fn pick<T>(writers: &mut [T], at: usize) -> Option<&mut T> {
    let count = writers.len();
    writers.get_mut(at.checked_rem(count)?)
}

fn with<T>(writers: &mut [T], at: usize, act: impl FnOnce(&mut T)) {
    if let Some(writer) = pick(writers, at) {
        act(writer);
    }
}

fn take<T>(writers: &mut Vec<T>, at: usize) -> Option<T> {
    let at = at.checked_rem(writers.len())?;
    Some(writers.remove(at))
}

/// A data delta with one string, like streamed tool arguments.
pub(crate) fn arguments(part: &str) -> JsonObject {
    object! { "arguments" => part }
}
