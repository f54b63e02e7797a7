//! The results at the pace of models, as Markdown tables and as JSON.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Shape;
use super::budget::BUDGETS;
use super::streams::Sample;
use super::subject::Subject;

/// Whoever uses more of its core than this is late because of itself.
const BUSY: f64 = 0.9;

/// A floor that is later than this shows that the load generator or the machine is late.
const LATE: Duration = Duration::from_millis(5);

/// The medians of a row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) shape: Shape,
    figures: Vec<(Subject, Sample)>,
}

#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
    is_pinned: bool,
}

impl Row {
    pub(super) fn of(&self, subject: Subject) -> Option<&Sample> {
        self.figures.iter().find(|(known, _)| *known == subject).map(|(_, sample)| sample)
    }

    /// The CPU time of a word as a ratio to that of another server.
    pub(super) fn ratio(&self, subject: Subject, to: Subject) -> Option<f64> {
        Some(self.of(subject)?.cpu_per_word.as_secs_f64() / self.of(to)?.cpu_per_word.as_secs_f64())
    }
}

impl Table {
    pub(super) fn new(is_pinned: bool) -> Self {
        Table { rows: Vec::new(), notes: Vec::new(), is_pinned }
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds a row, and shows it, because a long measurement should not be silent.
    pub(super) fn row(&mut self, shape: Shape, measured: &[(Subject, Vec<Sample>)]) {
        let figures = measured.iter().map(|(subject, samples)| (*subject, median(samples))).collect();
        let row = Row { shape, figures };
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

impl Row {
    /// What casts doubt on the figures.
    fn doubts(&self) -> Vec<String> {
        let name = self.shape.name();
        let mut doubts = Vec::new();
        if let Some(floor) = self.of(Subject::Floor).filter(|floor| floor.late_p99 > LATE) {
            let late = milliseconds(floor.late_p99);
            doubts.push(format!(
                "{name}: even the floor's words are {late} late (p99), so the load generator or the machine is the limit; \
                 times are not those of the servers."
            ));
        }
        for (subject, sample) in &self.figures {
            let subject = subject.name();
            if sample.load_share > BUSY {
                let share = percent(sample.load_share);
                doubts.push(format!(
                    "{name}, {subject}: the load generator used {share} of its core, so words are read late."
                ));
            }
            if sample.server_share > BUSY {
                let share = percent(sample.server_share);
                doubts.push(format!(
                    "{name}, {subject}: the server used {share} of its core; it is overloaded."
                ));
            }
        }
        doubts
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n### {}\n", self.shape.name())?;
        writeln!(
            f,
            "| server | CPU per word | ratio to the floor | of a core | word late p50 / p99 | first word p50 / p99 | memory per stream |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for (subject, sample) in &self.figures {
            writeln!(
                f,
                "| {} | {:.1} µs | {:.2} | {} | {} / {} | {} / {} | {:.1} KiB |",
                subject.name(),
                sample.cpu_per_word.as_secs_f64() * 1e6,
                self.ratio(*subject, Subject::Floor).unwrap_or(f64::NAN),
                percent(sample.server_share),
                milliseconds(sample.late_p50),
                milliseconds(sample.late_p99),
                milliseconds(sample.first_p50),
                milliseconds(sample.first_p99),
                sample.bytes_per_stream as f64 / 1024.0,
            )?;
        }
        Ok(())
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

/// The median of each figure.
fn median(samples: &[Sample]) -> Sample {
    let time = |of: fn(&Sample) -> Duration| middle(samples.iter().map(of), Duration::cmp);
    let share = |of: fn(&Sample) -> f64| middle(samples.iter().map(of), f64::total_cmp);
    Sample {
        cpu_per_word: time(|sample| sample.cpu_per_word),
        server_share: share(|sample| sample.server_share),
        load_share: share(|sample| sample.load_share),
        late_p50: time(|sample| sample.late_p50),
        late_p99: time(|sample| sample.late_p99),
        first_p50: time(|sample| sample.first_p50),
        first_p99: time(|sample| sample.first_p99),
        bytes_per_stream: middle(samples.iter().map(|sample| sample.bytes_per_stream), u64::cmp),
    }
}

fn middle<T: Copy>(values: impl Iterator<Item = T>, order: fn(&T, &T) -> std::cmp::Ordering) -> T {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_by(order);
    sorted[sorted.len() / 2]
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
