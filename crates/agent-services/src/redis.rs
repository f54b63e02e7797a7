//! The stores over Redis, for servers that share their data.
//!
//! They need Redis 7 or later, or a compatible server: one server, one monitored by sentinels, or a Redis Cluster.
//! Acknowledged data is as safe as Redis is configured to keep it: `appendonly yes` survives a restart, and
//! `maxmemory-policy` must be `noeviction`, or Redis evicts data when it is full.
//!
//! # Layout
//!
//! Every key but the first three begins with `prefix:v2:tenant:{user}:`. The tenant is always `default` so far. The
//! braces make the user the hash tag, so that all keys of a user are in one slot of a cluster and a script changes
//! them in one step. Ids of users and sessions appear unchanged in keys if they are short and plain; otherwise they
//! are encoded uniquely, without braces or colons.
//!
//! | key | type | contents |
//! |---|---|---|
//! | `prefix:layout` | string | the version of the layout; data of a newer version is rejected |
//! | `prefix:layout:migration` | string | the version from which the data is being migrated to that one |
//! | `prefix:layout:lock` | string | the server that migrates the data, and until when |
//! | `…:sessions` | sorted set | the user's sessions by number |
//! | `…:sessions:expiry` | sorted set | the sessions that expire, by the time of their expiry |
//! | `…:sessions:last` | string | the number of the last session |
//! | `…:session:<session>` | hash | all of a session: `number`, `id`, `created`, `updated`, `count`, `bytes`, `title`, `metadata`, `anonymous` (its lifetime after an append in milliseconds, if no request has named it), the messages as `m:<position>`, the ids of messages as `d:<id>`, the batch keys as `b:<key>` |
//! | `…:states` | sorted set | the user's sessions with states, by the time of their expiry |
//! | `…:states:<session>:rounds` | sorted set | the rounds, with 20 digits, in the order of their texts |
//! | `…:states:<session>:values` | hash | the states by round |
//! | `…:memories` | hash | counts of the texts, and for each memory by number its session and time as `h:…`, its message as `m:…`, its words as `w:…` |
//! | `…:memories:words` | sorted set | `word NUL number occurrences length` for each word of each text, in the order of the texts |
//! | `…:memories:numbers` | sorted set | the numbers, with 16 digits, in the order of their texts |
//! | `…:memories:sessions` | sorted set | `session NUL number` in the order of the texts |
//! | `…:memories:last` | string | the number of the last memory |
//!
//! For runs, the hash tag is not the user but four digits, which are computed from the user and end the run's id, so
//! that a run is found by its id alone. Their keys begin with `prefix:v2:tenant:{digits}:`.
//!
//! | key | type | contents |
//! |---|---|---|
//! | `…:run:<run>` | hash | the record, the token and the owner, until when it cannot be taken over, until when it has a reader, and the answers to repeat |
//! | `…:run:<run>:log` | stream | the log, one entry per batch: its id is the number after the batch's last one, its fields `first`, `count` and `frames` |
//! | `…:turns:<user>:<session>` | hash | the run in progress, the inputs handed to it, and the queued runs |
//! | `…:runs:<user>` | sorted set | the user's runs by number |
//! | `…:runs-last` | string | the last number of a run |
//! | `…:key:<user>:<key>` | hash | an idempotency key: its fingerprint and its run |
//! | `…:unfinished` | set | the runs that have not ended |
//! | `prefix:v2:leases` | hash | for each owner, until when its lease lasts, since when without a gap, and its length |
//! | `prefix:v2:tenant:run-tags` | sorted set | the digits in use by runs, by the time of their last use |
//! | `prefix:v2:tenant:{ended}:runs` | sorted set | the ended runs, each with its bytes and its user, by their end |
//! | `prefix:v2:tenant:{ended}:bytes` | string | their total size in bytes |
//! | `prefix:v2:tenant:{ended}:trimmed` | sorted set | the ended runs of which only the last entry is left, by the time of their deletion |
//! | `prefix:v2:tenant:{ended}:trimmed-bytes` | string | their total size in bytes |
//!
//! Writes to a log are published on `prefix:v2:run:<run>`, and requests to a run on `prefix:v2:owner:<owner>`. The
//! Redis user needs permission for the channels `prefix:*`; otherwise readers wait up to five seconds.
//!
//! Numbers of sessions, memories and runs are at least the server's time in microseconds, so that they grow even after
//! the key with the last one has expired.
//!
//! # Older layouts
//!
//! Layout 1 had no tenants. The first server of this version that starts renames all keys, each within its slot; servers
//! of the older version have to be stopped first. They do not start on data of a newer layout, and those that were only
//! paused can no longer execute or create runs: `prefix:v1:owners` and `prefix:v1:run-tags` remain, as strings. If a
//! server is killed during the migration, the next one resumes it.
//!
//! # What expires
//!
//! A store with a time to live deletes data that is not used for that long: a session with all its data, the states of a
//! session, all memories of a user. Reading counts as use, except by `list`. An anonymous session expires some time after
//! the last append, and reading it does not count. Runs expire some time after their end, with their logs and keys; a
//! run that has not ended never expires. The log of a run that is kept for longer expires with the run, so a sweep has
//! to trim it.
//!
//! # What Redis may lose
//!
//! At startup, the store reads the settings of Redis and logs one warning about possible losses of acknowledged data:
//! everything at a restart without persistence, about a second with `appendfsync everysec`, and anything when Redis is
//! full and `maxmemory-policy` is not `noeviction`.
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
mod layout;
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
