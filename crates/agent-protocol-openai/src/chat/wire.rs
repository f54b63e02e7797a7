//! The written form of chunks and completions, with only the members that clients expect.
//!
//! `agent_schemas::openai::chat` has the corresponding types for reading; they keep members that other servers add.

use agent_schemas::{ErrorBody, Json, JsonObject};
use serde::Serialize;

/// A member that is present, whatever its value.
pub(super) type Shown<T> = Option<Option<T>>;

#[derive(Serialize)]
pub(super) struct Chunk<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: &'a [ChunkChoice<'a>],
    /// Null in all but the last chunk of a stream that reports its usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Shown<&'a Usage>,
    /// Not part of OpenAI's API: problems of a run that completed nevertheless, in the chunk with the finish reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warnings: Option<&'a [ErrorBody]>,
}

#[derive(Serialize)]
pub(super) struct ChunkChoice<'a> {
    pub(super) index: u32,
    pub(super) delta: Delta<'a>,
    /// Always null: agents do not report log probabilities.
    pub(super) logprobs: (),
    pub(super) finish_reason: Option<&'a str>,
}

/// The increment in a chunk. `images` and `reasoning_content` are not part of OpenAI's API; other servers also use
/// them.
#[derive(Default, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Shown<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) images: Option<&'a [Image]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[CallDelta<'a>; 1]>,
    /// The call, for clients that declare functions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionDelta<'a>>,
    /// The members that a model server attached to the message.
    #[serde(flatten)]
    pub(super) extra: Option<&'a JsonObject>,
}

#[derive(Serialize)]
pub(super) struct CallDelta<'a> {
    pub(super) index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'static str>,
    pub(super) function: FunctionDelta<'a>,
    /// The members that a model server attached to the call.
    #[serde(flatten)]
    pub(super) extra: Option<JsonObject>,
}

#[derive(Serialize)]
pub(super) struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
    #[serde(flatten)]
    pub(super) extra: Option<JsonObject>,
}

#[derive(Serialize)]
pub(super) struct Completion<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: [Choice<'a>; 1],
    pub(super) usage: &'a Usage,
    /// The same as in chunks.
    #[serde(skip_serializing_if = "<[ErrorBody]>::is_empty")]
    pub(super) warnings: &'a [ErrorBody],
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub(super) index: u32,
    pub(super) message: Message<'a>,
    pub(super) logprobs: (),
    pub(super) finish_reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Option<&'a str>,
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Image]>::is_empty")]
    pub(super) images: &'a [Image],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<Call<'a>>,
    /// The call, for clients that declare functions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Function<'a>>,
    #[serde(flatten)]
    pub(super) extra: Option<&'a JsonObject>,
}

#[derive(Serialize)]
pub(super) struct Call<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) function: Function<'a>,
    #[serde(flatten)]
    pub(super) extra: Option<&'a JsonObject>,
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
    #[serde(flatten)]
    pub(super) extra: Option<&'a JsonObject>,
}

#[derive(Debug, Serialize)]
pub(super) struct Image {
    r#type: &'static str,
    image_url: ImageUrl,
}

#[derive(Debug, Serialize)]
struct ImageUrl {
    url: String,
}

impl Image {
    pub(super) fn at(url: &str) -> Self {
        Image { r#type: "image_url", image_url: ImageUrl { url: url.to_owned() } }
    }
}

/// The usage of a run; zeros if its agent does not report it, because clients expect numbers.
#[derive(Debug, Default, Serialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: i64,
    pub(super) completion_tokens: i64,
    pub(super) total_tokens: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt_tokens_details: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_tokens_details: Option<Json>,
}

impl Usage {
    /// The usage in a run's final response, by OpenAI's names or the native ones.
    pub(super) fn read(usage: &agent_schemas::JsonObject) -> Self {
        let find = |names: [&str; 2]| names.into_iter().find_map(|name| usage.get(name));
        let tokens = |names| find(names).and_then(Json::as_i64);
        let details = |names| find(names).filter(|details| details.as_object().is_some()).cloned();
        let prompt_tokens = tokens(["prompt_tokens", "input_tokens"]).unwrap_or_default();
        let completion_tokens = tokens(["completion_tokens", "output_tokens"]).unwrap_or_default();
        let sum = prompt_tokens.saturating_add(completion_tokens);
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: tokens(["total_tokens", "total_tokens"]).unwrap_or(sum),
            prompt_tokens_details: details(["prompt_tokens_details", "input_tokens_details"]),
            completion_tokens_details: details(["completion_tokens_details", "output_tokens_details"]),
        }
    }
}
