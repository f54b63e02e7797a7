//! The file that keeps a login.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rmcp::transport::auth::{AuthError, CredentialRefreshGuard, CredentialStore, StoredCredentials};
use serde::{Deserialize, Serialize};

/// A login at one address. Servers may share the file: who changes it holds [`LoginFile::lock`].
#[derive(Clone, Debug)]
pub(in crate::mcp) struct LoginFile {
    path: PathBuf,
    url: String,
}

/// What the file has.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::mcp) struct Login {
    /// The server's address, which `write` sets. A token is never sent to another one.
    pub(in crate::mcp) url: String,
    /// The secret that came with the id, if the client was registered with one.
    pub(in crate::mcp) client_secret: Option<String>,
    /// The scopes that the server has asked for since.
    pub(in crate::mcp) missing_scopes: Vec<String>,
    pub(in crate::mcp) credentials: Option<StoredCredentials>,
}

impl LoginFile {
    pub(in crate::mcp) fn new(path: PathBuf, url: String) -> Self {
        LoginFile { path, url }
    }

    /// The login; `None` if nobody has logged in at this address.
    pub(in crate::mcp) async fn read(&self) -> Result<Option<Login>, AuthError> {
        let text = match self.blocking(|path| fs::read(path)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| self.failure("could not be read", &error))?,
        };
        let login: Login =
            serde_json::from_slice(&text).map_err(|error| self.failure("is damaged", &error.into()))?;
        Ok((login.url == self.url).then_some(login))
    }

    /// Replaces the login. The caller holds the lock.
    pub(in crate::mcp) async fn write(&self, login: Login) -> Result<(), AuthError> {
        let login = Login { url: self.url.clone(), ..login };
        let text = serde_json::to_vec_pretty(&login).unwrap_or_default();
        let written = self.blocking(move |path| replace(path, &text)).await;
        written.map_err(|error| self.failure("could not be written", &error))
    }

    /// Keeps other processes from changing the file as long as the lock is held.
    pub(in crate::mcp) async fn lock(&self) -> Result<File, AuthError> {
        let locked = self.blocking(|path| {
            create_folder(path)?;
            let file = private().create(true).truncate(false).open(beside(path, "lock"))?;
            file.lock()?;
            Ok(file)
        });
        locked.await.map_err(|error| self.failure("could not be locked", &error))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || work(&path)).await.map_err(io::Error::other)?
    }

    fn failure(&self, what: &str, error: &io::Error) -> AuthError {
        AuthError::CredentialStoreError(format!("the login in {} {what}: {error}", self.path.display()))
    }
}

#[async_trait]
impl CredentialStore for LoginFile {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.read().await?.and_then(|login| login.credentials))
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let login = self.read().await?.unwrap_or_default();
        self.write(Login { credentials: Some(credentials), ..login }).await
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.write(Login::default()).await
    }

    async fn acquire_refresh_guard(&self) -> Result<Option<CredentialRefreshGuard>, AuthError> {
        Ok(Some(CredentialRefreshGuard::new(self.lock().await?)))
    }
}

/// Options to write a file that only its owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn create_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a new file and lets it take the place of the other one, so that there is a whole one at any time.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    create_folder(path)?;
    let new = beside(path, "new");
    // One that was left there may be readable by others.
    let _ = fs::remove_file(&new);
    let mut file = private().create_new(true).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn login(client: &str) -> Login {
        let credentials = StoredCredentials::new(client.to_owned(), None, Vec::new(), None);
        Login { credentials: Some(credentials), ..Login::default() }
    }

    #[tokio::test]
    async fn login__written__is_readable_by_its_owner_and_for_its_address_only() {
        let folder = std::env::temp_dir().join(format!("login-{}", std::process::id()));
        let path = folder.join("logins/a.json");
        let file = LoginFile::new(path.clone(), "http://a".to_owned());
        assert!(file.read().await.expect("readable").is_none());
        let lock = file.lock().await.expect("locked");
        file.write(login("one")).await.expect("written");
        file.save(login("two").credentials.expect("some")).await.expect("written");
        drop(lock);
        let found = file.load().await.expect("readable").expect("a login");
        assert_eq!(found.client_id, "two");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let other = LoginFile::new(path.clone(), "http://b".to_owned());
        assert!(other.load().await.expect("readable").is_none());
        fs::write(&path, "{").expect("written");
        let error = file.read().await.err().expect("damaged").to_string();
        assert!(error.contains("is damaged"), "{error}");
        fs::remove_dir_all(folder).expect("removed");
    }
}
