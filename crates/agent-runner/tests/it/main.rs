//! The runner from outside: whole runs, their logs, and what becomes of them.

mod life;
mod support;
