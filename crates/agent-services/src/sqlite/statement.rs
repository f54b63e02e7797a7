//! SQL statements: each is a constant, prepared once per connection.

use rusqlite::{Connection, Params, Row};

use super::failure::Outcome;

/// A statement. `statements!` creates all of them as constants, so that a test can check how each
/// is executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql(&'static str);

/// Names the statements of a module, and lists them for the test of their query plans.
macro_rules! statements {
    ($($name:ident: $sql:expr;)*) => {
        $(const $name: $crate::sqlite::statement::Sql = $crate::sqlite::statement::Sql::new($sql);)*

        /// All statements of this module.
        #[cfg(test)]
        pub(in crate::sqlite) const STATEMENTS: &[$crate::sqlite::statement::Sql] = &[$($name),*];
    };
}

pub(super) use statements;

impl Sql {
    pub(super) const fn new(text: &'static str) -> Self {
        Sql(text)
    }

    /// Its text.
    #[cfg(test)]
    pub(super) fn text(self) -> &'static str {
        self.0
    }

    /// Runs a statement that returns no rows; returns how many rows it changed.
    pub(super) fn execute(self, connection: &Connection, params: impl Params) -> rusqlite::Result<usize> {
        connection.prepare_cached(self.0)?.execute(params)
    }

    /// Whether there is a row.
    pub(super) fn exists(self, connection: &Connection, params: impl Params) -> rusqlite::Result<bool> {
        connection.prepare_cached(self.0)?.exists(params)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        self,
        connection: &Connection,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        let mut statement = connection.prepare_cached(self.0)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// All rows.
    pub(super) fn all<T>(
        self,
        connection: &Connection,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        self.each_while(connection, params, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// Calls a function with each row.
    pub(super) fn each(
        self,
        connection: &Connection,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        self.each_while(connection, params, |row| {
            read(row)?;
            Ok(true)
        })
    }

    /// Calls a function with each row until it returns that it has enough.
    pub(super) fn each_while(
        self,
        connection: &Connection,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Outcome<bool>,
    ) -> Outcome<()> {
        let mut statement = connection.prepare_cached(self.0)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if !read(row)? {
                break;
            }
        }
        Ok(())
    }
}

/// A number for a column. SQLite's integers are signed; no count reaches the bound.
pub(super) fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
