//! Extractors: what handlers take from a request, checked, with [`ApiError`](crate::ApiError)s as rejections.

mod body;
mod caller;
mod idempotency;
mod json_request;
mod params;
mod run_request;

pub use self::caller::{Caller, ClientAddress, Principal};
pub use self::idempotency::IDEMPOTENCY_KEY;
pub use self::json_request::JsonRequest;
pub use self::params::{PathId, QueryParams};

pub(crate) use self::body::{parse_object, read_whole, reserve_for_parsing};
pub(crate) use self::idempotency::{idempotency_key, name_session};
pub(crate) use self::run_request::{RunRequest, last_event, position};
