//! The parameters of a request's path and query.

use std::collections::HashMap;

use agent_schemas::UserId;
use agent_services::page::{MAX_PAGE, PageSize};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Caller;
use crate::error::ApiError;

/// An id in the path, or a tuple of several. Ids are opaque: any text is valid.
///
/// Rejected with 400 if an id is not percent-encoded UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T = String>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(PathId(id)),
            Err(_) => {
                Err(ApiError::BadParameter("The id in the path is not percent-encoded UTF-8".to_owned()))
            }
        }
    }
}

/// The query's parameters by name. If one is repeated, the last value counts.
///
/// Rejected with 400 if the query is malformed.
#[derive(Clone, Debug, Default)]
pub struct QueryParams {
    texts: HashMap<String, String>,
    caller: Caller,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(texts)) => Ok(QueryParams { texts, caller: Caller::of(&parts.extensions) }),
            Err(_) => Err(ApiError::BadParameter("The query is malformed".to_owned())),
        }
    }
}

impl QueryParams {
    /// The user of the request: its [principal](super::Principal), else the one that `user_id` names.
    pub fn user(&self) -> Option<UserId> {
        self.caller.user().cloned().or_else(|| self.text("user_id").map(UserId::new))
    }

    /// The same, where there has to be one.
    ///
    /// # Errors
    /// [`ApiError`] if it is missing.
    pub fn required_user(&self) -> Result<UserId, ApiError> {
        self.user().ok_or_else(|| ApiError::BadParameter("The query parameter user_id is missing".to_owned()))
    }

    /// Whether a parameter is present, even without a value.
    pub fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// A parameter that is present and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A numeric parameter, if it is present.
    ///
    /// # Errors
    /// [`ApiError`] if it is not a non-negative integer.
    pub fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.texts.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::BadParameter(format!(
                "The query parameter {name} should be a non-negative integer, not '{text}'"
            ))),
        }
    }

    /// The size of a page; the default if the parameter is absent.
    ///
    /// # Errors
    /// [`ApiError`] if it is out of range.
    pub fn page_size(&self, name: &str) -> Result<PageSize, ApiError> {
        let Some(text) = self.texts.get(name) else { return Ok(PageSize::default()) };
        let size = text.parse().ok().and_then(|items| PageSize::new(items).ok());
        size.ok_or_else(|| {
            ApiError::BadParameter(format!(
                "The query parameter {name} should be 1 to {MAX_PAGE}, not '{text}'"
            ))
        })
    }
}
