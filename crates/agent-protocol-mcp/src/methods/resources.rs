//! `resources/list`, `resources/templates/list` and `resources/read`: what the configuration has, and the caller's sessions
//! and runs.

use agent_runner::{PageSize, RunFilter};
use agent_schemas::{Json, JsonObject, RunId, SessionId, UserId, object, sse};
use agent_server::protocol::{Caller, ProtocolContext};

use super::prompts::named;
use crate::config::{McpConfig, ResourceConfig};
use crate::file::File;
use crate::paging::page;
use crate::rpc::RpcError;
use crate::template::{self, encoded, fill, matched};

/// The URI of a session, of a run, and of a run's log.
const SESSION: &str = "session://{session_id}";
const RUN: &str = "run://{run_id}";
const EVENTS: &str = "run://{run_id}/events";

/// How many bytes of a log one answer has, approximately.
const LOG_BYTES: usize = 1024 * 1024;

const JSON: &str = "application/json";

/// Whether there is such a template.
pub(crate) fn is_template(config: &McpConfig, uri: &str) -> bool {
    [SESSION, RUN, EVENTS].contains(&uri)
        || config.resources.values().any(|resource| resource.uri == uri && template::is_template(uri))
}

pub(crate) fn templates(config: &McpConfig, params: &JsonObject) -> Result<JsonObject, RpcError> {
    let own = [
        (SESSION, "session", "A conversation with an agent: its last messages."),
        (RUN, "run", "A run of an agent: its state, and its response once it has ended."),
        (EVENTS, "run-events", "The log of a run: one event in each line."),
    ];
    let own = own.into_iter().map(|(uri, name, description)| {
        let media_type = if uri == EVENTS { "application/jsonl" } else { JSON };
        Json::from(object! {
            "uriTemplate" => uri, "name" => name, "description" => description, "mimeType" => media_type,
        })
    });
    let configured = config.resources.iter().filter(|(_, resource)| template::is_template(&resource.uri));
    let configured = configured.map(|(name, resource)| shown(name, resource, "uriTemplate").into());
    page(params, "resourceTemplates", configured.chain(own).collect())
}

fn shown(name: &str, resource: &ResourceConfig, key: &str) -> JsonObject {
    let mut members = object! { key => resource.uri.as_str() };
    members.extend(named(name, resource.title.as_ref(), resource.description.as_ref()));
    if let Some(media_type) = media_type(resource) {
        members.insert("mimeType".to_owned(), media_type.into());
    }
    members
}

fn media_type(resource: &ResourceConfig) -> Option<&str> {
    let guessed = || match &resource.file {
        Some(file) => crate::media_type::of_file(file),
        None => Some("text/plain"),
    };
    resource.mime_type.as_deref().or_else(guessed)
}

/// Reads what the caller may see.
pub(crate) struct Reader<'a> {
    pub(crate) context: &'a ProtocolContext,
    pub(crate) caller: &'a Caller,
    /// The user whose sessions and runs are listed, if the request says who that is.
    pub(crate) user: Option<UserId>,
}

impl Reader<'_> {
    /// The configured resources, and the user's latest sessions and runs.
    pub(crate) async fn list(&self, config: &McpConfig, params: &JsonObject) -> Result<JsonObject, RpcError> {
        let configured =
            config.resources.iter().filter(|(_, resource)| !template::is_template(&resource.uri));
        let mut all: Vec<Json> =
            configured.map(|(name, resource)| shown(name, resource, "uri").into()).collect();
        for (id, title) in self.sessions().await? {
            let mut members = object! {
                "uri" => SESSION.replace("{session_id}", &encoded(&id)), "name" => id, "mimeType" => JSON,
                "description" => "A conversation with an agent.",
            };
            members.extend(title.map(|title| ("title".to_owned(), title.into())));
            all.push(members.into());
        }
        for (id, agent) in self.runs().await? {
            let description = format!("A run of the agent '{agent}'.");
            all.push(Json::from(object! {
                "uri" => RUN.replace("{run_id}", &encoded(&id)), "name" => id, "mimeType" => JSON,
                "description" => description,
            }));
        }
        page(params, "resources", all)
    }

    /// The ids for which a template may stand.
    pub(crate) async fn ids(&self, template: &str) -> Result<Vec<String>, RpcError> {
        let pairs = match template {
            SESSION => return Ok(self.sessions().await?.into_iter().map(|(id, _)| id).collect()),
            RUN | EVENTS => self.runs().await?,
            _ => return Ok(Vec::new()),
        };
        Ok(pairs.into_iter().map(|(id, _)| id).collect())
    }

    async fn sessions(&self) -> Result<Vec<(String, Option<String>)>, RpcError> {
        let Some(user) = &self.user else { return Ok(Vec::new()) };
        let sessions = &self.context.runner().services().sessions;
        let page = sessions.list(user, None, PageSize::default()).await?;
        Ok(page.items.into_iter().map(|session| (session.id.to_string(), session.title)).collect())
    }

    async fn runs(&self) -> Result<Vec<(String, String)>, RpcError> {
        let Some(user) = &self.user else { return Ok(Vec::new()) };
        let page = self.context.runner().list(user, &RunFilter::default(), None, PageSize::default()).await;
        let items = page?.items;
        Ok(items.into_iter().map(|run| (run.id.to_string(), run.agent)).collect())
    }

    /// The contents of a resource; `None` if there is none for the caller.
    pub(crate) async fn read(&self, config: &McpConfig, uri: &str) -> Result<Option<JsonObject>, RpcError> {
        for resource in config.resources.values() {
            let values = match template::is_template(&resource.uri) {
                true => matched(&resource.uri, uri),
                false => (resource.uri == uri).then(JsonObject::new),
            };
            if let Some(values) = values {
                return Ok(Some(contents(resource, uri, &values).await?));
            }
        }
        let id = |template: &str, name: &str| Some(matched(template, uri)?.get(name)?.as_str()?.to_owned());
        if let Some(id) = id(EVENTS, "run_id") {
            return self.events(uri, &RunId::new(id)).await;
        }
        if let Some(id) = id(RUN, "run_id") {
            let info = self.context.run_info(self.caller, &RunId::new(id)).await?;
            return Ok(info.map(|info| as_json(uri, &Json::from_serialize(&info).unwrap_or_default())));
        }
        match id(SESSION, "session_id") {
            Some(id) => self.session(uri, SessionId::new(id)).await,
            None => Ok(None),
        }
    }

    /// The end of a session's conversation.
    async fn session(&self, uri: &str, id: SessionId) -> Result<Option<JsonObject>, RpcError> {
        // Requests without a user are their session's own user.
        let user = self.user.clone().unwrap_or_else(|| UserId::new(id.as_str()));
        let sessions = &self.context.runner().services().sessions;
        let Some(info) = sessions.get(&user, &id).await? else { return Ok(None) };
        let stored = sessions.last_messages(&user, &id, PageSize::default()).await?;
        let messages = stored.unwrap_or_default();
        let messages = messages.iter().filter_map(|stored| Json::from_serialize(&stored.message).ok());
        let messages: Vec<Json> = messages.collect();
        let session = object! {
            "id" => id.as_str(), "title" => info.title, "created_at" => info.created_at,
            "updated_at" => info.updated_at, "metadata" => info.metadata, "messages" => messages,
        };
        Ok(Some(as_json(uri, &session.into())))
    }

    /// The log of a run, or its beginning if it is long.
    async fn events(&self, uri: &str, id: &RunId) -> Result<Option<JsonObject>, RpcError> {
        let Some(record) = self.context.record(self.caller, id).await? else {
            return Ok(None);
        };
        let runs = &self.context.runner().services().runs;
        let Some(log) = runs.read(id, record.first_entry, LOG_BYTES).await? else {
            return Ok(None);
        };
        let mut lines = String::new();
        for json in log.batches.iter().flat_map(|batch| sse::frames(&batch.frames)) {
            lines.push_str(&String::from_utf8_lossy(json));
            lines.push('\n');
        }
        Ok(Some(object! { "uri" => uri, "mimeType" => "application/jsonl", "text" => lines }))
    }
}

async fn contents(resource: &ResourceConfig, uri: &str, values: &JsonObject) -> Result<JsonObject, RpcError> {
    if let Some(file) = &resource.file {
        return Ok(File::read(file, resource.mime_type.as_deref()).await?.into_contents(uri));
    }
    let text = fill(resource.text.as_deref().unwrap_or_default(), values);
    Ok(object! { "uri" => uri, "mimeType" => media_type(resource), "text" => text })
}

fn as_json(uri: &str, value: &Json) -> JsonObject {
    object! { "uri" => uri, "mimeType" => JSON, "text" => value.to_string() }
}
