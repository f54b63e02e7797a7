//! The chunks of one answer, as they arrive.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{FutureExt, Stream, stream};
use reqwest::Response;
use tokio::time::timeout;

use super::body::{Body, Item};
use super::failure::{Failure, IDLE_TIMEOUT, Retry};

/// An answer that has started.
#[derive(Debug)]
pub(super) struct ChunkStream {
    response: Response,
    model: String,
    connect_limit: Duration,
    body: Body,
    items: VecDeque<Item>,
    /// The stream is at its end.
    at_end: bool,
}

impl ChunkStream {
    pub(super) fn new(response: Response, model: &str, connect_limit: Duration) -> Self {
        ChunkStream {
            response,
            model: model.to_owned(),
            connect_limit,
            body: Body::new(),
            items: VecDeque::new(),
            at_end: false,
        }
    }

    /// Reads until there is something to show, or the model says that it is done. An answer with neither is a failure.
    pub(super) async fn read_to_first_token(&mut self) -> Result<(), Failure> {
        let mut seen = 0;
        loop {
            for item in self.items.iter_mut().skip(seen) {
                match item {
                    Item::Chunk(chunk) if !chunk.error.is_null() => {
                        return Err(Failure::sent(&self.model, &chunk.error));
                    }
                    Item::Chunk(chunk) if !chunk.is_significant() => {}
                    Item::Chunk(_) => return Ok(()),
                    Item::Done => return Err(Failure::empty(&self.model, &self.body.start())),
                }
            }
            seen = self.items.len();
            if self.at_end {
                return Err(Failure::empty(&self.model, &self.body.start()));
            }
            self.read().await?;
        }
    }

    /// Returns the following chunks. If the server is silent for longer than the limit, that is a failure.
    pub(super) fn into_items(self, idle_limit: Duration) -> impl Stream<Item = Result<Item, Failure>> + Send {
        stream::unfold(Some(self), move |chunks| async move {
            let mut chunks = chunks?;
            match chunks.next(idle_limit).await {
                Ok(item) => Some((Ok(item?), Some(chunks))),
                Err(failure) => Some((Err(failure), None)),
            }
        })
    }

    async fn next(&mut self, idle_limit: Duration) -> Result<Option<Item>, Failure> {
        loop {
            match self.items.pop_front() {
                Some(Item::Chunk(chunk)) if !chunk.error.is_null() => {
                    return Err(Failure::sent(&self.model, &chunk.error));
                }
                Some(Item::Done) => {
                    self.at_end = true;
                    self.items.clear();
                    // The end of the body has usually arrived already; reading it lets the connection be reused.
                    let _ = self.response.chunk().now_or_never();
                    return Ok(Some(Item::Done));
                }
                Some(chunk) => return Ok(Some(chunk)),
                None if self.at_end => return Ok(None),
                None => {
                    let read = timeout(idle_limit, self.read()).await;
                    read.unwrap_or_else(|_| {
                        Err(Failure::timeout(&self.model, IDLE_TIMEOUT, idle_limit, Retry::Never))
                    })?;
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let read = match self.response.chunk().await {
            Ok(Some(bytes)) => self.body.push(&bytes, &mut self.items),
            Ok(None) => {
                self.at_end = true;
                self.body.finish(&mut self.items)
            }
            Err(error) => {
                return Err(Failure::transport(&self.model, &error.without_url(), self.connect_limit));
            }
        };
        read.map_err(|error| Failure::body(&self.model, error, &self.body.start()))
    }
}
