//! The derive macro of wire objects: generates a struct's JSON in both directions and its JSON Schema.

mod attributes;
mod expand;

use proc_macro::TokenStream;

/// Makes a struct with public fields a wire object, written in the order of its fields, including nulls.
///
/// It implements `Default`, `Serialize`, `Deserialize`, `FromJson` and `JsonSchema`, the last from the doc comments.
/// It works only inside `agent-schemas`.
///
/// On the struct, `#[record(…)]` takes:
///
/// - `name = "Name"`: the schema's name, if it differs from the struct's;
/// - `example = "{}"`: an example for the schema;
/// - `describe = function`: completes the schema;
/// - `prepare = function`: changes the members before they are read.
///
/// On a field:
///
/// - `name = "wire_name"`: the name on the wire, if it differs from the field's;
/// - `alias = "other_name"`: another accepted name, used if the field's own is absent;
/// - `required`: an absent field is rejected;
/// - `default = value`: the value if absent; the schema states it;
/// - `unset = value`: the value if absent or null, to be filled in later;
/// - `omitted`: null if absent, and not written if null;
/// - `range(1, 5)`: the minimum and the maximum of a number;
/// - `constant = "message"`: the only canonical value; others are accepted;
/// - `check = function`: may reject the value before it is read;
/// - `extra`: keeps all other members; without it they are dropped.
///
/// A field with none of `required`, `default`, `unset` and `omitted` is null if absent.
#[proc_macro_derive(Record, attributes(record))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    let record = attributes::Record::read(&input);
    record.map(|record| expand::expand(&record)).unwrap_or_else(|error| error.into_compile_error()).into()
}
