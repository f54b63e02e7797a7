//! What the project promises of the main table's figures.

use std::time::Duration;

use crate::load::Workload;
use crate::report::{Measured, Report};
use crate::store::Store;

/// Compares the figures of a workload with their budgets. Agents that yield have none for their CPU time here: `pace`
/// measures agents that wait.
pub(crate) fn check_load(workload: &Workload, medians: &[(&str, Measured)], report: &mut Report) {
    let of = |name: &str| medians.iter().find(|(known, _)| *known == name).map(|(_, measured)| measured);
    let (Some(floor), Some(memory)) = (of("floor"), of("ours")) else { return };
    let name = workload.name();
    let ratio = |measured: &Measured| measured.cpu_per_run.as_secs_f64() / floor.cpu_per_run.as_secs_f64();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    if !workload.yields {
        let limit = if workload.words < 100 { 1.5 } else { 1.0 };
        report.budget(format!("{name}: CPU per run in memory, ratio to the floor"), limit, ratio(memory), "");
    }
    let added = |(_, stored): &(&str, Measured)| ms(stored.first_event_p50) - ms(memory.first_event_p50);
    if workload.connections <= 16 {
        let most = medians[2..].iter().map(added).fold(f64::NEG_INFINITY, f64::max);
        report.budget(format!("{name}: what a store adds to the first event, p50"), 5.0, most, " ms");
    }
    if let Some(strict) = of(Store::Sqlite.name()).filter(|_| workload.connections == 16) {
        if !workload.yields {
            report.budget(
                format!("{name}: CPU per run with SQLite, strict, ratio to the floor"),
                3.0,
                ratio(strict),
                "",
            );
        }
        let p99 = ms(strict.first_event_p99);
        report.budget(format!("{name}: first event at full load, p99, SQLite, strict"), 8.0, p99, " ms");
    }
}
