//! A model endpoint that answers Chat Completions word by word, each at its time. It runs on the load's core.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use clap::Args;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use memchr::memmem;
use serde_json::{Value, json};

use crate::floor::{Frames, Pace, serve_with};

/// A question with these words is answered without pauses.
pub(super) const AT_ONCE: &str = "at once";

/// The answers of the model.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Options {
    /// The words of each answer
    #[arg(long)]
    words: usize,
    /// The milliseconds from word to word
    #[arg(long)]
    delay: u64,
}

/// Serves until it is killed.
pub(crate) fn serve(options: Options) -> Result<()> {
    let frames: Arc<[Bytes]> = frames(options.words).into();
    let every = Pace::Every(Duration::from_millis(options.delay));
    serve_with(move |request| answer(request, Arc::clone(&frames), every))
}

async fn answer(
    request: Request<Incoming>,
    frames: Arc<[Bytes]>,
    every: Pace,
) -> Result<Response<Frames>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let pace = if memmem::find(&body, AT_ONCE.as_bytes()).is_some() { Pace::AtOnce } else { every };
    // The first chunk has only the role, and the last two only the end.
    let later_words = 2..frames.len() - 2;
    Ok(Frames::new(frames, later_words, pace).into_response())
}

fn frames(words: usize) -> Vec<Bytes> {
    let chunks = std::iter::once(chunk(&json!({ "role": "assistant", "content": "" }), None))
        .chain((0..words).map(|_| chunk(&json!({ "content": "word " }), None)))
        .chain([chunk(&json!({}), Some("stop")), "data: [DONE]\n\n".to_owned()]);
    chunks.map(Bytes::from).collect()
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "paced",
        "choices": [choice],
    });
    format!("data: {chunk}\n\n")
}
