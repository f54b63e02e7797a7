//! Answers that are too large to be read.
//!
//! The library drops a line that is too long, so nobody would learn that it was an answer. The output of a program is
//! watched for such lines, of which nothing is kept but the id.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;

/// The maximum size of one message of a server.
pub(super) const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// Why there is no answer.
pub(super) fn reason() -> String {
    format!("the answer is larger than {} MiB", MAX_MESSAGE / 1024 / 1024)
}

/// How much of a name or of an id is kept.
const KEPT: usize = 24;

/// The output of a program. The ids of answers in lines that are longer than the limit are sent to `found`.
pub(super) struct Output<R> {
    output: R,
    limit: usize,
    line: Line,
    found: UnboundedSender<i64>,
}

impl<R> Output<R> {
    pub(super) fn new(output: R, limit: usize, found: UnboundedSender<i64>) -> Self {
        Output { output, limit, line: Line::default(), found }
    }

    fn watch(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line.read(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                if let Some(id) = line.id.filter(|_| line.length > self.limit && !line.is_request) {
                    // Without a receiver, the connection has ended.
                    let _ = self.found.send(id);
                }
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Output<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.output).poll_read(cx, buffer))?;
        this.watch(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

/// What is known of a message, which is an object in one line. Its `id` may be its first member or its last.
#[derive(Debug, Default)]
struct Line {
    length: usize,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// The member of the message that is being read: its name, and its value if that is a number.
    name: Vec<u8>,
    value: Vec<u8>,
    in_value: bool,
    id: Option<i64>,
    is_request: bool,
}

impl Line {
    fn read(&mut self, byte: u8) {
        self.length += 1;
        let is_top = self.depth == 1;
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                byte if is_top && !self.in_value && self.name.len() < KEPT => self.name.push(byte),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                if is_top {
                    self.end_member();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' if is_top => self.end_member(),
            b':' if is_top => self.in_value = true,
            b'0'..=b'9' | b'-' if is_top && self.in_value && self.value.len() < KEPT => self.value.push(byte),
            _ => {}
        }
    }

    fn end_member(&mut self) {
        match self.name.as_slice() {
            b"id" => self.id = str::from_utf8(&self.value).ok().and_then(|value| value.parse().ok()),
            b"method" => self.is_request = true,
            _ => {}
        }
        self.name.clear();
        self.value.clear();
        self.in_value = false;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::sync::mpsc;

    use super::*;

    async fn found(text: &str) -> Vec<i64> {
        let (sender, mut found) = mpsc::unbounded_channel();
        let mut all = String::new();
        Output::new(text.as_bytes(), 40, sender).read_to_string(&mut all).await.expect("readable");
        assert_eq!(all, text);
        std::iter::from_fn(|| found.try_recv().ok()).collect()
    }

    #[tokio::test]
    async fn answers__that_are_too_large__are_found_wherever_their_id_is() {
        let long = "x".repeat(40);
        let text = [
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"id":7,"a":["{long}"]}}}}"#),
            format!(r#"{{"result":{{"text":"{long}","id":8}},"id": 2 }}"#),
            r#"{"id":3,"result":{}}"#.to_owned(),
            format!(r#"{{"id":4,"method":"sampling/createMessage","params":{{"a":"{long}"}}}}"#),
            format!(r#"{{"result":"\"}},\"id\":9,{long}\\","id":5}}"#),
            format!(r#"{{"id":"6","result":"{long}"}}"#),
            format!("no JSON, only text: {long}"),
            r#"{"id":10,"result":{}}"#.to_owned(),
        ];
        assert_eq!(found(&(text.join("\n") + "\n")).await, [1, 2, 5]);
    }
}
