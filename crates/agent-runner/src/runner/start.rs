//! How a request becomes a run.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use agent_schemas::id::{message_id, response_id};
use agent_schemas::{AgentRequest, Error, RunOptions, SessionId, UserId};
use agent_services::run::{Created, NewRun, RunRecord, fresh_id};
use tokio::sync::OwnedSemaphorePermit;

use super::execute::Start;
use super::run::Run;
use super::run_task::{RunTask, Task};
use super::{Inner, Runner, StartError};
use crate::Agent;
use crate::assemble::{Assembler, ResponseHead};
use crate::live::LiveRun;

impl Runner {
    /// Starts a run as a separate task, or queues it behind the session's run in progress. The run is stored before its
    /// agent starts; the agent is polled once before this returns.
    ///
    /// Missing ids of the request are filled in: a new session id, the session's id as the user id, an id for each
    /// message. If a request with the same key was made before, this returns the same run. If the input is handed to
    /// the run in progress, this returns that run from now on.
    ///
    /// # Errors
    /// [`StartError`] if the runner is closing, a limit is reached, the session is busy, the key is taken, or the
    /// store fails.
    ///
    /// # Cancellation
    /// If the future is dropped early, either no run starts, or a run that is cancelled for lack of readers.
    pub async fn start(&self, mut request: AgentRequest, mut options: RunOptions) -> Result<Run, StartError> {
        let inner = &*self.0;
        // Held until the run's task is spawned, so that a concurrent shutdown waits for it.
        let _starting = inner.tasks.token();
        if inner.tasks.is_closed() {
            return Err(Error::ShuttingDown {}.into());
        }
        self.watch().await?;
        let permit = inner.admit()?;
        let created_at = inner.services.clock.unix_seconds();
        let (name, agent) = inner.choose_agent(request.model.as_deref());
        let (session_id, user_id) = inner.fill_ids(&mut request);
        let user = UserId::new(user_id);
        let id = fresh_id(&*inner.services.ids, &user);
        let response_id = request.id.clone().unwrap_or_else(|| response_id(&*inner.services.ids));
        let session = SessionId::new(session_id.as_str());
        let mut record = RunRecord::new(id.clone(), user, session, name, created_at, Arc::new(request));
        let key = options.idempotency_key.take();
        record.options = options;
        let assembler = Assembler::start(ResponseHead { id: response_id, created_at, session_id }, 1);
        let new = NewRun::new(record.clone(), assembler.pending(), inner.owner.clone())
            .with_max_queued(inner.limits.max_queued)
            .with_key(key);
        let guard = self.orphan_guard(&id);
        let created = guard.resolve(inner.services.runs.create(new).await)?;
        match created {
            Created::Started(token) => {
                let task = Task::Work(Arc::clone(agent));
                let start = Start { record, token, assembler, stored: 0, task, permit };
                let (live, task) = self.prepare(start);
                live.tail.publish(Some(live.log.take()), None);
                Ok(self.begin(&live, task).await)
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
            _ => Err(StartError::QueueFull { limit: inner.limits.max_queued }),
        }
    }

    /// Polls the agent once. What it writes before its first await is then available when the caller first looks, which
    /// saves caller a wake-up and a write to its client.
    async fn begin(&self, live: &Arc<LiveRun>, task: RunTask) -> Run {
        let run = Run::of_live(live, 0);
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

    fn choose_agent(&self, model: Option<&str>) -> (&str, &Arc<dyn Agent>) {
        let named = model.and_then(|model| self.agents.iter().find(|(name, _)| name == model));
        let (name, agent) = named.unwrap_or(&self.agents[0]);
        (name, agent)
    }

    /// Fills in the ids that the client omitted, and returns those of the session and the user.
    fn fill_ids(&self, request: &mut AgentRequest) -> (String, String) {
        for message in request.input.iter_mut().filter(|message| message.id.is_empty()) {
            message.id = message_id(&*self.services.ids);
        }
        let given = request.session_id.take().filter(|id| !id.is_empty());
        let session_id = given.unwrap_or_else(|| self.services.ids.uuid());
        let user_id =
            request.user_id.take().filter(|id| !id.is_empty()).unwrap_or_else(|| session_id.clone());
        request.session_id = Some(session_id.clone());
        request.user_id = Some(user_id.clone());
        (session_id, user_id)
    }
}
