//! The peer's types as its tables write them (`Optional[List[str]]`), and which values they take.

use agent_schemas::Json;

/// A type of the peer.
#[derive(Clone, Debug)]
pub(crate) enum PeerType {
    Null,
    Bool,
    Int,
    StrictInt,
    Float,
    Str,
    Any,
    Literal(Vec<String>),
    List(Box<PeerType>),
    Map(Box<PeerType>),
    Union(Vec<PeerType>),
    /// An enum of strings, which the table does not tell.
    Enum(String),
    /// An object with fields.
    Model(String),
    /// The table breaks off.
    CutOff,
}

const ENUMS: [&str; 4] = ["AsrVendor", "TtsVendor", "ModelstudioVoiceChatEvent", "<enum '"];

impl PeerType {
    /// Reads a type from a table.
    pub(crate) fn parse(text: &str) -> PeerType {
        let text = text.trim();
        if let [first, rest @ ..] = &split(text, " | ")[..]
            && !rest.is_empty()
        {
            let first = PeerType::parse(first);
            return PeerType::Union(
                [first].into_iter().chain(rest.iter().map(|part| PeerType::parse(part))).collect(),
            );
        }
        match text {
            "None" | "NoneType" => PeerType::Null,
            "bool" => PeerType::Bool,
            "int" => PeerType::Int,
            "float" => PeerType::Float,
            "str" => PeerType::Str,
            "Any" | "object" => PeerType::Any,
            "Dict" | "dict" => PeerType::Map(Box::new(PeerType::Any)),
            _ if ENUMS.iter().any(|name| text.starts_with(name)) => PeerType::Enum(text.to_owned()),
            _ => match text.split_once('[') {
                None => PeerType::Model(text.to_owned()),
                Some((name, rest)) => match rest.strip_suffix(']') {
                    None => PeerType::CutOff,
                    Some(arguments) => PeerType::generic(name, &split(arguments, ", ")),
                },
            },
        }
    }

    fn generic(name: &str, arguments: &[&str]) -> PeerType {
        let parsed = |at: usize| Box::new(PeerType::parse(arguments[at]));
        match name {
            "Optional" => PeerType::Union(vec![*parsed(0), PeerType::Null]),
            "Union" => PeerType::Union(arguments.iter().map(|part| PeerType::parse(part)).collect()),
            "List" | "list" => PeerType::List(parsed(0)),
            "Dict" | "dict" => PeerType::Map(parsed(1)),
            "Annotated" if arguments[1].starts_with("Strict(") => PeerType::StrictInt,
            "Annotated" => *parsed(0),
            "Literal" => {
                PeerType::Literal(arguments.iter().map(|text| text.trim_matches('\'').to_owned()).collect())
            }
            _ => panic!("no such type: {name}"),
        }
    }

    /// Whether the peer takes a value; `None` where the table does not tell.
    pub(crate) fn takes(&self, value: &Json) -> Option<bool> {
        match (self, value) {
            (PeerType::Any, _) => Some(true),
            (PeerType::CutOff, _)
            | (PeerType::Model(_), Json::Object(_))
            | (PeerType::Enum(_), Json::String(_)) => None,
            (PeerType::Null, value) => Some(value.is_null()),
            (PeerType::Bool, Json::Bool(_)) => Some(true),
            (PeerType::StrictInt, Json::Number(number)) => Some(number.is_integer()),
            (PeerType::Int, Json::Number(number)) => number.as_f64().map(|value| value.fract() == 0.0),
            (PeerType::Int | PeerType::Float, Json::Bool(_)) | (PeerType::Float, Json::Number(_)) => {
                Some(true)
            }
            (PeerType::Int, Json::String(text)) => Some(text.parse::<i64>().is_ok()),
            (PeerType::Float, Json::String(text)) => Some(text.parse::<f64>().is_ok()),
            (PeerType::Str, value) => Some(value.as_str().is_some()),
            (PeerType::Literal(texts), Json::String(text)) => Some(texts.contains(text)),
            (PeerType::List(item), Json::Array(values)) => item.takes_all(values.iter()),
            (PeerType::Map(item), Json::Object(members)) => item.takes_all(members.values()),
            (PeerType::Union(types), value) => {
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

    /// The texts that the type names.
    pub(crate) fn literals(&self) -> Vec<&str> {
        match self {
            PeerType::Literal(texts) => texts.iter().map(String::as_str).collect(),
            PeerType::Union(types) => types.iter().flat_map(PeerType::literals).collect(),
            _ => Vec::new(),
        }
    }

    fn takes_all<'a>(&self, values: impl IntoIterator<Item = &'a Json>) -> Option<bool> {
        values.into_iter().try_fold(true, |taken, value| Some(self.takes(value)? && taken))
    }
}

/// The parts between separators that are in no brackets.
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
