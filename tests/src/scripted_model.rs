//! A model endpoint that follows the conversation's last message, so that clients in any language can test tool calls,
//! refusals and truncated answers without a model.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Answers Chat Completions as a stream, depending on the last message:
///
/// * `say ` and JSON from a user: these deltas and this finish reason: `{"deltas": […], "finish_reason": "…"}`;
/// * the output of a tool: a text that repeats the outputs after the last user message;
/// * `call` or `parallel` from a user with tools: a call of the first tool, or of each one, with `{"city":"Rome"}`;
/// * `refuse` or `long`: a refusal, or an answer that ends with `length`;
/// * JSON requested with `response_format`: `{"answer":42}`;
/// * anything else: `You said: ` and the text.
#[derive(Debug)]
pub struct ScriptedModel {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Value>>>,
}

impl ScriptedModel {
    /// Starts to listen on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&kept)));
            }
        });
        ScriptedModel { address, received }
    }

    /// The configuration of the default agent, `scripted`, which uses this model.
    pub fn config(&self) -> String {
        format!(
            "agent = \"scripted\"\n[agents.scripted]\nkind = \"chat\"\nmodel = \"m\"\ntools = []\nbase_url = \"http://{}/v1\"\n",
            self.address
        )
    }

    /// The bodies of the requests so far.
    ///
    /// # Panics
    /// If handling a request panicked.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().expect("no panic").clone()
    }
}

async fn answer(stream: TcpStream, received: Arc<Mutex<Vec<Value>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let request: Value = serde_json::from_slice(&body)?;
    let chunks = reply(&request);
    received.lock().expect("no panic").push(request);
    let mut text =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned();
    for chunk in chunks {
        text += &format!("data: {chunk}\n\n");
    }
    text += "data: [DONE]\n\n";
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn reply(request: &Value) -> Vec<Value> {
    let empty = Vec::new();
    let messages = request["messages"].as_array().unwrap_or(&empty);
    let tools = request["tools"].as_array().unwrap_or(&empty);
    let last = messages.last().unwrap_or(&Value::Null);
    let said = text(last);
    let script = said.strip_prefix("say ").and_then(|script| serde_json::from_str::<Value>(script).ok());
    let (deltas, reason) = if let Some(script) = &script {
        let deltas = script["deltas"].as_array().cloned().unwrap_or_default();
        (deltas, script["finish_reason"].as_str().unwrap_or("stop"))
    } else if last["role"] == "tool" {
        let outputs: Vec<String> =
            messages.iter().rev().take_while(|message| message["role"] == "tool").map(text).collect();
        let outputs: Vec<&str> = outputs.iter().rev().map(String::as_str).collect();
        (words(&format!("The tools say: {}", outputs.join(", "))), "stop")
    } else if said.contains("call") && !tools.is_empty() {
        (vec![call(0, &tools[0])], "tool_calls")
    } else if said.contains("parallel") && !tools.is_empty() {
        (tools.iter().enumerate().map(|(index, tool)| call(index, tool)).collect(), "tool_calls")
    } else if said.contains("refuse") {
        (vec![json!({ "refusal": "I would rather not." })], "stop")
    } else if said.contains("long") {
        (words("Once upon a"), "length")
    } else if request["response_format"]["type"].as_str().is_some_and(|kind| kind.starts_with("json")) {
        (words("{\"answer\": 42}"), "stop")
    } else {
        (words(&format!("You said: {said}")), "stop")
    };
    let choice = |delta: Value, reason: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] });
    let mut chunks: Vec<Value> = deltas.into_iter().map(|delta| choice(delta, Value::Null)).collect();
    chunks.push(choice(json!({}), reason.into()));
    let details = json!({ "cached_tokens": 1 });
    let usage = json!({
        "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": details
    });
    chunks.push(json!({ "choices": [], "usage": usage }));
    chunks
}

fn words(text: &str) -> Vec<Value> {
    text.split_inclusive(' ').map(|word| json!({ "content": word })).collect()
}

/// A complete tool call.
fn call(index: usize, tool: &Value) -> Value {
    let function = json!({ "name": tool["function"]["name"], "arguments": "{\"city\":\"Rome\"}" });
    json!({ "tool_calls": [{
        "index": index, "id": format!("call_{index}"), "type": "function", "function": function
    }] })
}

/// The text of a message, or of its text parts.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
