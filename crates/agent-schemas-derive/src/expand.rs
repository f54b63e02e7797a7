//! Generates the code of a record.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attributes::{IfAbsent, Member, Record};

pub(crate) fn expand(record: &Record) -> TokenStream {
    let ident = &record.ident;
    let impls = [default(record), serialize(record), from_json(record), json_schema(record)];
    quote! {
        #(#impls)*
        crate::decode::deserialize_from_json!(#ident);
    }
}

fn default(Record { ident, members, extra, .. }: &Record) -> TokenStream {
    let values = members.iter().map(|Member { ident, if_absent, .. }| match if_absent {
        IfAbsent::Value(value) | IfAbsent::Filled(value) => quote!(#ident: #value,),
        IfAbsent::Null | IfAbsent::Refused | IfAbsent::Omitted => quote!(#ident: Default::default(),),
    });
    let extra = extra.iter();
    quote! {
        impl Default for #ident {
            fn default() -> Self {
                Self { #(#values)* #(#extra: Default::default(),)* }
            }
        }
    }
}

fn serialize(Record { ident, members, extra, .. }: &Record) -> TokenStream {
    let entries = members.iter().map(|Member { ident, name, if_absent, .. }| {
        let entry = quote!(serde::ser::SerializeMap::serialize_entry(&mut out, #name, &self.#ident)?;);
        match if_absent {
            IfAbsent::Omitted => quote!(if self.#ident.is_some() { #entry }),
            _ => entry,
        }
    });
    // The output can be read again: a declared member is written only once, even if it is also among the additional ones.
    let declared: Vec<_> = members
        .iter()
        .flat_map(|Member { name, alias, .. }| {
            std::iter::once(name.clone()).chain(alias.iter().map(syn::LitStr::value))
        })
        .collect();
    let declared = quote!(#(#declared)|*);
    let extra = extra.iter();
    quote! {
        impl serde::Serialize for #ident {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut out = serializer.serialize_map(None)?;
                #(#entries)*
                #(for (key, value) in &self.#extra {
                    if !matches!(key.as_str(), #declared) {
                        serde::ser::SerializeMap::serialize_entry(&mut out, key, value)?;
                    }
                })*
                serde::ser::SerializeMap::end(out)
            }
        }
    }
}

fn from_json(Record { ident, members, extra, prepare, .. }: &Record) -> TokenStream {
    let names: Vec<_> = members.iter().map(|member| &member.name).collect();
    let prepare = prepare.as_ref().map(|prepare| quote!(let members = #prepare(members, &[#(#names),*]);));
    let required: Vec<_> =
        members.iter().filter(|member| matches!(member.if_absent, IfAbsent::Refused)).collect();
    let check_required = (!required.is_empty()).then(|| {
        let names = required.iter().map(|member| &member.name);
        quote!(crate::record::check_required(&[#(#names),*], &members)?;)
    });
    let aliases: Vec<_> = members
        .iter()
        .filter_map(|Member { name, alias, .. }| alias.as_ref().map(|alias| quote!((#name, #alias))))
        .collect();
    let without_shadowed = (!aliases.is_empty())
        .then(|| quote!(let members = crate::record::without_shadowed(members, &[#(#aliases),*]);));
    let arms = members.iter().map(|Member { ident, ty, name, alias, if_absent, range, check, .. }| {
        let alias = alias.iter();
        let skip_null = matches!(if_absent, IfAbsent::Filled(_)).then(|| {
            quote!(if value.is_null() {
                continue;
            })
        });
        let range = range
            .iter()
            .map(|(min, max)| quote!(crate::record::check_range(&key, &value, #min as f64, #max as f64)?;));
        let check =
            check.iter().map(|check| quote!(#check(&value).map_err(|fault| fault.at(key.as_str()))?;));
        quote! {
            #name #(| #alias)* => {
                #skip_null
                #(#range)*
                #(#check)*
                record.#ident = crate::decode::member::<#ty>(&key, value)?;
            }
        }
    });
    let other = match extra {
        Some(extra) => quote!({ record.#extra.insert(key, value); }),
        None => quote!({}),
    };
    quote! {
        impl crate::decode::FromJson for #ident {
            fn from_json(json: crate::Json) -> crate::decode::Decoded<Self> {
                let members = crate::record::members(json)?;
                #prepare
                #check_required
                #without_shadowed
                let mut record = Self::default();
                for (key, value) in members {
                    match key.as_str() {
                        #(#arms)*
                        _ => #other
                    }
                }
                Ok(record)
            }
        }
    }
}

fn json_schema(Record { ident, name, doc, example, describe, members, extra, .. }: &Record) -> TokenStream {
    let fields = members.iter().map(|member| {
        let Member { ty, name, doc, if_absent, alias, range, constant, .. } = member;
        let alias = option(alias.as_ref().map(|alias| quote!(#alias)));
        let range = option(
            range.as_ref().map(|(min, max)| quote!((crate::Json::from(#min), crate::Json::from(#max)))),
        );
        let constant = option(constant.as_ref().map(|constant| quote!(#constant)));
        let if_absent = match if_absent {
            IfAbsent::Null => quote!(Null),
            IfAbsent::Refused => quote!(Refused),
            IfAbsent::Omitted => quote!(Omitted),
            IfAbsent::Filled(_) => quote!(Filled),
            IfAbsent::Value(value) => quote!(Value({
                let value: #ty = #value;
                crate::Json::from_serialize(&value).unwrap_or_default()
            })),
        };
        quote! {
            schema.field::<#ty>(crate::record::Field {
                name: #name,
                doc: &[#(#doc),*],
                if_absent: crate::record::IfAbsent::#if_absent,
                alias: #alias,
                range: #range,
                constant: #constant,
            });
        }
    });
    let keeps_others = extra.iter().map(|_| quote!(schema.keeps_others();));
    let example = example.iter();
    let describe = describe.iter();
    quote! {
        impl schemars::JsonSchema for #ident {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(#name)
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = crate::record::RecordSchema::new(generator, &[#(#doc),*]);
                #(#fields)*
                #(#keeps_others)*
                #(schema.example(#example);)*
                let schema = schema.finish();
                #(let schema = #describe(schema, generator);)*
                schema
            }
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}
