//! The settings that a single line of text can set: all except tables, such as `agents`.
//!
//! Their names and types come from the `Deserialize` impl of [`Config`], which names the fields of each section and
//! requests the type of each field.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use toml::{Table, Value};

use super::Config;

/// The prefix of the environment variables of settings.
pub(super) const PREFIX: &str = "AGENT_SERVER_";

/// A setting that can be set from text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The names of its sections, then its own name.
    path: Vec<&'static str>,
    kind: Kind,
}

/// How the text of a setting is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Integer,
    Text,
    /// Texts separated by commas.
    List,
}

impl Setting {
    /// Every setting, in the order of the configuration's fields.
    pub(super) fn all() -> Vec<Setting> {
        let mut settings = Vec::new();
        collect(&mut Vec::new(), &mut settings);
        settings
    }

    /// The path, separated by dots.
    pub(super) fn path(&self) -> String {
        self.path.join(".")
    }

    /// The environment variable of the setting.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.path.join("_").to_ascii_uppercase())
    }

    /// Writes its value into a table.
    ///
    /// # Errors
    /// A sentence that says what the text should be.
    pub(super) fn set(&self, text: &str, table: &mut Table) -> Result<(), String> {
        let value = self.kind.parse(text)?;
        let (name, sections) = self.path.split_last().ok_or("a setting has a name")?;
        let mut target = table;
        for section in sections {
            let inner = target.entry(*section).or_insert_with(|| Value::Table(Table::new()));
            target = inner.as_table_mut().ok_or_else(|| format!("'{section}' should be a section"))?;
        }
        target.insert((*name).to_owned(), value);
        Ok(())
    }
}

impl Kind {
    fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Kind::Bool => match text.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Ok(Value::Boolean(true)),
                "0" | "false" | "no" | "off" => Ok(Value::Boolean(false)),
                _ => Err(format!("expected true or false, but got '{text}'")),
            },
            Kind::Integer => text
                .parse()
                .map(Value::Integer)
                .map_err(|_| format!("expected a whole number, but got '{text}'")),
            Kind::Text => Ok(Value::String(text.to_owned())),
            Kind::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
        }
    }
}

/// Adds the settings at a path.
fn collect(path: &mut Vec<&'static str>, settings: &mut Vec<Setting>) {
    match Config::deserialize(Probe(path)) {
        Err(Field::Section(fields)) => {
            for field in fields {
                path.push(field);
                collect(path, settings);
                path.pop();
            }
        }
        Err(Field::Setting(kind)) => settings.push(Setting { path: path.clone(), kind }),
        Ok(_) | Err(Field::Table | Field::Error) => {}
    }
}

/// Follows a path of fields and reports what is at its end, as an error.
#[derive(Clone, Copy)]
struct Probe<'a>(&'a [&'static str]);

/// What is at the end of a path.
#[derive(Debug)]
enum Field {
    Section(&'static [&'static str]),
    Setting(Kind),
    /// A table with user-defined names, which text cannot set.
    Table,
    Error,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Field {}

impl de::Error for Field {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Field::Error
    }
}

/// Reports that the requested field has this kind.
macro_rules! report {
    ($($method:ident = $kind:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Field> {
            Err(Field::Setting(Kind::$kind))
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Field;

    report! {
        deserialize_any = Text,
        deserialize_bool = Bool,
        deserialize_i8 = Integer,
        deserialize_i16 = Integer,
        deserialize_i32 = Integer,
        deserialize_i64 = Integer,
        deserialize_u8 = Integer,
        deserialize_u16 = Integer,
        deserialize_u32 = Integer,
        deserialize_u64 = Integer,
        deserialize_seq = List,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Field> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Field> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Field> {
        Err(Field::Table)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Field> {
        if self.0.is_empty() { Err(Field::Section(fields)) } else { visitor.visit_map(self) }
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

/// A section with only the first field of the path.
impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = Field;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Field> {
        let Some(field) = self.0.first() else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Field> {
        seed.deserialize(Probe(self.0.get(1..).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn found(path: &str) -> Option<Setting> {
        Setting::all().into_iter().find(|setting| setting.path() == path)
    }

    fn check(path: &str, variable: &str, kind: Kind) {
        let setting = found(path).expect(path);
        assert_eq!((setting.variable().as_str(), setting.kind), (variable, kind));
    }

    #[test]
    fn setting_kinds__match_field_types() {
        check("host", "AGENT_SERVER_HOST", Kind::Text);
        check("port", "AGENT_SERVER_PORT", Kind::Integer);
        check("agent", "AGENT_SERVER_AGENT", Kind::Text);
        check("ephemeral", "AGENT_SERVER_EPHEMERAL", Kind::Bool);
        check("data_dir", "AGENT_SERVER_DATA_DIR", Kind::Text);
        check("services.url", "AGENT_SERVER_SERVICES_URL", Kind::Text);
        check("http.cors_origins", "AGENT_SERVER_HTTP_CORS_ORIGINS", Kind::List);
        check("http.write_timeout_seconds", "AGENT_SERVER_HTTP_WRITE_TIMEOUT_SECONDS", Kind::Integer);
        check("runs.max_waiting", "AGENT_SERVER_RUNS_MAX_WAITING", Kind::Integer);
        check("runs.max_queued", "AGENT_SERVER_RUNS_MAX_QUEUED", Kind::Integer);
        check("runs.retention_bytes", "AGENT_SERVER_RUNS_RETENTION_BYTES", Kind::Integer);
        check("runs.durability", "AGENT_SERVER_RUNS_DURABILITY", Kind::Text);
        check("log.format", "AGENT_SERVER_LOG_FORMAT", Kind::Text);
        assert_eq!((found("agents"), found("http")), (None, None));
    }

    /// The paths in a table, except in tables that text cannot set.
    fn leaves(prefix: &str, table: &Table, paths: &mut BTreeSet<String>) {
        for (key, value) in table {
            match value {
                Value::Table(inner) if key != "agents" => leaves(&format!("{prefix}{key}."), inner, paths),
                Value::Table(_) => {}
                _ => assert!(paths.insert(format!("{prefix}{key}"))),
            }
        }
    }

    #[test]
    fn settings__cover_every_config_field() {
        let defaults = Table::try_from(Config::default()).expect("serializable");
        let mut with_default = BTreeSet::new();
        leaves("", &defaults, &mut with_default);
        let settings = Setting::all();
        let paths: BTreeSet<_> = settings.iter().map(Setting::path).collect();
        assert_eq!(with_default.difference(&paths).next(), None);
        let variables: BTreeSet<_> = settings.iter().map(Setting::variable).collect();
        assert_eq!(variables.len(), settings.len(), "two settings share a variable");
        for setting in settings {
            let path = setting.path();
            let default = setting.path.iter().try_fold(&defaults, |table, key| table.get(*key)?.as_table());
            assert_eq!(default, None, "{path} is a section");
            let mut keys = setting.path.iter();
            let first = keys.next().and_then(|key| defaults.get(*key));
            let text = match keys.fold(first, |value, key| value?.get(*key)) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Boolean(_)) => "true".to_owned(),
                _ => "7".to_owned(),
            };
            let mut table = Table::new();
            setting.set(&text, &mut table).expect(&path);
            let config: Result<Config, _> = Value::Table(table.clone()).try_into();
            let config = config.unwrap_or_else(|error| panic!("{path}: {error}"));
            if setting.kind != Kind::Text {
                assert_ne!(config, Config::default(), "{path}");
            }
        }
    }
}
