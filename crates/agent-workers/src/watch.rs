//! Watches a worker while it executes runs.

use std::fs;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::connection::Connection;
use crate::health::Health;
use crate::message::Pong;
use crate::timing::Timing;

/// Whether a worker gets new runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Well,
    /// It gets no new runs until its event loop turns again.
    Stuck,
    /// It has to be replaced.
    Spent,
}

/// What a worker's event loop does, as far as the health thread says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pulse {
    Turning,
    Standing,
    /// Not even the health thread answers.
    Silent,
}

/// Watches one worker.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    pid: u32,
    connection: &'a Connection,
    health: Health,
    timing: &'a Timing,
    /// How much memory the worker may use, in bytes.
    memory: Option<u64>,
    condition: &'a watch::Sender<Condition>,
    pulse: Pulse,
    /// When the pulse was found so.
    since: Instant,
    /// When it turned out that the worker has to be replaced.
    spent: Option<Instant>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        pid: u32,
        connection: &'a Connection,
        health: Health,
        timing: &'a Timing,
        memory: Option<u64>,
        condition: &'a watch::Sender<Condition>,
    ) -> Self {
        let (pulse, since) = (Pulse::Turning, Instant::now());
        Watch { pid, connection, health, timing, memory, condition, pulse, since, spent: None }
    }

    /// Resolves when the worker has to be killed, with the reason.
    pub(crate) async fn run(mut self) -> String {
        let mut ticks = interval(self.timing.ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(reason) = self.look() {
                return reason;
            }
        }
    }

    /// Looks after the worker once.
    ///
    /// # Errors
    /// Why it has to be killed.
    fn look(&mut self) -> Result<(), String> {
        let pong = self.health.exchange()?;
        self.check_pulse(pong.as_ref())?;
        self.check_memory(pong.as_ref())?;
        self.check_runs()?;
        let condition = match self.pulse {
            _ if self.spent.is_some() => Condition::Spent,
            Pulse::Turning => Condition::Well,
            Pulse::Standing | Pulse::Silent => Condition::Stuck,
        };
        self.condition.send_if_modified(|known| std::mem::replace(known, condition) != condition);
        Ok(())
    }

    fn check_pulse(&mut self, pong: Option<&Pong>) -> Result<(), String> {
        let (pid, silent) = (self.pid, self.health.heard.elapsed());
        if silent >= self.timing.silence {
            let seconds = silent.as_secs();
            return Err(format!(
                "it gave no sign of life for {seconds} seconds; a call into C code may not let other threads run"
            ));
        }
        let pulse = match pong {
            Some(pong) if Duration::from_millis(pong.lag_ms) >= self.timing.stuck => Pulse::Standing,
            Some(_) => Pulse::Turning,
            None if silent >= self.timing.stuck => Pulse::Silent,
            // The answer is on its way.
            None => self.pulse,
        };
        let before = std::mem::replace(&mut self.pulse, pulse);
        if before == pulse {
            return Ok(());
        }
        let seconds = self.since.elapsed().as_secs_f32();
        self.since = Instant::now();
        match pulse {
            Pulse::Standing => {
                let Pong { lag_ms, runs, memory_bytes, stack } = pong.cloned().unwrap_or_default();
                tracing::warn!(
                    worker.pid = pid,
                    lag_ms,
                    runs,
                    memory_bytes,
                    "the event loop of a worker stands still, so the worker gets no new runs\n{}",
                    stack.trim_end()
                );
            }
            Pulse::Silent if before == Pulse::Turning => {
                tracing::warn!(worker.pid = pid, "a worker does not answer, so it gets no new runs");
            }
            Pulse::Silent => {}
            Pulse::Turning => {
                tracing::info!(worker.pid = pid, seconds, "the event loop of a worker turns again");
            }
        }
        Ok(())
    }

    fn check_memory(&mut self, pong: Option<&Pong>) -> Result<(), String> {
        let Some(limit) = self.memory else { return Ok(()) };
        let Some(used) = resident(self.pid).or(pong.and_then(|pong| pong.memory_bytes)) else {
            return Ok(());
        };
        let [used_mb, limit_mb] = [used, limit].map(|bytes| bytes.div_ceil(1024 * 1024));
        if used > limit.saturating_add(limit / 4) {
            return Err(format!(
                "it used {used_mb} MiB of memory, far more than memory_mb = {limit_mb} allows"
            ));
        }
        if used > limit && self.spent.is_none() {
            self.spent = Some(Instant::now());
            tracing::warn!(
                worker.pid = self.pid,
                used_mb,
                limit_mb,
                "a worker uses more memory than memory_mb allows, so another one takes its place"
            );
        }
        Ok(())
    }

    fn check_runs(&mut self) -> Result<(), String> {
        let (runs, limit) = (self.connection.runs(), self.timing.cancel);
        if self.spent.is_none()
            && let Some(run) = runs.overdue(limit)
        {
            self.spent = Some(Instant::now());
            tracing::error!(
                worker.pid = self.pid,
                run.id = %run.id,
                agent.name = run.agent,
                "a run ignores its cancellation for {} seconds, so another worker takes the place of its own",
                limit.as_secs()
            );
        }
        if runs.is_draining && runs.are_only_overdue(limit) {
            return Err("only runs that ignore their cancellation were left".to_owned());
        }
        match self.spent {
            Some(spent) if spent.elapsed() >= self.timing.drain => {
                Err(format!("its last runs did not end within {} seconds", self.timing.drain.as_secs()))
            }
            _ => Ok(()),
        }
    }
}

/// The resident memory of a process, in bytes; `None` where the system does not tell it in this way.
fn resident(pid: u32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn resident__of_this_process__is_some_megabytes() {
        let bytes = resident(std::process::id()).expect("Linux tells it");
        assert!((1 << 20..1 << 32).contains(&bytes), "{bytes}");
        assert_eq!(resident(u32::MAX), None);
    }
}
