//! The conversation that a request takes part in, read from its end.

use agent_runner::Runner;
use agent_schemas::responses::ResponseSettings;
use agent_schemas::{Message, SessionId, Status, UserId};
use agent_services::page::PageSize;
use agent_services::run::RunFilter;

use agent_server::protocol::{ApiError, Caller, Fields};

/// How many messages are read in one call.
const MESSAGES: u64 = 100;

/// A session, as its user and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversation {
    user: UserId,
    id: SessionId,
}

impl Conversation {
    /// The conversation of a request, if it names one.
    pub(super) fn of(request: &Fields<'_>, settings: &ResponseSettings, caller: &Caller) -> Option<Self> {
        let named = |key: &str| request.optional_text(key).ok().flatten().filter(|id| !id.is_empty());
        let id = settings.conversation_id().or_else(|| named("session_id"))?;
        let user = caller.user().cloned().unwrap_or_else(|| UserId::new(named("user_id").unwrap_or(id)));
        Some(Conversation { user, id: SessionId::new(id) })
    }

    /// Passes the messages to a visitor, the last ones first, until it has enough.
    pub(super) async fn visit_from_end(
        &self,
        runner: &Runner,
        mut visit: impl FnMut(&Message) -> bool,
    ) -> Result<(), ApiError> {
        let sessions = &runner.services().sessions;
        let mut end = sessions.get(&self.user, &self.id).await?.map_or(0, |session| session.message_count);
        while end > 0 {
            let size = MESSAGES.min(end);
            end -= size;
            let page = PageSize::new(usize::try_from(size).unwrap_or(1))?;
            let messages = sessions.messages(&self.user, &self.id, end, page).await?.unwrap_or_default();
            // Where messages were deleted, the page extends beyond these positions.
            let messages = messages.iter().filter(|stored| stored.position < end + size);
            if messages.rev().any(|stored| visit(&stored.message)) {
                break;
            }
        }
        Ok(())
    }

    /// Whether a run of the conversation is in progress, whose messages are not part of it yet.
    pub(super) async fn is_in_progress(&self, runner: &Runner) -> Result<bool, ApiError> {
        let mut filter = RunFilter::default();
        (filter.session, filter.status) = (Some(self.id.clone()), Some(Status::InProgress));
        let runs = &runner.services().runs;
        let page = runs.list(&self.user, &filter, None, PageSize::new(1)?).await?;
        Ok(!page.items.is_empty())
    }
}
