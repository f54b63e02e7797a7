//! The behavior of an application whose in-memory stores are full.

use agent_runner::Services;
use agent_services::Backends;
use agent_services::backend::OpenOptions;
use axum::http::{Method, StatusCode};

use crate::app::{call, echo, get, process, router};

fn services(bytes: u64) -> Services {
    let options = OpenOptions::default().with_memory_bytes(Some(bytes));
    Backends::default().open(&"memory:".parse().expect("a URL"), &options).expect("services")
}

#[tokio::test]
async fn memory__of_anonymous_runs__stays_within_its_limit() {
    let services = services(200_000);
    let router = router(echo().services(services.clone()));
    for _ in 0..200 {
        let answer = process(&router, "/process", &"word ".repeat(100), r#","stream":false"#).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let forgotten = services.sessions.sweep().await.expect("swept");
    assert!(forgotten.len() > 100, "{} of 200 sessions went", forgotten.len());
}

#[tokio::test]
async fn memory__full_of_named_sessions__refuses_more_and_says_which_setting_it_is() {
    let router = router(echo().services(services(100_000)));
    let say = async |number: usize| {
        let fields = format!(r#","stream":false,"user_id":"ann","session_id":"{number}""#);
        process(&router, "/process", &"word ".repeat(200), &fields).await
    };
    let mut number = 0;
    let refused = loop {
        let answer = say(number).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        number += 1;
    };
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"STORE_FULL".into())
    );
    assert!(refused.body.contains("services.memory_bytes"), "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        get(&router, "/sessions/0?user_id=ann").await.status,
        StatusCode::OK,
        "it was named, so it stays"
    );
    for number in 0..number {
        let deleted = call(&router, Method::DELETE, &format!("/sessions/{number}?user_id=ann")).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(say(0).await.status, StatusCode::OK, "there is room again");
}
