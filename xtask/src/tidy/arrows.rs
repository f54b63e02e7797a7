//! Which crate may depend on which. All dependencies count, including those of tests and build scripts.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Violation;

/// What one crate of the workspace may use.
struct Rule {
    package: &'static str,
    /// The crates of this workspace that it may depend on.
    ours: &'static [&'static str],
    /// External crates that it must never name; `tokio` also means `tokio-util` and so on.
    never: &'static [&'static str],
}

/// The table in `CONTRIBUTING.md`: dependencies point down only, and drivers stay in the layer that hides them.
const RULES: &[Rule] = &[
    Rule { package: "agent-schemas-derive", ours: &[], never: &[] },
    Rule {
        package: "agent-schemas",
        ours: &["agent-schemas-derive"],
        never: &["tokio", "hyper", "axum", "reqwest", "http", "tracing"],
    },
    Rule { package: "agent-services", ours: &["agent-schemas"], never: &["axum"] },
    Rule {
        package: "agent-runner",
        ours: &["agent-schemas", "agent-services"],
        never: &["axum", "redis", "rusqlite", "bb8"],
    },
    Rule { package: "agent-deploy", ours: &["agent-schemas"], never: &[] },
    Rule {
        package: "agent-server",
        ours: &["agent-schemas", "agent-services", "agent-runner"],
        never: &["redis", "rusqlite", "bb8", "clap", "mimalloc", "tracing-subscriber", "toml", "reqwest"],
    },
    Rule {
        package: "agent-protocol-openai",
        ours: &["agent-schemas", "agent-services", "agent-runner", "agent-server"],
        never: &["redis", "rusqlite", "bb8", "clap", "reqwest", "hyper"],
    },
    Rule {
        package: "agent-protocol-mcp",
        ours: &["agent-schemas", "agent-services", "agent-runner", "agent-server"],
        never: &["redis", "rusqlite", "bb8", "clap", "reqwest", "hyper", "rmcp"],
    },
    Rule {
        package: "agent-workers",
        ours: &["agent-schemas", "agent-services", "agent-runner"],
        never: &["axum", "hyper", "redis", "rusqlite", "bb8", "clap", "reqwest"],
    },
    Rule {
        package: "agent-runtime",
        ours: &[
            "agent-schemas",
            "agent-services",
            "agent-runner",
            "agent-server",
            "agent-protocol-openai",
            "agent-protocol-mcp",
        ],
        never: &["axum", "redis", "rusqlite", "bb8", "clap", "reqwest", "hyper"],
    },
    Rule {
        package: "agent-cli",
        ours: &[
            "agent-schemas",
            "agent-services",
            "agent-runner",
            "agent-deploy",
            "agent-server",
            "agent-protocol-openai",
            "agent-protocol-mcp",
            "agent-workers",
        ],
        never: &["redis", "rusqlite", "bb8"],
    },
    Rule {
        package: "agent-tests",
        ours: &[
            "agent-schemas",
            "agent-services",
            "agent-runner",
            "agent-deploy",
            "agent-server",
            "agent-protocol-openai",
            "agent-protocol-mcp",
            "agent-cli",
        ],
        never: &[],
    },
    Rule { package: "xtask", ours: &[], never: &[] },
];

/// Features are global: if any crate enables these, they change numbers and maps in every other crate.
const FORBIDDEN_SERDE_JSON_FEATURES: &[&str] = &["preserve_order", "arbitrary_precision"];

/// A crate of the workspace, from `cargo metadata`.
pub(super) struct Package {
    name: String,
    /// The path of its `Cargo.toml`.
    pub(super) manifest_path: String,
    /// The root files of its library and its programs, but not of tests and examples.
    pub(super) roots: Vec<String>,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// The name in the manifest, which differs from the crate's when it is renamed there.
    key: String,
    is_ours: bool,
}

/// The packages of the workspace, from `cargo metadata --no-deps`.
pub(super) fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let packages = array(metadata, "packages")?;
    let members = packages.iter().map(|package| text(package, "name")).collect::<Result<Vec<_>>>()?;
    let dependency = |dependency: &Value| -> Result<Dependency> {
        let name = text(dependency, "name")?;
        let key = dependency["rename"].as_str().map_or_else(|| name.clone(), str::to_owned);
        Ok(Dependency { is_ours: members.contains(&name), name, key })
    };
    let package = |package: &Value| -> Result<Package> {
        Ok(Package {
            name: text(package, "name")?,
            manifest_path: text(package, "manifest_path")?,
            roots: targets(package)?,
            dependencies: array(package, "dependencies")?.iter().map(dependency).collect::<Result<_>>()?,
        })
    };
    packages.iter().map(package).collect()
}

/// Checks the dependencies of one package; `path` and `manifest` are its `Cargo.toml`.
pub(super) fn check(package: &Package, path: &str, manifest: &str) -> Vec<Violation> {
    let name = &package.name;
    let Some(rule) = RULES.iter().find(|rule| rule.package == name) else {
        let message =
            format!("{name} is not in the table in xtask/src/tidy/arrows.rs; add its allowed dependencies");
        return vec![Violation::new(path, 1, message)];
    };
    let mut violations = Vec::new();
    for dependency in &package.dependencies {
        let used = &dependency.name;
        let mut report = |why: String| {
            let message = format!("{name} must not depend on {used}: {why}");
            violations.push(Violation::new(path, line_of_dependency(manifest, &dependency.key), message));
        };
        // A crate's tests may depend on the crate itself, to enable features.
        if dependency.is_ours && used != name && !rule.ours.contains(&used.as_str()) {
            report("a crate may depend only on lower layers".to_owned());
        }
        if let Some(banned) = rule.never.iter().find(|banned| is_of_family(used, banned)) {
            report(format!("{banned} belongs to another layer"));
        }
    }
    violations
}

/// Checks the features of serde_json; `path` and `manifest` are the workspace's `Cargo.toml`.
pub(super) fn check_serde_json(metadata: &Value, path: &str, manifest: &str) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for package in array(metadata, "packages")?.iter().filter(|package| package["name"] == "serde_json") {
        let nodes = array(&metadata["resolve"], "nodes")?;
        let node = nodes.iter().find(|node| node["id"] == package["id"]);
        let features = array(node.context("serde_json is not in the resolved graph")?, "features")?;
        for feature in FORBIDDEN_SERDE_JSON_FEATURES {
            if features.iter().any(|enabled| enabled == feature) {
                let message = format!(
                    "serde_json is built with `{feature}`, which changes numbers or maps in every crate; find out who \
                     enables it with: cargo tree --workspace --all-features -e features -i serde_json"
                );
                violations.push(Violation::new(path, line_of_dependency(manifest, "serde_json"), message));
            }
        }
    }
    Ok(violations)
}

fn targets(package: &Value) -> Result<Vec<String>> {
    let targets = array(package, "targets")?.iter();
    let has_modules = |target: &&Value| target["kind"] == json!(["lib"]) || target["kind"] == json!(["bin"]);
    targets.filter(has_modules).map(|target| text(target, "src_path")).collect()
}

fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The line of a manifest that names a dependency, or 1 if it is written in a way that is not recognized.
fn line_of_dependency(manifest: &str, key: &str) -> usize {
    let table = format!("dependencies.{key}]");
    let mut in_dependencies = false;
    for (index, line) in manifest.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        }
        let is_entry = line.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
        if line.starts_with('[') && line.ends_with(&table) || in_dependencies && is_entry {
            return index + 1;
        }
    }
    1
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key].as_array().with_context(|| format!("the output of `cargo metadata` lacks the list `{key}`"))
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str();
    Ok(text.with_context(|| format!("the output of `cargo metadata` lacks the string `{key}`"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a crate of this name in a workspace that also has a few others of ours.
    fn check_package(name: &str, dependencies: Value, manifest: &str, expected: &[&str]) -> Result<()> {
        let others = ["agent-schemas", "agent-deploy", "agent-server", "agent-protocol-openai"];
        let others = others.into_iter().filter(|other| *other != name);
        let mut members =
            vec![json!({ "name": name, "manifest_path": "", "targets": [], "dependencies": dependencies })];
        members.extend(
            others.map(
                |other| json!({ "name": other, "manifest_path": "", "targets": [], "dependencies": [] }),
            ),
        );
        let packages = packages(&json!({ "packages": members }))?;
        let found = check(&packages[0], "Cargo.toml", manifest);
        assert_eq!(found.iter().map(Violation::to_string).collect::<Vec<_>>(), expected);
        Ok(())
    }

    #[test]
    fn arrow__down__is_allowed() -> Result<()> {
        let dependencies = json!([{ "name": "serde" }, { "name": "agent-schemas" }]);
        check_package("agent-services", dependencies, "", &[])
    }

    #[test]
    fn arrow__up__is_reported_with_its_line() -> Result<()> {
        let dependencies = json!([{ "name": "agent-server", "kind": "dev" }]);
        let manifest = "[features]\nagent-server = []\n\n[dev-dependencies]\nagent-server.workspace = true\n";
        let expected = "Cargo.toml:5: agent-services must not depend on agent-server: \
                        a crate may depend only on lower layers";
        check_package("agent-services", dependencies, manifest, &[expected])
    }

    #[test]
    fn server__protocol_or_command_line_crate__is_reported() -> Result<()> {
        let dependencies = json!([
            { "name": "tracing" },
            { "name": "tracing-subscriber" },
            { "name": "toml" },
            { "name": "agent-deploy" },
            { "name": "agent-protocol-openai", "kind": "dev" },
        ]);
        let expected = [
            "Cargo.toml:1: agent-server must not depend on tracing-subscriber: \
             tracing-subscriber belongs to another layer",
            "Cargo.toml:1: agent-server must not depend on toml: toml belongs to another layer",
            "Cargo.toml:1: agent-server must not depend on agent-deploy: a crate may depend only on lower layers",
            "Cargo.toml:1: agent-server must not depend on agent-protocol-openai: \
             a crate may depend only on lower layers",
        ];
        check_package("agent-server", dependencies, "", &expected)
    }

    #[test]
    fn protocol__http_crate_besides_axum__is_reported() -> Result<()> {
        let dependencies = json!([{ "name": "agent-server" }, { "name": "axum" }, { "name": "hyper-util" }]);
        let expected = [
            "Cargo.toml:1: agent-protocol-openai must not depend on hyper-util: hyper belongs to another layer",
        ];
        check_package("agent-protocol-openai", dependencies, "", &expected)
    }

    #[test]
    fn cli__own_crates_allowed__driver_is_reported() -> Result<()> {
        let ours = ["agent-deploy", "agent-server", "agent-protocol-openai", "clap", "redis"];
        let dependencies = json!(ours.map(|name| json!({ "name": name })));
        let expected = ["Cargo.toml:1: agent-cli must not depend on redis: redis belongs to another layer"];
        check_package("agent-cli", dependencies, "", &expected)
    }

    #[test]
    fn crate__uses_itself_in_tests__is_allowed() -> Result<()> {
        let dependencies = json!([{ "name": "agent-services", "kind": "dev" }]);
        check_package("agent-services", dependencies, "", &[])
    }

    #[test]
    fn banned_crate__family_or_renamed__is_reported() -> Result<()> {
        let dependencies = json!([
            { "name": "tokio-util" },
            { "name": "httparse" },
            { "name": "http", "rename": "wire" },
        ]);
        let manifest = "[dependencies]\nwire = { package = \"http\" }\n[dependencies.tokio-util]\n";
        let expected = [
            "Cargo.toml:3: agent-schemas must not depend on tokio-util: tokio belongs to another layer",
            "Cargo.toml:2: agent-schemas must not depend on http: http belongs to another layer",
        ];
        check_package("agent-schemas", dependencies, manifest, &expected)
    }

    #[test]
    fn crate__not_in_table__is_reported() -> Result<()> {
        let expected = [
            "Cargo.toml:1: agent-utils is not in the table in xtask/src/tidy/arrows.rs; add its allowed dependencies",
        ];
        check_package("agent-utils", json!([]), "", &expected)
    }

    #[test]
    fn roots__only_libraries_and_programs__are_listed() -> Result<()> {
        let target = |kind: &str, path: &str| json!({ "kind": [kind], "src_path": path });
        let targets =
            [target("lib", "src/lib.rs"), target("bin", "src/main.rs"), target("test", "tests/it/main.rs")];
        let package = json!({ "name": "a", "manifest_path": "", "targets": targets, "dependencies": [] });
        let packages = packages(&json!({ "packages": [package] }))?;
        assert_eq!(packages[0].roots, ["src/lib.rs", "src/main.rs"]);
        Ok(())
    }

    #[test]
    fn serde_json__global_features__are_reported() -> Result<()> {
        let metadata = json!({
            "packages": [{ "name": "serde_json", "id": "a" }, { "name": "serde", "id": "b" }],
            "resolve": { "nodes": [
                { "id": "a", "features": ["std", "preserve_order"] },
                { "id": "b", "features": ["arbitrary_precision"] },
            ] },
        });
        let manifest = "[workspace.dependencies]\nserde_json = \"1\"\n";
        let found = check_serde_json(&metadata, "Cargo.toml", manifest)?;
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("Cargo.toml:2: serde_json is built with `preserve_order`"));
        Ok(())
    }
}
