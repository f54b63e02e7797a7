//! The positions of contents in a growing message.

use std::collections::HashMap;

use crate::content::Content;

/// The positions of a message's contents by index, so that a delta finds its content without a search.
#[derive(Default)]
pub(super) struct Places {
    /// The first content with each index.
    first: HashMap<i64, usize>,
    greatest: Option<i64>,
}

impl Places {
    pub(super) fn of(contents: &[Content]) -> Self {
        let mut places = Places::default();
        for (position, content) in contents.iter().enumerate() {
            if let Some(index) = content.index {
                places.put(index, position);
            }
        }
        places
    }

    /// Records that the content at this position has this index.
    pub(super) fn put(&mut self, index: i64, position: usize) {
        self.first.entry(index).or_insert(position);
        self.greatest = self.greatest.max(Some(index));
    }

    /// The position of the content with this index, or this same position if the content there has no index.
    pub(super) fn find(&self, contents: &[Content], index: i64) -> Option<usize> {
        let own = self.first.get(&index).copied();
        own.or_else(|| {
            let position = usize::try_from(index).ok()?;
            contents.get(position).filter(|content| content.index.is_none()).map(|_| position)
        })
    }

    /// An index greater than those of all contents.
    pub(super) fn next_index(&self, contents: &[Content]) -> i64 {
        let count = i64::try_from(contents.len()).unwrap_or(i64::MAX);
        self.greatest.map_or(count, |greatest| greatest.saturating_add(1).max(count))
    }
}
