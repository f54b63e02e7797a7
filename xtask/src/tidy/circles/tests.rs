//! Small crates with and without circles.

use super::*;

/// The circles of a crate in memory, without the advice: its files are named as under `src/`.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let read = |path: &str| {
        Ok(files.iter().find(|(name, _)| path == format!("src/{name}")).map(|(_, text)| (*text).to_owned()))
    };
    let violations = check("src/lib.rs", &read).expect("files in memory can be read");
    let advice = "modules import each other in a cycle: ";
    let short = |violation: &Violation| {
        violation.to_string().replace(advice, "").replace("move what they share into a separate module ", "")
    };
    violations.iter().map(short).collect()
}

#[track_caller]
fn expect(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(found(files), expected);
}

/// Checks that the modules `a` and `b` form a circle if `a` has this text; `b` names `a`.
#[track_caller]
fn names_b(a: &str) {
    let found =
        found(&[("lib.rs", "mod a; mod b; mod c;"), ("a.rs", a), ("b.rs", "use crate::a::A;"), ("c.rs", "")]);
    assert!(matches!(&found[..], [one] if one.contains("a -> b -> a; ")), "{a}: {found:?}");
}

/// Checks that they do not if `a` has this text.
#[track_caller]
fn names_nothing(a: &str) {
    expect(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", "use crate::a::A;")], &[]);
}

#[test]
fn circle__is_reported_with_lines_of_its_edges() {
    expect(
        &[
            ("lib.rs", "//! A crate.\n\npub mod app;\nmod router;\nmod other;"),
            (
                "app.rs",
                "//! App.\n\nuse std::{\n    fmt,\n};\nuse crate::{\n    other,\n    router::{self, Router},\n};",
            ),
            ("router.rs", "//! Router.\nuse super::app::App;"),
            ("other.rs", ""),
        ],
        &["src/app.rs:8: app -> router -> app; (imports: src/app.rs:8, src/router.rs:2)"],
    );
}

#[test]
fn path__every_form__is_found() {
    names_b("use crate::b;");
    names_b("use crate::b::*;");
    names_b("use super::{c, b::{B, C}};");
    names_b("pub(crate) use self::super::b::B as C;");
    names_b("fn a() { use crate::b::B; }");
    names_b("fn a() { crate::b::b(); }");
    names_b("fn a<'a>(c: char) -> Box<super::b::B<'a>> { if c == '\"' { '\\'' } }");
    names_b("use crate as root;\nfn a() { root::b::b() }");
    names_b("macro_rules! a { () => { $crate::b::b() } }");
    names_b("mod inner { use super::super::b::B; }");
}

#[test]
fn path__comments_literals_tests_other_crates__are_ignored() {
    names_nothing("//! See [`crate::b::B`]. /* */\n/* /* */ use crate::b; */");
    names_nothing(r###"const A: &[&str] = &["\"crate::b::b()", r#""crate::b::b()"#];"###);
    names_nothing("#[cfg(test)]\nmod tests {\n    use crate::b::B;\n    fn t() {}\n}");
    names_nothing("#[cfg(test)]\nuse crate::b::B;");
    names_nothing("use b::B; use ::b::C; fn a() { ::b::b(); b::c(); }");
}

#[test]
fn path__after_test_module__is_found() {
    names_b("#[cfg(test)]\nmod tests { fn t() {} }\nuse crate::b::B;");
    names_b("#[cfg(test)]\nmod tests;\nuse crate::b::B;");
}

#[test]
fn module__and_its_children__are_one_unit() {
    expect(
        &[
            ("lib.rs", "mod a; pub use a::A; pub struct Root;"),
            ("a.rs", "mod inner; use crate::Root; pub use inner::Inner; pub struct A;"),
            ("a/inner.rs", "use super::A; use crate::Root;"),
        ],
        &[],
    );
}

#[test]
fn module__nested__counts_for_its_branch() {
    expect(
        &[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; mod d;"),
            ("a/b.rs", "mod c;"),
            ("a/b/c.rs", "use crate::a::d::e::E;"),
            ("a/d.rs", "mod e; mod f;"),
            ("a/d/e.rs", "use crate::a::b::B;"),
            ("a/d/f.rs", "use super::super::d::e;"),
        ],
        &["src/a/b/c.rs:1: a::b -> a::d -> a::b; \
           (imports: src/a/b/c.rs:1, src/a/d/e.rs:1)"],
    );
}

#[test]
fn reexport__counts_for_the_defining_module() {
    // Both import from `both`, but what they import is in modules that form no circle.
    let lib = ("lib.rs", "mod a; mod b; mod both; mod low; pub use b::B;");
    let both =
        ("both.rs", "pub(crate) use crate::low::{Low as Renamed, deep::*}; pub(crate) use crate::a::A;");
    let low = ("low.rs", "pub(crate) mod deep; pub(crate) struct Low;");
    let deep = ("low/deep.rs", "pub(crate) struct Deep;");
    let passed = "use crate::both::{Deep, Renamed};";
    let b = ("b.rs", "use crate::both::A;");
    expect(&[lib, both, low, deep, b, ("a.rs", passed)], &[]);
    // The item that the root re-exports is in `b`, which names `a` through `both`.
    let circle = "src/a.rs:1: a -> b -> a; (imports: src/a.rs:1, src/b.rs:1)";
    expect(&[lib, both, low, deep, b, ("a.rs", "use crate::B;")], &[circle]);
}

#[test]
fn reexport_circle__without_items__is_reported() {
    names_b("pub use crate::b::A;");
}
