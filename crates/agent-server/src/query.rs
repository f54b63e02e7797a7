//! The parameters of a request's query and path.

use std::collections::HashMap;

use agent_schemas::UserId;
use agent_services::page::{MAX_PAGE, PageSize};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};

use crate::error::ApiError;

pub(crate) type IdInPath = Result<Path<String>, PathRejection>;
pub(crate) type Parameters = Result<Query<HashMap<String, String>>, QueryRejection>;

/// The query's parameters by name.
pub(crate) struct Given(HashMap<String, String>);

impl Given {
    pub(crate) fn new(query: Parameters) -> Result<Self, ApiError> {
        match query {
            Ok(Query(parameters)) => Ok(Given(parameters)),
            Err(_) => Err(ApiError::BadParameter("the query is not well-formed".to_owned())),
        }
    }

    pub(crate) fn user(&self) -> Option<UserId> {
        self.0.get("user_id").filter(|id| !id.is_empty()).map(|id| UserId::new(id.as_str()))
    }

    pub(crate) fn needed_user(&self) -> Result<UserId, ApiError> {
        self.user().ok_or_else(|| ApiError::BadParameter("user_id is missing".to_owned()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::BadParameter(format!("{name} is a number from 0 on, not '{text}'"))),
        }
    }

    pub(crate) fn size(&self, name: &str) -> Result<PageSize, ApiError> {
        let Some(text) = self.0.get(name) else { return Ok(PageSize::default()) };
        let size = text.parse().ok().and_then(|items| PageSize::new(items).ok());
        size.ok_or_else(|| ApiError::BadParameter(format!("{name} is 1 to {MAX_PAGE}, not '{text}'")))
    }
}
