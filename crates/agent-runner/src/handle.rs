//! The run handle: an agent's view of its run.

use std::fmt;
use std::sync::Arc;

use agent_schemas::id::{message_id, tool_call_id};
use agent_schemas::{
    AgentRequest, ContentBody, Event, FunctionCallOutput, HttpHead, JsonObject, Message, MessageType, Role,
    RunId, SessionId, UserId,
};
use agent_services::page::PageSize;
use agent_services::retry::retry_unavailable;
use tokio_util::sync::CancellationToken;

use crate::Services;
use crate::call_form::CallForm;
use crate::child::{ChildError, ChildRun, ChildSpec, StartChild};
use crate::history::{PATIENCE, without_repeated};
use crate::live::LiveRun;
use crate::run_memory::RunMemory;
use crate::run_state::RunState;
use crate::steer;
use crate::writer::{MessageWriter, ToolCallWriter, ToolOutputWriter, end_output};

/// An agent's side of one run: the request, and where the answer is written.
///
/// Writing never blocks and never fails: output after the end of the run is discarded. Cheap to clone; the
/// clones and the writers may be used from several tasks concurrently.
#[derive(Clone)]
pub struct RunHandle {
    live: Arc<LiveRun>,
    children: Arc<dyn StartChild>,
}

impl RunHandle {
    pub(crate) fn new(live: Arc<LiveRun>, children: Arc<dyn StartChild>) -> Self {
        RunHandle { live, children }
    }

    /// The run's id.
    pub fn id(&self) -> &RunId {
        &self.live.record.id
    }

    /// The request, with session, user and message ids filled in.
    pub fn request(&self) -> &AgentRequest {
        &self.live.record.request
    }

    /// The part of the request's input that is new: what precedes it was said in the runs that this one continues.
    pub fn new_input(&self) -> &[Message] {
        self.live.new_input()
    }

    /// The name under which this agent is served.
    pub fn agent_name(&self) -> &str {
        &self.live.record.agent
    }

    /// The session id.
    pub fn session_id(&self) -> &SessionId {
        &self.live.record.session_id
    }

    /// The user's id.
    pub fn user_id(&self) -> &UserId {
        &self.live.record.user_id
    }

    /// The headers and the query of the HTTP request that has started the run. `None` if the run has waited for its turn, was
    /// started again, or comes from elsewhere.
    pub fn http(&self) -> Option<&HttpHead> {
        self.live.record.options.http.as_deref()
    }

    /// The services.
    pub fn services(&self) -> &Services {
        &self.live.services
    }

    /// Returns up to this many of the last messages of the conversation before this run, in order. The input of a failed
    /// turn that has no output and is sent again is not among them. While the store is unavailable, this waits
    /// for up to ten seconds.
    ///
    /// # Errors
    /// An error of the session store.
    pub async fn history(&self, size: PageSize) -> agent_services::Result<Vec<Message>> {
        let sessions = &self.services().sessions;
        let (user, session) = (self.user_id(), self.session_id());
        let stored = retry_unavailable(PATIENCE, || sessions.last_messages(user, session, size)).await?;
        let history = stored.unwrap_or_default().into_iter().map(|stored| stored.message).collect();
        Ok(without_repeated(history, self.new_input()))
    }

    /// The agents' state in this session.
    pub fn state(&self) -> RunState<'_> {
        RunState::new(self.services(), self.user_id(), self.session_id())
    }

    /// The memories of this user.
    pub fn memory(&self) -> RunMemory<'_> {
        RunMemory::new(self.services(), self.user_id(), self.session_id())
    }

    /// The messages that were complete when the previous process died. An agent that continues
    /// ([`Recovery::Continue`](crate::Recovery::Continue)) does not write them again. Empty unless the run was taken
    /// over.
    pub fn earlier(&self) -> &[Message] {
        &self.live.earlier
    }

    /// How often the run was started, this time included: more than 1 if it was taken over.
    pub fn attempt(&self) -> usize {
        self.live.record.epochs.len() + 1
    }

    pub(crate) fn live(&self) -> &LiveRun {
        &self.live
    }

    /// Takes the input handed to the run since the last call, for the agent's next step. Before this returns, the input
    /// is written to the log as user messages. Input that the agent never takes becomes the session's next run. While
    /// the store is unavailable, this waits, like all writes.
    ///
    /// # Errors
    /// An error of the run store.
    pub async fn steered(&self) -> agent_services::Result<Vec<Message>> {
        steer::take(&self.live).await
    }

    /// Resolves when the run is cancelled.
    pub async fn cancelled(&self) {
        self.live.cancel.cancelled().await;
    }

    /// Whether the run is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.live.cancel.is_cancelled()
    }

    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.live.cancel
    }

    /// Starts a run of another agent of this server, for the same user, as a child of this run.
    ///
    /// A child ends with its parent at the latest: it is cancelled when the parent is cancelled or has ended, or when the
    /// result is dropped. It never waits for a session or for room, so it cannot wait for its own parent. If the process
    /// dies, the child ends as `incomplete`; an agent that starts over starts a new one.
    ///
    /// # Errors
    /// [`ChildError`] if there is no such agent, too many children are in progress, the child's session is busy, this run
    /// has ended, or the store fails.
    ///
    /// # Cancellation
    /// Dropping the future starts nothing, or a child that is cancelled.
    ///
    /// ```
    /// use agent_runner::{ChildSpec, RunHandle, agent_fn};
    ///
    /// let editor = agent_fn(|run: RunHandle| async move {
    ///     let draft = run.start_child(ChildSpec::new("writer", "A haiku about logs.")).await?.response().await?;
    ///     run.say(draft.messages()[0].text_content().unwrap_or_default());
    ///     Ok(())
    /// });
    /// ```
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildRun, ChildError> {
        self.children.start_child(&self.live, spec).await
    }

    /// Opens a message of the assistant.
    pub fn message(&self) -> MessageWriter {
        self.open(MessageType::Message, Role::Assistant)
    }

    /// Opens a message with the model's reasoning.
    pub fn reasoning(&self) -> MessageWriter {
        self.open(MessageType::Reasoning, Role::Assistant)
    }

    /// Opens a message of any type.
    pub fn open(&self, kind: MessageType, role: Role) -> MessageWriter {
        let id = message_id(&*self.live.services.ids);
        let key = self.live.log.write(|assembler| assembler.open_message(id.clone(), kind, Some(role)));
        MessageWriter::new(Arc::clone(&self.live), key, id)
    }

    /// Writes a complete assistant message.
    pub fn say(&self, text: &str) {
        let message = self.message();
        let mut content = message.text();
        content.delta(text);
        content.complete();
        message.complete();
    }

    /// Opens a call of one of the agent's own tools.
    pub fn tool_call(&self, call_id: impl Into<String>, name: impl Into<String>) -> ToolCallWriter {
        self.tool_call_with(call_id, name, JsonObject::new())
    }

    /// The same with further members in the call's data.
    pub(crate) fn tool_call_with(
        &self,
        call_id: impl Into<String>,
        name: impl Into<String>,
        more: JsonObject,
    ) -> ToolCallWriter {
        let message = self.open(MessageType::PluginCall, Role::Assistant);
        ToolCallWriter::new(message, call_id.into(), name.into(), more)
    }

    /// Opens a call of a tool that may be an MCP server's.
    pub(crate) fn open_call(&self, call_id: &str, form: &CallForm, mut more: JsonObject) -> ToolCallWriter {
        let Some(server_label) = &form.server_label else {
            return self.tool_call_with(call_id, &form.name, more);
        };
        more.insert("server_label".to_owned(), server_label.as_str().into());
        let message = self.open(MessageType::McpCall, Role::Assistant);
        ToolCallWriter::new(message, call_id.to_owned(), form.name.clone(), more)
    }

    /// Opens the output of a tool that may be an MCP server's.
    pub(crate) fn open_output(&self, call_id: &str, form: &CallForm) -> ToolOutputWriter {
        ToolOutputWriter::new(self.open(form.output(), Role::Tool), call_id.to_owned(), form.name.clone())
    }

    /// Writes the output of a tool that may be an MCP server's, with further contents, and with the error of a call that
    /// has failed.
    pub(crate) fn write_output(
        &self,
        call_id: &str,
        form: &CallForm,
        output: &str,
        attached: Vec<ContentBody>,
        error: Option<&str>,
    ) {
        let message = self.open(form.output(), Role::Tool);
        let (call_id, name) = (call_id.to_owned(), Some(form.name.clone()));
        message.put_data(FunctionCallOutput { call_id, name, output: output.to_owned() }.into_data());
        end_output(message, attached, error);
    }

    /// Opens a call of a tool that the client runs. Such a call ends the turn; the client's next request contains the
    /// tool's output.
    pub fn client_tool_call(&self, call_id: impl Into<String>, name: impl Into<String>) -> ToolCallWriter {
        self.client_tool_call_with(call_id, name, JsonObject::new())
    }

    /// The same with further members in the call's data.
    pub(crate) fn client_tool_call_with(
        &self,
        call_id: impl Into<String>,
        name: impl Into<String>,
        more: JsonObject,
    ) -> ToolCallWriter {
        let message = self.open(MessageType::FunctionCall, Role::Assistant);
        ToolCallWriter::new(message, call_id.into(), name.into(), more)
    }

    /// Writes the output of one of the agent's own tools, as JSON text.
    pub fn tool_output(
        &self,
        call_id: impl Into<String>,
        name: impl Into<String>,
        output: impl Into<String>,
    ) {
        let message = self.open(MessageType::PluginCallOutput, Role::Tool);
        let output =
            FunctionCallOutput { call_id: call_id.into(), name: Some(name.into()), output: output.into() };
        message.put_data(output.into_data());
        message.complete();
    }

    /// Opens the output of one of the agent's own tools, for a tool that reports its progress.
    pub fn open_tool_output(&self, call_id: impl Into<String>, name: impl Into<String>) -> ToolOutputWriter {
        ToolOutputWriter::new(
            self.open(MessageType::PluginCallOutput, Role::Tool),
            call_id.into(),
            name.into(),
        )
    }

    /// A new id for a tool call.
    pub fn new_call_id(&self) -> String {
        tool_call_id(&*self.live.services.ids)
    }

    /// Writes an event that a builder or an adapter created.
    ///
    /// The event gets a new number. Whatever would break the form of the log is repaired or dropped: a content of a
    /// message that was never opened opens one; a second close and response events are ignored. A content of a message
    /// that is closed already is left out, and logged. An event of another kind ([`Event::Other`]), an object with the
    /// kind as its member `object`, is passed on to readers as it is; it becomes part of no message.
    pub fn emit(&self, event: impl Into<Event>) {
        self.live.emit(event.into());
    }
}

impl fmt::Debug for RunHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHandle").field("id", &self.live.record.id).finish_non_exhaustive()
    }
}
