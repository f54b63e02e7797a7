//! Tests the query plans: no statement scans a whole table, however large it is.

use rusqlite::Connection;

use super::statement::Sql;
use super::{memories, migrations, open, runs, sessions, states, users};

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    migrations::migrate(&connection, 0).expect("migrated");
    connection
}

/// SQLite's plan for a statement, step by step.
fn plan(connection: &Connection, sql: Sql) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text()))?;
    let unbound = vec![rusqlite::types::Null; statement.parameter_count()];
    statement.query_map(rusqlite::params_from_iter(unbound), |row| row.get(3))?.collect()
}

/// The step whose time would grow with the size of the database.
fn slow_step(plan: &[String]) -> Option<&String> {
    plan.iter().find(|step| step.starts_with("SCAN") || step.contains("TEMP B-TREE"))
}

#[test]
fn plans__every_statement__neither_scans_nor_sorts() {
    let modules = [
        users::STATEMENTS,
        open::STATEMENTS,
        runs::CREATE,
        runs::ENTRIES,
        runs::HEAD,
        runs::LOG,
        runs::ENDING,
        runs::TURNS,
        runs::STEERED,
        runs::STEPS,
        runs::OWNERS,
        runs::READ,
        runs::ENDED,
        runs::REQUEST,
        runs::RETENTION,
        sessions::READ,
        sessions::ANONYMOUS,
        sessions::SWEEP,
        sessions::APPEND,
        sessions::CHANGE,
        states::STATEMENTS,
        memories::READ,
        memories::CHANGE,
        memories::POSTINGS,
    ];
    let connection = database();
    for sql in modules.concat() {
        let plan = plan(&connection, sql).expect("a plan");
        assert_eq!(slow_step(&plan), None, "{}", sql.text());
        // Only an insertion has no search step.
        assert!(!plan.is_empty() || sql.text().starts_with("INSERT"), "{}", sql.text());
    }
}

#[test]
fn plans__scanning_statement__is_detected() {
    let connection = database();
    for text in [
        "SELECT json FROM messages WHERE json = ?1",
        "DELETE FROM states WHERE session = ?1",
        "SELECT number FROM memories WHERE user = ?1 ORDER BY length",
    ] {
        let plan = plan(&connection, Sql::new(text)).expect("a plan");
        assert!(slow_step(&plan).is_some(), "{text}: {plan:?}");
    }
}
