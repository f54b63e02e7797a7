//! A model endpoint that records when it writes each word, so that a log shows when its run was in progress.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::history::Clock;

/// How long it thinks about each word.
const PACE: Duration = Duration::from_millis(2);

/// Answers Chat Completions. The first word of the user's message is a tag, and a number says how many words to answer. The
/// answer begins with `#tag` and continues with words like `@17`, from the clock. If the message contains `tool`, the answer
/// ends with a call of the calculator, and a second answer follows.
#[derive(Debug)]
pub struct MarkingModel {
    address: SocketAddr,
    /// The number of requests whose answers are not complete yet.
    answering: watch::Sender<usize>,
}

impl MarkingModel {
    /// Starts to listen on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start(clock: Arc<Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let answering = watch::Sender::new(0);
        let count = answering.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (clock, count) = (Arc::clone(&clock), count.clone());
                tokio::spawn(async move {
                    // The client may disconnect at any moment.
                    let Ok((stream, question)) = asked(stream).await else { return };
                    count.send_modify(|count| *count += 1);
                    let _ = answer(stream, question, clock).await;
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        MarkingModel { address, answering }
    }

    /// Waits until it has written all answers, whether or not anybody has read them.
    pub async fn silent(&self) {
        // This value owns the sender, so the sender does not end first.
        let _ = self.answering.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The configuration of an agent that uses this model.
    pub fn config(&self) -> String {
        format!(
            "agent = \"marking\"\n[agents.marking]\nkind = \"chat\"\nmodel = \"m\"\nbase_url = \"http://{}/v1\"\n",
            self.address
        )
    }
}

/// The answer to give.
#[derive(Debug, Default, PartialEq, Eq)]
struct Question {
    tag: Option<String>,
    words: usize,
    wants_tool: bool,
}

impl Question {
    /// The question of a conversation: the last user message, unless another message follows it.
    fn of(request: &Value) -> Self {
        let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_users = |message: &&Value| message["role"] == "user";
        let said = messages.iter().rev().find(is_users).map(text).unwrap_or_default();
        let new = messages.last().filter(is_users).map(text).unwrap_or_default();
        Question {
            tag: new.split(' ').next().filter(|tag| !tag.is_empty()).map(str::to_owned),
            words: said.split(' ').find_map(|word| word.parse().ok()).unwrap_or(1),
            wants_tool: new.split(' ').any(|word| word == "tool"),
        }
    }
}

/// The text of a message, whose content is one or a list of parts.
fn text(message: &Value) -> String {
    let content = &message["content"];
    content.as_str().or_else(|| content[0]["text"].as_str()).unwrap_or_default().to_owned()
}

async fn asked(stream: TcpStream) -> std::io::Result<(BufReader<TcpStream>, Question)> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let question = Question::of(&request(&mut stream).await?);
    Ok((stream, question))
}

async fn answer(
    mut stream: BufReader<TcpStream>,
    question: Question,
    clock: Arc<Clock>,
) -> std::io::Result<()> {
    let Question { tag, words, wants_tool } = question;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    if let Some(tag) = tag {
        stream.write_all(chunk(&json!({ "content": format!("#{tag} ") }), None).as_bytes()).await?;
    }
    for _ in 0..words {
        tokio::time::sleep(PACE).await;
        let word = format!("@{} ", clock.now());
        stream.write_all(chunk(&json!({ "content": word }), None).as_bytes()).await?;
    }
    let end = if wants_tool {
        let function = json!({ "name": "calculator", "arguments": "{\"expression\":\"1 + 1\"}" });
        let call = json!([{ "index": 0, "id": "call", "type": "function", "function": function }]);
        chunk(&json!({ "tool_calls": call }), Some("tool_calls"))
    } else {
        chunk(&json!({}), Some("stop"))
    };
    stream.write_all((end + "data: [DONE]\n\n").as_bytes()).await?;
    stream.shutdown().await
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    format!("data: {}\n\n", json!({ "choices": [choice] }))
}

async fn request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    serde_json::from_slice(&body).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(messages: &Value, tag: Option<&str>, words: usize, wants_tool: bool) {
        let expected = Question { tag: tag.map(str::to_owned), words, wants_tool };
        assert_eq!(Question::of(&json!({ "messages": messages })), expected, "{messages}");
    }

    #[test]
    fn question__is_the_last_user_message() {
        let user = |text: &str| json!({ "role": "user", "content": text });
        let parts = json!({ "role": "user", "content": [{ "type": "text", "text": "c 4" }] });
        let (answer, output) = (json!({ "role": "assistant" }), json!({ "role": "tool" }));
        check(&json!([user("a 3 tool")]), Some("a"), 3, true);
        check(&json!([user("a 3 tool"), answer, output]), None, 3, false);
        check(&json!([user("a 3 tool"), answer, output, user("b 2"), parts]), Some("c"), 4, false);
    }
}
