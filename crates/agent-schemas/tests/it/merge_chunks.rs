//! Merges of chunks: the answer does not depend on the split; and behavior of servers that no recording has.

use agent_schemas::merge::{finish_reason_of_chunk, merge_chat_completion_chunks};
use agent_schemas::openai::chat::{ChatCompletionChunk, FinishReason};
use agent_schemas::{Json, object};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

use crate::fold;

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// Merges the chunks of one answer, given the members of its deltas.
fn merge_deltas(deltas: &[&str]) -> Json {
    let chunk = |delta: &&str| read(&format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta}}}]}}"#));
    let chunks: Vec<ChatCompletionChunk> = deltas.iter().map(chunk).collect();
    let merged = merge_chat_completion_chunks(&chunks).unwrap();
    Json::from_serialize(&merged.choices[0].delta).unwrap()
}

fn calls(delta: &Json) -> Vec<String> {
    let calls = delta.get("tool_calls").unwrap().as_array().unwrap().iter();
    let shown = |call: &Json| {
        let function = call.get("function").unwrap();
        let [index, id] = ["index", "id"].map(|key| call.get(key).unwrap().to_string());
        let [name, arguments] = ["name", "arguments"].map(|key| function.get(key).unwrap().to_string());
        format!("{index} {id} {name} {arguments}").replace(['"', '\\'], "")
    };
    calls.map(shown).collect()
}

/// The texts of one answer, by the member that grows.
#[derive(Clone, Debug)]
struct Answer {
    texts: Vec<(&'static str, String)>,
    calls: Vec<String>,
}

fn answer() -> impl Strategy<Value = Answer> {
    let texts = ["content", "refusal", "reasoning_content"];
    let texts = vec(any::<String>(), 3).prop_map(move |said| texts.into_iter().zip(said).collect());
    (texts, vec(any::<String>(), 0..3)).prop_map(|(texts, calls)| Answer { texts, calls })
}

/// The deltas of one text of an answer, in pieces.
fn pieces(answer: &Answer, place: usize, cuts: &[usize]) -> Vec<Json> {
    if let Some((key, text)) = answer.texts.get(place) {
        return fold::chunks(text, cuts).into_iter().map(|piece| object! { *key => piece }.into()).collect();
    }
    let index = place - answer.texts.len();
    let call = |(at, piece): (usize, &str)| {
        // As in OpenAI's API, the first part names the call.
        let part = if at == 0 {
            let function = object! { "name" => format!("f{index}"), "arguments" => piece };
            object! { "index" => index as i64, "id" => format!("c{index}"), "function" => function }
        } else {
            object! { "index" => index as i64, "function" => object! { "arguments" => piece } }
        };
        Json::from(object! { "tool_calls" => vec![Json::from(part)] })
    };
    fold::chunks(&answer.calls[index], cuts).into_iter().enumerate().map(call).collect()
}

/// The chunks of the answers, split and mixed according to the numbers.
fn stream(answers: &[Answer], cuts: &[usize], picks: &[usize]) -> Vec<ChatCompletionChunk> {
    let mut queues: Vec<(usize, std::vec::IntoIter<Json>)> = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        let places = 0..answer.texts.len() + answer.calls.len();
        queues.extend(places.map(|place| (index, pieces(answer, place, cuts).into_iter())));
    }
    let mut chunks = Vec::new();
    let mut picks = picks.iter().cycle();
    while !queues.is_empty() {
        let pick = picks.next().unwrap_or(&0) % queues.len();
        let (index, queue) = &mut queues[pick];
        match queue.next() {
            Some(delta) => {
                let choice = object! { "index" => *index as i64, "delta" => delta };
                let chunk = Json::from(object! { "id" => "x", "choices" => vec![Json::from(choice)] });
                chunks.push(read(&chunk.to_string()));
            }
            None => {
                queues.remove(pick);
            }
        }
    }
    chunks
}

proptest! {
    #[test]
    fn merge_chunks__any_split__gives_same_completion(
        answers in vec(answer(), 1..3),
        cuts in vec(any::<usize>(), 0..5),
        picks in vec(any::<usize>(), 1..9),
    ) {
        let whole = merge_chat_completion_chunks(&stream(&answers, &[], &[0])).unwrap();
        let merged = merge_chat_completion_chunks(&stream(&answers, &cuts, &picks)).unwrap();
        prop_assert_eq!(&merged, &whole);
        for (choice, answer) in merged.choices.iter().zip(&answers) {
            prop_assert_eq!(choice.delta.content.as_ref(), Some(&answer.texts[0].1));
            prop_assert_eq!(choice.delta.tool_calls.iter().flatten().count(), answer.calls.len());
        }
        // A merged chunk is a chunk, and merging it alone changes nothing.
        prop_assert_eq!(&merge_chat_completion_chunks(std::slice::from_ref(&merged)).unwrap(), &merged);
    }
}

#[test]
fn merge_chunks__calls_without_index__are_told_apart_by_id() {
    let merged = merge_deltas(&[
        r#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"1}"}}]}"#,
        r#"{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{"}}]}"#,
        r#"{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"}"}}]}"#,
        r#"{"tool_calls":[{"function":{"name":"h","arguments":"{}"}}]}"#,
    ]);
    assert_eq!(calls(&merged), ["0 a f {x:1}", "1 b g {}", "2 null h {}"]);
}

#[test]
fn merge_chunks__calls_sharing_index__are_told_apart_by_id() {
    let merged = merge_deltas(&[
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
        r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}]}"#,
        r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"}"}}]}"#,
    ]);
    assert_eq!(calls(&merged), ["0 a f {}", "1 b g {}"]);
}

#[test]
fn merge_chunks__repeated_call_name__is_kept_once() {
    let merged = merge_deltas(&[
        r#"{"tool_calls":[{"index":3,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}"#,
        r#"{"tool_calls":[{"index":3,"id":"","type":"function","function":{"name":"","arguments":"}"}}]}"#,
        r#"{"tool_calls":[{"index":3,"id":"other","function":{"arguments":" "}}]}"#,
        r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g"}}]}"#,
    ]);
    assert_eq!(calls(&merged), ["1 b g null", "3 a f {} "]);
}

#[test]
fn merge_chunks__unknown_members__grow_or_are_replaced() {
    let merged = merge_deltas(&[
        r#"{"role":"","reasoning_content":"a","audio":{"id":"x","data":"AA"},"parts":[1]}"#,
        r#"{"role":"assistant","reasoning_content":null,"audio":{"id":"x","data":"BB","expires_at":1}}"#,
        r#"{"role":"assistant","reasoning_content":"b","audio":{"transcript":"t","expires_at":2},"parts":[2]}"#,
    ]);
    assert_eq!(merged.get("role").unwrap().as_str(), Some("assistant"));
    assert_eq!(merged.get("reasoning_content").unwrap().as_str(), Some("ab"));
    assert_eq!(merged.get("parts").unwrap().to_string(), "[1,2]");
    let audio = r#"{"id":"x","data":"AABB","expires_at":2,"transcript":"t"}"#;
    assert_eq!(merged.get("audio").unwrap().to_string(), audio);
}

#[test]
fn merge_chunks__several_choices__match_by_index() {
    let chunks: Vec<ChatCompletionChunk> = [
        r#"{"id":"","model":"","choices":[],"prompt_filter_results":[1]}"#,
        r#"{"id":"c","model":"m","created":5,"choices":[
            {"index":1,"delta":{"content":"B"},"logprobs":{"content":[{"token":"B","logprob":-0.5}]},"token_ids":[7]},
            {"index":0,"delta":{"content":"A"}}]}"#,
        r#"{"id":"c","model":"m","created":5,"choices":[
            {"index":1,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-1}]},"token_ids":[8],
             "finish_reason":"length","stop_reason":9}],"system_fingerprint":"fp"}"#,
        r#"{"id":"c","model":"m","created":5,"choices":[{"index":0,"delta":{},"finish_reason":""}],"timings":{"n":1}}"#,
        r#"{"id":"","model":"","choices":[],"usage":{"total_tokens":4},"timings":{"n":2}}"#,
    ]
    .into_iter()
    .map(read)
    .collect();
    let merged = merge_chat_completion_chunks(&chunks).unwrap();
    assert_eq!((&*merged.id, &*merged.model, merged.created), ("c", "m", 5));
    assert_eq!(merged.system_fingerprint.as_deref(), Some("fp"));
    assert_eq!(merged.usage.as_ref().unwrap().total_tokens, 4);
    let extra = Json::from(merged.extra.clone()).to_string();
    assert_eq!(extra, r#"{"prompt_filter_results":[1],"timings":{"n":2}}"#);
    let [a, b] = &merged.choices[..] else { panic!("{merged:?}") };
    assert_eq!((a.index, a.delta.content.as_deref(), &a.finish_reason), (0, Some("A"), &None));
    assert_eq!((b.index, b.delta.content.as_deref()), (1, Some("Bb")));
    assert_eq!(b.finish_reason, Some(FinishReason::Length));
    assert_eq!(Json::from(b.extra.clone()).to_string(), r#"{"token_ids":[7,8],"stop_reason":9}"#);
    let tokens = b.logprobs.as_ref().unwrap().content.as_ref().unwrap();
    assert_eq!(tokens.iter().map(|token| &*token.token).collect::<Vec<_>>(), ["B", "b"]);
    assert_eq!(finish_reason_of_chunk(&merged), None);
}

#[test]
fn merge_chunks__tool_role__is_merged() {
    let merged = merge_deltas(&[r#"{"role":"tool","content":"a"}"#, r#"{"role":"tool","content":"b"}"#]);
    assert_eq!(merged.get("content").unwrap().as_str(), Some("ab"));
}

#[test]
fn merge_chunks__many_calls__succeeds() {
    let part = |index: usize| {
        let id = format!("c{index}");
        let indexed = index.is_multiple_of(2).then_some(index as i64);
        let function = object! { "name" => "f", "arguments" => "{}" };
        Json::from(object! { "index" => indexed, "id" => id, "function" => function })
    };
    let parts: Vec<Json> = (0..50_000).map(part).collect();
    let delta = object! { "tool_calls" => parts };
    let choice = Json::from(object! { "delta" => delta });
    let chunk: ChatCompletionChunk = read(&Json::from(object! { "choices" => vec![choice] }).to_string());
    let merged = merge_chat_completion_chunks(&[chunk]).unwrap();
    let calls = merged.choices[0].delta.tool_calls.as_deref().unwrap();
    assert_eq!(calls.len(), 50_000);
    assert!(calls.is_sorted_by(|one, next| one.index < next.index));
}
