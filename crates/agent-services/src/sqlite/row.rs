//! Reads texts from rows.

use rusqlite::Row;

use super::failure::{Failure, Outcome};

/// A text column, without a copy.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Outcome<&'a str> {
    row.get_ref(column)?
        .as_str()
        .map_err(|error| Failure::Damaged(format!("could not read a stored text ({error})")))
}

/// A text column of either type. Bytes that are not UTF-8 are replaced.
pub(super) fn lossy(row: &Row<'_>, column: usize) -> Outcome<String> {
    let bytes = row.get_ref(column)?.as_bytes().map_err(rusqlite::Error::from)?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// A text that is stored as bytes.
pub(super) fn utf8(bytes: Vec<u8>) -> Outcome<String> {
    String::from_utf8(bytes)
        .map_err(|error| Failure::Damaged(format!("could not read a stored text ({error})")))
}
