//! Files that the configuration names.

use std::io;
use std::path::{Path, PathBuf};

use agent_schemas::{JsonObject, object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::media_type;
use crate::rpc::RpcError;

/// The maximum size of a file, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A file that was read.
pub(crate) struct File {
    bytes: Vec<u8>,
    media_type: String,
}

impl File {
    /// Reads a file.
    pub(crate) async fn read(path: &Path, media_type: Option<&str>) -> Result<Self, RpcError> {
        let file = path.to_owned();
        let bytes = tokio::task::spawn_blocking(move || read(file)).await.map_err(io::Error::other).flatten();
        let bytes = bytes.map_err(|error| {
            tracing::error!(file = %path.display(), error = %error, "could not read a file that the configuration names");
            RpcError::internal("A file of the server could not be read; its log says why")
        })?;
        let known = media_type.or_else(|| media_type::of_file(path)).map(str::to_owned);
        let media_type = known.unwrap_or_else(|| {
            let is_text = std::str::from_utf8(&bytes).is_ok();
            if is_text { "text/plain" } else { "application/octet-stream" }.to_owned()
        });
        Ok(File { bytes, media_type })
    }

    pub(crate) fn media_type(&self) -> &str {
        &self.media_type
    }

    pub(crate) fn as_base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// As the contents of a resource.
    pub(crate) fn into_contents(self, uri: &str) -> JsonObject {
        let mut contents = object! { "uri" => uri, "mimeType" => self.media_type.as_str() };
        let text = std::str::from_utf8(&self.bytes).ok().filter(|_| media_type::is_text(&self.media_type));
        match text {
            Some(text) => contents.insert("text".to_owned(), text.into()),
            None => contents.insert("blob".to_owned(), self.as_base64().into()),
        };
        contents
    }
}

fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    let bytes = std::fs::metadata(&path)?.len();
    if bytes > MAX_BYTES {
        return Err(io::Error::other(format!("it has {bytes} bytes, and the limit is {MAX_BYTES}")));
    }
    std::fs::read(path)
}
