//! HTTP requests that the program's own application answers.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agent_schemas::Error;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use tokio::time::Instant;

use crate::connection::Link;
use crate::error::{PATIENCE, crashed};
use crate::frame::{Frame, Kind};
use crate::message::{self, RequestHead, ResponseHead};
use crate::workers::Workers;

/// Headers that are about one connection only (RFC 9110, section 7.6.1).
const OF_CONNECTION: [HeaderName; 4] =
    [CONNECTION, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

impl Workers {
    /// Lets the program's own application answer a request; `None` if it has none. All requests go to the first worker,
    /// because applications keep state in their process.
    ///
    /// # Errors
    /// If no worker is ready, or the application fails before it answers.
    ///
    /// # Cancellation
    /// The application learns that the client has disconnected.
    pub async fn answer(
        &self,
        request: &Request<Bytes>,
        client: Option<SocketAddr>,
    ) -> Result<Option<Response<ResponseBody>>, Error> {
        let head = head_of(request, client);
        let deadline = Instant::now() + PATIENCE;
        let link = self.with_worker(0, Some(deadline), |worker| {
            if worker.has_http { worker.request(&head, request.body()).map(Some) } else { Some(None) }
        });
        let Some(mut link) = link.await? else { return Ok(None) };
        let head = match poll_fn(|cx| link.poll_next(cx)).await {
            Some(frame) if frame.kind == Kind::Response => {
                link.took(frame.payload.len());
                message::read(&frame).ok().and_then(parts_of)
            }
            Some(frame) if frame.kind == Kind::Done => return Err(failed()),
            Some(_) => None,
            None => return Err(crashed()),
        };
        let (status, headers) = head.ok_or_else(broken)?;
        let mut response = Response::new(ResponseBody { link, has_ended: false });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(Some(response))
    }
}

/// The body of a response. It takes no more from the worker than was taken from it, and ends with an error if the application
/// fails in the middle. Dropping it tells the application that the client has disconnected.
#[derive(Debug)]
pub struct ResponseBody {
    link: Link,
    has_ended: bool,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<http_body::Frame<Bytes>>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let frame = ready!(self.link.poll_next(cx));
        self.has_ended = frame.as_ref().is_none_or(Frame::ends);
        Poll::Ready(Some(match frame {
            Some(frame) if frame.kind == Kind::ResponseBody => {
                self.link.took(frame.payload.len());
                Ok(http_body::Frame::data(frame.payload))
            }
            Some(_) => Err(io::Error::other("the application failed in the middle of its response")),
            None => Err(io::Error::other("the process that answers the request ended")),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

fn head_of(request: &Request<Bytes>, client: Option<SocketAddr>) -> RequestHead {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
    };
    RequestHead {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().iter().map(header).collect(),
        client: client.map(|client| (client.ip().to_string(), client.port())),
    }
}

/// The status and the headers of a response; `None` if they cannot be those of one.
fn parts_of(head: ResponseHead) -> Option<(StatusCode, HeaderMap)> {
    let status = StatusCode::from_u16(head.status).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in head.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(character).ok()).collect();
        if !OF_CONNECTION.contains(&name) {
            headers.append(name, HeaderValue::from_bytes(&bytes?).ok()?);
        }
    }
    Some((status, headers))
}

/// What the client sees of an application that fails; the worker has logged why.
fn failed() -> Error {
    let message = "The application failed; its log has the reason";
    Error::Custom { status: 500, code: "APPLICATION_ERROR".to_owned(), message: message.to_owned() }
}

fn broken() -> Error {
    tracing::error!("the application sent a response that HTTP cannot have");
    failed()
}
