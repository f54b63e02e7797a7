//! What a run's record keeps of the request that the run was made for.

use agent_schemas::responses::ResponseSettings;
use agent_schemas::{AgentRequest, Json, object, sse};

/// The member of the request that it is kept in.
const MEMBER: &str = "openai_response";

/// What is repeated to the client, and which part of the input was its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The settings as members of a JSON object: they are written into each response as they are.
    pub(super) settings: String,
    /// How many messages of the input come from what the response goes on from.
    pub(super) earlier: usize,
    /// Whether the response may be asked for later.
    pub(super) is_stored: bool,
    /// Whether it is made whether or not somebody waits for it.
    pub(super) is_background: bool,
}

impl Kept {
    pub(super) fn new(settings: &ResponseSettings, earlier: usize) -> Self {
        let mut members = Vec::with_capacity(1024);
        // Writing into memory cannot fail; a response without settings is what would be left.
        if sse::write_json(&mut members, settings).is_err() {
            members.clear();
        }
        let mut members = String::from_utf8(members).unwrap_or_default();
        // Without the braces.
        members.pop();
        members.drain(..members.len().min(1));
        Kept { settings: members, earlier, is_stored: settings.store, is_background: settings.background }
    }

    pub(super) fn put_into(&self, request: &mut AgentRequest) {
        let kept = object! {
            "settings" => self.settings.as_str(),
            "earlier" => i64::try_from(self.earlier).unwrap_or(i64::MAX),
            "store" => self.is_stored,
            "background" => self.is_background,
        };
        request.extra.insert(MEMBER.to_owned(), kept.into());
    }

    /// What was kept; for a run that was started over another protocol, what can be said of it.
    pub(super) fn of(request: &AgentRequest, agent: &str) -> Self {
        Self::read(request).unwrap_or_else(|| {
            let mut settings = ResponseSettings::default();
            settings.model = request.model.as_deref().unwrap_or(agent).to_owned();
            Kept::new(&settings, 0)
        })
    }

    fn read(request: &AgentRequest) -> Option<Self> {
        let kept = request.extra.get(MEMBER)?;
        let earlier = usize::try_from(kept.get("earlier")?.as_i64()?).ok()?;
        let settings = kept.get("settings")?.as_str()?;
        // Any client may send such a member over another protocol.
        agent_schemas::json::parse(&format!("{{{settings}}}")).ok()?;
        Some(Kept {
            settings: settings.to_owned(),
            earlier: earlier.min(request.input.len()),
            is_stored: kept.get("store").and_then(Json::as_bool)?,
            is_background: kept.get("background").and_then(Json::as_bool)?,
        })
    }
}
