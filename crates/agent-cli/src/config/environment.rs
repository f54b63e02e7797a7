//! The environment variables of the process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;

use super::settings::{PREFIX, Setting};

/// The configuration file, unless a flag names one.
pub(super) const FILE_VARIABLE: &str = "AGENT_SERVER_CONFIG";

/// The bearer token that commands send to a server.
const TOKEN_VARIABLE: &str = "AGENT_SERVER_TOKEN";

/// The minimum similarity of a suggestion for an unknown name, from 0 to 1.
const SIMILAR: f64 = 0.85;

/// The environment variables of the process, read once. Variables that are not UTF-8 count as absent.
#[derive(Clone, Default)]
pub(crate) struct Environment(HashMap<String, String>);

/// A variable that has the prefix of settings but is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    pub(crate) name: String,
    /// The most similar variable, as a suggestion.
    pub(crate) similar: Option<String>,
}

impl Environment {
    /// Takes pairs of names and values.
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Environment(variables.into_iter().filter_map(text).collect())
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a setting's variable.
    pub(super) fn setting(&self, variable: &str) -> Option<&str> {
        // Kubernetes sets AGENT_SERVER_PORT to `tcp://…` in every pod beside a Service named `agent-server`.
        self.get(variable).filter(|value| variable != "AGENT_SERVER_PORT" || !value.contains("://"))
    }

    /// The variables that have the prefix of settings but are not settings, sorted by name.
    pub(crate) fn unknown(&self) -> Vec<UnknownVariable> {
        let known: Vec<String> = Setting::all()
            .iter()
            .map(Setting::variable)
            .chain([FILE_VARIABLE, TOKEN_VARIABLE].map(str::to_owned))
            .collect();
        let mut unknown: Vec<_> = self
            .0
            .keys()
            .filter(|name| name.starts_with(PREFIX) && !known.contains(name) && !is_service_link(name))
            .map(|name| UnknownVariable { name: name.clone(), similar: most_similar(name, &known) })
            .collect();
        unknown.sort_by(|a, b| a.name.cmp(&b.name));
        unknown
    }
}

/// Whether Kubernetes sets this variable in every pod beside a Service named `agent-server`.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    rest == "SERVICE_HOST" || rest.starts_with("SERVICE_PORT") || rest.starts_with("PORT_")
}

fn most_similar(name: &str, known: &[String]) -> Option<String> {
    // The common prefix would make any two names similar.
    let name = name.strip_prefix(PREFIX)?;
    let scored =
        known.iter().filter_map(|known| Some((strsim::jaro(name, known.strip_prefix(PREFIX)?), known)));
    let (score, best) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= SIMILAR).then(|| best.clone())
}

/// Values may be secrets, so only the names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_unknown(names: &[&str], expected: &[(&str, Option<&str>)]) {
        let environment = Environment::new(names.iter().map(|name| (name.into(), "1".into())));
        let unknown = environment.unknown();
        let unknown: Vec<_> = unknown.iter().map(|one| (one.name.as_str(), one.similar.as_deref())).collect();
        assert_eq!(unknown, expected);
    }

    #[test]
    fn unknown_names__mistyped__suggest_the_right_one() {
        check_unknown(
            &["AGENT_SERVER_RUNS_MAXRUNS", "AGENT_SERVER_SERVICE_URL", "AGENT_SERVER_RUNS_MAX_RUNS"],
            &[
                ("AGENT_SERVER_RUNS_MAXRUNS", Some("AGENT_SERVER_RUNS_MAX_RUNS")),
                ("AGENT_SERVER_SERVICE_URL", Some("AGENT_SERVER_SERVICES_URL")),
            ],
        );
    }

    #[test]
    fn unknown_names__foreign_variable__is_ignored() {
        check_unknown(&["AGENT_SERVER_CONFIG", "AGENT_SERVER_TOKEN", "HOME", "PORT"], &[]);
        let links =
            ["AGENT_SERVER_SERVICE_HOST", "AGENT_SERVER_SERVICE_PORT_HTTP", "AGENT_SERVER_PORT_80_TCP"];
        check_unknown(&links, &[]);
    }
}
