//! Calls a store like the recordings' program called upstream.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_schemas::{IdSource, Json, JsonObject, Message, SessionId, UserId, object};
use agent_services::state::DEFAULT_SESSION;
use agent_services::{Error, StoreContext};
use serde::Serialize;

use super::backend::{Backend, Store};
use super::case::{Case, Step, member, text};
use super::{memories, sessions, states};

/// The result of a call: a value in upstream's form, or the name of an error.
pub(super) type Answer = Result<Json, Fault>;

/// The error of a call.
pub(super) struct Fault(String);

impl Fault {
    /// The types of our functions do not accept this argument.
    pub(super) fn wrong_type() -> Fault {
        Fault("WrongType".to_owned())
    }

    /// There is no equivalent here.
    pub(super) fn no_such_operation(name: &str) -> Fault {
        Fault(format!("no operation {name}"))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault(format!("{:?}", error.kind()))
    }
}

/// Ids in the form of the recordings' placeholders.
#[derive(Debug, Default)]
struct Placeholders(AtomicU64);

impl IdSource for Placeholders {
    fn uuid(&self) -> String {
        format!("<uuid4#{}>", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn random(&self) -> String {
        self.uuid()
    }
}

/// A caller with its own store and its saved answers.
pub(super) struct Caller {
    store: Store,
    ids: Arc<Placeholders>,
    kept: HashMap<String, Json>,
    _holds: Box<dyn Send>,
}

impl Caller {
    pub(super) async fn new(backend: Backend, case: &Case) -> Caller {
        let ids = Arc::new(Placeholders::default());
        let mut context = StoreContext::default();
        context.ids = ids.clone();
        let (store, holds) = backend.store(case, context).await;
        if case.is_started {
            store.service().start().await.expect("started");
        }
        Caller { store, ids, kept: HashMap::new(), _holds: holds }
    }

    pub(super) async fn end(self) {
        self.store.service().stop().await.expect("stopped");
    }

    /// Makes a call: `ok` with the value as JSON text, or `error` with its name.
    pub(super) async fn answer(&mut self, step: &Step) -> String {
        let arguments = Arguments { json: self.resolved(&step.arguments), ids: self.ids.clone() };
        match self.call(&step.operation, &arguments).await {
            Ok(value) => {
                let text = format!("ok {value}");
                self.kept.extend(step.save.clone().map(|name| (name, value)));
                text
            }
            Err(Fault(name)) => format!("error {name}"),
        }
    }

    async fn call(&self, operation: &str, arguments: &Arguments) -> Answer {
        let service = self.store.service();
        match operation {
            "health" => return Ok(Json::Bool(service.health().await.is_ok())),
            "start" => service.start().await?,
            "stop" => service.stop().await?,
            "let" => return Ok(arguments.object_or_message("value")),
            // Stores receive and return values, so changes to the caller's objects do not affect them.
            "local_append" | "local_set_text" | "local_set_key" => {}
            // Commands that bypass the store use upstream's own keys.
            "raw_redis" => return Err(Fault::no_such_operation(operation)),
            _ => {
                return match &self.store {
                    Store::Sessions(store) => sessions::call(&**store, operation, arguments).await,
                    Store::States(store) => states::call(&**store, operation, arguments).await,
                    Store::Memories(store) => memories::call(&**store, operation, arguments).await,
                };
            }
        }
        Ok(Json::Null)
    }

    /// Replaces the recordings' markers with saved answers.
    fn resolved(&self, json: &Json) -> Json {
        match json {
            Json::Array(items) => Json::Array(items.iter().map(|item| self.resolved(item)).collect()),
            Json::Object(members) => match members.iter().next().map(|(key, value)| (key.as_str(), value)) {
                Some(("$var", name)) => self.kept[&text(name)].clone(),
                Some(("$sid", name)) => member(&self.kept[&text(name)], "id").clone(),
                Some(("$session", session)) => session.clone(),
                _ => Json::Object(
                    members.iter().map(|(key, value)| (key.clone(), self.resolved(value))).collect(),
                ),
            },
            other => other.clone(),
        }
    }
}

/// The arguments of a call.
pub(super) struct Arguments {
    json: Json,
    ids: Arc<Placeholders>,
}

impl Arguments {
    /// An argument that is neither missing nor null.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.json.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn user(&self) -> UserId {
        UserId::new(text(member(&self.json, "user_id")))
    }

    pub(super) fn session(&self) -> SessionId {
        SessionId::new(text(member(&self.json, "session_id")))
    }

    /// The given session; none if its id is missing or empty.
    pub(super) fn maybe_session(&self) -> Option<SessionId> {
        self.get("session_id").map(text).filter(|id| !id.is_empty()).map(SessionId::new)
    }

    pub(super) fn session_or_default(&self) -> SessionId {
        self.maybe_session().unwrap_or_else(|| SessionId::new(DEFAULT_SESSION))
    }

    /// Reads a message, and assigns an id if it has none, as any receiver of a message does.
    pub(super) fn message(&self, json: &Json) -> Result<Message, Fault> {
        let json = json.get("$message").unwrap_or(json);
        let mut message: Message =
            serde_json::from_str(&json.to_string()).map_err(|_| Fault("InvalidInput".to_owned()))?;
        if message.id.is_empty() {
            message.id = format!("msg_{}", self.ids.uuid());
        }
        Ok(message)
    }

    fn object_or_message(&self, name: &str) -> Json {
        let value = member(&self.json, name);
        let message = value.get("$message").and_then(|_| self.message(value).ok());
        message.map_or_else(|| value.clone(), |message| to_json(&message))
    }
}

/// A value in its JSON form.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Json {
    Json::from_serialize(value).expect("a value has a JSON form")
}

/// A session in upstream's form.
pub(super) fn session_json(user: &UserId, id: &SessionId, messages: &[Message]) -> Json {
    let session: JsonObject =
        object! { "id" => id.as_str(), "user_id" => user.as_str(), "messages" => to_json(messages) };
    Json::Object(session)
}
