//! The routes, one file per resource.

pub(crate) mod health;
pub(crate) mod process;
pub(crate) mod root;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod tasks;
pub(crate) mod users;
