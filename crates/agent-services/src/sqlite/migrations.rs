//! The versions of the schema, and the migrations between them.

use std::path::Path;

use rusqlite::Connection;

use super::failure::Outcome;
use crate::{Error, ErrorKind};

/// The migration from each version to the next. Only add to this list: a released version never changes.
///
/// Memories are found by the words that [`words`](crate::memory::words) returned when they were added, so a change to that
/// function needs a migration that rebuilds the index.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
];

/// Marks a file as ours: "agnt" in ASCII.
const APPLICATION_ID: i64 = 0x6167_6e74;

const OPERATION: &str = "open the database";

/// Migrates a database to the current version.
pub(super) fn migrate(connection: &Connection, version: usize) -> Outcome<()> {
    Ok(apply(connection, MIGRATIONS, version)?)
}

/// Rejects a database that needs a migration to be readable, in addition to what [`check`] rejects.
pub(super) fn check_is_current(connection: &Connection, file: &Path) -> Outcome<()> {
    let version = check(connection, file)?;
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let message = format!(
        "{}: an older version of agent-server wrote this data (schema {version}, this version uses {}); start \
         the server once to migrate the data",
        file.display(),
        MIGRATIONS.len()
    );
    Err(Error::new(ErrorKind::InvalidInput, OPERATION, message).into())
}

/// The version of a database; 0 for a new one. Writes nothing, so that another program's file stays unchanged.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] if it belongs to another program or to a newer version of this one.
pub(super) fn check(connection: &Connection, file: &Path) -> Outcome<usize> {
    let foreign = || {
        let message =
            format!("{} is not a database of agent-server; use another data folder", file.display());
        Error::new(ErrorKind::InvalidInput, OPERATION, message)
    };
    let (application, version, tables) = match identity(connection) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(foreign().with_source(error).into());
        }
        other => other?,
    };
    let is_new = application == 0 && version == 0 && tables == 0;
    if application != APPLICATION_ID && !is_new {
        return Err(foreign().into());
    }
    if version > MIGRATIONS.len() {
        let message = format!(
            "{}: a newer version of agent-server wrote this data (schema {version}, this version supports {}); use \
             that version, or another data folder",
            file.display(),
            MIGRATIONS.len()
        );
        return Err(Error::new(ErrorKind::InvalidInput, OPERATION, message).into());
    }
    Ok(version)
}

fn identity(connection: &Connection) -> rusqlite::Result<(i64, usize, i64)> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((number("PRAGMA application_id")?, version, number("SELECT count(*) FROM sqlite_schema")?))
}

/// Writes the page with the version, which stays the same.
pub(super) fn write_version_again(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", MIGRATIONS.len())
}

/// Applies the migrations after a version, each completely or not at all.
fn apply(connection: &Connection, migrations: &[&str], version: usize) -> rusqlite::Result<()> {
    for (number, migration) in migrations.iter().enumerate().skip(version) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = connection.prepare(sql).expect("SQL");
        let names = statement.query_map([], |row| row.get(0)).expect("tables");
        names.collect::<rusqlite::Result<_>>().expect("names")
    }

    #[test]
    fn migration__applied_once__keeps_data() {
        let connection = Connection::open_in_memory().expect("a database");
        let (one, two) = ("CREATE TABLE a (b) ", "CREATE TABLE c (d); INSERT INTO c SELECT b FROM a");
        apply(&connection, &[one], 0).expect("applied");
        connection.execute_batch("INSERT INTO a VALUES (7)").expect("written");
        for version in [1, 2] {
            apply(&connection, &[one, two], version).expect("applied");
        }
        let kept: i64 = connection.query_row("SELECT d FROM c", [], |row| row.get(0)).expect("one row");
        assert_eq!((kept, identity(&connection).expect("readable").1), (7, 2));
    }

    #[test]
    fn migration__failure__changes_nothing() {
        let connection = Connection::open_in_memory().expect("a database");
        apply(&connection, &["CREATE TABLE a (b)"], 0).expect("applied");
        let bad = ["", "CREATE TABLE c (d); DROP TABLE a; CREATE TABLE c (d)"];
        assert!(apply(&connection, &bad, 1).is_err());
        assert_eq!(tables(&connection), ["a"]);
        assert_eq!(identity(&connection).expect("readable").1, 1);
        assert!(connection.is_autocommit());
    }

    #[test]
    fn migration__old_messages__get_their_place() {
        let connection = Connection::open_in_memory().expect("a database");
        apply(&connection, &MIGRATIONS[..2], 0).expect("applied");
        let old = "INSERT INTO messages (session, position, id, json) \
                   VALUES (2, 0, NULL, '{}'), (1, 1, x'62', '[1]'), (1, 0, x'61', '[0]')";
        connection.execute_batch(old).expect("written");
        apply(&connection, MIGRATIONS, 2).expect("applied");
        let sql = "SELECT place, session, id, json FROM messages ORDER BY place";
        let mut statement = connection.prepare(sql).expect("SQL");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let rows: Vec<(i64, i64, Option<Vec<u8>>, String)> =
            rows.expect("rows").collect::<rusqlite::Result<_>>().expect("rows");
        let message = |session: i64, position: i64, id: Option<&str>, json: &str| {
            let place = (session << 24) + position;
            (place, session, id.map(|id| id.as_bytes().to_vec()), json.to_owned())
        };
        let expected =
            [message(1, 0, Some("a"), "[0]"), message(1, 1, Some("b"), "[1]"), message(2, 0, None, "{}")];
        assert_eq!(rows, expected);
    }

    /// Memories are found by the words that were stored with them: if you change these words, add a migration.
    #[test]
    fn index_words__sample_text__match_stored_words() {
        let text = "Crème BRÛLÉE 2.5 我喜欢咖啡 コーヒー 커피 ＡＢＣ ﬁn Ελλάδα x_y ß ıİ";
        let words: Vec<String> = crate::memory::words::of_text(text).into_keys().collect();
        let expected = "2 5 abc brulee creme fin x y ß ıi ελλαδα コ コー ヒ ヒー ー ーヒ 咖 咖啡 啡 喜 喜欢 我 我喜 欢 欢咖 커 커피 피";
        assert_eq!(words.join(" "), expected);
    }
}
