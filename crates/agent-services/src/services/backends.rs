//! The known backends, and how services are opened with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Services;
use super::in_memory::InMemoryBackend;
use crate::backend::{Backend, OPERATION, OpenOptions, StoreUrl, Stores};
use crate::memory::NoMemoryStore;
use crate::{Error, ErrorKind, Result};

/// The backends of this crate, and the features that they need.
const OWN: [(&str, Option<&str>); 8] = [
    ("memory", None),
    ("redis", Some("redis")),
    ("redis-cluster", Some("redis")),
    ("redis-sentinel", Some("redis")),
    ("rediss", Some("redis")),
    ("rediss-cluster", Some("redis")),
    ("rediss-sentinel", Some("redis")),
    ("sqlite", Some("sqlite")),
];

/// The URL of each service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceUrls {
    /// The URL of every service without a separate URL.
    pub all: StoreUrl,
    /// The URL of runs.
    pub runs: Option<StoreUrl>,
    /// The URL of sessions.
    pub sessions: Option<StoreUrl>,
    /// The URL of agent states.
    pub states: Option<StoreUrl>,
    /// The URL of memories.
    pub memories: Option<StoreUrl>,
}

impl ServiceUrls {
    /// One URL for all services. The fields can override it for a single service.
    pub fn new(all: StoreUrl) -> Self {
        ServiceUrls { all, runs: None, sessions: None, states: None, memories: None }
    }
}

/// The known backends, by the schemes of their URLs.
#[derive(Clone, Debug)]
pub struct Backends(BTreeMap<String, Arc<dyn Backend>>);

impl Default for Backends {
    /// The backends of this crate: `memory`, and `sqlite` and `redis` with the features of these names.
    fn default() -> Self {
        let mut known: BTreeMap<String, Arc<dyn Backend>> = BTreeMap::new();
        for (scheme, feature) in OWN {
            let backend: Arc<dyn Backend> = match feature {
                None => Arc::new(InMemoryBackend),
                #[cfg(feature = "sqlite")]
                Some("sqlite") => Arc::new(crate::sqlite::SqliteBackend),
                #[cfg(feature = "redis")]
                Some("redis") => Arc::new(crate::redis::RedisBackend),
                Some(_) => continue,
            };
            known.insert(scheme.to_owned(), backend);
        }
        Backends(known)
    }
}

impl Backends {
    /// Adds a backend for URLs with this scheme.
    #[must_use]
    pub fn with(mut self, scheme: &str, backend: impl Backend) -> Self {
        self.0.insert(scheme.to_ascii_lowercase(), Arc::new(backend));
        self
    }

    /// Opens all services at one URL, without starting them.
    ///
    /// If the backend has no memories, memory calls fail with an error that says so.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the scheme is unknown or the backend rejects the URL.
    pub fn open(&self, url: &StoreUrl, options: &OpenOptions) -> Result<Services> {
        self.open_each(&ServiceUrls::new(url.clone()), options)
    }

    /// Opens each service at its own URL, without starting it. Services with the same URL, character for character,
    /// share one place: one database, or one client.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn open_each(&self, urls: &ServiceUrls, options: &OpenOptions) -> Result<Services> {
        let mut places = Places { backends: self, options, opened: Vec::new() };
        let of = |own: &Option<StoreUrl>| own.clone().unwrap_or_else(|| urls.all.clone());
        let (runs, sessions) = (places.at(of(&urls.runs))?.runs, places.at(of(&urls.sessions))?.sessions);
        let (states, memories) = (places.at(of(&urls.states))?.states, of(&urls.memories));
        let without = NoMemoryStore::of(memories.scheme());
        let memories = places.at(memories)?.memories.unwrap_or_else(|| Arc::new(without));
        let (clock, ids) = (Arc::clone(&options.context.clock), Arc::clone(&options.context.ids));
        Ok(Services { runs, sessions, states, memories, clock, ids })
    }

    fn find(&self, scheme: &str) -> Result<&dyn Backend> {
        if let Some(backend) = self.0.get(scheme) {
            return Ok(&**backend);
        }
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let mut message =
            format!("no backend is known for `{scheme}:`; the known schemes are {}", known.join(", "));
        if let Some((_, Some(feature))) = OWN.iter().find(|(own, _)| *own == scheme) {
            message = format!(
                "`{scheme}:` needs the feature `{feature}` of agent-services, which is not compiled in"
            );
        }
        Err(Error::new(ErrorKind::InvalidInput, OPERATION, message))
    }
}

/// The places opened so far, so that each is opened once.
struct Places<'a> {
    backends: &'a Backends,
    options: &'a OpenOptions,
    opened: Vec<(StoreUrl, Stores)>,
}

impl Places<'_> {
    fn at(&mut self, url: StoreUrl) -> Result<Stores> {
        if let Some((_, stores)) = self.opened.iter().find(|(opened, _)| *opened == url) {
            return Ok(stores.clone());
        }
        let stores = self.backends.find(url.scheme())?.open(&url, self.options)?;
        self.opened.push((url, stores.clone()));
        Ok(stores)
    }
}
