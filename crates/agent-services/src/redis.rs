//! The stores over Redis, for servers that share their data.
//!
//! They need Redis 7 or later, or a compatible server: one server, one monitored by sentinels, or a Redis Cluster.
//! Acknowledged data is as safe as Redis is configured to keep it: `appendonly yes` survives a restart, and
//! `maxmemory-policy` must be `noeviction`, or Redis evicts data when it is full.
//!
//! # Layout
//!
//! Every key except the first begins with `prefix:v1:{user}:`. The braces make the user the hash tag, so that all keys
//! of a user are in one slot of a cluster and a script changes them in one step. Short, plain ids of users and sessions
//! are part of keys unchanged; others have a unique encoded form without braces and colons.
//!
//! | key | what it is | what is in it |
//! |---|---|---|
//! | `prefix:layout` | string | the version of the layout; data of a newer one is refused |
//! | `…:sessions` | sorted set | the user's sessions by number |
//! | `…:sessions:expiry` | sorted set | those that expire, by the time of their expiry |
//! | `…:sessions:last` | string | the number of the last session |
//! | `…:session:<session>` | hash | all of a session: `number`, `id`, `created`, `updated`, `count`, `bytes`, `title`, `metadata`, the messages as `m:<position>`, the ids of messages as `d:<id>`, the batch keys as `b:<key>` |
//! | `…:states` | sorted set | the user's sessions with states, by the time of their expiry |
//! | `…:states:<session>:rounds` | sorted set | the rounds, with 20 digits, in the order of their texts |
//! | `…:states:<session>:values` | hash | the states by round |
//! | `…:memories` | hash | counts of the texts, and for each memory by number its session and time as `h:…`, its message as `m:…`, its words as `w:…` |
//! | `…:memories:words` | sorted set | `word NUL number occurrences length` for each word of each text, in the order of the texts |
//! | `…:memories:numbers` | sorted set | the numbers, with 16 digits, in the order of their texts |
//! | `…:memories:sessions` | sorted set | `session NUL number` in the order of the texts |
//! | `…:memories:last` | string | the number of the last memory |
//!
//! Of runs the hash tag is not the user but four digits that are made of it, and end the run's id, so that a run is found by
//! its id alone. Their keys begin with `prefix:v1:{digits}:`.
//!
//! | key | what it is | what is in it |
//! |---|---|---|
//! | `…:run:<run>` | hash | the record, the token and the owner, until when somebody reads it, and what was answered, for repetitions |
//! | `…:run:<run>:log` | stream | the log, one batch an entry: its id is the number after the batch's last one, its fields `first`, `count` and `frames` |
//! | `…:turns:<user>:<session>` | hash | who is in progress, what was handed to it, and who waits |
//! | `…:runs:<user>` | sorted set | the user's runs by number |
//! | `…:runs-last` | string | the last number of a run |
//! | `…:key:<user>:<key>` | hash | an idempotency key: its fingerprint and its run |
//! | `…:unfinished` | set | the runs that have not ended |
//! | `prefix:v1:owners` | sorted set | the owners by the end of their leases |
//! | `prefix:v1:run-tags` | sorted set | the tags of existing runs, by when they were used last |
//! | `prefix:v1:{ended}:runs` | sorted set | the ended runs, each with its bytes and its user, by their end |
//! | `prefix:v1:{ended}:bytes` | string | the total size of these in bytes |
//! | `prefix:v1:{ended}:trimmed` | sorted set | the ended runs of which only the last entry is left, by when they are to go |
//! | `prefix:v1:{ended}:trimmed-bytes` | string | the total size of these in bytes |
//!
//! Writes to a log are published on `prefix:v1:run:<run>`, and requests to a run on `prefix:v1:owner:<owner>`. The
//! Redis user needs permission for the channels `prefix:*`; otherwise readers wait up to five seconds.
//!
//! Numbers of sessions, memories and runs are at least the server's time in microseconds, so that they grow even after the key
//! with the last one has expired.
//!
//! # What expires
//!
//! A store with a time to live deletes what has not been used for that time: a session with all its data, the states
//! of a session, all memories of a user. Reading counts as use, except `list`. Runs expire some time after their end,
//! with their logs and keys; unfinished runs never expire. The log of a run to be kept longer expires together with the
//! run, so a sweep has to trim it.
//!
//! # What Redis may lose
//!
//! At startup, the store reads the settings of Redis and logs one warning about possible losses of acknowledged data:
//! everything at a restart without persistence, about a second with `appendfsync everysec`, and
//! anything when Redis is full and `maxmemory-policy` is not `noeviction`.
//!
//! # Outages
//!
//! Every call ends within the timeouts. A call that was certainly not executed is retried a few times. A broken
//! connection is replaced, and then a call that is safe to repeat is repeated once. Everything else is
//! [`Unavailable`](crate::ErrorKind::Unavailable), and may have happened.

mod backend;
mod client;
mod config;
mod durability;
mod failure;
mod keys;
mod link;
mod memory;
mod runs;
mod script;
mod servers;
mod session;
mod state;
mod store;
mod url;

pub use backend::RedisBackend;
pub use client::RedisClient;
pub use config::RedisConfig;
pub use memory::RedisMemoryStore;
pub use runs::RedisRunStore;
/// A password, which `Debug` never prints.
pub use secrecy::SecretString;
pub use session::RedisSessionStore;
pub use state::RedisStateStore;
