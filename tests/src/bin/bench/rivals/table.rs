//! The results, as one table and as JSON.

use std::fmt;

use anyhow::Result;
use serde_json::{Value, json};

use super::behavior::TOGETHER;
use super::measure::Row;

#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<String>,
    values: Vec<Value>,
    is_pinned: bool,
}

const COLUMNS: [&str; 12] = [
    "server",
    "CPU a run",
    "CPU a word at pace",
    "last word late, p99",
    "first word p50 / p99",
    "runs/s",
    "idle",
    "a stream",
    "start",
    "resumes",
    "one session",
    "after kill -9",
];

impl Table {
    pub(crate) fn new(is_pinned: bool) -> Self {
        Table { lines: Vec::new(), values: Vec::new(), is_pinned }
    }

    /// Adds a server, and shows it, because a long measurement should not be silent.
    pub(crate) fn add(&mut self, name: &str, row: Row) {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let us = |time: std::time::Duration| time.as_secs_f64() * 1e6;
        let behavior = row.behavior;
        let runs_per_second = match row.failed {
            0 => format!("{:.0}", row.runs_per_second),
            failed => format!("{:.0}, {failed} runs failed", row.runs_per_second),
        };
        let cells = [
            name.to_owned(),
            format!("{:.0} µs", us(row.cpu_per_run)),
            format!("{:.0} µs", us(row.cpu_per_word)),
            format!("{:.0} ms", ms(row.delay)),
            format!("{:.2} / {:.2} ms", ms(row.first_word_p50), ms(row.first_word_p99)),
            runs_per_second,
            format!("{:.0} MiB", row.idle_bytes as f64 / 1024.0 / 1024.0),
            format!("{:.0} KiB", row.bytes_per_stream as f64 / 1024.0),
            format!("{:.0} ms", ms(row.start)),
            behavior.resumes.clone(),
            format!("{} of {TOGETHER}", behavior.finished),
            behavior.after_kill.clone(),
        ];
        self.lines.push(line(&cells));
        eprintln!("{}", line(&cells));
        self.values.push(json!({
            "server": name, "cpu_per_run_us": us(row.cpu_per_run), "cpu_per_word_at_pace_us": us(row.cpu_per_word),
            "last_word_delay_p99_ms": ms(row.delay), "first_word_p50_ms": ms(row.first_word_p50),
            "first_word_p99_ms": ms(row.first_word_p99), "runs_per_second": row.runs_per_second,
            "failed_runs": row.failed, "idle_bytes": row.idle_bytes, "bytes_per_stream": row.bytes_per_stream, "start_ms": ms(row.start),
            "resumes": behavior.resumes, "finished_of_one_session": behavior.finished,
            "after_kill": behavior.after_kill,
        }));
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&json!({ "pinned": self.is_pinned, "rivals": self.values }))?)
    }
}

/// A table in Markdown.
impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_pinned {
            writeln!(out, "Servers and load share all cores: 'taskset' or a second core is missing.")?;
        }
        writeln!(out, "{}\n{}", line(&COLUMNS.map(str::to_owned)), line(&COLUMNS.map(|_| "---".to_owned())))?;
        out.write_str(&self.lines.join("\n"))
    }
}

fn line(cells: &[String]) -> String {
    // A reason may come from a server.
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "/")).collect();
    format!("| {} |", cells.join(" | "))
}
