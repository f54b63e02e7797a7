//! Merging the routes of several owners, with an error that names both if two have the same one.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use axum::Router;

use crate::app_error::AppError;

/// Routes and their owner.
#[derive(Clone)]
pub(super) struct Part {
    /// As in "the application".
    pub(super) owner: String,
    pub(super) routes: Router,
}

impl Part {
    pub(super) fn new(owner: impl Into<String>, routes: Router) -> Self {
        Part { owner: owner.into(), routes }
    }
}

/// All routes together.
///
/// # Errors
/// [`AppError::RouteConflict`] if two parts have the same route, that is a method and a path, or paths that no router
/// can tell apart, such as `/a/{b}` and `/a/{c}`.
pub(super) fn merge(parts: &[Part]) -> Result<Router, AppError> {
    let mut all = Router::new();
    for (position, part) in parts.iter().enumerate() {
        let before = all.clone();
        all = quietly(|| before.merge(part.routes.clone())).map_err(|message| {
            let first = parts[..position].iter().find(|other| conflict(other, part).is_some());
            AppError::RouteConflict {
                route: route_of(&message),
                first: first.map_or_else(|| "the server".to_owned(), |first| first.owner.clone()),
                second: part.owner.clone(),
            }
        })?;
    }
    Ok(all)
}

/// The route that both parts have.
pub(super) fn conflict(one: &Part, other: &Part) -> Option<String> {
    let merged = quietly(|| one.routes.clone().merge(other.routes.clone()));
    merged.err().map(|message| route_of(&message))
}

thread_local! {
    /// Whether panics of this thread are expected, and reported as errors.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls a function and returns the message of its panic, which is how axum reports conflicting routes. The panic
/// hook, which would print the message, is not called.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                hook(info);
            }
        }));
    });
    IS_QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(false);
    result.map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// The route in one of axum's messages, in backticks or quotes; the whole message if there is none.
fn route_of(message: &str) -> String {
    let between = |mark: char| message.split(mark).nth(1).filter(|text| text.contains('/'));
    between('`').or_else(|| between('"')).unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};

    use super::*;

    fn part(owner: &str, path: &str) -> Part {
        Part::new(owner, Router::new().route(path, get(async || "")))
    }

    #[track_caller]
    fn check(parts: &[Part], expected: &str) {
        assert_eq!(merge(parts).expect_err(expected).to_string(), expected);
    }

    #[test]
    fn merge__same_route_twice__names_both_owners() {
        let parts = [part("a", "/a"), part("b", "/b"), part("c", "/b")];
        check(&parts, "c has the route GET /b, which b already has");
        check(
            &[part("a", "/x/{id}"), part("b", "/x/{name}")],
            "b has the route /x/{name}, which a already has",
        );
        let fallback = |owner| Part::new(owner, Router::new().fallback(async || ""));
        let error = merge(&[fallback("a"), fallback("b")]).expect_err("two fallbacks").to_string();
        assert!(error.contains("both have a fallback"), "{error}");
    }

    #[test]
    fn merge__other_methods_and_paths__are_no_conflict() {
        let other = Part::new("b", Router::new().route("/a", post(async || "")));
        assert!(merge(&[part("a", "/a"), other, part("c", "/a/{id}"), part("d", "/a/b")]).is_ok());
    }
}
