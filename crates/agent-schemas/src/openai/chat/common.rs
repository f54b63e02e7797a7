//! The parameters that all chat completion requests have, whatever the vendor adds.

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
            /// Nucleus sampling: only the likeliest tokens whose probabilities add up to this are considered.
            /// Usually from 0 to 1.
            pub top_p: Option<f64>,
            /// How random the sampling is, usually from 0 to 2; less is more predictable.
            pub temperature: Option<f64>,
            /// How much a token loses by each time that it came before. Usually from -2 to 2.
            pub frequency_penalty: Option<f64>,
            /// How much a token loses by having come before at all. Usually from -2 to 2.
            pub presence_penalty: Option<f64>,
            /// The most tokens to produce.
            pub max_tokens: Option<i64>,
            /// Where to stop: before this text, or before any of these. Most servers take up to four.
            pub stop: Option<$crate::Stop>,
            /// Whether the answer comes in chunks.
            #[record(default = true)]
            pub stream: bool,
            /// What the chunks of a streamed answer tell besides.
            pub stream_options: Option<$crate::openai::chat::StreamOptions>,
            /// The tools that the model may call.
            pub tools: Option<Vec<$crate::RequestTool>>,
            /// Which tool the model is to call: `none`, `auto`, `required`, or one tool.
            pub tool_choice: Option<$crate::openai::chat::ToolChoiceOrMode>,
            /// Whether the model may call several tools at once.
            #[record(default)]
            pub parallel_tool_calls: bool,
            /// By token id, how much likelier the token becomes: usually from -100, which bans it, to 100, which
            /// forces it.
            pub logit_bias: Option<indexmap::IndexMap<String, i64>>,
            /// How many of the likeliest tokens to tell at each position, usually up to 20; needs `logprobs`.
            pub top_logprobs: Option<i64>,
            /// Whether to tell the log probabilities of the tokens of the answer.
            pub logprobs: Option<bool>,
            /// How many answers to produce.
            #[record(default = Some(1), range(1, 5))]
            pub n: Option<i64>,
            /// The seed for sampling: the same seed and request should give the same answer.
            pub seed: Option<i64>,
            /// The form of the answer, as an object or by its name alone.
            #[record(default = Some($crate::openai::chat::ResponseFormatOrName::default()))]
            pub response_format: Option<$crate::openai::chat::ResponseFormatOrName>,
            $($fields)*
        }
    };
}

pub(crate) use with_parameters;
