//! The results at the pace of models, as Markdown tables and as JSON.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::budget::BUDGETS;
use super::row::Row;
use super::streams::Sample;
use super::subject::Subject;

#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
    is_pinned: bool,
}

impl Table {
    pub(super) fn new(is_pinned: bool) -> Self {
        Table { rows: Vec::new(), notes: Vec::new(), is_pinned }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds a row, and shows it, because a long measurement should not be silent.
    pub(super) fn row(&mut self, row: Row) {
        eprintln!("{row}");
        self.notes.extend(row.doubts());
        self.rows.push(row);
    }

    pub(super) fn json(&self) -> Result<String> {
        let rows = self.rows.iter().flat_map(|row| {
            row.figures.iter().map(|(subject, sample)| {
                let mut value = value(sample);
                value["streams"] = json!(row.shape.streams);
                value["words"] = json!(row.shape.words);
                value["delay_ms"] = json!(row.shape.delay.as_millis());
                value["server"] = json!(subject.name());
                value["cpu_ratio"] = json!(row.ratio(*subject, Subject::Floor));
                value
            })
        });
        let budgets = BUDGETS.iter().map(|budget| {
            json!({ "budget": budget.name, "limit": budget.limit, "measured": budget.measured(&self.rows) })
        });
        let all = json!({
            "pinned": self.is_pinned, "results": rows.collect::<Vec<_>>(),
            "budgets": budgets.collect::<Vec<_>>(), "notes": self.notes,
        });
        Ok(serde_json::to_string_pretty(&all)?)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_pinned {
            writeln!(f, "Servers and load share all cores: 'taskset' or a second core is missing.")?;
        }
        for row in &self.rows {
            write!(f, "{row}")?;
        }
        writeln!(f, "\n### Against the budgets\n\n| budget | at most | measured | |\n|---|---|---|---|")?;
        for budget in BUDGETS {
            writeln!(f, "{}", budget.line(&self.rows))?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}

fn value(sample: &Sample) -> Value {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    json!({
        "cpu_per_word_us": sample.cpu_per_word.as_secs_f64() * 1e6,
        "server_share": sample.server_share, "load_share": sample.load_share,
        "late_p50_ms": ms(sample.late_p50), "late_p99_ms": ms(sample.late_p99),
        "first_p50_ms": ms(sample.first_p50), "first_p99_ms": ms(sample.first_p99),
        "bytes_per_stream": sample.bytes_per_stream,
    })
}
