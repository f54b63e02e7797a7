//! The clients' programs, and the environments in which they run.

use std::path::Path;

use agent_tests::environment::Environment;

/// The version of Node.js that the packages need.
pub(crate) const NODE: &str = "node_modules/.bin/node";

/// Runs a Python program in this file's folder, with the packages that `{packages}.txt` pins; returns its output.
///
/// # Panics
/// If it fails.
pub(crate) async fn python(packages: &str, program: &str, arguments: &[&str]) -> String {
    run(&environment(packages), &[".venv/bin/python", program], arguments, &[]).await
}

/// The same for a program for Node.js, with the packages of `package.json`.
///
/// # Panics
/// If it fails.
pub(crate) async fn javascript(program: &str, arguments: &[&str]) -> String {
    run_in_javascript(&[NODE, program], arguments, &[]).await
}

/// Runs a program of the packages of `package.json`, with these environment variables; gives what it printed.
///
/// # Panics
/// If it fails.
pub(crate) async fn run_in_javascript(
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    run(&environment("javascript"), program, arguments, variables).await
}

/// Runs a program in an environment of Python, with these environment variables; gives what it printed.
///
/// # Panics
/// If it fails.
pub(crate) async fn run_in_python(
    packages: &str,
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    run(&environment(packages), program, arguments, variables).await
}

async fn run(
    environment: &Environment,
    program: &[&str],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let ended = environment.run(program, arguments, variables).await;
    assert_eq!(ended.code, 0, "{program:?} failed:\n{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// The environment with these packages: the name of a file of Python's pins, or `javascript`.
pub(crate) fn environment(packages: &str) -> Environment {
    agent_tests::packages::environment(Path::new(env!("CARGO_TARGET_TMPDIR")), packages)
}

pub(crate) mod installed {
    //! The slow installations, so that they can be done before other tests wait for them.

    use super::environment;

    #[test]
    fn openai_1__pinned_packages__are_there() {
        drop(environment("openai-1"));
    }

    #[test]
    fn openai_2__pinned_packages__are_there() {
        drop(environment("openai-2"));
    }

    #[test]
    fn openai_3__pinned_packages__are_there() {
        drop(environment("openai-3"));
    }

    #[test]
    fn frameworks__pinned_packages__are_there() {
        drop(environment("frameworks"));
    }

    #[test]
    fn agents__pinned_packages__are_there() {
        drop(environment("agents"));
    }

    #[test]
    fn agentscope2__pinned_packages__are_there() {
        drop(environment("agentscope2"));
    }

    #[test]
    fn ms_agent_framework__pinned_packages__are_there() {
        drop(environment("ms_agent_framework"));
    }

    #[test]
    fn upstream__pinned_packages__are_there() {
        drop(environment("upstream"));
    }

    #[test]
    fn package__pinned_packages__are_there() {
        drop(environment("package"));
    }

    #[test]
    fn schemathesis__pinned_packages__are_there() {
        drop(environment("schemathesis"));
    }

    #[test]
    fn javascript__pinned_packages__are_there() {
        drop(environment("javascript"));
    }
}
