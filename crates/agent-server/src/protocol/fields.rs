//! The members of a foreign request, read with the place of the first fault.

use agent_schemas::{Json, JsonObject, Step, ValidationError};

use super::Failure;

/// An object of a request, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    members: &'a JsonObject,
    place: String,
}

impl<'a> Fields<'a> {
    /// The request's own members.
    pub(crate) fn new(members: &'a JsonObject) -> Self {
        Fields { members, place: String::new() }
    }

    /// A value that is to be an object.
    pub(crate) fn of(value: &'a Json, place: String) -> Result<Self, Failure> {
        match value {
            Json::Object(members) => Ok(Fields { members, place }),
            _ => Err(Failure::of_parameter(place, "expected an object")),
        }
    }

    pub(crate) fn members(&self) -> &'a JsonObject {
        self.members
    }

    /// Where a member stands in the request.
    pub(crate) fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// A fault of a member.
    pub(crate) fn fault(&self, key: &str, message: impl Into<String>) -> Failure {
        Failure::of_parameter(self.place_of(key), message)
    }

    /// A member that is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Json> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, Failure> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(key, "expected a text")),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, Failure> {
        self.optional_text(key)?.ok_or_else(|| self.fault(key, "this field is required"))
    }

    pub(crate) fn optional_flag(&self, key: &str) -> Result<Option<bool>, Failure> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.fault(key, "expected true or false")),
        }
    }

    pub(crate) fn object(&self, key: &str) -> Result<Fields<'a>, Failure> {
        match self.get(key) {
            Some(value) => Fields::of(value, self.place_of(key)),
            None => Err(self.fault(key, "this field is required")),
        }
    }

    /// The items of an array, each with its place; none where there is no array.
    pub(crate) fn items(&self, key: &str) -> Result<Vec<(&'a Json, String)>, Failure> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => {
                let place = self.place_of(key);
                Ok(items.iter().enumerate().map(|(at, item)| (item, format!("{place}[{at}]"))).collect())
            }
            Some(_) => Err(self.fault(key, "expected an array")),
        }
    }
}

/// The place of a fault, as in `tools[0].name`; `None` if it is the whole.
pub(crate) fn place_of(fault: &ValidationError) -> Option<String> {
    let mut place = String::new();
    for step in &fault.location {
        match step {
            Step::Key(key) if place.is_empty() => place.push_str(key),
            Step::Key(key) => place.extend([".", key]),
            Step::Index(index) => place.push_str(&format!("[{index}]")),
        }
    }
    (!place.is_empty()).then_some(place)
}

impl From<ValidationError> for Failure {
    fn from(fault: ValidationError) -> Self {
        let failure = Failure::of_parameter(String::new(), fault.message.clone());
        Failure { parameter: place_of(&fault), ..failure }
    }
}
