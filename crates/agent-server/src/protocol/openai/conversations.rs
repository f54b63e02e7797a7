//! `/v1/conversations`: sessions as OpenAI has them. A conversation is the session of the same id; its user has that id, too,
//! unless the query names another one as `user_id`.

mod items;

use agent_schemas::responses::read_metadata;
use agent_schemas::{Json as Value, JsonObject, SessionId, UserId, object};
use agent_services::session::{SessionChange, SessionInfo};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};

use crate::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::{Failure, Server};
use crate::query::{Given, IdInPath, Parameters};

pub(super) fn routes(server: Server) -> Router {
    Router::new()
        .route("/v1/conversations", post(create))
        .route("/v1/conversations/{id}", get(read).post(change).delete(delete))
        .route("/v1/conversations/{id}/items", get(items::list).post(items::add))
        .route("/v1/conversations/{id}/items/{item}", get(items::read).delete(items::delete))
        .with_state(server)
}

/// Which conversation is meant, and whose it is.
struct Named {
    user: UserId,
    id: SessionId,
}

impl Named {
    fn new(id: &str, query: &Given) -> Self {
        Named { user: query.user().unwrap_or_else(|| UserId::new(id)), id: SessionId::new(id) }
    }

    /// The same for an id in a path.
    fn in_path(id: IdInPath, query: Parameters) -> Result<Self, ApiError> {
        let Ok(Path(id)) = id else { return Err(no_text("conversation_id")) };
        Ok(Named::new(&id, &Given::new(query)?))
    }

    fn missing(&self) -> ApiError {
        let message = format!("Conversation with id '{}' not found.", self.id);
        Failure::new(StatusCode::NOT_FOUND, "conversation_not_found", message).into()
    }

    /// What is known of it.
    async fn info(&self, server: &Server) -> Result<SessionInfo, ApiError> {
        let sessions = &server.runner().services().sessions;
        sessions.get(&self.user, &self.id).await?.ok_or_else(|| self.missing())
    }
}

async fn create(
    State(server): State<Server>,
    query: Parameters,
    request: Request<Body>,
) -> Result<Json<Value>, ApiError> {
    let call = server.read(request).await?;
    let request = Fields::new(call.body());
    let messages = items::messages(&server, &request)?;
    let metadata = metadata(&request)?;
    let services = server.runner().services();
    let named = Named::new(&format!("conv_{}", services.ids.ordered()), &Given::new(query)?);
    let mut info = services.sessions.create(&named.user, Some(&named.id)).await?;
    if let Some(metadata) = metadata {
        info = set_metadata(&server, &named, metadata).await?;
    }
    if !messages.is_empty() {
        items::append(&server, &named, &messages).await?;
    }
    Ok(Json(shown(info)))
}

async fn read(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(Named::in_path(id, query)?.info(&server).await?)))
}

async fn change(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
    request: Request<Body>,
) -> Result<Json<Value>, ApiError> {
    let call = server.read(request).await?;
    let named = Named::in_path(id, query)?;
    let known = named.info(&server).await?;
    let info = match metadata(&Fields::new(call.body()))? {
        Some(metadata) => set_metadata(&server, &named, metadata).await?,
        None => known,
    };
    Ok(Json(shown(info)))
}

async fn delete(
    State(server): State<Server>,
    id: IdInPath,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let named = Named::in_path(id, query)?;
    if !server.runner().services().sessions.delete(&named.user, &named.id).await? {
        return Err(named.missing());
    }
    Ok(Json(
        object! { "id" => named.id.as_str(), "object" => "conversation.deleted", "deleted" => true }.into(),
    ))
}

fn no_text(parameter: &str) -> ApiError {
    Failure::of_parameter(parameter, "it is not UTF-8 in percent-encoding").into()
}

async fn set_metadata(server: &Server, named: &Named, metadata: JsonObject) -> Result<SessionInfo, ApiError> {
    let change = SessionChange { metadata: Some(metadata), ..SessionChange::default() };
    Ok(server.runner().services().sessions.change(&named.user, &named.id, change).await?)
}

fn metadata(request: &Fields<'_>) -> Result<Option<JsonObject>, Failure> {
    let Some(metadata) = request.get("metadata") else { return Ok(None) };
    let texts = read_metadata(metadata)?.into_iter();
    Ok(Some(texts.map(|(key, text)| (key, Value::from(text))).collect()))
}

fn shown(info: SessionInfo) -> Value {
    object! {
        "id" => info.id.as_str(), "object" => "conversation", "created_at" => info.created_at, "metadata" => info.metadata
    }
    .into()
}
