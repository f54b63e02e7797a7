//! `POST /v1/responses`: creates a response.

use agent_runner::Run;
use agent_schemas::RunId;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::echoed::EchoedSettings;
use super::translator::{Form, Responses};
use super::{previous, spec, stored};
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, ErrorInfo, JsonRequest, ProtocolContext, RunSpec};

pub(super) async fn post(
    State(context): State<ProtocolContext>,
    request: JsonRequest,
) -> Result<Response, ApiError> {
    create(&context, request, Form::Plain).await
}

/// The same at upstream's path.
pub(super) async fn post_as_upstream(
    State(context): State<ProtocolContext>,
    request: JsonRequest,
) -> Result<Response, ApiError> {
    create(&context, request, Form::Upstream).await
}

/// `POST /v1/responses/compact`: not supported by any agent yet.
pub(super) async fn compact() -> ApiError {
    let message = "compacting a conversation is not supported; continue it with previous_response_id";
    ErrorInfo::new(StatusCode::BAD_REQUEST, "unsupported_operation", message).into()
}

async fn create(context: &ProtocolContext, request: JsonRequest, form: Form) -> Result<Response, ApiError> {
    let prepared = Prepared::new(context, &request, None).await?;
    let (is_stream, in_background) = (prepared.spec.is_stream, prepared.spec.options.background);
    let (run, translator) = start(context, &request, prepared, form).await?;
    if is_stream {
        stored::check_is_whole(&run)?;
        Ok(context.stream(&run, request.parts(), translator))
    } else if in_background {
        context.snapshot(run.id(), translator).await
    } else {
        let shows_failure = form == Form::Upstream || prefers_representation(&request.parts().headers);
        let translator = if shows_failure { translator } else { translator.with_failure_as_error() };
        // The run may take long, and keeps what it needs of the request.
        drop(request);
        Ok(context.collect(&run, translator).await)
    }
}

/// Whether the client wants the response also if it failed (RFC 7240).
fn prefers_representation(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split([',', ';']));
    preferences.any(|preference| {
        let preference: String = preference.split_whitespace().collect();
        preference.eq_ignore_ascii_case("return=representation")
    })
}

/// A request that has been checked.
pub(super) struct Prepared {
    spec: RunSpec,
    echoed: EchoedSettings,
}

impl Prepared {
    /// Reads a request; `own` is a response that it may continue even if it is not stored.
    pub(super) async fn new(
        context: &ProtocolContext,
        request: &JsonRequest,
        own: Option<&RunId>,
    ) -> Result<Self, ApiError> {
        let body = request.body();
        let caller = Caller::of(&request.parts().extensions);
        let default = context.runner().agent_names().next().unwrap_or_default();
        let settings = spec::settings(body, default)?;
        let previous = settings.previous_response_id.as_deref();
        let previous = previous::load(context, &caller, previous, own).await?;
        let (spec, echoed) = spec::spec(body, settings, previous, context.run_options().clone())?;
        Ok(Prepared { spec, echoed })
    }
}

/// Starts the run, and creates the translator of its log.
pub(super) async fn start(
    context: &ProtocolContext,
    request: &JsonRequest,
    Prepared { spec, echoed }: Prepared,
    form: Form,
) -> Result<(Run, Responses), ApiError> {
    let run = context.start(request, spec).await?;
    let translator = Responses::new(run.id(), echoed, form);
    Ok((run, translator))
}
