//! `agent-server chat`: a conversation with an agent in the terminal.
//!
//! The agent is behind a [`server`], either a running one or a [`local`] one that this process starts. Each question
//! is a [`mod@turn`]; its events are [`render`]ed to the [`screen`]: the answer to standard output, everything else to
//! standard error. The [`conversation`] keeps the messages.

pub(crate) mod client_error;
mod conversation;
mod describe;
mod input;
mod interrupts;
mod local;
pub(crate) mod render;
pub(crate) mod screen;
pub(crate) mod server;
mod turn;

use std::io::{self, IsTerminal, Read, Stderr, Stdout};
use std::process::ExitCode;

use crate::agents;
use crate::config::{ConfigError, Environment};
use agent_runner::SecretString;
use anyhow::Context;

use crate::cli::ChatOptions;
use crate::telemetry::LogLines;

use conversation::Conversation;
use input::Lines;
use interrupts::{Interrupts, Stop};
use local::Local;
use screen::Screen;
use server::Server;
use turn::{Ending, View, turn};

const HELP: &str = "\
/new    starts a new conversation
/exit   quits; so do exit, quit and Ctrl-D
Ctrl-C  cancels the current answer; again, it quits";

/// The exit code, by shell convention, of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs a conversation until the user leaves, or asks only the given question.
pub(crate) fn run(options: &ChatOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    environment.check()?;
    let query = options.query.as_deref().map(read_query).transpose()?;
    let token = environment.get("AGENT_SERVER_TOKEN").map(SecretString::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        // From here on, Ctrl-C no longer ends the program by itself.
        let interrupts = Interrupts::of_process()?;
        let may_dim = environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
        let url = options.source.as_deref().filter(|source| !agents::is_script(source));
        let start = |server: Server, log: Option<LogLines>| Chat {
            server,
            log,
            conversation: Conversation::new(
                options.session_id.clone(),
                options.user_id.clone(),
                options.model.clone(),
            ),
            view: View {
                json: options.json,
                hides_reasoning: options.no_reasoning,
                verbose: options.verbose,
                is_remote: url.is_some(),
            },
            screen: Screen::standard(may_dim),
            interrupts,
        };
        match url {
            Some(url) => {
                let server = Server::new(url, token.as_ref())?;
                let introduction = server.url().to_string();
                start(server, None).run(query.as_deref(), &introduction).await
            }
            None => {
                let local = Local::new(options, environment).await?;
                let (introduction, log) = (local.introduction.clone(), local.log.clone());
                let talk = async |url: &str| {
                    start(Server::new(url, None)?, log).run(query.as_deref(), &introduction).await
                };
                local.serve(talk).await
            }
        }
    })?;
    Ok(ExitCode::from(code))
}

/// The question of `--query`, which may be on standard input.
fn read_query(query: &str) -> anyhow::Result<String> {
    let mut text = query.to_owned();
    if query == "-" {
        text.clear();
        io::stdin().read_to_string(&mut text).context("could not read the question from standard input")?;
    }
    if text.trim().is_empty() {
        return Err(ConfigError::from_message("the question is empty").into());
    }
    Ok(text)
}

struct Chat {
    server: Server,
    conversation: Conversation,
    view: View,
    screen: Screen<Stdout, Stderr>,
    interrupts: Interrupts,
    /// The log of the agent in this process, if it is to be shown between turns.
    log: Option<LogLines>,
}

/// The meaning of a line from the user.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Nothing,
    Leave,
    New,
    Help,
    Question(&'a str),
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        match line.trim() {
            "" => Line::Nothing,
            "exit" | "quit" | "/exit" | "/quit" => Line::Leave,
            "/new" => Line::New,
            "/help" => Line::Help,
            question => Line::Question(question),
        }
    }
}

impl Chat {
    /// Returns the exit code.
    async fn run(mut self, query: Option<&str>, introduction: &str) -> anyhow::Result<u8> {
        let Some(query) = query else { return self.talk(introduction).await };
        self.show_session()?;
        Ok(match self.ask(query).await {
            // A reader that closed the pipe does not want more.
            Ending::Answered | Ending::Unread => 0,
            Ending::Failed => 1,
            Ending::Cancelled | Ending::Left => INTERRUPTED,
        })
    }

    /// Asks a question for each line. Input that is not typed is a script, which fails if any of its runs fails.
    async fn talk(&mut self, introduction: &str) -> anyhow::Result<u8> {
        let is_typed = io::stdin().is_terminal();
        self.server.check().await?;
        if is_typed {
            self.screen.note(&format!("Connected to {introduction}. Type /help for help."))?;
        }
        self.show_session()?;
        let mut lines = Lines::of_stdin();
        let mut code = 0;
        let mut warned = false;
        loop {
            if is_typed {
                self.screen.prompt("> ")?;
            }
            let line = tokio::select! {
                biased;
                stop = self.interrupts.next() => {
                    if !is_typed || stop == Stop::Terminate {
                        return Ok(INTERRUPTED);
                    }
                    // The terminal has discarded the text typed so far.
                    self.screen.line("")?;
                    if warned {
                        return Ok(0);
                    }
                    self.screen.note("(press Ctrl-C again or Ctrl-D to quit)")?;
                    warned = true;
                    continue;
                }
                line = lines.next() => line.context("could not read standard input")?,
            };
            warned = false;
            let Some(line) = line else {
                if is_typed {
                    self.screen.line("")?;
                }
                return Ok(code);
            };
            match Line::read(&line) {
                Line::Nothing => {}
                Line::Leave => return Ok(code),
                Line::Help => self.screen.note(HELP)?,
                Line::New => {
                    self.conversation.restart();
                    self.screen.note("(new conversation)")?;
                    self.show_session()?;
                }
                Line::Question(question) => match self.ask(question).await {
                    Ending::Unread => return Ok(code),
                    Ending::Left => return Ok(INTERRUPTED),
                    Ending::Failed if !is_typed => code = 1,
                    Ending::Cancelled if !is_typed => return Ok(INTERRUPTED),
                    _ => {}
                },
            }
        }
    }

    async fn ask(&mut self, question: &str) -> Ending {
        let request = self.conversation.request(question);
        let said = request.input.last().cloned();
        let turn = turn(&self.server, &request, self.view, &mut self.screen, &mut self.interrupts);
        let (ending, answer) = turn.await;
        if self.show_log().is_err() {
            return Ending::Unread;
        }
        // The user is likely to repeat a failed question, which should not appear twice.
        if ending != Ending::Failed {
            self.conversation.add(said, &answer);
        }
        ending
    }

    /// Shows what the agent has logged, for example why a call to its model failed.
    fn show_log(&mut self) -> io::Result<()> {
        let lines = self.log.as_ref().map(LogLines::take).unwrap_or_default();
        lines.lines().try_for_each(|line| self.screen.line(line))?;
        self.screen.flush()
    }

    fn show_session(&mut self) -> io::Result<()> {
        if self.view.verbose {
            self.screen.note(&format!("[session] {}", self.conversation.session_id()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line__any_input__is_command_or_question() {
        for (line, meaning) in [
            ("", Line::Nothing),
            (" \t", Line::Nothing),
            ("exit", Line::Leave),
            (" /quit ", Line::Leave),
            ("/new", Line::New),
            ("/help", Line::Help),
            ("exit the building", Line::Question("exit the building")),
            ("/etc/passwd?", Line::Question("/etc/passwd?")),
            (" hi ", Line::Question("hi")),
        ] {
            assert_eq!(Line::read(line), meaning, "{line:?}");
        }
    }

    #[test]
    fn read_query__blank__is_refused() {
        assert!(read_query(" ").is_err());
        assert_eq!(read_query("-v").ok().as_deref(), Some("-v"));
    }
}
