//! OAuth at servers over HTTP.
//!
//! Access tokens (`tokens`) come from a login that an operator makes once (`super::login`) and that is kept in a file
//! (`login_file`), or are fetched with a secret of this server. Every request has one (`http`); one that has expired or is
//! refused is renewed. What the metadata of a server say is read when it is needed (`manager`).

pub(super) mod http;
pub(super) mod login_file;
pub(super) mod manager;
pub(super) mod problem;
pub(super) mod tokens;
