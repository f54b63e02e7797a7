//! The steps of runs in memory.

use agent_schemas::RunId;

use super::{InMemoryRunStore, StoredRun};
use crate::run::{FencingToken, Step};
use crate::{Error, ErrorKind, Result};

impl InMemoryRunStore {
    /// Keeps a step, in place of an earlier one with its key.
    pub(super) fn keep_step(&self, id: &RunId, token: FencingToken, step: Step) -> Result<()> {
        const OPERATION: &str = "keep a step of a run";
        step.check(OPERATION)?;
        let run = self.find_to_write(OPERATION, id)?;
        let mut run = run.lock();
        run.check(OPERATION, token)?;
        if run.log.ended {
            return Err(Error::new(ErrorKind::Conflict, OPERATION, "the log has ended"));
        }
        run.put_step(step);
        self.account(&mut run);
        Ok(())
    }

    /// Keeps a step unless there is one with its key; returns the kept one.
    pub(super) fn keep_first_step(&self, id: &RunId, step: Step) -> Result<Step> {
        const OPERATION: &str = "claim a step of a run";
        step.check(OPERATION)?;
        let run = self.find_to_write(OPERATION, id)?;
        let mut run = run.lock();
        if let Some(kept) = run.steps.get(&step.key) {
            return Ok(Step::new(step.key, kept));
        }
        run.put_step(step.clone());
        self.account(&mut run);
        Ok(step)
    }
}

impl StoredRun {
    fn put_step(&mut self, step: Step) {
        self.step_bytes += step.bytes();
        let Step { key, data } = step;
        let size = key.len() as u64;
        if let Some(earlier) = self.steps.insert(key, data) {
            self.step_bytes -= size + earlier.len() as u64;
        }
    }

    /// The size of what is kept after its end, in bytes, without the request.
    pub(super) fn kept_bytes(&self) -> usize {
        self.log.bytes().saturating_add(usize::try_from(self.step_bytes).unwrap_or(usize::MAX))
    }
}
