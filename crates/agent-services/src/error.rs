//! The one error of all services.

use std::error::Error as StdError;
use std::fmt;

/// The result of a service call.
pub type Result<T> = std::result::Result<T, Error>;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The item to be changed does not exist: create it, or give up.
    NotFound,
    /// The item already exists: use it, or choose another id.
    AlreadyExists,
    /// Another caller has changed the item or owns it now: stop writing.
    Conflict,
    /// The run was asked to stop, and the caller does not know it: end the run as canceled.
    Canceled,
    /// The backend is unavailable: try again.
    Unavailable,
    /// The backend has no room: delete something, or give it more.
    Full,
    /// The arguments are invalid: correct the call.
    InvalidInput,
    /// The backend does not support this: use another one.
    Unsupported,
    /// Anything else: report it.
    Unexpected,
}

/// Why a backend that answers rejects writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteFault {
    /// It has no room left.
    Full,
    /// It is read-only for now.
    ReadOnly,
}

/// Why a service could not execute a call.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    write_fault: Option<WriteFault>,
    operation: &'static str,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of an operation. The message says what went wrong and with what.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Error { kind, write_fault: None, operation, message: message.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error, from a backend that rejects writes.
    #[must_use]
    pub fn with_write_fault(mut self, fault: impl Into<Option<WriteFault>>) -> Self {
        self.write_fault = fault.into();
        self
    }

    /// Why the backend rejects writes, if that is the reason.
    pub fn write_fault(&self) -> Option<WriteFault> {
        self.write_fault
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
