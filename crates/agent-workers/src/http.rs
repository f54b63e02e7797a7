//! HTTP requests that the program's own application answers.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use agent_schemas::Error;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use tokio::time::Instant;

use crate::connection::Link;
use crate::error::{PATIENCE, crashed};
use crate::frame::{Frame, Kind};
use crate::message::{self, Applications, RequestHead, ResponseHead};
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
        let head = head_of(request, client, false);
        let response = self.ask(&head, request.body(), |applications| applications.http).await?;
        let Some((mut response, _)) = response else { return Ok(None) };
        let has_no_body = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
        if has_no_body || request.method() == Method::HEAD {
            response.body_mut().skip().await;
        }
        Ok(Some(response))
    }

    /// Whether [`Self::check`] has to be asked before the server answers.
    pub fn checks(&self) -> bool {
        self.has_checks.load(Ordering::Relaxed)
    }

    /// Asks whether the server may answer a request to a path of its own: with these further headers, or else with this
    /// response instead.
    ///
    /// # Errors
    /// If no worker is ready, or the application fails.
    ///
    /// # Cancellation
    /// As for [`Self::answer`].
    pub async fn check(
        &self,
        request: &Request<Bytes>,
        client: Option<SocketAddr>,
    ) -> Result<ControlFlow<Response<ResponseBody>, HeaderMap>, Error> {
        let head = head_of(request, client, true);
        let response = self.ask(&head, request.body(), |applications| applications.checks).await?;
        Ok(match response {
            None => ControlFlow::Continue(HeaderMap::new()),
            Some((response, true)) => ControlFlow::Continue(response.into_parts().0.headers),
            Some((response, false)) => ControlFlow::Break(response),
        })
    }

    /// Hands a request to the first worker, if it wants such requests; returns the response, and whether it lets the server
    /// answer.
    async fn ask(
        &self,
        head: &RequestHead,
        body: &Bytes,
        wants: impl Fn(Applications) -> bool,
    ) -> Result<Option<(Response<ResponseBody>, bool)>, Error> {
        let deadline = Instant::now() + PATIENCE;
        let link = self.with_worker(0, Some(deadline), |worker| {
            if wants(worker.applications) { worker.request(head, body).map(Some) } else { Some(None) }
        });
        let Some(mut link) = link.await? else { return Ok(None) };
        let head: Option<ResponseHead> = match poll_fn(|cx| link.poll_next(cx)).await {
            Some(frame) if frame.kind == Kind::Response => {
                link.took(frame.payload.len());
                message::read(&frame).ok()
            }
            Some(frame) if frame.kind == Kind::Done => return Err(failed()),
            Some(_) => None,
            None => return Err(crashed()),
        };
        let head = head.ok_or_else(broken)?;
        let (status, headers) = parts_of(&head).ok_or_else(broken)?;
        let remaining = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut response = Response::new(ResponseBody { link, has_ended: false, remaining });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(Some((response, head.pass)))
    }
}

/// The body of a response. It takes no more from the worker than was taken from it, and ends with an error if the application
/// fails in the middle. Dropping it tells the application that the client has disconnected.
#[derive(Debug)]
pub struct ResponseBody {
    link: Link,
    has_ended: bool,
    /// How many bytes are to come, if the head says so. Once the client has them, it does not wait for the end.
    remaining: Option<u64>,
}

impl ResponseBody {
    /// Takes the body from the application, for a response that has none. Whatever goes wrong is only in the log.
    async fn skip(&mut self) {
        while !self.has_ended {
            let frame = poll_fn(|cx| self.link.poll_next(cx)).await;
            self.has_ended = frame.as_ref().is_none_or(Frame::ends);
            self.link.took(frame.map_or(0, |frame| frame.payload.len()));
        }
    }
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
                let size = frame.payload.len();
                self.link.took(size);
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(size as u64));
                if self.remaining == Some(0) {
                    self.has_ended = true;
                    self.link.reason = "answered";
                }
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

fn head_of(request: &Request<Bytes>, client: Option<SocketAddr>, check: bool) -> RequestHead {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
    };
    RequestHead {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().iter().map(header).collect(),
        client: client.map(|client| (client.ip().to_string(), client.port())),
        check,
    }
}

/// The status and the headers of a final response; `None` if they cannot be those of one.
fn parts_of(head: &ResponseHead) -> Option<(StatusCode, HeaderMap)> {
    let status = StatusCode::from_u16(head.status).ok().filter(|_| (200..600).contains(&head.status))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(character).ok()).collect();
        if !OF_CONNECTION.contains(&name) {
            headers.append(name, HeaderValue::from_bytes(&bytes?).ok()?);
        }
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next().map(|length| length.to_str().ok()?.parse::<u64>().ok());
    (length != Some(None) && lengths.next().is_none()).then_some((status, headers))
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
