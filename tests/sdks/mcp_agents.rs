//! The agents, prompts and resources with which the conformance suite of MCP tests a server.

use std::collections::BTreeMap;

use agent_protocol_mcp::{ArgumentConfig, Mcp, McpConfig, MessageConfig, PromptConfig, ResourceConfig};
use agent_runner::{AgentInfo, Answer, Question, QuestionInput, RunHandle, agent_fn, described};
use agent_schemas::{Content, ContentBody, Error, Json, JsonObject, json, object};
use agent_server::{AgentApp, AgentAppBuilder};
use tokio::task::yield_now;

/// A picture with one pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

fn schema(text: &str) -> JsonObject {
    json::parse(text).expect("JSON").as_object().expect("an object").clone()
}

/// An argument of the call.
fn argument(run: &RunHandle, name: &str) -> String {
    let contents = run.request().input.iter().flat_map(|message| message.contents());
    let text =
        contents.filter_map(Content::as_data).find_map(|data| data.get(name)?.as_str().map(str::to_owned));
    text.unwrap_or_default()
}

fn form(message: &str, properties: &str) -> QuestionInput {
    let schema = schema(&format!("{{\"type\":\"object\",\"properties\":{properties}}}"));
    QuestionInput::form(message, schema)
}

fn sampling(prompt: &str) -> QuestionInput {
    let content = object! { "type" => "text", "text" => prompt };
    let message = object! { "role" => "user", "content" => content };
    let params = object! { "messages" => vec![Json::from(message)], "maxTokens" => 100 };
    QuestionInput::of_client("sampling/createMessage", params)
}

fn roots() -> QuestionInput {
    QuestionInput::of_client("roots/list", JsonObject::new())
}

fn said(answer: &Answer) -> String {
    Json::from(answer.inputs.clone()).to_string()
}

/// An agent that asks for these inputs and says what it has got.
fn asking(
    app: AgentAppBuilder,
    name: &'static str,
    inputs: &[(&'static str, QuestionInput)],
) -> AgentAppBuilder {
    let inputs = inputs.to_vec();
    let agent = agent_fn(move |run: RunHandle| {
        let inputs = inputs.clone();
        async move {
            let question = Question::new("inputs", "The agent needs something.");
            let question =
                inputs.into_iter().fold(question, |question, (key, input)| question.with_input(key, input));
            let answer = run.ask(question).await?;
            run.say(&format!("state-ok, the answers are {}", said(&answer)));
            Ok(())
        }
    });
    app.agent(name, described(agent, no_arguments("Asks the client.")))
}

fn no_arguments(description: &str) -> AgentInfo {
    AgentInfo::new(description).with_input_schema(schema(r#"{"type":"object"}"#))
}

/// An agent that says these contents.
fn saying(app: AgentAppBuilder, name: &'static str, contents: Vec<ContentBody>) -> AgentAppBuilder {
    let agent = agent_fn(move |run: RunHandle| {
        let contents = contents.clone();
        async move {
            let message = run.message();
            contents.into_iter().for_each(|content| message.put(content));
            message.complete();
            Ok(())
        }
    });
    app.agent(name, described(agent, no_arguments("Says something.")))
}

fn text(text: &str) -> ContentBody {
    ContentBody::Text { text: Some(text.to_owned()) }
}

fn image() -> ContentBody {
    ContentBody::Image { image_url: Some(format!("data:image/png;base64,{PIXEL}")) }
}

fn file(uri: &str, data: &str) -> ContentBody {
    ContentBody::File {
        file_url: Some(uri.to_owned()),
        file_id: None,
        filename: None,
        file_data: Some(data.to_owned()),
    }
}

/// The application.
pub(crate) fn app() -> AgentApp {
    let app = AgentApp::builder("conformance");
    let app = app.protocol(Mcp::new(config()).expect("a valid configuration"));
    let app = saying(app, "test_simple_text", vec![text("This is a simple text response for testing.")]);
    let app = saying(app, "test_image_content", vec![image()]);
    let sound = ContentBody::Audio { data: Some(SOUND.to_owned()), format: Some("wav".to_owned()) };
    let app = saying(app, "test_audio_content", vec![sound]);
    let embedded = "data:text/plain;base64,VGhpcyBpcyBhbiBlbWJlZGRlZCByZXNvdXJjZSBjb250ZW50Lg==";
    let app = saying(app, "test_embedded_resource", vec![file("test://embedded-resource", embedded)]);
    let mixed = "data:application/json;base64,eyJ0ZXN0IjoiZGF0YSIsInZhbHVlIjoxMjN9";
    let mixed =
        vec![text("Multiple content types test:"), image(), file("test://mixed-content-resource", mixed)];
    let app = saying(app, "test_multiple_content_types", mixed);
    app_that_asks(app_that_works(app)).build().expect("an application")
}

fn app_that_works(app: AgentAppBuilder) -> AgentAppBuilder {
    let working = || {
        agent_fn(|run: RunHandle| async move {
            for step in ["started", "processing data", "completed"] {
                let id = run.new_call_id();
                run.tool_call(&id, step).complete("{}");
                run.tool_output(&id, step, "{}");
                yield_now().await;
            }
            run.say("Done.");
            Ok(())
        })
    };
    let failing = agent_fn(|_: RunHandle| async move {
        let message = "This tool intentionally returns an error for testing".to_owned();
        Err(Error::Custom { status: 500, code: "TEST".to_owned(), message }.into())
    });
    let schema_2020 = schema(include_str!("mcp_schema.json"));
    let with_header = schema(
        r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}},"required":["region"]}"#,
    );
    let plain = || {
        agent_fn(|run: RunHandle| async move {
            run.say("Done.");
            Ok(())
        })
    };
    app.agent("test_tool_with_logging", described(working(), no_arguments("Works.")))
        .agent("test_logging_tool", described(working(), no_arguments("Works.")))
        .agent("test_tool_with_progress", described(working(), no_arguments("Works.")))
        .agent("test_error_handling", described(failing, no_arguments("Fails.")))
        .agent(
            "json_schema_2020_12_tool",
            described(plain(), AgentInfo::new("A.").with_input_schema(schema_2020)),
        )
        .agent("test_custom_header", described(plain(), AgentInfo::new("B.").with_input_schema(with_header)))
}

fn app_that_asks(app: AgentAppBuilder) -> AgentAppBuilder {
    let name = || form("What is your name?", r#"{"name":{"type":"string"}}"#);
    let ok = || form("Please confirm", r#"{"ok":{"type":"boolean"}}"#);
    let of_prompt = agent_fn(|run: RunHandle| async move {
        let prompt = argument(&run, "prompt");
        let answer =
            run.ask(Question::new("s", "I need a model.").with_input("sampling", sampling(&prompt))).await?;
        run.say(&format!("LLM response: {}", said(&answer)));
        Ok(())
    });
    let of_message = agent_fn(|run: RunHandle| async move {
        let properties = r#"{"username":{"type":"string"},"email":{"type":"string"}}"#;
        let input = form(&argument(&run, "message"), properties);
        let answer = run.ask(Question::new("f", "I need more.").with_input("form", input)).await?;
        run.say(&format!("User response: {}", said(&answer)));
        Ok(())
    });
    let rounds = agent_fn(|run: RunHandle| async move {
        let step = |key, message, property: &str| {
            let properties = format!("{{\"{property}\":{{\"type\":\"string\"}}}}");
            Question::new(key, message).with_input(key, form(message, &properties))
        };
        let name = run.ask(step("step1", "Step 1: What is your name?", "name")).await?;
        let color = run.ask(step("step2", "Step 2: What is your favorite color?", "color")).await?;
        run.say(&format!("{} {}", said(&name), said(&color)));
        Ok(())
    });
    let takes = |name: &str| {
        let properties =
            format!("{{\"type\":\"object\",\"properties\":{{\"{name}\":{{\"type\":\"string\"}}}}}}");
        AgentInfo::new("Asks the client.").with_input_schema(schema(&properties))
    };
    let all =
        [("user_name", name()), ("greeting", sampling("Generate a greeting")), ("client_roots", roots())];
    let capital = || [("capital_question", sampling("What is the capital of France?"))];
    let defaults = form("Please confirm.", include_str!("mcp_defaults.json"));
    let enums = form("Please choose.", include_str!("mcp_enums.json"));
    let app = app
        .agent("test_sampling", described(of_prompt, takes("prompt")))
        .agent("test_elicitation", described(of_message, takes("message")))
        .agent("test_input_required_result_multi_round", described(rounds, no_arguments("Asks twice.")));
    let app = asking(app, "test_elicitation_sep1034_defaults", &[("form", defaults)]);
    let app = asking(app, "test_elicitation_sep1330_enums", &[("form", enums)]);
    let app = asking(app, "test_input_required_result_elicitation", &[("user_name", name())]);
    let app = asking(app, "test_streaming_elicitation", &[("user_name", name())]);
    let app = asking(app, "test_input_required_result_sampling", &capital());
    let app = asking(app, "test_input_required_result_capabilities", &capital());
    let app = asking(app, "test_missing_capability", &capital());
    let app = asking(app, "test_input_required_result_list_roots", &[("client_roots", roots())]);
    let app = asking(app, "test_input_required_result_request_state", &[("confirm", ok())]);
    let app = asking(app, "test_input_required_result_tampered_state", &[("confirm", ok())]);
    asking(app, "test_input_required_result_multiple_inputs", &all)
}

fn config() -> McpConfig {
    let pixel = std::env::temp_dir().join(format!("agent-tests-pixel-{}.png", std::process::id()));
    std::fs::write(&pixel, PNG).expect("written");
    let mut config = McpConfig::default();
    let argument = |name: &str| {
        let mut argument = ArgumentConfig::default();
        (argument.name, argument.required) = (name.to_owned(), true);
        argument.values = ["paris", "park", "party"].map(str::to_owned).to_vec();
        argument
    };
    let prompt = |arguments: &[&str], messages: Vec<MessageConfig>| {
        let mut prompt = PromptConfig::default();
        prompt.description = Some("A prompt for testing.".to_owned());
        prompt.arguments = arguments.iter().map(|name| argument(name)).collect();
        prompt.messages = messages;
        prompt
    };
    let said = |text: &str| {
        let mut message = MessageConfig::default();
        message.text = Some(text.to_owned());
        message
    };
    let mut picture = MessageConfig::default();
    picture.file = Some(pixel.clone());
    let mut embedded = said("Embedded resource content for testing.");
    embedded.uri = Some("{{resourceUri}}".to_owned());
    let arguments = "Prompt with arguments: arg1='{{arg1}}', arg2='{{arg2}}'";
    let of_image = vec![picture, said("Please analyze the image above.")];
    let of_resource = vec![embedded, said("Please process the embedded resource above.")];
    config.prompts = BTreeMap::from([
        ("test_simple_prompt".to_owned(), prompt(&[], vec![said("This is a simple prompt for testing.")])),
        ("test_prompt_with_arguments".to_owned(), prompt(&["arg1", "arg2"], vec![said(arguments)])),
        ("test_prompt_with_embedded_resource".to_owned(), prompt(&["resourceUri"], of_resource)),
        ("test_prompt_with_image".to_owned(), prompt(&[], of_image)),
        ("test_input_required_result_prompt".to_owned(), prompt(&["context"], vec![said("{{context}}")])),
    ]);
    let resource = |uri: &str, text: &str| {
        let mut resource = ResourceConfig::default();
        (resource.uri, resource.text) = (uri.to_owned(), Some(text.to_owned()));
        resource.description = Some("A resource for testing.".to_owned());
        resource
    };
    let mut binary = resource("test://static-binary", "");
    (binary.text, binary.file) = (None, Some(pixel));
    let mut template = resource(
        "test://template/{id}/data",
        r#"{"id":"{{id}}","templateTest":true,"data":"Data for ID: {{id}}"}"#,
    );
    template.mime_type = Some("application/json".to_owned());
    config.resources = BTreeMap::from([
        ("binary".to_owned(), binary),
        ("template".to_owned(), template),
        (
            "text".to_owned(),
            resource("test://static-text", "This is the content of the static text resource."),
        ),
        ("watched".to_owned(), resource("test://watched-resource", "Watched.")),
    ]);
    config
}

/// The bytes of the picture.
const PNG: &[u8] = include_bytes!("mcp_pixel.png");
