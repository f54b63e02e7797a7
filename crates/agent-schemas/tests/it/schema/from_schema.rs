//! Random values that a schema allows.

use agent_schemas::{Json, JsonObject};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use crate::strategy;

/// Values of one of the definitions.
pub(super) fn values(name: &str, definitions: &JsonObject) -> BoxedStrategy<Json> {
    of_schema(&definitions[name], definitions)
}

/// Whether a schema allows every value.
pub(super) fn allows_anything(schema: &Json) -> bool {
    match schema.get("type").and_then(Json::as_array) {
        Some(types) => types.len() == 7,
        None => *schema == Json::Bool(true),
    }
}

fn of_schema(schema: &Json, definitions: &JsonObject) -> BoxedStrategy<Json> {
    if allows_anything(schema) {
        return strategy::json().boxed();
    }
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        return values(reference.strip_prefix("#/$defs/").unwrap(), definitions);
    }
    if let Some(alternatives) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
        return Union::new(alternatives.iter().map(|schema| of_schema(schema, definitions))).boxed();
    }
    if let Some(value) = schema.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return select(values.to_vec()).boxed();
    }
    let types = match schema.get("type") {
        Some(Json::Array(types)) => types.clone(),
        Some(one) => vec![one.clone()],
        None => panic!("a schema without a type: {schema}"),
    };
    Union::new(types.iter().map(|kind| of_type(kind.as_str().unwrap(), schema, definitions))).boxed()
}

fn of_type(kind: &str, schema: &Json, definitions: &JsonObject) -> BoxedStrategy<Json> {
    let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
    let least = |key: &str| {
        schema.get(key).and_then(Json::as_i64).map_or(0, |least| usize::try_from(least).expect("a size"))
    };
    match kind {
        "null" => Just(Json::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Json::from).boxed(),
        "string" if least("minLength") > 0 => "[a-z_]{1,8}".prop_map(Json::from).boxed(),
        "string" => prop_oneof![any::<String>(), "[a-z_]{0,8}"].prop_map(Json::from).boxed(),
        "integer" => {
            #[expect(clippy::cast_possible_truncation, reason = "bounds are small")]
            let bound = |key, other| bound(key).map_or(other, |bound| bound as i64);
            (bound("minimum", i64::MIN)..=bound("maximum", i64::MAX)).prop_map(Json::from).boxed()
        }
        "number" => {
            let range = bound("minimum").unwrap_or(-1e300)..=bound("maximum").unwrap_or(1e300);
            range.prop_map(Json::from).boxed()
        }
        "array" => {
            let any_item = Json::Bool(true);
            let items = of_schema(schema.get("items").unwrap_or(&any_item), definitions);
            vec(items, least("minItems")..3).prop_map(Json::from).boxed()
        }
        "object" => object(schema, definitions),
        other => panic!("an unknown type {other}"),
    }
}

fn object(schema: &Json, definitions: &JsonObject) -> BoxedStrategy<Json> {
    let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
    let empty = JsonObject::new();
    let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
    let mut fields: BoxedStrategy<JsonObject> = Just(JsonObject::new()).boxed();
    for (name, schema) in properties {
        let value = of_schema(schema, definitions);
        let value = if required.contains(&Json::from(name.as_str())) {
            value.prop_map(Some).boxed()
        } else {
            of(value).boxed()
        };
        let name = name.clone();
        fields = (fields, value)
            .prop_map(move |(mut members, value)| {
                members.extend(value.map(|value| (name.clone(), value)));
                members
            })
            .boxed();
    }
    let others = match schema.get("additionalProperties") {
        // A prefix distinguishes the free members from the declared ones.
        Some(others) => vec(("x_[a-z]{0,4}", of_schema(others, definitions)), 0..3).boxed(),
        None => Just(Vec::new()).boxed(),
    };
    (fields, others)
        .prop_map(|(mut members, others)| {
            members.extend(others);
            Json::Object(members)
        })
        .boxed()
}
