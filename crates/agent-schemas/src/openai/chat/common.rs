//! The parameters that all chat completion requests share.

/// Defines a [`Record`](agent_schemas_derive::Record) that begins with the parameters of every chat completion request.
///
/// Its own fields follow the common ones.
///
/// ```text
/// with_parameters! {
///     /// What it is.
///     pub struct Name {
///         /// What the field is.
///         pub field: Option<i64>,
///     }
/// }
/// ```
macro_rules! with_parameters {
    (
        $(#[$($meta:tt)*])*
        pub struct $name:ident { $($fields:tt)* }
    ) => {
        #[derive(Clone, Debug, PartialEq, agent_schemas_derive::Record)]
        $(#[$($meta)*])*
        pub struct $name {
            /// Nucleus sampling: only the most likely tokens whose probabilities add up to this value are considered.
            /// Usually from 0 to 1.
            pub top_p: Option<f64>,
            /// The sampling temperature, usually from 0 to 2. Lower values are more predictable.
            pub temperature: Option<f64>,
            /// Penalizes tokens in proportion to how often they have appeared. Usually from -2 to 2.
            pub frequency_penalty: Option<f64>,
            /// Penalizes tokens that have appeared at all. Usually from -2 to 2.
            pub presence_penalty: Option<f64>,
            /// The maximum number of tokens to generate.
            pub max_tokens: Option<i64>,
            /// Stop sequences: generation stops before this text, or before any of these. Most servers accept up to
            /// four.
            pub stop: Option<$crate::Stop>,
            /// Whether the response is streamed in chunks.
            #[record(default = true)]
            pub stream: bool,
            /// Options for a streamed response.
            pub stream_options: Option<$crate::openai::chat::StreamOptions>,
            /// The tools that the model may call.
            pub tools: Option<Vec<$crate::RequestTool>>,
            /// Which tool the model must call: `none`, `auto`, `required`, or a specific tool.
            pub tool_choice: Option<$crate::openai::chat::ToolChoiceOrMode>,
            /// Whether the model may call several tools in parallel.
            #[record(default)]
            pub parallel_tool_calls: bool,
            /// Changes the likelihood of tokens, by token id: usually from -100 (bans the token) to 100 (forces it).
            pub logit_bias: Option<indexmap::IndexMap<String, i64>>,
            /// How many of the most likely tokens to return at each position, usually up to 20. Needs `logprobs`.
            pub top_logprobs: Option<i64>,
            /// Whether to return the log probabilities of the output tokens.
            pub logprobs: Option<bool>,
            /// How many choices to generate.
            #[record(default = Some(1), range(1, 5))]
            pub n: Option<i64>,
            /// The sampling seed. The same seed and request should produce the same answer.
            pub seed: Option<i64>,
            /// The format of the answer, as an object or just its name.
            #[record(default = Some($crate::openai::chat::ResponseFormatOrName::default()))]
            pub response_format: Option<$crate::openai::chat::ResponseFormatOrName>,
            $($fields)*
        }
    };
}

pub(crate) use with_parameters;
