//! The tokens of a person's login, in a file that only its owner can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rmcp::transport::auth::{AuthError, CredentialRefreshGuard, CredentialStore, StoredCredentials};

/// A file with tokens. Processes that share it renew them one at a time.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    file: PathBuf,
}

impl Tokens {
    pub(super) fn new(file: PathBuf) -> Self {
        Tokens { file }
    }

    fn beside(&self, extension: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(extension);
        name.into()
    }
}

fn failed(error: io::Error) -> AuthError {
    AuthError::CredentialStoreError(error.to_string())
}

/// Does something with files elsewhere, so that no task waits for them.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AuthError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten().map_err(failed)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn create_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

#[async_trait]
impl CredentialStore for Tokens {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        let file = self.file.clone();
        apart(move || match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let (file, new) = (self.file.clone(), self.beside(".new"));
        apart(move || {
            create_folder(&file)?;
            let mut written = private().truncate(true).open(&new)?;
            written.write_all(&serde_json::to_vec(&credentials)?)?;
            written.sync_all()?;
            std::fs::rename(&new, &file)
        })
        .await
    }

    async fn clear(&self) -> Result<(), AuthError> {
        let file = self.file.clone();
        apart(move || match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Of several processes, one renews the tokens, and the others find the new ones.
    async fn acquire_refresh_guard(&self) -> Result<Option<CredentialRefreshGuard>, AuthError> {
        let (file, lock) = (self.file.clone(), self.beside(".lock"));
        let locked: File = apart(move || {
            create_folder(&file)?;
            let lock = private().open(&lock)?;
            lock.lock()?;
            Ok(lock)
        })
        .await?;
        Ok(Some(CredentialRefreshGuard::new(locked)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn tokens__saved__are_there_for_their_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = Tokens::new(folder.path().join("logins/a.json"));
        assert!(tokens.load().await.expect("readable").is_none());
        for id in ["one", "two"] {
            let credentials = StoredCredentials::new(id.to_owned(), None, vec!["read".to_owned()], None);
            tokens.save(credentials).await.expect("saved");
            assert_eq!(tokens.load().await.expect("readable").expect("there").client_id, id);
        }
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&tokens.file), mode(tokens.file.parent().expect("a folder"))), (0o600, 0o700));
        tokens.clear().await.expect("cleared");
        assert!(tokens.load().await.expect("readable").is_none());
    }

    #[tokio::test]
    async fn tokens__renewed_by_two__one_waits_for_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = Tokens::new(folder.path().join("a.json"));
        let first = tokens.acquire_refresh_guard().await.expect("locked");
        let mut second = Box::pin(tokens.acquire_refresh_guard());
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        second.await.expect("locked");
    }
}
