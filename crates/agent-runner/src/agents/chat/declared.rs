//! The tools that a request declares, as functions, because model servers take nothing else.

use agent_schemas::{Json, JsonObject, RequestTool, object};

/// The only parameter of the function that stands for a tool that takes plain text.
pub(super) const INPUT: &str = "input";

/// A tool that the client runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DeclaredTool {
    /// The function's name.
    pub(super) name: String,
    /// The name by which the client knows the tool.
    pub(super) own_name: String,
    /// The namespace in which the client declared it.
    pub(super) namespace: Option<String>,
    /// Whether it takes plain text.
    pub(super) is_custom: bool,
    /// The function as the model's request has it.
    pub(super) json: Json,
}

/// The tools of a request.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) tools: Vec<DeclaredTool>,
    /// The types of tools that cannot be functions.
    pub(super) left_out: Vec<String>,
}

impl Declared {
    /// Reads the tools, except those whose names are taken.
    pub(super) fn read(tools: &[RequestTool], is_taken: impl Fn(&str) -> bool) -> Self {
        let mut declared = Declared::default();
        for tool in tools {
            match Json::from_serialize(tool) {
                Ok(Json::Object(members)) => declared.add(&members, None, &is_taken),
                _ => declared.left_out.push("unknown".to_owned()),
            }
        }
        declared
    }

    fn add(&mut self, tool: &JsonObject, namespace: Option<&str>, is_taken: &impl Fn(&str) -> bool) {
        let kind = tool.get("type").and_then(Json::as_str);
        let function = match kind {
            None | Some("function") => function(tool),
            Some("custom") => custom(tool),
            Some("namespace") if namespace.is_none() => return self.add_all_in(tool, is_taken),
            Some(_) => None,
        };
        let Some((name, json)) = function else {
            return self.left_out.push(kind.unwrap_or("unknown").to_owned());
        };
        let is_used = |name: &str| is_taken(name) || self.tools.iter().any(|tool| tool.name == name);
        let mut tool = DeclaredTool {
            name: name.clone(),
            own_name: name,
            namespace: namespace.map(str::to_owned),
            is_custom: kind == Some("custom"),
            json,
        };
        if let (Some(namespace), true) = (namespace, is_used(&tool.name)) {
            tool.rename(format!("{}__{}", namespace.trim_end_matches('_'), tool.own_name));
        }
        if !is_used(&tool.name) {
            self.tools.push(tool);
        }
    }

    fn add_all_in(&mut self, namespace: &JsonObject, is_taken: &impl Fn(&str) -> bool) {
        let name = namespace.get("name").and_then(Json::as_str).unwrap_or_default();
        let tools = namespace.get("tools").and_then(Json::as_array).unwrap_or_default();
        for tool in tools.iter().filter_map(Json::as_object) {
            self.add(tool, Some(name), is_taken);
        }
    }

    /// The tool with this function name.
    pub(super) fn tool(&self, name: &str) -> Option<&DeclaredTool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The function name of the tool that the client knows by this name.
    pub(super) fn name_of(&self, own_name: &str, namespace: Option<&str>) -> Option<&str> {
        let is_it = |tool: &&DeclaredTool| {
            tool.own_name == own_name && (namespace.is_none() || tool.namespace.as_deref() == namespace)
        };
        self.tools.iter().find(is_it).map(|tool| tool.name.as_str())
    }
}

impl DeclaredTool {
    fn rename(&mut self, name: String) {
        if let Json::Object(tool) = &mut self.json
            && let Some(Json::Object(function)) = tool.get_mut("function")
        {
            function.insert("name".to_owned(), name.as_str().into());
            self.name = name;
        }
    }
}

/// A function's name and its form in chat completions. In the Responses API its members are not in an object of their
/// own.
fn function(tool: &JsonObject) -> Option<(String, Json)> {
    let (name, function) = match tool.get("function").and_then(Json::as_object) {
        Some(function) => (name_in(function)?, tool.get("function").cloned()?),
        None => {
            let known = ["name", "description", "parameters", "strict"].into_iter();
            let function = known.filter_map(|key| Some((key.to_owned(), tool.get(key)?.clone())));
            let function = function.filter(|(_, value)| !value.is_null()).collect::<JsonObject>();
            (name_in(tool)?, function.into())
        }
    };
    Some((name, object! { "type" => "function", "function" => function }.into()))
}

fn name_in(members: &JsonObject) -> Option<String> {
    members.get("name")?.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A tool that takes plain text, as a function with one text. Models see its grammar in the description only.
fn custom(tool: &JsonObject) -> Option<(String, Json)> {
    let members = tool.get("custom").and_then(Json::as_object).unwrap_or(tool);
    let name = name_in(members)?;
    let text = |members: &JsonObject, key: &str| members.get(key).and_then(Json::as_str).map(str::to_owned);
    let mut description: Vec<String> = text(members, "description").into_iter().collect();
    description
        .push(format!("Write the whole input of the tool, as plain text, into the parameter `{INPUT}`."));
    let format = members.get("format").and_then(Json::as_object);
    // The Chat Completions API has the grammar in an object of its own.
    let grammar = format.map(|format| format.get("grammar").and_then(Json::as_object).unwrap_or(format));
    if let Some((grammar, definition)) =
        grammar.and_then(|grammar| Some((grammar, text(grammar, "definition")?)))
    {
        let syntax = text(grammar, "syntax").unwrap_or_default();
        description.push(format!("The input has to match this {syntax} grammar:\n{definition}"));
    }
    let input = object! { "type" => "string", "description" => "The input of the tool, as plain text." };
    let parameters = object! {
        "type" => "object",
        "properties" => object! { INPUT => input },
        "required" => vec![Json::from(INPUT)],
        "additionalProperties" => false
    };
    let function = object! {
        "name" => name.as_str(), "description" => description.join("\n\n"), "parameters" => parameters
    };
    Some((name, object! { "type" => "function", "function" => function }.into()))
}

#[cfg(test)]
mod tests {
    use agent_schemas::json;

    use super::*;

    fn declared(tools: &str) -> Declared {
        let tools: Vec<RequestTool> = serde_json::from_str(tools).expect(tools);
        Declared::read(&tools, |name| name == "calculator")
    }

    fn names(declared: &Declared) -> Vec<&str> {
        declared.tools.iter().map(|tool| tool.name.as_str()).collect()
    }

    #[test]
    fn tools__of_every_kind__are_functions_or_left_out() {
        let declared = declared(
            r#"[{"type":"function","function":{"name":"a","x":1}},
                {"type":"function","name":"b","parameters":{"type":"object"},"strict":null},
                {"function":{"name":"c"}},
                {"type":"function","name":"calculator"},
                {"type":"custom","name":"d"},
                {"type":"web_search"},{"type":"local_shell"},{"type":"custom"},{"type":"function"},{},
                {"type":"mcp","server_label":"s"}]"#,
        );
        assert_eq!(names(&declared), ["a", "b", "c", "d"]);
        assert_eq!(declared.left_out, ["web_search", "local_shell", "custom", "function", "unknown", "mcp"]);
        let json: Vec<String> = declared.tools[..3].iter().map(|tool| tool.json.to_string()).collect();
        assert_eq!(
            json,
            [
                r#"{"type":"function","function":{"name":"a","x":1}}"#,
                r#"{"type":"function","function":{"name":"b","parameters":{"type":"object"}}}"#,
                r#"{"type":"function","function":{"name":"c"}}"#
            ]
        );
    }

    #[test]
    fn custom_tool__grammar__is_described() {
        for tool in [
            r#"[{"type":"custom","name":"patch","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"start: X"}}]"#,
            r#"[{"type":"custom","custom":{"name":"patch","description":"Edits.","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: X"}}}}]"#,
        ] {
            let declared = declared(tool);
            let function = declared.tools[0].json.get("function").expect("a function");
            let description = function.get("description").and_then(Json::as_str).expect("a description");
            assert!(description.starts_with("Edits.\n\n"), "{description}");
            assert!(description.ends_with("this lark grammar:\nstart: X"), "{description}");
            let required = function.get("parameters").and_then(|schema| schema.get("required"));
            assert_eq!(required, json::parse(r#"["input"]"#).ok().as_ref());
            assert!(declared.tools[0].is_custom);
        }
    }

    #[test]
    fn namespace__its_functions__have_unique_names() {
        let declared = declared(
            r#"[{"type":"namespace","name":"mcp__one__","tools":[{"type":"function","name":"find"},{"type":"web_search"}]},
                {"type":"namespace","name":"two","tools":[{"type":"function","name":"find"},{"type":"function","name":"calculator"}]},
                {"type":"namespace","name":"empty"}]"#,
        );
        assert_eq!(names(&declared), ["find", "two__find", "two__calculator"]);
        assert_eq!(declared.left_out, ["web_search"]);
        assert_eq!(declared.name_of("find", Some("two")), Some("two__find"));
        assert_eq!(declared.name_of("find", None), Some("find"));
        let function = declared.tools[1].json.get("function").and_then(|function| function.get("name"));
        assert_eq!(function.and_then(Json::as_str), Some("two__find"));
    }
}
