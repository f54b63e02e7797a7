//! Enums of objects that are distinguished by their `type`.

/// Defines an enum of objects that are distinguished by their `type`, with a variant for any other `type`.
macro_rules! one_of {
    ($(#[doc = $doc:literal])* pub enum $name:ident {
        $($(#[doc = $variant_doc:literal])* $variant:ident $tag:literal ($type:ty),)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant($type),)*
            /// An object of another `type`, kept unchanged.
            Other($crate::JsonObject),
        }

        $(impl From<$type> for $name {
            fn from(value: $type) -> Self {
                $name::$variant(value)
            }
        })*

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $($name::$variant(value) => value.serialize(serializer),)*
                    $name::Other(members) => members.serialize(serializer),
                }
            }
        }

        impl $crate::decode::FromJson for $name {
            fn from_json(json: $crate::Json) -> $crate::decode::Decoded<Self> {
                match json.get("type").and_then($crate::Json::as_str) {
                    $(Some($tag) => <$type as $crate::decode::FromJson>::from_json(json).map($name::$variant),)*
                    _ => $crate::record::members(json).map($name::Other),
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let alternatives = [$(($tag, generator.subschema_for::<$type>())),*];
                $crate::union::tagged_union(&[$($doc),*], "type", &alternatives)
            }
        }

        $crate::decode::deserialize_from_json!($name);
    };
}

pub(super) use one_of;
