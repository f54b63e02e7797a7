//! The values that upstream's types accept, and their written form, replayed from its recordings.

use agent_schemas::Json;
use agent_schemas::export::types;

use crate::support::{golden_lines, member, name, replay};

const FILE: &str = "schemas_validation.jsonl";

/// Types of the recording that are functions, or that another test replays.
const ELSEWHERE: [&str; 9] = [
    "ResponseFormat",
    "Parameters",
    "OpenAIMessage",
    "UserMessage",
    "AssistantMessage",
    "SystemMessage",
    "ToolMessage",
    "is_json_string",
    "generate_tool_call_id",
];

fn our_outcome(model: &str, input: &Json) -> String {
    let found = types().into_iter().find(|one| one.name() == model);
    match found.unwrap_or_else(|| panic!("no type {model}")).canonical(input.clone()) {
        Ok(dump) => format!("accepted {dump}"),
        Err(fault) => {
            let message = format!(": {}", fault.message);
            let shown = format!(": {fault}");
            let location = shown.strip_suffix(&message).unwrap().trim_start_matches(": ");
            format!("rejected at '{location}', {}", fault.kind)
        }
    }
}

/// Upstream reports an error for every possible form of a value; the deepest one belongs to the closest form.
fn their_fault(report: &str) -> String {
    let lines: Vec<_> = report.lines().skip(1).filter(|line| !line.contains("errors.pydantic.dev")).collect();
    let mut faults: Vec<(Vec<&str>, &str)> = Vec::new();
    let mut location = Vec::new();
    for line in lines {
        match line.split_once("[type=") {
            None => location = line.split('.').filter(|step| !is_form(step)).collect(),
            Some((_, rest)) => {
                faults.push((std::mem::take(&mut location), rest.split(',').next().unwrap()));
            }
        }
    }
    let (location, kind) = faults.into_iter().max_by_key(|(location, _)| location.len()).unwrap();
    format!("rejected at '{}', {kind}", location.join("."))
}

/// Whether a step of a location names one of the possible forms of a value.
fn is_form(step: &str) -> bool {
    step == "str" || step.starts_with("list[")
}

fn their_outcome(case: &Json) -> String {
    match case.get("error") {
        None => {
            let output = member(case, "output").to_string();
            // Ids that the reader fills in.
            format!("accepted {}", output.replace("<msg_id:1>", "").replace("<response_id>", ""))
        }
        Some(error) => match member(error, "type").as_str().unwrap() {
            "ValidationError" => their_fault(member(error, "message").as_str().unwrap()),
            other => format!("raised {other}"),
        },
    }
}

#[test]
fn other_types__recorded_cases__match_golden() {
    let model = |case: &Json| member(case, "model").as_str().unwrap().to_owned();
    let cases = golden_lines(FILE).into_iter().filter(|case| !ELSEWHERE.contains(&model(case).as_str()));
    replay("schemas_validation.jsonl#rest", &cases.collect::<Vec<_>>(), |case| {
        let ours = our_outcome(&model(case), member(case, "input"));
        (format!("{}/{}", model(case), name(case)), ours, their_outcome(case))
    });
}
