//! The runner from outside: whole runs, their logs, and what becomes of them.

mod demo;
mod life;
mod support;
