//! Floats on the wire, replayed from upstream's recording.

use agent_schemas::{Content, Json};

use crate::support::{golden_lines, member, name, replay, text};

/// The form of an agent's computed floats on the wire; integers keep their digits.
#[test]
fn float__computed__matches_golden() {
    let file = "sse_raw.jsonl";
    replay(file, &golden_lines(file), |case| {
        let data = member(&member(case, "steps").as_array().unwrap()[0], "yield_data_content");
        let computed = |value: &Json| match value {
            Json::Number(number) if !number.is_integer() => number.as_f64().map(Json::from),
            _ => None,
        };
        let members = data.as_object().unwrap().iter();
        let members = members.map(|(key, value)| (key.clone(), computed(value).unwrap_or(value.clone())));
        let mut content = Content::data(members.collect());
        content.sequence_number = Some(2);
        let body = member(case, "body").as_str().unwrap();
        let theirs =
            body.split("\n\n").find_map(|line| line.strip_prefix("data: ").filter(|l| l.contains("content")));
        (name(case), text(&content), theirs.unwrap().to_owned())
    });
}
