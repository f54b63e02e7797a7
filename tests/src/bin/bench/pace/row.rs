//! A row of the results: streams of one shape on several servers.

use std::fmt;
use std::time::Duration;

use super::shape::Shape;
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
    pub(super) figures: Vec<(Subject, Sample)>,
}

impl Row {
    /// The medians of all rounds.
    pub(super) fn new(shape: Shape, measured: &[(Subject, Vec<Sample>)]) -> Self {
        let figures = measured.iter().map(|(subject, samples)| (*subject, median(samples))).collect();
        Row { shape, figures }
    }

    pub(super) fn of(&self, subject: Subject) -> Option<&Sample> {
        self.figures.iter().find(|(known, _)| *known == subject).map(|(_, sample)| sample)
    }

    /// The CPU time of a word as a ratio to that of another server.
    pub(super) fn ratio(&self, subject: Subject, to: Subject) -> Option<f64> {
        Some(self.of(subject)?.cpu_per_word.as_secs_f64() / self.of(to)?.cpu_per_word.as_secs_f64())
    }

    /// What casts doubt on the figures.
    pub(super) fn doubts(&self) -> Vec<String> {
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
                "| {} | {:.1} µs | {:.2} | {} | {} / {} | {} / {} | {} |",
                subject.name(),
                sample.cpu_per_word.as_secs_f64() * 1e6,
                self.ratio(*subject, Subject::Floor).unwrap_or(f64::NAN),
                percent(sample.server_share),
                milliseconds(sample.late_p50),
                milliseconds(sample.late_p99),
                milliseconds(sample.first_p50),
                milliseconds(sample.first_p99),
                sample.bytes_per_stream.map_or_else(|| "–".to_owned(), kibibytes),
            )?;
        }
        Ok(())
    }
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
        bytes_per_stream: middle(samples.iter().map(|sample| sample.bytes_per_stream), Option::cmp),
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

fn kibibytes(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
