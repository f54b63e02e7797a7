//! Tools that the configuration describes.

use std::fmt;
use std::marker::PhantomData;

use agent_runner::mcp::{Grant, McpServerConfig};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::resolve::absolute;
use super::{Config, Environment};

/// Tools for all agents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ToolsConfig {
    /// The MCP servers whose tools agents may call.
    #[serde(deserialize_with = "tables", skip_serializing_if = "Vec::is_empty")]
    pub(crate) mcp: Vec<McpServerConfig>,
}

impl Config {
    /// Gives each MCP server where somebody has to log in a file for that in the data folder, if there is one.
    pub(crate) fn place_logins(&mut self, environment: &Environment) {
        let folder = if self.ephemeral { None } else { self.resolved_data_dir(environment).ok() };
        let Some(folder) = folder.map(|folder| absolute(&folder).join("logins")) else { return };
        for server in &mut self.tools.mcp {
            if let Some(auth) = server.auth.as_mut().filter(|auth| auth.grant == Grant::AuthorizationCode) {
                auth.file.get_or_insert_with(|| folder.join(format!("{}.json", server.name)));
            }
        }
    }
}

/// Reads an array of tables. It asks for a table, because what asks for an array is a setting that one line of text can
/// set.
fn tables<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_map(Tables(PhantomData))
}

struct Tables<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Tables<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of tables, such as [[tools.mcp]]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(table) = tables.next_element()? {
            all.push(table);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn login__without_a_file__is_kept_in_the_data_folder() {
        let text = "data_dir = \"/d\"\n[[tools.mcp]]\nname = \"a\"\nurl = \"https://a\"\nauth = {}\n";
        let placed = |text: &str| {
            let config: Config = toml::from_str(text).expect("a configuration");
            let mut config = config.resolve(&Environment::default()).expect("resolved");
            config.tools.mcp.remove(0).auth.expect("auth").file
        };
        assert_eq!(placed(text).as_deref(), Some(Path::new("/d/logins/a.json")));
        assert_eq!(placed(&format!("ephemeral = true\n{text}")), None);
        let elsewhere = text.replace("{}", "{ file = \"/secret/a\" }");
        assert_eq!(placed(&elsewhere).as_deref(), Some(Path::new("/secret/a")));
    }
}
