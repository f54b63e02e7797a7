//! Pages of lists.

use crate::{Error, ErrorKind, Result};

/// The maximum number of items on a page.
pub const MAX_PAGE: usize = 1000;

/// The number of items on a page, 1 to [`MAX_PAGE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// A page of this many items.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if it is 0 or more than [`MAX_PAGE`].
    pub fn new(items: usize) -> Result<Self> {
        if (1..=MAX_PAGE).contains(&items) {
            return Ok(PageSize(items));
        }
        let message = format!("a page should have 1 to {MAX_PAGE} items, not {items}");
        Err(Error::new(ErrorKind::InvalidInput, "read a page", message))
    }

    /// The number of items.
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    /// 100 items.
    fn default() -> Self {
        PageSize(100)
    }
}

/// Where the next page of a list begins. It stays valid while others write: no item appears twice, and no item that
/// existed at the first page is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken(pub u64);

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// Builds a page from a fetch of one more item than the page's size; the extra item only shows that there is more.
    /// `position` is an item's place in the list.
    pub fn from_one_more(mut items: Vec<T>, size: PageSize, position: impl Fn(&T) -> u64) -> Self {
        let has_more = items.len() > size.get();
        items.truncate(size.get());
        let next = if has_more { items.last().map(|last| PageToken(position(last))) } else { None };
        Page { items, next }
    }
}
