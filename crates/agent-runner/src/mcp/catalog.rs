//! The tools of all servers that are there now.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::RwLock;

use super::names::model_name;
use super::server::Server;
use super::tool::{Listing, McpTool};
use crate::tools::{McpOrigin, OfferedTool, Tool};

/// The tools of all servers.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// By server, in the order of the configuration.
    listed: RwLock<Vec<(Arc<Server>, Vec<Listing>)>>,
    offered: RwLock<Arc<[OfferedTool]>>,
}

impl Catalog {
    /// Adds a server, which has no tools yet.
    pub(super) fn add(&self, server: Arc<Server>) {
        self.listed.write().push((server, Vec::new()));
    }

    /// Replaces the tools of a server.
    pub(super) fn publish(&self, name: &str, tools: Vec<Listing>) {
        let mut listed = self.listed.write();
        if let Some((_, known)) = listed.iter_mut().find(|(server, _)| server.name() == name) {
            *known = tools;
        }
        *self.offered.write() = offer(&listed);
    }

    pub(super) fn offered(&self) -> Arc<[OfferedTool]> {
        Arc::clone(&self.offered.read())
    }

    pub(super) fn servers(&self) -> Vec<Arc<Server>> {
        self.listed.read().iter().map(|(server, _)| Arc::clone(server)).collect()
    }
}

/// All tools, with names for models.
fn offer(listed: &[(Arc<Server>, Vec<Listing>)]) -> Arc<[OfferedTool]> {
    let mut taken = HashSet::new();
    let mut offered = Vec::new();
    for (server, tools) in listed {
        for tool in tools {
            let (label, prefix) = (server.name(), server.prefix());
            let name = model_name(label, prefix, &tool.name, |name| taken.contains(name));
            if !taken.insert(name.clone()) {
                tracing::warn!(
                    mcp.server = label,
                    tool.name = &*tool.name,
                    "a tool was left out: there is another one of its name"
                );
                continue;
            }
            let origin = McpOrigin::new(label, Arc::clone(&tool.name));
            let needs_approval = server.config.approval.is_needed(&tool.name);
            let tool: Arc<dyn Tool> = Arc::new(McpTool::new(name, tool, Arc::clone(server)));
            let tool = OfferedTool::of_mcp(tool, origin);
            offered.push(if needs_approval { tool.with_approval() } else { tool });
        }
    }
    offered.into()
}
