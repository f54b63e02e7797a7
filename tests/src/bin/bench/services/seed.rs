//! Fills stores, and measures the size of the data.

use agent_services::session::MessageBatch;
use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::operation::{collector, copies, message, rememberer, session, session_of_50, state, user};
use super::{Corpus, Stores};

/// The maximum number of messages per call.
const BATCH: usize = 500;
/// The number of concurrent calls.
const AT_ONCE: usize = 64;

/// The size of one item of each kind in bytes, with its share of indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) message: f64,
    pub(crate) session: f64,
    pub(crate) state: f64,
    pub(crate) memory: f64,
}

/// Stores `size` items of each kind, `copies` times.
pub(crate) async fn fill(stores: &Stores, size: usize, corpus: &Corpus) -> Result<Used> {
    let copies = copies(size);
    let batches = |copy: usize| {
        let starts = (0..size).step_by(BATCH);
        starts.map(move |start| (copy, start..size.min(start + BATCH)))
    };
    let messages = |copy: usize, range: std::ops::Range<usize>| {
        range.map(|number| message(corpus, copy * size + number)).collect::<Vec<_>>()
    };
    if size < 50 {
        let appends = (0..copies).map(|copy| async move {
            let batch = MessageBatch::of(&messages(copy, 0..50))?;
            stores.sessions.append(&user(), &session_of_50(copy), batch).await
        });
        all(appends).await?;
    }
    let mut bytes = vec![stores.bytes()?];
    let appends = (0..copies).flat_map(batches).map(|(copy, range)| async move {
        let batch = MessageBatch::of(&messages(copy, range))?;
        stores.sessions.append(&user(), &session(copy), batch).await
    });
    all(appends).await?;
    bytes.push(stores.bytes()?);
    let sessions = (0..size)
        .map(|number| async move { stores.sessions.create(&collector(), Some(&session(number))).await });
    all(sessions).await?;
    bytes.push(stores.bytes()?);
    let states = (0..copies * size).map(|number| async move {
        let state = state(corpus, number);
        stores.states.save(&user(), &session(number % copies), None, &state).await
    });
    all(states).await?;
    bytes.push(stores.bytes()?);
    let memories = (0..copies).flat_map(batches).map(|(copy, range)| async move {
        stores.memories.add(&rememberer(copy), &session(0), messages(copy, range)).await
    });
    all(memories).await?;
    bytes.push(stores.bytes()?);
    let used = |step: usize, items: usize| bytes[step + 1].saturating_sub(bytes[step]) as f64 / items as f64;
    Ok(Used {
        message: used(0, copies * size),
        session: used(1, size),
        state: used(2, copies * size),
        memory: used(3, copies * size),
    })
}

async fn all<T>(calls: impl Iterator<Item = impl Future<Output = agent_services::Result<T>>>) -> Result<()> {
    stream::iter(calls).buffer_unordered(AT_ONCE).try_for_each(async |_| Ok(())).await.map_err(Into::into)
}
