//! What the configuration adds to the agents: prompts, resources and instructions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::template;

/// The settings of the MCP server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct McpConfig {
    /// What clients tell their models about the server.
    pub instructions: Option<String>,
    /// The prompts, by name.
    pub prompts: BTreeMap<String, PromptConfig>,
    /// The resources beside runs and sessions, by name.
    pub resources: BTreeMap<String, ResourceConfig>,
}

/// A prompt: messages that a user starts a conversation with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PromptConfig {
    /// The name that people see.
    pub title: Option<String>,
    /// What the prompt is for.
    pub description: Option<String>,
    /// Its arguments.
    pub arguments: Vec<ArgumentConfig>,
    /// The text of its only message; `{{name}}` stands for the argument of that name.
    pub text: Option<String>,
    /// Its messages, if it has several or not only text.
    pub messages: Vec<MessageConfig>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ArgumentConfig {
    /// The name.
    pub name: String,
    /// The name that people see.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Whether the prompt needs it.
    pub required: bool,
    /// Values that clients suggest.
    pub values: Vec<String>,
}

/// A message of a prompt. In all texts, `{{name}}` stands for the argument of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MessageConfig {
    /// Who says it: `user`, which is the default, or `assistant`.
    pub role: Option<String>,
    /// The text, of the message itself or of the resource.
    pub text: Option<String>,
    /// A file instead: a picture, a sound, or the contents of the resource.
    pub file: Option<PathBuf>,
    /// The URI of the resource that the message is.
    pub uri: Option<String>,
    /// The MIME type of the file or the resource.
    pub mime_type: Option<String>,
}

/// A resource: a text or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ResourceConfig {
    /// The URI. With parts such as `{id}`, it stands for many resources, and `{{id}}` in the text is what the URI has
    /// there.
    pub uri: String,
    /// The name that people see.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The MIME type; by default `text/plain` for a text and `application/octet-stream` for a file that is none.
    pub mime_type: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The file, instead of a text. It is read whenever a client reads the resource.
    pub file: Option<PathBuf>,
}

/// Why a configuration is wrong: what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct McpConfigError(String);

impl McpConfig {
    /// Checks templates and URIs, and that all files are there.
    ///
    /// # Errors
    /// [`McpConfigError`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), McpConfigError> {
        for (name, prompt) in &self.prompts {
            prompt.check().map_err(|fault| McpConfigError(format!("mcp.prompts.{name}: {fault}")))?;
        }
        for (name, resource) in &self.resources {
            let is_used =
                |(other, entry): (&String, &ResourceConfig)| other < name && entry.uri == resource.uri;
            let checked = match self.resources.iter().any(is_used) {
                true => Err("another resource has the same URI".to_owned()),
                false => resource.check(),
            };
            checked.map_err(|fault| McpConfigError(format!("mcp.resources.{name}: {fault}")))?;
        }
        Ok(())
    }
}

impl PromptConfig {
    fn check(&self) -> Result<(), String> {
        if self.text.is_some() != self.messages.is_empty() {
            return Err("give it either a text or messages".to_owned());
        }
        for message in &self.messages {
            if message.text.is_some() == message.file.is_some() {
                return Err("give each message either a text or a file".to_owned());
            }
            check_file(message.file.as_deref())?;
            if !matches!(message.role.as_deref(), None | Some("user" | "assistant")) {
                return Err("the role of a message should be user or assistant".to_owned());
            }
        }
        let in_messages = self.messages.iter().flat_map(|message| message.text.iter().chain(&message.uri));
        let mut names = in_messages.chain(&self.text).flat_map(|text| template::names(text));
        let is_known = |name: &&str| self.arguments.iter().any(|argument| argument.name == *name);
        match names.find(|name| !is_known(name)) {
            Some(name) => Err(format!("there is no argument '{name}'")),
            None => Ok(()),
        }
    }
}

impl ResourceConfig {
    fn check(&self) -> Result<(), String> {
        if !self.uri.contains(':') {
            return Err("uri should be a URI, such as docs://guide".to_owned());
        }
        if self.text.is_some() == self.file.is_some() {
            return Err("give it either a text or a file".to_owned());
        }
        check_file(self.file.as_deref())
    }
}

fn check_file(file: Option<&Path>) -> Result<(), String> {
    match file {
        Some(file) if !file.is_file() => {
            let place = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            Err(format!("there is no file {}", place.display()))
        }
        _ => Ok(()),
    }
}
