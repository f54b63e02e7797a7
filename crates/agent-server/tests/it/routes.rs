//! The server's own routes.

use agent_runner::agents::Echo;
use agent_runner::{AgentError, RunHandle, agent_fn};
use agent_schemas::Error;
use agent_server::{AgentApp, HttpConfig};
use axum::http::{Method, StatusCode};

use crate::app::{call, echo, get, process, router};

#[tokio::test]
async fn root__listed_routes__exist() {
    let router = router(echo());
    let root = get(&router, "/").await.json();
    assert_eq!((root["service"].as_str(), root["agents"][0].as_str()), (Some("test"), Some("echo")));
    let endpoints = root["endpoints"].as_object().expect("endpoints");
    assert_eq!(endpoints.len(), 9);
    let path = |name: &str| endpoints[name].as_str().expect("a path").to_owned();
    let task = process(&router, &path("task"), "hi", "").await;
    assert_eq!(task.status, StatusCode::OK, "{task:?}");
    let task_id = task.json()["task_id"].as_str().expect("an id").to_owned();
    for name in endpoints.keys().filter(|name| *name != "task") {
        let answer = match name.as_str() {
            "process" => process(&router, &path(name), "hi", "").await,
            "runs" | "sessions" => get(&router, &format!("{}?user_id=ann", path(name))).await,
            _ => get(&router, &path(name).replace("{id}", &task_id)).await,
        };
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn openapi__describes_exactly_the_routes() {
    let router = router(echo());
    let document = get(&router, "/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "test");
    let paths = document["paths"].as_object().expect("paths");
    let root = get(&router, "/").await.json();
    let listed = root["endpoints"].as_object().expect("endpoints").values();
    for path in listed.map(|path| path.as_str().expect("a path")).chain(["/"]) {
        assert!(paths.contains_key(path), "{path} is not described");
    }
    let mut operations = 0;
    for (path, methods) in paths {
        let methods = methods.as_object().expect("methods").iter();
        for (method, operation) in methods.filter(|(key, _)| *key != "parameters") {
            assert!(operation["responses"].is_object(), "{method} {path} has no answers");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let answer = call(&router, method.clone(), path).await;
            // A missing resource differs from an unknown path.
            let code = answer.body.to_ascii_lowercase().contains(r#""code":"not_found""#);
            let is_no_path = answer.status == StatusCode::NOT_FOUND && code;
            let served = !is_no_path && answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert!(served, "{method} {path} is described and answers {}", answer.status);
            operations += 1;
        }
    }
    assert_eq!(operations, 22);
}

#[tokio::test]
async fn endpoint__configured_path__moves_it() {
    let mut http = HttpConfig::default();
    http.endpoint_path = "/api/chat".to_owned();
    let router = router(echo().http(http));
    assert_eq!(process(&router, "/api/chat", "hi", "").await.last_event()["status"], "completed");
    assert_eq!(process(&router, "/process", "hi", "").await.status, StatusCode::NOT_FOUND);
    let moved = process(&router, "/api/chat/", "hi", "").await;
    assert_eq!((moved.status, moved.header("location")), (StatusCode::TEMPORARY_REDIRECT, Some("/api/chat")));
    assert_eq!(get(&router, "/").await.json()["endpoints"]["process"], "/api/chat");
    assert!(get(&router, "/openapi.json").await.json()["paths"]["/api/chat"]["post"].is_object());
}

#[tokio::test]
async fn probes__get_and_head__are_answered() {
    let router = router(echo());
    assert_eq!(get(&router, "/liveness").await.json()["status"], "alive");
    assert_eq!(get(&router, "/readiness").await.json()["status"], "ready");
    let health = get(&router, "/health").await.json();
    assert_eq!((health["status"].as_str(), health["runner"].as_str()), (Some("healthy"), Some("ready")));
    let head = call(&router, Method::HEAD, "/health").await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    let refused = call(&router, Method::DELETE, "/health").await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.json()["error"]["code"], "METHOD_NOT_ALLOWED");
    assert!(refused.header("allow").is_some_and(|methods| methods.contains("GET")));
}

#[tokio::test]
async fn readiness__server_not_started_or_store_stopped__says_why() {
    let app = echo().build().expect("built");
    let services = app.runner().services().clone();
    let router = app.router();
    services.stop().await.expect("stopped");
    let answer = get(&router, "/readiness").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json(), serde_json::json!({"status": "not_ready", "reason": "store_unavailable"}));
    assert_eq!(get(&router, "/liveness").await.status, StatusCode::OK);
    app.runner().close();
    assert_eq!(get(&router, "/readiness").await.json()["reason"], "shutting_down");
}

#[tokio::test]
async fn model__names_an_agent__selects_it() {
    let named = || {
        agent_fn(|run: RunHandle| async move {
            run.say(run.agent_name());
            Ok(())
        })
    };
    let router = router(AgentApp::builder("two").agent("first", named()).agent("second", named()));
    for (model, expected) in [("second", "second"), ("first", "first"), ("", "first")] {
        let fields = format!(r#","stream":false,"model":"{model}""#);
        let answer = process(&router, "/process", "", &fields).await.json();
        assert_eq!(answer["output"][0]["content"][0]["text"], expected);
    }
}

/// The answer with `stream: false` of an agent that ends in this way.
async fn check_failure(
    end: impl Fn() -> Result<(), AgentError> + Copy + Send + Sync + 'static,
    status: u16,
    message: &str,
) {
    let agent = agent_fn(move |_| async move { end() });
    let router = router(AgentApp::builder("failing").agent("failing", agent));
    let answer = process(&router, "/process", "", r#","stream":false"#).await;
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    let response = answer.json();
    assert_eq!(
        (response["object"].as_str(), response["status"].as_str()),
        (Some("response"), Some("failed"))
    );
    assert_eq!(response["error"]["message"], message);
    let streamed = process(&router, "/process", "", "").await;
    assert_eq!((streamed.status.as_u16(), &streamed.last_event()["error"]), (200, &response["error"]));
}

#[tokio::test]
async fn failed_run__answers_status_of_its_error() {
    let timeout = || Err(Error::Timeout { operation: "search".to_owned(), timeout: 3 }.into());
    check_failure(timeout, 504, "Operation search timed out, timeout limit: 3 seconds").await;
    let denied = || Err(Error::AccessDenied { message: "Access denied".to_owned() }.into());
    check_failure(denied, 403, "Access denied").await;
    let custom = |status| Error::Custom { status, code: "MINE".to_owned(), message: "mine".to_owned() };
    check_failure(move || Err(custom(409).into()), 409, "mine").await;
    check_failure(move || Err(custom(200).into()), 500, "mine").await;
}

#[tokio::test]
async fn request__deepest_allowed_nesting__comes_back() {
    let agent = agent_fn(|run: RunHandle| async move {
        run.message().set_metadata(run.request().extra.clone());
        Ok(())
    });
    let router = router(AgentApp::builder("test").agent("mirror", agent));
    let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    let answer = process(&router, "/process", "", &format!(r#","stream":false,"x":{deep}"#)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains(&deep), "{answer:?}");
}

#[tokio::test]
async fn list_of_runs__unknown_status__is_400() {
    let router = router(echo());
    for status in ["queued", "in_progress", "completed", "failed", "canceled", "incomplete", ""] {
        let answer = get(&router, &format!("/runs?user_id=ann&status={status}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{status}");
    }
    for query in ["status=bogus", "status=created", "status=Completed", "after=x", "limit=0", "limit=x"] {
        let answer = get(&router, &format!("/runs?user_id=ann&{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["error"]["code"], "INVALID_PARAMETER", "{query}");
    }
    let answer = get(&router, "/runs?user_id=ann&status=bogus").await;
    assert!(answer.body.contains("'bogus'") && answer.body.contains("incomplete"), "{}", answer.body);
}

#[tokio::test]
async fn model__unknown_name__is_404_with_several_agents_and_no_default() {
    let several = || echo().agent("other", Echo::default());
    for (app, status) in [
        (echo(), StatusCode::OK),
        (several(), StatusCode::NOT_FOUND),
        (several().default_agent("other"), StatusCode::OK),
    ] {
        let router = router(app);
        let answer = process(&router, "/process", "hi", r#","model":"nobody","stream":false"#).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let named = process(&router, "/process", "hi", r#","model":"echo","stream":false"#).await;
        assert_eq!(named.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn handler_panic__of_an_own_route__shows_nothing_of_its_text() {
    let own = axum::Router::new().route("/own", axum::routing::get(async || -> () { panic!("hunter2") }));
    let answer = get(&router(echo().routes(own)), "/own").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
}
