//! The steps of a turn, for the agent itself and for other agents.

use agent_schemas::{AgentRequest, Error, FunctionCall, Message, MessageType};
use tracing::Instrument;

use super::Chat;
use super::answer::{Answer, Round};
use super::calls::CallIds;
use super::client_call::ClientCall;
use super::context::{self, Context};
use super::failure::Failure;
use super::lenient::Halves;
use super::listing;
use super::request::{Conversation, choose_model};
use super::toolbox::Toolbox;
use super::wire::Chunk;
use crate::{AgentError, RunHandle};

/// A turn of a [`Chat`] agent, which another agent takes step by step: it can decide before each step, add messages,
/// and stop at any time. [`Chat::begin`] begins a turn.
///
/// ```
/// use agent_runner::agents::Chat;
/// use agent_runner::{Agent, AgentError, RunHandle};
/// use agent_schemas::Message;
///
/// /// Lets a model work with its tools, and then summarizes what it said in a message of its own.
/// #[derive(Debug)]
/// struct Summarizer(Chat);
///
/// #[async_trait::async_trait]
/// impl Agent for Summarizer {
///     async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
///         let mut turn = self.0.begin(&run).await?;
///         let text = loop {
///             let answer = turn.call_model().await?;
///             let text = answer.text().to_owned();
///             if !turn.run_tools(answer).await? {
///                 break text;
///             }
///             turn.add_messages(&[Message::user("Call no tool twice.")]);
///         };
///         let question = Message::user(format!("Summarize in three words: {text}"));
///         let summary = self.0.complete(&run, &[question]).await?;
///         run.say(&summary);
///         Ok(())
///     }
/// }
/// # use agent_runner::Services;
/// # use agent_runner::agents::ChatConfig;
/// # use agent_runner::testing::{FakeModel, FakeReply, collect};
/// # use agent_runner::tools::built_in;
/// # use agent_schemas::{AgentRequest, object};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = FakeModel::new([
/// #     FakeReply::tool_call("calculator", object! { "expression" => "6 * 7" }),
/// #     FakeReply::text("It is 42."),
/// #     FakeReply::text("The answer: 42"),
/// # ]);
/// # let chat = model.chat(ChatConfig::new("fake"), built_in(&Services::in_memory()))?;
/// # let run = collect(Summarizer(chat), AgentRequest::new(vec![Message::user("What is 6 times 7?")])).await;
/// # assert_eq!(run.text(), "It is 42.\nThe answer: 42");
/// # assert_eq!(model.requests()[1].last_text(), "Call no tool twice.");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ChatTurn<'a> {
    chat: &'a Chat,
    pub(super) run: &'a RunHandle,
    model: &'a str,
    pub(super) toolbox: Toolbox,
    pub(super) conversation: Conversation,
    pub(super) ids: CallIds,
    /// How often calls were held in this turn, including the runs before that it continues.
    pub(super) held: usize,
}

/// A model's answer in a [`ChatTurn`]. It has already been written to the run.
#[derive(Debug)]
pub struct ChatAnswer {
    round: Round,
    calls: Vec<FunctionCall>,
}

impl ChatAnswer {
    /// The text, which is empty if the model only called tools.
    pub fn text(&self) -> &str {
        &self.round.text
    }

    /// The calls of the server's tools.
    pub fn tool_calls(&self) -> &[FunctionCall] {
        &self.calls
    }
}

impl Chat {
    /// Begins a turn: reads the session's history and the user's memories, as the settings say. If the request answers
    /// whether a tool may be called, continues with that call.
    ///
    /// # Errors
    /// The error of a store that failed, or one that ends the run because the user is asked something else
    /// ([`AgentError::is_waiting`]).
    pub async fn begin<'a>(&'a self, run: &'a RunHandle) -> Result<ChatTurn<'a>, AgentError> {
        let request = run.request();
        let toolbox = Toolbox::new(self.offered(), request.tools.as_deref().unwrap_or_default());
        if !toolbox.left_out().is_empty() {
            let tools = toolbox.left_out().join(", ");
            tracing::info!(run.id = %run.id(), tools, "left out tools of kinds that model servers do not accept: {tools}");
        }
        if let Some(choice) = request.extra_member("tool_choice").filter(|choice| !choice.is_null())
            && toolbox.choice(choice).is_none()
        {
            tracing::info!(run.id = %run.id(), "left out tool_choice, because the model has none of the tools that it means");
        }
        let model = choose_model(&self.config, request);
        let context = Context::load(&self.config, run).await?;
        listing::show(run, &toolbox, &context.messages);
        let is_openai = self.model.is_openai();
        let conversation = Conversation::new(&self.config, request, context, model, &toolbox, is_openai);
        let ids = CallIds::default();
        let mut turn = ChatTurn { chat: self, run, model, toolbox, conversation, ids, held: 0 };
        // The tool that a call has waited for may be gone by now.
        let is_answer = |message: &Message| message.kind == MessageType::McpApprovalResponse;
        if turn.toolbox.may_ask() || run.new_input().iter().any(is_answer) {
            turn.continue_held().await?;
        }
        Ok(turn)
    }

    /// Asks the model one question, with the system prompt and without tools, history and memories. Returns its text,
    /// and writes nothing to the run, not even the usage.
    ///
    /// # Errors
    /// The error of a failed model call, which has been logged.
    ///
    /// # Cancellation
    /// Dropping the future stops the model.
    pub async fn complete(&self, run: &RunHandle, messages: &[Message]) -> Result<String, Error> {
        let (model, toolbox) = (self.config.model.as_str(), Toolbox::new(Vec::new(), &[]));
        let context = Context { messages: messages.to_vec(), memories: None };
        let (request, is_openai) = (AgentRequest::new(Vec::new()), self.model.is_openai());
        let conversation = Conversation::new(&self.config, &request, context, model, &toolbox, is_openai);
        let answered = self.text(run, &conversation, model).await;
        answered.map_err(|failure| self.report(run, model, failure))
    }

    async fn text(
        &self,
        run: &RunHandle,
        conversation: &Conversation,
        model: &str,
    ) -> Result<String, Failure> {
        let (mut text, mut halves, mut is_finished) = (String::new(), Halves::default(), false);
        let take = |chunk: Chunk| {
            let is_repaired = chunk.is_repaired;
            if let Some(choice) = chunk.into_choice() {
                is_finished |= !choice.finish_reason.0.is_empty();
                text.push_str(&halves.join(&choice.into_delta().content, is_repaired));
            }
            Ok(is_finished)
        };
        self.read_answer(run, conversation, model, take).await?;
        text.extend(halves.finish());
        Ok(text)
    }

    /// Logs a failure and returns the error for clients.
    fn report(&self, run: &RunHandle, model: &str, failure: Failure) -> Error {
        self.log(run, model, &failure);
        failure.error
    }
}

impl ChatTurn<'_> {
    /// Adds messages for the model's next call. Clients do not see them.
    pub fn add_messages(&mut self, messages: &[Message]) {
        self.conversation.add_messages(messages);
    }

    /// Calls the model; its answer is written to the run while it arrives.
    ///
    /// # Errors
    /// The error of a failed model call, which has been logged.
    ///
    /// # Cancellation
    /// Dropping the future stops the model.
    pub async fn call_model(&mut self) -> Result<ChatAnswer, Error> {
        let (chat, run, model) = (self.chat, self.run, self.model);
        let answer = Answer::new(run, model, &self.toolbox, &mut self.ids);
        let span = tracing::info_span!("model call", model.name = model);
        let asked = chat.ask(run, &self.conversation, model, answer).instrument(span).await;
        let round = asked.map_err(|failure| chat.report(run, model, failure))?;
        let calls = round.own_calls.iter().map(|call| FunctionCall {
            call_id: Some(call.id.clone()),
            name: Some(call.name.clone()),
            arguments: Some(call.arguments.clone()),
        });
        Ok(ChatAnswer { calls: calls.collect(), round })
    }

    /// Runs the tools that the model called, and adds the answer, their outputs and input that the user sent during the
    /// turn to the conversation. Returns whether the turn continues: it ends if the model called no tool, or one of the
    /// client's.
    ///
    /// # Errors
    /// The error of a store that failed, or one that ends the run because the user is asked whether a tool may be called
    /// ([`AgentError::is_waiting`]).
    pub async fn run_tools(&mut self, answer: ChatAnswer) -> Result<bool, AgentError> {
        let Round { message, text, own_calls, held_calls, client_calls } = answer.round;
        let outputs = self.toolbox.run(self.run, &own_calls).await;
        if !held_calls.is_empty() {
            client_calls.into_iter().for_each(ClientCall::close);
            if !own_calls.is_empty() {
                self.conversation.add_round(message.clone(), &own_calls, &outputs);
            }
            self.hold(message, held_calls).await?;
            return Ok(true);
        }
        if own_calls.is_empty() || !client_calls.is_empty() {
            client_calls.into_iter().for_each(ClientCall::close);
            context::remember(&self.chat.config, self.run, text).await;
            return Ok(false);
        }
        self.conversation.add_round(message, &own_calls, &outputs);
        let what = "input that the user sent during the turn could not be read";
        let steered =
            self.run.steered().await.map_err(|error| context::store_error(self.run, what, &error))?;
        self.conversation.add_messages(&steered);
        Ok(true)
    }
}
