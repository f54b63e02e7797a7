//! Checks objects against the schemas of agents.

use agent_schemas::JsonObject;

/// What is wrong with an object, as a sentence; `None` if it matches the schema. References outside of the schema are not
/// followed (2026-07-28, basic, "$ref Resolution").
pub(crate) fn fault(schema: &JsonObject, object: &JsonObject) -> Option<String> {
    let [schema, object] = [schema, object].map(|members| serde_json::to_value(members).unwrap_or_default());
    let validator = match jsonschema::validator_for(&schema) {
        Ok(validator) => validator,
        Err(error) => {
            tracing::error!(error = %error, "a schema of an agent is not valid");
            return Some("its schema is not valid, so nothing matches it".to_owned());
        }
    };
    let error = validator.iter_errors(&object).next()?;
    let place = error.instance_path().to_string();
    Some(match place.trim_start_matches('/') {
        "" => error.to_string(),
        place => format!("{place}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use agent_schemas::object;

    use super::*;

    #[test]
    fn object__not_as_its_schema__has_a_fault() {
        let schema = object! { "properties" => object! { "a" => object! { "type" => "string" } } };
        assert_eq!(fault(&schema, &object! { "a" => "x" }), None);
        assert_eq!(fault(&schema, &object! { "a" => 1 }).as_deref(), Some("a: 1 is not of type \"string\""));
        let remote = object! { "$ref" => "http://127.0.0.1:9/schema.json" };
        assert!(fault(&remote, &object! {}).is_some());
    }
}
