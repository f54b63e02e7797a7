//! An agent that needs no model and demonstrates the protocol.

mod arithmetic;

use agent_schemas::{ContentBody, Error, JsonObject, Message, Role, object};
use agent_services::page::PageSize;
use async_trait::async_trait;

use crate::tools::{Calculator, CurrentTime, call_tool};
use crate::writer::TextWriter;
use crate::{Agent, AgentError, Recovery, RunHandle};

use arithmetic::Question;

/// A small deterministic assistant that works offline and without any key.
///
/// It chooses its answer by the words of the last user message:
///
/// * arithmetic, as in `What is 6 times 7?`: a reasoning message, a call of the calculator with its output, a text;
/// * `time`: a call of the clock with its output, a text;
/// * `picture` or `image`: a text and an image;
/// * `remember` or `earlier`: what the user has said in this session so far;
/// * `fail` or `error`: half a text, then the run fails with `AGENT_ERROR`;
/// * anything else: a text that lists these, and explains how to configure a real model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demo;

const HELP: &str = "Hello! I am the demo agent: I run offline, without a model and without a key. \
    Ask me \"What is 6 times 7?\" or \"What time is it?\", ask for a picture, ask what I remember, or tell me to fail.\n\n\
    To talk to a real model, set OPENAI_API_KEY, DASHSCOPE_API_KEY or OPENAI_BASE_URL and start the server again, \
    or give it a configuration file with a section `[agents.NAME]` that says `kind = \"chat\"`.";

/// A smiley.
const PICTURE: &str = "data:image/png;base64,\
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAYAgMAAACdGdVrAAAACVBMVEX///88KAD/zTwT++snAAAAAXRSTlMAQObYZgAAAFxJREFUeNp1jrER\
    wCAMA0URD8E0GSGNG0ZgGiomgMKaMnaOkCoq/IXu3gLeqMY9yMuRyeGopAGJnhMSaBCrVhtyYGxE94dO9g2ZZAlLmW5JVHU1XGLf2zViTXpy\
    A3PeN+cjUAdhAAAAAElFTkSuQmCC";

/// What a message asks for.
enum Intent {
    Arithmetic(Question),
    Time,
    Picture,
    Memory,
    Failure,
    Help,
}

impl Intent {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let has =
            |wanted: &[&str]| lower.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
        match Question::find(&lower) {
            Some(question) => Intent::Arithmetic(question),
            None if has(&["fail", "failure", "error", "errors"]) => Intent::Failure,
            None if has(&["remember", "earlier"]) => Intent::Memory,
            None if has(&["picture", "image", "photo"]) => Intent::Picture,
            None if has(&["time", "date"]) => Intent::Time,
            None => Intent::Help,
        }
    }
}

#[async_trait]
impl Agent for Demo {
    async fn run(&self, run: RunHandle) -> Result<(), AgentError> {
        match Intent::of(&run.request().last_user_text()) {
            Intent::Arithmetic(question) => compute(&run, &question).await,
            Intent::Time => tell_time(&run).await,
            Intent::Picture => show_picture(&run).await,
            Intent::Memory => recall(&run).await?,
            Intent::Failure => {
                let mut text = run.message().text();
                stream(&mut text, "You asked me to fail, so I stop in the middle of").await;
                return Err(
                    Error::Agent { message: "The demo agent failed, as it was asked to".into() }.into()
                );
            }
            Intent::Help => say(&run, HELP).await,
        }
        Ok(())
    }

    fn recovery(&self) -> Recovery {
        Recovery::StartOver
    }
}

async fn compute(run: &RunHandle, question: &Question) {
    let reasoning = run.reasoning();
    let mut text = reasoning.text();
    stream(&mut text, &format!("This asks for {}. The calculator can tell.", question.shown())).await;
    text.complete();
    reasoning.complete();
    let arguments = object! { "expression" => question.expression() };
    let answer = match call_tool(run, &Calculator, arguments).await {
        Ok(value) => format!("{} = {value}", question.shown()),
        Err(reason) => format!("I cannot work out {}: {reason}.", question.shown()),
    };
    say(run, &answer).await;
}

async fn tell_time(run: &RunHandle) {
    let clock = CurrentTime::new(std::sync::Arc::clone(&run.services().clock));
    let answer = match call_tool(run, &clock, JsonObject::new()).await {
        Ok(time) => {
            let part = |key| time.get(key).and_then(agent_schemas::Json::as_str).unwrap_or_default();
            format!("It is {}, {} UTC.", part("weekday"), part("utc").trim_end_matches('Z').replace('T', " "))
        }
        Err(reason) => format!("I cannot tell the time: {reason}."),
    };
    say(run, &answer).await;
}

async fn show_picture(run: &RunHandle) {
    let message = run.message();
    let mut text = message.text();
    stream(&mut text, "Here is a picture of me:").await;
    text.complete();
    message.put(ContentBody::Image { image_url: Some(PICTURE.to_owned()) });
    message.complete();
}

/// How many earlier messages the demo remembers.
const MEMORY: usize = 100;

async fn recall(run: &RunHandle) -> Result<(), AgentError> {
    let history = run.history(PageSize::new(MEMORY)?).await?;
    let said = history.iter().filter(|message| message.role == Some(Role::User)).map(Message::full_text);
    let lines: String = said.map(|text| format!("\n- {text}")).collect();
    if lines.is_empty() {
        say(run, "You have not said anything in this session before.").await;
    } else {
        say(run, &format!("In this session you have said:{lines}")).await;
    }
    Ok(())
}

async fn say(run: &RunHandle, answer: &str) {
    let message = run.message();
    let mut text = message.text();
    stream(&mut text, answer).await;
    text.complete();
    message.complete();
}

/// Writes word by word and yields after each, so that a cancelled run can stop in between.
async fn stream(text: &mut TextWriter, words: &str) {
    for word in words.split_inclusive(' ') {
        text.delta(word);
        tokio::task::yield_now().await;
    }
}
