//! Jobs that succeed and fail together.

use rusqlite::ErrorCode;
use tokio::sync::oneshot::Receiver;

use super::*;

/// A database with a table and little free space.
fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("a database");
    let schema = "PRAGMA foreign_keys = on;
                  CREATE TABLE kept (number INTEGER PRIMARY KEY, text TEXT);
                  CREATE TABLE late (number INTEGER REFERENCES kept DEFERRABLE INITIALLY DEFERRED)";
    connection.execute_batch(schema).expect("a schema");
    connection.query_row("PRAGMA max_page_count = 20", [], |_| Ok(())).expect("a limit");
    connection
}

/// A job that executes a statement, and its reply.
fn job(sql: &'static str) -> (Box<dyn Job>, Receiver<Result<usize>>) {
    job_of(move |connection| Ok(connection.execute(sql, [])?))
}

fn job_of<T: Send + 'static>(
    work: impl FnMut(&Connection) -> Outcome<T> + Send + 'static,
) -> (Box<dyn Job>, Receiver<Result<T>>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(Write { operation: "test", work, result: None, reply }), answer)
}

/// Commits statements together; returns the kinds of their errors and the resulting rows.
fn commit_all(
    connection: &Connection,
    statements: &[&'static str],
) -> (Vec<std::result::Result<usize, ErrorKind>>, Vec<i64>) {
    let (group, answers): (Vec<_>, Vec<_>) = statements.iter().map(|sql| job(sql)).unzip();
    commit(connection, group, &mut |_| Vec::new(), &Messenger::here());
    assert!(connection.is_autocommit(), "no transaction is left open");
    let answers = answers
        .into_iter()
        .map(|mut answer| answer.try_recv().expect("each job is answered").map_err(|error| error.kind()));
    (answers.collect(), kept(connection))
}

fn kept(connection: &Connection) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT number FROM kept ORDER BY number").expect("SQL");
    let numbers = statement.query_map([], |row| row.get(0)).expect("rows");
    numbers.collect::<rusqlite::Result<_>>().expect("numbers")
}

const ONE: &str = "INSERT INTO kept VALUES (1, '')";
const TWO: &str = "INSERT INTO kept VALUES (2, '')";
const HUGE: &str = "INSERT INTO kept VALUES (3, hex(zeroblob(1000000)))";
const DANGLING: &str = "INSERT INTO late VALUES (99)";

#[test]
fn commit__failed_job__leaves_others_alone() {
    let connection = database();
    let (answers, kept) = commit_all(&connection, &[ONE, ONE, TWO]);
    assert_eq!((answers, kept), (vec![Ok(1), Err(ErrorKind::Unexpected), Ok(1)], vec![1, 2]));
}

#[test]
fn commit__failed_job__is_rolled_back() {
    let connection = database();
    let (half, mut answer) = job_of(|connection| {
        connection.execute(ONE, [])?;
        Err::<(), _>(Error::new(ErrorKind::InvalidInput, "test", "enough").into())
    });
    let (whole, _) = job(TWO);
    commit(&connection, vec![half, whole], &mut |_| Vec::new(), &Messenger::here());
    let answer = answer.try_recv().expect("answered").map_err(|error| error.kind());
    assert_eq!((answer, kept(&connection)), (Err(ErrorKind::InvalidInput), vec![2]));
}

#[test]
fn commit__job_failed_before_writing__is_not_repeated() {
    let connection = database();
    let mut times = 0;
    let (refused, mut answer) = job_of(move |_| {
        times += 1;
        Err::<(), _>(Error::new(ErrorKind::InvalidInput, "test", times.to_string()).into())
    });
    let (whole, _) = job(TWO);
    commit(&connection, vec![whole, refused], &mut |_| Vec::new(), &Messenger::here());
    let answer = answer.try_recv().expect("answered").map_err(|error| error.to_string());
    assert_eq!((answer, kept(&connection)), (Err("test: 1".to_owned()), vec![2]));
}

#[test]
fn commit__full_database__refuses_only_what_does_not_fit() {
    let connection = database();
    // SQLite then undoes the whole transaction, and the other jobs have to run again.
    connection.execute_batch("BEGIN").expect("begun");
    let error = connection.execute(HUGE, []).expect_err("too large");
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DiskFull));
    assert!(connection.is_autocommit(), "SQLite undid it");
    let (answers, kept) = commit_all(&connection, &[ONE, HUGE, TWO]);
    assert_eq!((answers, kept), (vec![Ok(1), Err(ErrorKind::Unavailable), Ok(1)], vec![1, 2]));
    let (answers, kept) = commit_all(&connection, &[HUGE]);
    assert_eq!((answers, kept), (vec![Err(ErrorKind::Unavailable)], vec![1, 2]));
}

#[test]
fn commit__failure__fails_every_job() {
    let connection = database();
    let (answers, kept) = commit_all(&connection, &[ONE, DANGLING, TWO, TWO]);
    assert_eq!((answers, kept), (vec![Err(ErrorKind::Unexpected); 4], vec![]));
    let (answers, kept) = commit_all(&connection, &[ONE]);
    assert_eq!((answers, kept), (vec![Ok(1)], vec![1]));
}

#[test]
fn commit__panic__fails_one_job() {
    let connection = database();
    let (panics, mut answer) = job_of(|connection| -> Outcome<()> {
        connection.execute(ONE, [])?;
        panic!("a fault in a test");
    });
    let (whole, _) = job(TWO);
    commit(&connection, vec![panics, whole], &mut |_| Vec::new(), &Messenger::here());
    let answer = answer.try_recv().expect("answered").map_err(|error| error.kind());
    assert_eq!((answer, kept(&connection)), (Err(ErrorKind::Unexpected), vec![2]));
}

#[test]
fn commit__dropped_receiver__still_commits() {
    let connection = database();
    let (job, answer) = job(ONE);
    drop(answer);
    commit(&connection, vec![job], &mut |_| Vec::new(), &Messenger::here());
    assert_eq!(kept(&connection), [1]);
}

#[test]
fn commit__jobs_arriving_meanwhile__join_it() {
    let connection = database();
    let (first, mut answer) = job(ONE);
    let (follower, mut last) = job(TWO);
    let mut follower = Some(follower);
    let mut more = |_| {
        assert!(!connection.is_autocommit(), "it is not committed yet");
        assert!(answer.try_recv().is_err(), "nothing is acknowledged before its commit");
        follower.take().into_iter().collect()
    };
    commit(&connection, vec![first], &mut more, &Messenger::here());
    assert_eq!(answer.try_recv().expect("answered").expect("done"), 1);
    assert_eq!(last.try_recv().expect("answered").expect("done"), 1);
    assert_eq!(kept(&connection), [1, 2]);
}

#[tokio::test]
async fn stop__queued_jobs__are_committed_first() {
    let (closed, at_end) = oneshot::channel();
    let writer = Writer::spawn(database(), &Handle::current(), |connection| {
        closed.send(kept(&connection)).expect("sent")
    });
    let writer = writer.expect("a thread");
    let (begun, beginning) = std::sync::mpsc::channel::<()>();
    let mut begun = Some(begun);
    // The first job keeps the thread busy until everything is queued.
    let first = writer.write("test", Urgency::Now, move |_| Ok(beginning.recv().is_ok()));
    let others = (0..100).map(|number| {
        let insert = move |connection: &Connection| {
            Ok(connection.execute("INSERT INTO kept VALUES (?1, '')", [number])?)
        };
        writer.write("test", Urgency::Now, insert)
    });
    let mut waiting: Vec<_> = others.map(Box::pin).collect();
    let mut first = Box::pin(first);
    std::future::poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        for job in &mut waiting {
            assert!(job.as_mut().poll(context).is_pending(), "nothing is acknowledged before its commit");
        }
        std::task::Poll::Ready(())
    })
    .await;
    drop((first, waiting));
    drop(writer);
    drop(begun.take());
    let kept = at_end.await.expect("the thread ends");
    assert_eq!(kept, (0..100).collect::<Vec<i64>>(), "what was queued is written although nobody waits");
}
