//! Upstream's types as written in its tables (`Optional[List[str]]`), and the values that they accept.

use agent_schemas::Json;

/// A type of upstream.
#[derive(Clone, Debug)]
pub(crate) enum UpstreamType {
    Null,
    Bool,
    Int,
    StrictInt,
    Float,
    Str,
    Any,
    Literal(Vec<String>),
    List(Box<UpstreamType>),
    Map(Box<UpstreamType>),
    Union(Vec<UpstreamType>),
    /// An enum of strings, which are not in the table.
    Enum(String),
    /// An object with fields.
    Model(String),
    /// The table is truncated.
    CutOff,
}

const ENUMS: [&str; 4] = ["AsrVendor", "TtsVendor", "ModelstudioVoiceChatEvent", "<enum '"];

impl UpstreamType {
    /// Reads a type from a table.
    pub(crate) fn parse(text: &str) -> UpstreamType {
        let text = text.trim();
        if let [first, rest @ ..] = &split(text, " | ")[..]
            && !rest.is_empty()
        {
            let first = UpstreamType::parse(first);
            return UpstreamType::Union(
                [first].into_iter().chain(rest.iter().map(|part| UpstreamType::parse(part))).collect(),
            );
        }
        match text {
            "None" | "NoneType" => UpstreamType::Null,
            "bool" => UpstreamType::Bool,
            "int" => UpstreamType::Int,
            "float" => UpstreamType::Float,
            "str" => UpstreamType::Str,
            "Any" | "object" => UpstreamType::Any,
            "Dict" | "dict" => UpstreamType::Map(Box::new(UpstreamType::Any)),
            _ if ENUMS.iter().any(|name| text.starts_with(name)) => UpstreamType::Enum(text.to_owned()),
            _ => match text.split_once('[') {
                None => UpstreamType::Model(text.to_owned()),
                Some((name, rest)) => match rest.strip_suffix(']') {
                    None => UpstreamType::CutOff,
                    Some(arguments) => UpstreamType::generic(name, &split(arguments, ", ")),
                },
            },
        }
    }

    fn generic(name: &str, arguments: &[&str]) -> UpstreamType {
        let parsed = |at: usize| Box::new(UpstreamType::parse(arguments[at]));
        match name {
            "Optional" => UpstreamType::Union(vec![*parsed(0), UpstreamType::Null]),
            "Union" => UpstreamType::Union(arguments.iter().map(|part| UpstreamType::parse(part)).collect()),
            "List" | "list" => UpstreamType::List(parsed(0)),
            "Dict" | "dict" => UpstreamType::Map(parsed(1)),
            "Annotated" if arguments[1].starts_with("Strict(") => UpstreamType::StrictInt,
            "Annotated" => *parsed(0),
            "Literal" => UpstreamType::Literal(
                arguments.iter().map(|text| text.trim_matches('\'').to_owned()).collect(),
            ),
            _ => panic!("no such type: {name}"),
        }
    }

    /// Whether upstream accepts a value; `None` if the table does not say.
    pub(crate) fn takes(&self, value: &Json) -> Option<bool> {
        match (self, value) {
            (UpstreamType::Any, _) => Some(true),
            (UpstreamType::CutOff, _)
            | (UpstreamType::Model(_), Json::Object(_))
            | (UpstreamType::Enum(_), Json::String(_)) => None,
            (UpstreamType::Null, value) => Some(value.is_null()),
            (UpstreamType::Bool, Json::Bool(_)) => Some(true),
            (UpstreamType::StrictInt, Json::Number(number)) => Some(number.is_integer()),
            (UpstreamType::Int, Json::Number(number)) => number.as_f64().map(|value| value.fract() == 0.0),
            (UpstreamType::Int | UpstreamType::Float, Json::Bool(_))
            | (UpstreamType::Float, Json::Number(_)) => Some(true),
            (UpstreamType::Int, Json::String(text)) => Some(text.parse::<i64>().is_ok()),
            (UpstreamType::Float, Json::String(text)) => Some(text.parse::<f64>().is_ok()),
            (UpstreamType::Str, value) => Some(value.as_str().is_some()),
            (UpstreamType::Literal(texts), Json::String(text)) => Some(texts.contains(text)),
            (UpstreamType::List(item), Json::Array(values)) => item.takes_all(values.iter()),
            (UpstreamType::Map(item), Json::Object(members)) => item.takes_all(members.values()),
            (UpstreamType::Union(types), value) => {
                let answers: Vec<_> = types.iter().map(|one| one.takes(value)).collect();
                if answers.contains(&Some(true)) {
                    Some(true)
                } else {
                    answers.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
                }
            }
            _ => Some(false),
        }
    }

    /// The strings that the type names.
    pub(crate) fn literals(&self) -> Vec<&str> {
        match self {
            UpstreamType::Literal(texts) => texts.iter().map(String::as_str).collect(),
            UpstreamType::Union(types) => types.iter().flat_map(UpstreamType::literals).collect(),
            _ => Vec::new(),
        }
    }

    fn takes_all<'a>(&self, values: impl IntoIterator<Item = &'a Json>) -> Option<bool> {
        values.into_iter().try_fold(true, |taken, value| Some(self.takes(value)? && taken))
    }
}

/// The parts between separators that are outside of brackets.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
