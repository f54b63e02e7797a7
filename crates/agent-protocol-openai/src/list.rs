//! Lists in OpenAI's format: a page, its first and last id, and whether there is more.

use agent_schemas::Json;
use serde::Serialize;

use agent_server::protocol::ApiError;
use agent_server::protocol::ErrorInfo;
use agent_server::protocol::QueryParams;

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

/// The requested page.
#[derive(Clone, Debug)]
pub(super) struct PageOf {
    limit: usize,
    after: Option<String>,
    is_descending: bool,
}

impl PageOf {
    pub(super) fn read(query: &QueryParams) -> Result<Self, ApiError> {
        let limit = match query.number("limit")? {
            None => DEFAULT_LIMIT,
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => {
                usize::try_from(limit).unwrap_or(DEFAULT_LIMIT)
            }
            Some(_) => return Err(fault("limit", &format!("expected 1 to {MAX_LIMIT}"))),
        };
        let is_descending = match query.text("order") {
            None if !query.has("order") => true,
            Some("desc") => true,
            Some("asc") => false,
            _ => return Err(fault("order", "expected 'asc' or 'desc'")),
        };
        Ok(PageOf { limit, after: query.text("after").map(str::to_owned), is_descending })
    }

    /// Whether the newest objects come first.
    pub(super) fn is_descending(&self) -> bool {
        self.is_descending
    }

    /// The page of these objects, given in ascending order.
    pub(super) fn of(&self, all: Vec<Json>) -> Result<List, ApiError> {
        let mut gathered = Gathered::new(self);
        let mut all = all.into_iter();
        while let Some(item) = if self.is_descending { all.next_back() } else { all.next() } {
            if gathered.take(item) {
                break;
            }
        }
        gathered.finish()
    }
}

/// A page that is being filled.
pub(super) struct Gathered<'a> {
    page: &'a PageOf,
    data: Vec<Json>,
    has_begun: bool,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(page: &'a PageOf) -> Self {
        Gathered { page, data: Vec::new(), has_begun: page.after.is_none() }
    }

    /// Handles the next object, in the order of the page; returns whether the page is complete.
    pub(super) fn take(&mut self, item: Json) -> bool {
        if self.has_begun {
            self.data.push(item);
        } else {
            self.has_begun = id_of(&item) == self.page.after.as_deref();
        }
        self.data.len() > self.page.limit
    }

    pub(super) fn finish(mut self) -> Result<List, ApiError> {
        if let (false, Some(after)) = (self.has_begun, &self.page.after) {
            return Err(fault("after", &format!("there is no item '{after}' in this list")));
        }
        let has_more = self.data.len() > self.page.limit;
        self.data.truncate(self.page.limit);
        Ok(List::of(self.data, has_more))
    }
}

impl List {
    pub(super) fn of(data: Vec<Json>, has_more: bool) -> Self {
        let id = |item: Option<&Json>| item.and_then(id_of).map(str::to_owned);
        List { object: "list", first_id: id(data.first()), last_id: id(data.last()), has_more, data }
    }
}

pub(super) fn id_of(item: &Json) -> Option<&str> {
    item.get("id")?.as_str()
}

fn fault(parameter: &str, message: &str) -> ApiError {
    ErrorInfo::at_parameter(parameter, message).into()
}
