//! The recorded cases.

use std::path::PathBuf;

use agent_schemas::Json;
use agent_schemas::json::parse_with_depth;

/// A backend and version of upstream. If they differ, we have to match one of them.
pub(super) struct Variant {
    backend: &'static str,
    version: &'static str,
}

/// The recorded ones. If several match equally well, the first counts.
pub(super) const VARIANTS: [Variant; 3] = [
    Variant { backend: "redis", version: "1.0.5" },
    Variant { backend: "redis", version: "1.0.2" },
    Variant { backend: "in_memory", version: "1.0.5" },
];

/// How long upstream keeps data in Redis by default.
#[cfg(feature = "redis")]
const DEFAULT_TTL: std::time::Duration = std::time::Duration::from_secs(3600);

/// The service of a case.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Sessions,
    States,
    Memories,
}

/// A sequence of calls of a service.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_started: bool,
    /// How long the store in Redis keeps data.
    #[cfg(feature = "redis")]
    pub(super) ttl: Option<std::time::Duration>,
    pub(super) steps: Vec<Step>,
    backends: Option<Json>,
}

/// One call and its recorded answers.
pub(super) struct Step {
    pub(super) operation: String,
    pub(super) arguments: Json,
    /// The name by which later steps refer to the answer.
    pub(super) save: Option<String>,
    recorded: Json,
}

/// A file of the golden folder.
pub(super) fn golden(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of a file.
pub(super) fn read(file: &str) -> Vec<Case> {
    let json = parse_with_depth(&golden(file), 1000).expect("JSON");
    items(member(&json, "cases")).iter().map(Case::read).collect()
}

pub(super) fn member<'a>(json: &'a Json, key: &str) -> &'a Json {
    json.get(key).unwrap_or_else(|| panic!("no member {key} in {json}"))
}

pub(super) fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("no text: {json}")).to_owned()
}

fn items(json: &Json) -> &[Json] {
    json.as_array().unwrap_or_else(|| panic!("no array: {json}"))
}

/// Whether a list, which may be missing, allows this.
fn allows(list: Option<&Json>, wanted: &str) -> bool {
    list.is_none_or(|list| items(list).iter().any(|item| item.as_str() == Some(wanted)))
}

impl Case {
    /// Reads a case of either format: that of the behavior cases, or that of the options in Redis.
    fn read(json: &Json) -> Case {
        let service = json.get("service").or_else(|| json.get("class")).expect("a service");
        let kind = match text(service).as_str() {
            "session_history" | "RedisSessionHistoryService" => Kind::Sessions,
            "agent_state" | "RedisStateService" => Kind::States,
            "memory" | "RedisMemoryService" => Kind::Memories,
            other => panic!("an unknown service: {other}"),
        };
        let steps = json.get("ops").or_else(|| json.get("steps")).expect("steps");
        Case {
            name: text(member(json, "name")),
            kind,
            is_started: json.get("started_before_ops").and_then(Json::as_bool) != Some(false),
            #[cfg(feature = "redis")]
            ttl: ttl(json),
            steps: items(steps).iter().map(Step::read).collect(),
            backends: json.get("backends").cloned(),
        }
    }

    /// Whether this was recorded with a variant.
    pub(super) fn is_of(&self, variant: &Variant) -> bool {
        allows(self.backends.as_ref(), variant.backend)
    }
}

/// The recordings of options in Redis have the default, unless they switch it off.
#[cfg(feature = "redis")]
fn ttl(case: &Json) -> Option<std::time::Duration> {
    let is_default = case.get("kwargs").is_some_and(|options| options.get("ttl_seconds").is_none());
    is_default.then_some(DEFAULT_TTL)
}

impl Step {
    fn read(json: &Json) -> Step {
        Step {
            operation: text(member(json, "op")),
            arguments: member(json, "args").clone(),
            save: json.get("save").map(text),
            recorded: json.clone(),
        }
    }

    pub(super) fn is_of(&self, variant: &Variant) -> bool {
        allows(self.recorded.get("only_backends"), variant.backend)
    }

    /// What a variant answered, in the form of [`Caller::answer`](super::Caller::answer).
    pub(super) fn expected(&self, variant: &Variant) -> String {
        let by_version = |answer: &Json| match answer.get("by_version") {
            Some(versions) => member(versions, variant.version).clone(),
            None => answer.clone(),
        };
        let answer = match (self.recorded.get("expect"), self.recorded.get("expect_by")) {
            (Some(answer), _) => answer.clone(),
            (None, Some(backends)) => by_version(member(backends, variant.backend)),
            // The cases of options in Redis have one answer, in the step.
            (None, None) => self.recorded.clone(),
        };
        match answer.get("error") {
            Some(error) => format!("error {}", our_name(&text(member(error, "type")))),
            None => format!("ok {}", member(&answer, "ok")),
        }
    }
}

/// Our name for upstream's error: the wording of errors is our own, but not their meaning.
fn our_name(python: &str) -> &str {
    match python {
        "RuntimeError" => "Unavailable",
        "ValidationError" => "InvalidInput",
        "TypeError" | "AttributeError" => "WrongType",
        other => other,
    }
}
