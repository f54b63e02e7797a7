//! Reads the members of a foreign request, so that an error names the invalid one.

use agent_schemas::{Json, JsonObject};

use crate::error::ErrorInfo;

/// An object of a request, and its location.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    members: &'a JsonObject,
    place: String,
}

impl<'a> Fields<'a> {
    /// The request's own members.
    pub fn new(members: &'a JsonObject) -> Self {
        Fields { members, place: String::new() }
    }

    /// The members of a value at a location in the request.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is not an object.
    pub fn of(value: &'a Json, place: String) -> Result<Self, ErrorInfo> {
        match value {
            Json::Object(members) => Ok(Fields { members, place }),
            _ => Err(ErrorInfo::at_parameter(place, "expected an object")),
        }
    }

    /// The members, unchanged.
    pub fn members(&self) -> &'a JsonObject {
        self.members
    }

    /// The location of a member in the request.
    pub fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// An error of a member.
    pub fn fault(&self, key: &str, message: impl Into<String>) -> ErrorInfo {
        ErrorInfo::at_parameter(self.place_of(key), message)
    }

    /// A member that is present and not null.
    pub fn get(&self, key: &str) -> Option<&'a Json> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    /// A string, if it is present and not null.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is not a string.
    pub fn optional_text(&self, key: &str) -> Result<Option<&'a str>, ErrorInfo> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(key, "expected a string")),
        }
    }

    /// A required string.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is missing or not a string.
    pub fn text(&self, key: &str) -> Result<&'a str, ErrorInfo> {
        self.optional_text(key)?.ok_or_else(|| self.fault(key, "this field is required"))
    }

    /// A boolean, if it is present and not null.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is not a boolean.
    pub fn optional_flag(&self, key: &str) -> Result<Option<bool>, ErrorInfo> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.fault(key, "expected true or false")),
        }
    }

    /// A required object.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is missing or not an object.
    pub fn object(&self, key: &str) -> Result<Fields<'a>, ErrorInfo> {
        match self.get(key) {
            Some(value) => Fields::of(value, self.place_of(key)),
            None => Err(self.fault(key, "this field is required")),
        }
    }

    /// The items of an array, each with its location; none if there is no array.
    ///
    /// # Errors
    /// [`ErrorInfo`] if it is not an array.
    pub fn items(&self, key: &str) -> Result<Vec<(&'a Json, String)>, ErrorInfo> {
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
