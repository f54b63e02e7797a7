//! How a request becomes a run.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use agent_schemas::id::{message_id, response_id};
use agent_schemas::{AgentRequest, Error, RunOptions, SessionId, UserId};
use agent_services::run::{Created, NewRun, RunRecord, fresh_id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::context::RunContext;
use super::execute::{Start, work_of};
use super::run::Run;
use super::run_task::RunTask;
use super::{Inner, Runner, StartError};
use crate::Agent;
use crate::assemble::{Assembler, ResponseHead};
use crate::budget::request_bytes;
use crate::live::LiveRun;

/// The source of a new run's slot.
pub(super) enum Slot {
    /// The slots of the process; `None` if the run has to wait for one.
    Root(Option<OwnedSemaphorePermit>),
    /// The slots of its family.
    Child(OwnedSemaphorePermit, Arc<Semaphore>),
}

impl Runner {
    /// Starts a run as a separate task, or queues it behind the session's run in progress. The run is stored before its
    /// agent starts; the agent is polled once before this returns.
    ///
    /// Missing ids of the request are filled in: a new session id, the session's id as the user id, an id for each
    /// message. If a request with the same key was made before, this returns the same run, unless that was refused for the
    /// time being: then this is a further attempt. If the input is handed to
    /// the run in progress, this returns that run from now on.
    ///
    /// # Errors
    /// [`StartError`] if the runner is closing, a limit is reached, the session is busy, the key is taken, or the
    /// store fails.
    ///
    /// # Cancellation
    /// Dropping the future before it resolves starts nothing, or a run that is cancelled for lack of readers.
    pub async fn start(&self, request: AgentRequest, options: RunOptions) -> Result<Run, StartError> {
        self.start_with(request, options, None).await
    }

    /// The same for a run that may continue another one, with the [`Self::context`] that precedes its input.
    ///
    /// # Errors
    /// Those of [`Self::start`].
    ///
    /// # Cancellation
    /// As for [`Self::start`].
    pub async fn start_with(
        &self,
        request: AgentRequest,
        options: RunOptions,
        context: Option<RunContext>,
    ) -> Result<Run, StartError> {
        let inner = &*self.0;
        // Held until the run's task is spawned, so that a concurrent shutdown waits for it.
        let _starting = inner.tasks.token();
        if inner.tasks.is_closed() {
            return Err(Error::ShuttingDown {}.into());
        }
        self.watch().await?;
        // Without a lease, another process would take over the run at once.
        self.hold_lease().await?;
        let permit = inner.admit()?;
        self.create(request, options, context, Slot::Root(permit)).await
    }

    /// Stores a run and lets its agent begin.
    pub(super) async fn create(
        &self,
        mut request: AgentRequest,
        mut options: RunOptions,
        context: Option<RunContext>,
        slot: Slot,
    ) -> Result<Run, StartError> {
        let inner = &*self.0;
        let created_at = inner.services.clock.unix_seconds();
        let (name, agent) = inner.choose_agent(request.model.as_deref())?;
        let (session_id, user_id, is_new_session) = inner.fill_ids(&mut request);
        options.anonymous_session |= is_new_session;
        let user = UserId::new(user_id);
        let id = fresh_id(&*inner.services.ids, &user);
        let response_id = request.id.clone().unwrap_or_else(|| response_id(&*inner.services.ids));
        let session = SessionId::new(session_id.as_str());
        let (stored, whole) = match context {
            Some(context) => {
                let retention = inner.services.runs.retention();
                context.add_to(request, &mut options, (retention, created_at))
            }
            None => {
                let request = Arc::new(request);
                (Arc::clone(&request), request)
            }
        };
        let memory = inner.memory.reserve(request_bytes(&whole));
        let memory = memory.ok_or(Error::MemoryLimitExceeded { limit: inner.memory.limit() })?;
        let inherited = whole.input.len() - stored.input.len();
        let mut record = RunRecord::new(id.clone(), user, session, name, created_at, stored);
        let (key, http) = (options.idempotency_key.take(), options.http.take());
        record.options = options;
        let assembler = Assembler::start(ResponseHead { id: response_id, created_at, session_id }, 1);
        let new = NewRun::new(record.clone(), assembler.pending(), inner.owner.clone())
            .with_max_queued(inner.limits.max_queued)
            .with_queued_bytes(inner.limits.queued_bytes)
            .with_key(key);
        match self.store_attempt(new).await? {
            Created::Started(token) => {
                record.request = whole;
                record.options.inherited += inherited;
                record.options.http = http;
                let task = work_of(&record, agent);
                let (permit, family_slots) = match slot {
                    Slot::Root(permit) => (permit, None),
                    Slot::Child(permit, slots) => (Some(permit), Some(slots)),
                };
                let is_child = family_slots.is_some();
                let start = Start { record, token, assembler, stored: 0, task, permit, family_slots, memory };
                let (live, task) = self.prepare(start);
                live.tail.publish(Some(live.log.take()), None);
                Ok(self.begin(&live, task, is_child).await)
            }
            Created::Queued { .. } => {
                self.watch_queued(&record);
                Ok(Run::of_stored(self, record))
            }
            Created::Repeated(id) => self.attach(&id).await?.ok_or(StartError::KeyUnknown),
            Created::Steered(id) => match self.attach(&id).await? {
                Some(run) => Ok(run.reading_what_is_next()),
                None => Err(StartError::Busy(id)),
            },
            Created::Busy(id) => Err(StartError::Busy(id)),
            Created::KeyReused => Err(StartError::KeyReused),
            Created::KeyUnknown => Err(StartError::KeyUnknown),
            _ => {
                let (runs, bytes) = (inner.limits.max_queued, inner.limits.queued_bytes);
                Err(StartError::QueueFull { runs, bytes })
            }
        }
    }

    /// Lets the agent begin. The output before its first await is then available when the caller first looks,
    /// which saves the caller a wake-up and a write to its client.
    ///
    /// A child is not polled here: its parent is being polled, and a chain of parents would nest on the stack.
    async fn begin(&self, live: &Arc<LiveRun>, task: RunTask, is_child: bool) -> Run {
        let run = Run::of_live(live, 0);
        if is_child {
            self.0.tasks.spawn(task.run());
            return run;
        }
        let mut task = Box::pin(task.run());
        let polled = poll_fn(|cx| Poll::Ready(task.as_mut().poll(cx))).await;
        if polled.is_pending() {
            self.0.tasks.spawn(task);
        }
        run
    }
}

impl Inner {
    /// Admits one more run: at once, or, with `None`, when another one has ended.
    fn admit(&self) -> Result<Option<OwnedSemaphorePermit>, StartError> {
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(Some(permit));
        }
        if self.waiting.load(Ordering::Relaxed) < self.limits.max_waiting {
            return Ok(None);
        }
        Err(Error::TooManyRuns { limit: self.limits.max_runs }.into())
    }

    /// The agent that the model names. A client may omit it or send an empty string.
    pub(super) fn choose_agent(&self, model: Option<&str>) -> Result<(&str, &Arc<dyn Agent>), StartError> {
        let model = model.filter(|model| !model.is_empty());
        let agent_named = |wanted: &str| self.agents.iter().find(|(name, _)| name == wanted);
        let agent_of = |model: &str| {
            let (_, agent) = self.models.iter().find(|(known, _)| known == model)?;
            agent_named(agent)
        };
        let named = model.and_then(|model| agent_named(model).or_else(|| agent_of(model)));
        match (named, model) {
            (Some((name, agent)), _) => Ok((name, agent)),
            (None, Some(model)) if !self.takes_any_model => {
                let known: Vec<&str> = self.agents.iter().map(|(name, _)| name.as_str()).collect();
                Err(StartError::UnknownAgent { name: model.to_owned(), known: known.join(", ") })
            }
            (None, _) => {
                let (name, agent) = &self.agents[0];
                Ok((name, agent))
            }
        }
    }

    /// Fills in missing ids; returns those of the session and the user, and whether the session's is new.
    fn fill_ids(&self, request: &mut AgentRequest) -> (String, String, bool) {
        for message in request.input.iter_mut().filter(|message| message.id.is_empty()) {
            message.id = message_id(&*self.services.ids);
        }
        let given = request.session_id.take().filter(|id| !id.is_empty());
        let is_new = given.is_none();
        let session_id = given.unwrap_or_else(|| self.services.ids.uuid());
        let user_id =
            request.user_id.take().filter(|id| !id.is_empty()).unwrap_or_else(|| session_id.clone());
        request.session_id = Some(session_id.clone());
        request.user_id = Some(user_id.clone());
        (session_id, user_id, is_new)
    }
}
