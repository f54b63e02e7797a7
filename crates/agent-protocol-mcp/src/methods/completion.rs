//! `completion/complete`: values of prompt arguments and ids in URIs.

use agent_schemas::{Json, JsonObject, object};

use super::prompts;
use super::resources::{self, Reader};
use crate::config::McpConfig;
use crate::rpc::RpcError;

/// The maximum number of values (server/utilities/completion).
const MAX_VALUES: usize = 100;

pub(crate) async fn complete(
    config: &McpConfig,
    reader: &Reader<'_>,
    params: &JsonObject,
) -> Result<JsonObject, RpcError> {
    let object = |key: &str| {
        let found = params.get(key).and_then(Json::as_object);
        found.ok_or_else(|| RpcError::invalid_params(format!("{key} should be an object")))
    };
    let text = |members: &JsonObject, key: &str| members.get(key).and_then(Json::as_str).map(str::to_owned);
    let (reference, argument) = (object("ref")?, object("argument")?);
    let name = text(argument, "name").ok_or_else(|| RpcError::invalid_params("argument.name is required"))?;
    let begin =
        text(argument, "value").ok_or_else(|| RpcError::invalid_params("argument.value is required"))?;
    let values = match reference.get("type").and_then(Json::as_str) {
        Some("ref/prompt") => {
            let prompt = prompts::find(&config.prompts, &text(reference, "name").unwrap_or_default())?;
            let argument = prompt.arguments.iter().find(|argument| argument.name == name);
            argument.map(|argument| argument.values.clone()).unwrap_or_default()
        }
        Some("ref/resource") => {
            let uri = text(reference, "uri").unwrap_or_default();
            let is_known = resources::is_template(config, &uri);
            if !is_known {
                return Err(RpcError::invalid_params(format!("There is no resource template '{uri}'")));
            }
            reader.ids(&uri).await?
        }
        _ => return Err(RpcError::invalid_params("ref.type should be ref/prompt or ref/resource")),
    };
    let begin = begin.to_lowercase();
    let mut matching: Vec<String> =
        values.into_iter().filter(|value| value.to_lowercase().starts_with(&begin)).collect();
    let total = i64::try_from(matching.len()).unwrap_or(i64::MAX);
    let has_more = matching.len() > MAX_VALUES;
    matching.truncate(MAX_VALUES);
    let values: Vec<Json> = matching.into_iter().map(Json::from).collect();
    Ok(object! { "completion" => object! { "values" => values, "total" => total, "hasMore" => has_more } })
}
