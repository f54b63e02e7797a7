//! Questions to the user, which end the run. The answer starts another run, which continues the turn.

use agent_schemas::{Json, JsonObject, McpApprovalRequest, Message, MessageType, Role, json, object};

use crate::agent::AgentError;
use crate::answer::Answer;
use crate::call_form::CallForm;
use crate::handle::RunHandle;
use crate::journal::{self, question_id};
use crate::live::Entry;
use crate::question_input::QuestionInput;

/// A question to the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    name: String,
    text: String,
    approval: Option<(String, Json)>,
    server_label: Option<String>,
    inputs: JsonObject,
}

impl Question {
    /// The member of a question's metadata with what it asks the client for; see [`Question::with_input`].
    pub const INPUTS: &'static str = "inputs";

    /// A question that the user answers with a message. The name distinguishes it from other questions of the turn.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        Question { name, text, approval: None, server_label: None, inputs: JsonObject::new() }
    }

    /// Asks for approval to call a tool with these arguments. Clients that know requests for approval show one.
    #[must_use]
    pub fn for_approval(mut self, tool: impl Into<String>, arguments: Json) -> Self {
        self.approval = Some((tool.into(), arguments));
        self
    }

    /// Asks the client for something, under a key that the answer repeats ([`Answer::inputs`]). One question may ask for
    /// several things.
    ///
    /// ```
    /// use agent_runner::{AgentError, Question, QuestionInput, RunHandle};
    /// use agent_schemas::{JsonObject, object};
    ///
    /// async fn city(run: &RunHandle) -> Result<String, AgentError> {
    ///     let property = object! { "type" => "string", "title" => "City" };
    ///     let schema = object! { "type" => "object", "properties" => object! { "city" => property } };
    ///     let question = Question::new("where", "Where are you?")
    ///         .with_input("place", QuestionInput::form("Where are you?", schema))
    ///         .with_input("roots", QuestionInput::of_client("roots/list", JsonObject::new()));
    ///     let answer = run.ask(question).await?;
    ///     let place = answer.form("place").and_then(|form| form.get("city")?.as_str());
    ///     Ok(place.unwrap_or("nowhere").to_owned())
    /// }
    /// ```
    #[must_use]
    pub fn with_input(mut self, key: impl Into<String>, input: QuestionInput) -> Self {
        self.inputs.insert(key.into(), input.into_json());
        self
    }

    /// Asks whether a call may be made; the arguments are the JSON of the model or the agent.
    pub(crate) fn about_call(name: impl Into<String>, form: &CallForm, arguments: &str) -> Self {
        let question = Question::new(name, format!("May I call {} with {arguments}?", form.name));
        let arguments = json::parse(arguments).unwrap_or_else(|_| arguments.into());
        Question { server_label: form.server_label.clone(), ..question.for_approval(&form.name, arguments) }
    }

    /// Names the MCP server that has the tool. The default is the agent's name.
    #[must_use]
    pub fn of_server(mut self, server_label: impl Into<String>) -> Self {
        self.server_label = Some(server_label.into());
        self
    }
}

impl RunHandle {
    /// Asks the user something, and returns the answer.
    ///
    /// The first time, there is no answer: the question is written, and the returned error ends the run as completed. The
    /// user's answer starts another run of the agent, in which the same call returns the answer. Steps that the first run
    /// has taken are not taken again. A run asks one question at a time.
    ///
    /// The answer is the next message in the session, a request that continues the response, or an approval response.
    /// A client that sends the whole conversation with each request, as many clients of Chat Completions do, is
    /// recognized by the question in it; for such a client, each request is a turn of its own, which has no earlier
    /// steps, and only the last question can be one for approval.
    ///
    /// # Errors
    /// The error that ends the run ([`AgentError::is_waiting`]); an error if the request answers a question that is not
    /// open; an error of the store.
    ///
    /// ```
    /// use agent_runner::{Question, RunHandle, StepEffect, agent_fn};
    ///
    /// let mailer = agent_fn(|run: RunHandle| async move {
    ///     let draft = run.step("draft", StepEffect::Pure, async || Ok("Dear Ann".to_owned())).await?;
    ///     let answer = run.ask(Question::new("send", format!("{draft}\n\nShall I send this?"))).await?;
    ///     run.say(if answer.approved { "I have sent it." } else { "I have not sent it." });
    ///     Ok(())
    /// });
    /// ```
    pub async fn ask(&self, question: Question) -> Result<Answer, AgentError> {
        let (live, name) = (self.live(), question.name.as_str());
        let is_repeated = match journal::question(live, name).await? {
            Some(Entry::Answered(answer)) => return Ok(answer),
            known => known.is_some(),
        };
        if let Some(answer) = self.answer_in_request(&question) {
            journal::note_question(live, name, Entry::Answered(answer.clone())).await?;
            return Ok(answer);
        }
        // Noted first: a question that a user can answer is one that is known.
        journal::note_question(live, name, Entry::Asked {}).await?;
        let is_written = is_repeated && self.earlier().iter().any(is_question);
        if !is_written {
            self.write_question(&question);
        }
        Err(AgentError::waiting())
    }

    /// The user's words after the question, if the client sends the whole conversation with each request. Any other
    /// conversation has a run that has asked.
    ///
    /// An approval counts only as the last words of the conversation: an earlier one was given for something else.
    fn answer_in_request(&self, question: &Question) -> Option<Answer> {
        let (options, input) = (&self.live().record.options, &self.request().input);
        if options.keep_history || options.continues.is_some() {
            return None;
        }
        let is_asked = |message: &Message| {
            message.role == Some(Role::Assistant)
                && message.full_text().trim_end().ends_with(question.text.trim_end())
        };
        let asked = input.iter().rposition(is_asked)?;
        let (answer, later) = input.get(asked + 1..)?.split_first()?;
        let counts = answer.role == Some(Role::User) && (question.approval.is_none() || later.is_empty());
        counts.then(|| Answer::from_text(answer.full_text()))
    }

    fn write_question(&self, question: &Question) {
        let id = question_id(self.id());
        let text = self.message();
        text.put(agent_schemas::ContentBody::Text { text: Some(question.text.clone()) });
        let Some((name, arguments)) = &question.approval else {
            let mut metadata = object! { Answer::QUESTION => id };
            if !question.inputs.is_empty() {
                metadata.insert(Question::INPUTS.to_owned(), question.inputs.clone().into());
            }
            text.set_metadata(metadata);
            return text.complete();
        };
        text.complete();
        let request = McpApprovalRequest {
            id: id.clone(),
            arguments: arguments.to_string(),
            name: name.clone(),
            server_label: question.server_label.clone().unwrap_or_else(|| self.agent_name().to_owned()),
        };
        let message = self.open(MessageType::McpApprovalRequest, Role::Assistant);
        message.put_data(request.into_data());
        message.set_metadata(object! { Answer::QUESTION => id });
        message.complete();
    }
}

fn is_question(message: &Message) -> bool {
    message.metadata.as_ref().is_some_and(|metadata| metadata.get(Answer::QUESTION).is_some())
}
