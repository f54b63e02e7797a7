//! What the project promises at the pace of models.

use std::time::Duration;

use super::row::Row;
use super::subject::Subject;
use crate::store::Store;

/// A figure that must not be greater.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) name: &'static str,
    pub(super) limit: f64,
    unit: &'static str,
    /// The row that it is about: the number of streams, and the milliseconds from word to word.
    row: (usize, u64),
    figure: Figure,
}

#[derive(Clone, Copy, Debug)]
enum Figure {
    /// The CPU time of a word, as a ratio to that of another server.
    Cpu(Subject, Subject),
    LateP99(Subject),
    Memory(Subject),
}

const MEMORY: Subject = Subject::Echo(Store::Memory);
const RELAXED: Subject = Subject::Echo(Store::SqliteRelaxed);
const STRICT: Subject = Subject::Echo(Store::Sqlite);

pub(super) const BUDGETS: [Budget; 12] = [
    to_floor("100 streams, in memory", 1.4, 100, MEMORY),
    to_floor("100 streams, SQLite, relaxed", 1.7, 100, RELAXED),
    to_floor("100 streams, SQLite, strict", 2.2, 100, STRICT),
    to_floor("1,000 streams, in memory", 1.6, 1000, MEMORY),
    to_floor("1,000 streams, SQLite, relaxed", 1.8, 1000, RELAXED),
    to_floor("1,000 streams, SQLite, strict", 2.0, 1000, STRICT),
    to_process("Responses to `/process`, in memory", Subject::Responses(Store::Memory), MEMORY),
    to_process("Responses to `/process`, SQLite, strict", Subject::Responses(Store::Sqlite), STRICT),
    to_process("Chat Completions to `/process`, in memory", Subject::ChatCompletions(Store::Memory), MEMORY),
    to_process(
        "Chat Completions to `/process`, SQLite, strict",
        Subject::ChatCompletions(Store::Sqlite),
        STRICT,
    ),
    Budget {
        name: "a word's delay, p99, 1,000 streams, SQLite, strict",
        limit: 10.0,
        unit: " ms",
        row: (1000, 50),
        figure: Figure::LateP99(STRICT),
    },
    Budget {
        name: "memory per open stream, 5,000 streams, in memory",
        limit: 28.0,
        unit: " KiB",
        row: (5000, 200),
        figure: Figure::Memory(MEMORY),
    },
];

/// CPU time per word at 50 ms a word, as a ratio to the floor.
const fn to_floor(name: &'static str, limit: f64, streams: usize, subject: Subject) -> Budget {
    Budget { name, limit, unit: "", row: (streams, 50), figure: Figure::Cpu(subject, Subject::Floor) }
}

/// The same of another protocol, as a ratio to our own.
const fn to_process(name: &'static str, subject: Subject, own: Subject) -> Budget {
    Budget { name, limit: 1.3, unit: "", row: (100, 50), figure: Figure::Cpu(subject, own) }
}

impl Budget {
    /// The figure, if it was measured.
    pub(super) fn measured(&self, rows: &[Row]) -> Option<f64> {
        let (streams, delay) = self.row;
        let is_mine = |row: &&Row| {
            let shape = row.shape;
            (shape.streams, shape.words, shape.delay) == (streams, 200, Duration::from_millis(delay))
        };
        let row = rows.iter().find(is_mine)?;
        match self.figure {
            Figure::Cpu(subject, to) => row.ratio(subject, to),
            Figure::LateP99(subject) => Some(row.of(subject)?.late_p99.as_secs_f64() * 1e3),
            Figure::Memory(subject) => Some(row.of(subject)?.bytes_per_stream? as f64 / 1024.0),
        }
    }

    /// A line of a table.
    pub(super) fn line(&self, rows: &[Row]) -> String {
        let Budget { name, limit, unit, .. } = self;
        match self.measured(rows) {
            Some(measured) => {
                let verdict = if measured <= *limit { "met" } else { "not met" };
                format!("| {name} | {limit}{unit} | {measured:.2}{unit} | {verdict} |")
            }
            None => format!("| {name} | {limit}{unit} | not measured | |"),
        }
    }
}
