//! Compares the document with the router, the types, and the server's responses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agent_runner::agents::Demo;
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{
    AgentRequest, AgentResponse, Content, ContentBody, FunctionCall, FunctionCallOutput, Json, JsonObject,
    McpApprovalRequest, McpApprovalResponse, McpCall, McpCallOutput, McpListTools, McpListToolsTool, Message,
    MessageType, json, sse,
};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use jsonschema::Validator;
use tower::ServiceExt;

use super::*;
use crate::AgentApp;

fn parsed() -> Json {
    json::parse(&document("an \"app\"", "/run", [])).expect("JSON")
}

/// The value that a path of keys, or a reference, leads to.
fn at<'a>(json: &'a Json, path: &str) -> &'a Json {
    let keys = path.trim_start_matches("#/").split('/').map(|key| key.replace("~1", "/"));
    keys.fold(json, |json, key| json.get(&key).unwrap_or_else(|| panic!("{key} of {path} is missing")))
}

fn schema<'a>(document: &'a Json, name: &str) -> &'a Json {
    at(document, &format!("#/components/schemas/{name}"))
}

fn keys(json: &Json) -> Vec<&str> {
    json.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn as_value(json: &Json) -> serde_json::Value {
    serde_json::to_value(json).expect("JSON")
}

/// The schema at a location in a document. Building it takes long.
fn validator(document: &Json, place: &str) -> Validator {
    let mut schema = as_value(document);
    schema["$ref"] = place.into();
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// Why a value does not match a schema.
fn check_value(validator: &Validator, value: &Json) -> Result<(), String> {
    let faults: Vec<_> = validator.iter_errors(&as_value(value)).map(|fault| fault.to_string()).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

#[track_caller]
fn check(name: &str, value: &impl serde::Serialize) {
    static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let validator = {
        let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || Arc::new(validator(&parsed(), &format!("#/components/schemas/{name}")));
        Arc::clone(known.entry(name.to_owned()).or_insert_with(build))
    };
    let value = Json::from_serialize(value).expect("JSON");
    if let Err(fault) = check_value(&validator, &value) {
        panic!("{name}: {fault}\n{value}");
    }
}

/// Values that the library writes have every field of the schema, and every field is declared as required.
#[track_caller]
fn check_written(name: &str, value: &impl serde::Serialize) {
    check_written_but(name, value, &[]);
}

/// The same for a type with fields that are written only if they have a value.
#[track_caller]
fn check_written_but(name: &str, value: &impl serde::Serialize, optional: &[&str]) {
    check(name, value);
    let document = parsed();
    let schema = schema(&document, name);
    let value = Json::from_serialize(value).expect("JSON");
    assert_eq!(keys(at(schema, "properties")), keys(&value), "{name}");
    let required = at(schema, "required").as_array().unwrap_or_default().iter();
    let required: Vec<_> = required.filter_map(Json::as_str).collect();
    let always: Vec<_> = keys(&value).into_iter().filter(|key| !optional.contains(key)).collect();
    assert_eq!(required, always);
}

#[test]
fn openapi__app_name_and_version__are_filled_in() {
    let document = parsed();
    assert_eq!(at(&document, "info/title").as_str(), Some("an \"app\""));
    assert_eq!(at(&document, "info/version").as_str(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(at(&document, "openapi").as_str(), Some("3.1.0"));
    assert_eq!(keys(&document), ["openapi", "info", "paths", "components"]);
    assert!(json::parse(&super::document("{endpoint}", "/{name}", [])).is_ok());
}

#[test]
fn openapi__every_route__is_described() {
    let sources = [include_str!("../router.rs"), include_str!("../routes/root.rs")];
    let literal = sources.iter().flat_map(|source| source.split(".route(\"").skip(1));
    let literal = literal.filter_map(|rest| rest.split_once("\", "));
    let mut routes: Vec<(&str, &str)> =
        literal.map(|(path, handler)| (path, handler.split('(').next().unwrap_or_default())).collect();
    routes.extend([("/run", "post"), ("/run/task", "post"), ("/run/task/{id}", "get")]);
    // The endpoint with a trailing slash is a redirect for clients that mistype it, and need not be documented.
    let all: usize = sources.iter().map(|source| source.matches(".route(").count()).sum();
    assert_eq!(routes.len() + 1, all);
    let document = parsed();
    for (path, method) in &routes {
        let operation = at(&document, &format!("paths/{}/{method}", path.replace('/', "~1")));
        assert!(operation.get("responses").is_some_and(|responses| responses.get("200").is_some()), "{path}");
    }
    let mut described = keys(at(&document, "paths"));
    described.sort_unstable();
    let mut paths: Vec<_> = routes.into_iter().map(|(path, _)| path).collect();
    paths.sort_unstable();
    assert_eq!(described, paths);
}

/// Every object in a document.
fn visit<'a>(json: &'a Json, see: &mut impl FnMut(&'a Json)) {
    see(json);
    match json {
        Json::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Json::Object(members) => members.values().for_each(|member| visit(member, see)),
        _ => {}
    }
}

#[test]
fn openapi__every_reference__resolves() {
    let document = parsed();
    let mut seen = 0;
    visit(&document, &mut |json| {
        let mapping = json.get("mapping").and_then(Json::as_object);
        let mapped = mapping.into_iter().flat_map(|mapping| mapping.values());
        for reference in json.get("$ref").into_iter().chain(mapped).filter_map(Json::as_str) {
            assert!(at(&document, reference).as_object().is_some(), "{reference}");
            seen += 1;
        }
        if let (Some(required), Some(properties)) = (json.get("required"), json.get("properties")) {
            for key in required.as_array().unwrap_or_default() {
                assert!(
                    properties.get(key.as_str().expect("a name")).is_some(),
                    "{key} is required and unknown"
                );
            }
        }
    });
    assert!(seen > 50, "{seen}");
}

#[test]
fn openapi__schemas__match_serialized_types() {
    check_written("Message", &Message::new("m", MessageType::Message));
    let mut response = AgentResponse::new("r", 1);
    response.warnings = Some(Vec::new());
    check_written_but("AgentResponse", &response, &["warnings"]);
    let error = agent_schemas::ErrorBody::new("MINE", "mine").with_status(409).with_retry_after(7);
    check_written_but("Error", &error, &["retry_after", "status"]);
    check_written("FunctionCall", &FunctionCall::default());
    check_written("FunctionCallOutput", &FunctionCallOutput::default());
    check_written("McpCall", &McpCall::default());
    check_written("McpCallOutput", &McpCallOutput::default());
    check_written("McpListTools", &McpListTools::default());
    check_written("McpListToolsTool", &McpListToolsTool::default());
    check_written("McpApprovalRequest", &McpApprovalRequest::default());
    check_written("McpApprovalResponse", &McpApprovalResponse::default());
    for name in ContentBody::TYPES {
        let content = Content::new(ContentBody::empty(name).expect("a type"));
        let schema = format!("{}{}Content", name[..1].to_uppercase(), &name[1..]);
        check_written(&schema, &content);
        check("Content", &content);
        check("ContentInput", &content);
        check("Event", &content);
    }
    // The last ones are the options of the run, which are not fields of the request, and the field that is rarely present.
    let mut request = AgentRequest::new(vec![Message::user("hi")]);
    request.foreign = Some(JsonObject::new());
    for name in ["background", "durability", "on_disconnect", "response_ttl_seconds", "session_policy"] {
        request.extra.insert(name.to_owned(), Json::Null);
    }
    check("AgentRequest", &request);
    let document = parsed();
    let written = Json::from_serialize(&request).expect("JSON");
    let (described, mut written) =
        (keys(at(schema(&document, "AgentRequest"), "properties")), keys(&written));
    let declared = written.iter().position(|key| *key == "foreign").expect("it is written");
    written[declared..].sort_unstable();
    assert_eq!(described, written);
    let event = validator(&document, "#/components/schemas/Event");
    assert!(check_value(&event, &Json::from(true)).is_err());
}

fn app() -> axum::Router {
    let failing = agent_fn(|_: RunHandle| async move {
        Err(agent_schemas::Error::ModelNotFound { model_name: "m".into() }.into())
    });
    let app = AgentApp::builder("app").agent("demo", Demo).agent("failing", failing).build();
    app.expect("two agents").router()
}

/// A response's status and body.
async fn send(method: &str, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
    let response = app().oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

/// Sends a request and compares the response with the document.
async fn check_answer(method: &str, path: &str, body: &str, status: u16) {
    let (found, body) = send(method, path, body).await;
    assert_eq!(found.as_u16(), status, "{body}");
    let document = json::parse(&document("app", "/process", [])).expect("JSON");
    let operation = format!("paths/{}/{}", path.replace('/', "~1"), method.to_lowercase());
    let answer = format!("{operation}/responses/{status}");
    let answer = match at(&document, &answer).get("$ref").and_then(Json::as_str) {
        Some(shared) => shared.to_owned(),
        None => format!("#/{answer}"),
    };
    let schema = format!("{answer}/content/application~1json/schema").replace('{', "%7B").replace('}', "%7D");
    let value = json::parse(&body).expect("JSON");
    if let Err(fault) = check_value(&validator(&document, &schema), &value) {
        panic!("{method} {path} {status}: {fault}\n{body}");
    }
}

#[tokio::test]
async fn openapi__answers__match_their_schema() {
    for path in ["/", "/health", "/liveness", "/readiness", "/openapi.json"] {
        check_answer("GET", path, "", 200).await;
    }
    let ask = |text: &str, more: &str| {
        format!(r#"{{"input":[{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}]{more}}}"#)
    };
    check_answer("POST", "/process", &ask("What is 6 times 7?", r#","stream":false"#), 200).await;
    check_answer("POST", "/process", &ask("a picture", r#","stream":false"#), 200).await;
    check_answer("POST", "/process", &ask("", r#","stream":false,"model":"failing""#), 404).await;
    check_answer("POST", "/process", r#"{"input":1}"#, 422).await;
    check_answer("POST", "/process", r#"{"input":["#, 422).await;
    check_answer("POST", "/process", &"[".repeat(1000), 400).await;
    for question in ["What is 6 times 7?", "a picture", "fail"] {
        let (status, log) = send("POST", "/process", &ask(question, "")).await;
        assert_eq!(status, 200);
        let mut events = 0;
        for frame in sse::frames(log.as_bytes()) {
            check("Event", &json::parse(std::str::from_utf8(frame).expect("text")).expect("JSON"));
            events += 1;
        }
        assert!(events > 5, "{log}");
    }
}
