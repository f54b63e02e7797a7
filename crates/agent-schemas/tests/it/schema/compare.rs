//! The reported effect of differences between two schemas.

use agent_schemas::export::{self, compare};
use agent_schemas::{Json, json};

fn bundle(schema: &str) -> Json {
    json::parse(&format!(r#"{{"$defs": {{"T": {schema}}}}}"#)).unwrap()
}

#[track_caller]
fn check(old: &str, new: &str, expected: &[&str]) {
    let lines: Vec<String> = compare(&bundle(old), &bundle(new)).iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
    // A change that breaks readers in one direction breaks writers in the other, except for absent and ignored members.
    let back = compare(&bundle(new), &bundle(old));
    if !["field", "default"].iter().any(|word| expected.concat().contains(word)) {
        let readers = back.iter().filter(|change| change.breaks_readers).count();
        assert_eq!(readers, lines.iter().filter(|line| line.contains("writers")).count());
    }
}

#[test]
fn compare__same_schema__finds_nothing() {
    let bundle = export::bundle();
    assert_eq!(compare(&bundle, &bundle), []);
    assert!(compare(&Json::Null, &bundle).iter().all(|change| change.what == "a new type"));
    assert!(
        compare(&bundle, &Json::Null).iter().all(|change| change.breaks_readers && change.breaks_writers)
    );
}

#[test]
fn compare__field_added_or_removed__is_reported() {
    let none = r#"{"type": "object", "properties": {}}"#;
    let optional = r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#;
    let required = r#"{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}"#;
    check(none, optional, &["T.a: a new field (breaks nobody)"]);
    check(none, required, &["T.a: a new required field (breaks writers of the old form)"]);
    check(
        optional,
        none,
        &["T.a: the field was removed, and values written to it are lost (breaks writers of the old form)"],
    );
    check(
        required,
        none,
        &[
            "T.a: the field was removed, and values written to it are lost (breaks readers and writers of the old form)",
        ],
    );
    check(optional, required, &["T.a: the field is now required (breaks writers of the old form)"]);
    check(required, optional, &["T.a: the field is now optional (breaks readers of the old form)"]);
}

#[test]
fn compare__closed_object__breaks_on_new_field() {
    let closed = r#"{"type": "object", "properties": {}, "additionalProperties": false}"#;
    let open = r#"{"type": "object", "properties": {"a": true}}"#;
    check(
        closed,
        open,
        &[
            "T.a: a new field (breaks readers of the old form)",
            "T: other fields are now allowed (breaks readers of the old form)",
        ],
    );
    check(
        open,
        closed,
        &[
            "T.a: the field was removed, and values written to it are lost (breaks writers of the old form)",
            "T: other fields are now rejected (breaks writers of the old form)",
        ],
    );
}

#[test]
fn compare__types_and_values__report_growth() {
    check(
        r#"{"type": "string"}"#,
        r#"{"type": ["string", "null"]}"#,
        &["T: type \"null\" was added (breaks readers of the old form)"],
    );
    check(
        r#"{"type": "integer"}"#,
        r#"{"type": "number"}"#,
        &["T: type \"number\" was added (breaks readers of the old form)"],
    );
    check(
        r#"{"enum": ["a", "b"]}"#,
        r#"{"enum": ["a", "c"]}"#,
        &[
            "T: value \"c\" was added (breaks readers of the old form)",
            "T: value \"b\" was removed (breaks writers of the old form)",
        ],
    );
    check(
        r#"{"type": "string", "const": "a"}"#,
        r#"{"type": "string"}"#,
        &["T: any value is allowed now (breaks readers of the old form)"],
    );
    check(
        r##"{"oneOf": [{"$ref": "#/$defs/A"}]}"##,
        r##"{"oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}"##,
        &["T: alternative \"#/$defs/B\" was added (breaks readers of the old form)"],
    );
}

#[test]
fn compare__nullable_integer_to_number__is_reported() {
    check(
        r#"{"type": ["integer", "null"]}"#,
        r#"{"type": ["number", "null"]}"#,
        &["T: type \"number\" was added (breaks readers of the old form)"],
    );
}

#[test]
fn compare__open_enum_names__break_nobody() {
    let open = |names: &str| {
        format!(
            r#"{{"anyOf": [{{"type": "string", "enum": [{names}]}}, {{"type": "string"}}], "description": "{}"}}"#,
            names.len()
        )
    };
    check(&open(r#""a""#), &open(r#""a", "b""#), &["T: only descriptions changed (breaks nobody)"]);
}

#[test]
fn compare__additional_fields_dropped__breaks_writers() {
    check(
        r#"{"type": "object", "additionalProperties": true}"#,
        r#"{"type": "object"}"#,
        &["T: other fields are no longer kept (breaks writers of the old form)"],
    );
}

#[test]
fn compare__changed_bounds__are_reported() {
    let with = |bounds: &str| format!(r#"{{"type": "integer"{bounds}}}"#);
    let (low, high, none) = (with(r#", "maximum": 5"#), with(r#", "maximum": 9"#), with(""));
    check(&low, &high, &["T: the maximum is 9, was 5 (breaks readers of the old form)"]);
    check(&high, &low, &["T: the maximum is 5, was 9 (breaks writers of the old form)"]);
    check(&none, &low, &["T: the maximum is 5, was none (breaks writers of the old form)"]);
    let (low, high) = (with(r#", "minimum": 1"#), with(r#", "minimum": 2"#));
    check(&low, &high, &["T: the minimum is 2, was 1 (breaks writers of the old form)"]);
    check(&high, &low, &["T: the minimum is 1, was 2 (breaks readers of the old form)"]);
}

#[test]
fn compare__descriptions_and_unknown_keywords__are_classified() {
    check(
        r#"{"description": "a"}"#,
        r#"{"description": "b"}"#,
        &["T: only descriptions changed (breaks nobody)"],
    );
    check(
        r#"{"items": {"type": "string", "default": "a"}}"#,
        r#"{"items": {"type": "string"}}"#,
        &[
            "T.[]: the default is none, was \"a\", so omitting it has a different meaning (breaks writers of the old form)",
        ],
    );
    check(
        r#"{"pattern": "a"}"#,
        r#"{"pattern": "b"}"#,
        &["T: `pattern` changed (breaks readers and writers of the old form)"],
    );
}
