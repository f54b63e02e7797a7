//! CPU time and memory of a process and all its descendants.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel reports times in units of this.
const TICK: Duration = Duration::from_millis(10);

/// A process's parent, and its CPU time in ticks.
type Processes = BTreeMap<u32, (u32, u64)>;

/// The user and system time of the tree, including that of threads and children that have ended.
pub(crate) fn cpu_time(root: u32) -> Result<Duration> {
    let processes = processes()?;
    let ticks: u64 =
        members(root, &processes).iter().filter_map(|id| processes.get(id)).map(|(_, ticks)| ticks).sum();
    Ok(TICK * u32::try_from(ticks)?)
}

/// Resident memory of the tree in bytes. Pages that several of its processes share are counted once.
pub(crate) fn resident(root: u32) -> Result<u64> {
    let members = members(root, &processes()?);
    // A single process's share of the pages that it shares with unrelated ones would depend on what else runs here.
    let field = if members.len() == 1 { "Rss:" } else { "Pss:" };
    let kib = members.iter().filter_map(|id| {
        // A child may end at any time.
        let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix(field))?
            .trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .ok()
    });
    Ok(kib.sum::<u64>() * 1024)
}

fn processes() -> Result<Processes> {
    let mut processes = Processes::new();
    for entry in std::fs::read_dir("/proc").context("this system has no /proc")? {
        let id = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // A process may end at any time.
        if let Some(id) = id
            && let Ok(text) = std::fs::read_to_string(format!("/proc/{id}/stat"))
            && let Some(process) = parse(&text)
        {
            processes.insert(id, process);
        }
    }
    Ok(processes)
}

/// The parent and the ticks in a line of `/proc/ID/stat`, whose second field may contain spaces and parentheses.
fn parse(stat: &str) -> Option<(u32, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    // Own and awaited children's, in user mode and in the kernel.
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((parent, ticks))
}

fn members(root: u32, processes: &Processes) -> Vec<u32> {
    let mut members = vec![root];
    let mut next = 0;
    while let Some(&parent) = members.get(next) {
        members.extend(processes.iter().filter(|(_, (of, _))| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse__name_with_parentheses__finds_parent_and_ticks() {
        let stat = "7 (a) (b)) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1";
        assert_eq!(parse(stat), Some((3, 100)));
    }

    #[test]
    fn members__grandchildren__are_included() {
        let processes = Processes::from([(1, (0, 0)), (2, (1, 0)), (3, (2, 0)), (4, (0, 0))]);
        assert_eq!(members(1, &processes), [1, 2, 3]);
    }
}
