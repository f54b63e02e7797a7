//! What a run's record keeps of the request that the run was made for.

use agent_schemas::responses::ResponseSettings;
use agent_schemas::{AgentRequest, Json, JsonObject, object};

/// The member of the request that it is kept in.
const MEMBER: &str = "openai_response";

/// What is repeated to the client, and which part of the input was its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept {
    pub(super) settings: JsonObject,
    /// How many messages of the input come from what the response goes on from.
    pub(super) earlier: usize,
}

impl Kept {
    pub(super) fn put_into(&self, request: &mut AgentRequest) {
        let earlier = i64::try_from(self.earlier).unwrap_or(i64::MAX);
        let kept = object! { "settings" => self.settings.clone(), "earlier" => earlier };
        request.extra.insert(MEMBER.to_owned(), kept.into());
    }

    /// What was kept; for a run that was started over another protocol, what can be said of it.
    pub(super) fn of(request: &AgentRequest, agent: &str) -> Self {
        let kept = request.extra.get(MEMBER);
        let settings = kept.and_then(|kept| kept.get("settings")?.as_object().cloned());
        let earlier = kept.and_then(|kept| usize::try_from(kept.get("earlier")?.as_i64()?).ok());
        let settings = settings.unwrap_or_else(|| {
            let mut settings = ResponseSettings::default();
            settings.model = request.model.clone().unwrap_or_default();
            settings.to_object()
        });
        let mut kept = Kept { settings, earlier: earlier.unwrap_or(0).min(request.input.len()) };
        kept.name_model(agent);
        kept
    }

    /// Where the client named no model, it is the agent that answered.
    pub(super) fn name_model(&mut self, agent: &str) {
        let model = self.settings.entry("model".to_owned()).or_default();
        if model.as_str().is_none_or(str::is_empty) {
            *model = Json::from(agent);
        }
    }

    /// Whether the response may be asked for later.
    pub(super) fn is_stored(&self) -> bool {
        self.settings.get("store") != Some(&Json::Bool(false))
    }

    /// Whether it is made whether or not somebody waits for it.
    pub(super) fn is_background(&self) -> bool {
        self.settings.get("background") == Some(&Json::Bool(true))
    }
}
