//! What is measured: the floor, or our server with a store, over a protocol, with an agent.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tempfile::NamedTempFile;

use super::model::AT_ONCE;
use super::shape::Shape;
use crate::load::{post, request};
use crate::process::Server;
use crate::store::Store;

/// A server, with an agent and the protocol by which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Floor,
    /// The `echo` agent.
    Echo(Store),
    Responses(Store),
    ChatCompletions(Store),
    /// The `chat` agent in front of a paced model.
    ChatAgent(Store),
}

/// The servers of a subject.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) server: Server,
    /// The model that the server calls.
    _model: Option<Server>,
}

impl Subject {
    pub(super) const STORES: [Subject; 4] = [
        Subject::Floor,
        Subject::Echo(Store::Memory),
        Subject::Echo(Store::SqliteRelaxed),
        Subject::Echo(Store::Sqlite),
    ];

    pub(super) const ALL: [Subject; 12] = [
        Subject::Floor,
        Subject::Echo(Store::Memory),
        Subject::Echo(Store::SqliteRelaxed),
        Subject::Echo(Store::Sqlite),
        Subject::Echo(Store::RedisRelaxed),
        Subject::Echo(Store::Redis),
        Subject::Responses(Store::Memory),
        Subject::Responses(Store::Sqlite),
        Subject::ChatCompletions(Store::Memory),
        Subject::ChatCompletions(Store::Sqlite),
        Subject::ChatAgent(Store::Memory),
        Subject::ChatAgent(Store::Sqlite),
    ];

    pub(super) fn name(self) -> String {
        match self {
            Subject::Floor => "floor".to_owned(),
            Subject::Echo(store) => store.name().to_owned(),
            Subject::Responses(store) => format!("Responses, {}", store.name()),
            Subject::ChatCompletions(store) => format!("Chat Completions, {}", store.name()),
            Subject::ChatAgent(store) => format!("chat agent, {}", store.name()),
        }
    }

    fn store(self) -> Option<Store> {
        match self {
            Subject::Floor => None,
            Subject::Echo(store)
            | Subject::Responses(store)
            | Subject::ChatCompletions(store)
            | Subject::ChatAgent(store) => Some(store),
        }
    }

    /// Whether it speaks a protocol other than our own.
    pub(super) fn is_translated(self) -> bool {
        matches!(self, Subject::Responses(_) | Subject::ChatCompletions(_))
    }

    pub(super) fn needs_redis(self) -> bool {
        matches!(self.store(), Some(Store::Redis | Store::RedisRelaxed))
    }

    /// Starts it with a new store.
    pub(super) async fn start(self, binary: &Path, shape: &Shape) -> Result<Running> {
        let Some(store) = self.store() else {
            return Ok(Running { server: Server::floor().await?, _model: None });
        };
        if !matches!(self, Subject::ChatAgent(_)) {
            let server = Server::storing(binary, &["--agent", "echo"], store).await?;
            return Ok(Running { server, _model: None });
        }
        let model = Server::model(shape.words, shape.delay).await?;
        let mut config = NamedTempFile::with_suffix(".toml")?;
        let address = &model.address;
        write!(
            config,
            "agent = \"paced\"\n[agents.paced]\nkind = \"chat\"\nmodel = \"paced\"\nbase_url = \"http://{address}/v1\"\n"
        )?;
        let path = config.path().display().to_string();
        let server = Server::storing(binary, &["--config", &path], store).await?;
        Ok(Running { server, _model: Some(model) })
    }

    /// A request for a stream of this shape.
    pub(super) fn request(self, shape: &Shape) -> Vec<u8> {
        let (text, delay) = (vec!["word"; shape.words].join(" "), shape.delay.as_millis());
        match self {
            Subject::Floor | Subject::Echo(_) => request(shape.words, &format!(r#","delay_ms":{delay}"#)),
            Subject::Responses(_) => post(
                "/v1/responses",
                &format!(r#"{{"model":"echo","input":"{text}","stream":true,"delay_ms":{delay}}}"#),
            ),
            Subject::ChatCompletions(_) => post(
                "/v1/chat/completions",
                &format!(
                    r#"{{"model":"echo","messages":[{{"role":"user","content":"{text}"}}],"stream":true,"delay_ms":{delay}}}"#
                ),
            ),
            Subject::ChatAgent(_) => {
                let question = if shape.delay.is_zero() { AT_ONCE } else { "word by word" };
                post(
                    "/process",
                    &format!(
                        r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":"{question}"}}]}}]}}"#
                    ),
                )
            }
        }
    }

    /// A request for the same words without pauses.
    pub(super) fn request_at_once(self, shape: &Shape) -> Vec<u8> {
        self.request(&Shape { delay: Duration::ZERO, ..*shape })
    }

    /// What a line of the stream contains if it brings a word.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Subject::Floor | Subject::Echo(_) | Subject::ChatAgent(_) => b"\"delta\":true",
            Subject::Responses(_) => b"\"type\":\"response.output_text.delta\"",
            Subject::ChatCompletions(_) => b"\"delta\":{\"content\":\"",
        }
    }
}
