//! Compares a run store with the in-memory one, using random calls.
//!
//! The calls only have results that the contract determines; a store may choose the others, such as for a repeated part of
//! a batch.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use agent_schemas::{AgentRequest, RunId, SessionId, Status, UserId, sse};
use agent_services::Result;
use agent_services::clock::SystemIds;
use agent_services::page::{PageSize, PageToken};
use agent_services::run::{
    Batch, Canceled, Created, FencingToken, FinishRun, Grant, IdempotencyKey, InMemoryRunStore, NewRun,
    OwnerId, Retention, RunFilter, RunRecord, RunStore, SessionPolicy, fresh_id,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The number of cases for each property: `AGENT_TEST_ROUNDS`, else few.
pub(crate) fn rounds() -> Config {
    #[expect(clippy::disallowed_methods, reason = "a test's effort is set from outside")]
    let rounds = std::env::var("AGENT_TEST_ROUNDS");
    let cases = rounds.map_or(24, |text| text.parse().expect("AGENT_TEST_ROUNDS is a number"));
    Config { failure_persistence: None, ..Config::with_cases(cases) }
}

#[test]
fn run_store__random_calls__agree_with_itself() {
    agrees_with_memory(|retention| async move {
        (Arc::new(InMemoryRunStore::default().with_retention(retention)) as Arc<dyn RunStore>, ())
    });
}

/// Fails unless the created stores, which are empty and not started yet, answer like the in-memory one. The resources of a
/// store are kept until its case is over.
///
/// Some of them have to keep everything, others hardly anything. The latter are swept whenever a run has ended, so that all
/// of them have deleted the same runs.
pub(crate) fn agrees_with_memory<G, F>(make: impl Fn(Retention) -> F)
where
    F: Future<Output = (Arc<dyn RunStore>, G)>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let usage = (proptest::bool::weighted(0.3), vec(usage(), 1..120));
    let tried = TestRunner::new(rounds()).run(&usage, |(forgets, uses)| {
        runtime.block_on(async {
            let age = if forgets { Duration::ZERO } else { Duration::from_secs(24 * 60 * 60) };
            let retention = Retention { age, bytes: 1 << 30 };
            let (tested, _kept) = make(retention).await;
            let mut pair = Pair::start(tested, retention).await;
            for one in uses {
                pair.apply(one).await?;
                pair.check_turns().await?;
            }
            pair.check_all().await?;
            pair.tested.stop().await.expect("stopped");
            Ok(())
        })
    });
    tried.unwrap_or_else(|fault| panic!("{fault}"));
}

const USERS: [&str; 2] = ["u", "u\0"];
const SESSIONS: [&str; 2] = ["s", ""];

/// Entries that continue a log, or do not.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The next ones.
    Next(u64),
    /// Exactly a batch that was written before.
    Again(usize),
    /// As many entries as a batch that was written before, with another text.
    Other(usize),
    /// The last one and the next.
    Overlap,
    /// The one after the next.
    Gap,
}

/// A call; a run is one of those that were to be created, counted from the last.
#[derive(Clone, Debug)]
enum Use {
    Create {
        place: (usize, usize),
        policy: SessionPolicy,
        bound: usize,
        key: Option<(u8, u8, bool)>,
        owner: u8,
        first: u64,
        kept_for: u64,
    },
    CreateAgain(usize, SessionPolicy),
    Append(usize, Part, Age),
    Close(usize, Part, Age, bool),
    Finish(usize, Part, Age, (bool, bool), Option<u8>),
    Read(usize, u64, usize),
    Get(usize),
    List(usize, Option<usize>, Option<Status>, usize),
    Cancel(usize, Part),
    Steered(usize),
    DropSteered(usize, Vec<usize>, Age),
    Heartbeat(u8),
    Retire(u8),
    Orphans,
    TakeOver(usize, u8),
    Attend(usize),
    Delete(usize),
    DeleteSession(usize, usize),
    DeleteUser(usize),
}

/// How many tokens of a run are newer than the used one.
type Age = usize;

fn run() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..4_usize, 2 => 0..40_usize]
}

fn age() -> impl Strategy<Value = Age> {
    prop_oneof![9 => Just(0), 1 => 1..3_usize]
}

fn owner() -> impl Strategy<Value = u8> {
    0..3_u8
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        8 => (0..4_u64).prop_map(Part::Next),
        3 => (0..4_usize).prop_map(Part::Again),
        1 => (0..4_usize).prop_map(Part::Other),
        1 => Just(Part::Overlap),
        1 => Just(Part::Gap),
    ]
}

fn policy() -> impl Strategy<Value = SessionPolicy> {
    prop_oneof![
        5 => Just(SessionPolicy::Enqueue),
        1 => Just(SessionPolicy::Reject),
        2 => Just(SessionPolicy::Interrupt),
        3 => Just(SessionPolicy::Steer),
        1 => Just(SessionPolicy::Concurrent),
    ]
}

/// Usually the first session of the first user, so that its queue gets long.
fn place() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![6 => Just((0, 0)), 2 => (0..2_usize, 0..2_usize)]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Queued), Just(Status::InProgress), Just(Status::Completed), Just(Status::Failed)]
}

fn usage() -> impl Strategy<Value = Use> {
    let key = || proptest::option::weighted(0.3, (0..3_u8, 0..2_u8, proptest::bool::weighted(0.2)));
    let bound = || prop_oneof![1 => 0..3_usize, 3 => Just(16)];
    let kept_for = prop_oneof![Just(0), Just(60 * 60)];
    let create = (place(), policy(), bound(), key(), owner(), 0..3_u64, kept_for).prop_map(
        |(place, policy, bound, key, owner, first, kept_for)| Use::Create {
            place,
            policy,
            bound,
            key,
            owner,
            first,
            kept_for,
        },
    );
    let list = (0..2_usize, proptest::option::of(0..2_usize), proptest::option::of(status()), 1..9_usize);
    let next = || proptest::option::weighted(0.7, owner());
    prop_oneof![
        16 => create,
        1 => (run(), policy()).prop_map(|(run, policy)| Use::CreateAgain(run, policy)),
        8 => (run(), part(), age()).prop_map(|(run, part, age)| Use::Append(run, part, age)),
        3 => (run(), part(), age(), any::<bool>())
            .prop_map(|(run, part, age, is_seen)| Use::Close(run, part, age, is_seen)),
        10 => (run(), part(), age(), any::<(bool, bool)>(), next())
            .prop_map(|(run, part, age, how, next)| Use::Finish(run, part, age, how, next)),
        2 => (run(), 0..12_u64, 0..300_usize).prop_map(|(run, from, bytes)| Use::Read(run, from, bytes)),
        2 => run().prop_map(Use::Get),
        2 => list.prop_map(|(user, session, status, size)| Use::List(user, session, status, size)),
        4 => (run(), part()).prop_map(|(run, part)| Use::Cancel(run, part)),
        2 => run().prop_map(Use::Steered),
        2 => (run(), vec(run(), 0..4), age()).prop_map(|(run, taken, age)| Use::DropSteered(run, taken, age)),
        4 => owner().prop_map(Use::Heartbeat),
        1 => owner().prop_map(Use::Retire),
        2 => Just(Use::Orphans),
        6 => (run(), owner()).prop_map(|(run, owner)| Use::TakeOver(run, owner)),
        1 => run().prop_map(Use::Attend),
        2 => run().prop_map(Use::Delete),
        1 => (0..2_usize, 0..2_usize).prop_map(|(user, session)| Use::DeleteSession(user, session)),
        1 => (0..2_usize).prop_map(Use::DeleteUser),
    ]
}

/// Whether the stores agree.
type Checked = std::result::Result<(), TestCaseError>;

/// The common answer of two stores, an error or not.
type Both<T> = std::result::Result<Option<(T, T)>, TestCaseError>;

/// What is known about a run that was to be created, whether or not it was.
#[derive(Debug)]
struct Known {
    run: NewRun,
    /// The tokens from the store under test and from the in-memory one.
    tokens: Vec<(FencingToken, FencingToken)>,
    /// The batches written to its log.
    batches: Vec<Batch>,
    /// The batch that sealed it.
    closed: Option<Batch>,
    /// The batch that ended it.
    ended: Option<(Batch, Status, Option<OwnerId>)>,
}

impl Known {
    fn id(&self) -> &RunId {
        &self.run.record.id
    }

    fn end(&self) -> u64 {
        self.batches.iter().map(Batch::end).max().unwrap_or_default()
    }

    /// The token before this many newer ones; an invalid one if there is none.
    fn token(&self, age: Age) -> (FencingToken, FencingToken) {
        let newest_first = self.tokens.iter().rev();
        newest_first.skip(age).copied().next().unwrap_or((FencingToken(0), FencingToken(0)))
    }

    /// The entries to write. `repeated` is the batch that the same call may repeat; without it, any batch is.
    fn batch(&self, part: Part, repeated: Option<Option<&Batch>>) -> Batch {
        // Only new entries are written to a log that has ended: for others, the contract does not say whether they are a
        // repetition or too late.
        let least = u64::from(self.ended.is_some());
        let part = if matches!(part, Part::Again(_)) && least > 0 { Part::Next(1) } else { part };
        let end = self.end();
        let known = |number: usize| self.batches.get(number % self.batches.len().max(1));
        match part {
            Part::Next(count) => entries(end, count.max(least), "new"),
            Part::Again(number) => {
                let again = repeated.unwrap_or_else(|| known(number));
                again.cloned().unwrap_or_else(|| entries(end, 1, "new"))
            }
            Part::Other(number) => {
                let known = known(number).map_or((end, 1), |known| (known.first, known.count.max(1)));
                entries(known.0, known.1, if known.0 == end { "new" } else { "other" })
            }
            Part::Overlap => entries(end.saturating_sub(1), 2, "new"),
            Part::Gap => entries(end + 1, 1, "new"),
        }
    }
}

fn entries(first: u64, count: u64, text: &str) -> Batch {
    let mut frames = Vec::new();
    for number in first..first + count {
        sse::start_frame(&mut frames, number);
        frames.extend_from_slice(format!("\"{text}\"").as_bytes());
        sse::end_frame(&mut frames);
    }
    Batch { first, count, frames: frames.into() }
}

fn owner_id(number: u8) -> OwnerId {
    OwnerId::new(format!("owner {number}"))
}

fn size(items: usize) -> PageSize {
    PageSize::new(items).expect("a size")
}

/// A record without the parts that stores may choose.
fn plain(mut record: RunRecord) -> RunRecord {
    record.number = 0;
    record.ended_at = record.ended_at.map(|_| 0);
    record
}

/// Fails unless two stores answered the same, except for what `same` ignores.
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
struct Pair {
    tested: Arc<dyn RunStore>,
    memory: InMemoryRunStore,
    runs: Vec<Known>,
    /// The runs that take no turns in their session.
    outside: HashSet<RunId>,
    /// Whether ended runs are deleted.
    forgets: bool,
}

impl Pair {
    async fn start(tested: Arc<dyn RunStore>, retention: Retention) -> Self {
        let memory = InMemoryRunStore::default().with_retention(retention);
        let forgets = retention.age.is_zero();
        let pair = Pair { tested, memory, runs: Vec::new(), outside: HashSet::new(), forgets };
        pair.tested.start().await.expect("started");
        agent_services::Service::start(&pair.memory).await.expect("started");
        pair
    }

    /// The index of a run that is counted from the last.
    fn place(&self, run: usize) -> Option<usize> {
        let runs = self.runs.len();
        (runs > 0).then(|| runs - 1 - run % runs)
    }

    /// Records a token, which must be greater than the previous ones.
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
    async fn apply(&mut self, one: Use) -> Checked {
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
                // Only while it exists, because a deleted run would then have another history.
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
                    // The contract does not say whether the last entries may be written again to end a log.
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
                // Inputs handed to an ended run are in the queue, so nobody makes this call.
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

    /// A repeated answer must have the same token as the first.
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

    /// One run of a session is in progress at a time, and if none is, the first queued run is an orphan.
    async fn check_turns(&self) -> Checked {
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

    /// Compares all observable data at the end.
    async fn check_all(&self) -> Checked {
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

/// A log from an entry on, regardless of its pages, and whether it has ended.
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
