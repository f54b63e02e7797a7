//! The results, as a table and as JSON.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

/// One round of full load on one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) cpu_per_run: Duration,
    pub(crate) cpu_per_event: Duration,
    pub(crate) runs_per_second: f64,
    pub(crate) events_per_second: f64,
    pub(crate) first_event_p50: Duration,
    pub(crate) first_event_p99: Duration,
    pub(crate) half_load_p99: Duration,
    pub(crate) peak: u64,
}

/// Many slow streams on one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlowMeasured {
    pub(crate) bytes_per_stream: u64,
    pub(crate) cpu_share: f64,
    pub(crate) delay_p50: Duration,
    pub(crate) delay_p99: Duration,
}

/// A long log and many waiting runs on one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogsMeasured {
    pub(crate) events: usize,
    pub(crate) time_per_event: Duration,
    pub(crate) cpu_per_event: Duration,
    /// The time that the baseline takes for the same number.
    pub(crate) floor_cpu_per_event: Duration,
    pub(crate) resumed_first_event: Duration,
    pub(crate) idle_runs: usize,
    pub(crate) bytes_per_idle_run: u64,
    pub(crate) idle_starts_per_second: f64,
}

#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<String>,
    values: Vec<Value>,
    budgets: Vec<Budget>,
    pinned: bool,
}

/// A figure that must not be greater than a limit.
#[derive(Debug)]
struct Budget {
    name: String,
    limit: f64,
    measured: f64,
    unit: &'static str,
}

const NAMES: [&str; 2] = ["floor", "ours"];

impl Report {
    pub(crate) fn new(pinned: bool) -> Self {
        Report { lines: Vec::new(), values: Vec::new(), budgets: Vec::new(), pinned }
    }

    /// Adds a figure that has a limit.
    pub(crate) fn budget(&mut self, name: String, limit: f64, measured: f64, unit: &'static str) {
        self.budgets.push(Budget { name, limit, measured, unit });
    }

    /// Adds rounds of the baseline and of our server, and of ours with persistent stores; returns the median of each.
    pub(crate) fn load(
        &mut self,
        name: &str,
        measured: [Vec<Measured>; 2],
        stored: &[(&'static str, Vec<Measured>)],
    ) -> Vec<(&'static str, Measured)> {
        self.lines.push(format!("\n{name}"));
        let header = [
            "CPU/run",
            "CPU/event",
            "runs/s",
            "events/s",
            "first p50",
            "first p99",
            "p99 at half",
            "peak MiB",
        ];
        self.lines.push(row("", &header.map(str::to_owned)));
        let medians = measured.map(|rounds| median_round(&rounds));
        for (which, round) in NAMES.iter().zip(&medians) {
            self.lines.push(row(which, &cells(round)));
        }
        let [floor, ours] = medians;
        let mut all = vec![(NAMES[0], floor), (NAMES[1], ours)];
        let ratio = ours.cpu_per_run.as_secs_f64() / floor.cpu_per_run.as_secs_f64();
        let later = ours.half_load_p99.as_secs_f64() * 1e3 - floor.half_load_p99.as_secs_f64() * 1e3;
        self.lines.push(format!(
            "  CPU per run: {ratio:.2} times the floor's; first event at half load, p99: {later:+.2} ms"
        ));
        let mut stores = Vec::new();
        for (store, rounds) in stored {
            let stored = median_round(rounds);
            all.push((*store, stored));
            let ratio = stored.cpu_per_run.as_secs_f64() / floor.cpu_per_run.as_secs_f64();
            self.lines.push(format!(
                "  {store}: {} CPU per run, {ratio:.2} times the floor's; {:.0} runs/s; first event {} / {}",
                microseconds(stored.cpu_per_run),
                stored.runs_per_second,
                milliseconds(stored.first_event_p50),
                milliseconds(stored.first_event_p99),
            ));
            stores.push(json!({
                "store": store, "cpu_ratio": ratio, "cpu_per_run_us": stored.cpu_per_run.as_secs_f64() * 1e6,
                "runs_per_second": stored.runs_per_second,
                "first_event_p50_ms": stored.first_event_p50.as_secs_f64() * 1e3,
                "first_event_p99_ms": stored.first_event_p99.as_secs_f64() * 1e3,
            }));
        }
        self.announce();
        self.values.push(json!({
            "stores": stores, "workload": name, "cpu_ratio": ratio, "first_event_half_load_p99_difference_ms": later,
            "floor": value(&floor), "ours": value(&ours),
        }));
        all
    }

    /// Adds the cost of a run over each protocol; the first one is ours.
    pub(crate) fn protocols(&mut self, name: &str, measured: &[(&str, Vec<Measured>)]) {
        self.lines.push(format!("\n{name}"));
        let medians: Vec<_> = measured.iter().map(|(which, rounds)| (*which, median_round(rounds))).collect();
        let own = medians.first().map_or(0.0, |(_, round)| round.cpu_per_run.as_secs_f64());
        for (position, (which, round)) in medians.iter().enumerate() {
            let ratio = round.cpu_per_run.as_secs_f64() / own;
            self.lines.push(format!(
                "  {which}: {} CPU per run, {ratio:.2} times our own",
                microseconds(round.cpu_per_run)
            ));
            if position > 0 {
                self.budget(format!("{name}: {which}, ratio to our own"), 1.5, ratio, "");
            }
            self.values.push(json!({
                "workload": name, "protocol": which, "cpu_ratio_to_own": ratio,
                "cpu_per_run_us": round.cpu_per_run.as_secs_f64() * 1e6,
            }));
        }
        self.announce();
    }

    /// Adds the figures of the baseline and of our server for slow streams.
    pub(crate) fn slow(&mut self, name: &str, measured: Vec<SlowMeasured>) {
        self.lines.push(format!("\n{name}, a word every 200 ms"));
        let header = ["KiB/stream", "CPU share", "delay p50", "delay p99"];
        self.lines.push(row("", &header.map(str::to_owned)));
        for (which, slow) in NAMES.iter().zip(&measured) {
            let kib = format!("{:.1}", slow.bytes_per_stream as f64 / 1024.0);
            let share = format!("{:.0} %", slow.cpu_share * 100.0);
            self.lines
                .push(row(which, &[kib, share, milliseconds(slow.delay_p50), milliseconds(slow.delay_p99)]));
            self.values.push(json!({
                "workload": name, "server": which, "bytes_per_stream": slow.bytes_per_stream,
                "cpu_share": slow.cpu_share, "delay_p50_ms": slow.delay_p50.as_secs_f64() * 1e3,
                "delay_p99_ms": slow.delay_p99.as_secs_f64() * 1e3,
            }));
        }
        self.announce();
    }

    /// Adds the cost of reading a long log again, and of waiting runs, with one store.
    pub(crate) fn logs(&mut self, store: &str, logs: &LogsMeasured) {
        let us = |time: Duration| format!("{:.2} us", time.as_secs_f64() * 1e6);
        self.lines.push(format!(
            "\n{store}: a log of {} events, read again: {} an event, CPU {} an event, {:.2} times the floor's; \
             its second half: first event after {} (p50)",
            logs.events,
            us(logs.time_per_event),
            us(logs.cpu_per_event),
            logs.cpu_per_event.as_secs_f64() / logs.floor_cpu_per_event.as_secs_f64(),
            milliseconds(logs.resumed_first_event),
        ));
        self.lines.push(format!(
            "{store}: {} waiting background runs: {:.1} KiB each, started at {:.0} per second",
            logs.idle_runs,
            logs.bytes_per_idle_run as f64 / 1024.0,
            logs.idle_starts_per_second,
        ));
        self.announce();
        self.values.push(json!({
            "store": store, "events": logs.events, "time_per_event_us": logs.time_per_event.as_secs_f64() * 1e6,
            "cpu_per_event_us": logs.cpu_per_event.as_secs_f64() * 1e6,
            "floor_cpu_per_event_us": logs.floor_cpu_per_event.as_secs_f64() * 1e6,
            "resumed_first_event_p50_ms": logs.resumed_first_event.as_secs_f64() * 1e3,
            "idle_runs": logs.idle_runs, "bytes_per_idle_run": logs.bytes_per_idle_run,
            "idle_starts_per_second": logs.idle_starts_per_second,
        }));
    }

    /// Adds the resident memory of a server that was just started, at the end of its load, and some time later.
    pub(crate) fn idle_memory(
        &mut self,
        name: &str,
        runs: usize,
        [fresh, loaded, idle]: [u64; 3],
        after: Duration,
    ) {
        let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
        self.lines.push(format!(
            "\n{name}: {:.1} MiB after the start, {:.1} after {runs} runs, {:.1} after {:.0} s without load",
            mib(fresh),
            mib(loaded),
            mib(idle),
            after.as_secs_f64(),
        ));
        self.announce();
        self.values.push(json!({
            "workload": name, "runs": runs, "fresh_bytes": fresh, "loaded_bytes": loaded, "idle_bytes": idle,
            "idle_seconds": after.as_secs_f64(),
        }));
    }

    /// Adds the server's start time and its idle memory.
    pub(crate) fn start(&mut self, (durations, resident): (Vec<Duration>, u64)) {
        let p50 = percentile(&durations, 0.5);
        let mib = resident as f64 / 1024.0 / 1024.0;
        self.lines.push(format!(
            "\nready to serve after {} (p50); idle with {mib:.1} MiB resident",
            milliseconds(p50)
        ));
        self.announce();
        self.budget("ready to serve, p50".to_owned(), 50.0, p50.as_secs_f64() * 1e3, " ms");
        self.budget("idle, resident".to_owned(), 20.0, mib, " MiB");
        self.values.push(json!({ "start_p50_ms": p50.as_secs_f64() * 1e3, "idle_resident_bytes": resident }));
    }

    /// Shows the latest results, because a long measurement should not be silent.
    fn announce(&self) {
        let from = self.lines.iter().rposition(|line| line.starts_with('\n')).unwrap_or(0);
        eprintln!("{}", self.lines[from..].join("\n"));
    }

    pub(crate) fn json(&self) -> Result<String> {
        let budgets: Vec<_> = self.budgets.iter().map(Budget::json).collect();
        let all = json!({ "pinned": self.pinned, "results": self.values, "budgets": budgets });
        Ok(serde_json::to_string_pretty(&all)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pinned {
            writeln!(f, "Servers and load share all cores: 'taskset' or a second core is missing.")?;
        }
        f.write_str(&self.lines.join("\n"))?;
        if !self.budgets.is_empty() {
            write!(f, "\n\nAgainst the budgets\n\n| budget | at most | measured | |\n|---|---|---|---|")?;
        }
        self.budgets.iter().try_for_each(|budget| write!(f, "\n{budget}"))
    }
}

impl Budget {
    fn json(&self) -> Value {
        json!({ "budget": self.name, "limit": self.limit, "measured": self.measured })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Budget { name, limit, measured, unit } = self;
        let verdict = if measured <= limit { "met" } else { "not met" };
        write!(f, "| {name} | {limit}{unit} | {measured:.2}{unit} | {verdict} |")
    }
}

fn cells(round: &Measured) -> [String; 8] {
    [
        microseconds(round.cpu_per_run),
        microseconds(round.cpu_per_event),
        format!("{:.0}", round.runs_per_second),
        format!("{:.0}", round.events_per_second),
        milliseconds(round.first_event_p50),
        milliseconds(round.first_event_p99),
        milliseconds(round.half_load_p99),
        format!("{:.1}", round.peak as f64 / 1024.0 / 1024.0),
    ]
}

fn value(round: &Measured) -> Value {
    json!({
        "cpu_per_run_us": round.cpu_per_run.as_secs_f64() * 1e6,
        "cpu_per_event_us": round.cpu_per_event.as_secs_f64() * 1e6,
        "runs_per_second": round.runs_per_second,
        "events_per_second": round.events_per_second,
        "first_event_p50_ms": round.first_event_p50.as_secs_f64() * 1e3,
        "first_event_p99_ms": round.first_event_p99.as_secs_f64() * 1e3,
        "first_event_half_load_p99_ms": round.half_load_p99.as_secs_f64() * 1e3,
        "peak_bytes": round.peak,
    })
}

/// The round whose CPU time per run is the median, with the highest peak of all.
fn median_round(rounds: &[Measured]) -> Measured {
    let mut sorted = rounds.to_vec();
    sorted.sort_by_key(|round| round.cpu_per_run);
    let mut median = sorted[sorted.len() / 2];
    median.peak = rounds.iter().map(|round| round.peak).max().unwrap_or(0);
    median
}

fn row(first: &str, cells: &[String]) -> String {
    let mut line = format!("  {first:<6}");
    for cell in cells {
        line.push_str(&format!("{cell:>13}"));
    }
    line
}

fn microseconds(duration: Duration) -> String {
    format!("{:.2} us", duration.as_secs_f64() * 1e6)
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

/// The value below which the given share of all values lies.
pub(crate) fn percentile(values: &[Duration], share: f64) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a valid index"
    )]
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}
