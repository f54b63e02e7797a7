//! The methods that need nothing but the request.

use agent_schemas::{Json, JsonObject, object};
use agent_server::protocol::Caller;

use crate::client::Client;
use crate::methods::resources::Reader;
use crate::methods::{completion, prompts, resources, tools};
use crate::result::cacheable;
use crate::rpc::{Request, RpcError};
use crate::server::{Server, user};
use crate::subscriptions;
use crate::version::Version;

/// How long clients may keep what only a restart changes, in seconds.
const FIXED: i64 = 300;

/// What the server can do.
pub(crate) fn capabilities(is_modern: bool) -> JsonObject {
    let mut capabilities = object! {
        "tools" => JsonObject::new(),
        "prompts" => JsonObject::new(),
        "resources" => object! { "subscribe" => true },
        "completions" => JsonObject::new(),
    };
    if !is_modern {
        capabilities.insert("logging".to_owned(), JsonObject::new().into());
    }
    capabilities
}

/// The result of a request, in the form of the client's version.
pub(crate) async fn answer(
    server: &Server,
    caller: &Caller,
    client: &Client,
    request: &Request,
) -> Result<JsonObject, RpcError> {
    let (config, params) = (&*server.config, &request.params);
    let reader = || Reader { context: &server.context, caller, user: user(caller, params) };
    let is_modern = client.is_modern();
    // What differs between users must not be shared.
    let kept = |result: JsonObject, seconds: i64, is_public: bool| match is_modern {
        true => cacheable(result, seconds, is_public),
        false => result,
    };
    Ok(match request.method.as_str() {
        "server/discover" if is_modern => kept(discovered(server), FIXED, true),
        "tools/list" => kept(tools::list(&server.tools, params)?, FIXED, true),
        "prompts/list" => kept(prompts::list(&config.prompts, params)?, FIXED, true),
        "prompts/get" => client.complete(prompts::get(&config.prompts, client, params).await?),
        "resources/list" => kept(reader().list(config, params).await?, 0, false),
        "resources/templates/list" => kept(resources::templates(config, params)?, FIXED, true),
        "resources/read" => {
            let uri = params.get("uri").and_then(Json::as_str);
            let uri = uri.ok_or_else(|| RpcError::invalid_params("uri is required"))?;
            let contents = reader().read(config, uri).await?;
            let contents = contents.ok_or_else(|| RpcError::no_resource(uri, is_modern))?;
            kept(object! { "contents" => vec![Json::from(contents)] }, 0, false)
        }
        "resources/subscribe" if !is_modern => {
            subscriptions::watch(server, caller, client, params).await?;
            JsonObject::new()
        }
        "resources/unsubscribe" if !is_modern => {
            subscriptions::unwatch(server, client, params)?;
            JsonObject::new()
        }
        "completion/complete" => client.complete(completion::complete(config, &reader(), params).await?),
        method => return Err(RpcError::unknown_method(method)),
    })
}

fn discovered(server: &Server) -> JsonObject {
    let mut result = object! {
        "supportedVersions" => Version::all(),
        "capabilities" => capabilities(true),
    };
    if let Some(instructions) = &server.config.instructions {
        result.insert("instructions".to_owned(), instructions.as_str().into());
    }
    result
}
