//! The parameters that all chat completion requests share.

/// Defines a [`record!`](crate::record::record) that starts with the parameters of every chat completion request.
///
/// The syntax is that of `record!`. Its own fields follow the common ones.
///
/// ```text
/// with_parameters! {
///     /// What it is.
///     pub struct Name {
///         /// What the field is.
///         field: Option<i64>,
///     }
/// }
/// ```
macro_rules! with_parameters {
    (
        $(@$attribute:ident)?
        $(#[$($meta:tt)*])*
        pub struct $name:ident $(($schema_name:literal))? { $($fields:tt)* }
    ) => {
        $crate::record::record! {
            $(@$attribute)?
            $(#[$($meta)*])*
            pub struct $name $(($schema_name))? {
                /// Nucleus sampling: only the most likely tokens whose probabilities add up to this value are
                /// considered. Usually from 0 to 1.
                top_p: Option<f64>,
                /// The sampling temperature, usually from 0 to 2. Lower values are more predictable.
                temperature: Option<f64>,
                /// Penalizes tokens in proportion to how often they have appeared. Usually from -2 to 2.
                frequency_penalty: Option<f64>,
                /// Penalizes tokens that have appeared at all. Usually from -2 to 2.
                presence_penalty: Option<f64>,
                /// The maximum number of tokens to generate.
                max_tokens: Option<i64>,
                /// Stop sequences: generation stops before this text, or before any of these. Most servers accept up to
                /// four.
                stop: Option<$crate::Stop>,
                /// Whether the response is streamed in chunks.
                stream: bool => true,
                /// Options for a streamed response.
                stream_options: Option<$crate::openai::chat::StreamOptions>,
                /// The tools that the model may call.
                tools: Option<Vec<$crate::RequestTool>>,
                /// Which tool the model must call: `none`, `auto`, `required`, or a specific tool.
                tool_choice: Option<$crate::openai::chat::ToolChoiceOrMode>,
                /// Whether the model may call several tools in parallel.
                parallel_tool_calls: bool => false,
                /// Changes the likelihood of tokens, by token id: usually from -100 (bans the token) to 100 (forces
                /// it).
                logit_bias: Option<indexmap::IndexMap<String, i64>>,
                /// How many of the most likely tokens to return at each position, usually up to 20. Needs `logprobs`.
                top_logprobs: Option<i64>,
                /// Whether to return the log probabilities of the output tokens.
                logprobs: Option<bool>,
                /// How many choices to generate.
                #[range(1, 5)]
                n: Option<i64> => Some(1),
                /// The sampling seed. The same seed and request should produce the same answer.
                seed: Option<i64>,
                /// The format of the answer, as an object or just its name.
                response_format: Option<$crate::openai::chat::ResponseFormatOrName>
                    => Some($crate::openai::chat::ResponseFormatOrName::default()),
                $($fields)*
            }
        }
    };
}

pub(crate) use with_parameters;
