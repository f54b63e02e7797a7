//! `POST /v1/responses`: creates a response.

use agent_runner::{Run, RunContext};
use agent_schemas::{Message, RunId};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::conversation::Conversation;
use super::echoed::EchoedSettings;
use super::references::Resolver;
use super::translator::{Form, Responses};
use super::{answers, previous, spec, stored};
use agent_server::protocol::ApiError;
use agent_server::protocol::{Caller, Fields, JsonRequest, ProtocolContext, RunSpec};

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
        preference.replace('"', "").eq_ignore_ascii_case("return=representation")
    })
}

/// A request that has been checked.
pub(super) struct Prepared {
    spec: RunSpec,
    echoed: EchoedSettings,
    conversation: Option<Conversation>,
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
        let fields = Fields::new(body);
        let conversation = Conversation::of(&fields, &settings, &caller);
        let resolver = Resolver::new(context, &caller).continuing(previous.as_ref(), conversation.as_ref());
        let references = resolver.resolve(&fields, "input").await?;
        let options = context.run_options().clone();
        let (spec, echoed) = spec::spec(body, settings, previous, options, &references)?;
        answers::check(context, &spec.request.input, spec.context.as_ref(), conversation.as_ref()).await?;
        Ok(Prepared { spec, echoed, conversation })
    }

    /// The same for a response without output, which prepares its input for responses that continue it.
    pub(super) fn without_output(mut self) -> Self {
        self.spec.options.prepares_only = true;
        self.spec.options.keep_history = false;
        self
    }

    /// The messages of the response that it continues.
    pub(super) fn context_messages(&self) -> &[Message] {
        self.spec.context.as_ref().map(RunContext::messages).unwrap_or_default()
    }

    /// The run for the request.
    pub(super) fn into_spec(self) -> RunSpec {
        self.spec
    }

    /// The request's own messages.
    pub(super) fn input(&self) -> &[Message] {
        &self.spec.request.input
    }

    /// The conversation that it continues.
    pub(super) fn conversation(&self) -> Option<&Conversation> {
        self.conversation.as_ref()
    }
}

/// Starts the run, and creates the translator of its log.
pub(super) async fn start(
    context: &ProtocolContext,
    request: &JsonRequest,
    Prepared { spec, echoed, .. }: Prepared,
    form: Form,
) -> Result<(Run, Responses), ApiError> {
    let run = context.start(request, spec).await?;
    let translator = Responses::new(run.id(), echoed, form);
    Ok((run, translator))
}
