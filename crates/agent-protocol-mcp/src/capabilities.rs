//! What a client can do for the server.

use agent_schemas::{Json, JsonObject};

/// The requests that a client answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) elicitation: bool,
    pub(crate) sampling: bool,
    pub(crate) roots: bool,
}

impl Capabilities {
    /// Reads a client's `capabilities`.
    pub(crate) fn of(declared: &JsonObject) -> Self {
        let has = |name: &str| declared.get(name).is_some_and(|value| value.as_object().is_some());
        // Without a mode, a client shows forms (2025-11-25, client/elicitation, "Capabilities").
        let shows_forms =
            |elicitation: &JsonObject| elicitation.contains_key("form") || !elicitation.contains_key("url");
        Capabilities {
            elicitation: declared.get("elicitation").and_then(Json::as_object).is_some_and(shows_forms),
            sampling: has("sampling"),
            roots: has("roots"),
        }
    }

    /// The name of the capability that a method needs, if the client lacks it. Methods that MCP does not have are never
    /// supported.
    pub(crate) fn missing_for(self, method: &str) -> Option<&'static str> {
        let (has, name) = match method {
            "elicitation/create" => (self.elicitation, "elicitation"),
            "sampling/createMessage" => (self.sampling, "sampling"),
            "roots/list" => (self.roots, "roots"),
            _ => (false, "this request"),
        };
        (!has).then_some(name)
    }

    /// As letters, for a session's id.
    pub(crate) fn letters(self) -> String {
        let all = [(self.elicitation, 'e'), (self.roots, 'r'), (self.sampling, 's')];
        all.into_iter().filter(|(has, _)| *has).map(|(_, letter)| letter).collect()
    }

    /// Reads [`Self::letters`].
    pub(crate) fn from_letters(letters: &str) -> Option<Self> {
        let mut capabilities = Capabilities::default();
        for letter in letters.chars() {
            match letter {
                'e' => capabilities.elicitation = true,
                'r' => capabilities.roots = true,
                's' => capabilities.sampling = true,
                _ => return None,
            }
        }
        // Any other spelling would be another session.
        (capabilities.letters() == letters).then_some(capabilities)
    }
}
