//! The derive macro of wire objects: a struct's fields give its JSON in both directions, and its JSON Schema.

mod attributes;
mod expand;

use proc_macro::TokenStream;

/// Makes a struct with public fields an object of the wire: written in the order of its fields, nulls included.
///
/// It implements `Default`, `Serialize`, `Deserialize`, `FromJson` and `JsonSchema`, the last from the doc comments.
/// It works inside of `agent-schemas` only.
///
/// On the struct, `#[record(…)]` takes:
///
/// - `name = "Name"`: the schema's name, where it is not the struct's;
/// - `example = "{}"`: an example for the schema;
/// - `describe = function`: completes the schema;
/// - `prepare = function`: changes the members before they are read.
///
/// On a field:
///
/// - `name = "wire_name"`: the name on the wire, where it is not the field's;
/// - `alias = "other_name"`: another name that is read, unless the field's own is there;
/// - `required`: the field is refused if absent;
/// - `default = value`: this if absent, and the schema says so;
/// - `unset = value`: this if absent or null, until somebody fills it in;
/// - `omitted`: null if absent, and not written where it is null;
/// - `range(1, 5)`: the least and the greatest number;
/// - `constant = "message"`: the only value of the canonical form; others are read, too;
/// - `check = function`: may refuse the value before it is read;
/// - `extra`: keeps every other member; else they are dropped.
///
/// A field with none of the four in the middle is null if absent.
#[proc_macro_derive(Record, attributes(record))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    let record = attributes::Record::read(&input);
    record.map(|record| expand::expand(&record)).unwrap_or_else(|error| error.into_compile_error()).into()
}
