//! Tools built from async closures with typed arguments.

use std::fmt;
use std::marker::PhantomData;

use agent_schemas::{Json, JsonObject, object};
use async_trait::async_trait;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Tool, ToolContext, ToolError};

/// A tool built from an async closure; see [`tool_fn`].
pub struct ToolFn<Args, F> {
    name: String,
    description: String,
    parameters: Json,
    function: F,
    arguments: PhantomData<fn(Args)>,
}

/// Creates a tool from an async closure.
///
/// The closure's second argument is a struct with named fields: the schema that the model reads is derived from it, the
/// fields' doc comments included, and invalid arguments are an error that the model reads. The answer is anything that
/// can be serialized as JSON; `?` converts any error to a [`ToolError`], without a text for the model. Without your own
/// dependency on schemars, derive from [`agent_runner::schemars`](crate::schemars):
///
/// ```
/// use agent_runner::schemars::JsonSchema;
/// use agent_runner::tools::{ToolContext, tool_fn};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[schemars(crate = "agent_runner::schemars")]
/// struct Route {
///     /// Where to begin.
///     from: String,
///     to: String,
///     /// How many minutes to plan for a break.
///     #[serde(default)]
///     pause: u32,
/// }
///
/// let plan = tool_fn("plan_route", "Says how long a journey takes.", |ctx: ToolContext, route: Route| async move {
///     ctx.progress(format!("looking for {} to {}", route.from, route.to));
///     Ok(90 + route.pause)
/// });
/// # use agent_runner::tools::Tool;
/// # assert_eq!(plan.name(), "plan_route");
/// ```
pub fn tool_fn<Args, F, Fut, T>(
    name: impl Into<String>,
    description: impl Into<String>,
    function: F,
) -> ToolFn<Args, F>
where
    Args: JsonSchema + DeserializeOwned + Send + 'static,
    F: Fn(ToolContext, Args) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, ToolError>> + Send + 'static,
    T: Serialize,
{
    ToolFn {
        name: name.into(),
        description: description.into(),
        parameters: parameters::<Args>(),
        function,
        arguments: PhantomData,
    }
}

/// The schema of a type without references, and without parts that mean nothing to a model.
fn parameters<Args: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<Args>();
    schema.remove("title");
    match Json::from(schema.to_value()) {
        // Some servers reject an object that does not declare that it has no properties.
        Json::Object(mut schema) if schema.get("type") == Some(&"object".into()) => {
            schema.entry("properties".to_owned()).or_insert_with(|| object! {}.into());
            schema.into()
        }
        other => other,
    }
}

/// Reads the arguments. The error is serde's message without the position, because the model never saw the text.
fn read<Args: DeserializeOwned>(arguments: JsonObject) -> Result<Args, ToolError> {
    serde_json::from_str(&Json::from(arguments).to_string()).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        ToolError::new(format!("invalid arguments: {}", text.strip_suffix(&place).unwrap_or(&text)))
    })
}

#[async_trait]
impl<Args, F, Fut, T> Tool for ToolFn<Args, F>
where
    Args: JsonSchema + DeserializeOwned + Send + 'static,
    F: Fn(ToolContext, Args) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, ToolError>> + Send + 'static,
    T: Serialize,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn parameters(&self) -> Json {
        self.parameters.clone()
    }

    async fn call(&self, ctx: &ToolContext, arguments: JsonObject) -> Result<Json, ToolError> {
        let answer = (self.function)(ctx.clone(), read(arguments)?).await?;
        Ok(Json::from_serialize(&answer)?)
    }
}

impl<Args, F> fmt::Debug for ToolFn<Args, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolFn").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::{SessionId, UserId, json};
    use serde::Deserialize;

    use super::*;
    use crate::Services;

    #[derive(Deserialize, JsonSchema)]
    struct Trip {
        /// Where to.
        to: Place,
        days: Option<u8>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Place {
        city: String,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Nothing {}

    async fn plan(ctx: ToolContext, trip: Trip) -> Result<Vec<String>, ToolError> {
        let days: u8 = trip.days.map_or_else(|| "many".parse(), Ok)?;
        Ok(vec![format!("{}: {days} days in {}", ctx.user_id(), trip.to.city)])
    }

    async fn check(arguments: &str, expected: &str) {
        let Ok(Json::Object(arguments)) = json::parse(arguments) else { panic!("{arguments}") };
        let ctx = ToolContext::detached(UserId::new("ann"), SessionId::new("s"), Services::in_memory());
        let answer = tool_fn("plan", "Plans.", plan).call(&ctx, arguments).await;
        let shown = answer.map_or_else(|error| format!("error: {error}"), |answer| answer.to_string());
        assert_eq!(shown, expected);
    }

    #[tokio::test]
    async fn typed_tool__invalid_arguments__are_reported() {
        check(r#"{"to":{"city":"Rome"},"days":2}"#, r#"["ann: 2 days in Rome"]"#).await;
        check(r#"{"to":{}}"#, "error: invalid arguments: missing field `city`").await;
        check(
            r#"{"to":{"city":"Rome"},"days":"2"}"#,
            r#"error: invalid arguments: invalid type: string "2", expected u8"#,
        )
        .await;
        check(r#"{"to":{"city":"Rome"}}"#, "error: the tool failed unexpectedly").await;
    }

    #[test]
    fn typed_tool__schema__has_no_definitions() {
        let tool = tool_fn("plan", "Plans.", plan);
        assert_eq!(
            tool.parameters().to_string(),
            r#"{"properties":{"days":{"format":"uint8","maximum":255,"minimum":0,"type":["integer","null"]},"to":{"description":"Where to.","properties":{"city":{"type":"string"}},"required":["city"],"type":"object"}},"required":["to"],"type":"object"}"#
        );
        let tool = tool_fn("rest", "Rests.", |_, _: Nothing| async { Ok(()) });
        assert_eq!(tool.parameters().to_string(), r#"{"type":"object","properties":{}}"#);
    }
}
