//! Pages of lists.

use crate::{Error, ErrorKind, Result};

/// The most items that one page may hold.
pub const MAX_PAGE: usize = 1000;

/// How many items a page is to hold, 1 to [`MAX_PAGE`].
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

/// Where the next page of a list begins. It stays valid while others write: no item comes twice, and none that was
/// there from the first page on is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken(pub u64);

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// The page that one more item than its size was fetched for: the last item only tells that there is more.
    /// `position` is an item's place in the list.
    pub fn from_one_more(mut items: Vec<T>, size: PageSize, position: impl Fn(&T) -> u64) -> Self {
        let has_more = items.len() > size.get();
        items.truncate(size.get());
        let next = if has_more { items.last().map(|last| PageToken(position(last))) } else { None };
        Page { items, next }
    }
}
