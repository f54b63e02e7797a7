//! The results for the stores, as Markdown tables and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::floor::Floor;
use super::measure::Figures;
use super::operation::Operation;
use super::seed::Used;

/// Our backends, and upstream's.
const OURS: [&str; 3] = ["memory", "sqlite", "redis"];
const UPSTREAM: [&str; 2] = ["upstream memory", "upstream redis"];

#[derive(Debug)]
pub(crate) struct Report {
    sizes: Vec<usize>,
    /// By operation, size and backend.
    figures: BTreeMap<(&'static str, usize, &'static str), Figures>,
    /// Median and 99th percentile by operation, size and upstream's backend.
    upstream: BTreeMap<(String, usize, String), [Duration; 2]>,
    used: Vec<(&'static str, usize, Used)>,
    floors: Vec<Floor>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(sizes: &[usize]) -> Self {
        let (figures, upstream) = (BTreeMap::new(), BTreeMap::new());
        let (used, floors, notes) = (Vec::new(), Vec::new(), Vec::new());
        Report { sizes: sizes.to_vec(), figures, upstream, used, floors, notes }
    }

    pub(crate) fn figures(
        &mut self,
        operation: &'static str,
        size: usize,
        backend: &'static str,
    ) -> &mut Figures {
        self.figures.entry((operation, size, backend)).or_default()
    }

    pub(crate) fn used(&mut self, backend: &'static str, size: usize, used: Used) {
        self.used.push((backend, size, used));
    }

    pub(crate) fn floor(&mut self, floors: Vec<Floor>) {
        self.floors = floors;
    }

    pub(crate) fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }

    /// Adds the results of upstream's script.
    pub(crate) fn upstream(&mut self, figures: &[Value]) -> Result<()> {
        for figure in figures {
            if let Some(note) = figure["note"].as_str() {
                self.note(note);
                continue;
            }
            let time = |key: &str| {
                figure[key].as_f64().map(|ms| Duration::from_secs_f64(ms / 1e3)).context("no time")
            };
            let text = |key: &str| figure[key].as_str().map(str::to_owned).context("no name");
            let size = figure["size"].as_u64().and_then(|size| usize::try_from(size).ok());
            let key = (text("operation")?, size.context("no size")?, text("backend")?);
            self.upstream.insert(key, [time("p50_ms")?, time("p99_ms")?]);
        }
        Ok(())
    }

    /// The ratio of the same operation at the largest size to that at the smallest.
    fn growth(&self, operation: &'static str, backend: &'static str) -> Option<f64> {
        let p50 = |size| Some(self.figures.get(&(operation, size, backend))?.p50().as_secs_f64());
        Some(p50(*self.sizes.last()?)? / p50(*self.sizes.first()?)?)
    }

    pub(crate) fn json(&self) -> Result<String> {
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        let ours = self.figures.iter().map(|((operation, size, backend), figures)| {
            json!({
                "operation": operation, "size": size, "backend": backend, "p50_us": us(figures.p50()),
                "p99_us": us(figures.p99()), "per_second_64_tasks": figures.rate(),
                "samples": figures.latencies.len(),
            })
        });
        let upstream = self.upstream.iter().map(|((operation, size, backend), [p50, p99])| {
            json!({
                "operation": operation, "size": size, "backend": backend, "p50_us": us(*p50), "p99_us": us(*p99),
            })
        });
        let floors = self.floors.iter().map(|floor| {
            json!({
                "command": floor.name, "p50_us": floor.p50_ms * 1e3, "p99_us": floor.p99_ms * 1e3,
                "per_second_64_connections": floor.rate,
            })
        });
        let used = self.used.iter().map(|(backend, size, used)| {
            json!({
                "backend": backend, "size": size, "bytes_per_message": used.message,
                "bytes_per_session": used.session, "bytes_per_state": used.state,
                "bytes_per_memory": used.memory,
            })
        });
        Ok(serde_json::to_string_pretty(&json!({
            "figures": ours.chain(upstream).collect::<Vec<_>>(), "redis_benchmark": floors.collect::<Vec<_>>(),
            "used": used.collect::<Vec<_>>(), "notes": self.notes,
        }))?)
    }

    fn operations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Median / 99th percentile of one task; operations per second of 64 tasks.\n")?;
        write!(f, "| operation | items |")?;
        OURS.iter().try_for_each(|backend| write!(f, " {backend} | 64 tasks |"))?;
        UPSTREAM.iter().try_for_each(|backend| write!(f, " {backend} |"))?;
        writeln!(f, "\n|---|---|{}", "---|".repeat(2 * OURS.len() + UPSTREAM.len()))?;
        for kind in Operation::ALL {
            let operation = kind.name();
            for &size in &self.sizes {
                write!(f, "| {operation} | {} |", thousands(kind.items(size) as f64))?;
                for backend in OURS {
                    match self.figures.get(&(operation, size, backend)) {
                        Some(figures) => {
                            write!(f, " {}", times(figures.p50(), figures.p99()))?;
                            write!(f, " | {} |", figures.rate().map_or_else(|| "–".to_owned(), thousands))?;
                        }
                        None => write!(f, " | |")?,
                    }
                }
                for backend in UPSTREAM {
                    match self.upstream.get(&(operation.to_owned(), size, backend.to_owned())) {
                        Some([p50, p99]) => write!(f, " {} |", times(*p50, *p99))?,
                        None => write!(f, " |")?,
                    }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operations(f)?;
        if let [smallest, .., largest] = self.sizes[..] {
            let (smallest, largest) = (thousands(smallest as f64), thousands(largest as f64));
            writeln!(f, "\nThe ratio of the median at {largest} to that at {smallest}:\n")?;
        }
        writeln!(f, "| operation | {} |\n|---|{}", OURS.join(" | "), "---|".repeat(OURS.len()))?;
        for operation in Operation::ALL.map(Operation::name) {
            write!(f, "| {operation} |")?;
            for backend in OURS {
                match self.growth(operation, backend) {
                    Some(growth) => write!(f, " {growth:.2} |")?,
                    None => write!(f, " |")?,
                }
            }
            writeln!(f)?;
        }
        writeln!(f, "\nBytes per item, with its share of indexes:\n")?;
        writeln!(f, "| backend | items | message | session | state | memory |\n|---|---|---|---|---|---|")?;
        for (backend, size, used) in &self.used {
            let bytes = [used.message, used.session, used.state, used.memory].map(thousands).join(" | ");
            writeln!(f, "| {backend} | {} | {bytes} |", thousands(*size as f64))?;
        }
        if !self.floors.is_empty() {
            writeln!(f, "\nRedis itself, measured by redis-benchmark:\n")?;
            writeln!(f, "| command | one connection | 64 connections |\n|---|---|---|")?;
        }
        for Floor { name, p50_ms, p99_ms, rate } in &self.floors {
            let [p50, p99] = [p50_ms, p99_ms].map(|ms| Duration::from_secs_f64(ms / 1e3));
            writeln!(f, "| {name} | {} | {} |", times(p50, p99), thousands(*rate))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "\n{note}"))
    }
}

/// Two times in the unit that suits the first.
fn times(p50: Duration, p99: Duration) -> String {
    let (unit, factor) = match p50.as_secs_f64() {
        seconds if seconds < 1e-3 => ("µs", 1e6),
        seconds if seconds < 1.0 => ("ms", 1e3),
        _ => ("s", 1.0),
    };
    let number = |time: Duration| {
        let value = time.as_secs_f64() * factor;
        let decimals = if value < 10.0 { 1 } else { 0 };
        format!("{value:.decimals$}")
    };
    format!("{} / {} {unit}", number(p50), number(p99))
}

/// A whole number with commas.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
