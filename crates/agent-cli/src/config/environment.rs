//! The environment variables of the process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;

use super::error::ConfigError;
use super::settings::{PREFIX, Setting};

/// The configuration file, unless a flag names one.
pub(super) const FILE_VARIABLE: &str = "AGENT_SERVER_CONFIG";

/// The bearer token that commands send to a server.
const TOKEN_VARIABLE: &str = "AGENT_SERVER_TOKEN";

/// The variables that programs always get, in addition to `LC_*`: the locations of programs, modules, certificates and temporary
/// files, and the user's name, language and time zone.
#[cfg(any(feature = "mcp", feature = "python"))]
const BASIC: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The minimum similarity of a suggestion for an unknown name, from 0 to 1.
const SIMILAR: f64 = 0.85;

/// The environment variables of the process, read once.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: HashMap<String, String>,
    /// Our variables whose values are not UTF-8. Other variables with such values count as absent.
    not_text: Vec<String>,
}

impl Environment {
    /// Takes pairs of names and values.
    pub(crate) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Environment::default();
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(environment.variables.insert(name, value)),
                (Ok(name), Err(_)) if name.starts_with(PREFIX) => environment.not_text.push(name),
                _ => {}
            }
        }
        environment
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables that every program needs.
    #[cfg(feature = "mcp")]
    pub(crate) fn basic(&self) -> Vec<(OsString, OsString)> {
        let variables = self.variables.iter().filter(|(name, _)| is_basic(name));
        variables.map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// The variables for workers: everything except the variables of this program, or only these names and what every
    /// program needs.
    ///
    /// # Errors
    /// A sentence, if one of the names is a variable of this program.
    #[cfg(feature = "python")]
    pub(crate) fn for_workers(
        &self,
        allowed: Option<&[String]>,
    ) -> Result<Vec<(OsString, OsString)>, String> {
        if let Some(own) = allowed.into_iter().flatten().find(|name| name.starts_with(PREFIX)) {
            return Err(format!("{own} is a variable of the server, which workers do not get"));
        }
        let is_allowed = |name: &String| match allowed {
            Some(allowed) => allowed.contains(name) || is_basic(name),
            None => !name.starts_with(PREFIX),
        };
        let variables = self.variables.iter().filter(|(name, _)| is_allowed(name));
        Ok(variables.map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of a setting's variable.
    pub(super) fn setting(&self, variable: &str) -> Option<&str> {
        // Kubernetes sets AGENT_SERVER_PORT to `tcp://…` in every pod beside a Service named `agent-server`.
        self.get(variable).filter(|value| variable != "AGENT_SERVER_PORT" || !value.contains("://"))
    }

    /// Rejects variables with the prefix of settings that are not settings: they are probably mistyped.
    ///
    /// # Errors
    /// A sentence that names all of them, and similar settings.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let known: Vec<String> = Setting::all()
            .iter()
            .map(Setting::variable)
            .chain([FILE_VARIABLE, TOKEN_VARIABLE].map(str::to_owned))
            .collect();
        let is_unknown = |name: &String| name.starts_with(PREFIX) && !known.contains(name);
        let mut faults: Vec<_> = self
            .variables
            .iter()
            .filter(|(name, value)| is_unknown(name) && !is_service_link(name, value))
            .map(|(name, _)| fault(name, &known))
            .chain(self.not_text.iter().map(|name| format!("the value of {name} is not UTF-8")))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        faults.sort();
        Err(ConfigError::from_message(faults.join("; ")))
    }
}

/// Returns whether Kubernetes or Docker sets this variable for a service whose name begins with `agent-server`.
fn is_service_link(name: &str, value: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |rest: &str| {
        let mut words = rest.split('_');
        words.next().is_some_and(number) && matches!(words.next(), Some("TCP" | "UDP" | "SCTP"))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.match_indices("_PORT_").any(|(start, word)| is_port(&name[start + word.len()..]))
        || (name.ends_with("_PORT") && value.contains("://"))
}

/// Describes the fault of a variable that is not a setting, with advice.
fn fault(name: &str, known: &[String]) -> String {
    let advice = match most_similar(name, known) {
        _ if name.starts_with("AGENT_SERVER_AGENTS_") => {
            "; agents are configured in a file, under [agents]".to_owned()
        }
        Some(similar) => format!("; did you mean {similar}?"),
        None => "; agent-server --print-config lists all settings".to_owned(),
    };
    format!("the environment variable {name} is not a setting{advice}")
}

fn most_similar(name: &str, known: &[String]) -> Option<String> {
    // With the common prefix, any two names would be similar.
    let name = name.strip_prefix(PREFIX)?;
    let scored =
        known.iter().filter_map(|known| Some((strsim::jaro(name, known.strip_prefix(PREFIX)?), known)));
    let (score, best) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= SIMILAR).then(|| best.clone())
}

/// Values may be secrets, so only the names are shown.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(any(feature = "mcp", feature = "python"))]
fn is_basic(name: &str) -> bool {
    BASIC.contains(&name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &str) {
        let environment = Environment::new(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        let found = environment.check().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(found, expected);
    }

    #[test]
    fn check__mistyped_name__is_refused_and_the_right_one_suggested() {
        check(
            &[
                ("AGENT_SERVER_RUNS_MAXRUNS", "1"),
                ("AGENT_SERVER_SERVICE_URL", "1"),
                ("AGENT_SERVER_RUNS_MAX_RUNS", "1"),
            ],
            "the environment variable AGENT_SERVER_RUNS_MAXRUNS is not a setting; did you mean AGENT_SERVER_RUNS_MAX_RUNS?; \
             the environment variable AGENT_SERVER_SERVICE_URL is not a setting; did you mean AGENT_SERVER_SERVICES_URL?",
        );
        check(
            &[("AGENT_SERVER_AGENTS_A_MODEL", "m")],
            "the environment variable AGENT_SERVER_AGENTS_A_MODEL is not a setting; agents are configured in a file, under \
             [agents]",
        );
        check(
            &[("AGENT_SERVER_XYZZY", "")],
            "the environment variable AGENT_SERVER_XYZZY is not a setting; agent-server --print-config lists all settings",
        );
    }

    #[test]
    fn check__names_of_others__are_accepted() {
        check(&[("AGENT_SERVER_CONFIG", "x"), ("AGENT_SERVER_TOKEN", "x"), ("HOME", "x"), ("PORT", "x")], "");
        check(&[("AGENT_TEST_ROUNDS", "5"), ("AGENT_SERVERS", "x")], "");
        check(
            &[
                ("AGENT_SERVER_SERVICE_HOST", "10.0.0.1"),
                ("AGENT_SERVER_SERVICE_PORT", "80"),
                ("AGENT_SERVER_SERVICE_PORT_HTTP", "80"),
                ("AGENT_SERVER_PORT", "tcp://10.0.0.1:80"),
                ("AGENT_SERVER_PORT_80_TCP", "tcp://10.0.0.1:80"),
                ("AGENT_SERVER_PORT_80_TCP_ADDR", "10.0.0.1"),
                ("AGENT_SERVER_REDIS_SERVICE_HOST", "10.0.0.2"),
                ("AGENT_SERVER_REDIS_PORT", "tcp://10.0.0.2:6379"),
                ("AGENT_SERVER_REDIS_PORT_6379_TCP_PROTO", "tcp"),
            ],
            "",
        );
        let environment = Environment::new([("AGENT_SERVER_REDIS_PORT".into(), "6379".into())]);
        assert!(environment.check().is_err(), "the value is not that of a link");
    }

    #[cfg(feature = "python")]
    #[test]
    fn for_workers__with_and_without_a_list__never_has_our_variables() {
        let names = ["AGENT_SERVER_PORT", "KEY", "LC_TIME", "PATH", "SECRET"];
        let environment = Environment::new(names.map(|name| (name.into(), "x".into())));
        let names = |allowed: Option<&[&str]>| {
            let allowed =
                allowed.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            let variables = environment.for_workers(allowed.as_deref())?;
            let mut names: Vec<_> = variables.into_iter().map(|(name, _)| name).collect();
            names.sort();
            Ok::<_, String>(names)
        };
        assert_eq!(names(None), Ok(vec!["KEY".into(), "LC_TIME".into(), "PATH".into(), "SECRET".into()]));
        assert_eq!(names(Some(&[])), Ok(vec!["LC_TIME".into(), "PATH".into()]));
        assert_eq!(names(Some(&["KEY", "NONE"])), Ok(vec!["KEY".into(), "LC_TIME".into(), "PATH".into()]));
        assert!(names(Some(&["AGENT_SERVER_PORT"])).is_err_and(|error| error.contains("AGENT_SERVER_PORT")));
    }

    #[test]
    fn check__value_that_is_no_text__is_refused() {
        let value = || OsString::from_vec(vec![b'a', 0xff]);
        let environment =
            Environment::new([("AGENT_SERVER_DATA_DIR".into(), value()), ("OTHER".into(), value())]);
        let error = environment.check().expect_err("not UTF-8").to_string();
        assert_eq!(error, "the value of AGENT_SERVER_DATA_DIR is not UTF-8");
    }
}
