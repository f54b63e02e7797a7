//! Merges the chunks of a model's answer into one.

use std::collections::BTreeMap;

use super::calls::{Calls, grow_function};
use super::members::{append_members, replace_members};
use crate::delta::{append, replace};
use crate::json::Json;
use crate::openai::chat::{
    ChatCompletionChunk, ChatCompletionChunkChoice, ChatCompletionTokenLogprob, ChoiceDelta, ChoiceLogprobs,
};

/// Merges the chunks of one answer into one chunk, however the server split it; `None` if there are no chunks.
/// Upstream's `merge_incremental_chunk`.
///
/// - Choices are matched by index. Texts, refusals, reasoning and log probabilities are concatenated.
/// - Tool calls are matched by index, or by id if the server sends no index. Arguments are concatenated; the first id,
///   name and type are kept.
/// - The last usage and finish reason win. Usage is not summed: servers that send it more than once send the total so
///   far.
/// - Deltas of role `tool` are not the model's words and are left out, unless there are no others.
/// - Vendor-specific texts and arrays of a delta are concatenated; of other members the last value wins.
pub fn merge_chat_completion_chunks(chunks: &[ChatCompletionChunk]) -> Option<ChatCompletionChunk> {
    let last = chunks.last()?;
    let mut merged = ChatCompletionChunk { object: last.object.clone(), ..ChatCompletionChunk::default() };
    let mut choices: BTreeMap<i64, Vec<&ChatCompletionChunkChoice>> = BTreeMap::new();
    for chunk in chunks {
        // Some servers send chunks with only filter results or usage, with empty id and model.
        if !chunk.id.is_empty() {
            merged.id.clone_from(&chunk.id);
        }
        if !chunk.model.is_empty() {
            merged.model.clone_from(&chunk.model);
        }
        if chunk.created != 0 {
            merged.created = chunk.created;
        }
        replace(&mut merged.service_tier, &chunk.service_tier);
        replace(&mut merged.system_fingerprint, &chunk.system_fingerprint);
        replace(&mut merged.usage, &chunk.usage);
        replace_members(&mut merged.extra, &chunk.extra);
        for choice in &chunk.choices {
            choices.entry(choice.index).or_default().push(choice);
        }
    }
    merged.choices = choices.into_values().map(|parts| merge_choice(&parts)).collect();
    Some(merged)
}

fn merge_choice(parts: &[&ChatCompletionChunkChoice]) -> ChatCompletionChunkChoice {
    let of_tool = |part: &ChatCompletionChunkChoice| part.delta.role.as_deref() == Some("tool");
    let only_tools = parts.iter().all(|part| of_tool(part));
    let parts = || parts.iter().copied().filter(|part| only_tools || !of_tool(part));
    let mut merged = ChatCompletionChunkChoice::default();
    for part in parts() {
        merged.index = part.index;
        if part.finish_reason.as_ref().is_some_and(|reason| !reason.as_str().is_empty()) {
            merged.finish_reason.clone_from(&part.finish_reason);
        }
        if let Some(part) = &part.logprobs {
            merge_logprobs(merged.logprobs.get_or_insert_default(), part);
        }
        merge_choice_members(&mut merged, part);
    }
    merged.delta = merge_deltas(parts().map(|part| &part.delta));
    merged
}

/// Arrays, such as token ids, describe only their part; any other value describes the answer so far.
fn merge_choice_members(merged: &mut ChatCompletionChunkChoice, part: &ChatCompletionChunkChoice) {
    for (key, value) in &part.extra {
        match (merged.extra.get_mut(key), value) {
            (Some(Json::Array(items)), Json::Array(more)) => items.extend_from_slice(more),
            (Some(_), Json::Null) => {}
            _ => {
                merged.extra.insert(key.clone(), value.clone());
            }
        }
    }
}

fn merge_deltas<'a>(deltas: impl Iterator<Item = &'a ChoiceDelta>) -> ChoiceDelta {
    let mut merged = ChoiceDelta::default();
    let mut calls: Option<Calls> = None;
    for delta in deltas {
        append(&mut merged.content, &delta.content);
        append(&mut merged.refusal, &delta.refusal);
        if merged.role.as_deref().unwrap_or_default().is_empty() && delta.role.is_some() {
            merged.role.clone_from(&delta.role);
        }
        if let Some(part) = &delta.function_call {
            grow_function(merged.function_call.get_or_insert_default(), part);
        }
        if let Some(parts) = &delta.tool_calls {
            let calls = calls.get_or_insert_default();
            parts.iter().for_each(|part| calls.push(part));
        }
        append_members(&mut merged.extra, &delta.extra);
    }
    merged.tool_calls = calls.map(Calls::finish);
    merged
}

fn merge_logprobs(merged: &mut ChoiceLogprobs, part: &ChoiceLogprobs) {
    type Tokens = Option<Vec<ChatCompletionTokenLogprob>>;
    let join = |tokens: &mut Tokens, more: &Tokens| {
        if let Some(more) = more {
            tokens.get_or_insert_default().extend_from_slice(more);
        }
    };
    join(&mut merged.content, &part.content);
    join(&mut merged.refusal, &part.refusal);
    append_members(&mut merged.extra, &part.extra);
}
