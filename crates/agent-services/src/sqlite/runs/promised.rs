//! Runs that have their sessions and are not written yet.
//!
//! A run whose maker does not wait for it to be stored is only promised, and written before its transaction ends. One that
//! ends before is written once, as it ended, and not made and then changed.

use std::sync::Arc;

use agent_schemas::{RunId, SessionId, UserId};
use parking_lot::Mutex;
use rusqlite::Connection;

use super::create::Create;
use super::news::News;
use crate::run::{Created, FencingToken};
use crate::sqlite::failure::Outcome;

/// The promises of the transaction that is open, in their order.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Promised(Mutex<Vec<Promise>>);

/// A run that is promised.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) create: Arc<Create>,
    /// There was no such user when it was promised.
    pub(super) is_users_first: bool,
}

impl Promised {
    /// Promises a run, if its session is free; otherwise makes it.
    pub(in crate::sqlite) fn promise(
        &self,
        create: &Arc<Create>,
        connection: &Connection,
        news: &mut News,
    ) -> Outcome<Created> {
        let (user, session) = create.place();
        if self.has_session(user, session) {
            self.write(connection)?;
        }
        let Some(is_users_first) = create.is_users_first(connection)? else {
            return create.run(connection, news);
        };
        self.0.lock().push(Promise { create: Arc::clone(create), is_users_first });
        Ok(Created::Started(FencingToken(1)))
    }

    /// Takes one out, for whoever writes it.
    pub(super) fn take(&self, id: &RunId) -> Option<Promise> {
        let mut promised = self.0.lock();
        let at = promised.iter().position(|promise| promise.create.id() == id)?;
        Some(promised.remove(at))
    }

    fn has_session(&self, user: &UserId, session: &SessionId) -> bool {
        self.0.lock().iter().any(|promise| promise.create.is_of(user, session))
    }

    /// Writes one, if it is promised.
    pub(in crate::sqlite) fn write_one(&self, connection: &Connection, id: &RunId) -> Outcome<()> {
        self.take(id).map_or(Ok(()), |promise| promise.create.write(connection))
    }

    /// Writes all.
    pub(super) fn write(&self, connection: &Connection) -> Outcome<()> {
        let promised = std::mem::take(&mut *self.0.lock());
        promised.iter().try_for_each(|promise| promise.create.write(connection))
    }

    /// Forgets all.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use agent_schemas::{AgentRequest, Message, Status};
    use rusqlite::types::Value;

    use super::*;
    use crate::StoreContext;
    use crate::run::{Batch, NewRun, OwnerId, Page, RunRecord, SessionPolicy};
    use crate::session::MessageBatch;
    use crate::sqlite::migrations::migrate;
    use crate::sqlite::runs::entries::{self, Piece};
    use crate::sqlite::runs::finish::Finish;
    use crate::sqlite::runs::pending::Pending;
    use crate::sqlite::sessions::append::Append;

    struct World {
        connection: Connection,
        pending: Pending,
    }

    impl World {
        fn new() -> Self {
            let connection = Connection::open_in_memory().expect("a database");
            migrate(&connection, 0).expect("migrated");
            World { connection, pending: Pending::default() }
        }

        fn create(&self, id: &str, session: &str, policy: SessionPolicy) -> Created {
            let request = Arc::new(AgentRequest::new(vec![Message::user("hello")]));
            let ids = (RunId::new(id), UserId::new("u"), SessionId::new(session));
            let record = RunRecord::new(ids.0, ids.1, ids.2, "agent", 7, request);
            let new = NewRun::new(record, Batch::empty(0), OwnerId::new("me"));
            let create = Create::new(new.with_policy(policy).with_early_answer(true)).expect("JSON");
            let mut news = News::new(Arc::default());
            self.pending.promised.promise(&Arc::new(create), &self.connection, &mut news).expect("answered")
        }

        fn finish(&self, id: &str, token: u64, says: &str) -> bool {
            let history = MessageBatch::of(&[Message::user("hello"), Message::user(says)]).expect("JSON");
            let frames = format!("id: 0\ndata: {}\n\nid: 1\ndata: {says}\n\n", "x".repeat(2000));
            let finish = Finish {
                id: RunId::new(id),
                token: FencingToken(token),
                piece: Piece::new(Batch { first: 0, count: 2, frames: frames.into_bytes().into() }),
                status: Status::Completed,
                next: Some(OwnerId::new("me")),
                history: Some(Append::new(history, StoreContext::default().limits).expect("small")),
            };
            finish.run(&self.connection, &self.pending, 9).is_ok_and(|finished| finished.history.is_ok())
        }

        /// Everything that the database has, wherever it has the logs.
        fn rows(&self) -> Vec<Vec<Value>> {
            let mut rows = Vec::new();
            for table in [
                "users",
                "runs",
                "(SELECT run, agent, options, request, request_bytes FROM run_requests)",
                "(SELECT run, frames FROM run_batches UNION ALL \
                 SELECT run, frames FROM run_requests WHERE count > 0)",
                "run_totals",
                "sessions",
                "messages",
                "batches",
            ] {
                let sql = format!("SELECT '{table}', * FROM {table} ORDER BY 2, 3");
                let mut statement = self.connection.prepare(&sql).expect("SQL");
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
                rows.extend(statement.query_map([], read).expect("rows").map(|row| row.expect("a row")));
            }
            rows
        }

        fn log(&self, id: &str) -> Page {
            let page = entries::read(&self.connection, &RunId::new(id), 0, usize::MAX);
            page.expect("readable").expect("kept")
        }
    }

    #[test]
    fn what_is_written_once_is_what_is_made_and_then_ended() {
        let both = [true, false].map(|at_once| {
            let world = World::new();
            let runs = [("a", "one"), ("b", "two"), ("c", "one")];
            // The first two are of a user who is new to both.
            for runs in [&runs[..2], &runs[2..]] {
                for (id, session) in runs {
                    assert_eq!(
                        world.create(id, session, SessionPolicy::Enqueue),
                        Created::Started(FencingToken(1))
                    );
                    if !at_once {
                        world.pending.write(&world.connection).expect("written");
                    }
                }
                for (id, _) in runs {
                    assert!(world.finish(id, 1, id));
                    assert!(!world.finish("other", 1, "nothing"));
                }
            }
            world.pending.write(&world.connection).expect("written");
            (world.rows(), runs.map(|(id, _)| world.log(id)))
        });
        assert_eq!(both[0], both[1]);
        assert!(both[0].0.len() > 15, "{}", both[0].0.len());
        assert!(both[0].1.iter().all(|page| page.batches.len() == 1));
    }

    #[test]
    fn a_log_that_lies_with_its_request_is_trimmed_as_others_are() {
        let world = World::new();
        world.create("a", "s", SessionPolicy::Enqueue);
        assert!(world.finish("a", 1, "a"));
        let last = entries::trim(&world.connection, 1).expect("trimmed");
        assert_eq!((last.first, last.count), (1, 1));
        assert_eq!(world.log("a").batches, [last]);
    }

    #[test]
    fn a_promised_run_has_its_session() {
        let world = World::new();
        assert_eq!(world.create("a", "s", SessionPolicy::Enqueue), Created::Started(FencingToken(1)));
        assert_eq!(world.create("b", "other", SessionPolicy::Enqueue), Created::Started(FencingToken(1)));
        assert_eq!(world.create("c", "s", SessionPolicy::Concurrent), Created::Started(FencingToken(1)));
        assert_eq!(world.create("d", "s", SessionPolicy::Reject), Created::Busy(RunId::new("a")));
        assert_eq!(world.create("e", "s", SessionPolicy::Enqueue), Created::Queued { ahead: 1 });
        assert!(!world.finish("a", 2, "not its owner's"));
        assert!(world.finish("a", 1, "a"));
        assert_eq!(world.create("f", "s", SessionPolicy::Reject), Created::Busy(RunId::new("e")));
    }

    #[test]
    fn what_is_not_asked_for_is_written_in_the_end_or_forgotten() {
        let world = World::new();
        world.create("a", "s", SessionPolicy::Enqueue);
        world.pending.promised.write_one(&world.connection, &RunId::new("unknown")).expect("nothing");
        assert_eq!(world.rows().len(), 1, "of all runs together");
        world.pending.forget();
        world.pending.write(&world.connection).expect("nothing");
        assert_eq!(world.rows().len(), 1);
        world.create("b", "s", SessionPolicy::Enqueue);
        world.pending.write(&world.connection).expect("written");
        assert!(world.rows().len() > 3);
    }
}
