//! Calls that the user has to approve.
//!
//! The run ends with the question, and its journal keeps the calls. The run that answers it continues the turn: it finds
//! them, asks what is still open, carries out the calls that were approved, and calls the model again.

use agent_schemas::{FunctionCall, Json, JsonObject, json, object};

use super::calls::OwnCall;
use super::toolbox::Outcome;
use super::turn::ChatTurn;
use crate::tools::ToolOutput;
use crate::{AgentError, Answer, Question, StepEffect};

/// The steps that keep the calls, and those that note that they are over.
fn kept(number: usize) -> String {
    format!("calls to approve {number}")
}

fn over(number: usize) -> String {
    format!("approved calls {number}")
}

impl ChatTurn<'_> {
    /// Asks the user whether these calls may be made, and continues with them. The first time, this ends the run.
    pub(super) async fn hold(&mut self, message: JsonObject, calls: Vec<OwnCall>) -> Result<(), AgentError> {
        self.held += 1;
        let held: Vec<Json> = calls.iter().map(to_json).collect();
        let kept = (kept(self.held), object! { "message" => message.clone(), "calls" => held });
        self.run.steps().end(&kept.0, kept.1.into()).await?;
        self.run_held(message, calls).await
    }

    /// Continues with calls that an earlier run of the turn has kept.
    pub(super) async fn continue_held(&mut self) -> Result<(), AgentError> {
        let steps = self.run.steps();
        let mut last = None;
        while let Some(held) = steps.begin(&kept(self.held + 1), StepEffect::Pure).await? {
            self.held += 1;
            last = Some(held);
        }
        let Some(held) = last else { return Ok(()) };
        if steps.begin(&over(self.held), StepEffect::Pure).await?.is_some() {
            return Ok(());
        }
        let message = held.get("message").and_then(Json::as_object).cloned().unwrap_or_default();
        let calls = held.get("calls").and_then(Json::as_array).unwrap_or_default();
        self.run_held(message, calls.iter().filter_map(from_json).collect()).await
    }

    /// Makes the calls that the user approves, and adds all of them with their outputs to the conversation.
    async fn run_held(&mut self, mut message: JsonObject, calls: Vec<OwnCall>) -> Result<(), AgentError> {
        let mut answers = Vec::new();
        for call in &calls {
            answers.push(self.run.ask(self.question(call)).await?);
        }
        for call in &calls {
            let form = self.toolbox.form_of(&call.name);
            self.run.open_call(&call.id, &form, JsonObject::new()).complete(call.arguments.as_str());
        }
        let (mut outcomes, mut approved) = (Vec::new(), Vec::new());
        for (call, answer) in calls.iter().zip(&answers) {
            if answer.approved {
                approved.push(call.clone());
            } else {
                let refused = ToolOutput::failed(&refusal(answer));
                let form = self.toolbox.form_of(&call.name);
                let error = refused.error.as_deref();
                self.run.write_output(&call.id, &form, &refused.text, Vec::new(), error);
                outcomes.push((call.id.clone(), Outcome { text: refused.text, attached: Vec::new() }));
            }
        }
        let made = self.toolbox.run(self.run, &approved).await;
        outcomes.extend(approved.into_iter().map(|call| call.id).zip(made));
        self.run.steps().end(&over(self.held), Json::Null).await?;
        let position = |id: &str| calls.iter().position(|call| call.id == id);
        outcomes.sort_by_key(|(id, _)| position(id));
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        // Its text is a message of its own by now.
        message.insert("content".to_owned(), Json::Null);
        self.conversation.add_round(message, &calls, &outcomes);
        Ok(())
    }

    fn question(&self, call: &OwnCall) -> Question {
        let form = self.toolbox.form_of(&call.name);
        let text = format!("May I call {} with {}?", form.name, call.arguments);
        let arguments = json::parse(&call.arguments).unwrap_or_else(|_| call.arguments.as_str().into());
        let question =
            Question::new(format!("approval of {}", call.id), text).for_approval(&form.name, arguments);
        match form.server_label {
            Some(server_label) => question.of_server(server_label),
            None => question,
        }
    }
}

/// What the model reads instead of an output.
fn refusal(answer: &Answer) -> String {
    match answer.text.trim() {
        "" => "the user has not approved this call".to_owned(),
        text => format!("the user has not approved this call: {text}"),
    }
}

fn to_json(call: &OwnCall) -> Json {
    let OwnCall { id, name, arguments, extra } = call;
    let call = FunctionCall {
        call_id: Some(id.clone()),
        name: Some(name.clone()),
        arguments: Some(arguments.clone()),
    };
    object! { "call" => call.into_data(), "extra" => extra.clone() }.into()
}

fn from_json(held: &Json) -> Option<OwnCall> {
    let call = FunctionCall::from_data(held.get("call")?.as_object()?).ok()?;
    let extra = held.get("extra").and_then(Json::as_object).cloned().unwrap_or_default();
    Some(OwnCall { id: call.call_id?, name: call.name?, arguments: call.arguments?, extra })
}
