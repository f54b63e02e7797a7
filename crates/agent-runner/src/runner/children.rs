//! Starts a run as the child of another.

use std::sync::{Arc, Weak};

use agent_schemas::{AgentRequest, OnDisconnect, RunOptions, SessionPolicy};
use agent_services::ErrorKind;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::start::Slot;
use super::{Inner, Runner, StartError};
use crate::child::{ChildError, ChildRun, ChildSession, ChildSpec, StartChild};
use crate::live::LiveRun;

/// The interface through which runs start their children. It does not keep the runner alive.
pub(super) fn starter(runner: &Weak<Inner>) -> Arc<dyn StartChild> {
    Arc::new(runner.clone())
}

#[async_trait]
impl StartChild for Weak<Inner> {
    async fn start_child(&self, parent: &LiveRun, spec: ChildSpec) -> Result<ChildRun, ChildError> {
        let runner = self.upgrade().map(Runner).ok_or(ChildError::NoParent)?;
        runner.start_child(parent, spec).await
    }
}

impl Runner {
    pub(super) fn child_starter(&self) -> Arc<dyn StartChild> {
        Arc::clone(&self.0.children)
    }

    async fn start_child(&self, parent: &LiveRun, spec: ChildSpec) -> Result<ChildRun, ChildError> {
        let limit = self.0.limits.max_children;
        if !self.agent_names().any(|name| name == spec.agent) {
            return Err(ChildError::UnknownAgent(spec.agent));
        }
        let (permit, slots, stop) =
            parent.family.admit(&parent.cancel, limit).ok_or(ChildError::TooMany { limit })?;
        if stop.is_cancelled() || parent.log.is_sealed() {
            return Err(ChildError::NoParent);
        }
        let agent = spec.agent.clone();
        let (request, options) = request_of(spec, parent);
        let guard = stop.clone().drop_guard();
        let run = self.create(request, options, None, Slot::Child(permit, slots)).await.map_err(refused)?;
        let ended = CancellationToken::new();
        let cancels = {
            let (runner, id, ended, stop) = (self.clone(), run.id().clone(), ended.clone(), stop.clone());
            async move {
                tokio::select! {
                    biased;
                    () = ended.cancelled() => {}
                    () = stop.cancelled() => {
                        if let Err(error) = runner.cancel(&id).await {
                            tracing::warn!(run.id = %id, error = %error, "could not cancel a child run");
                        }
                    }
                }
            }
        };
        self.0.tasks.spawn(cancels.in_current_span());
        guard.disarm();
        Ok(ChildRun::new(run.id().clone(), agent, run.cursor(0), ended, stop))
    }
}

/// The request and the options of a child: it never waits, and continues without readers.
fn request_of(spec: ChildSpec, parent: &LiveRun) -> (AgentRequest, RunOptions) {
    let record = &parent.record;
    let mut options = RunOptions::default()
        .with_on_disconnect(OnDisconnect::Continue)
        .with_durability(record.options.durability)
        .with_parent(record.id.clone());
    let session = match spec.session {
        ChildSession::New => None,
        ChildSession::Named(session) => Some(session),
        ChildSession::OfParent => Some(record.session_id.clone()),
    };
    options = match &session {
        Some(session) if *session != record.session_id => options.with_session_policy(SessionPolicy::Reject),
        _ => options.with_session_policy(SessionPolicy::Concurrent).without_history(),
    };
    let mut request = AgentRequest::new(spec.input);
    request.model = Some(spec.agent);
    request.user_id = Some(record.user_id.to_string());
    request.session_id = session.map(|session| session.to_string());
    (request, options)
}

fn refused(error: StartError) -> ChildError {
    match error {
        StartError::Busy(id) => ChildError::Busy(id),
        StartError::Refused(error) => ChildError::Refused(error),
        StartError::Store(error) => ChildError::Store(error),
        other => {
            let message = other.to_string();
            agent_services::Error::new(ErrorKind::Unexpected, "start a child run", message).into()
        }
    }
}
