//! A backend, `counted:`, that wraps the in-memory one and counts saved states.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_schemas::{Json, SessionId, UserId};
use agent_services::backend::{Backend, OpenOptions, StoreUrl, Stores};
use agent_services::page::{Page, PageSize, PageToken};
use agent_services::state::StateStore;
use agent_services::{Backends, Result, Service};
use async_trait::async_trait;

#[derive(Clone, Debug, Default)]
pub struct Counted(pub Arc<AtomicU64>);

impl Backend for Counted {
    fn open(&self, _: &StoreUrl, options: &OpenOptions) -> Result<Stores> {
        let inner = Backends::default().open(&"memory:".parse()?, options)?;
        let states = CountedStates(inner.states, self.0.clone());
        Ok(Stores::new(inner.runs, inner.sessions, Arc::new(states)))
    }
}

#[derive(Debug)]
struct CountedStates(Arc<dyn StateStore>, Arc<AtomicU64>);

#[async_trait]
impl Service for CountedStates {
    async fn start(&self) -> Result<()> {
        self.0.start().await
    }
    async fn stop(&self) -> Result<()> {
        self.0.stop().await
    }
    async fn health(&self) -> Result<()> {
        self.0.health().await
    }
}

#[async_trait]
impl StateStore for CountedStates {
    async fn save(&self, u: &UserId, s: &SessionId, round: Option<u64>, state: &Json) -> Result<u64> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.save(u, s, round, state).await
    }
    async fn export(&self, u: &UserId, s: &SessionId, round: Option<u64>) -> Result<Option<(u64, Json)>> {
        self.0.export(u, s, round).await
    }
    async fn rounds(
        &self,
        u: &UserId,
        s: &SessionId,
        c: Option<PageToken>,
        n: PageSize,
    ) -> Result<Page<u64>> {
        self.0.rounds(u, s, c, n).await
    }
    async fn delete_round(&self, u: &UserId, s: &SessionId, round: u64) -> Result<bool> {
        self.0.delete_round(u, s, round).await
    }
    async fn delete_session(&self, u: &UserId, s: &SessionId) -> Result<u64> {
        self.0.delete_session(u, s).await
    }
    async fn delete_user(&self, u: &UserId) -> Result<u64> {
        self.0.delete_user(u).await
    }
}
