//! Every field of upstream's types: its name and position, its default, and the values that it accepts.

use agent_schemas::export::{ExportedType, types};
use agent_schemas::{Json, JsonObject};

use crate::support::{golden_json, member, replay};
use crate::upstream_type::UpstreamType;

const FILE: &str = "v115/schemas_fields.json";

/// Types of upstream that are only base classes.
const BASES: [&str; 7] = [
    "agent_schemas.Event",
    "agent_schemas.Content",
    "agent_schemas.BaseRequest",
    "agent_schemas.BaseResponse",
    "realtime.ModelstudioVoiceChatInPayload",
    "realtime.ModelstudioVoiceChatOutPayload",
    "response_api.OpenAIBaseModel",
];

/// Types of upstream that have another name here.
const RENAMED: [(&str, &str); 17] = [
    ("agent_schemas.TextContent", "Content"),
    ("agent_schemas.ImageContent", "Content"),
    ("agent_schemas.DataContent", "Content"),
    ("agent_schemas.AudioContent", "Content"),
    ("agent_schemas.FileContent", "Content"),
    ("agent_schemas.RefusalContent", "Content"),
    ("agent_schemas.VideoContent", "Content"),
    ("embedding.Usage", "EmbeddingUsage"),
    ("modelstudio_llm.RagOptions.FallbackOptions", "RagFallbackOptions"),
    ("modelstudio_llm.RagOptions.RewriteOptions", "RagRewriteOptions"),
    ("modelstudio_llm.RagOptions.RerankOptions", "RagRerankOptions"),
    ("modelstudio_llm.ModelstudioChatResponse", "ChatCompletion"),
    ("modelstudio_llm.ModelstudioChatCompletionChunk", "ChatCompletionChunk"),
    ("oai_llm.ImageMessageContent.ImageUrl", "ImageUrl"),
    ("oai_llm.AudioMessageContent.InputAudioDetail", "InputAudioDetail"),
    ("oai_llm.ToolCall", "OpenAIToolCall"),
    ("oai_llm.ResponseFormat.JsonSchema", "JsonSchemaFormat"),
];

/// Values that distinguish the types.
const PROBES: [&str; 13] = [
    "null",
    "true",
    "5",
    "5.0",
    "5.5",
    r#""x""#,
    r#""5""#,
    r#""""#,
    "[]",
    r#"["x"]"#,
    "[5]",
    "{}",
    r#"{"x":"y"}"#,
];

/// A type of upstream, and its module.
#[derive(Clone, Copy)]
struct Model<'a> {
    table: &'a Json,
    module: &'a str,
    name: &'a str,
}

impl<'a> Model<'a> {
    fn all(table: &'a Json) -> impl Iterator<Item = Model<'a>> {
        let modules = table.as_object().unwrap().iter();
        modules.flat_map(move |(module, models)| {
            models.as_object().unwrap().keys().map(move |name| Model { table, module, name })
        })
    }

    fn path(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    fn fields(&self) -> &'a JsonObject {
        let model = member(member(self.table, self.module), self.name);
        member(model, "fields").as_object().unwrap()
    }

    /// The type with that name, from the same module if it has one.
    fn other(&self, name: &str) -> Option<Model<'a>> {
        let named = |model: &Model<'_>| model.name == name;
        let same_module = |model: &Model<'_>| model.module == self.module;
        let of_module = Model::all(self.table).filter(named).find(same_module);
        of_module.or_else(|| Model::all(self.table).find(named))
    }

    /// A value of a type.
    fn sample(&self, of: &UpstreamType) -> Json {
        match of {
            UpstreamType::Null => Json::Null,
            UpstreamType::Bool => Json::from(true),
            UpstreamType::Int | UpstreamType::StrictInt => Json::from(5_i64),
            UpstreamType::Float => Json::from(5.5),
            UpstreamType::Str => Json::from("x"),
            UpstreamType::Literal(texts) => Json::from(texts[0].as_str()),
            UpstreamType::List(_) => Json::Array(Vec::new()),
            UpstreamType::Any | UpstreamType::Map(_) | UpstreamType::CutOff => JsonObject::new().into(),
            UpstreamType::Union(types) => self.sample(&types[0]),
            UpstreamType::Enum(name) if name.contains("Directive") => Json::from("SessionStart"),
            UpstreamType::Enum(name) if name.contains("Event") => Json::from("SessionStarted"),
            UpstreamType::Enum(_) => Json::from("azure"),
            UpstreamType::Model(name) => {
                self.other(name).map_or(JsonObject::new(), |model| model.minimal()).into()
            }
        }
    }

    /// An object of the type with only its required members.
    fn minimal(&self) -> JsonObject {
        // The member that distinguishes contents has a default in upstream, but is required nevertheless.
        let tags = self.fields().iter().filter(|(name, _)| *name == "type" && self.name.ends_with("Content"));
        let tags = tags.map(|(name, field)| (name.clone(), member(field, "default").clone()));
        let required = self.fields().iter().filter(|(_, field)| if_absent(field) == "required");
        let required = required.map(|(name, field)| (name.clone(), self.sample(&upstream_type(field))));
        tags.chain(required).collect()
    }

    fn ours(&self) -> Option<ExportedType> {
        let path = self.path();
        let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == path);
        let name = renamed.map_or(self.name, |(_, ours)| ours);
        types().into_iter().find(|one| one.name() == name && !BASES.contains(&path.as_str()))
    }
}

fn upstream_type(field: &Json) -> UpstreamType {
    UpstreamType::parse(member(field, "type").as_str().unwrap())
}

fn if_absent(field: &Json) -> String {
    match member(field, "default") {
        Json::String(text) if text == "<required>" => "required".to_owned(),
        Json::String(text) if text.starts_with('<') => "filled in".to_owned(),
        value => value.to_string(),
    }
}

/// Values for a field of some type. They include those that a literal names, except one that needs another field.
fn probes(field: &Json) -> Vec<Json> {
    let probes = PROBES.iter().map(|text| agent_schemas::json::parse(text).unwrap());
    let of = upstream_type(field);
    let literals = of.literals().into_iter().filter(|text| *text != "json_schema").map(Json::from);
    probes.chain(literals).collect()
}

fn alias(field: &Json) -> Option<&str> {
    field.get("alias")?.as_str()
}

/// A field as one line.
fn shown(if_absent: &str, alias: Option<&str>, taken: impl Iterator<Item = Json>) -> String {
    let alias = alias.map(|name| format!(", also as {name}")).unwrap_or_default();
    let taken: String = taken.map(|value| format!(" {value}")).collect();
    format!("{if_absent}{alias}, takes{taken}")
}

/// A field according to upstream's table.
fn theirs(field: &Json) -> String {
    let taken = |probe: &Json| upstream_type(field).takes(probe) == Some(true);
    shown(&if_absent(field), alias(field), probes(field).into_iter().filter(taken))
}

/// The same for our field, with the values in upstream's table.
fn ours(model: Model<'_>, name: &str, field: &Json, of: &ExportedType) -> String {
    let mut without = model.minimal();
    without.shift_remove(name);
    let absent = match of.canonical(without.clone().into()) {
        Ok(_) if if_absent(field) == "filled in" => "filled in".to_owned(),
        Ok(dump) => dump.get(name).map_or("not there".to_owned(), Json::to_string),
        Err(fault) if fault.kind == "missing" || fault.kind == "union_tag_not_found" => "required".to_owned(),
        Err(fault) => format!("refused: {fault}"),
    };
    let with = |key: &str, value: &Json| {
        let mut object = without.clone();
        object.insert(key.to_owned(), value.clone());
        of.canonical(object.into())
    };
    let taken = |probe: &Json| upstream_type(field).takes(probe).is_some() && with(name, probe).is_ok();
    let other_name = alias(field).filter(|alias| {
        let value = model.sample(&upstream_type(field));
        with(alias, &value) == with(name, &value) && with(name, &value).is_ok()
    });
    shown(&absent, other_name, probes(field).into_iter().filter(taken))
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// One case for a type and one for each of its fields: its name, our result and upstream's.
fn cases(model: Model<'_>) -> Vec<Json> {
    let case = |name: String, ours: String, theirs: String| {
        agent_schemas::object! { "name" => name, "ours" => ours, "theirs" => theirs }.into()
    };
    let order = names(model.fields().keys());
    let Some(of) = model.ours() else {
        return vec![case(model.path(), "no such type".to_owned(), order)];
    };
    let ours_order = match of.canonical(model.minimal().into()) {
        Ok(dump) => names(dump.as_object().into_iter().flat_map(JsonObject::keys)),
        Err(fault) => format!("refused: {fault}"),
    };
    let fields = model.fields().iter().map(|(name, field)| {
        case(format!("{}.{name}", model.path()), ours(model, name, field, &of), theirs(field))
    });
    [case(model.path(), ours_order, order)].into_iter().chain(fields).collect()
}

#[test]
fn fields__upstream_table__match_golden() {
    let table = golden_json(FILE);
    let cases: Vec<Json> = Model::all(&table).flat_map(cases).collect();
    replay(FILE, &cases, |case| {
        let text = |key| member(case, key).as_str().unwrap().to_owned();
        (text("name"), text("ours"), text("theirs"))
    });
}

#[test]
fn canonical_form__read_again__is_unchanged() {
    let table = golden_json(FILE);
    for model in Model::all(&table) {
        if let Some(of) = model.ours() {
            let written = of.canonical(model.minimal().into()).unwrap();
            assert_eq!(of.canonical(written.clone()).unwrap().to_string(), written.to_string());
        }
    }
}
