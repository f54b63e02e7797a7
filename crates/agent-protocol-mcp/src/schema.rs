//! The schemas of agents, and objects that should match them.

use agent_schemas::JsonObject;
use jsonschema::Validator;
use serde_json::Value;

/// A JSON Schema, compiled once. References outside of the schema are not followed (2026-07-28, basic,
/// "$ref Resolution").
#[derive(Debug)]
pub(crate) struct Schema {
    members: JsonObject,
    /// `None` if the schema is not valid, so nothing matches it.
    validator: Option<Validator>,
}

impl Schema {
    /// Compiles a schema of an agent. If it is not valid, the log says so.
    pub(crate) fn of_agent(agent: &str, members: JsonObject) -> Self {
        let validator = jsonschema::validator_for(&value(&members));
        let validator = validator.inspect_err(
            |error| tracing::error!(agent, error = %error, "a schema of the agent is not valid, so nothing matches it"),
        );
        Schema { members, validator: validator.ok() }
    }

    pub(crate) fn members(&self) -> &JsonObject {
        &self.members
    }

    /// What is wrong with an object, as a sentence; `None` if it matches.
    pub(crate) fn fault(&self, object: &JsonObject) -> Option<String> {
        let Some(validator) = &self.validator else {
            return Some("its schema is not valid, so nothing matches it".to_owned());
        };
        let object = value(object);
        let error = validator.iter_errors(&object).next()?;
        let place = error.instance_path().to_string();
        Some(match place.trim_start_matches('/') {
            "" => error.to_string(),
            place => format!("{place}: {error}"),
        })
    }
}

fn value(members: &JsonObject) -> Value {
    serde_json::to_value(members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[test]
    fn object__not_as_its_schema__has_a_fault() {
        let string = object! { "properties" => object! { "a" => object! { "type" => "string" } } };
        let schema = Schema::of_agent("a", string);
        assert_eq!(schema.fault(&object! { "a" => "x" }), None);
        assert_eq!(schema.fault(&object! { "a" => 1 }).as_deref(), Some("a: 1 is not of type \"string\""));
        let remote = Schema::of_agent("a", object! { "$ref" => "http://127.0.0.1:9/schema.json" });
        assert!(remote.fault(&object! {}).is_some());
    }
}
