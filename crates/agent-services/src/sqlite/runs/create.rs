//! Creates runs.

use agent_schemas::{RunId, Status};
use rusqlite::{Connection, params};

use super::entries::EncodedBatch;
use super::head::{ACTIVE, Head, STEERED, WAITING, head};
use super::notifications::Notifications;
use super::request::Request;
use super::turns;
use crate::run::{Created, FencingToken, NewRun, OwnerId, SessionPolicy};
use crate::sqlite::failure::{Failure, Outcome};
use crate::sqlite::row::utf8;
use crate::sqlite::statement::{bounded, statements};
use crate::sqlite::users;
use crate::{Error, ErrorKind, Result};

pub(in crate::sqlite) const OPERATION: &str = "create a run";

statements! {
    KNOWN_KEY: "SELECT fingerprint, runs.id FROM run_keys JOIN runs ON runs.key = run \
                WHERE run_keys.user = ?1 AND run_keys.key = ?2";
    KNOWN: "SELECT 1 FROM runs WHERE id = ?1";
    NUMBER: "UPDATE users SET last_run = last_run + 1 WHERE key = ?1 RETURNING last_run";
    ADD: "INSERT INTO runs (id, user, session, number, created_at, status, token, owner, entries, bytes, turn, place, \
          kept_for) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (id) DO NOTHING";
    ADD_KEY: "INSERT INTO run_keys (user, key, fingerprint, run) VALUES (?1, ?2, ?3, ?4)";
}

/// How a session treats a new run.
enum Turn {
    Concurrent,
    Now,
    Later { place: i64, ahead: u64 },
    Handed { place: i64, active: Head },
    Not(Created),
}

/// A run that is ready to be created.
#[derive(Debug)]
pub(in crate::sqlite) struct Create {
    run: NewRun,
    first: EncodedBatch,
    request: Request,
}

impl Create {
    /// # Errors
    /// If the request cannot be stored.
    pub(in crate::sqlite) fn new(run: NewRun) -> Result<Self> {
        let request = Request::new(OPERATION, &run.record)?;
        let first = EncodedBatch::new(run.first.clone());
        Ok(Create { run, first, request })
    }

    /// Creates the run, unless its session or its key decides otherwise.
    pub(in crate::sqlite) fn run(
        &self,
        connection: &Connection,
        notifications: &mut Notifications,
    ) -> Outcome<Created> {
        let user_id = self.run.record.user_id.as_str();
        let user = users::find(connection, user_id)?;
        if let Some(known) = self.key_says(connection, user)? {
            return Ok(known);
        }
        if self.run.first.first != 0 {
            let message = "the entries do not continue the log";
            return Err(Error::new(ErrorKind::Conflict, OPERATION, message).into());
        }
        let turn = match user {
            Some(user) => self.take_turn(connection, user, notifications)?,
            None => self.first_turn(),
        };
        if let Turn::Not(created) = turn {
            // Only in this case does no insertion detect the conflict.
            if KNOWN.exists(connection, [self.run.record.id.as_str().as_bytes()])? {
                return Err(self.exists());
            }
            return Ok(created);
        }
        let user = match user {
            Some(user) => user,
            None => users::find_or_add(connection, user_id)?,
        };
        let number = next_number(connection, user)?;
        let (created, leads_to) = match turn {
            Turn::Not(created) => return Ok(created),
            Turn::Concurrent => {
                (Created::Started(FencingToken(1)), self.add(connection, user, number, None)?)
            }
            Turn::Now => {
                let turn = Some((ACTIVE, 0));
                (Created::Started(FencingToken(1)), self.add(connection, user, number, turn)?)
            }
            Turn::Later { place, ahead } => {
                let turn = Some((WAITING, place));
                (Created::Queued { ahead }, self.add(connection, user, number, turn)?)
            }
            Turn::Handed { place, active } => {
                self.add(connection, user, number, Some((STEERED, place)))?;
                (Created::Steered(active.id), active.key)
            }
        };
        if let Some(key) = &self.run.key {
            let (key, fingerprint) = (key.key.as_bytes(), key.fingerprint.as_bytes());
            ADD_KEY.execute(connection, params![user, key, fingerprint, leads_to])?;
        }
        Ok(created)
    }

    /// The result according to the idempotency key; `user` is the key of its user, if known.
    fn key_says(&self, connection: &Connection, user: Option<i64>) -> Outcome<Option<Created>> {
        let Some(key) = &self.run.key else { return Ok(None) };
        // No row has the user NULL.
        let known = KNOWN_KEY.one(connection, params![user, key.key.as_bytes()], |row| {
            let fingerprint: Vec<u8> = row.get(0)?;
            Ok(if fingerprint == key.fingerprint.as_bytes() {
                Created::Repeated(RunId::new(utf8(row.get(1)?)?))
            } else {
                Created::KeyReused
            })
        })?;
        Ok(known.or_else(|| key.is_repeated.then_some(Created::KeyUnknown)))
    }

    fn policy(&self) -> SessionPolicy {
        self.run.record.options.session_policy
    }

    /// The turn of a run in a session without other runs.
    fn first_turn(&self) -> Turn {
        if self.policy() == SessionPolicy::Concurrent { Turn::Concurrent } else { Turn::Now }
    }

    /// Assigns the run its place in its session.
    fn take_turn(
        &self,
        connection: &Connection,
        user: i64,
        notifications: &mut Notifications,
    ) -> Outcome<Turn> {
        let policy = self.policy();
        let session = self.run.record.session_id.as_str().as_bytes();
        let head = if policy == SessionPolicy::Concurrent { None } else { head(connection, user, session)? };
        let Some(head) = head else { return Ok(self.first_turn()) };
        if policy == SessionPolicy::Reject {
            return Ok(Turn::Not(Created::Busy(head.id)));
        }
        let (waiting, queued_bytes) = turns::waiting(connection, user, session)?;
        if self.run.overfills(waiting, queued_bytes, self.request.json_bytes()) {
            return Ok(Turn::Not(Created::QueueFull));
        }
        let is_active = head.turn == ACTIVE;
        Ok(match policy {
            SessionPolicy::Steer if is_active => {
                notifications.signal(head.owner.as_ref(), &head.id);
                Turn::Handed { place: turns::behind(connection, user, session, STEERED)?, active: head }
            }
            SessionPolicy::Interrupt => {
                if is_active {
                    turns::request_cancel(connection, head.key)?;
                    notifications.signal(head.owner.as_ref(), &head.id);
                }
                let place = turns::before(connection, user, session)?;
                Turn::Later { place, ahead: u64::from(is_active) }
            }
            _ => {
                let place = turns::behind(connection, user, session, WAITING)?;
                Turn::Later { place, ahead: waiting as u64 + u64::from(is_active) }
            }
        })
    }

    /// Stores the run and its first entries; returns its key.
    fn add(&self, connection: &Connection, user: i64, number: i64, turn: Option<(i64, i64)>) -> Outcome<i64> {
        let NewRun { record, first, owner, .. } = &self.run;
        let starts = turn.is_none_or(|(turn, _)| turn == ACTIVE);
        let status = if starts { Status::InProgress } else { Status::Queued };
        let (id, session) = (record.id.as_str().as_bytes(), record.session_id.as_str().as_bytes());
        let added = ADD.execute(
            connection,
            params![
                id,
                user,
                session,
                number,
                record.created_at,
                status.as_str(),
                i64::from(starts),
                starts.then_some(owner).map(OwnerId::as_str).map(str::as_bytes),
                bounded(first.count),
                first.frames.len(),
                turn.map(|(turn, _)| turn),
                turn.map(|(_, place)| place),
                bounded(record.options.response_ttl.as_secs()),
            ],
        )?;
        if added == 0 {
            return Err(self.exists());
        }
        let key = connection.last_insert_rowid();
        self.request.add(connection, key, record, &self.first)?;
        Ok(key)
    }

    fn exists(&self) -> Failure {
        let message = format!("run {} already exists", self.run.record.id);
        Error::new(ErrorKind::AlreadyExists, OPERATION, message).into()
    }
}

/// The number of a user's next run.
fn next_number(connection: &Connection, user: i64) -> Outcome<i64> {
    let number = NUMBER.one(connection, [user], |row| Ok(row.get(0)?))?;
    number.ok_or_else(|| Failure::Damaged("a user is missing from the index".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use agent_schemas::{AgentRequest, Message, SessionId, UserId};

    use super::*;
    use crate::run::{Batch, RunRecord};
    use crate::sqlite::migrations::migrate;
    use crate::sqlite::runs::entries;

    #[test]
    fn trim__log_stored_with_request__is_trimmed() {
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection, 0).expect("migrated");
        let request = Arc::new(AgentRequest::new(vec![Message::user("hello")]));
        let id = RunId::new("a");
        let record = RunRecord::new(id.clone(), UserId::new("u"), SessionId::new("s"), "agent", 7, request);
        let frames = format!("id: 0\ndata: {}\n\nid: 1\ndata: last\n\n", "x".repeat(2000));
        let first = Batch { first: 0, count: 2, frames: frames.into_bytes().into() };
        let create = Create::new(NewRun::new(record, first, OwnerId::new("me"))).expect("JSON");
        let created = create.run(&connection, &mut Notifications::new(Arc::default())).expect("made");
        assert_eq!(created, Created::Started(FencingToken(1)));
        let last = entries::trim(&connection, 1).expect("trimmed");
        assert_eq!((last.first, last.count), (1, 1));
        let chunk = entries::read(&connection, &id, 1, usize::MAX).expect("readable").expect("kept");
        assert_eq!(chunk.batches, [last]);
    }
}
