//! The three together.
#![expect(non_snake_case, reason = "tests are named subject__condition__result")]

use std::sync::atomic::Ordering;

use agent_runner::testing::ToolTest;
use agent_runner::{RunHandle, agent_fn};
use agent_schemas::object;
use agent_server::AgentApp;
use agent_services::Backends;
use agent_services::backend::OpenOptions;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use outside::backend::Counted;
use outside::protocol::Shouting;
use tower::ServiceExt;

async fn send(router: &Router, request: Request<Body>) -> String {
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

#[tokio::test]
async fn external_crate__protocol_and_backend__serve_an_agent() {
    let counted = Counted::default();
    let backends = Backends::default().with("counted", counted.clone());
    let url = "counted:".parse().expect("a URL");
    let services = backends.open(&url, &OpenOptions::default()).expect("opened");
    let agent = agent_fn(|run: RunHandle| async move {
        run.state().save(&1).await?;
        run.say(&run.request().last_user_text());
        Ok(())
    });
    let app = AgentApp::builder("outside").agent("parrot", agent).services(services).protocol(Shouting);
    let router = app.build().expect("built").router();
    let post = |body: &'static str| {
        let request =
            Request::post("/shout").header("host", "localhost").header("content-type", "application/json");
        request.body(Body::from(body)).expect("a request")
    };
    assert_eq!(send(&router, post(r#"{"text":"hello"}"#)).await, "HELLO");
    assert_eq!(send(&router, post("{}")).await, "THIS FIELD IS REQUIRED!");
    assert_eq!(counted.0.load(Ordering::Relaxed), 1);
    for path in ["/", "/openapi.json"] {
        let request = Request::get(path).header("host", "localhost").body(Body::empty());
        assert!(send(&router, request.expect("a request")).await.contains("/shout"), "{path}");
    }
}

#[tokio::test]
async fn external_crate__tool__has_typed_arguments() {
    let answer = ToolTest::new().call(&outside::tool::greet(), object! { "name" => "Ann" }).await;
    assert!(answer.expect("an answer").as_str().is_some_and(|text| text.starts_with("Hello Ann, says ")));
}
