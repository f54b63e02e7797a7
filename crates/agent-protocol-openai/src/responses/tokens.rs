//! `POST /v1/responses/input_tokens`: about how many tokens a request has.
//!
//! The server has no tokenizer: which one applies depends on the model behind the agent. So this is an estimate, and it
//! leaves out what the agent adds itself, such as its system prompt and its own tools.

use agent_schemas::{Content, ContentBody, Json, Message, object};
use axum::extract::State;

use super::create::Prepared;
use agent_server::protocol::{ApiError, Fields, JsonRequest, ProtocolContext};

/// How many bytes of UTF-8 make a token.
const BYTES: usize = 4;

/// The tokens around a message: its role and its delimiters.
const MESSAGE: usize = 4;

/// The tokens of a picture or a file.
const MEDIA: usize = 1000;

pub(super) async fn count(
    State(context): State<ProtocolContext>,
    request: JsonRequest,
) -> Result<axum::Json<Json>, ApiError> {
    // The estimate is the same for all agents, but a name that none has is a mistake.
    context.runner().summarizes(Fields::new(request.body()).optional_text("model")?)?;
    let prepared = Prepared::new(&context, &request, None).await?;
    let mut tokens = settings(request.body());
    let before = prepared.context_messages().iter();
    tokens += before.chain(prepared.input()).map(message).sum::<usize>();
    if let Some(conversation) = prepared.conversation() {
        let visit = |stored: &Message| {
            tokens += message(stored);
            false
        };
        conversation.visit_from_end(context.runner(), visit).await?;
    }
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    Ok(axum::Json(object! { "object" => "response.input_tokens", "input_tokens" => tokens }.into()))
}

/// The members of a request that the model reads besides the input.
fn settings(body: &agent_schemas::JsonObject) -> usize {
    let read = ["instructions", "tools", "text"].into_iter().filter_map(|key| body.get(key));
    read.filter(|value| !value.is_null())
        .map(|value| text(value.as_str().map_or_else(|| value.to_string(), str::to_owned).len()))
        .sum()
}

fn message(message: &Message) -> usize {
    MESSAGE + message.contents().iter().map(content).sum::<usize>()
}

fn content(content: &Content) -> usize {
    match &content.body {
        ContentBody::Text { text: Some(said) } | ContentBody::Refusal { refusal: Some(said) } => {
            text(said.len())
        }
        ContentBody::Data { data: Some(data) } => text(Json::from(data.clone()).to_string().len()),
        ContentBody::Text { .. } | ContentBody::Refusal { .. } | ContentBody::Data { .. } => 0,
        _ => MEDIA,
    }
}

fn text(bytes: usize) -> usize {
    bytes.div_ceil(BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens__message__are_about_a_quarter_of_its_bytes() {
        assert_eq!(message(&Message::user("12345678")), MESSAGE + 2);
        assert_eq!(message(&Message::user("")), MESSAGE);
        let mut picture = Message::user("1");
        picture.content.get_or_insert_default().push(Content::image("data:image/png;base64,QUJD"));
        assert_eq!(message(&picture), MESSAGE + 1 + MEDIA);
        let body =
            object! { "instructions" => "1234", "tools" => Vec::new(), "text" => Json::Null, "x" => "12345" };
        assert_eq!(settings(&body), 2);
    }
}
