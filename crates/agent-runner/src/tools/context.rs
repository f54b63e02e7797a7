//! The context of a tool call.

use std::fmt;
use std::sync::Arc;

use agent_schemas::{AgentResponse, ContentBody, Event, Json, RunId, SessionId, UserId, object};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::ToolOutput;
use crate::call_form::CallForm;
use crate::child::{ChildError, ChildRun, ChildSpec};
use crate::writer::ToolOutputWriter;
use crate::{RunHandle, RunMemory, RunState, Services};

/// The context of a tool call: the user, the session, the run, and whether it is cancelled.
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
    /// Starts child runs; `None` in a test without a run.
    run: Option<RunHandle>,
    progress: Mutex<Progress>,
    attached: Mutex<Vec<ContentBody>>,
}

/// The destination of the tool's reports.
enum Progress {
    /// The run's log. The output is open from the first report on.
    Log { run: RunHandle, form: CallForm, output: Option<Box<ToolOutputWriter>> },
    /// Nowhere: the call already has its output.
    Answered,
    /// A list, because there is no run.
    #[cfg(any(test, feature = "mcp", feature = "testing"))]
    List(Vec<Json>),
}

impl ToolContext {
    /// The context of an agent's call, which is in the log.
    pub(crate) fn of_run(run: &RunHandle, call_id: impl Into<String>, form: CallForm) -> Self {
        let progress = Progress::Log { run: run.clone(), form, output: None };
        ToolContext(Arc::new(Inner {
            user_id: run.user_id().clone(),
            session_id: run.session_id().clone(),
            run_id: run.id().clone(),
            call_id: call_id.into(),
            services: run.services().clone(),
            cancel: run.cancellation().clone(),
            run: Some(run.clone()),
            progress: Mutex::new(progress),
            attached: Mutex::default(),
        }))
    }

    /// The context of a call outside a run. Its progress is kept in a list.
    #[cfg(any(test, feature = "mcp", feature = "testing"))]
    pub(crate) fn detached(user_id: UserId, session_id: SessionId, services: Services) -> Self {
        ToolContext(Arc::new(Inner {
            user_id,
            session_id,
            run_id: RunId::new("run_test"),
            call_id: "call_test".to_owned(),
            services,
            cancel: CancellationToken::new(),
            run: None,
            progress: Mutex::new(Progress::List(Vec::new())),
            attached: Mutex::default(),
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
            Progress::Log { run, form, output } => {
                let open = || Box::new(run.open_output(&self.0.call_id, form));
                output.get_or_insert_with(open).progress(report);
            }
            Progress::Answered => {}
            #[cfg(any(test, feature = "mcp", feature = "testing"))]
            Progress::List(reports) => reports.push(report),
        }
    }

    /// Adds a content to the output, such as an image. Readers find it in the output's message, after the answer; the
    /// model sees images if it can.
    pub fn attach(&self, content: ContentBody) {
        self.0.attached.lock().push(content);
    }

    /// The contents that the tool has attached so far.
    pub(crate) fn attached(&self) -> Vec<ContentBody> {
        self.0.attached.lock().clone()
    }

    /// Starts a run of another agent as a child of the run that called the tool: see [`RunHandle::start_child`].
    ///
    /// # Errors
    /// Those of [`RunHandle::start_child`]; [`ChildError::NoParent`] in a test without a run.
    ///
    /// # Cancellation
    /// Dropping the future starts nothing, or a child that is cancelled.
    pub async fn start_child(&self, spec: ChildSpec) -> Result<ChildRun, ChildError> {
        let run = self.0.run.as_ref().ok_or(ChildError::NoParent)?;
        run.start_child(spec).await
    }

    /// Waits for a child's end, and shows its events in the parent's log: each event of its messages is a
    /// [report](Self::progress) of this call, `{"run_id": …, "agent": …, "event": …}`.
    ///
    /// # Errors
    /// Those of [`ChildRun::response`].
    ///
    /// # Cancellation
    /// Dropping the future cancels the child.
    pub async fn report_child(&self, mut child: ChildRun) -> Result<AgentResponse, ChildError> {
        let (id, agent) = (child.id().to_string(), child.agent_name().to_owned());
        let report = |event: &Event| {
            if !matches!(event, Event::Response(_)) {
                let event = json_of(event);
                let report = object! { "run_id" => id.as_str(), "agent" => agent.as_str(), "event" => event };
                self.progress(report);
            }
        };
        child.read_to_end(report).await
    }

    /// Writes what the call has come to into the run's log.
    pub(crate) fn write_output(&self, answer: &ToolOutput) {
        let progress = std::mem::replace(&mut *self.0.progress.lock(), Progress::Answered);
        if let Progress::Log { run, form, output } = progress {
            // The error of an agent's own tool is only in its output.
            let error = answer.error.as_deref().filter(|_| form.server_label.is_some());
            match output {
                Some(output) => output.end(&answer.text, self.attached(), error),
                None => run.write_output(&self.0.call_id, &form, &answer.text, self.attached(), error),
            }
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

/// An event as JSON, with its members in order.
fn json_of(event: &Event) -> Json {
    let text = serde_json::to_string(event).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
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
