//! Calls that the user has to approve.
//!
//! The run ends with the question, and its journal keeps the calls. The run that answers it continues the turn: it finds
//! them, asks what is still open, carries out the calls that were approved, and calls the model again.

use std::collections::HashMap;

use agent_schemas::openai::keep_extra_members;
use agent_schemas::{FunctionCall, Json, JsonObject, MessageType, object};

use super::calls::OwnCall;
use super::toolbox::Outcome;
use super::turn::ChatTurn;
use crate::agent::Effect;
use crate::history::calls::{call_ids, is_output, output_of};
use crate::tools::ToolOutput;
use crate::{AgentError, Answer, Question, StepEffect};

/// The steps that keep the calls, and those that note that they are over.
fn kept(number: usize) -> String {
    format!("calls to approve {number}")
}

fn over(number: usize) -> String {
    format!("approved calls {number}")
}

/// The step in which a call is made.
fn made(number: usize, call: &OwnCall) -> String {
    format!("approved call {number} {}", call.id)
}

/// What the model reads if nobody knows whether a call was made.
const CUT_OFF: &str = "the server was stopped during this call; it is not known whether the call took effect";

fn is_call(kind: &MessageType) -> bool {
    output_of(kind).is_some()
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
    async fn run_held(&mut self, mut message: JsonObject, mut calls: Vec<OwnCall>) -> Result<(), AgentError> {
        let mut answers = HashMap::new();
        for call in &calls {
            self.ids.claim(&call.id, || call.id.clone());
            answers.insert(call.id.clone(), self.run.ask(self.question(call)).await?);
        }
        // What an earlier attempt has come to is in the conversation.
        calls.retain(|call| !self.is_written(call, is_output));
        for call in calls.iter().filter(|call| !self.is_written(call, is_call)) {
            let (form, mut kept) = (self.toolbox.form_of(&call.name), JsonObject::new());
            keep_extra_members(&mut kept, call.extra.clone());
            self.run.open_call(&call.id, &form, kept).complete(call.arguments.as_str());
        }
        let is_approved = |call: &&OwnCall| answers.get(&call.id).is_some_and(|answer| answer.approved);
        let (approved, refused): (Vec<&OwnCall>, Vec<&OwnCall>) = calls.iter().partition(is_approved);
        let mut outcomes = HashMap::new();
        for call in refused {
            let text = answers.get(&call.id).map(Answer::refusal).unwrap_or_default();
            outcomes.insert(call.id.clone(), self.refuse(call, &text));
        }
        outcomes.extend(self.make(approved).await?);
        self.run.steps().end(&over(self.held), Json::Null).await?;
        if !calls.is_empty() {
            let outcomes: Vec<Outcome> = calls.iter().filter_map(|call| outcomes.remove(&call.id)).collect();
            // Its text is a message of its own by now.
            message.insert("content".to_owned(), Json::Null);
            self.conversation.add_round(message, &calls, &outcomes);
        }
        Ok(())
    }

    /// Makes approved calls, each at most once: nobody has approved a second one.
    async fn make(&self, calls: Vec<&OwnCall>) -> Result<Vec<(String, Outcome)>, AgentError> {
        let (steps, mut outcomes, mut fresh) = (self.run.steps(), Vec::new(), Vec::new());
        for call in calls {
            match steps.begin(&made(self.held, call), StepEffect::Once).await {
                Ok(None) => fresh.push(call.clone()),
                Err(error) if error.effect() != Effect::Incomplete => return Err(error),
                _ => outcomes.push((call.id.clone(), self.refuse(call, CUT_OFF))),
            }
        }
        let made_now = self.toolbox.run(self.run, &fresh).await;
        for call in &fresh {
            steps.end(&made(self.held, call), Json::Null).await?;
        }
        outcomes.extend(fresh.into_iter().map(|call| call.id).zip(made_now));
        Ok(outcomes)
    }

    /// Writes the output of a call that is not made.
    fn refuse(&self, call: &OwnCall, text: &str) -> Outcome {
        let (form, output) = (self.toolbox.form_of(&call.name), ToolOutput::failed(text));
        self.run.write_output(&call.id, &form, &output.text, Vec::new(), output.error.as_deref());
        Outcome { text: output.text, attached: Vec::new() }
    }

    /// Whether an earlier attempt has written a message of this kind for the call.
    fn is_written(&self, call: &OwnCall, is_kind: fn(&MessageType) -> bool) -> bool {
        let of_kind = self.run.earlier().iter().filter(|message| is_kind(&message.kind));
        of_kind.flat_map(call_ids).any(|id| id == call.id)
    }

    fn question(&self, call: &OwnCall) -> Question {
        let name = format!("approval {} of {}", self.held, call.id);
        Question::about_call(name, &self.toolbox.form_of(&call.name), &call.arguments)
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
