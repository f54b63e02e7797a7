//! Two stores, side by side.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId};
use agent_services::Result;
use agent_services::clock::SystemIds;
use agent_services::page::{PageSize, PageToken};
use agent_services::run::{
    Canceled, Created, FencingToken, FinishRun, Grant, IdempotencyKey, InMemoryRunStore, NewRun, OwnerId,
    Retention, RunFilter, RunRecord, RunStore, SessionPolicy, fresh_id,
};
use proptest::prelude::*;

use super::calls::{Part, SESSIONS, USERS, Use};
use super::known::{Known, entries};

/// Whether the stores agree.
type Checked = std::result::Result<(), TestCaseError>;

/// What two stores answered alike, fault or not.
type Both<T> = std::result::Result<Option<(T, T)>, TestCaseError>;

fn owner_id(number: u8) -> OwnerId {
    OwnerId::new(format!("owner {number}"))
}

fn size(items: usize) -> PageSize {
    PageSize::new(items).expect("a size")
}

/// A record without what stores give as they like.
fn plain(mut record: RunRecord) -> RunRecord {
    record.number = 0;
    record.ended_at = record.ended_at.map(|_| 0);
    record
}

/// Fails unless two stores answered the same, but for what `same` leaves out.
fn both<T, S: PartialEq + Debug>(tested: Result<T>, memory: Result<T>, same: impl Fn(&T) -> S) -> Both<T> {
    let seen = |result: &Result<T>| result.as_ref().map(&same).map_err(agent_services::Error::kind);
    prop_assert_eq!(seen(&tested), seen(&memory));
    Ok(tested.ok().zip(memory.ok()))
}

/// Fails unless two stores answered the same.
fn same<T: PartialEq + Debug + Clone>(tested: Result<T>, memory: Result<T>) -> Checked {
    both(tested, memory, T::clone).map(drop)
}

/// Two stores that receive the same calls.
pub(super) struct Pair {
    pub(super) tested: Arc<dyn RunStore>,
    memory: InMemoryRunStore,
    runs: Vec<Known>,
    /// The runs that take no turn in their session.
    outside: HashSet<RunId>,
    /// Whether what has ended is forgotten.
    forgets: bool,
}

impl Pair {
    pub(super) async fn start(tested: Arc<dyn RunStore>, retention: Retention) -> Self {
        let memory = InMemoryRunStore::default().with_retention(retention);
        let forgets = retention.age.is_zero();
        let pair = Pair { tested, memory, runs: Vec::new(), outside: HashSet::new(), forgets };
        pair.tested.start().await.expect("started");
        agent_services::Service::start(&pair.memory).await.expect("started");
        pair
    }

    /// The place of a run that is counted from the last.
    fn place(&self, run: usize) -> Option<usize> {
        let runs = self.runs.len();
        (runs > 0).then(|| runs - 1 - run % runs)
    }

    /// Notes a right, which has to be greater than those before.
    fn give(&mut self, id: &RunId, token: (FencingToken, FencingToken)) -> Checked {
        let known = self.runs.iter_mut().find(|known| known.id() == id);
        let Some(known) = known else { return Err(TestCaseError::fail(format!("nobody asked for {id}"))) };
        prop_assert!(known.tokens.iter().all(|before| before.0 < token.0 && before.1 < token.1));
        known.tokens.push(token);
        Ok(())
    }

    async fn create(&mut self, run: NewRun) -> Checked {
        let (a, b) = (self.tested.create(run.clone()).await, self.memory.create(run.clone()).await);
        let created = both(a, b, |created| match created {
            Created::Started(_) => Created::Started(FencingToken(0)),
            other => other.clone(),
        })?;
        let Some((tested, memory)) = created else { return Ok(()) };
        let id = run.record.id.clone();
        if run.record.options.session_policy == SessionPolicy::Concurrent
            && matches!(memory, Created::Started(_))
        {
            self.outside.insert(id.clone());
        }
        let batches = vec![run.first.clone()];
        self.runs.retain(|known| *known.id() != id);
        self.runs.push(Known { run, tokens: Vec::new(), batches, closed: None, ended: None });
        match (tested, memory) {
            (Created::Started(tested), Created::Started(memory)) => self.give(&id, (tested, memory)),
            _ => Ok(()),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each call")]
    pub(super) async fn apply(&mut self, one: Use) -> Checked {
        let (a, b) = (Arc::clone(&self.tested), &self.memory);
        let place = |run: usize| self.place(run);
        match one {
            Use::Create { place: (user, session), policy, bound, key, owner, first, kept_for } => {
                let (user, session) = (UserId::new(USERS[user]), SessionId::new(SESSIONS[session]));
                let id = fresh_id(&SystemIds, &user);
                let request = Arc::new(AgentRequest::new(Vec::new()));
                let mut record = RunRecord::new(id, user, session, "agent", 7, request);
                record.options.response_ttl = Duration::from_secs(kept_for);
                let key = key.map(|(key, fingerprint, is_repeated)| {
                    let key = IdempotencyKey::new(key.to_string(), fingerprint.to_string());
                    if is_repeated { key.repeated() } else { key }
                });
                let run = NewRun::new(record, entries(0, first, "new"), owner_id(owner));
                self.create(run.with_policy(policy).with_max_queued(bound).with_key(key)).await
            }
            Use::CreateAgain(run, policy) => {
                let Some(place) = place(run) else { return Ok(()) };
                // Only while it is there, as a run that was forgotten would have another history then.
                let known = &self.runs[place];
                if b.get(known.id()).await.expect("readable").is_none() {
                    return Ok(());
                }
                let run = known.run.clone().with_policy(policy);
                same(a.create(run.clone()).await.map(|_| ()), b.create(run).await.map(|_| ()))
            }
            Use::Append(run, part, age) => {
                let Some(place) = place(run) else { return Ok(()) };
                let known = &mut self.runs[place];
                let (batch, token) = (known.batch(part, None), known.token(age));
                let id = known.id().clone();
                let tested = a.append(&id, token.0, batch.clone()).await;
                if both(tested, b.append(&id, token.1, batch.clone()).await, |written| *written)?.is_some() {
                    known.batches.push(batch);
                }
                Ok(())
            }
            Use::Close(run, part, age, cancel_seen) => {
                let Some(place) = place(run) else { return Ok(()) };
                let known = &mut self.runs[place];
                let (batch, token) = (known.batch(part, Some(known.closed.as_ref())), known.token(age));
                let id = known.id().clone();
                let tested = a.seal(&id, token.0, batch.clone(), "ending", cancel_seen).await;
                if both(tested, b.seal(&id, token.1, batch.clone(), "ending", cancel_seen).await, |()| ())?
                    .is_some()
                {
                    known.batches.push(batch.clone());
                    known.closed = Some(batch);
                }
                Ok(())
            }
            Use::Finish(run, part, age, (is_good, cancel_seen), next) => {
                let Some(place) = place(run) else { return Ok(()) };
                let known = &mut self.runs[place];
                let token = known.token(age);
                let status = if is_good { Status::Completed } else { Status::Failed };
                let (batch, status, next) = match (&known.ended, part) {
                    (Some(ended), Part::Again(_)) => ended.clone(),
                    // Whether the last entries may be written a second time to end a log is not said.
                    (_, part) => (known.batch(part, Some(None)), status, next.map(owner_id)),
                };
                let id = known.id().clone();
                let end = |token| {
                    let run = FinishRun::new(id.clone(), token, batch.clone(), status.clone());
                    run.with_next(next.clone()).with_cancel_seen(cancel_seen)
                };
                let tested = a.finish(end(token.0)).await.map(|finished| finished.granted);
                let memory = b.finish(end(token.1)).await.map(|finished| finished.granted);
                let granted = both(tested, memory, |grant| grant.as_ref().map(|grant| grant.id.clone()))?;
                let Some(granted) = granted else { return Ok(()) };
                let is_repeated = known.ended.is_some();
                if !is_repeated {
                    known.batches.push(batch.clone());
                    known.ended = Some((batch, status, next));
                }
                if self.forgets {
                    a.sweep().await.expect("swept");
                    b.sweep().await.expect("swept");
                }
                match granted {
                    (Some(tested), Some(memory)) if is_repeated => self.check_given(&tested, &memory),
                    (Some(tested), Some(memory)) => self.give(&tested.id, (tested.token, memory.token)),
                    _ => Ok(()),
                }
            }
            Use::Read(run, from, bytes) => {
                let Some(place) = place(run) else { return Ok(()) };
                let id = self.runs[place].id();
                let tested = read_all(&*a, id, from, bytes).await;
                prop_assert_eq!(tested, read_all(b, id, from, bytes).await);
                Ok(())
            }
            Use::Get(run) => {
                let Some(place) = place(run) else { return Ok(()) };
                let id = self.runs[place].id();
                let record = |found: &Option<RunRecord>| found.clone().map(plain);
                both(a.get(id).await, b.get(id).await, record).map(drop)
            }
            Use::List(user, session, status, items) => self.check_list(user, session, status, items).await,
            Use::Cancel(run, part) => {
                let Some(place) = place(run) else { return Ok(()) };
                let known = &mut self.runs[place];
                let (id, last) = (known.id().clone(), known.batch(part, None));
                let tested = a.cancel(&id, last.clone()).await;
                let canceled = both(tested, b.cancel(&id, last.clone()).await, Option::clone)?;
                if let Some((Some(Canceled::Dequeued), _)) = canceled {
                    known.batches.push(last.clone());
                    known.ended = Some((last, Status::Canceled, None));
                    if self.forgets {
                        a.sweep().await.expect("swept");
                        b.sweep().await.expect("swept");
                    }
                }
                Ok(())
            }
            Use::Steered(run) => {
                let Some(place) = place(run) else { return Ok(()) };
                let id = self.runs[place].id();
                let records = |found: &Vec<RunRecord>| found.iter().cloned().map(plain).collect::<Vec<_>>();
                both(a.steered(id).await, b.steered(id).await, records).map(drop)
            }
            Use::DropSteered(run, taken, age) => {
                let Some(place) = place(run) else { return Ok(()) };
                let known = &self.runs[place];
                // What an ended run was handed is in the queue, so nobody asks for this.
                if known.ended.is_some() {
                    return Ok(());
                }
                let (id, token) = (known.id(), known.token(age));
                let taken = taken.into_iter().filter_map(|run| self.place(run));
                let taken: Vec<RunId> = taken.map(|place| self.runs[place].id().clone()).collect();
                same(a.drop_steered(id, token.0, &taken).await, b.drop_steered(id, token.1, &taken).await)
            }
            Use::Heartbeat(owner) => {
                let (owner, lease) = (owner_id(owner), Duration::from_secs(60 * 60));
                same(a.heartbeat(&owner, lease).await, b.heartbeat(&owner, lease).await)
            }
            Use::Retire(owner) => {
                let owner = owner_id(owner);
                same(a.release_lease(&owner).await, b.release_lease(&owner).await)
            }
            Use::Orphans => self.check_orphans().await,
            Use::TakeOver(run, owner) => {
                let Some(place) = place(run) else { return Ok(()) };
                let (id, owner) = (self.runs[place].id().clone(), owner_id(owner));
                let (tested, memory) = (a.take_over(&id, &owner).await, b.take_over(&id, &owner).await);
                match both(tested, memory, Option::is_some)? {
                    Some((Some(tested), Some(memory))) => self.give(&id, (tested, memory)),
                    _ => Ok(()),
                }
            }
            Use::Attend(run) => {
                let Some(place) = place(run) else { return Ok(()) };
                let (id, time) = (self.runs[place].id(), Duration::from_secs(60 * 60));
                same(a.touch_reader(id, time).await, b.touch_reader(id, time).await)?;
                both(a.reader_ttl(id).await, b.reader_ttl(id).await, Duration::is_zero).map(drop)
            }
            Use::Delete(run) => {
                let Some(place) = place(run) else { return Ok(()) };
                let id = self.runs[place].id();
                same(a.delete(id).await, b.delete(id).await)
            }
            Use::DeleteSession(user, session) => {
                let (user, session) = (UserId::new(USERS[user]), SessionId::new(SESSIONS[session]));
                same(a.delete_session(&user, &session).await, b.delete_session(&user, &session).await)
            }
            Use::DeleteUser(user) => {
                let user = UserId::new(USERS[user]);
                same(a.delete_user(&user).await, b.delete_user(&user).await)
            }
        }
    }

    /// A repeated answer has to give the same right as the first.
    fn check_given(&self, tested: &Grant, memory: &Grant) -> Checked {
        let known = self.runs.iter().find(|known| *known.id() == tested.id);
        let is_known = known.is_some_and(|known| known.tokens.contains(&(tested.token, memory.token)));
        prop_assert!(is_known, "{tested:?} was not given before");
        Ok(())
    }

    async fn check_list(
        &self,
        user: usize,
        session: Option<usize>,
        status: Option<Status>,
        items: usize,
    ) -> Checked {
        let mut filter = RunFilter::default();
        filter.session = session.map(|session| SessionId::new(SESSIONS[session]));
        filter.status = status;
        let user = UserId::new(USERS[user]);
        let mut after: (Option<PageToken>, Option<PageToken>) = (None, None);
        loop {
            let tested = self.tested.list(&user, &filter, after.0, size(items)).await;
            let memory = self.memory.list(&user, &filter, after.1, size(items)).await;
            let page = both(tested, memory, |page| {
                (page.items.iter().cloned().map(plain).collect::<Vec<_>>(), page.next.is_some())
            })?;
            let Some((tested, memory)) = page else { return Ok(()) };
            after = (tested.next, memory.next);
            if after.0.is_none() {
                return Ok(());
            }
        }
    }

    async fn check_orphans(&self) -> Checked {
        let (tested, memory) = (self.tested.orphans(size(1000)).await, self.memory.orphans(size(1000)).await);
        both(tested, memory, |found| found.iter().map(|id| id.as_str().to_owned()).collect::<BTreeSet<_>>())
            .map(drop)
    }

    /// One run of a session is in progress at a time, and where none is, the first that waits is an orphan.
    pub(super) async fn check_turns(&self) -> Checked {
        let orphans = self.memory.orphans(size(1000)).await.expect("found");
        for user in USERS {
            for session in SESSIONS {
                let mut filter = RunFilter::default();
                filter.session = Some(SessionId::new(session));
                let runs = self.memory.list(&UserId::new(user), &filter, None, size(1000)).await;
                let runs = runs.expect("listed").items;
                let of = |status: Status| runs.iter().filter(move |record| record.status == status);
                let active =
                    of(Status::InProgress).filter(|record| !self.outside.contains(&record.id)).count();
                prop_assert!(active <= 1, "{active} in progress");
                let heads = of(Status::Queued).filter(|record| orphans.contains(&record.id)).count();
                let waits = of(Status::Queued).count() > 0;
                prop_assert_eq!(heads, usize::from(waits && active == 0));
            }
        }
        Ok(())
    }

    /// Everything that can be seen, at the end.
    pub(super) async fn check_all(&self) -> Checked {
        self.check_orphans().await?;
        for user in 0..USERS.len() {
            self.check_list(user, None, None, 1000).await?;
        }
        for known in &self.runs {
            let tested = read_all(&*self.tested, known.id(), 0, 100).await;
            prop_assert_eq!(tested, read_all(&self.memory, known.id(), 0, 100).await);
        }
        Ok(())
    }
}

/// A log from an entry on, however it is cut into pages, and whether it has ended.
async fn read_all(store: &dyn RunStore, id: &RunId, from: u64, bytes: usize) -> Option<(Vec<u8>, bool)> {
    let (mut from, mut frames) = (from, Vec::new());
    loop {
        let page = store.read(id, from, bytes).await.expect("readable")?;
        for batch in &page.batches {
            frames.extend_from_slice(&batch.frames);
            from = batch.end();
        }
        if page.is_end || page.batches.is_empty() {
            return Some((frames, page.is_end));
        }
    }
}
