//! `agent-server store`: backs up the stores.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent_services::ServiceUrls;
use agent_services::backend::StoreUrl;
use anyhow::bail;

use crate::cli::store::{StoreCommand, StoreCommandOptions};
use crate::config::{Environment, absolute};

/// Executes the command on a separate runtime.
pub(crate) fn run(options: &StoreCommandOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let config = options.data.load(environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let StoreCommand::Backup { folder: into } = &options.command;
    let from = folder_of(&config.urls(environment)?)?;
    runtime.block_on(backup(from, &absolute(into)))?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of the only database.
fn folder_of(urls: &ServiceUrls) -> anyhow::Result<PathBuf> {
    let own = [&urls.sessions, &urls.states, &urls.memories, &urls.runs].into_iter().flatten();
    if let Some(other) = own.into_iter().find(|own| **own != urls.all) {
        bail!(
            "the configuration has more than one store ({} and {other}); back up each of them without the configuration: \
             agent-server store backup --store URL DIR",
            urls.all
        );
    }
    let url: &StoreUrl = &urls.all;
    match url.scheme() {
        "sqlite" => Ok(url.path()?),
        "memory" => bail!("the data is in the memory of the server, so there is nothing to back up"),
        _ => bail!(
            "{url} is not a file that this command can copy; save and copy its data with Redis' own tools: \
             redis-cli BGSAVE and the file dump.rdb, or redis-cli --rdb FILE"
        ),
    }
}

#[cfg(feature = "sqlite")]
async fn backup(from: PathBuf, into: &Path) -> anyhow::Result<()> {
    let copy = agent_services::sqlite::SqliteDatabase::read_only(from).backup(into).await?;
    let (folder, bytes) = (copy.folder.display(), copy.bytes);
    crate::cli::print(&format!("copied {bytes} bytes; to restore them: agent-server --data-dir '{folder}'\n"))
}

#[cfg(not(feature = "sqlite"))]
async fn backup(_: PathBuf, _: &Path) -> anyhow::Result<()> {
    bail!("this agent-server was compiled without SQLite")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(urls: &ServiceUrls, expected: &str) {
        let found = folder_of(urls).map_or_else(|error| error.to_string(), |path| path.display().to_string());
        assert!(found.contains(expected), "{expected:?} is missing in {found:?}");
    }

    #[test]
    fn folder_to_back_up__each_store__is_found_or_says_what_to_do() {
        let url = |text: &str| text.parse::<StoreUrl>().expect("a URL");
        let urls = |text| ServiceUrls::new(url(text));
        check(&urls("sqlite:/data/100%25?sync=full"), "/data/100%");
        check(&urls("memory:"), "nothing to back up");
        for redis in ["redis://me:geheim@h", "rediss-cluster://me:geheim@h"] {
            check(&urls(redis), "redis-cli BGSAVE");
            assert!(!folder_of(&urls(redis)).expect_err("an error").to_string().contains("geheim"));
        }
        let mut mixed = urls("sqlite:/data");
        mixed.runs = Some(url("sqlite:/data"));
        check(&mixed, "/data");
        mixed.sessions = Some(url("redis://me:geheim@h"));
        check(&mixed, "more than one store (sqlite:/data and redis://");
    }
}
