//! The version of the layout, and whether this program may use the data.

mod migration;

use super::client::{RedisClient, Repeat};
use super::failure;
use super::keys::LAYOUT;
use super::script::script;
use crate::{Error, ErrorKind, Result};

script!(NOTE, "layout/note.lua");

/// What has to be done before the data can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Nothing.
    Current,
    /// Migrate it from the layout before this one, or resume the migration.
    Old,
}

impl RedisClient {
    /// Makes sure that the data has the layout of this program, and migrates it from the layout before.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if a newer version has written it, [`ErrorKind::Conflict`] if a server of the old
    /// layout is still using it.
    ///
    /// # Cancellation
    /// Dropping the future interrupts a migration. The next call resumes it.
    pub(super) async fn open_layout(&self, operation: &'static str) -> Result<()> {
        match self.layout(operation).await? {
            Layout::Current => Ok(()),
            Layout::Old if self.is_read_only() => {
                let message = "the data in Redis was written by an older version of agent-server; start the server once \
                               to migrate the data";
                Err(Error::new(ErrorKind::InvalidInput, operation, message))
            }
            Layout::Old => self.migrate(operation).await,
        }
    }

    /// The layout of the data. If there is none yet, sets it to this program's.
    async fn layout(&self, operation: &'static str) -> Result<Layout> {
        let call = NOTE.with_keys([self.keys().layout()]).arg(LAYOUT);
        let found: String = self.ask(operation, call, Repeat::Safe).await?;
        match found.parse::<u64>() {
            Ok(LAYOUT) => {
                let mut exists = ::redis::cmd("EXISTS");
                exists.arg(self.keys().migration());
                let is_halfway: bool = self.ask(operation, exists, Repeat::Safe).await?;
                Ok(if is_halfway { Layout::Old } else { Layout::Current })
            }
            Ok(migration::FROM) => Ok(Layout::Old),
            Ok(found) => {
                let message = format!(
                    "the data in Redis has layout {found}, but this version supports layout {LAYOUT}; use the newest \
                     version of agent-server, or another prefix"
                );
                Err(Error::new(ErrorKind::Unexpected, operation, message))
            }
            Err(_) => Err(failure::foreign(operation)),
        }
    }
}
