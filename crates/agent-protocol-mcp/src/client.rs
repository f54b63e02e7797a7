//! The client of a request.

use agent_schemas::{Json, JsonObject};

use crate::capabilities::Capabilities;
use crate::log_level::LogLevel;
use crate::result;
use crate::rpc::RpcError;
use crate::session::Session;
use crate::version::Version;

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// Who makes a request, and what it can do: from the request itself since 2026-07-28, else from its session.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) version: Version,
    pub(crate) capabilities: Capabilities,
    /// The least severe log messages that it wants; `None` for none.
    pub(crate) log_level: Option<LogLevel>,
    /// The session, before 2026-07-28.
    pub(crate) session: Option<Session>,
}

impl Client {
    /// The version that a request names in its `_meta`.
    pub(crate) fn version_in(params: &JsonObject) -> Option<&str> {
        params.get("_meta")?.as_object()?.get(PROTOCOL_VERSION)?.as_str()
    }

    /// Whether a request describes its client, completely or not.
    pub(crate) fn is_described_in(params: &JsonObject) -> bool {
        let meta = params.get("_meta").and_then(Json::as_object);
        meta.is_some_and(|meta| {
            [PROTOCOL_VERSION, CLIENT_CAPABILITIES].iter().any(|key| meta.contains_key(*key))
        })
    }

    /// The client of a request that describes it (2026-07-28, basic, "_meta").
    pub(crate) fn of_request(params: &JsonObject) -> Result<Self, RpcError> {
        let meta = params.get("_meta").and_then(Json::as_object);
        let meta = meta.ok_or_else(|| RpcError::invalid_params("params._meta is required"))?;
        let missing = |key: &str| RpcError::invalid_params(format!("params._meta should have '{key}'"));
        let version =
            meta.get(PROTOCOL_VERSION).and_then(Json::as_str).ok_or_else(|| missing(PROTOCOL_VERSION))?;
        let version = Version::read(version)
            .filter(|version| version.is_modern())
            .ok_or_else(|| RpcError::unsupported_version(version, Version::all()))?;
        let declared = meta.get(CLIENT_CAPABILITIES).and_then(Json::as_object);
        let declared = declared.ok_or_else(|| missing(CLIENT_CAPABILITIES))?;
        let log_level = meta.get(LOG_LEVEL).map(LogLevel::of).transpose()?;
        Ok(Client { version, capabilities: Capabilities::of(declared), log_level, session: None })
    }

    /// The client of a session.
    pub(crate) fn of_session(session: Session, log_level: LogLevel) -> Self {
        Client {
            version: session.version,
            capabilities: session.capabilities,
            log_level: Some(log_level),
            session: Some(session),
        }
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_modern()
    }

    /// A result in the form of the client's version.
    pub(crate) fn complete(&self, result: JsonObject) -> JsonObject {
        if self.is_modern() { result::complete(result) } else { result }
    }
}
