//! `agent-server sessions`: lists, shows, deletes, exports and imports sessions.

mod lines;
#[cfg(feature = "client")]
mod server;

use std::process::ExitCode;
use std::sync::Arc;

use crate::config::{Config, Environment};
use agent_runner::{Deleted, Services, delete_session};
use agent_schemas::api::sessions::{MessageAppend, SessionChange};
use agent_schemas::{JsonObject, Message, SessionId, UserId};
use agent_services::page::PageSize;
use agent_services::session::{self as store, SessionInfo, SessionStore, StoredMessage};
use anyhow::{Context, bail};

use crate::cli::{SessionName, SessionsCommand, SessionsOptions, print, shown};

/// Executes the command on a separate runtime.
pub(crate) fn run(options: &SessionsOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let config = options.data.load(environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(&options.command, &config, environment))?;
    Ok(ExitCode::SUCCESS)
}

async fn dispatch(
    command: &SessionsCommand,
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<()> {
    match command {
        SessionsCommand::List { user_id } => {
            with_store(config, environment, true, async |sessions| list(sessions, user_id).await).await
        }
        SessionsCommand::Show(name) => {
            with_store(config, environment, true, async |sessions| show(sessions, name).await).await
        }
        SessionsCommand::Export { user_id, id } => {
            with_store(config, environment, true, async |sessions| {
                export(sessions, user_id, id.as_deref()).await
            })
            .await
        }
        #[cfg(feature = "client")]
        SessionsCommand::Delete { name, server: Some(address) } => {
            let (user, id) = ids(name);
            let server = server::Server::new(address, environment.get("AGENT_SERVER_TOKEN"))?;
            if server.delete(&user, &id).await? { Ok(()) } else { bail!("there is no session '{id}'") }
        }
        SessionsCommand::Delete { name, .. } => {
            with_services(config, environment, async |services| delete(config, services, name).await).await
        }
        #[cfg(feature = "client")]
        SessionsCommand::Import { server: Some(address) } => {
            let server = server::Server::new(address, environment.get("AGENT_SERVER_TOKEN"))?;
            let done =
                lines::read(async |user, id, append, change| server.import(user, id, append, change).await);
            report(done.await?)
        }
        SessionsCommand::Import { .. } => {
            with_store(config, environment, false, async |sessions| {
                let done = lines::read(async |user, id, append, change| {
                    import(sessions, user, id, append, change).await
                });
                report(done.await?)
            })
            .await
        }
    }
}

/// Starts all stores, uses them, and stops them.
pub(crate) async fn with_services(
    config: &Config,
    environment: &Environment,
    work: impl AsyncFnOnce(&Services) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let services = config.build_services(environment)?;
    services.start().await.with_context(|| format!("could not open the data{HINT}"))?;
    let worked = work(&services).await;
    services.stop().await?;
    worked
}

/// Advice for when the data is in use.
const HINT: &str = "; if a server is using it, give the server's address with --server";

/// Starts the session store, uses it, and stops it.
async fn with_store(
    config: &Config,
    environment: &Environment,
    only_reads: bool,
    work: impl AsyncFnOnce(&dyn SessionStore) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let services = if only_reads {
        config.build_services_to_read(environment)?
    } else {
        config.build_services(environment)?
    };
    let sessions: Arc<dyn SessionStore> = services.sessions;
    let hint = if only_reads { "" } else { HINT };
    sessions.start().await.with_context(|| format!("could not open the sessions{hint}"))?;
    let worked = work(&*sessions).await;
    sessions.stop().await?;
    worked
}

fn ids(name: &SessionName) -> (UserId, SessionId) {
    let user = name.user_id.as_deref().unwrap_or(&name.id);
    (UserId::new(user), SessionId::new(name.id.as_str()))
}

async fn list(sessions: &dyn SessionStore, user: &str) -> anyhow::Result<()> {
    for info in all_sessions(sessions, user).await? {
        let SessionInfo { id, message_count, title, .. } = info;
        let title = title.map(|title| format!("\t{}", shown(&title))).unwrap_or_default();
        print(&format!("{}\t{message_count} messages{title}\n", shown(id.as_str())))?;
    }
    Ok(())
}

async fn all_sessions(sessions: &dyn SessionStore, user: &str) -> anyhow::Result<Vec<SessionInfo>> {
    let user = UserId::new(user);
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = sessions.list(&user, after, PageSize::default()).await?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Calls `each` with every message of a session.
async fn each_message(
    sessions: &dyn SessionStore,
    user: &UserId,
    id: &SessionId,
    mut each: impl FnMut(&Message) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut from = 0;
    loop {
        let Some(page) = sessions.messages(user, id, from, PageSize::default()).await? else {
            bail!("there is no session '{id}' of this user");
        };
        for StoredMessage { position, message } in &page {
            each(message)?;
            from = position + 1;
        }
        if page.is_empty() {
            return Ok(());
        }
    }
}

async fn show(sessions: &dyn SessionStore, name: &SessionName) -> anyhow::Result<()> {
    let (user, id) = ids(name);
    each_message(sessions, &user, &id, |message| {
        let role = message.role.map_or("-", |role| role.as_str());
        let text = match (message.full_text(), &message.message) {
            (text, _) if !text.is_empty() => text,
            (_, Some(fault)) => fault.clone(),
            _ => format!("({})", message.kind),
        };
        print(&format!("{role}: {}\n", shown(&text)))
    })
    .await
}

async fn delete(config: &Config, services: &Services, name: &SessionName) -> anyhow::Result<()> {
    let (user, id) = ids(name);
    let deleted = delete_session(services, &user, &id, config.runs.limits().cancel_grace).await?;
    if deleted != Deleted::default() { Ok(()) } else { bail!("there is no session '{id}' of this user") }
}

async fn export(sessions: &dyn SessionStore, user: &str, only: Option<&str>) -> anyhow::Result<()> {
    let mut found = all_sessions(sessions, user).await?;
    found.retain(|info| only.is_none_or(|only| info.id.as_str() == only));
    if let (Some(only), true) = (only, found.is_empty()) {
        bail!("there is no session '{only}' of this user");
    }
    // Oldest first, the order in which an import creates them.
    for info in found.into_iter().rev() {
        print(&lines::of_session(&info)?)?;
        each_message(sessions, &info.user_id, &info.id, |message| print(&lines::of_message(message)?))
            .await?;
    }
    Ok(())
}

async fn import(
    sessions: &dyn SessionStore,
    user: &str,
    id: &str,
    append: MessageAppend,
    change: Option<SessionChange>,
) -> anyhow::Result<u64> {
    let (user, id) = (UserId::new(user), SessionId::new(id));
    let maybe_known = append.messages.len();
    let batch =
        store::MessageBatch { key: append.key, maybe_known, ..store::MessageBatch::of(&append.messages)? };
    let appended = sessions.append(&user, &id, batch).await?;
    if let Some(SessionChange { title, metadata }) = change {
        let change = store::SessionChange { title: title.map(Some), metadata };
        sessions.change(&user, &id, change).await?;
    }
    Ok(appended.count)
}

fn report(messages: u64) -> anyhow::Result<()> {
    print(&format!("added {messages} messages\n"))
}

/// Title and metadata of an imported session, if it has any.
fn change_of(title: Option<String>, metadata: JsonObject) -> Option<SessionChange> {
    let metadata = Some(metadata).filter(|metadata| !metadata.is_empty());
    (title.is_some() || metadata.is_some()).then_some(SessionChange { title, metadata })
}
