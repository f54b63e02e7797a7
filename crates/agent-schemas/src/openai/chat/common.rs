//! The parameters that all chat completion requests have, whatever the vendor adds.

/// Defines a [`record!`](crate::record::record) that begins with the parameters of every chat completion request.
///
/// It is written as `record!` is; its own fields follow the common ones.
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
                /// Nucleus sampling: only the likeliest tokens whose probabilities add up to this are considered.
                /// Usually from 0 to 1.
                top_p: Option<f64>,
                /// How random the sampling is, usually from 0 to 2; less is more predictable.
                temperature: Option<f64>,
                /// How much a token loses by each time that it came before. Usually from -2 to 2.
                frequency_penalty: Option<f64>,
                /// How much a token loses by having come before at all. Usually from -2 to 2.
                presence_penalty: Option<f64>,
                /// The most tokens to produce.
                max_tokens: Option<i64>,
                /// Where to stop: before this text, or before any of these. Most servers take up to four.
                stop: Option<$crate::Stop>,
                /// Whether the answer comes in chunks.
                stream: bool => true,
                /// What the chunks of a streamed answer tell besides.
                stream_options: Option<$crate::openai::chat::StreamOptions>,
                /// The tools that the model may call.
                tools: Option<Vec<$crate::RequestTool>>,
                /// Which tool the model is to call: `none`, `auto`, `required`, or one tool.
                tool_choice: Option<$crate::openai::chat::ToolChoiceOrMode>,
                /// Whether the model may call several tools at once.
                parallel_tool_calls: bool => false,
                /// By token id, how much likelier the token becomes: usually from -100, which bans it, to 100, which
                /// forces it.
                logit_bias: Option<indexmap::IndexMap<String, i64>>,
                /// How many of the likeliest tokens to tell at each position, usually up to 20; needs `logprobs`.
                top_logprobs: Option<i64>,
                /// Whether to tell the log probabilities of the tokens of the answer.
                logprobs: Option<bool>,
                /// How many answers to produce.
                #[range(1, 5)]
                n: Option<i64> => Some(1),
                /// The seed for sampling: the same seed and request should give the same answer.
                seed: Option<i64>,
                /// The form of the answer, as an object or by its name alone.
                response_format: Option<$crate::openai::chat::ResponseFormatOrName>
                    => Some($crate::openai::chat::ResponseFormatOrName::default()),
                $($fields)*
            }
        }
    };
}

pub(crate) use with_parameters;
