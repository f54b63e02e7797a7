//! `agent-server schema`: its output, and its messages about outdated files.

use std::fs;

use agent_tests::Launch;
use serde_json::Value;

#[tokio::test]
async fn schema_command__all_or_one_type__is_printed() {
    let all = Launch::bare(&["schema"]).run().await;
    assert_eq!(all.code, 0, "{all:?}");
    let bundle: Value = serde_json::from_str(&all.stdout).expect("JSON");
    assert!(bundle["$defs"]["AgentRequest"]["properties"]["input"].is_object());
    let one = Launch::bare(&["schema", "--type", "Message"]).run().await;
    let message: Value = serde_json::from_str(&one.stdout).expect("JSON");
    assert_eq!(message["title"], "Message");
    assert!(message["$defs"]["TextContent"].is_object() && message["$defs"]["AgentRequest"].is_null());
    for (name, hint) in [("messageinput", " Message, MessageInput,"), ("Massage", "omit --type")] {
        let none = Launch::bare(&["schema", "--type", name]).run().await;
        assert_eq!(none.code, 2);
        assert!(
            none.stderr.contains(&format!("there is no type '{name}'")) && none.stderr.contains(hint),
            "{none:?}"
        );
        assert_eq!(none.stdout, "");
    }
}

#[tokio::test]
async fn schema_command__files__are_written_and_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new").join("schema");
    let place = path.to_str().expect("UTF-8");
    let written = Launch::bare(&["schema", "--out", place]).run().await;
    assert_eq!(written.code, 0, "{written:?}");
    assert!(written.stdout.starts_with("wrote ") && path.join("Message.schema.json").exists());
    let fresh = Launch::bare(&["schema", "--check", place]).run().await;
    assert_eq!(fresh.code, 0, "{fresh:?}");

    let bundle = path.join("agent-runtime.schema.json");
    let text = fs::read_to_string(&bundle).expect("readable");
    let mut older: Value = serde_json::from_str(&text).expect("JSON");
    // As if this version had made a field required, and had added a role.
    older["$defs"]["FunctionTool"]["required"].as_array_mut().expect("a list").pop();
    older["$defs"]["Role"]["enum"].as_array_mut().expect("a list").pop();
    fs::write(&bundle, older.to_string()).expect("written");
    let gone = path.join("Gone.schema.json");
    fs::copy(path.join("Message.schema.json"), &gone).expect("copied");
    fs::write(path.join("theirs.schema.json"), "{}").expect("written");
    let stale = Launch::bare(&["schema", "--check", place]).run().await;
    assert_eq!(stale.code, 1, "{stale:?}");
    for line in [
        "agent-runtime.schema.json is out of date",
        "Gone.schema.json is not a schema of this version",
        "FunctionTool.parameters: the field is now required (breaks writers of the old form)",
        "Role: value \"tool\" was added (breaks readers of the old form)",
        "agent-server schema --out",
    ] {
        assert!(stale.stdout.contains(line), "{line:?} is missing in {}", stale.stdout);
    }
    let again = Launch::bare(&["schema", "--out", place]).run().await;
    assert!(again.stdout.contains("removed Gone.schema.json"), "{again:?}");
    assert!(!gone.exists() && path.join("theirs.schema.json").exists());
    assert_eq!(Launch::bare(&["schema", "--check", place]).run().await.code, 0);
}

#[tokio::test]
async fn schema_command__invalid_path__is_named() {
    let missing = Launch::bare(&["schema", "--check", "/does/not/exist"]).run().await;
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("could not read the folder /does/not/exist"), "{missing:?}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let place = file.path().to_str().expect("UTF-8");
    let refused = Launch::bare(&["schema", "--out", place]).run().await;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("could not create the folder"), "{refused:?}");
    let both = Launch::bare(&["schema", "--check", place, "--out", place]).run().await;
    assert_eq!(both.code, 2, "{both:?}");
}
