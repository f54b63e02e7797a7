//! A call as a request for a run, and what the translation of the run's log has to know.

use std::sync::Arc;

use agent_runner::{ContextError, RunContext};
use agent_schemas::{
    AgentRequest, Content, Json, JsonObject, Message, MessageType, OnDisconnect, ProtocolData, Role, RunId,
    UserId, json, object,
};
use agent_server::protocol::{Caller, ProtocolContext, RunSpec};
use agent_services::run::{RunRecord, may_exist};

use super::question::RunQuestion;
use crate::capabilities::Capabilities;
use crate::client::Client;
use crate::input;
use crate::log_level::LogLevel;
use crate::methods::tools::Tool;
use crate::result::{self, failed};
use crate::rpc::{Id, Request, RpcError};
use crate::schema::Schema;
use crate::server::Server;
use crate::session::Session;

/// The name of this protocol in the options of runs.
const PROTOCOL: &str = "mcp";

/// What a call needs besides the log of its run.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: Id,
    pub(crate) agent: String,
    /// The token of progress notifications, if the client wants any.
    pub(crate) token: Option<Json>,
    /// The least severe log messages that the client wants.
    pub(crate) level: Option<LogLevel>,
    pub(crate) capabilities: Capabilities,
    /// The session, before 2026-07-28.
    pub(crate) session: Option<Session>,
    /// The schema of the agent's answer.
    pub(crate) output_schema: Option<Arc<Schema>>,
    /// The progress of the runs before this one.
    pub(crate) base: i64,
}

impl Head {
    pub(crate) fn is_modern(&self) -> bool {
        self.session.is_none()
    }

    /// The head of the call's next run, which continues the one of this context.
    pub(crate) fn continued(self, context: &RunContext) -> Self {
        Head { base: progress_of(context), ..self }
    }

    /// A result in the form of the client's version.
    pub(crate) fn complete(&self, result: JsonObject) -> JsonObject {
        if self.is_modern() { result::complete(result) } else { result }
    }

    /// For the options of the run, from which a stream that was cut off continues.
    fn to_data(&self) -> ProtocolData {
        let data = object! {
            "id" => self.id.to_json(), "token" => self.token.clone(), "base" => self.base,
            "level" => self.level.map(LogLevel::as_str),
            "session" => self.session.as_ref().map(|session| session.id.as_str()),
        };
        ProtocolData::new(PROTOCOL, Json::from(data).to_string())
    }

    /// The head of a call of a session, from the record of its run.
    pub(crate) fn of(record: &RunRecord, server: &Server) -> Option<Self> {
        let data = kept(record)?;
        let session = Session::read(data.get("session")?.as_str()?)?;
        let tool = server.tools.iter().find(|tool| tool.agent == record.agent);
        Some(Head {
            id: Id::of(data.get("id")?)?,
            agent: record.agent.clone(),
            token: data.get("token").filter(|token| !token.is_null()).cloned(),
            level: data.get("level").and_then(Json::as_str).and_then(LogLevel::read),
            capabilities: session.capabilities,
            session: Some(session),
            output_schema: tool.and_then(|tool| tool.output.clone()),
            base: data.get("base").and_then(Json::as_i64).unwrap_or_default(),
        })
    }
}

/// The outcome of checking a call.
pub(crate) enum Prepared {
    Run(Box<(RunSpec, Head)>),
    /// A result at once: a fault of the arguments, or the questions again that the client has not answered.
    Result(JsonObject),
}

/// Who calls.
pub(crate) struct Calling<'a> {
    pub(crate) context: &'a ProtocolContext,
    pub(crate) caller: &'a Caller,
    pub(crate) client: &'a Client,
    pub(crate) user: Option<UserId>,
}

impl Calling<'_> {
    /// Checks a call, and decides what it starts.
    pub(crate) async fn prepare(&self, tool: &Tool, request: &Request) -> Result<Prepared, RpcError> {
        let arguments = match request.params.get("arguments") {
            None | Some(Json::Null) => JsonObject::new(),
            Some(Json::Object(arguments)) => arguments.clone(),
            Some(_) => return Err(RpcError::invalid_params("arguments should be an object")),
        };
        if let Some(fault) = tool.input.fault(&arguments) {
            // The model can correct it (2025-11-25, server/tools, "Error Handling").
            return Ok(Prepared::Result(failed(&format!("The arguments do not fit. {fault}"))));
        }
        let meta = request.params.get("_meta").and_then(Json::as_object);
        let mut head = Head {
            id: request.id.clone(),
            agent: tool.agent.clone(),
            token: meta.and_then(|meta| meta.get("progressToken")).map(token).transpose()?,
            level: self.client.log_level,
            capabilities: self.client.capabilities,
            session: self.client.session.clone(),
            output_schema: tool.output.clone(),
            base: 0,
        };
        let word = |key: &str| arguments.get(key).and_then(Json::as_str).filter(|_| !tool.takes_object);
        let state =
            request.params.get("requestState").and_then(Json::as_str).filter(|_| self.client.is_modern());
        let asked = match state.or_else(|| word("answer_to")) {
            Some(run) => Some(self.asked(run, &tool.agent).await?),
            None => None,
        };
        let message = match &asked {
            Some((asked, _)) if state.is_some() => {
                let responses = input::responses(&request.params)?;
                if !asked.is_answered(&responses) {
                    return Ok(Prepared::Result(input::required(asked.requests(), state)));
                }
                asked.answer(&responses)
            }
            Some((asked, _)) => asked.in_words(word("message").unwrap_or_default()),
            None if tool.takes_object => with_data(arguments.clone()),
            None => Message::user(word("message").unwrap_or_default()),
        };
        let session = word("session_id").map(str::to_owned);
        let context = asked.map(|(_, context)| context);
        head.base = context.as_ref().map_or(0, progress_of);
        Ok(Prepared::Run(Box::new((self.spec(&head, message, session, context), head))))
    }

    /// The run that a message of a call starts.
    pub(crate) fn spec(
        &self,
        head: &Head,
        message: Message,
        session: Option<String>,
        context: Option<RunContext>,
    ) -> RunSpec {
        let mut request = AgentRequest::new(vec![message]);
        request.model = Some(head.agent.clone());
        request.user_id = self.user.as_ref().map(ToString::to_string);
        let mut options = self.context.run_options().clone();
        options.protocol = Some(head.to_data());
        if head.is_modern() {
            // A client cancels a call by closing its stream (2026-07-28, streamable HTTP, "Cancellation").
            options.on_disconnect = OnDisconnect::Cancel;
        }
        let mut spec = RunSpec::new(request, options);
        spec.is_stream = !head.is_modern();
        match session {
            // The session has the context.
            Some(session) => spec.request.session_id = Some(session),
            None => spec.context = context,
        }
        spec
    }

    /// The question with which a run of this agent has ended, and the run's context.
    pub(crate) async fn asked(&self, run: &str, agent: &str) -> Result<(RunQuestion, RunContext), RpcError> {
        let unknown =
            || RpcError::invalid_params("The question that this call answers is not known, or no longer");
        let id = Some(RunId::new(run)).filter(may_exist).ok_or_else(unknown)?;
        let context = self.context.context(self.caller, &id, |record| record.agent == agent).await;
        let context = context.map_err(|error| match error {
            ContextError::Store(error) => error.into(),
            _ => unknown(),
        })?;
        let asked = RunQuestion::of(context.messages()).ok_or_else(unknown)?;
        Ok((asked, context))
    }
}

/// A token of progress notifications, which has the form of an id.
fn token(value: &Json) -> Result<Json, RpcError> {
    let token = Id::of(value).map(|token| token.to_json());
    let expected = "_meta.progressToken should be an integer, or a string of at most 256 bytes";
    token.ok_or_else(|| RpcError::invalid_params(expected))
}

/// What a run's options keep for this protocol.
fn kept(record: &RunRecord) -> Option<JsonObject> {
    let protocol = record.options.protocol.as_ref().filter(|protocol| protocol.protocol == PROTOCOL)?;
    json::parse(&protocol.data).ok()?.as_object().cloned()
}

/// The progress at which a run has ended.
fn progress_of(context: &RunContext) -> i64 {
    let record = context.previous();
    let base = kept(record).and_then(|data| data.get("base")?.as_i64()).unwrap_or_default();
    base.saturating_add(i64::try_from(record.entries).unwrap_or(i64::MAX))
}

/// A message with the object that an agent takes.
fn with_data(arguments: JsonObject) -> Message {
    let mut message = Message::new("", MessageType::Message);
    message.role = Some(Role::User);
    message.content = Some(vec![Content::data(arguments)]);
    message
}
