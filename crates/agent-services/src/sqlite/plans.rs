//! How the statements are executed: none looks through a whole table, however large it is.

use rusqlite::Connection;

use super::statement::Sql;
use super::{memories, migrations, open, sessions, states, users};

/// What SQLite would do for a statement, step by step.
fn plan(connection: &Connection, sql: Sql) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text())).expect(sql.text());
    let unbound = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(unbound), |row| row.get(3));
    steps.expect(sql.text()).collect::<rusqlite::Result<_>>().expect(sql.text())
}

#[test]
fn no_statement_scans_or_sorts() {
    let connection = Connection::open_in_memory().expect("a database");
    migrations::migrate(&connection, 0).expect("migrated");
    let modules = [
        users::STATEMENTS,
        open::STATEMENTS,
        sessions::READ,
        sessions::APPEND,
        sessions::CHANGE,
        states::STATEMENTS,
        memories::READ,
        memories::CHANGE,
        memories::POSTINGS,
    ];
    for sql in modules.concat() {
        let plan = plan(&connection, sql);
        let slow = |step: &&String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
        assert_eq!(plan.iter().find(slow), None, "{}: {plan:?}", sql.text());
        // Only an insertion needs to look for nothing.
        assert!(!plan.is_empty() || sql.text().starts_with("INSERT"), "{}", sql.text());
    }
}
