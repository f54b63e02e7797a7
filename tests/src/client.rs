//! An HTTP client that can send any bytes, and reads answers piece by piece.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::within;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// The first part of an answer.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, put together if it came in chunks.
    pub body: String,
}

/// A request for a run with this text, and with additional fields in `fields`, such as `,"stream":false`.
pub fn process(text: &str, fields: &str) -> Vec<u8> {
    let text = Value::from(text);
    post(&format!(r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":{text}}}]}}]{fields}}}"#))
}

/// A POST of this JSON to the endpoint.
pub fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Connection {
    /// Connects.
    ///
    /// # Panics
    /// If that fails; see [`Self::try_open`].
    pub async fn open(address: SocketAddr) -> Self {
        Self::try_open(address).await.expect("the server accepts connections")
    }

    /// Connects, if possible.
    ///
    /// # Errors
    /// The error of the system.
    pub async fn try_open(address: SocketAddr) -> io::Result<Self> {
        let stream = within("a connection", TcpStream::connect(address)).await?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Sends bytes. It is not an error if the server does not read all of them.
    pub async fn send(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = within("the server to take bytes", self.stream.write_all(bytes)).await;
        self
    }

    /// Closes the sending side of the connection.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Sends a GET and reads the answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.answer().await
    }

    /// Sends a request of any method, with this JSON as its body if there is one, and reads the answer.
    pub async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        let request = format!("{head}content-length: {length}\r\n\r\n{body}");
        self.send(request.as_bytes()).await.answer().await
    }

    /// Sends a request for a run and reads the whole answer.
    pub async fn process(&mut self, text: &str, fields: &str) -> Answer {
        self.send(&process(text, fields)).await.answer().await
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        within("a line of an answer", self.stream.read_until(b'\n', &mut line)).await?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Reads the status and the headers.
    ///
    /// # Errors
    /// If the connection ends first, or no HTTP comes.
    pub async fn try_head(&mut self) -> io::Result<Head> {
        let first = self.line().await?;
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let mut head = Head { status: status.ok_or(io::ErrorKind::InvalidData)?, headers: Vec::new() };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { return Ok(head) };
            head.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads the status and the headers.
    ///
    /// # Panics
    /// If the connection ends first.
    pub async fn head(&mut self) -> Head {
        self.try_head().await.expect("an answer comes")
    }

    /// Reads the next chunk of a body; `None` at its end.
    ///
    /// # Errors
    /// If the connection ends first.
    pub async fn chunk(&mut self) -> io::Result<Option<String>> {
        let length = usize::from_str_radix(&self.line().await?, 16).map_err(io::Error::other)?;
        let mut bytes = vec![0; length + 2];
        within("a chunk", self.stream.read_exact(&mut bytes)).await?;
        bytes.truncate(length);
        Ok((length > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads chunks until they contain this; returns everything so far.
    ///
    /// # Panics
    /// If the body ends before.
    pub async fn until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(wanted) {
            let chunk = self.chunk().await.expect("the stream continues");
            seen += &chunk.unwrap_or_else(|| panic!("the stream ended without {wanted:?}: {seen}"));
        }
        seen
    }

    /// Reads the rest of a body in chunks.
    ///
    /// # Errors
    /// If the connection ends first.
    pub async fn rest(&mut self) -> io::Result<String> {
        let mut body = String::new();
        while let Some(chunk) = self.chunk().await? {
            body += &chunk;
        }
        Ok(body)
    }

    /// Reads a whole answer.
    ///
    /// # Panics
    /// If the connection ends first.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("a whole answer comes")
    }

    /// Reads a whole answer.
    ///
    /// # Errors
    /// If the connection ends first.
    pub async fn try_answer(&mut self) -> io::Result<Answer> {
        let head = self.try_head().await?;
        let body = self.body(&head).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Reads the body of an answer whose head was read.
    ///
    /// # Errors
    /// If the connection ends first.
    pub async fn body(&mut self, head: &Head) -> io::Result<String> {
        match head.header("content-length").map(str::parse) {
            Some(Ok(length)) => {
                let mut bytes = vec![0; length];
                within("a body", self.stream.read_exact(&mut bytes)).await?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ if head.header("transfer-encoding") == Some("chunked") => self.rest().await,
            _ => Ok(String::new()),
        }
    }

    /// Reads until the server closes the connection.
    pub async fn everything(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = within("the server to close the connection", self.stream.read_to_end(&mut bytes)).await;
        bytes
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl Head {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not valid.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The events of a stream.
    ///
    /// # Panics
    /// If it is not valid.
    pub fn events(&self) -> Vec<Value> {
        events(&self.body)
    }
}

/// The events of a stream's text, without the mark `[DONE]` at the end of OpenAI's streams.
///
/// # Panics
/// If one of them is not JSON.
pub fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|json| serde_json::from_str(json).expect("events are JSON")).collect()
}
