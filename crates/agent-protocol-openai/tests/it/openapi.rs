//! Checks the protocols' part of the OpenAPI document against the routes, the types, and a server's answers.

use agent_protocol_openai::OpenAi;
use agent_runner::agents::Demo;
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::{Json, json};
use agent_server::AgentApp;
use agent_server::protocol::Protocol;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use jsonschema::Validator;
use tower::ServiceExt;

/// The value at a path of keys, or at a reference.
fn at<'a>(json: &'a Json, path: &str) -> &'a Json {
    let keys = path.trim_start_matches("#/").split('/').map(|key| key.replace("~1", "/"));
    keys.fold(json, |json, key| json.get(&key).unwrap_or_else(|| panic!("{key} of {path} is missing")))
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

async fn document() -> Json {
    json::parse(&send("GET", "/openapi.json", "").await.1).expect("JSON")
}

fn check(name: &str, validator: &Validator, json: &str) {
    let value = json::parse(json).expect("JSON");
    if let Err(fault) = check_value(validator, &value) {
        panic!("{name}: {fault}\n{value}");
    }
}

/// The routes of a protocol in its source: the paths, each with its methods.
fn routes_of(source: &str) -> Vec<(String, Vec<String>)> {
    let routes = source.split(".route(\"").skip(1);
    let route = routes.map(|rest| {
        let (path, handlers) = rest.split_once('"').expect("a path");
        let handlers = handlers.split('\n').next().unwrap_or_default();
        let is_there = |method: &&&str| handlers.contains(&format!("{method}("));
        let methods = ["get", "post", "delete"].iter().filter(is_there).map(|method| (*method).to_owned());
        (path.to_owned(), methods.collect())
    });
    route.collect()
}

#[tokio::test]
async fn openapi__every_route__is_described() {
    let sources = [
        include_str!("../../src/responses.rs"),
        include_str!("../../src/conversations.rs"),
        include_str!("../../src/chat.rs"),
        include_str!("../../src/models.rs"),
    ];
    let document = document().await;
    let mut count = 0;
    for (path, methods) in sources.into_iter().flat_map(routes_of) {
        let item = at(&document, &format!("paths/{}", path.replace('/', "~1")));
        let mut described: Vec<_> = keys(item).into_iter().filter(|key| *key != "parameters").collect();
        described.sort_unstable();
        let mut methods: Vec<_> = methods.iter().map(String::as_str).collect();
        methods.sort_unstable();
        assert_eq!(described, methods, "{path}");
        count += 1;
    }
    let paths = keys(at(&document, "paths")).into_iter();
    let described = paths.filter(|path| OpenAi.owns_path(path));
    assert_eq!(count, described.count());
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

#[tokio::test]
async fn openapi__every_reference__resolves() {
    let document = document().await;
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

fn app() -> Router {
    let failing = agent_fn(|_: RunHandle| async move {
        Err(agent_schemas::Error::ModelNotFound { model_name: "m".into() }.into())
    });
    let app = AgentApp::builder("app").agent("demo", Demo).agent("failing", failing).protocol(OpenAi).build();
    app.expect("two agents").router()
}

/// An answer's status and body.
async fn send(method: &str, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
    let response = app().oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

/// Sends a request and checks the answer against the document.
async fn check_answer(method: &str, path: &str, body: &str, status: u16) {
    let (found, body) = send(method, path, body).await;
    assert_eq!(found.as_u16(), status, "{body}");
    let document = document().await;
    let path = path.replace("/demo", "/{model}");
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

const COMPLETIONS: &str = "/v1/chat/completions";

#[tokio::test]
async fn openapi__answers__match_their_schema() {
    let complete = |content: &str, more: &str| {
        format!(r#"{{"messages":[{{"role":"user","content":"{content}"}}]{more}}}"#)
    };
    for path in ["/v1/models", "/v1/models/demo"] {
        check_answer("GET", path, "", 200).await;
    }
    check_answer("POST", COMPLETIONS, &complete("What is 6 times 7?", ""), 200).await;
    check_answer("POST", COMPLETIONS, &complete("a picture", ""), 200).await;
    check_answer("POST", COMPLETIONS, &complete("fail", ""), 500).await;
    check_answer("POST", COMPLETIONS, &complete("", r#","n":2"#), 400).await;
    check_answer("POST", COMPLETIONS, r#"{"messages":["#, 400).await;
    let document = document().await;
    let of_type = |name: &str| validator(&document, &format!("#/components/schemas/{name}"));
    let (chunk_type, error_type) = (of_type("ChatCompletionAnswerChunk"), of_type("OpenAIErrorAnswer"));
    let usage = r#","stream":true,"stream_options":{"include_usage":true}"#;
    for (question, is_good) in [("What is 6 times 7?", true), ("a picture", true), ("fail", false)] {
        let (_, stream) = send("POST", COMPLETIONS, &complete(question, usage)).await;
        let chunks: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let (last, chunks) = chunks.split_last().expect("frames");
        assert_eq!(*last == "[DONE]", is_good, "{stream}");
        for chunk in chunks {
            check("ChatCompletionAnswerChunk", &chunk_type, chunk);
        }
        if !is_good {
            check("OpenAIErrorAnswer", &error_type, last);
        }
    }
    assert_eq!(send("GET", "/v1/nothing", "").await.0, StatusCode::NOT_FOUND);
}
