//! Lists as OpenAI has them: a page, its first and last id, and whether there is more.

use agent_schemas::Json;
use serde::Serialize;

use crate::error::ApiError;
use crate::protocol::Failure;
use crate::query::Given;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: u64 = 100;

/// A page.
#[derive(Debug, Serialize)]
pub(super) struct List {
    object: &'static str,
    data: Vec<Json>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

/// Which page is asked for.
#[derive(Clone, Debug)]
pub(super) struct PageOf {
    limit: usize,
    after: Option<String>,
    is_descending: bool,
}

impl PageOf {
    pub(super) fn read(query: &Given) -> Result<Self, ApiError> {
        let limit = match query.number("limit")? {
            None => DEFAULT_LIMIT,
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => {
                usize::try_from(limit).unwrap_or(DEFAULT_LIMIT)
            }
            Some(_) => return Err(fault("limit", &format!("expected 1 to {MAX_LIMIT}"))),
        };
        let is_descending = match query.text("order") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(fault("order", "expected 'asc' or 'desc'")),
        };
        Ok(PageOf { limit, after: query.text("after").map(str::to_owned), is_descending })
    }

    /// The page of these objects, which stand in ascending order.
    pub(super) fn of(&self, mut all: Vec<Json>) -> Result<List, ApiError> {
        if self.is_descending {
            all.reverse();
        }
        if let Some(after) = &self.after {
            let position = all.iter().position(|item| id_of(item) == Some(after));
            let position =
                position.ok_or_else(|| fault("after", &format!("there is no item '{after}' here")))?;
            all.drain(..=position);
        }
        let has_more = all.len() > self.limit;
        all.truncate(self.limit);
        let id = |item: Option<&Json>| item.and_then(id_of).map(str::to_owned);
        Ok(List { object: "list", first_id: id(all.first()), last_id: id(all.last()), has_more, data: all })
    }
}

fn id_of(item: &Json) -> Option<&str> {
    item.get("id")?.as_str()
}

fn fault(parameter: &str, message: &str) -> ApiError {
    Failure::of_parameter(parameter, message).into()
}
