//! What a tool knows about its call.

use std::fmt;
use std::sync::Arc;

use agent_schemas::{Json, RunId, SessionId, UserId};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::writer::ToolOutputWriter;
use crate::{RunHandle, RunMemory, RunState, Services};

/// What a tool knows about its call: the user, the session, the run, and whether it is cancelled.
///
/// Cheap to clone; clones may be used from several tasks concurrently. For tests without a run, see `ToolTest` in
/// the module `testing`.
#[derive(Clone)]
pub struct ToolContext(Arc<Inner>);

struct Inner {
    user_id: UserId,
    session_id: SessionId,
    run_id: RunId,
    call_id: String,
    services: Services,
    cancel: CancellationToken,
    progress: Mutex<Progress>,
}

/// The destination of the tool's reports.
enum Progress {
    /// The run's log. The output is open from the first report on.
    Log { run: RunHandle, name: String, output: Option<ToolOutputWriter> },
    /// None: the call already has its output.
    Answered,
    /// A list, because there is no run.
    #[cfg(any(test, feature = "testing"))]
    List(Vec<Json>),
}

impl ToolContext {
    /// The context of an agent's call, whose `plugin_call` is in the log.
    pub(crate) fn of_run(run: &RunHandle, call_id: impl Into<String>, name: &str) -> Self {
        let progress = Progress::Log { run: run.clone(), name: name.to_owned(), output: None };
        ToolContext(Arc::new(Inner {
            user_id: run.user_id().clone(),
            session_id: run.session_id().clone(),
            run_id: run.id().clone(),
            call_id: call_id.into(),
            services: run.services().clone(),
            cancel: run.cancellation().clone(),
            progress: Mutex::new(progress),
        }))
    }

    /// The context of a call outside a run.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn detached(user_id: UserId, session_id: SessionId, services: Services) -> Self {
        ToolContext(Arc::new(Inner {
            user_id,
            session_id,
            run_id: RunId::new("run_test"),
            call_id: "call_test".to_owned(),
            services,
            cancel: CancellationToken::new(),
            progress: Mutex::new(Progress::List(Vec::new())),
        }))
    }

    /// The user on whose behalf the tool works.
    pub fn user_id(&self) -> &UserId {
        &self.0.user_id
    }

    /// The session in which the tool was called.
    pub fn session_id(&self) -> &SessionId {
        &self.0.session_id
    }

    /// The run in which the tool was called.
    pub fn run_id(&self) -> &RunId {
        &self.0.run_id
    }

    /// The id of this call, unique in its run.
    pub fn call_id(&self) -> &str {
        &self.0.call_id
    }

    /// The services that the run uses.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// The agents' state in this session.
    pub fn state(&self) -> RunState<'_> {
        RunState::new(self.services(), self.user_id(), self.session_id())
    }

    /// The memories of this user.
    pub fn memory(&self) -> RunMemory<'_> {
        RunMemory::new(self.services(), self.user_id(), self.session_id())
    }

    /// Resolves when the run is cancelled. The tool's own future is dropped in any case; use this for work that it
    /// started elsewhere.
    pub async fn cancelled(&self) {
        self.0.cancel.cancelled().await;
    }

    /// Whether the run is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.is_cancelled()
    }

    /// Reports the progress of a long call to the run's readers, as text or any other JSON; the model does not read it.
    ///
    /// In the log, the call's `plugin_call_output` starts with the first report. Each report is a delta of its data
    /// content: `{"progress": [report]}`. The complete content has only the output, so clients that wait for it see
    /// no difference. Reports after the output are discarded.
    pub fn progress(&self, report: impl Into<Json>) {
        let report = report.into();
        match &mut *self.0.progress.lock() {
            Progress::Log { run, name, output } => output
                .get_or_insert_with(|| run.open_tool_output(&self.0.call_id, name.as_str()))
                .progress(report),
            Progress::Answered => {}
            #[cfg(any(test, feature = "testing"))]
            Progress::List(reports) => reports.push(report),
        }
    }

    /// Writes the tool's output, as JSON text, to the run's log.
    pub(crate) fn write_output(&self, answer: &str) {
        let progress = std::mem::replace(&mut *self.0.progress.lock(), Progress::Answered);
        match progress {
            Progress::Log { output: Some(output), .. } => output.complete(answer),
            Progress::Log { run, name, output: None } => run.tool_output(&self.0.call_id, name, answer),
            _ => {}
        }
    }
}

#[cfg(feature = "testing")]
impl ToolContext {
    /// The reports of a call outside a run.
    pub(crate) fn reports(&self) -> Vec<Json> {
        match &*self.0.progress.lock() {
            Progress::List(reports) => reports.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn cancel(&self) {
        self.0.cancel.cancel();
    }
}

impl fmt::Debug for ToolContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { run_id, call_id, .. } = &*self.0;
        f.debug_struct("ToolContext")
            .field("run_id", run_id)
            .field("call_id", call_id)
            .finish_non_exhaustive()
    }
}
