//! Parses and checks the struct and its `#[record(…)]` attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Ident, LitStr, Meta, Path, Result, Token, Type,
};

/// A wire struct.
pub(crate) struct Record {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) doc: Vec<Expr>,
    pub(crate) example: Option<Expr>,
    pub(crate) describe: Option<Path>,
    pub(crate) prepare: Option<Path>,
    pub(crate) members: Vec<Member>,
    /// The field that keeps all other members.
    pub(crate) extra: Option<Ident>,
}

/// A field with a wire name.
pub(crate) struct Member {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) doc: Vec<Expr>,
    pub(crate) if_absent: IfAbsent,
    pub(crate) alias: Option<LitStr>,
    pub(crate) range: Option<(Expr, Expr)>,
    pub(crate) constant: Option<Expr>,
    pub(crate) check: Option<Path>,
}

/// How an absent field is read.
pub(crate) enum IfAbsent {
    Null,
    Refused,
    Omitted,
    Value(TokenStream),
    Filled(TokenStream),
}

impl Record {
    pub(crate) fn read(input: &DeriveInput) -> Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(Error::new_spanned(&input.ident, "a record is a struct with named fields"));
        };
        let Fields::Named(fields) = &data.fields else {
            return Err(Error::new_spanned(&input.ident, "a record is a struct with named fields"));
        };
        if !input.generics.params.is_empty() {
            return Err(Error::new_spanned(&input.generics, "a record has no parameters"));
        }
        let mut record = Record {
            ident: input.ident.clone(),
            name: input.ident.to_string(),
            doc: doc(&input.attrs),
            example: None,
            describe: None,
            prepare: None,
            members: Vec::new(),
            extra: None,
        };
        each_option(&input.attrs, |meta| {
            match meta.path.require_ident()?.to_string().as_str() {
                "name" => record.name = meta.value()?.parse::<LitStr>()?.value(),
                "example" => record.example = Some(meta.value()?.parse()?),
                "describe" => record.describe = Some(meta.value()?.parse()?),
                "prepare" => record.prepare = Some(meta.value()?.parse()?),
                _ => return Err(meta.error("expected `name`, `example`, `describe` or `prepare`")),
            }
            Ok(())
        })?;
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            match Member::read(ident, field)? {
                Some(member) => record.members.push(member),
                None if record.extra.is_some() => {
                    return Err(Error::new_spanned(field, "another field is already `extra`"));
                }
                None => record.extra = Some(ident.clone()),
            }
        }
        Ok(record)
    }
}

impl Member {
    /// The member; `None` for the field that keeps the others.
    fn read(ident: &Ident, field: &Field) -> Result<Option<Self>> {
        let mut member = Member {
            ident: ident.clone(),
            ty: field.ty.clone(),
            name: ident.unraw().to_string(),
            doc: doc(&field.attrs),
            if_absent: IfAbsent::Null,
            alias: None,
            range: None,
            constant: None,
            check: None,
        };
        let mut extra = false;
        each_option(&field.attrs, |meta| {
            match meta.path.require_ident()?.to_string().as_str() {
                "name" => member.name = meta.value()?.parse::<LitStr>()?.value(),
                "alias" => member.alias = Some(meta.value()?.parse()?),
                "constant" => member.constant = Some(meta.value()?.parse()?),
                "check" => member.check = Some(meta.value()?.parse()?),
                "range" => member.range = Some(range(&meta)?),
                "required" => member.once(&meta, IfAbsent::Refused)?,
                "omitted" => member.once(&meta, IfAbsent::Omitted)?,
                "default" => {
                    let value = value_or_default(&meta)?;
                    member.once(&meta, IfAbsent::Value(value))?;
                }
                "unset" => {
                    let value = value_or_default(&meta)?;
                    member.once(&meta, IfAbsent::Filled(value))?;
                }
                "extra" => extra = true,
                _ => {
                    return Err(meta.error(
                        "expected `required`, `default`, `unset`, `omitted`, `name`, `alias`, `range`, `constant`, \
                         `check` or `extra`",
                    ));
                }
            }
            Ok(())
        })?;
        Ok((!extra).then_some(member))
    }

    fn once(&mut self, meta: &ParseNestedMeta<'_>, if_absent: IfAbsent) -> Result<()> {
        if !matches!(self.if_absent, IfAbsent::Null) {
            return Err(meta.error("a field has at most one of `required`, `default`, `unset` and `omitted`"));
        }
        self.if_absent = if_absent;
        Ok(())
    }
}

/// The value of `default = value`, or the type's default for `default` alone.
fn value_or_default(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    if !meta.input.peek(Token![=]) {
        return Ok(quote!(Default::default()));
    }
    meta.value()?.parse::<Expr>().map(Expr::into_token_stream)
}

/// The two numbers of `range(1, 5)`.
fn range(meta: &ParseNestedMeta<'_>) -> Result<(Expr, Expr)> {
    let content;
    syn::parenthesized!(content in meta.input);
    let min = content.parse()?;
    content.parse::<Token![,]>()?;
    Ok((min, content.parse()?))
}

fn each_option(
    attributes: &[Attribute],
    mut read: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let ours = attributes.iter().filter(|attribute| attribute.path().is_ident("record"));
    ours.into_iter().try_for_each(|attribute| attribute.parse_nested_meta(&mut read))
}

/// The lines of a doc comment.
fn doc(attributes: &[Attribute]) -> Vec<Expr> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(pair.value.clone()),
        _ => None,
    });
    lines.collect()
}
