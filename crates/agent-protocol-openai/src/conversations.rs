//! `/v1/conversations`: sessions as OpenAI's conversations. A conversation is the session with the same id. Its user
//! also has that id, unless the query names another user as `user_id`.

mod items;

use agent_schemas::responses::read_metadata;
use agent_schemas::{Json as Value, JsonObject, SessionId, UserId, object};
use agent_services::session::{SessionChange, SessionInfo};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, Fields, JsonRequest, PathId, ProtocolContext, QueryParams};

pub(super) fn routes(context: ProtocolContext) -> Router {
    Router::new()
        .route("/v1/conversations", post(create))
        .route("/v1/conversations/{id}", get(read).post(change).delete(delete))
        .route("/v1/conversations/{id}/items", get(items::list).post(items::add))
        .route("/v1/conversations/{id}/items/{item}", get(items::read).delete(items::delete))
        .with_state(context)
}

/// The conversation that a request names, and its user.
struct Named {
    user: UserId,
    id: SessionId,
}

impl Named {
    fn new(id: &str, query: &QueryParams) -> Self {
        Named { user: query.user().unwrap_or_else(|| UserId::new(id)), id: SessionId::new(id) }
    }

    fn missing(&self) -> ApiError {
        let message = format!("Conversation with id '{}' not found.", self.id);
        ErrorInfo::new(StatusCode::NOT_FOUND, "conversation_not_found", message).into()
    }

    /// The session without its messages.
    async fn info(&self, context: &ProtocolContext) -> Result<SessionInfo, ApiError> {
        let sessions = &context.runner().services().sessions;
        sessions.get(&self.user, &self.id).await?.ok_or_else(|| self.missing())
    }
}

async fn create(
    State(context): State<ProtocolContext>,
    query: QueryParams,
    caller: Caller,
    request: JsonRequest,
) -> Result<Json<Value>, ApiError> {
    let request = Fields::new(request.body());
    let messages = items::messages(&context, &caller, &request).await?;
    let metadata = metadata(&request)?;
    let services = context.runner().services();
    let named = Named::new(&format!("conv_{}", services.ids.ordered()), &query);
    let mut info = services.sessions.create(&named.user, Some(&named.id)).await?;
    if let Some(metadata) = metadata {
        info = set_metadata(&context, &named, metadata).await?;
    }
    if !messages.is_empty() {
        items::append(&context, &named, &messages).await?;
    }
    Ok(Json(shown(info)))
}

async fn read(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(Named::new(&id, &query).info(&context).await?)))
}

async fn change(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    query: QueryParams,
    request: JsonRequest,
) -> Result<Json<Value>, ApiError> {
    let named = Named::new(&id, &query);
    let known = named.info(&context).await?;
    let info = match metadata(&Fields::new(request.body()))? {
        Some(metadata) => set_metadata(&context, &named, metadata).await?,
        None => known,
    };
    Ok(Json(shown(info)))
}

/// Deletes a conversation with its responses. Succeeds if there is none, so that a deletion can be repeated.
async fn delete(
    State(context): State<ProtocolContext>,
    PathId(id): PathId,
    query: QueryParams,
) -> Result<Json<Value>, ApiError> {
    let named = Named::new(&id, &query);
    context.runner().delete_session(&named.user, &named.id).await?;
    Ok(Json(
        object! { "id" => named.id.as_str(), "object" => "conversation.deleted", "deleted" => true }.into(),
    ))
}

async fn set_metadata(
    context: &ProtocolContext,
    named: &Named,
    metadata: JsonObject,
) -> Result<SessionInfo, ApiError> {
    let change = SessionChange { metadata: Some(metadata), ..SessionChange::default() };
    Ok(context.runner().services().sessions.change(&named.user, &named.id, change).await?)
}

fn metadata(request: &Fields<'_>) -> Result<Option<JsonObject>, ErrorInfo> {
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
