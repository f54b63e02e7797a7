//! Cancelling and deleting over HTTP: truthful answers, and the same ones when a request is repeated.

use agent_runner::{RunHandle, agent_fn};
use agent_server::{AgentApp, AgentAppBuilder, Principal};
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::map_request;
use serde_json::Value;

use crate::app::{call, echo, get, process, router};

/// An agent that works until it is cancelled.
fn patient() -> AgentAppBuilder {
    AgentApp::builder("test").agent(
        "patient",
        agent_fn(|run: RunHandle| async move {
            run.say("hm");
            run.cancelled().await;
            Ok(())
        }),
    )
}

const BACKGROUND: &str = r#","background":true,"session_id":"s","user_id":"ann""#;

/// The id of a background run in the session `s` of ann.
async fn started(router: &Router) -> String {
    let answer = process(router, "/process", "hi", BACKGROUND).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn delete(router: &Router, path: &str) -> StatusCode {
    call(router, Method::DELETE, path).await.status
}

async fn runs(router: &Router, filter: &str) -> Vec<Value> {
    let page = get(router, &format!("/runs?user_id=ann{filter}")).await.json();
    page["data"].as_array().expect("runs").clone()
}

#[tokio::test]
async fn cancel__of_a_waiting_run__answers_that_it_has_ended() {
    let router = router(patient());
    let first = started(&router).await;
    let second = started(&router).await;
    let canceled = call(&router, Method::POST, &format!("/runs/{second}/cancel")).await.json();
    assert_eq!(
        (&canceled["status"], &canceled["response"]["status"]),
        (&"canceled".into(), &"canceled".into())
    );
    let in_progress = runs(&router, "&session_id=s&status=in_progress").await;
    assert_eq!(in_progress.len(), 1);
    assert_eq!(in_progress[0]["id"], first.as_str());
    for _ in 0..2 {
        assert_eq!(delete(&router, &format!("/runs/{second}")).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(delete(&router, &format!("/runs/{first}")).await, StatusCode::CONFLICT, "it has not ended");
}

#[tokio::test]
async fn delete_session__with_unfinished_runs__leaves_no_run_and_no_response() {
    let router = router(patient());
    let (first, second) = (started(&router).await, started(&router).await);
    for _ in 0..2 {
        assert_eq!(delete(&router, "/sessions/s?user_id=ann").await, StatusCode::NO_CONTENT);
    }
    assert_eq!(runs(&router, "").await, [] as [Value; 0]);
    for id in [first, second] {
        assert_eq!(get(&router, &format!("/runs/{id}")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(get(&router, "/sessions/s?user_id=ann").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn delete_user__of_the_request__forgets_everything_and_nobody_else() {
    let router = router(echo());
    for user in ["ann", "bob"] {
        let fields = format!(r#","stream":false,"session_id":"s","user_id":"{user}""#);
        assert_eq!(process(&router, "/process", "hi", &fields).await.status, StatusCode::OK);
    }
    assert_eq!(delete(&router, "/users/ann").await, StatusCode::BAD_REQUEST);
    assert_eq!(delete(&router, "/users/ann?user_id=bob").await, StatusCode::FORBIDDEN);
    assert_eq!(runs(&router, "").await.len(), 1);
    for (runs, sessions) in [(1, 1), (0, 0)] {
        let deleted = call(&router, Method::DELETE, "/users/ann?user_id=ann").await;
        assert_eq!(deleted.status, StatusCode::OK, "{deleted:?}");
        let deleted = deleted.json();
        assert_eq!((&deleted["runs"], &deleted["sessions"]), (&runs.into(), &sessions.into()), "{deleted}");
    }
    assert_eq!(get(&router, "/sessions?user_id=ann").await.json()["data"], Value::Array(Vec::new()));
    assert_eq!(get(&router, "/sessions/s?user_id=bob").await.status, StatusCode::OK);
}

/// An application that authenticates its users rejects requests for another user.
#[tokio::test]
async fn delete_user__with_a_principal__only_deletes_the_principal() {
    let bob = |mut request: Request| async {
        request.extensions_mut().insert(Principal::new("bob"));
        request
    };
    let router = router(echo().wrap(move |routes| routes.layer(map_request(bob))));
    assert_eq!(process(&router, "/process", "hi", r#","stream":false"#).await.status, StatusCode::OK);
    assert_eq!(delete(&router, "/users/ann?user_id=ann").await, StatusCode::FORBIDDEN);
    let deleted = call(&router, Method::DELETE, "/users/bob?user_id=ann").await.json();
    assert_eq!(deleted["runs"], 1, "{deleted}");
}

#[tokio::test]
async fn longest_stop__of_the_defaults__is_below_thirty_seconds() {
    let app = echo().build().expect("an application");
    let margin = std::time::Duration::from_secs(2);
    assert!(app.longest_stop() + margin < std::time::Duration::from_secs(30), "{:?}", app.longest_stop());
}
